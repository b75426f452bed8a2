/* SPDX-License-Identifier: MIT */
/* store: files appear whole or not at all; left-overs go, neighbours stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[64];
static char path[128];
static struct bm_cancel cancel;
static struct blastmerge_error error;

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/blastmerge-store-XXXXXX");
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/result.gz", folder);
    bm_cancel_init(&cancel);
    return bm_cancel_begin(&cancel, &error) == BLASTMERGE_OK ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    DIR *entries = opendir(folder);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
    bm_cancel_close(&cancel);
    return rmdir(folder);
}

static size_t count_files(void) {
    size_t n = 0;
    DIR *entries = opendir(folder);
    while (readdir(entries) != NULL) n++;
    closedir(entries);
    return n - 2;
}

static void put_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file(const char *name, const char *text) {
    char found[128] = "";
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, sizeof found - 1, file), strlen(text));
    fclose(file);
    assert_string_equal(found, text);
}

static enum blastmerge_status open_store(struct bm_store *store, const char *location, bool is_force) {
    return bm_store_open_location(store, location, is_force, false, &cancel, &error);
}

static void write_new(struct bm_store *store) {
    assert_int_equal(bm_store_write(store, "new", 3, &error), BLASTMERGE_OK);
    assert_int_equal(bm_store_prepare(store, &error), BLASTMERGE_OK);
}

static void test_appears_at_commit_only(void **state) {
    (void)state;
    struct bm_store store;
    struct stat information;
    mode_t mask = umask(027);
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_OK);
    write_new(&store);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(count_files(), 1);
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
    umask(mask);
    assert_file(path, "new");
    assert_int_equal(count_files(), 1);
    assert_int_equal(stat(path, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0640);
    bm_store_discard(&store); /* has ended: does nothing */
    assert_file(path, "new");
}

static void test_discard_leaves_nothing(void **state) {
    (void)state;
    struct bm_store store;
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_OK);
    write_new(&store);
    bm_store_discard(&store);
    assert_int_equal(count_files(), 0);
}

static void test_existing_is_refused_and_kept(void **state) {
    (void)state;
    struct bm_store store;
    put_file(path, "old");
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_EXISTS);
    assert_non_null(strstr(error.message, "--force"));
    bm_store_discard(&store);
    assert_file(path, "old");
    assert_int_equal(count_files(), 1);
}

static void test_force_replaces_and_keeps_permissions(void **state) {
    (void)state;
    struct bm_store store;
    struct stat information;
    put_file(path, "old");
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(open_store(&store, path, true), BLASTMERGE_OK);
    write_new(&store);
    assert_file(path, "old");
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
    assert_file(path, "new");
    assert_int_equal(stat(path, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0604);
    assert_int_equal(count_files(), 1);
}

static void test_the_one_who_comes_second_loses(void **state) {
    (void)state;
    struct bm_store store;
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_OK);
    write_new(&store);
    put_file(path, "other");
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_EXISTS);
    assert_file(path, "other");
    assert_int_equal(count_files(), 1);
}

static void test_left_overs_go_and_neighbours_stay(void **state) {
    (void)state;
    struct bm_store neighbour;
    struct bm_store store;
    char left_over[256];
    char other[256];
    snprintf(left_over, sizeof left_over, "%s/.result.gz.blastmerge-abcdefghijkl", folder);
    snprintf(other, sizeof other, "%s/.result.gz.blastmerge-short", folder);
    put_file(left_over, "half");
    put_file(other, "someone's");
    assert_int_equal(open_store(&neighbour, path, false), BLASTMERGE_OK);
    assert_int_equal(access(left_over, F_OK), -1);
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_OK);
    assert_int_equal(count_files(), 3); /* both temporary files, and the one that is none of ours */
    write_new(&neighbour);
    assert_int_equal(bm_store_commit(&neighbour, &error), BLASTMERGE_OK);
    bm_store_discard(&store);
    assert_file(path, "new");
    assert_file(other, "someone's");
    assert_int_equal(count_files(), 2);
}

/* A neighbour that locks a new temporary file just before its maker would. */
static bool is_neighbour_quick;
static int neighbours_file = -1;
static char neighbours_find[512];

int flock(int file, int operation) {
    if (is_neighbour_quick) {
        is_neighbour_quick = false;
        DIR *entries = opendir(folder);
        for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
            if (strlen(entry->d_name) < 3) continue;
            snprintf(neighbours_find, sizeof neighbours_find, "%s/%s", folder, entry->d_name);
        }
        closedir(entries);
        neighbours_file = open(neighbours_find, O_RDONLY | O_CLOEXEC);
        assert_int_equal(syscall(SYS_flock, neighbours_file, LOCK_EX | LOCK_NB), 0);
    }
    return (int)syscall(SYS_flock, file, operation);
}

static void test_what_a_neighbour_is_about_to_remove_is_not_used(void **state) {
    (void)state;
    struct bm_store store;
    is_neighbour_quick = true;
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_OK);
    assert_false(is_neighbour_quick);
    (void)unlink(neighbours_find);
    close(neighbours_file);
    write_new(&store);
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
    assert_file(path, "new");
    assert_int_equal(count_files(), 1);
}

/* A target that is a FIFO when it is looked at, and a file when it is opened. */
static unsigned n_fifos_seen;
static unsigned n_fifos_left;

int stat(const char *name, struct stat *information) {
    int result = fstatat(AT_FDCWD, name, information, 0);
    if (n_fifos_left == 0 || strcmp(name, path) != 0) return result;
    n_fifos_left--;
    n_fifos_seen++;
    information->st_mode = (information->st_mode & 0777) | S_IFIFO;
    return 0;
}

static void test_what_was_a_fifo_is_not_written_in_place(void **state) {
    (void)state;
    struct bm_store store;
    put_file(path, "old");
    n_fifos_seen = 0;
    n_fifos_left = 1;
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_EXISTS);
    n_fifos_left = 3;
    assert_int_equal(open_store(&store, path, true), BLASTMERGE_OK);
    assert_int_equal(n_fifos_seen, 4);
    assert_false(store.is_stream);
    write_new(&store);
    assert_file(path, "old");
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
    assert_file(path, "new");
    n_fifos_left = 1000000;
    assert_int_equal(open_store(&store, path, true), BLASTMERGE_IO);
    assert_file(path, "new");
    assert_int_equal(unlink(path), 0);
    n_fifos_left = 1; /* it has gone meanwhile */
    assert_int_equal(open_store(&store, path, false), BLASTMERGE_OK);
    write_new(&store);
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
    assert_file(path, "new");
    n_fifos_left = 0;
    assert_int_equal(count_files(), 1);
}

/* What stands for a file system that cannot exchange names. */
static bool cannot_exchange;

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    if (cannot_exchange) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

/* While the report of a run is waited for, say, the file that its result has replaced has no lock. */
static void test_a_replaced_file_is_no_left_over(void **state) {
    (void)state;
    for (int i = 0; i <= 1; i++) {
        struct bm_store store;
        struct bm_store neighbour;
        char left_over[256];
        cannot_exchange = i == 1;
        put_file(path, "old");
        snprintf(left_over, sizeof left_over, "%s/.result.gz.blastmerge-abcdefghijkl", folder);
        assert_int_equal(open_store(&store, path, true), BLASTMERGE_OK);
        write_new(&store);
        assert_int_equal(bm_store_reveal(&store, &error), BLASTMERGE_OK);
        assert_file(path, "new");
        put_file(left_over, "half");
        assert_int_equal(open_store(&neighbour, path, true), BLASTMERGE_OK);
        bm_store_discard(&neighbour);
        assert_true(bm_store_take_back(&store));
        assert_file(path, "old");
        /* Once it is settled, left-overs go. */
        assert_int_equal(open_store(&neighbour, path, true), BLASTMERGE_OK);
        bm_store_discard(&neighbour);
        assert_int_equal(count_files(), 1);
        assert_file(path, "old");
    }
    cannot_exchange = false;
}

/* A run that was killed between a link and the end of the old name leaves the target itself by another name. */
static void test_a_second_name_of_the_target_goes(void **state) {
    (void)state;
    struct bm_store store;
    char left_over[256];
    put_file(path, "old");
    snprintf(left_over, sizeof left_over, "%s/.result.gz.blastmerge-abcdefghijkl", folder);
    assert_int_equal(link(path, left_over), 0);
    assert_int_equal(open_store(&store, path, true), BLASTMERGE_OK);
    bm_store_discard(&store);
    assert_file(path, "old");
    assert_int_equal(count_files(), 1);
}

/* The file that a killed run has replaced is a left-over like others. */
static void test_the_file_that_a_killed_run_replaced(void **state) {
    (void)state;
    struct bm_store store;
    put_file(path, "old");
    assert_int_equal(open_store(&store, path, true), BLASTMERGE_OK);
    write_new(&store);
    assert_int_equal(bm_store_reveal(&store, &error), BLASTMERGE_OK);
    close(store.file); /* as its end would */
    assert_int_equal(count_files(), 2);
    struct bm_store next;
    assert_int_equal(open_store(&next, path, true), BLASTMERGE_OK);
    bm_store_discard(&next);
    assert_file(path, "new");
    assert_int_equal(count_files(), 1);
    bm_store_folder_close(&store.folder);
}

static void test_link_is_followed(void **state) {
    (void)state;
    struct bm_store store;
    char link_path[256];
    struct stat information;
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    put_file(path, "old");
    assert_int_equal(symlink("result.gz", link_path), 0);
    assert_int_equal(open_store(&store, link_path, false), BLASTMERGE_EXISTS);
    assert_int_equal(open_store(&store, link_path, true), BLASTMERGE_OK);
    write_new(&store);
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
    assert_file(path, "new");
    assert_int_equal(lstat(link_path, &information), 0);
    assert_true(S_ISLNK(information.st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_store(&store, link_path, true), BLASTMERGE_NOT_FOUND); /* it points nowhere now */
}

static void test_places_that_cannot_be(void **state) {
    (void)state;
    struct bm_store store;
    char place[256];
    char *too_long = malloc(BM_STORE_PATH + 1);
    assert_non_null(too_long);
    memset(too_long, 'x', BM_STORE_PATH);
    too_long[BM_STORE_PATH] = '\0';
    snprintf(place, sizeof place, "%s/none/result.gz", folder);
    assert_int_equal(open_store(&store, place, false), BLASTMERGE_NOT_FOUND);
    assert_int_equal(open_store(&store, folder, true), BLASTMERGE_IO);
    snprintf(place, sizeof place, "%s/", folder);
    assert_int_equal(open_store(&store, place, false), BLASTMERGE_USAGE);
    assert_int_equal(open_store(&store, too_long, false), BLASTMERGE_IO);
    snprintf(place, sizeof place, "%s/", folder);
    assert_int_equal(count_files(), 0);
    free(too_long);
}

static void test_full_device(void **state) {
    (void)state;
    struct bm_store store;
    assert_int_equal(open_store(&store, "/dev/full", false), BLASTMERGE_OK);
    assert_int_equal(bm_store_write(&store, "new", 3, &error), BLASTMERGE_NO_SPACE);
    assert_non_null(strstr(error.message, "/dev/full"));
    bm_store_discard(&store);
    assert_int_equal(open_store(&store, "/dev/null", false), BLASTMERGE_OK);
    write_new(&store);
    assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
}

static void test_cancel_stops_a_full_pipe(void **state) {
    (void)state;
    struct bm_store store;
    char fifo[256];
    static const char much[1 << 20];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_int_equal(open_store(&store, fifo, false), BLASTMERGE_OK);
    bm_cancel_set(&cancel);
    assert_int_equal(bm_store_write(&store, much, sizeof much, &error), BLASTMERGE_CANCELLED);
    bm_store_discard(&store);
    close(reader);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_appears_at_commit_only),
        IN_FOLDER(test_discard_leaves_nothing),
        IN_FOLDER(test_existing_is_refused_and_kept),
        IN_FOLDER(test_force_replaces_and_keeps_permissions),
        IN_FOLDER(test_the_one_who_comes_second_loses),
        IN_FOLDER(test_left_overs_go_and_neighbours_stay),
        IN_FOLDER(test_what_a_neighbour_is_about_to_remove_is_not_used),
        IN_FOLDER(test_what_was_a_fifo_is_not_written_in_place),
        IN_FOLDER(test_a_replaced_file_is_no_left_over),
        IN_FOLDER(test_the_file_that_a_killed_run_replaced),
        IN_FOLDER(test_a_second_name_of_the_target_goes),
        IN_FOLDER(test_link_is_followed),
        IN_FOLDER(test_places_that_cannot_be),
        IN_FOLDER(test_full_device),
        IN_FOLDER(test_cancel_stops_a_full_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
