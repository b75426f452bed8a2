/* SPDX-License-Identifier: MIT */
/*
 * store/folder.h - the folder of a file, as a descriptor, and the temporary names in it.
 *
 * All calls use names inside the folder. So paths of any length that the system accepts can be used, and a
 * folder that is moved in the meantime stays the same one.
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

/* The last component of a path, as a pointer into the path. */
const char *bm_store_folder_base(const char *path);

/* The folder of a path, as a path: "." for one without a slash. It fits a buffer that the path fits. */
void bm_store_folder_of(const char *path, char *folder);

/* Opens the folder of the path. 0 or an errno value. */
int bm_store_folder_open(struct bm_store_folder *folder, const char *path) BM_CHECK_RESULT;

/* Has no effect on a folder that is not open. */
void bm_store_folder_close(struct bm_store_folder *folder);

/* Makes names that were added to or removed from the folder durable. 0 or an errno value; also 0 if a folder
 * cannot be synced. */
int bm_store_folder_sync(const struct bm_store_folder *folder) BM_CHECK_RESULT;

/* A temporary name for the file `base`, different at each call. */
void bm_store_folder_name_temporary(const char *base, char temporary[BM_FOLDER_TEMPORARY]);

/* Removes the temporary files for `base` that killed runs left: those without a lock. While the target itself
 * is locked, by a run that has given it its name and may yet undo that, none is removed. Failures here are
 * ignored. */
void bm_store_folder_remove_left_overs(const struct bm_store_folder *folder, const char *base);

/* Replaces a symbolic link's path by its target; `path` has `size` bytes. 0 or an errno value. */
int bm_store_folder_follow(char *path, size_t size) BM_CHECK_RESULT;

#endif
