/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of every sector: see blockmap.h. */
#include "base/blockmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/ranges.h"

struct blockmap {
	uint64_t n_blocks;
	uint64_t count[BLOCK_STATES];
	struct ranges *ranges;
};

static uint64_t entry_end(const struct blockmap *map, struct range_place at)
{
	struct range_place next = ranges_next(map->ranges, at);

	return ranges_is_end(map->ranges, next) ? map->n_blocks : ranges_at(map->ranges, next)->lba;
}

static bool same(const struct range_entry *a, const struct range_entry *b)
{
	return a->state == b->state && memcmp(&a->why, &b->why, sizeof(a->why)) == 0;
}

/* Makes one range of the one at AT and a neighbour that says the same. */
static void join_neighbours(struct blockmap *map, struct range_place at)
{
	struct range_place next = ranges_next(map->ranges, at);

	if (!ranges_is_end(map->ranges, next) &&
		same(ranges_at(map->ranges, at), ranges_at(map->ranges, next)))
		ranges_remove(map->ranges, next);
	if (!ranges_is_first(at) && same(ranges_at(map->ranges, ranges_previous(map->ranges, at)),
					    ranges_at(map->ranges, at)))
		ranges_remove(map->ranges, at);
}

static struct block_range range_of(const struct blockmap *map, struct range_place at)
{
	const struct range_entry *e = ranges_at(map->ranges, at);

	return (struct block_range){
		.lba = e->lba,
		.n = entry_end(map, at) - e->lba,
		.state = (enum block_state)e->state,
		.why = e->why,
	};
}

struct blockmap *blockmap_new(uint64_t n_blocks)
{
	struct blockmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->n_blocks = n_blocks;
	map->count[BLOCK_UNTRIED] = n_blocks;
	map->ranges = ranges_new(n_blocks == 0);
	if (!map->ranges) {
		free(map);
		return NULL;
	}
	return map;
}

void blockmap_free(struct blockmap *map)
{
	if (!map)
		return;
	ranges_free(map->ranges);
	free(map);
}

int blockmap_set(struct blockmap *map, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why)
{
	struct range_place first, stop;
	uint64_t end;

	if (lba >= map->n_blocks || n == 0)
		return 0;
	end = n < map->n_blocks - lba ? lba + n : map->n_blocks;
	if (ranges_make_room(map->ranges) < 0)
		return -1;
	ranges_cut(map->ranges, lba);
	if (end < map->n_blocks)
		ranges_cut(map->ranges, end);

	first = ranges_find(map->ranges, lba);
	for (stop = first;
		!ranges_is_end(map->ranges, stop) && ranges_at(map->ranges, stop)->lba < end;
		stop = ranges_next(map->ranges, stop))
		map->count[ranges_at(map->ranges, stop)->state] -=
			entry_end(map, stop) - ranges_at(map->ranges, stop)->lba;
	map->count[state] += end - lba;
	ranges_remove_between(map->ranges, first, stop);
	*ranges_at(map->ranges, first) = (struct range_entry){.lba = lba, .state = (uint8_t)state};
	if (why)
		ranges_at(map->ranges, first)->why = *why;
	join_neighbours(map, first);
	ranges_tidy(map->ranges, lba);
	return 0;
}

struct block_range blockmap_at(const struct blockmap *map, uint64_t lba)
{
	return range_of(map, ranges_find(map->ranges, lba));
}

bool blockmap_next(
	const struct blockmap *map, uint64_t lba, unsigned int mask, struct block_range *range)
{
	if (lba >= map->n_blocks)
		return false;
	for (struct range_place at = ranges_find(map->ranges, lba); !ranges_is_end(map->ranges, at);
		at = ranges_next(map->ranges, at)) {
		if (!(BLOCK_MASK(ranges_at(map->ranges, at)->state) & mask))
			continue;
		*range = range_of(map, at);
		if (range->lba < lba) {
			range->n -= lba - range->lba;
			range->lba = lba;
		}
		return true;
	}
	return false;
}

bool blockmap_prev(
	const struct blockmap *map, uint64_t lba, unsigned int mask, struct block_range *range)
{
	struct range_place at;

	if (lba > map->n_blocks)
		lba = map->n_blocks;
	if (lba == 0)
		return false;
	for (at = ranges_find(map->ranges, lba - 1);
		!(BLOCK_MASK(ranges_at(map->ranges, at)->state) & mask);
		at = ranges_previous(map->ranges, at)) {
		if (ranges_is_first(at))
			return false;
	}
	*range = range_of(map, at);
	if (range->lba + range->n > lba)
		range->n = lba - range->lba;
	return true;
}

uint64_t blockmap_count(const struct blockmap *map, unsigned int mask)
{
	uint64_t sum = 0;

	for (unsigned int s = 0; s < BLOCK_STATES; s++)
		sum += mask & BLOCK_MASK(s) ? map->count[s] : 0;
	return sum;
}

uint64_t blockmap_areas(const struct blockmap *map, unsigned int mask)
{
	uint64_t areas = 0;
	bool inside = false;

	for (struct range_place at = {0}; !ranges_is_end(map->ranges, at);
		at = ranges_next(map->ranges, at)) {
		bool in = mask & BLOCK_MASK(ranges_at(map->ranges, at)->state);

		areas += in && !inside;
		inside = in;
	}
	return areas;
}

uint64_t blockmap_blocks(const struct blockmap *map)
{
	return map->n_blocks;
}

size_t blockmap_ranges(const struct blockmap *map)
{
	return ranges_count(map->ranges);
}

const char *block_state_name(enum block_state state)
{
	static const char *const names[BLOCK_STATES] = {
		"untried", "skipped", "failed", "bad", "good", "recovered"};

	return (unsigned int)state < BLOCK_STATES ? names[state] : "unknown";
}

const char *block_outcome_name(enum block_outcome outcome)
{
	static const char *const names[] = {"none", "timeout", "broken", "aborted", "gone", "slow"};

	return (unsigned int)outcome < sizeof(names) / sizeof(names[0]) ? names[outcome]
									: "unknown";
}
