/* SPDX-License-Identifier: MIT */
#include "queries/lookup.h"

#include "queries/file.h"
#include "queries/index.h"
#include "queries/way.h"

struct bm_queries_lookup {
    struct bm_queries_file file; /* a reader of its own */
    struct bm_queries_index *index;
    struct bm_queries_names names; /* of the candidate */
    struct bm_queries_iteration row;
};

enum blastmerge_status bm_queries_lookup_open(struct bm_queries_lookup **lookup, struct bm_memory *memory,
                                              const struct bm_queries *queries, const char *beside,
                                              struct bm_cancel *cancel, struct blastmerge_error *error) {
    struct bm_queries_lookup *made = bm_allocate(memory, sizeof *made);
    *lookup = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    bm_queries_share(queries, &made->file);
    made->file.beside = beside;
    return bm_queries_index_open(&made->index, memory, &made->file, true, cancel, error);
}

void bm_queries_lookup_close(struct bm_queries_lookup *lookup, struct bm_memory *memory) {
    if (lookup == NULL) return;
    bm_queries_index_close(lookup->index, memory);
    bm_release(memory, lookup);
}

/* How the row's name is that of the query behind the place. */
static enum blastmerge_status look(struct bm_queries_lookup *lookup,
                                   const struct bm_queries_file_place *place, enum bm_queries_way *way,
                                   struct blastmerge_error *error) {
    struct bm_queries_file *file = &lookup->file;
    bool has_query = false;
    bm_queries_file_go(file, place);
    enum blastmerge_status status = bm_queries_file_next(file, &has_query, error);
    *way = BM_QUERIES_BY_NOTHING;
    if (status != BLASTMERGE_OK || !has_query) return status;
    bm_queries_names_read(&lookup->names, file->title, file->n_title, file->is_cut);
    *way = bm_queries_find_way(&lookup->names, &lookup->row, true);
    return BLASTMERGE_OK;
}

/* Takes a query that can have the name. */
static void take(struct bm_queries_found *found, uint64_t number, bool is_by_place) {
    if (found->number == 0) {
        *found = (struct bm_queries_found){.number = number, .is_by_place = is_by_place};
        return;
    }
    found->is_one_of_many = !is_by_place || !found->is_by_place;
    found->other_number = found->number > number ? found->number : number;
    if (found->number > number) found->number = number;
}

enum blastmerge_status bm_queries_lookup_find(struct bm_queries_lookup *lookup, const char *name,
                                              size_t n_name, char separator, struct bm_queries_found *found,
                                              struct blastmerge_error *error) {
    struct bm_queries_file_place place;
    struct bm_queries_iteration *row = &lookup->row;
    *found = (struct bm_queries_found){0};
    *error = (struct blastmerge_error){0};
    bm_queries_iteration_read_row(row, name, n_name < BM_QUERIES_WORD ? n_name : BM_QUERIES_WORD, separator);
    bool is_nameless = row->is_nameless;
    row->is_nameless =
        false; /* the index has the name that BLAST has made up, and lists few queries without one */
    bm_queries_index_find(lookup->index, row);
    row->is_nameless = is_nameless;
    while (!found->is_one_of_many && bm_queries_index_next(lookup->index, &place, error)) {
        enum bm_queries_way way = BM_QUERIES_BY_NOTHING;
        if (place.number + 1 == found->number || place.number + 1 == found->other_number)
            continue; /* by another of its names */
        if (look(lookup, &place, &way, error) != BLASTMERGE_OK) return error->status;
        if (way == BM_QUERIES_BY_NOTHING) continue;
        take(found, place.number + 1, way == BM_QUERIES_BY_LENGTH);
    }
    return error->status;
}
