/* SPDX-License-Identifier: MIT */
#include "job/sentence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where in the child's text it is; the beginning says nothing. */
static void show_place(const struct blastmerge_error *error, char place[96]) {
    place[0] = '\0';
    if (error->child == BLASTMERGE_NO_CHILD || error->text_offset == BLASTMERGE_NO_OFFSET ||
        error->text_offset == 0)
        return;
    snprintf(place, 96, " (at byte %" PRIu64 " of its text, after %" PRIu64 " whole Iteration%s)",
             error->text_offset, error->n_iterations, error->n_iterations == 1 ? "" : "s");
}

/* The bytes of a reason's verb, if its object is the subject: "cannot open" of "cannot open: Permission denied". Else 0. */
static size_t find_verb(const char *reason) {
    static const char cannot[] = "cannot ";
    if (strncmp(reason, cannot, sizeof cannot - 1) != 0) return 0;
    size_t n_verb = sizeof cannot - 1 + strcspn(reason + sizeof cannot - 1, " :");
    return reason[n_verb] == ' ' ? 0 : n_verb;
}

void bm_job_sentence_compose(struct bm_job_sentence *sentence, struct blastmerge_error *error) {
    const char *subject = sentence->subject != NULL ? sentence->subject : "";
    const char *addition = sentence->addition != NULL ? sentence->addition : "";
    char reason[sizeof error->message], place[96];
    if (sentence->subject == NULL && sentence->addition == NULL) return;
    memcpy(reason, error->message, sizeof reason);
    size_t n_verb = sentence->subject != NULL ? find_verb(reason) : 0;
    const char *space = n_verb > 0 ? " " : "";
    const char *colon = sentence->subject != NULL && n_verb == 0 ? ": " : "";
    *sentence = (struct bm_job_sentence){0};
    show_place(error, place);
    /* The reason is worth more than all of a name, and the end more than all of a reason. */
    size_t n_subject = (size_t)bm_show_length(subject, sizeof reason / 2);
    size_t n_rest = n_verb + strlen(space) + n_subject + strlen(colon) + strlen(place) + strlen(addition);
    int n_reason = bm_show_length(reason + n_verb, sizeof reason - 1 - n_rest);
    (void)bm_fail_anew(error, error->status, "%.*s%s%.*s%s%.*s%s%s", (int)n_verb, reason, space,
                       (int)n_subject, subject, colon, n_reason, reason + n_verb, place, addition);
}
