/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records over each other: see visible.h.  They are laid down from the newest to the oldest, each
 * only where none lies yet.  `free_from` leads over what is taken: from a sector to one at or
 * behind it, and in the end to the first that is free.
 */
#include "image/visible.h"

#include <stdlib.h>

#include "base/mem.h"

struct visible_pieces {
	struct visible *piece;
	size_t n, room;
};

/* The first free sector at AT or behind it; shortens the way for who asks again. */
static uint32_t first_free(uint32_t *free_from, uint32_t at)
{
	uint32_t found = at;

	while (free_from[found] != found)
		found = free_from[found];
	while (free_from[at] != found) {
		uint32_t next = free_from[at];

		free_from[at] = found;
		at = next;
	}
	return found;
}

/* Takes what is free of the sectors FROM … TO-1 (counted from LBA) for ENTRY. */
static int lay_down(struct visible_pieces *pieces, uint32_t *free_from,
	const struct index_entry *entry, uint64_t lba, uint32_t from, uint32_t to)
{
	for (uint32_t at = first_free(free_from, from); at < to; at = first_free(free_from, at)) {
		uint32_t begin = at;

		if (mem_grow(&pieces->piece, pieces->n, &pieces->room, sizeof(*pieces->piece)) < 0)
			return -1;
		while (at < to && free_from[at] == at) {
			free_from[at] = at + 1;
			at++;
		}
		pieces->piece[pieces->n++] =
			(struct visible){.entry = entry, .lba = lba + begin, .n = at - begin};
	}
	return 0;
}

int visible_pieces(const struct index_entry *entry, size_t n, uint64_t lba, uint32_t n_blocks,
	struct visible **piece, size_t *n_pieces)
{
	struct visible_pieces pieces = {0};
	cleanup_free uint32_t *free_from = malloc(((size_t)n_blocks + 1) * sizeof(*free_from));
	int r = free_from ? 0 : -1;

	for (uint32_t i = 0; free_from && i <= n_blocks; i++)
		free_from[i] = i;
	while (r == 0 && n-- > 0 && first_free(free_from, 0) < n_blocks) {
		uint64_t from = mem_max_u64(entry[n].lba, lba);
		uint64_t to = mem_min_u64(entry[n].lba + entry[n].n_blocks, lba + n_blocks);

		if (from < to)
			r = lay_down(&pieces, free_from, &entry[n], lba, (uint32_t)(from - lba),
				(uint32_t)(to - lba));
	}
	if (r < 0) {
		free(pieces.piece);
		pieces = (struct visible_pieces){0};
	}
	*piece = pieces.piece;
	*n_pieces = pieces.n;
	return r;
}
