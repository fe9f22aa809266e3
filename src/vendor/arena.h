/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is freed all at once: what is read from a definition file stays as long as it. */
#ifndef UMS_VENDOR_ARENA_H
#define UMS_VENDOR_ARENA_H

#include <stddef.h>

struct arena_block;

#define ARENA_MOST (64u << 20)

struct arena {
	struct arena_block *last;
	size_t used;
};

/* LEN bytes of zeros, aligned for anything; NULL when memory is out, or ARENA_MOST bytes are used:
 * a file of a few lines may ask for a lot. */
void *arena_alloc(struct arena *arena, size_t len);

/* A copy of the first LEN characters of TEXT, ended by NUL. */
char *arena_text(struct arena *arena, const char *text, size_t len);

/* Room for one more element of SIZE bytes in *ARRAY, which holds N: moves it to twice the room
 * whenever N is a power of two.  NULL when memory is out; else the new element, zeroed. */
void *arena_push(struct arena *arena, void *array, size_t n, size_t size);

void arena_free(struct arena *arena);

#endif
