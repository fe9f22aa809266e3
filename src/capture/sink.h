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
 *
 * Leaving a slot (reserving in another one) sends it on its way; that may block until buffers are
 * free. All calls come from one thread.
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
	/* Room for sectors LBA … LBA+N-1, all in one slot; valid until the next call of reserve or
	 * checkpoint.  NULL and ERR when the sink has failed (ERR_NO_SPACE: disk full, …). */
	void *(*reserve)(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err);

	/* Sectors of those last reserved are good (all, the first N, or parts in ascending order by
	 * several calls); STATE is BLOCK_GOOD or BLOCK_RECOVERED, WHY may be NULL.  Updates the
	 * map. */
	int (*commit)(struct capture_sink *sink, uint64_t lba, uint32_t n, enum block_state state,
		const struct block_reason *why, struct err *err);

	/* Says something else of sectors (skipped, failed, bad; untried when that is taken back
	 * because the drive had died).  Updates the map. */
	int (*mark)(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
		const struct block_reason *why, struct err *err);

	/* A line of the journal: one JSON object without its newline. */
	int (*journal)(struct capture_sink *sink, const char *json, struct err *err);

	/* A named piece of the drive's testimony; a later one of the same name replaces it. */
	int (*blob)(struct capture_sink *sink, const char *name, const void *bytes, size_t len,
		struct err *err);

	/* Makes everything so far durable, in the background; PASS and POSITION (LBA) say where the
	 * capture is. */
	int (*checkpoint)(
		struct capture_sink *sink, uint32_t pass, uint64_t position, struct err *err);

	/* Reads back sectors that the map calls good, from an earlier session or this one, into
	 * DATA. */
	int (*read_back)(
		struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err);
};

/* Every implementation's struct begins with this one. */
struct capture_sink {
	const struct capture_sink_ops *ops;
	const struct blockmap *map; /* the sink's; changes with commit and mark */
	uint32_t block_bytes;
	uint32_t slot_blocks;
	bool in_order; /* a pipe: ascending order only, nothing can be added later */
};

#endif
