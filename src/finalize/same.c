/* SPDX-License-Identifier: MIT */
/*
 * Whether two names of a job mean one thing: then a child would be in the result twice, and another might be
 * missing. Ids are compared as text. Files are compared by identity, so links count, and names that the file system
 * treats as one; in an object store two names are two objects. All comparisons sort: n log n, and a few words of
 * memory a name.
 */
#include "finalize/finalize.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- ids ----------------------------------------------------------------------------------------- */

struct name {
    const char *text;
    size_t number;
};

static int compare_names(const void *a, const void *b) {
    const struct name *one = a;
    const struct name *other = b;
    int order = strcmp(one->text, other->text);
    return order != 0 ? order : one->number < other->number ? -1 : one->number > other->number;
}

static enum blastmerge_status find_doubled(struct bm_finalize *finalize, struct name *names) {
    size_t n = 0;
    for (size_t i = 0; i < finalize->n_children; i++) {
        const char *job_id = finalize->children[i].job_id;
        if (job_id != NULL) names[n++] = (struct name){job_id, i};
    }
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(names[i - 1].text, names[i].text) != 0) continue;
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                  "children[%zu] and children[%zu] have the same job_id: %s",
                                  names[i - 1].number, names[i].number, names[i].text);
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_finalize_check_names(struct bm_finalize *finalize) {
    for (size_t i = 0; i < finalize->n_children; i++) {
        const char *job_id = finalize->children[i].job_id;
        if (job_id != NULL && strcmp(job_id, finalize->parent_id) == 0)
            return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                      "children[%zu] and the parent have the same job_id: %s", i, job_id);
    }
    struct name *names = bm_allocate(finalize->client.memory, (finalize->n_children + 1) * sizeof *names);
    if (names == NULL) return bm_finalize_fail_memory(finalize);
    enum blastmerge_status status = find_doubled(finalize, names);
    bm_release(finalize->client.memory, names);
    return status;
}

/* --- files --------------------------------------------------------------------------------------- */

/* The n-th child's result has the number 2n, its report 2n + 1; the parent's follow. */
struct file {
    struct bm_finalize_identity identity;
    size_t number;
};

static int compare_files(const void *a, const void *b) {
    const struct file *one = a;
    const struct file *other = b;
    if (one->identity.device != other->identity.device)
        return one->identity.device < other->identity.device ? -1 : 1;
    if (one->identity.inode != other->identity.inode)
        return one->identity.inode < other->identity.inode ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* Its path, relative to the storage. */
static void name_file(const struct bm_finalize *finalize, size_t number,
                      char relative[BM_FINALIZE_RELATIVE]) {
    bool is_parents = number / 2 >= finalize->n_children;
    static const char *const names[] = {BM_FINALIZE_RESULT, BM_FINALIZE_REPORT, BM_FINALIZE_MANIFEST};
    size_t which = is_parents ? number - 2 * finalize->n_children : number % 2;
    bm_finalize_relative(finalize, is_parents ? NULL : &finalize->children[number / 2], names[which],
                         relative);
}

static struct bm_finalize_identity look_at_parents(const struct bm_finalize *finalize, const char *name) {
    struct bm_finalize_file file;
    struct stat information;
    bm_finalize_locate(finalize, NULL, name, NULL, &file);
    if (stat(file.location, &information) != 0 || !S_ISREG(information.st_mode))
        return (struct bm_finalize_identity){0};
    return (struct bm_finalize_identity){(uint64_t)information.st_dev, (uint64_t)information.st_ino};
}

static size_t list_files(const struct bm_finalize *finalize, struct file *files) {
    size_t n = 0;
    size_t n_children = finalize->n_children;
    for (size_t i = 0; i < n_children; i++) {
        files[n++] = (struct file){finalize->children[i].result_identity, 2 * i};
        files[n++] = (struct file){finalize->children[i].report_identity, 2 * i + 1};
    }
    files[n++] = (struct file){look_at_parents(finalize, BM_FINALIZE_RESULT), 2 * n_children};
    files[n++] = (struct file){look_at_parents(finalize, BM_FINALIZE_REPORT), 2 * n_children + 1};
    files[n++] = (struct file){look_at_parents(finalize, BM_FINALIZE_MANIFEST), 2 * n_children + 2};
    return n;
}

static enum blastmerge_status find_same(struct bm_finalize *finalize, struct file *files) {
    char one[BM_FINALIZE_RELATIVE];
    char other[BM_FINALIZE_RELATIVE];
    size_t n = list_files(finalize, files);
    size_t first =
        n; /* of several pairs, that of the first child: the inodes' order is of no meaning to users */
    qsort(files, n, sizeof *files, compare_files);
    for (size_t i = 1; i < n; i++) {
        const struct bm_finalize_identity *identity = &files[i].identity;
        bool is_same = files[i - 1].identity.device == identity->device &&
                       files[i - 1].identity.inode == identity->inode;
        if (identity->inode == 0 || !is_same) continue;
        if (first == n || files[i - 1].number < files[first].number) first = i - 1;
    }
    if (first == n) return BLASTMERGE_OK;
    name_file(finalize, files[first].number, one);
    name_file(finalize, files[first + 1].number, other);
    return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                              "%s and %s are one file: each child and the parent must have their own", one,
                              other);
}

enum blastmerge_status bm_finalize_check_files(struct bm_finalize *finalize) {
    if (finalize->is_remote) return BLASTMERGE_OK;
    struct file *files = bm_allocate(finalize->client.memory, (2 * finalize->n_children + 3) * sizeof *files);
    if (files == NULL) return bm_finalize_fail_memory(finalize);
    enum blastmerge_status status = find_same(finalize, files);
    bm_release(finalize->client.memory, files);
    return status;
}
