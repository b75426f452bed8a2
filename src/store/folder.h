/* SPDX-License-Identifier: MIT */
/*
 * store/folder.h - the folder that a file lies in, as a descriptor, and the temporary names in it.
 *
 * Everything is done by names inside the folder, so that paths of any length that the system takes will do,
 * and a folder that is moved meanwhile stays the one that was meant.
 */
#ifndef BM_STORE_FOLDER_H
#define BM_STORE_FOLDER_H

#include "base/base.h"

/* ".STEM.blastmerge-XXXXXXXXXXXX" */
enum { BM_FOLDER_TEMPORARY = 128 };

struct bm_store_folder {
    int file; /* -1: not open */
    bool can_sync;
};

/* The last component of a path, in it. */
const char *bm_store_folder_base(const char *path);

/* The folder of a path, as a path: "." for one without a slash. It fits where the path fits. */
void bm_store_folder_of(const char *path, char *folder);

/* Opens the folder that the path lies in. 0 or an errno value. */
int bm_store_folder_open(struct bm_store_folder *folder, const char *path) BM_CHECK_RESULT;

/* Fine on one that is not open. */
void bm_store_folder_close(struct bm_store_folder *folder);

/* Makes names that were given or taken in the folder durable. 0 or an errno value; 0, too, where a folder
 * cannot be synced. */
int bm_store_folder_sync(const struct bm_store_folder *folder) BM_CHECK_RESULT;

/* A temporary name for the file `base`, another one at each call. */
void bm_store_folder_name_temporary(const char *base, char temporary[BM_FOLDER_TEMPORARY]);

/* Removes the temporary files for `base` that killed runs left: those that nobody locks. While the target
 * itself is locked, by a run that has given it its name and may yet take that back, none is removed. What
 * fails here is ignored. */
void bm_store_folder_remove_left_overs(const struct bm_store_folder *folder, const char *base);

/* Puts what a symbolic link points to in its place: path has `size` bytes. 0 or an errno value. */
int bm_store_folder_follow(char *path, size_t size) BM_CHECK_RESULT;

#endif
