/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ranges of a block map, in order of LBA: each ends where the next one begins.  What they mean
 * is the block map's; nobody else uses this.
 */
#ifndef UMS_BASE_RANGES_H
#define UMS_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"

struct range_entry {
	uint64_t lba;
	struct block_reason why;
	uint8_t state;
};

struct ranges;

/* Where an entry is, until the next change. */
struct range_place {
	size_t chunk;
	unsigned int i;
};

/* One range that begins at LBA 0, untried; or none.  NULL when memory is out. */
struct ranges *ranges_new(bool empty);
void ranges_free(struct ranges *ranges);

/* Room for two cuts.  -1 when memory is out. */
int ranges_make_room(struct ranges *ranges);

/* The range that LBA lies in; there must be one. */
struct range_place ranges_find(const struct ranges *ranges, uint64_t lba);

struct range_entry *ranges_at(const struct ranges *ranges, struct range_place at);

/* The place of the range behind AT, perhaps the end; of the one before AT, which is not the first.
 */
struct range_place ranges_next(const struct ranges *ranges, struct range_place at);
struct range_place ranges_previous(const struct ranges *ranges, struct range_place at);
bool ranges_is_end(const struct ranges *ranges, struct range_place at);
bool ranges_is_first(struct range_place at);

/* Makes two ranges of the one that LBA lies in, so that one begins there; there is room. */
void ranges_cut(struct ranges *ranges, uint64_t lba);

/* Removes the range at AT; those behind AT up to (not with) the one at STOP. */
void ranges_remove(struct ranges *ranges, struct range_place at);
void ranges_remove_between(struct ranges *ranges, struct range_place at, struct range_place stop);

/* Gives memory back that changes around LBA have left nearly empty. */
void ranges_tidy(struct ranges *ranges, uint64_t lba);

size_t ranges_count(const struct ranges *ranges);

#endif
