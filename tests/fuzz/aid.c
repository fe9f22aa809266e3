/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzz targets share: see aid.h. */
#include "tests/fuzz/aid.h"

#include <stdatomic.h>
#include <string.h>

static size_t put(uint8_t *out, size_t at, const uint8_t *bytes, size_t len)
{
	memcpy(out + at, bytes, len);
	return at + len;
}

size_t aid_config(unsigned int which, uint8_t out[AID_CONFIG_MAX])
{
	static const uint8_t head[] = {9, 2, 0, 0, 1, 1, 0, 0x80, 50};
	static const uint8_t bot[] = {
		9, 4, 0, 0, 2, 8, 6, 0x50, 0, 7, 5, 0x81, 2, 0, 2, 0, 7, 5, 2, 2, 0, 2, 0};
	static const uint8_t uas[] = {9, 4, 0, 0, 4, 8, 6, 0x62, 0, 7, 5, 4, 2, 0, 4, 0, 6, 0x30,
		15, 0, 0, 0, 4, 0x24, 1, 0, 7, 5, 0x83, 2, 0, 4, 0, 6, 0x30, 15, 4, 0, 0, 4, 0x24,
		2, 0, 7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15, 4, 0, 0, 4, 0x24, 3, 0, 7, 5, 2, 2, 0, 4,
		0, 6, 0x30, 15, 4, 0, 0, 4, 0x24, 4, 0};
	size_t n = put(out, 0, head, sizeof(head));

	if (which & AID_BOT)
		n = put(out, n, bot, sizeof(bot));
	if (which & (AID_UAS | AID_UAS_BROKEN)) {
		size_t at = n;

		n = put(out, n, uas, sizeof(uas) - (which & AID_UAS_BROKEN ? 17 : 0));
		out[at + 3] = which & AID_BOT ? 1 : 0; /* bAlternateSetting */
		out[at + 4] = which & AID_UAS_BROKEN ? 3 : 4;
	}
	out[2] = (uint8_t)n;
	return n;
}

/* --- allocations that fail ---
 * The linker puts these functions before those of the C library (FUZZ_WRAP in the Makefile). */

static atomic_uint left; /* allocations up to the one that fails, with it; 0: none does */

void aid_fail_allocation(unsigned int n)
{
	left = n;
}

static int fails(void)
{
	unsigned int now = left;

	while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
		;
	return now == 1;
}

#define WRAPPED(type, name, params, args)                                                          \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		return fails() ? NULL : __real_##name args;                                        \
	}

WRAPPED(void *, malloc, (size_t len), (len))
WRAPPED(void *, calloc, (size_t n, size_t size), (n, size))
WRAPPED(void *, realloc, (void *old, size_t len), (old, len))
WRAPPED(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
WRAPPED(char *, strdup, (const char *text), (text))
WRAPPED(char *, strndup, (const char *text, size_t len), (text, len))
