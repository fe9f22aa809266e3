/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block map as ranges in order, in chunks of at most 256.  An insertion moves what lies behind
 * it in its chunk (of 4 KiB), and now and then the list of chunks; so it costs about the same
 * wherever it is, also in a map that an image fills with a hundred thousand ranges from behind.
 */
#include "base/blockmap.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_ENTRIES 256

/* Ends where the next begins; the last ends with the map. */
struct entry {
	uint64_t lba;
	struct block_reason why;
	uint8_t state;
};

struct chunk {
	unsigned int n; /* at least 1 */
	struct entry entry[CHUNK_ENTRIES];
};

struct blockmap {
	uint64_t n_blocks;
	uint64_t count[BLOCK_STATES];
	size_t n_ranges;
	struct chunk **chunk;
	size_t n_chunks, room;
	/* A change splits at most two entries and so at most two chunks: these are had before it
	 * begins, so that it cannot fail half-way. */
	struct chunk *spare[2];
};

/* Where an entry is; the one behind the last is {n_chunks, 0}. */
struct place {
	size_t chunk;
	unsigned int i;
};

static struct entry *entry_at(const struct blockmap *map, struct place at)
{
	return &map->chunk[at.chunk]->entry[at.i];
}

static bool is_end(const struct blockmap *map, struct place at)
{
	return at.chunk == map->n_chunks;
}

static struct place next_place(const struct blockmap *map, struct place at)
{
	if (at.i + 1 < map->chunk[at.chunk]->n)
		return (struct place){at.chunk, at.i + 1};
	return (struct place){at.chunk + 1, 0};
}

static bool is_first(struct place at)
{
	return at.chunk == 0 && at.i == 0;
}

static struct place previous_place(const struct blockmap *map, struct place at)
{
	if (at.i > 0)
		return (struct place){at.chunk, at.i - 1};
	return (struct place){at.chunk - 1, map->chunk[at.chunk - 1]->n - 1};
}

static uint64_t entry_end(const struct blockmap *map, struct place at)
{
	struct place next = next_place(map, at);

	return is_end(map, next) ? map->n_blocks : entry_at(map, next)->lba;
}

static bool same(const struct entry *a, const struct entry *b)
{
	return a->state == b->state && memcmp(&a->why, &b->why, sizeof(a->why)) == 0;
}

static size_t find_chunk(const struct blockmap *map, uint64_t lba)
{
	size_t low = 0, high = map->n_chunks;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (map->chunk[middle]->entry[0].lba <= lba)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The entry that LBA lies in. */
static struct place find(const struct blockmap *map, uint64_t lba)
{
	size_t number = find_chunk(map, lba);
	const struct chunk *chunk = map->chunk[number];
	unsigned int low = 0, high = chunk->n;

	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (chunk->entry[middle].lba <= lba)
			low = middle;
		else
			high = middle;
	}
	return (struct place){number, low};
}

static int make_room(struct blockmap *map)
{
	if (map->n_chunks + 2 > map->room) {
		struct chunk **grown =
			reallocarray(map->chunk, map->room * 2, sizeof(struct chunk *));

		if (!grown)
			return -1;
		map->chunk = grown;
		map->room *= 2;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (!map->spare[i])
			map->spare[i] = malloc(sizeof(struct chunk));
		if (!map->spare[i])
			return -1;
	}
	return 0;
}

/* Moves the upper half of a full chunk into a new one behind it. */
static void split_chunk(struct blockmap *map, size_t number)
{
	unsigned int which = map->spare[0] ? 0 : 1;
	struct chunk *lower = map->chunk[number], *upper = map->spare[which];

	map->spare[which] = NULL;
	upper->n = CHUNK_ENTRIES / 2;
	lower->n = CHUNK_ENTRIES - upper->n;
	memcpy(upper->entry, lower->entry + lower->n, upper->n * sizeof(struct entry));
	memmove(map->chunk + number + 2, map->chunk + number + 1,
		(map->n_chunks - number - 1) * sizeof(struct chunk *));
	map->chunk[number + 1] = upper;
	map->n_chunks++;
}

/* Forgets the chunks from FIRST up to (not with) END. */
static void drop_chunks(struct blockmap *map, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		free(map->chunk[i]);
	memmove(map->chunk + first, map->chunk + end,
		(map->n_chunks - end) * sizeof(struct chunk *));
	map->n_chunks -= end - first;
}

/* Puts a copy of the entry that LBA lies in behind it, so that an entry begins at LBA. */
static void cut_at(struct blockmap *map, uint64_t lba)
{
	struct place at = find(map, lba);
	struct chunk *chunk = map->chunk[at.chunk];

	if (entry_at(map, at)->lba == lba)
		return;
	if (chunk->n == CHUNK_ENTRIES) {
		split_chunk(map, at.chunk);
		at = find(map, lba);
		chunk = map->chunk[at.chunk];
	}
	memmove(chunk->entry + at.i + 1, chunk->entry + at.i,
		(chunk->n - at.i) * sizeof(struct entry));
	chunk->entry[at.i + 1].lba = lba;
	chunk->n++;
	map->n_ranges++;
}

/* Removes N entries of one chunk, and the chunk when none are left. */
static void remove_entries(struct blockmap *map, struct place at, unsigned int n)
{
	struct chunk *chunk = map->chunk[at.chunk];

	memmove(chunk->entry + at.i, chunk->entry + at.i + n,
		(chunk->n - at.i - n) * sizeof(struct entry));
	chunk->n -= n;
	map->n_ranges -= n;
	if (chunk->n == 0)
		drop_chunks(map, at.chunk, at.chunk + 1);
}

/* Removes the entries behind AT up to (not with) the one at STOP. */
static void remove_between(struct blockmap *map, struct place at, struct place stop)
{
	struct place next = {at.chunk, at.i + 1};

	if (stop.chunk == at.chunk) {
		remove_entries(map, next, stop.i - next.i);
		return;
	}
	if (stop.i > 0)
		remove_entries(map, (struct place){stop.chunk, 0}, stop.i);
	for (size_t i = at.chunk + 1; i < stop.chunk; i++)
		map->n_ranges -= map->chunk[i]->n;
	drop_chunks(map, at.chunk + 1, stop.chunk);
	remove_entries(map, next, map->chunk[at.chunk]->n - next.i);
}

/* Makes one range of the one at AT and a neighbour that says the same. */
static void join_neighbours(struct blockmap *map, struct place at)
{
	struct place next = next_place(map, at);

	if (!is_end(map, next) && same(entry_at(map, at), entry_at(map, next)))
		remove_entries(map, next, 1);
	if (!is_first(at) && same(entry_at(map, previous_place(map, at)), entry_at(map, at)))
		remove_entries(map, at, 1);
}

/* Makes one chunk of two that are nearly empty, so that memory is given back. */
static void join_chunks(struct blockmap *map, size_t number)
{
	struct chunk *first, *second;

	if (number + 1 >= map->n_chunks)
		return;
	first = map->chunk[number];
	second = map->chunk[number + 1];
	if (first->n + second->n > CHUNK_ENTRIES / 2)
		return;
	memcpy(first->entry + first->n, second->entry, second->n * sizeof(struct entry));
	first->n += second->n;
	drop_chunks(map, number + 1, number + 2);
}

static struct block_range range_of(const struct blockmap *map, struct place at)
{
	const struct entry *e = entry_at(map, at);

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
	map->room = 4;
	map->chunk = calloc(map->room, sizeof(struct chunk *));
	if (!map->chunk || make_room(map) < 0) {
		blockmap_free(map);
		return NULL;
	}
	if (n_blocks > 0) {
		map->chunk[0] = map->spare[0];
		map->spare[0] = NULL;
		map->chunk[0]->n = 1;
		map->chunk[0]->entry[0] = (struct entry){.state = BLOCK_UNTRIED};
		map->n_chunks = map->n_ranges = 1;
	}
	return map;
}

void blockmap_free(struct blockmap *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->n_chunks; i++)
		free(map->chunk[i]);
	free(map->spare[0]);
	free(map->spare[1]);
	free(map->chunk);
	free(map);
}

int blockmap_set(struct blockmap *map, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why)
{
	struct place first, stop;
	uint64_t end;

	if (lba >= map->n_blocks || n == 0)
		return 0;
	end = n < map->n_blocks - lba ? lba + n : map->n_blocks;
	if (make_room(map) < 0)
		return -1;
	cut_at(map, lba);
	if (end < map->n_blocks)
		cut_at(map, end);

	first = find(map, lba);
	for (stop = first; !is_end(map, stop) && entry_at(map, stop)->lba < end;
		stop = next_place(map, stop))
		map->count[entry_at(map, stop)->state] -=
			entry_end(map, stop) - entry_at(map, stop)->lba;
	map->count[state] += end - lba;
	remove_between(map, first, stop);
	*entry_at(map, first) = (struct entry){.lba = lba, .state = (uint8_t)state};
	if (why)
		entry_at(map, first)->why = *why;
	join_neighbours(map, first);
	first = find(map, lba);
	join_chunks(map, first.chunk);
	if (first.chunk > 0)
		join_chunks(map, first.chunk - 1);
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
	for (struct place at = find(map, lba); !is_end(map, at); at = next_place(map, at)) {
		if (!(BLOCK_MASK(entry_at(map, at)->state) & mask))
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
	struct place at;

	if (lba > map->n_blocks)
		lba = map->n_blocks;
	if (lba == 0)
		return false;
	for (at = find(map, lba - 1); !(BLOCK_MASK(entry_at(map, at)->state) & mask);
		at = previous_place(map, at)) {
		if (is_first(at))
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

	for (struct place at = {0}; !is_end(map, at); at = next_place(map, at)) {
		bool in = mask & BLOCK_MASK(entry_at(map, at)->state);

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
	return map->n_ranges;
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
