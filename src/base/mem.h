/* SPDX-License-Identifier: BSD-2-Clause */
/* Scope-owned things and length arithmetic that cannot overflow. */
#ifndef UMS_BASE_MEM_H
#define UMS_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void mem_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void mem_cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void mem_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define cleanup_free   __attribute__((cleanup(mem_cleanup_free)))
#define cleanup_close  __attribute__((cleanup(mem_cleanup_close)))
#define cleanup_fclose __attribute__((cleanup(mem_cleanup_fclose)))

/* True when the sum or product fits and stands in *OUT. */
static inline bool mem_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline bool mem_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

static inline uint64_t mem_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t mem_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* True when all LEN bytes are the same; so are one byte, and none. */
bool mem_is_uniform(const void *bytes, size_t len);

/* True when all LEN bytes are zero; so are none. */
bool mem_is_zero(const void *bytes, size_t len);

/* Makes room for one more element of SIZE bytes in *ARRAY of N used and *ROOM allocated elements.
 * Returns 0, or -1 when memory is out (the array stays as it was). */
int mem_grow(void *array, size_t n, size_t *room, size_t size);

/* LEN bytes aligned for direct I/O (4096), NULL when memory is out; freed with free(). */
void *mem_page_alloc(size_t len);

#endif
