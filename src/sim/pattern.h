/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sectors computed from their place alone, so that a drive of terabytes costs no memory.  All is in
 * units of PATTERN_BYTES.
 */
#ifndef UMS_SIM_PATTERN_H
#define UMS_SIM_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define PATTERN_BYTES 512

/* Fills N units from unit number UNIT on. */
typedef void pattern_fn(uint64_t seed, uint64_t unit, uint8_t *out, size_t n);

pattern_fn pattern_zero;
pattern_fn pattern_noise; /* does not compress */
pattern_fn pattern_text;  /* lines of words, compresses well */
pattern_fn pattern_mixed; /* 64 KiB each of the three above, by turns that the seed chooses */

/* Well-mixed bits from VALUE (the finalizer of splitmix64). */
static inline uint64_t pattern_mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

#endif
