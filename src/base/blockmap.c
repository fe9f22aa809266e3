/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block map as a sorted array of ranges.  An insertion moves what lies behind it: a memmove of
 * 24 bytes a range, which next to the seconds that a bad sector takes to fail is nothing.
 */
#include "base/blockmap.h"

#include <stdlib.h>
#include <string.h>

/* Ends where the next begins; the last ends with the map. */
struct entry {
	uint64_t lba;
	struct block_reason why;
	uint8_t state;
};

struct blockmap {
	uint64_t n_blocks;
	uint64_t count[BLOCK_STATES];
	struct entry *entry;
	size_t n, room;
};

static uint64_t entry_end(const struct blockmap *map, size_t i)
{
	return i + 1 < map->n ? map->entry[i + 1].lba : map->n_blocks;
}

static bool same(const struct entry *a, const struct entry *b)
{
	return a->state == b->state && memcmp(&a->why, &b->why, sizeof(a->why)) == 0;
}

/* The entry that LBA lies in. */
static size_t find(const struct blockmap *map, uint64_t lba)
{
	size_t low = 0, high = map->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (map->entry[middle].lba <= lba)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Puts N entries where the ones from FIRST up to (not with) LAST were; there is room. */
static void splice(
	struct blockmap *map, size_t first, size_t last, const struct entry *put, size_t n)
{
	memmove(map->entry + first + n, map->entry + last, (map->n - last) * sizeof(*put));
	memcpy(map->entry + first, put, n * sizeof(*put));
	map->n = map->n - (last - first) + n;
}

static int make_room(struct blockmap *map)
{
	struct entry *grown;

	if (map->n + 2 <= map->room)
		return 0;
	grown = reallocarray(map->entry, map->room * 2, sizeof(*grown));
	if (!grown)
		return -1;
	map->entry = grown;
	map->room *= 2;
	return 0;
}

static struct block_range range_of(const struct blockmap *map, size_t i)
{
	const struct entry *e = &map->entry[i];

	return (struct block_range){
		.lba = e->lba,
		.n = entry_end(map, i) - e->lba,
		.state = (enum block_state)e->state,
		.why = e->why,
	};
}

struct blockmap *blockmap_new(uint64_t n_blocks)
{
	struct blockmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->room = 16;
	map->entry = calloc(map->room, sizeof(*map->entry));
	if (!map->entry) {
		free(map);
		return NULL;
	}
	map->n_blocks = n_blocks;
	map->n = n_blocks > 0;
	map->count[BLOCK_UNTRIED] = n_blocks;
	return map;
}

void blockmap_free(struct blockmap *map)
{
	if (!map)
		return;
	free(map->entry);
	free(map);
}

int blockmap_set(struct blockmap *map, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why)
{
	struct entry put[3];
	size_t first, last, n_put = 0;
	uint64_t end;

	if (lba >= map->n_blocks || n == 0)
		return 0;
	end = n < map->n_blocks - lba ? lba + n : map->n_blocks;
	if (make_room(map) < 0)
		return -1;

	first = find(map, lba);
	last = find(map, end - 1);
	for (size_t i = first; i <= last; i++) {
		uint64_t from = map->entry[i].lba > lba ? map->entry[i].lba : lba;
		uint64_t to = entry_end(map, i) < end ? entry_end(map, i) : end;

		map->count[map->entry[i].state] -= to - from;
	}
	map->count[state] += end - lba;

	/* What is left of the first, the new one, what is left of the last. */
	if (map->entry[first].lba < lba)
		put[n_put++] = map->entry[first];
	put[n_put] = (struct entry){.lba = lba, .state = (uint8_t)state};
	if (why)
		put[n_put].why = *why;
	if (n_put > 0 && same(&put[n_put - 1], &put[n_put]))
		n_put--;
	else if (n_put == 0 && first > 0 && same(&map->entry[first - 1], &put[0]))
		put[0] = map->entry[--first];
	n_put++;
	if (entry_end(map, last) > end) {
		put[n_put] = map->entry[last];
		put[n_put].lba = end;
		if (!same(&put[n_put], &put[n_put - 1]))
			n_put++;
	} else if (last + 1 < map->n && same(&map->entry[last + 1], &put[n_put - 1])) {
		last++;
	}
	splice(map, first, last + 1, put, n_put);
	return 0;
}

struct block_range blockmap_at(const struct blockmap *map, uint64_t lba)
{
	return range_of(map, find(map, lba));
}

bool blockmap_next(
	const struct blockmap *map, uint64_t lba, unsigned int mask, struct block_range *range)
{
	if (lba >= map->n_blocks)
		return false;
	for (size_t i = find(map, lba); i < map->n; i++) {
		if (!(BLOCK_MASK(map->entry[i].state) & mask))
			continue;
		*range = range_of(map, i);
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
	if (lba > map->n_blocks)
		lba = map->n_blocks;
	if (lba == 0)
		return false;
	for (size_t i = find(map, lba - 1) + 1; i-- > 0;) {
		if (!(BLOCK_MASK(map->entry[i].state) & mask))
			continue;
		*range = range_of(map, i);
		if (range->lba + range->n > lba)
			range->n = lba - range->lba;
		return true;
	}
	return false;
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

	for (size_t i = 0; i < map->n; i++) {
		bool in = mask & BLOCK_MASK(map->entry[i].state);

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
	return map->n;
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
