/* SPDX-License-Identifier: BSD-2-Clause */
/* Computed sectors: see pattern.h. */
#include "sim/pattern.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define GOLDEN	    0x9e3779b97f4a7c15u /* splitmix64's step */
#define LINE_BYTES  64
#define WORD_BYTES  8
#define MIXED_UNITS 128

void pattern_zero(uint64_t seed, uint64_t unit, uint8_t *out, size_t n)
{
	(void)seed;
	(void)unit;
	memset(out, 0, n * PATTERN_BYTES);
}

void pattern_noise(uint64_t seed, uint64_t unit, uint8_t *out, size_t n)
{
	uint64_t word = pattern_mix(seed + 1) + unit * (PATTERN_BYTES / 8) * GOLDEN;

	for (size_t i = 0; i < n * PATTERN_BYTES; i += 8) {
		word += GOLDEN;
		put_le64(out + i, pattern_mix(word));
	}
}

/* "0001234 word … word\n": eight pieces of eight characters. */
static void text_line(uint64_t seed, uint64_t line, uint8_t *out)
{
	static const char words[16][WORD_BYTES + 1] = {"sector  ", "drive   ", "reads   ",
		"slowly, ", "again   ", "the     ", "flash   ", "block   ", "between ", "a       ",
		"controll", "er that ", "answers ", "and     ", "waits.  ", "quietly "};
	uint64_t bits = pattern_mix(seed + line * GOLDEN);
	uint64_t number = line;

	out[7] = ' ';
	for (int i = 6; i >= 0; i--) {
		out[i] = (uint8_t)('0' + number % 10);
		number /= 10;
	}
	for (size_t i = WORD_BYTES; i < LINE_BYTES; i += WORD_BYTES) {
		memcpy(out + i, words[bits & 15], WORD_BYTES);
		bits >>= 4;
	}
	out[LINE_BYTES - 1] = '\n';
}

void pattern_text(uint64_t seed, uint64_t unit, uint8_t *out, size_t n)
{
	uint64_t line = unit * (PATTERN_BYTES / LINE_BYTES);

	for (size_t i = 0; i < n * PATTERN_BYTES; i += LINE_BYTES)
		text_line(seed, line++, out + i);
}

void pattern_mixed(uint64_t seed, uint64_t unit, uint8_t *out, size_t n)
{
	static pattern_fn *const kinds[] = {pattern_zero, pattern_noise, pattern_text};

	while (n > 0) {
		uint64_t piece = unit / MIXED_UNITS;
		size_t part = mem_min_u64(n, MIXED_UNITS - unit % MIXED_UNITS);

		kinds[pattern_mix(seed ^ piece * GOLDEN) % 3](seed, unit, out, part);
		out += part * PATTERN_BYTES;
		unit += part;
		n -= part;
	}
}
