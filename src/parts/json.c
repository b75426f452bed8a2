/* SPDX-License-Identifier: MIT */
/*
 * Numbers of 64 bits do not all fit JSON as jansson reads it, whose integers are signed: a larger one is written as a string
 * of digits. Bytes that are no UTF-8, or hold a NUL, are an object with base64.
 */
#include "base/utf8.h"
#include "cloud/text.h"
#include "format/format.h"
#include "parts/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- writing ------------------------------------------------------------------------------------- */

json_t *bm_parts_json_number(uint64_t value) {
    char digits[24];
    if (value <= INT64_MAX) return json_integer((json_int_t)value);
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    return json_string(digits);
}

json_t *bm_parts_json_hex(uint64_t value, int n_digits) {
    char digits[24];
    snprintf(digits, sizeof digits, "%0*" PRIx64, n_digits, value);
    return json_string(digits);
}

json_t *bm_parts_json_bytes(struct bm_memory *memory, const char *bytes, size_t n) {
    json_t *plain = memchr(bytes, '\0', n) == NULL ? json_stringn(bytes, n) : NULL;
    if (plain != NULL) return plain; /* jansson accepts UTF-8 alone */
    size_t size = n / 3 * 4 + 8;
    char *encoded = bm_allocate(memory, size);
    if (encoded == NULL) return NULL;
    struct bm_cloud_text text = bm_cloud_text_in(encoded, size);
    bm_cloud_text_base64(&text, (const uint8_t *)bytes, n);
    json_t *object = text.is_cut ? NULL : json_pack("{s:s}", "base64", encoded);
    bm_release(memory, encoded);
    return object;
}

json_t *bm_parts_json_word(const char *words, unsigned i) {
    for (; i > 0; i--) words += strcspn(words, "|") + 1;
    return json_stringn(words, strcspn(words, "|"));
}

/* --- reading ------------------------------------------------------------------------------------- */

struct bm_parts_object bm_parts_json_begin(const json_t *object) {
    return (struct bm_parts_object){.object = object, .wrong = json_is_object(object) ? NULL : "an object"};
}

static void refuse(struct bm_parts_object *object, const char *name) {
    if (object->wrong == NULL) object->wrong = name;
}

bool bm_parts_json_end(const struct bm_parts_object *object) {
    return object->wrong == NULL && json_object_size(object->object) == object->n_taken;
}

const json_t *bm_parts_json_take(struct bm_parts_object *object, const char *name) {
    const json_t *value = object->wrong == NULL ? json_object_get(object->object, name) : NULL;
    if (value == NULL) refuse(object, name);
    object->n_taken += value != NULL;
    return value;
}

/* Digits of a number beyond INT64_MAX. */
static bool parse_large(const char *digits, uint64_t *number) {
    *number = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++) {
        if (__builtin_mul_overflow(*number, (uint64_t)10, number) ||
            !bm_add(number, (uint64_t)(*digits - '0')))
            return false;
    }
    return *digits == '\0' && *number > INT64_MAX;
}

uint64_t bm_parts_json_take_number(struct bm_parts_object *object, const char *name, uint64_t most) {
    const json_t *value = bm_parts_json_take(object, name);
    uint64_t number = 0;
    bool is_number = false;
    if (json_is_integer(value)) {
        number = (uint64_t)json_integer_value(value);
        is_number = json_integer_value(value) >= 0;
    } else if (json_is_string(value)) {
        is_number = parse_large(json_string_value(value), &number);
    }
    if (is_number && number <= most) return number;
    refuse(object, name);
    return 0;
}

uint64_t bm_parts_json_take_hex(struct bm_parts_object *object, const char *name, int n_digits) {
    static const char digits[] = "0123456789abcdef";
    const char *string = json_string_value(bm_parts_json_take(object, name));
    uint64_t value = 0;
    if (string == NULL || strlen(string) != (size_t)n_digits) {
        refuse(object, name);
        return 0;
    }
    for (; *string != '\0'; string++) {
        const char *digit = strchr(digits, *string);
        if (digit == NULL) {
            refuse(object, name);
            return 0;
        }
        value = value << 4 | (uint64_t)(digit - digits);
    }
    return value;
}

bool bm_parts_json_take_flag(struct bm_parts_object *object, const char *name) {
    const json_t *value = bm_parts_json_take(object, name);
    if (!json_is_boolean(value)) refuse(object, name);
    return json_is_true(value);
}

unsigned bm_parts_json_take_word(struct bm_parts_object *object, const char *name, const char *words) {
    const char *string = json_string_value(bm_parts_json_take(object, name));
    size_t n = string == NULL ? 0 : strlen(string);
    for (unsigned i = 0; n > 0; i++) {
        size_t n_word = strcspn(words, "|");
        if (n_word == n && memcmp(words, string, n) == 0) return i;
        if (words[n_word] == '\0') break;
        words += n_word + 1;
    }
    refuse(object, name);
    return 0;
}

enum blastmerge_format bm_parts_json_take_format(struct bm_parts_object *object, const char *name) {
    const char *string = json_string_value(bm_parts_json_take(object, name));
    enum blastmerge_format format = BLASTMERGE_FORMAT_AUTO;
    if (string == NULL || !bm_format_find(string, &format)) refuse(object, name);
    return format;
}

size_t bm_parts_json_take_bytes(struct bm_parts_object *object, const char *name, char *bytes, size_t size) {
    const json_t *value = bm_parts_json_take(object, name);
    size_t n = 0;
    bytes[0] = '\0';
    if (json_is_string(value)) {
        n = json_string_length(value);
        if (n < size && memchr(json_string_value(value), '\0', n) == NULL) {
            memcpy(bytes, json_string_value(value), n + 1);
            return n;
        }
    } else if (json_is_object(value) && json_object_size(value) == 1) {
        const char *encoded = json_string_value(json_object_get(value, "base64"));
        if (encoded != NULL && bm_cloud_base64_decode(encoded, (uint8_t *)bytes, size - 1, &n)) {
            bytes[n] = '\0';
            return n;
        }
    }
    bytes[0] = '\0';
    refuse(object, name);
    return 0;
}

const char *bm_parts_json_take_string(struct bm_parts_object *object, const char *name, struct bm_pool *pool,
                                      struct bm_memory *memory) {
    enum { MOST = 65536 };
    char *bytes = bm_allocate(memory, MOST);
    if (bytes == NULL) return NULL;
    size_t n = bm_parts_json_take_bytes(object, name, bytes, MOST);
    if (strlen(bytes) != n) refuse(object, name);
    const char *copy = object->wrong == NULL ? bm_pool_copy(pool, memory, bytes) : "";
    bm_release(memory, bytes);
    return copy;
}
