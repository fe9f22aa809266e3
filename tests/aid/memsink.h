/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture sink in memory: a block map and a plain array.  It checks the contract of
 * capture/sink.h; the first breach is written to `broken`.  Each reserved place has a scratch
 * buffer of its own, so that only what is committed reaches the array.
 */
#ifndef UMS_TESTS_AID_MEMSINK_H
#define UMS_TESTS_AID_MEMSINK_H

#include "capture/sink.h"

#define MEMSINK_MOST_PLACES 16

struct memsink_place {
	uint64_t lba, end;
	uint64_t committed_end;
	uint8_t *scratch;
};

struct memsink {
	struct capture_sink sink;
	struct blockmap *map;
	uint8_t *bytes; /* of the whole drive; what was never committed is 0 */
	char broken[200];

	unsigned int reserves, checkpoints;
	unsigned int full_after; /* reserves that go well before the disk is full; 0: never */
	uint32_t last_pass;

	char **line; /* of the journal */
	size_t n_lines, line_room;
	unsigned int blobs;
	char last_blob[64];

	struct memsink_place place[MEMSINK_MOST_PLACES]; /* those reserved just now */
	size_t n_places;
	uint64_t order_end; /* in order: what lies before is on its way */
};

/* The caller checks for NULL only by crashing: these are tests. */
struct memsink *memsink_new(
	uint64_t n_blocks, uint32_t block_bytes, uint32_t slot_blocks, bool in_order);
void memsink_free(struct memsink *m);

/* Lines of the journal that contain TEXT. */
size_t memsink_lines_with(const struct memsink *m, const char *text);

#endif
