/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every part of a running capture needs to know of its surroundings.  Fixed while it runs; not
 * for callers of the room.  The parts stand on each other in this order, and only ever call down:
 *
 *     capture.c                          the run: passes in order, begin and end
 *     passes.c isolate.c                 which sectors next
 *     reading.c failure.c                one READ, with all that may come between; into the sink
 *     lost.c health.c                    a drive that has gone, or does not read any more
 *     keep.c                             when the sink makes things durable; who else writes
 *     identity.c medium.c testimony.c    which drive, which medium, what it says of itself
 *     ahead.c plain.c judge.c pace.c     READs, and what their replies mean
 *     journal.c progress.c               the observers of the room itself
 *     source.c                           the part asked for, the end, notices
 *
 * (tests/cli/test-layers.sh reads this list.)
 *
 * Functions return 0 to go on and -1 when the session ends; source_end() has said how then.
 */
#ifndef UMS_CAPTURE_SOURCE_H
#define UMS_CAPTURE_SOURCE_H

#include "base/blockmap.h"
#include "capture/capture.h"

#define SOURCE_OBSERVERS 3

struct source {
	struct device *device;
	struct capture_sink *sink;
	const struct capture_options *options;
	uint64_t begin, end; /* LBAs of the part asked for */
	uint32_t block_bytes;
	unsigned int timeout_ms;
	uint8_t *block; /* room for one sector that is not for the sink */
	struct capture_observer observer[SOURCE_OBSERVERS];
	unsigned int n_observers;

	enum capture_end ended; /* valid once something returned -1 */
	struct err *err;	/* and why, for CAPTURE_FAILED; never NULL */
};

/* The session ends as ENDED; returns -1. */
int source_end(struct source *source, enum capture_end ended);

/* Has the user asked to stop? */
static inline bool source_stopped(const struct source *source)
{
	return source->options->stop && *source->options->stop;
}

/* How a message about a lost drive ends. */
const char *source_advice(const struct source *source);

/* The first (last) range at or behind (before) LBA in the part asked for with a state in MASK. */
bool source_next(
	const struct source *source, uint64_t lba, unsigned int mask, struct block_range *range);
bool source_prev(
	const struct source *source, uint64_t lba, unsigned int mask, struct block_range *range);

/* Sectors of the part asked for whose state is in MASK. */
uint64_t source_count(const struct source *source, unsigned int mask);

/* Tells every observer. */
void source_tell(const struct source *source, const struct capture_notice *notice);

/* Tells of something that happened at LBA in one sentence, which is kept to 800 bytes. */
void source_say(const struct source *source, enum capture_notice_kind kind, uint64_t lba,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
