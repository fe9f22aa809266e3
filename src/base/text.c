/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers made fit to read, and read again: see text.h.  Escapes are in escape.c. */
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char *text_size(uint64_t bytes, char out[32])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	uint64_t tenths;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(out, 32, "%" PRIu64 " bytes", bytes);
		return out;
	}
	while (value >= 1024 && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (value == (double)(uint64_t)value) {
		snprintf(out, 32, "%.0f %s", value, units[unit]);
		return out;
	}
	/* Never more than there is: 63.99 MiB of 64 are not "64.0 MiB". */
	tenths = (uint64_t)(value * 10);
	snprintf(out, 32, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
	return out;
}

char *text_duration(uint64_t seconds, char out[32])
{
	uint64_t h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;

	if (h > 0)
		snprintf(out, 32, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, h, m, s);
	else
		snprintf(out, 32, "%" PRIu64 ":%02" PRIu64, m, s);
	return out;
}

/* The number at the front of TEXT; *END is what stands behind it. */
static bool number_prefix(const char *text, uint64_t *value, char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*value = strtoull(text, end, hex ? 16 : 10);
	return errno == 0 && *end > text;
}

bool text_number(const char *text, uint64_t *value)
{
	char *end;

	return number_prefix(text, value, &end) && *end == '\0';
}

bool text_bytes(const char *text, uint32_t sector_bytes, uint64_t *bytes)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} table[] = {
		{"", 1},
		{"B", 1},
		{"K", 1ull << 10},
		{"KiB", 1ull << 10},
		{"kB", 1000},
		{"M", 1ull << 20},
		{"MiB", 1ull << 20},
		{"MB", 1000000},
		{"G", 1ull << 30},
		{"GiB", 1ull << 30},
		{"GB", 1000000000},
		{"T", 1ull << 40},
		{"TiB", 1ull << 40},
		{"TB", 1000000000000},
	};
	uint64_t value;
	char *end;

	if (!number_prefix(text, &value, &end))
		return false;
	if (strcmp(end, "s") == 0 && sector_bytes > 0)
		return mem_mul_u64(value, sector_bytes, bytes);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(end, table[i].suffix) == 0)
			return mem_mul_u64(value, table[i].factor, bytes);
	}
	return false;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

bool text_unhex(const char *text, size_t len, uint8_t *out)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return len % 2 == 0;
}

char *text_hex(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

char *text_uuid(const uint8_t uuid[16], char out[37])
{
	static const uint8_t dash_before[16] = {[4] = 1, [6] = 1, [8] = 1, [10] = 1};
	char *p = out;

	for (size_t i = 0; i < 16; i++) {
		if (dash_before[i])
			*p++ = '-';
		text_hex(uuid + i, 1, p);
		p += 2;
	}
	return out;
}
