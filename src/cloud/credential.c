/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "base/descriptor.h"
#include "cloud/cloud.h"
#include "cloud/credential.h"
#include "cloud/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EARLY_SECONDS = 300,    /* a credential is fetched anew so long before it expires */
    NEAR_TIMEOUT_MS = 1000, /* a server on this very machine or its host answers at once or is not there */
    FAR_TIMEOUT_MS = 30000
};

/* --- small things -------------------------------------------------------------------------------- */

const char *bm_cloud_environment(const char *name) {
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

bool bm_cloud_read_small_file(const char *path, char *text, size_t size) {
    FILE *file = bm_open_stream(path);
    text[0] = '\0';
    if (file == NULL) return false;
    size_t n = fread(text, 1, size - 1, file);
    bool is_whole = !ferror(file) && fgetc(file) == EOF;
    (void)fclose(file);
    while (n > 0 && (unsigned char)text[n - 1] <= ' ') n--;
    text[n] = '\0';
    return is_whole;
}

bool bm_cloud_json_string(const char *json, const char *name, char *value, size_t size) {
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    const char *string = json_string_value(json_object_get(object, name));
    value[0] = '\0';
    bool is_there = string != NULL && string[0] != '\0' && bm_cloud_copy_text(value, size, string);
    json_decref(object);
    return is_there;
}

enum blastmerge_status bm_cloud_check_secret(const char *secret, const char *from,
                                             struct blastmerge_error *error) {
    for (const char *c = secret; *c != '\0'; c++) {
        if (bm_cloud_is_control(*c) || (*c & 0x80) != 0)
            return bm_fail(error, BLASTMERGE_DENIED,
                           "%s has a line feed or another character that no key or token has", from);
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status ask(struct bm_cloud *cloud, const struct bm_cloud_ask *ask, const char *url,
                                  struct bm_cloud_request *request, struct blastmerge_error *error) {
    bm_cloud_request_open(request, cloud, ask->method, NULL, NULL);
    request->url = url;
    request->answer = ask->answer;
    request->answer_size = ask->size;
    request->body = ask->body;
    request->n_body = strlen(ask->body);
    request->n_tries = ask->is_impatient ? 2 : 4;
    request->timeout_ms = ask->is_impatient ? NEAR_TIMEOUT_MS : FAR_TIMEOUT_MS;
    if (ask->header != NULL) bm_cloud_request_header(request, ask->header, ask->value);
    if (request->is_cut)
        return bm_fail(error, BLASTMERGE_DENIED, "the token for a credentials' server is too long");
    enum blastmerge_status status = bm_cloud_request_run(request, error);
    explicit_bzero(request->headers, sizeof request->headers);
    return status;
}

enum blastmerge_status bm_cloud_credential_ask(struct bm_cloud *cloud, const struct bm_cloud_ask *what,
                                               struct blastmerge_error *error) {
    struct bm_cloud_url parts;
    char url[sizeof parts.origin + sizeof parts.path + sizeof parts.query + 1];
    struct bm_cloud_text text = bm_cloud_text_in(url, sizeof url);
    enum blastmerge_status status =
        bm_cloud_url_parse_safe(&parts, what->url, what->near, what->setting, error);
    if (status == BLASTMERGE_OK && what->value_from != NULL)
        status = bm_cloud_check_secret(what->value, what->value_from, error);
    if (status != BLASTMERGE_OK) return status;
    bm_cloud_text_format(&text, "%s%s%s%s", parts.origin, parts.path, parts.query[0] != '\0' ? "?" : "",
                         parts.query);
    struct bm_cloud_request *request = bm_allocate(bm_cloud_memory(cloud), sizeof *request);
    if (request == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    status = ask(cloud, what, url, request, error);
    bm_release(bm_cloud_memory(cloud), request);
    return status;
}

/* --- finding ------------------------------------------------------------------------------------- */

static bool is_for(const struct bm_cloud_credential *credential, const struct bm_cloud_location *location) {
    return credential->provider == location->provider && strcmp(credential->account, location->account) == 0;
}

/* The place that the location's credential has or gets; the first one makes room for what is too many. */
static struct bm_cloud_credential *place_for(struct bm_cloud *cloud,
                                             const struct bm_cloud_location *location) {
    size_t n = 0;
    struct bm_cloud_credential *all = bm_cloud_credentials(cloud, &n);
    for (size_t i = 0; i < n; i++) {
        if (all[i].is_known && is_for(&all[i], location)) return &all[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (!all[i].is_known) return &all[i];
    }
    all[0].is_known = false;
    return &all[0];
}

/* A token that another program fetched, or keys. */
enum blastmerge_status bm_cloud_credential_find_variables(struct bm_cloud *cloud,
                                                          const struct bm_cloud_location *location,
                                                          struct bm_cloud_credential *credential,
                                                          struct blastmerge_error *error) {
    const struct bm_cloud_provider_row *row = bm_cloud_provider_of(location->provider);
    (void)cloud;
    (void)error;
    const char *id = bm_cloud_environment(row->variables.id);
    const char *secret = bm_cloud_environment(row->variables.secret);
    const char *token = row->variables.token != NULL ? bm_cloud_environment(row->variables.token) : NULL;
    if (token != NULL && bm_cloud_copy_text(credential->secret, sizeof credential->secret, token)) {
        credential->kind = BM_CREDENTIAL_BEARER;
        credential->from = row->variables.token;
    } else if (id != NULL && secret != NULL &&
               bm_cloud_copy_text(credential->id, sizeof credential->id, id) &&
               bm_cloud_copy_text(credential->secret, sizeof credential->secret, secret)) {
        credential->kind = BM_CREDENTIAL_AWS;
        credential->from = row->variables.keys;
    }
    return BLASTMERGE_OK;
}

/* Whatever the way it was found. An account's key is binary. */
static enum blastmerge_status check_found(const struct bm_cloud_credential *credential,
                                          struct blastmerge_error *error) {
    const char *from = credential->from != NULL ? credential->from : "the answer of the credentials' server";
    enum blastmerge_status status = bm_cloud_check_secret(credential->id, from, error);
    if (status == BLASTMERGE_OK) status = bm_cloud_check_secret(credential->token, from, error);
    if (status == BLASTMERGE_OK && credential->kind == BM_CREDENTIAL_SAS &&
        strchr(credential->secret, '#') != NULL)
        return bm_fail(error, BLASTMERGE_DENIED, "%s has a '#', which no SAS has", from);
    if (status != BLASTMERGE_OK || credential->kind == BM_CREDENTIAL_AZURE_KEY) return status;
    return bm_cloud_check_secret(credential->secret, from, error);
}

enum blastmerge_status bm_cloud_credential_find(struct bm_cloud *cloud,
                                                const struct bm_cloud_location *location, bool is_renewed,
                                                const struct bm_cloud_credential **credential,
                                                struct blastmerge_error *error) {
    static const struct bm_cloud_credential none = {.kind = BM_CREDENTIAL_NONE};
    *credential = &none;
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(location->provider);
    if (provider->find_credential == NULL || location->has_sas) return BLASTMERGE_OK;
    struct bm_cloud_credential *place = place_for(cloud, location);
    bool is_old = place->expires != 0 && place->expires - EARLY_SECONDS <= bm_cloud_now(cloud);
    *credential = place;
    if (place->is_known && !is_old && !is_renewed) return BLASTMERGE_OK;
    struct bm_cloud_credential found = {.provider = location->provider};
    bm_cloud_copy_text(found.account, sizeof found.account, location->account);
    enum blastmerge_status status = provider->find_credential(cloud, location, &found, error);
    if (status == BLASTMERGE_OK) status = check_found(&found, error);
    if (status != BLASTMERGE_OK && status != BLASTMERGE_CANCELLED && is_old && !is_renewed &&
        place->expires > bm_cloud_now(cloud)) {
        status = BLASTMERGE_OK; /* the current one does for a while yet */
    } else if (status == BLASTMERGE_OK) {
        found.is_known = true;
        *place = found;
    }
    explicit_bzero(&found, sizeof found);
    return status;
}

#endif
