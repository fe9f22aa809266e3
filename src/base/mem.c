/* SPDX-License-Identifier: BSD-2-Clause */
/* Growing arrays, and what bytes are made of: see mem.h. */
#include "base/mem.h"

#include <string.h>

bool mem_is_uniform(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	return len < 2 || memcmp(p, p + 1, len - 1) == 0;
}

bool mem_is_zero(const void *bytes, size_t len)
{
	return len == 0 || (*(const uint8_t *)bytes == 0 && mem_is_uniform(bytes, len));
}

int mem_grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t want;
	void *old, *grown;

	if (n < *room)
		return 0;
	want = *room ? *room * 2 : 16;
	memcpy(&old, array, sizeof(old));
	grown = reallocarray(old, want, size);
	if (!grown)
		return -1;
	memcpy(array, &grown, sizeof(grown));
	*room = want;
	return 0;
}

void *mem_page_alloc(size_t len)
{
	return aligned_alloc(4096, (len + 4095) / 4096 * 4096);
}
