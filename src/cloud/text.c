/* SPDX-License-Identifier: MIT */
#include "cloud/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct bm_cloud_text bm_cloud_text_in(char *data, size_t size) {
    data[0] = '\0';
    return (struct bm_cloud_text){data, size, 0, false};
}

void bm_cloud_text_add_bytes(struct bm_cloud_text *text, const char *bytes, size_t n_bytes) {
    if (n_bytes >= text->size - text->n) {
        text->is_cut = true;
        return;
    }
    memcpy(text->data + text->n, bytes, n_bytes);
    text->n += n_bytes;
    text->data[text->n] = '\0';
}

void bm_cloud_text_add(struct bm_cloud_text *text, const char *string) {
    bm_cloud_text_add_bytes(text, string, strlen(string));
}

void bm_cloud_text_format(struct bm_cloud_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->data + text->n, text->size - text->n, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= text->size - text->n) {
        text->data[text->n] = '\0';
        text->is_cut = true;
    } else {
        text->n += (size_t)n;
    }
}

void bm_cloud_text_header(struct bm_cloud_text *text, const char *name, const char *kind, const char *value) {
    for (const char *c = value; *c != '\0'; c++) {
        if (bm_cloud_is_control(*c)) {
            text->is_cut = true;
            return;
        }
    }
    bm_cloud_text_format(text, "%s: %s%s\n", name, kind, value);
}

static bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void bm_cloud_text_encode(struct bm_cloud_text *text, const char *bytes, size_t n_bytes, bool keeps_slash) {
    for (size_t i = 0; i < n_bytes; i++) {
        if (is_unreserved(bytes[i]) || (keeps_slash && bytes[i] == '/')) {
            bm_cloud_text_add_bytes(text, bytes + i, 1);
        } else {
            bm_cloud_text_format(text, "%%%02X", (unsigned char)bytes[i]);
        }
    }
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void bm_cloud_text_decode(struct bm_cloud_text *text, const char *bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++) {
        bool has_two = bytes[i] == '%' && i + 2 < n_bytes;
        int high = has_two ? hex_value(bytes[i + 1]) : -1;
        int low = has_two ? hex_value(bytes[i + 2]) : -1;
        uint8_t byte = (uint8_t)bytes[i];
        if (high >= 0 && low >= 0) {
            byte = (uint8_t)(high << 4 | low);
            i += 2;
        }
        bm_cloud_text_add_bytes(text, (const char *)&byte, 1);
    }
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void bm_cloud_text_base64(struct bm_cloud_text *text, const uint8_t *bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        if (i + 1 < n_bytes) bits |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < n_bytes) bits |= bytes[i + 2];
        char four[4] = {base64_letters[bits >> 18], base64_letters[bits >> 12 & 63], '=', '='};
        if (i + 1 < n_bytes) four[2] = base64_letters[bits >> 6 & 63];
        if (i + 2 < n_bytes) four[3] = base64_letters[bits & 63];
        bm_cloud_text_add_bytes(text, four, sizeof four);
    }
}

void bm_cloud_text_hex(struct bm_cloud_text *text, const uint8_t *bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++) bm_cloud_text_format(text, "%02x", bytes[i]);
}

bool bm_cloud_base64_decode(const char *string, uint8_t *bytes, size_t size, size_t *n_bytes) {
    uint32_t bits = 0;
    unsigned n_bits = 0;
    *n_bytes = 0;
    for (; *string != '\0' && *string != '='; string++) {
        const char *place = strchr(base64_letters, *string);
        if (place == NULL || *n_bytes > size) return false;
        bits = bits << 6 | (uint32_t)(place - base64_letters);
        n_bits += 6;
        if (n_bits < 8) continue;
        n_bits -= 8;
        if (*n_bytes == size) return false;
        bytes[(*n_bytes)++] = (uint8_t)(bits >> n_bits);
    }
    while (*string == '=') string++;
    return *string == '\0';
}

bool bm_cloud_copy_bytes(char *place, size_t size, const char *bytes, size_t n_bytes) {
    bool fits = n_bytes < size;
    if (fits) memcpy(place, bytes, n_bytes);
    place[fits ? n_bytes : 0] = '\0';
    return fits;
}

bool bm_cloud_copy_text(char *place, size_t size, const char *string) {
    return bm_cloud_copy_bytes(place, size, string, strlen(string));
}

char bm_cloud_lower(char c) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    if (c < 'A' || c > 'Z') return c;
    return letters[c - 'A'];
}

bool bm_cloud_is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

bool bm_cloud_is_same_word(const char *a, size_t n_a, const char *b) {
    return strlen(b) == n_a && strncasecmp(a, b, n_a) == 0;
}

const char *bm_cloud_find_header(const char *headers, const char *name, size_t *n_value) {
    size_t n_name = strlen(name);
    for (const char *line = headers; *line != '\0';) {
        size_t n_line = strcspn(line, "\n");
        if (n_line >= n_name + 2 && strncasecmp(line, name, n_name) == 0 && line[n_name] == ':') {
            *n_value = n_line - n_name - 2;
            return line + n_name + 2;
        }
        line += n_line + (line[n_line] == '\n');
    }
    *n_value = 0;
    return NULL;
}

/* The locale is the caller's, so that strptime() cannot be trusted with English names. */
static int month_of(const char *name) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (strncmp(months + 3 * (size_t)i, name, 3) == 0) return i;
    }
    return -1;
}

/* Takes a number of so many digits and the character behind it; -1 if they are not there. */
static int take_digits(const char **string, size_t n_digits, char behind) {
    int value = 0;
    for (; n_digits > 0; n_digits--, (*string)++) {
        if (**string < '0' || **string > '9') return -1;
        value = value * 10 + (**string - '0');
    }
    if (**string != behind) return -1;
    if (behind != '\0') (*string)++;
    return value;
}

/* "08:49:37". */
static bool take_clock(const char **string, char behind, struct tm *time) {
    time->tm_hour = take_digits(string, 2, ':');
    if (time->tm_hour >= 0) time->tm_min = take_digits(string, 2, ':');
    if (time->tm_hour >= 0 && time->tm_min >= 0) time->tm_sec = take_digits(string, 2, behind);
    return time->tm_hour >= 0 && time->tm_min >= 0 && time->tm_sec >= 0;
}

/* "1994-11-06T08:49:37Z"; text after the seconds, such as a fraction, does not count. */
static bool parse_iso(const char *string, struct tm *time) {
    time->tm_year = take_digits(&string, 4, '-');
    if (time->tm_year < 0) return false;
    time->tm_mon = take_digits(&string, 2, '-') - 1;
    if (time->tm_mon < 0) return false;
    time->tm_mday = take_digits(&string, 2, 'T');
    size_t n_clock = strcspn(string, ".Z+");
    return time->tm_mday > 0 && n_clock == 8 && take_clock(&string, string[n_clock], time);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT". */
static bool parse_http(const char *string, struct tm *time) {
    if (strlen(string) < 25 || string[3] != ',' || string[4] != ' ') return false;
    string += 5;
    time->tm_mday = take_digits(&string, 2, ' ');
    if (time->tm_mday < 0) return false;
    time->tm_mon = month_of(string);
    string += 4;
    if (time->tm_mon < 0) return false;
    time->tm_year = take_digits(&string, 4, ' ');
    return time->tm_year >= 0 && take_clock(&string, ' ', time);
}

int64_t bm_cloud_parse_time(const char *string) {
    struct tm time = {0};
    if (!parse_iso(string, &time)) {
        memset(&time, 0, sizeof time);
        if (!parse_http(string, &time)) return -1;
    }
    if (time.tm_mon > 11) return -1;
    time.tm_year -= 1900;
    return (int64_t)timegm(&time);
}

bool bm_cloud_parse_count(const char *string, size_t n_bytes, uint64_t *value) {
    *value = 0;
    if (n_bytes == 0 || n_bytes > 18) return false;
    for (size_t i = 0; i < n_bytes; i++) {
        if (string[i] < '0' || string[i] > '9') return false;
        *value = *value * 10 + (uint64_t)(string[i] - '0');
    }
    return true;
}
