/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: see utf8.h. */
#include "base/utf8.h"

/* Bytes that the one at the front announces; 0: it begins no character. */
static size_t announced(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_decode(const uint8_t *bytes, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t n = len > 0 ? announced(bytes[0]) : 0;

	if (n == 0 || n > len)
		return 0;
	*code = bytes[0] & mask[n];
	for (size_t i = 1; i < n; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

bool utf8_is_harmless(uint32_t code)
{
	/* Unicode 15: the general categories Cc, Cf, Zl and Zp, and Default_Ignorable_Code_Point.
	 */
	static const struct {
		uint32_t first, last;
	} harmful[] = {
		{0x0000, 0x001f},   /* C0 */
		{0x007f, 0x009f},   /* DEL and C1 */
		{0x00ad, 0x00ad},   /* soft hyphen */
		{0x034f, 0x034f},   /* combining grapheme joiner */
		{0x0600, 0x0605},   /* Arabic number signs */
		{0x061c, 0x061c},   /* Arabic letter mark */
		{0x06dd, 0x06dd},   /* Arabic end of ayah */
		{0x070f, 0x070f},   /* Syriac abbreviation mark */
		{0x0890, 0x0891},   /* Arabic pound and piastre marks */
		{0x08e2, 0x08e2},   /* Arabic disputed end of ayah */
		{0x115f, 0x1160},   /* Hangul fillers */
		{0x17b4, 0x17b5},   /* Khmer inherent vowels */
		{0x180b, 0x180f},   /* Mongolian selectors and vowel separator */
		{0x200b, 0x200f},   /* zero-width; left-to-right and right-to-left marks */
		{0x2028, 0x202e},   /* line and paragraph separators; embeddings and overrides */
		{0x2060, 0x206f},   /* word joiner, isolates, deprecated format characters */
		{0x3164, 0x3164},   /* Hangul filler */
		{0xfe00, 0xfe0f},   /* variation selectors */
		{0xfeff, 0xfeff},   /* byte order mark */
		{0xffa0, 0xffa0},   /* halfwidth Hangul filler */
		{0xfff0, 0xfffb},   /* interlinear annotation, and unassigned before it */
		{0x110bd, 0x110bd}, /* Kaithi number signs */
		{0x110cd, 0x110cd}, {0x13430, 0x1343f}, /* Egyptian format controls */
		{0x1bca0, 0x1bca3},			/* shorthand format controls */
		{0x1d173, 0x1d17a},			/* musical format controls */
		{0xe0000, 0xe0fff},			/* tags, variation selectors */
	};

	/* The last two of every plane, and a block of the first, are never characters. */
	if ((code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef) || code > 0x10ffff)
		return false;
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
		if (code >= harmful[i].first && code <= harmful[i].last)
			return false;
	}
	return true;
}
