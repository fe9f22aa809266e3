/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For LD_PRELOAD: memory ends.  From the first JSON object that the program makes, FAIL_AFTER
 * allocations (a number in the environment) succeed, and no more after those.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *json_object_new_object(void);

static atomic_long left = -1;
static atomic_bool counting;

static bool ends(void)
{
	return atomic_load(&counting) && atomic_fetch_sub(&left, 1) <= 0;
}

void *malloc(size_t size)
{
	return ends() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return ends() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return ends() ? NULL : __libc_realloc(old, size);
}

/* The first call comes before there are threads to look at `next`; dlsym() itself allocates. */
void *json_object_new_object(void)
{
	static void *(*next)(void);

	if (!atomic_load(&counting)) {
		*(void **)&next = dlsym(RTLD_NEXT, "json_object_new_object");
		atomic_store(&left, atol(getenv("FAIL_AFTER")));
		atomic_store(&counting, true);
	}
	return next();
}
