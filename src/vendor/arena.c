/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is freed all at once: see arena.h. */
#include "vendor/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *before;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *arena, size_t len)
{
	struct arena_block *block;

	if (len > ARENA_MOST - arena->used)
		return NULL;
	block = calloc(1, sizeof(*block) + len);
	if (!block)
		return NULL;
	arena->used += len;
	block->before = arena->last;
	arena->last = block;
	return block->bytes;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

void *arena_push(struct arena *arena, void *array, size_t n, size_t size)
{
	void **elements = array, *moved;

	if ((n & (n - 1)) == 0) {
		moved = arena_alloc(arena, (n ? 2 * n : 1) * size);
		if (!moved)
			return NULL;
		if (n > 0)
			memcpy(moved, *elements, n * size);
		*elements = moved;
	}
	return (char *)*elements + n * size;
}

void arena_free(struct arena *arena)
{
	while (arena->last) {
		struct arena_block *before = arena->last->before;

		free(arena->last);
		arena->last = before;
	}
}
