/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a capture puts what it reads.  The capture owns this interface; the image writer implements
 * it (image/writer.c), tests implement it with a plain array.
 *
 * A *slot* is the piece of the drive that the sink keeps together (a run of the image): slot k
 * begins at LBA k × slot_blocks.  Sectors are read straight into the sink's buffer:
 *
 *     p = reserve(lba, n)  ->  READ into p  ->  commit(lba, n)     the read was good
 *                                           ->  nothing             it was not
 *                              release(lba, n)
 *
 * Several places may be reserved at once, so that several READs are under way.  A slot goes on its
 * way into the file when nothing in it is reserved and a place in another slot was reserved later;
 * that may block until buffers are free.  All calls come from one thread; only the READs themselves
 * may fill reserved room in others.
 */
#ifndef UMS_CAPTURE_SINK_H
#define UMS_CAPTURE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"

struct capture_sink;

struct capture_sink_ops {
	/*
	 * Room for sectors LBA … LBA+N-1, all in one slot, valid until release() of that place.
	 * Places that are reserved at the same time do not overlap and lie in at most `most_open`
	 * slots.  The room's bytes are undefined.  NULL and ERR when the sink has failed
	 * (ERR_NO_SPACE: disk full, …); then nothing is to be released.
	 */
	void *(*reserve)(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err);

	/*
	 * Sectors that lie in one reserved place hold what the drive has: all of the place, the
	 * first ones, or parts in ascending order by several calls.  Their bytes do not change from
	 * then on.  STATE is BLOCK_GOOD or BLOCK_RECOVERED, WHY may be NULL.  Updates the map.
	 * In a sink that is in order, LBA never goes back.
	 */
	int (*commit)(struct capture_sink *sink, uint64_t lba, uint32_t n, enum block_state state,
		const struct block_reason *why, struct err *err);

	/* The room that reserve(LBA, N) gave is not used any more, whether it was committed or not.
	 * Once for each reserve() that succeeded, after failures of other calls too. */
	int (*release)(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err);

	/* Says something else of sectors (skipped, failed, bad; untried when that is taken back
	 * because the drive had died).  Updates the map. */
	int (*mark)(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
		const struct block_reason *why, struct err *err);

	/* A line of the journal: one JSON object without its newline. */
	int (*journal)(struct capture_sink *sink, const char *json, struct err *err);

	/* A named piece of the drive's testimony; a later one of the same name replaces it. */
	int (*blob)(struct capture_sink *sink, const char *name, const void *bytes, size_t len,
		struct err *err);

	/*
	 * Begins to make durable, in the background, what is in the file; PASS and POSITION (LBA)
	 * say where the capture is.  ALL: what was committed in slots that are still being filled
	 * goes into the file first.  Without ALL such a slot is waited for, and the call does
	 * nothing while an earlier checkpoint is under way: it is asked for again later.  With ALL
	 * the new one follows the one that is under way.
	 */
	int (*checkpoint)(struct capture_sink *sink, uint32_t pass, uint64_t position, bool all,
		struct err *err);

	/* Is a checkpoint that was begun not yet ended (well or not)?  An interval between
	 * checkpoints is counted from the end of one. */
	bool (*under_way)(struct capture_sink *sink);

	/* Reads back sectors that the map calls good, from an earlier session or this one, into
	 * DATA.  Reserved places stay reserved. */
	int (*read_back)(
		struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err);
};

/* Every implementation's struct begins with this one. */
struct capture_sink {
	const struct capture_sink_ops *ops;
	const struct blockmap *map; /* the sink's; changes with commit and mark */
	uint32_t block_bytes;
	uint32_t slot_blocks;
	unsigned int most_open; /* slots in which places may be reserved at once; at least 1 */
	bool in_order;		/* a pipe: ascending order only, nothing can be added later */
};

#endif
