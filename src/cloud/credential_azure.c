/* SPDX-License-Identifier: MIT */
/*
 * Azure's credentials, in this order: a connection string, an account's key, a SAS, a workload's identity (a
 * token file that is exchanged), a managed identity (of a container, else of a virtual machine). A SAS in the
 * location itself comes before all of these.
 */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "cloud/credential.h"
#include "cloud/text.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

enum { CONNECTION_PART = 2048, TOKEN_ANSWER = 16384 };
static const json_int_t latest = 253402300799; /* seconds since 1970: the end of the year 9999 */

#define STORAGE_RESOURCE "https%3A%2F%2Fstorage.azure.com%2F"

/* A part of the connection string: "Name=value;Name=value". */
static bool connection_part(const char *name, char *value, size_t size) {
    const char *string = bm_cloud_environment("AZURE_STORAGE_CONNECTION_STRING");
    size_t n_name = strlen(name);
    value[0] = '\0';
    while (string != NULL && *string != '\0') {
        size_t n = strcspn(string, ";");
        if (n > n_name && strncasecmp(string, name, n_name) == 0 && string[n_name] == '=')
            return bm_cloud_copy_bytes(value, size, string + n_name + 1, n - n_name - 1);
        string += n + (string[n] == ';');
    }
    return false;
}

const char *bm_cloud_azure_endpoint(char *endpoint, size_t size) {
    if (connection_part("BlobEndpoint", endpoint, size)) return endpoint;
    const char *service = bm_cloud_environment("AZURE_STORAGE_SERVICE_ENDPOINT");
    if (service != NULL && bm_cloud_copy_text(endpoint, size, service)) return endpoint;
    char account[BM_LOCATION_NAME];
    char suffix[BM_LOCATION_NAME];
    struct bm_cloud_text text = bm_cloud_text_in(endpoint, size);
    if (!connection_part("AccountName", account, sizeof account) ||
        !connection_part("EndpointSuffix", suffix, sizeof suffix))
        return NULL;
    bm_cloud_text_format(&text, "https://%s.blob.%s", account, suffix);
    return endpoint;
}

static enum blastmerge_status set_key(struct bm_cloud_credential *credential, const char *key,
                                      const char *from, struct blastmerge_error *error) {
    if (!bm_cloud_base64_decode(key, (uint8_t *)credential->secret, sizeof credential->secret,
                                &credential->n_secret) ||
        credential->n_secret == 0)
        return bm_fail(error, BLASTMERGE_DENIED, "the account's key in %s is not base64", from);
    credential->kind = BM_CREDENTIAL_AZURE_KEY;
    credential->from = from;
    return BLASTMERGE_OK;
}

static enum blastmerge_status set_sas(struct bm_cloud_credential *credential, const char *sas,
                                      const char *from, struct blastmerge_error *error) {
    if (!bm_cloud_copy_text(credential->secret, sizeof credential->secret, sas[0] == '?' ? sas + 1 : sas))
        return bm_fail(error, BLASTMERGE_DENIED, "the SAS in %s is too long", from);
    credential->kind = BM_CREDENTIAL_SAS;
    credential->from = from;
    return BLASTMERGE_OK;
}

/* A key and a SAS belong to one account, where it is said which. */
static bool is_of_account(const char *account, const struct bm_cloud_location *location) {
    return account == NULL || account[0] == '\0' || strcmp(account, location->account) == 0;
}

static enum blastmerge_status find_static(const struct bm_cloud_location *location,
                                          struct bm_cloud_credential *credential,
                                          struct blastmerge_error *error) {
    static const char string[] = "AZURE_STORAGE_CONNECTION_STRING";
    char account[BM_LOCATION_NAME];
    enum blastmerge_status status = BLASTMERGE_OK;
    (void)connection_part("AccountName", account, sizeof account);
    if (is_of_account(account, location)) {
        char value[CONNECTION_PART];
        if (connection_part("AccountKey", value, sizeof value)) {
            status = set_key(credential, value, string, error);
        } else if (connection_part("SharedAccessSignature", value, sizeof value)) {
            status = set_sas(credential, value, string, error);
        }
        explicit_bzero(value, sizeof value);
    }
    if (status != BLASTMERGE_OK || credential->kind != BM_CREDENTIAL_NONE ||
        !is_of_account(bm_cloud_environment("AZURE_STORAGE_ACCOUNT"), location))
        return status;
    const char *key = bm_cloud_environment("AZURE_STORAGE_KEY");
    const char *sas = bm_cloud_environment("AZURE_STORAGE_SAS_TOKEN");
    if (key != NULL) return set_key(credential, key, "AZURE_STORAGE_KEY", error);
    return sas != NULL ? set_sas(credential, sas, "AZURE_STORAGE_SAS_TOKEN", error) : BLASTMERGE_OK;
}

/* Seconds, that may be written as a string, as some of these servers do; 0 for what makes no sense. */
static int64_t json_seconds(const char *json, const char *name) {
    json_t *object = json_loads(json, 0, NULL);
    const json_t *member = json_object_get(object, name);
    json_int_t seconds = json_integer_value(member);
    const char *string = json_string_value(member);
    uint64_t value = 0;
    if (string != NULL && bm_cloud_parse_count(string, strlen(string), &value)) seconds = (json_int_t)value;
    json_decref(object);
    return seconds < 0 || seconds > latest ? 0 : seconds;
}

/* Asks for a token: {"access_token": ..., "expires_in": ... or "expires_on": ...}. */
static enum blastmerge_status take_token(struct bm_cloud *cloud, struct bm_cloud_ask ask,
                                         struct bm_cloud_credential *credential,
                                         struct blastmerge_error *error) {
    char answer[TOKEN_ANSWER];
    ask.answer = answer;
    ask.size = sizeof answer;
    enum blastmerge_status status = bm_cloud_credential_ask(cloud, &ask, error);
    if (status != BLASTMERGE_OK) return status;
    int64_t expires_in = json_seconds(answer, "expires_in");
    int64_t expires_on = json_seconds(answer, "expires_on");
    bool has_token =
        bm_cloud_json_string(answer, "access_token", credential->secret, sizeof credential->secret);
    explicit_bzero(answer, sizeof answer);
    if (!has_token)
        return bm_fail(error, BLASTMERGE_DENIED, "the identity's server answered without a token");
    credential->kind = BM_CREDENTIAL_BEARER;
    credential->expires = expires_in > 0 ? bm_cloud_now(cloud) + expires_in : expires_on;
    return BLASTMERGE_OK;
}

static enum blastmerge_status find_workload(struct bm_cloud *cloud, struct bm_cloud_credential *credential,
                                            struct blastmerge_error *error) {
    const char *file = bm_cloud_environment("AZURE_FEDERATED_TOKEN_FILE");
    const char *client = bm_cloud_environment("AZURE_CLIENT_ID");
    const char *tenant = bm_cloud_environment("AZURE_TENANT_ID");
    const char *host = bm_cloud_environment("AZURE_AUTHORITY_HOST");
    char url[BM_LOCATION_ORIGIN];
    char assertion[8192];
    char body[10240];
    if (file == NULL || client == NULL || tenant == NULL) return BLASTMERGE_OK;
    if (host == NULL) host = "https://login.microsoftonline.com/";
    if (!bm_cloud_read_small_file(file, assertion, sizeof assertion))
        return bm_fail(error, BLASTMERGE_DENIED, "cannot read the file of AZURE_FEDERATED_TOKEN_FILE");
    enum blastmerge_status status =
        bm_cloud_check_secret(assertion, "the file of AZURE_FEDERATED_TOKEN_FILE", error);
    if (status != BLASTMERGE_OK) return status;
    struct bm_cloud_text text = bm_cloud_text_in(url, sizeof url);
    size_t n_host = strlen(host);
    bm_cloud_text_format(&text, "%s%s", host, host[n_host - 1] == '/' ? "" : "/");
    bm_cloud_text_encode(&text, tenant, strlen(tenant), false);
    bm_cloud_text_add(&text, "/oauth2/v2.0/token");
    bool is_cut = text.is_cut;
    text = bm_cloud_text_in(body, sizeof body);
    bm_cloud_text_add(&text, "grant_type=client_credentials&scope=" STORAGE_RESOURCE ".default&client_id=");
    bm_cloud_text_encode(&text, client, strlen(client), false);
    bm_cloud_text_add(
        &text, "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
               "&client_assertion=");
    bm_cloud_text_encode(&text, assertion, strlen(assertion), false);
    explicit_bzero(assertion, sizeof assertion);
    if (text.is_cut || is_cut)
        return bm_fail(error, BLASTMERGE_DENIED, "the workload's identity is too long");
    struct bm_cloud_ask ask = {.method = "POST",
                               .url = url,
                               .setting = "AZURE_AUTHORITY_HOST",
                               .header = "Content-Type",
                               .value = "application/x-www-form-urlencoded",
                               .body = body};
    status = take_token(cloud, ask, credential, error);
    explicit_bzero(body, sizeof body);
    return status;
}

static void add_client(struct bm_cloud_text *url) {
    const char *client = bm_cloud_environment("AZURE_CLIENT_ID");
    if (client == NULL) return;
    bm_cloud_text_add(url, "&client_id=");
    bm_cloud_text_encode(url, client, strlen(client), false);
}

/* Where a container has a server of its own for this, it is that; else it is a virtual machine's, if there is
 * one at all. */
static enum blastmerge_status find_managed(struct bm_cloud *cloud, struct bm_cloud_credential *credential,
                                           struct blastmerge_error *error) {
    const char *endpoint = bm_cloud_environment("IDENTITY_ENDPOINT");
    const char *secret = bm_cloud_environment("IDENTITY_HEADER");
    const char *host = bm_cloud_environment("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    char url_data[1024];
    struct bm_cloud_url parts;
    struct bm_cloud_text url = bm_cloud_text_in(url_data, sizeof url_data);
    bool is_container = endpoint != NULL && secret != NULL;
    struct bm_cloud_ask ask = {.method = "GET",
                               .url = url_data,
                               .setting =
                                   is_container ? "IDENTITY_ENDPOINT" : "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                               .near = BM_NEAR_AZURE,
                               .header = is_container ? "X-IDENTITY-HEADER" : "Metadata",
                               .value = is_container ? secret : "true",
                               .value_from = is_container ? "IDENTITY_HEADER" : NULL,
                               .body = "",
                               .is_impatient = !is_container};
    if (host == NULL) host = "http://169.254.169.254";
    enum blastmerge_status status = /* before it is tried: what fails there counts as absent */
        bm_cloud_url_parse_safe(&parts, is_container ? endpoint : host, ask.near, ask.setting, error);
    if (status != BLASTMERGE_OK) return status;
    if (is_container) {
        bm_cloud_text_format(&url, "%s%s?%s%sapi-version=2019-08-01", parts.origin, parts.path, parts.query,
                             parts.query[0] != '\0' ? "&" : "");
    } else {
        bm_cloud_text_format(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01", parts.origin);
    }
    bm_cloud_text_add(&url, "&resource=" STORAGE_RESOURCE);
    add_client(&url);
    if (url.is_cut) return bm_fail(error, BLASTMERGE_USAGE, "%s is too long", ask.setting);
    status = take_token(cloud, ask, credential, error);
    bool is_absent = !is_container && status != BLASTMERGE_CANCELLED && status != BLASTMERGE_NO_MEMORY;
    return is_absent && status != BLASTMERGE_OK ? BLASTMERGE_OK : status; /* then nothing was found */
}

enum blastmerge_status bm_cloud_credential_find_azure(struct bm_cloud *cloud,
                                                      const struct bm_cloud_location *location,
                                                      struct bm_cloud_credential *credential,
                                                      struct blastmerge_error *error) {
    enum blastmerge_status status = find_static(location, credential, error);
    if (status == BLASTMERGE_OK && credential->kind == BM_CREDENTIAL_NONE)
        status = find_workload(cloud, credential, error);
    if (status == BLASTMERGE_OK && credential->kind == BM_CREDENTIAL_NONE)
        status = find_managed(cloud, credential, error);
    return status;
}

#endif
