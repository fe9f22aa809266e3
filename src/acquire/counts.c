/* SPDX-License-Identifier: BSD-2-Clause */
/* Sectors by their state: see counts.h. */
#include "acquire/counts.h"

#include "base/mem.h"

void counts_read(
	struct acquire_counts *counts, const struct blockmap *map, uint64_t begin, uint64_t end)
{
	const unsigned int unreadable = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);
	uint64_t area_end = UINT64_MAX;
	struct block_range range;

	*counts = (struct acquire_counts){.areas = 0};
	for (uint64_t lba = begin; lba < end && blockmap_next(map, lba, BLOCK_ALL, &range);
		lba = range.lba + range.n) {
		range.n = mem_min_u64(range.n, end - range.lba);
		counts->by_state[range.state] += range.n;
		if (!(BLOCK_MASK(range.state) & unreadable))
			continue;
		counts->areas += range.lba != area_end;
		area_end = range.lba + range.n;
	}
}

uint64_t acquire_count(const struct acquire_counts *counts, unsigned int mask)
{
	uint64_t n = 0;

	for (unsigned int state = 0; state < BLOCK_STATES; state++)
		n += mask & BLOCK_MASK(state) ? counts->by_state[state] : 0;
	return n;
}
