/* SPDX-License-Identifier: MIT */
/*
 * AWS's credentials, in this order: the environment, a web identity (a token file that is exchanged), the
 * profile's files, a container's server, a virtual machine's (IMDSv2).
 */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "base/descriptor.h"
#include "cloud/cloud.h"
#include "cloud/credential.h"
#include "cloud/text.h"
#include "cloud/xml.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ANSWER = 16384, LINE = 4096, FILE_NAME = 4096 };

/* --- the profile's files ------------------------------------------------------------------------- */

static const char *trim(char *text) {
    while (*text == ' ' || *text == '\t') text++;
    size_t n = strlen(text);
    while (n > 0 && (unsigned char)text[n - 1] <= ' ') n--;
    text[n] = '\0';
    return text;
}

/* Whether "[default]", "[name]" or "[profile name]" is the profile's. */
static bool is_section_of(char *line, const char *profile) {
    char *end = strchr(line, ']');
    if (end != NULL) *end = '\0';
    const char *name = trim(line + 1);
    if (strncmp(name, "profile ", 8) == 0) name += 8;
    return strcmp(name, profile) == 0;
}

/* A value of the profile in a file of [sections] with "name = value". */
static bool read_profile(const char *path, const char *name, char *value, size_t size) {
    const char *profile = bm_cloud_environment("AWS_PROFILE");
    char line[LINE];
    bool is_within = false;
    bool is_found = false;
    FILE *file = bm_open_stream(path);
    if (file == NULL) return false;
    while (!is_found && fgets(line, sizeof line, file) != NULL) {
        char *equals = strchr(line, '=');
        if (line[0] == '[') {
            is_within = is_section_of(line, profile == NULL ? "default" : profile);
        } else if (is_within && equals != NULL && line[0] != '#' && line[0] != ';' && line[0] != ' ') {
            *equals = '\0';
            is_found = strcmp(trim(line), name) == 0 && bm_cloud_copy_text(value, size, trim(equals + 1));
        }
    }
    (void)fclose(file);
    explicit_bzero(line, sizeof line);
    return is_found && value[0] != '\0';
}

static bool profile_value(const char *name, char *value, size_t size) {
    static const char *const variables[] = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"};
    static const char *const files[] = {"/.aws/credentials", "/.aws/config"};
    const char *home = bm_cloud_environment("HOME");
    value[0] = '\0';
    for (size_t i = 0; i < 2; i++) {
        char path[FILE_NAME];
        struct bm_cloud_text text = bm_cloud_text_in(path, sizeof path);
        const char *named = bm_cloud_environment(variables[i]);
        if (named == NULL && home == NULL) continue;
        bm_cloud_text_format(&text, "%s%s", named != NULL ? named : home, named != NULL ? "" : files[i]);
        if (!text.is_cut && read_profile(path, name, value, size)) return true;
    }
    return false;
}

bool bm_cloud_aws_region(char *region, size_t size) {
    const char *named = bm_cloud_environment("AWS_REGION");
    if (named == NULL) named = bm_cloud_environment("AWS_DEFAULT_REGION");
    bool is_named = named != NULL || profile_value("region", region, size);
    if (!is_named) named = "us-east-1";
    bool fits = named == NULL || bm_cloud_copy_text(region, size, named);
    size_t n = strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return fits && n > 0 && region[n] == '\0';
}

const char *bm_cloud_aws_endpoint(void) {
    const char *endpoint = bm_cloud_environment("AWS_ENDPOINT_URL_S3");
    return endpoint != NULL ? endpoint : bm_cloud_environment("AWS_ENDPOINT_URL");
}

/* --- keys that are there ------------------------------------------------------------------------- */

static bool set_keys(struct bm_cloud_credential *credential, const char *id, const char *secret,
                     const char *token) {
    if (!bm_cloud_copy_text(credential->id, sizeof credential->id, id) ||
        !bm_cloud_copy_text(credential->secret, sizeof credential->secret, secret) ||
        !bm_cloud_copy_text(credential->token, sizeof credential->token, token == NULL ? "" : token))
        return false;
    credential->kind = BM_CREDENTIAL_AWS;
    return true;
}

static bool find_in_environment(struct bm_cloud_credential *credential) {
    const char *id = bm_cloud_environment("AWS_ACCESS_KEY_ID");
    const char *secret = bm_cloud_environment("AWS_SECRET_ACCESS_KEY");
    if (id == NULL || secret == NULL) return false;
    credential->from = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN";
    return set_keys(credential, id, secret, bm_cloud_environment("AWS_SESSION_TOKEN"));
}

static bool find_in_profile(struct bm_cloud_credential *credential) {
    if (!profile_value("aws_access_key_id", credential->id, sizeof credential->id) ||
        !profile_value("aws_secret_access_key", credential->secret, sizeof credential->secret))
        return false;
    (void)profile_value("aws_session_token", credential->token, sizeof credential->token);
    credential->from = "the profile in AWS's files";
    credential->kind = BM_CREDENTIAL_AWS;
    return true;
}

/* --- servers ------------------------------------------------------------------------------------- */

/* Requests a role's keys with a token that identifies the workload. */
static enum blastmerge_status find_web_identity(struct bm_cloud *cloud,
                                                const struct bm_cloud_location *location,
                                                struct bm_cloud_credential *credential,
                                                struct blastmerge_error *error) {
    const char *file = bm_cloud_environment("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = bm_cloud_environment("AWS_ROLE_ARN");
    const char *session = bm_cloud_environment("AWS_ROLE_SESSION_NAME");
    const char *endpoint = bm_cloud_environment("AWS_ENDPOINT_URL_STS");
    char token[8192];
    char body[12288];
    char url[BM_LOCATION_ORIGIN];
    char answer[ANSWER];
    char when[64];
    if (file == NULL || role == NULL) return BLASTMERGE_OK;
    if (!bm_cloud_read_small_file(file, token, sizeof token))
        return bm_fail(error, BLASTMERGE_DENIED, "cannot read the file of AWS_WEB_IDENTITY_TOKEN_FILE");
    enum blastmerge_status status =
        bm_cloud_check_secret(token, "the file of AWS_WEB_IDENTITY_TOKEN_FILE", error);
    if (status != BLASTMERGE_OK) return status;
    struct bm_cloud_text text = bm_cloud_text_in(url, sizeof url);
    if (endpoint != NULL) {
        bm_cloud_text_add(&text, endpoint);
    } else {
        bm_cloud_text_format(&text, "https://sts.%s.amazonaws.com/", location->region);
    }
    if (text.is_cut) return bm_fail(error, BLASTMERGE_USAGE, "AWS_ENDPOINT_URL_STS is too long");
    text = bm_cloud_text_in(body, sizeof body);
    bm_cloud_text_add(&text, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
    bm_cloud_text_encode(&text, role, strlen(role), false);
    bm_cloud_text_add(&text, "&RoleSessionName=");
    bm_cloud_text_add(&text, session == NULL ? "blastmerge" : session);
    bm_cloud_text_add(&text, "&WebIdentityToken=");
    bm_cloud_text_encode(&text, token, strlen(token), false);
    struct bm_cloud_ask ask = {.method = "POST",
                               .url = url,
                               .setting = endpoint != NULL ? "AWS_ENDPOINT_URL_STS" : "the region",
                               .header = "Content-Type",
                               .value = "application/x-www-form-urlencoded",
                               .body = body,
                               .answer = answer,
                               .size = sizeof answer};
    if (text.is_cut) return bm_fail(error, BLASTMERGE_DENIED, "the web identity is too long");
    status = bm_cloud_credential_ask(cloud, &ask, error);
    explicit_bzero(token, sizeof token);
    explicit_bzero(body, sizeof body);
    if (status != BLASTMERGE_OK) return status;
    size_t n = strlen(answer);
    bool is_whole =
        bm_cloud_xml_find(answer, n, "AccessKeyId", credential->id, sizeof credential->id) &&
        bm_cloud_xml_find(answer, n, "SecretAccessKey", credential->secret, sizeof credential->secret) &&
        bm_cloud_xml_find(answer, n, "SessionToken", credential->token, sizeof credential->token);
    if (bm_cloud_xml_find(answer, n, "Expiration", when, sizeof when))
        credential->expires = bm_cloud_parse_time(when);
    explicit_bzero(answer, sizeof answer);
    if (!is_whole)
        return bm_fail(error, BLASTMERGE_DENIED, "the exchange of the web identity returned no keys");
    if (credential->expires < 0) credential->expires = 0;
    credential->kind = BM_CREDENTIAL_AWS;
    return BLASTMERGE_OK;
}

/* {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": ...}, of containers and machines
 * alike. */
static enum blastmerge_status take_keys(struct bm_cloud *cloud, struct bm_cloud_ask ask,
                                        struct bm_cloud_credential *credential,
                                        struct blastmerge_error *error) {
    char answer[ANSWER];
    char when[64];
    ask.answer = answer;
    ask.size = sizeof answer;
    enum blastmerge_status status = bm_cloud_credential_ask(cloud, &ask, error);
    if (status != BLASTMERGE_OK) return status;
    bool is_whole =
        bm_cloud_json_string(answer, "AccessKeyId", credential->id, sizeof credential->id) &&
        bm_cloud_json_string(answer, "SecretAccessKey", credential->secret, sizeof credential->secret);
    (void)bm_cloud_json_string(answer, "Token", credential->token, sizeof credential->token);
    if (bm_cloud_json_string(answer, "Expiration", when, sizeof when))
        credential->expires = bm_cloud_parse_time(when);
    explicit_bzero(answer, sizeof answer);
    if (!is_whole) return bm_fail(error, BLASTMERGE_DENIED, "the credentials' server returned no keys");
    if (credential->expires < 0) credential->expires = 0;
    credential->kind = BM_CREDENTIAL_AWS;
    return BLASTMERGE_OK;
}

static enum blastmerge_status find_container(struct bm_cloud *cloud, struct bm_cloud_credential *credential,
                                             struct blastmerge_error *error) {
    const char *full = bm_cloud_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *relative = bm_cloud_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *token = bm_cloud_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const char *file = bm_cloud_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token_from = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    char url_data[1024];
    char token_data[BM_REQUEST_HEADERS];
    if (full == NULL && relative == NULL) return BLASTMERGE_OK;
    struct bm_cloud_text url = bm_cloud_text_in(url_data, sizeof url_data);
    if (relative != NULL && relative[0] != '/')
        return bm_fail(
            error, BLASTMERGE_USAGE,
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path: a '/' was expected at its beginning");
    bm_cloud_text_format(&url, "%s%s", relative != NULL ? "http://169.254.170.2" : "",
                         relative != NULL ? relative : full);
    if (file != NULL) {
        if (!bm_cloud_read_small_file(file, token_data, sizeof token_data))
            return bm_fail(error, BLASTMERGE_DENIED,
                           "cannot read the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        token = token_data;
        token_from = "the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    }
    struct bm_cloud_ask ask = {.method = "GET",
                               .url = url_data,
                               .setting = relative != NULL ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
                                                           : "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                               .near = BM_NEAR_AWS,
                               .body = ""};
    if (token != NULL) ask.header = "Authorization", ask.value = token, ask.value_from = token_from;
    if (url.is_cut) return bm_fail(error, BLASTMERGE_USAGE, "%s is too long", ask.setting);
    enum blastmerge_status status = take_keys(cloud, ask, credential, error);
    explicit_bzero(token_data, sizeof token_data);
    return status;
}

/* A session token, the role's name, its keys. Where there is no such server nothing was found. */
static enum blastmerge_status find_machine(struct bm_cloud *cloud, struct bm_cloud_credential *credential,
                                           struct blastmerge_error *error) {
    const char *host = bm_cloud_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *disabled = bm_cloud_environment("AWS_EC2_METADATA_DISABLED");
    static const char path[] = "/latest/meta-data/iam/security-credentials/";
    char url_data[1024];
    char token[512];
    char role[256];
    struct bm_cloud_url parts;
    if (disabled != NULL && strcasecmp(disabled, "true") == 0) return BLASTMERGE_OK;
    if (host == NULL) host = "http://169.254.169.254";
    enum blastmerge_status status =
        bm_cloud_url_parse_safe(&parts, host, BM_NEAR_AWS, "AWS_EC2_METADATA_SERVICE_ENDPOINT", error);
    if (status != BLASTMERGE_OK) return status;
    struct bm_cloud_text url = bm_cloud_text_in(url_data, sizeof url_data);
    bm_cloud_text_format(&url, "%s/latest/api/token", parts.origin);
    struct bm_cloud_ask ask = {.method = "PUT",
                               .url = url_data,
                               .setting = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                               .near = BM_NEAR_AWS,
                               .header = "X-aws-ec2-metadata-token-ttl-seconds",
                               .value = "21600",
                               .body = "",
                               .answer = token,
                               .size = sizeof token,
                               .is_impatient = true};
    status = bm_cloud_credential_ask(cloud, &ask, error);
    if (status == BLASTMERGE_OK) {
        status = bm_cloud_check_secret(token, "the answer of the credentials' server", error);
        if (status != BLASTMERGE_OK) return status;
        url = bm_cloud_text_in(url_data, sizeof url_data);
        bm_cloud_text_format(&url, "%s%s", parts.origin, path);
        ask.method = "GET";
        ask.header = "X-aws-ec2-metadata-token";
        ask.value = token;
        ask.answer = role;
        ask.size = sizeof role;
        status = bm_cloud_credential_ask(cloud, &ask, error);
    }
    if (status == BLASTMERGE_OK) {
        role[strcspn(role, "\r\n")] = '\0';
        bm_cloud_text_encode(&url, role, strlen(role), false);
        status = take_keys(cloud, ask, credential, error);
    }
    bool is_absent = status != BLASTMERGE_CANCELLED && status != BLASTMERGE_NO_MEMORY;
    return status != BLASTMERGE_OK && is_absent ? BLASTMERGE_OK : status;
}

enum blastmerge_status bm_cloud_credential_find_aws(struct bm_cloud *cloud,
                                                    const struct bm_cloud_location *location,
                                                    struct bm_cloud_credential *credential,
                                                    struct blastmerge_error *error) {
    if (find_in_environment(credential)) return BLASTMERGE_OK;
    enum blastmerge_status status = find_web_identity(cloud, location, credential, error);
    if (status != BLASTMERGE_OK || credential->kind != BM_CREDENTIAL_NONE) return status;
    if (find_in_profile(credential)) return BLASTMERGE_OK;
    credential->id[0] = credential->secret[0] = credential->token[0] = '\0';
    status = find_container(cloud, credential, error);
    if (status == BLASTMERGE_OK && credential->kind == BM_CREDENTIAL_NONE)
        status = find_machine(cloud, credential, error);
    return status;
}

#endif
