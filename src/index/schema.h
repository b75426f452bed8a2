/* SPDX-License-Identifier: MIT */
/*
 * index/schema.h - the tables of an index, which docs/index.md describes. Users read them with SQLite's own tools, so a
 * change that they would notice makes another version, and a reader reads all earlier ones.
 */
#ifndef BM_INDEX_SCHEMA_H
#define BM_INDEX_SCHEMA_H

#include "base/base.h"

#define BM_INDEX_APPLICATION 1112361265 /* "BMI1" */
#define BM_INDEX_VERSION     1

/* Of a row of `iteration`: damage of an index that leads to another Iteration, whose text has the CRC-32 that its own row
 * says. */
uint32_t bm_index_checksum(uint64_t number, uint64_t offset, uint64_t size, uint32_t crc32, const char *id,
                           size_t n_id, const char *name, size_t n_name);

#define BM_INDEX_STRING(text)  #text
#define BM_INDEX_DIGITS(value) BM_INDEX_STRING(value)

/* clang-format off */

/* One writer, and no journal: the file gets its name when it is complete. */
#define BM_INDEX_BEGIN                                                                                       \
    "PRAGMA page_size = 4096;"                                                                               \
    "PRAGMA journal_mode = OFF;"                                                                             \
    "PRAGMA synchronous = OFF;"                                                                              \
    "PRAGMA locking_mode = EXCLUSIVE;"                                                                       \
    "PRAGMA cache_size = -1024;"                                                                             \
    "PRAGMA application_id = " BM_INDEX_DIGITS(BM_INDEX_APPLICATION) ";"                                     \
    "PRAGMA user_version = " BM_INDEX_DIGITS(BM_INDEX_VERSION) ";"                                           \
    "CREATE TABLE file (size INTEGER, tail BLOB, text_size INTEGER, crc32 INTEGER, format TEXT,"             \
    " program TEXT, version TEXT, documents INTEGER, iterations INTEGER, hits INTEGER, hsps INTEGER,"        \
    " made_by TEXT);"                                                                                        \
    "CREATE TABLE frame (header BLOB, joint BLOB, footer BLOB, crc32 INTEGER);"                              \
    "CREATE TABLE iteration (number INTEGER PRIMARY KEY, id TEXT, name TEXT, accession TEXT,"                \
    " length INTEGER, hits INTEGER, hsps INTEGER, evalue REAL, offset INTEGER, size INTEGER, crc32 INTEGER,"                 \
    " checksum INTEGER, definition TEXT);"                                                                   \
    "CREATE TABLE restart (text INTEGER PRIMARY KEY, bit INTEGER, window BLOB);"                             \
    "BEGIN;"

#define BM_INDEX_END                                                                                         \
    "CREATE INDEX iteration_name ON iteration (name) WHERE name IS NOT NULL;"                                \
    "CREATE INDEX iteration_id ON iteration (id) WHERE id IS NOT NULL;"                                      \
    "CREATE INDEX iteration_accession ON iteration (accession) WHERE accession IS NOT NULL;"                 \
    "COMMIT;"

/* clang-format on */

#endif
