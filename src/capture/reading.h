/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One READ with all that may come between: sent again where that costs no try, judged, held against
 * the medium, committed to the sink when it was good; waiting for a drive that has gone.  What to
 * read next is decided by those who call this.
 */
#ifndef UMS_CAPTURE_READING_H
#define UMS_CAPTURE_READING_H

#include "capture/ahead.h"
#include "capture/keep.h"
#include "capture/health.h"
#include "capture/judge.h"
#include "capture/lost.h"
#include "capture/medium.h"
#include "capture/pace.h"
#include "capture/source.h"

struct reading {
	struct source *source;
	struct keep *keep;
	struct health health;
	struct lost lost;
	struct medium medium;
	struct ahead *ahead;	    /* NULL: nothing is read ahead */
	uint32_t max_blocks;	    /* of one READ */
	unsigned int good_in_a_row; /* reads */
	struct pace pace;
	bool told_out_of_range;

	uint64_t failed_reads, read_bytes; /* in this session */
	uint32_t resets;
};

int reading_begin(struct reading *reading, struct source *source, struct keep *keep);
void reading_end(struct reading *reading);

/* The most sectors from LBA (ending before END) that one READ into the sink may have. */
uint32_t reading_clip(const struct reading *reading, uint64_t lba, uint64_t n);
uint32_t reading_clip_back(const struct reading *reading, uint64_t end, uint64_t n);

/*
 * Reads N sectors at LBA into the sink.  The verdict is GOOD or RECOVERED (the first judged->n are
 * committed; 0 when the READ must be asked again, smaller), MEDIUM or TROUBLE (nothing is; the
 * caller marks them).
 */
int reading_read(struct reading *reading, uint64_t lba, uint32_t n, struct judged *judged);

/* The pass will read on from LBA to END if all goes well: what may be read ahead is. */
int reading_ahead(struct reading *reading, uint64_t lba, uint64_t end);

/* Marks sectors, so that it can be taken back as long as the drive's health is in doubt. */
int reading_mark(struct reading *reading, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why);

#endif
