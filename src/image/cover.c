/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sectors of a range are still to be read: see cover.h. */
#include "image/cover.h"

#include <stdlib.h>

#include "base/mem.h"

int cover_begin(struct cover *cover, uint64_t first, uint32_t n)
{
	*cover = (struct cover){.first = first, .n = n};
	cover->next = reallocarray(NULL, (size_t)n + 1, sizeof(*cover->next));
	if (!cover->next)
		return -1;
	for (uint32_t i = 0; i <= n; i++)
		cover->next[i] = i;
	return 0;
}

void cover_end(struct cover *cover)
{
	free(cover->next);
}

/* Follows the chain to the first sector that is free, and shortens it for the next time. */
static uint32_t cover_free_sector(struct cover *cover, uint32_t i)
{
	while (cover->next[i] != i) {
		cover->next[i] = cover->next[cover->next[i]];
		i = cover->next[i];
	}
	return i;
}

bool cover_take(struct cover *cover, uint64_t lba, uint64_t end, uint64_t *piece, uint32_t *piece_n)
{
	uint64_t from = mem_max_u64(lba, cover->first);
	uint64_t to = mem_min_u64(end, cover->first + cover->n);
	uint32_t first, stop, i;

	if (from >= to)
		return false;
	stop = (uint32_t)(to - cover->first);
	first = i = cover_free_sector(cover, (uint32_t)(from - cover->first));
	if (first >= stop)
		return false;
	while (i < stop && cover->next[i] == i) {
		cover->next[i] = i + 1;
		i++;
	}
	*piece = cover->first + first;
	*piece_n = i - first;
	return true;
}
