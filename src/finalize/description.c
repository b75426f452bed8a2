/* SPDX-License-Identifier: MIT */
/* The job's description: docs/finalize.md has its fields. */
#include "cloud/location.h"
#include "cloud/text.h"
#include "finalize/finalize.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SCHEMA_VERSION = 1, DEFAULT_LIMIT = 1000 };
static const char schema[] = "blastmerge-finalize-job";

/* An object that is being read: at the top "", else "parent." or "children[3]." */
struct part {
    struct bm_finalize *finalize;
    json_t *object;
    char where[48];
};

static const char *kind_of(const json_t *value) {
    if (value == NULL) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return json_string_length(value) == 0 ? "an empty string" : "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static enum blastmerge_status refuse(const struct part *part, const char *name, const char *expected) {
    struct blastmerge_error *error = part->finalize->error;
    const json_t *found = json_object_get(part->object, name);
    if (json_is_string(found) && json_string_length(found) > 0) {
        char shown[256]; /* it may be a location with a secret in it */
        blastmerge_show_location(json_string_value(found), shown, sizeof shown);
        (void)bm_fail(error, BLASTMERGE_USAGE, "the job's field %s%s: expected %s, found \"%.100s\"",
                      part->where, name, expected, shown);
    } else {
        (void)bm_fail(error, BLASTMERGE_USAGE, "the job's field %s%s: expected %s, found %s", part->where,
                      name, expected, kind_of(found));
    }
    return BLASTMERGE_USAGE;
}

/* A misspelt field would be one that is not there. */
static enum blastmerge_status check_names(const struct part *part, const char *const *names) {
    const char *name;
    json_t *value;
    json_object_foreach(part->object, name, value) {
        const char *const *known = names;
        while (*known != NULL && strcmp(*known, name) != 0) known++;
        if (*known != NULL) continue;
        return bm_fail(part->finalize->error, BLASTMERGE_USAGE, "the job's field %s%.100s: unknown field",
                       part->where, name);
    }
    return BLASTMERGE_OK;
}

/* A string; where it is optional, NULL if it is not there, null or empty. */
static enum blastmerge_status take_string(const struct part *part, const char *name, bool is_optional,
                                          const char **string) {
    const json_t *value = json_object_get(part->object, name);
    *string = NULL;
    bool is_none =
        value == NULL || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
    if (is_none && is_optional) return BLASTMERGE_OK;
    if (is_none || !json_is_string(value)) return refuse(part, name, "a string");
    *string = json_string_value(value);
    return BLASTMERGE_OK;
}

/* An integer; where it is not there, what it was before. */
static enum blastmerge_status take_integer(const struct part *part, const char *name, bool is_optional,
                                           int64_t *number) {
    const json_t *value = json_object_get(part->object, name);
    if (value == NULL && is_optional) return BLASTMERGE_OK;
    if (!json_is_integer(value)) return refuse(part, name, "an integer");
    *number = json_integer_value(value);
    return BLASTMERGE_OK;
}

/* --- names that become paths --------------------------------------------------------------------- */

/* Whether n bytes do as a folder's name: they lead nowhere else. A star or what ends a path in an URL would
 * make another location of it. */
static bool is_name(const struct bm_finalize *finalize, const char *name, size_t n) {
    if (n == 0 || n > BM_FINALIZE_MAX_ID) return false;
    if (name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.'))) return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (bm_cloud_is_control(name[i]) || byte == '/') return false;
        if (finalize->is_remote && strchr("*?#%\\", byte) != NULL) return false;
    }
    return true;
}

/* Whether it is folders' names, each with a slash after it. */
static bool is_prefix(const struct bm_finalize *finalize, const char *prefix) {
    if (strlen(prefix) > BM_FINALIZE_MAX_PREFIX) return false;
    while (*prefix != '\0') {
        size_t n = strcspn(prefix, "/");
        if (!is_name(finalize, prefix, n) || prefix[n] != '/') return false;
        prefix += n + 1;
    }
    return true;
}

static const char name_expected[] =
    "the name of a job, which becomes a folder's: at most 255 bytes, no '/', no control characters";

/* --- the parts ----------------------------------------------------------------------------------- */

static enum blastmerge_status take_storage(struct bm_finalize *finalize, const struct part *top) {
    const char *storage = NULL;
    enum blastmerge_status status = take_string(top, "storage_prefix", false, &storage);
    if (status != BLASTMERGE_OK) return status;
    finalize->is_remote = bm_cloud_location_is_remote(storage);
    /* it is a bucket or container by itself: what is added to it below can only be a name in there */
    bool is_wrong =
        finalize->is_remote ? !bm_cloud_location_is_folder(storage) : bm_cloud_location_is_strange(storage);
    if (is_wrong || strcmp(storage, "-") == 0 || strlen(storage) > BM_FINALIZE_MAX_STORAGE)
        return refuse(
            top, "storage_prefix",
            "a folder, or az://ACCOUNT/CONTAINER, s3://BUCKET or gs://BUCKET with perhaps folders in it "
            "(without '*', '?', '#', '%', '\\' and \"..\")");
#ifndef BLASTMERGE_CLOUD
    if (finalize->is_remote)
        return bm_fail(finalize->error, BLASTMERGE_USAGE,
                       "the job's field storage_prefix: this blastmerge was built without object storage");
#endif
    finalize->storage = storage;
    return BLASTMERGE_OK;
}

static bool is_known_status(const char *status) {
    static const char *const known[] = {"queued", "running", "completed", "failed", "cancelled", "deleted"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(status, known[i]) == 0) return true;
    }
    return false;
}

static enum blastmerge_status take_parent(struct bm_finalize *finalize, json_t *object) {
    static const char *const names[] = {"job_id", "status", "prefix", NULL};
    struct part part = {finalize, object, "parent."};
    const char *prefix = NULL;
    enum blastmerge_status status = check_names(&part, names);
    if (status == BLASTMERGE_OK) status = take_string(&part, "job_id", false, &finalize->parent_id);
    if (status == BLASTMERGE_OK) status = take_string(&part, "status", true, &finalize->parent_status);
    if (status == BLASTMERGE_OK) status = take_string(&part, "prefix", true, &prefix);
    if (status != BLASTMERGE_OK) return status;
    if (!is_name(finalize, finalize->parent_id, strlen(finalize->parent_id)))
        return refuse(&part, "job_id", name_expected);
    if (finalize->parent_status != NULL && !is_known_status(finalize->parent_status))
        return refuse(&part, "status", "queued, running, completed, failed, cancelled or deleted");
    if (prefix != NULL && !is_prefix(finalize, prefix))
        return refuse(&part, "prefix", "names of folders below the storage prefix, each with a '/' after it");
    if (prefix != NULL)
        snprintf(finalize->parent_prefix, sizeof finalize->parent_prefix, "%s", prefix);
    else
        snprintf(finalize->parent_prefix, sizeof finalize->parent_prefix, "%s/", finalize->parent_id);
    return BLASTMERGE_OK;
}

/* The parent's files would take the place of the child's. */
static bool is_of_parent(const struct bm_finalize *finalize, const char *job_id) {
    size_t n = strlen(job_id);
    return strncmp(finalize->parent_prefix, job_id, n) == 0 && strcmp(finalize->parent_prefix + n, "/") == 0;
}

static enum blastmerge_status take_child(struct bm_finalize *finalize, size_t number, json_t *object) {
    static const char *const names[] = {"job_id", "group_id", "status", NULL};
    struct bm_finalize_child *child = &finalize->children[number];
    struct part part = {.finalize = finalize, .object = object};
    snprintf(part.where, sizeof part.where, "children[%zu]", number);
    if (!json_is_object(object))
        return bm_fail(finalize->error, BLASTMERGE_USAGE, "the job's field %s: expected an object, found %s",
                       part.where, kind_of(object));
    snprintf(part.where, sizeof part.where, "children[%zu].", number);
    enum blastmerge_status status = check_names(&part, names);
    if (status == BLASTMERGE_OK) status = take_string(&part, "job_id", true, &child->job_id);
    if (status == BLASTMERGE_OK) status = take_string(&part, "status", false, &child->status);
    if (status != BLASTMERGE_OK) return status;
    child->group_id = json_object_get(object, "group_id");
    if (child->group_id != NULL && !json_is_string(child->group_id) && !json_is_integer(child->group_id) &&
        !json_is_null(child->group_id))
        return refuse(&part, "group_id", "a string, an integer or null");
    if (child->job_id == NULL) return BLASTMERGE_OK; /* it is refused once that matters */
    if (!is_name(finalize, child->job_id, strlen(child->job_id)))
        return refuse(&part, "job_id", name_expected);
    if (is_of_parent(finalize, child->job_id))
        return refuse(&part, "job_id", "another folder than the parent's");
    return BLASTMERGE_OK;
}

static enum blastmerge_status take_children(struct bm_finalize *finalize, const struct part *top) {
    json_t *list = json_object_get(top->object, "children");
    enum blastmerge_status status = BLASTMERGE_OK;
    if (!json_is_array(list)) return refuse(top, "children", "a list");
    size_t n = json_array_size(list);
    finalize->children = bm_allocate(finalize->client.memory, (n + 1) * sizeof *finalize->children);
    if (finalize->children == NULL) return bm_finalize_fail_memory(finalize);
    finalize->n_children = n;
    for (size_t i = 0; i < n && status == BLASTMERGE_OK; i++)
        status = take_child(finalize, i, json_array_get(list, i));
    return status;
}

static enum blastmerge_status take_schema(const struct part *top) {
    const char *name = NULL;
    int64_t version = 0;
    enum blastmerge_status status = take_string(top, "schema", false, &name);
    if (status != BLASTMERGE_OK) return status;
    if (strcmp(name, schema) != 0) return refuse(top, "schema", "\"blastmerge-finalize-job\"");
    status = take_integer(top, "schema_version", false, &version);
    if (status != BLASTMERGE_OK || version == SCHEMA_VERSION) return status;
    return bm_fail(top->finalize->error, BLASTMERGE_USAGE,
                   "the job's field schema_version: expected %d, found %" PRId64
                   ": this is another blastmerge's",
                   SCHEMA_VERSION, version);
}

static enum blastmerge_status take_all(struct bm_finalize *finalize) {
    static const char *const names[] = {"schema",   "schema_version",       "storage_prefix", "parent",
                                        "children", "expected_child_count", "child_limit",    NULL};
    struct part top = {.finalize = finalize, .object = finalize->description};
    finalize->limit = DEFAULT_LIMIT;
    enum blastmerge_status status = take_schema(&top);
    if (status == BLASTMERGE_OK) status = check_names(&top, names);
    if (status == BLASTMERGE_OK) status = take_storage(finalize, &top);
    json_t *parent = json_object_get(top.object, "parent");
    if (status == BLASTMERGE_OK)
        status = json_is_object(parent) ? take_parent(finalize, parent) : refuse(&top, "parent", "an object");
    if (status == BLASTMERGE_OK)
        status = take_integer(&top, "expected_child_count", false, &finalize->n_expected);
    if (status == BLASTMERGE_OK) status = take_integer(&top, "child_limit", true, &finalize->limit);
    return status == BLASTMERGE_OK ? take_children(finalize, &top) : status;
}

enum blastmerge_status bm_finalize_describe(struct bm_finalize *finalize, const void *text, size_t n_bytes) {
    json_error_t error;
    if (n_bytes > BM_FINALIZE_MAX_JOB)
        return bm_fail(finalize->error, BLASTMERGE_USAGE, "the job is longer than 16 MiB");
    finalize->description = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &error);
    if (finalize->description == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory) return bm_finalize_fail_memory(finalize);
        return bm_fail(finalize->error, BLASTMERGE_USAGE, "the job is not JSON: line %d, column %d: %s",
                       error.line, error.column, error.text);
    }
    if (!json_is_object(finalize->description))
        return bm_fail(finalize->error, BLASTMERGE_USAGE, "the job: expected an object, found %s",
                       kind_of(finalize->description));
    return take_all(finalize);
}
