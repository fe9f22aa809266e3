/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges in chunks: see ranges.h.  An insertion moves what lies behind it in its chunk (of 4 KiB),
 * and now and then the list of chunks; so it costs about the same wherever it is, also among the
 * hundred thousand ranges that an image may name from behind.
 */
#include "base/ranges.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_ENTRIES 256

struct chunk {
	unsigned int n; /* at least 1 */
	struct range_entry entry[CHUNK_ENTRIES];
};

struct ranges {
	size_t n;
	struct chunk **chunk;
	size_t n_chunks, room;
	/* A change splits at most two entries and so at most two chunks: these are had before it
	 * begins, so that it cannot fail half-way. */
	struct chunk *spare[2];
};

struct range_entry *ranges_at(const struct ranges *ranges, struct range_place at)
{
	return &ranges->chunk[at.chunk]->entry[at.i];
}

bool ranges_is_end(const struct ranges *ranges, struct range_place at)
{
	return at.chunk == ranges->n_chunks;
}

struct range_place ranges_next(const struct ranges *ranges, struct range_place at)
{
	if (at.i + 1 < ranges->chunk[at.chunk]->n)
		return (struct range_place){at.chunk, at.i + 1};
	return (struct range_place){at.chunk + 1, 0};
}

bool ranges_is_first(struct range_place at)
{
	return at.chunk == 0 && at.i == 0;
}

struct range_place ranges_previous(const struct ranges *ranges, struct range_place at)
{
	if (at.i > 0)
		return (struct range_place){at.chunk, at.i - 1};
	return (struct range_place){at.chunk - 1, ranges->chunk[at.chunk - 1]->n - 1};
}

static size_t find_chunk(const struct ranges *ranges, uint64_t lba)
{
	size_t low = 0, high = ranges->n_chunks;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (ranges->chunk[middle]->entry[0].lba <= lba)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The entry that LBA lies in. */
struct range_place ranges_find(const struct ranges *ranges, uint64_t lba)
{
	size_t number = find_chunk(ranges, lba);
	const struct chunk *chunk = ranges->chunk[number];
	unsigned int low = 0, high = chunk->n;

	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (chunk->entry[middle].lba <= lba)
			low = middle;
		else
			high = middle;
	}
	return (struct range_place){number, low};
}

int ranges_make_room(struct ranges *ranges)
{
	if (ranges->n_chunks + 2 > ranges->room) {
		struct chunk **grown =
			reallocarray(ranges->chunk, ranges->room * 2, sizeof(struct chunk *));

		if (!grown)
			return -1;
		ranges->chunk = grown;
		ranges->room *= 2;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (!ranges->spare[i])
			ranges->spare[i] = malloc(sizeof(struct chunk));
		if (!ranges->spare[i])
			return -1;
	}
	return 0;
}

/* Moves the upper half of a full chunk into a new one behind it. */
static void split_chunk(struct ranges *ranges, size_t number)
{
	unsigned int which = ranges->spare[0] ? 0 : 1;
	struct chunk *lower = ranges->chunk[number], *upper = ranges->spare[which];

	ranges->spare[which] = NULL;
	upper->n = CHUNK_ENTRIES / 2;
	lower->n = CHUNK_ENTRIES - upper->n;
	memcpy(upper->entry, lower->entry + lower->n, upper->n * sizeof(struct range_entry));
	memmove(ranges->chunk + number + 2, ranges->chunk + number + 1,
		(ranges->n_chunks - number - 1) * sizeof(struct chunk *));
	ranges->chunk[number + 1] = upper;
	ranges->n_chunks++;
}

/* Forgets the chunks from FIRST up to (not with) END. */
static void drop_chunks(struct ranges *ranges, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		free(ranges->chunk[i]);
	memmove(ranges->chunk + first, ranges->chunk + end,
		(ranges->n_chunks - end) * sizeof(struct chunk *));
	ranges->n_chunks -= end - first;
}

/* Puts a copy of the entry that LBA lies in behind it, so that an entry begins at LBA. */
void ranges_cut(struct ranges *ranges, uint64_t lba)
{
	struct range_place at = ranges_find(ranges, lba);
	struct chunk *chunk = ranges->chunk[at.chunk];

	if (ranges_at(ranges, at)->lba == lba)
		return;
	if (chunk->n == CHUNK_ENTRIES) {
		split_chunk(ranges, at.chunk);
		at = ranges_find(ranges, lba);
		chunk = ranges->chunk[at.chunk];
	}
	memmove(chunk->entry + at.i + 1, chunk->entry + at.i,
		(chunk->n - at.i) * sizeof(struct range_entry));
	chunk->entry[at.i + 1].lba = lba;
	chunk->n++;
	ranges->n++;
}

/* Removes N entries of one chunk, and the chunk when none are left. */
static void remove_entries(struct ranges *ranges, struct range_place at, unsigned int n)
{
	struct chunk *chunk = ranges->chunk[at.chunk];

	memmove(chunk->entry + at.i, chunk->entry + at.i + n,
		(chunk->n - at.i - n) * sizeof(struct range_entry));
	chunk->n -= n;
	ranges->n -= n;
	if (chunk->n == 0)
		drop_chunks(ranges, at.chunk, at.chunk + 1);
}

/* Removes the entries behind AT up to (not with) the one at STOP. */
void ranges_remove_between(struct ranges *ranges, struct range_place at, struct range_place stop)
{
	struct range_place next = {at.chunk, at.i + 1};

	if (stop.chunk == at.chunk) {
		remove_entries(ranges, next, stop.i - next.i);
		return;
	}
	if (stop.i > 0)
		remove_entries(ranges, (struct range_place){stop.chunk, 0}, stop.i);
	for (size_t i = at.chunk + 1; i < stop.chunk; i++)
		ranges->n -= ranges->chunk[i]->n;
	drop_chunks(ranges, at.chunk + 1, stop.chunk);
	remove_entries(ranges, next, ranges->chunk[at.chunk]->n - next.i);
}

/* Makes one chunk of two that are nearly empty, so that memory is given back. */
static void join_chunks(struct ranges *ranges, size_t number)
{
	struct chunk *first, *second;

	if (number + 1 >= ranges->n_chunks)
		return;
	first = ranges->chunk[number];
	second = ranges->chunk[number + 1];
	if (first->n + second->n > CHUNK_ENTRIES / 2)
		return;
	memcpy(first->entry + first->n, second->entry, second->n * sizeof(struct range_entry));
	first->n += second->n;
	drop_chunks(ranges, number + 1, number + 2);
}

struct ranges *ranges_new(bool empty)
{
	struct ranges *ranges = calloc(1, sizeof(*ranges));

	if (!ranges)
		return NULL;
	ranges->room = 4;
	ranges->chunk = calloc(ranges->room, sizeof(struct chunk *));
	if (!ranges->chunk || ranges_make_room(ranges) < 0) {
		ranges_free(ranges);
		return NULL;
	}
	if (!empty) {
		ranges->chunk[0] = ranges->spare[0];
		ranges->spare[0] = NULL;
		ranges->chunk[0]->n = 1;
		ranges->chunk[0]->entry[0] = (struct range_entry){.lba = 0};
		ranges->n_chunks = ranges->n = 1;
	}
	return ranges;
}

void ranges_free(struct ranges *ranges)
{
	if (!ranges)
		return;
	for (size_t i = 0; i < ranges->n_chunks; i++)
		free(ranges->chunk[i]);
	free(ranges->spare[0]);
	free(ranges->spare[1]);
	free(ranges->chunk);
	free(ranges);
}

void ranges_remove(struct ranges *ranges, struct range_place at)
{
	remove_entries(ranges, at, 1);
}

void ranges_tidy(struct ranges *ranges, uint64_t lba)
{
	size_t number = find_chunk(ranges, lba);

	join_chunks(ranges, number);
	if (number > 0)
		join_chunks(ranges, number - 1);
}

size_t ranges_count(const struct ranges *ranges)
{
	return ranges->n;
}
