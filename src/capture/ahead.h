/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READs that are under way before they are asked for: as long as a drive reads well, as many as its
 * transport takes at once, so that it is never idle while we work on what came.  They land in the
 * sink's own buffers.  The passes stay as they are: they ask for one READ after the other and find
 * it done.
 */
#ifndef UMS_CAPTURE_AHEAD_H
#define UMS_CAPTURE_AHEAD_H

#include "capture/source.h"

struct ahead;

/* Room for N sectors at LBA in the sink, reserved and not yet released. */
struct place {
	uint64_t lba;
	uint32_t n;
	void *data; /* NULL: nothing is reserved */
};

/* What came of a READ. */
struct answer {
	struct reply reply;
	struct err err;
	uint64_t took_ns;
};

/* READs of SOURCE's drive into its sink.  NULL and ERR when there is no memory or no thread. */
struct ahead *ahead_new(const struct source *source, struct err *err);

/* As ahead_drain, whose error is of no interest any more, and ends.  NULL is allowed. */
void ahead_free(struct ahead *ahead);

/*
 * Begins READs of the sectors from LBA to END, at most STEP at a time and none over the end of a
 * slot, as far as transport and sink allow; those that are under way already stay.  -1 and ERR when
 * the sink has failed.
 */
int ahead_plan(struct ahead *ahead, uint64_t lba, uint64_t end, uint32_t step, struct err *err);

/*
 * Waits for the oldest READ that was begun, if it is the one of N sectors at LBA: its answer into
 * ANSWER, and its place, which the caller releases, into PLACE.  When it is not, or was not begun
 * because one before it went wrong, all that was planned ends and is forgotten: place->data is
 * NULL then.  -1 and ERR when the sink has failed.
 */
int ahead_take(struct ahead *ahead, uint64_t lba, uint32_t n, struct answer *answer,
	struct place *place, struct err *err);

/* Waits for what is under way and forgets it: the transport is the caller's alone then.  -1 and
 * ERR when the sink has failed. */
int ahead_drain(struct ahead *ahead, struct err *err);

/* Sends one READ of PLACE now, on the caller's thread. */
void ahead_read_now(const struct source *source, const struct place *place, struct answer *answer);

#endif
