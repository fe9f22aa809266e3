/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from outside, made safe for the place where it is shown: the rules are in text.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

/* What shells take as it is (only zsh minds a '=' at the front). */
#define SHELL_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,=@%+-"

char *text_escape(const void *bytes, size_t len, char *out, size_t room)
{
	const uint8_t *p = bytes;
	size_t n = 0;

	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i++) {
		bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';

		if (n + (plain ? 1 : 4) >= room)
			break;
		n += (size_t)snprintf(out + n, room - n, plain ? "%c" : "\\x%02x", p[i]);
	}
	if (room > 0)
		out[n] = '\0';
	return out;
}

size_t text_show_next(const char *bytes, size_t len, char out[16])
{
	const uint8_t *p = (const uint8_t *)bytes;
	uint32_t code;
	size_t n = utf8_decode(p, len, &code);

	if (len == 0)
		return 0;
	if (n > 0 && utf8_is_harmless(code)) {
		memcpy(out, bytes, n);
		out[n] = '\0';
		return n;
	}
	if (n > 1) {
		snprintf(out, 16, "\\u{%x}", (unsigned int)code);
		return n;
	}
	snprintf(out, 16, "\\x%02x", p[0]);
	return 1;
}

char *text_show(const char *text, char *out, size_t room)
{
	size_t len = strlen(text), n = 0;
	char one[16];

	while (len > 0) {
		size_t taken = text_show_next(text, len, one), width = strlen(one);

		if (n + width >= room)
			break;
		memcpy(out + n, one, width);
		n += width;
		text += taken;
		len -= taken;
	}
	if (room > 0)
		out[n] = '\0';
	return out;
}

static bool can_be_shown(const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		uint32_t code;
		size_t n = utf8_decode((const uint8_t *)text, len, &code);

		if (n == 0 || !utf8_is_harmless(code))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

/* '...', where a quote inside becomes '\'': it ends the quotes, is itself, and begins them anew. */
static void quote_plainly(const char *text, char *out)
{
	*out++ = '\'';
	for (; *text; text++) {
		if (*text == '\'') {
			memcpy(out, "'\\''", 4);
			out += 4;
		} else {
			*out++ = *text;
		}
	}
	memcpy(out, "'", 2);
}

/* $'...', where octal escapes of three digits end by themselves, whatever follows. */
static void quote_with_escapes(const char *text, char *out)
{
	size_t len = strlen(text);

	memcpy(out, "$'", 2);
	out += 2;
	while (len > 0) {
		uint32_t code;
		size_t n = utf8_decode((const uint8_t *)text, len, &code);
		bool plain = n > 0 && utf8_is_harmless(code) && *text != '\'' && *text != '\\';

		n = n == 0 ? 1 : n;
		for (size_t i = 0; i < n; i++) {
			if (plain)
				*out++ = text[i];
			else
				out += sprintf(out, "\\%03o", (uint8_t)text[i]);
		}
		text += n;
		len -= n;
	}
	memcpy(out, "'", 2);
}

static char *quote(const char *before, const char *text)
{
	size_t len = strlen(before) + strlen(text);
	cleanup_free char *word = malloc(len + 1);
	char *out = malloc(4 * len + 4);

	if (!word || !out) {
		free(out);
		return NULL;
	}
	snprintf(word, len + 1, "%s%s", before, text);
	if (len > 0 && word[0] != '=' && strspn(word, SHELL_PLAIN) == len)
		memcpy(out, word, len + 1);
	else if (can_be_shown(word))
		quote_plainly(word, out);
	else
		quote_with_escapes(word, out);
	return out;
}

char *text_shell_quote(const char *text)
{
	return quote("", text);
}

char *text_shell_file(const char *text)
{
	return quote(text[0] == '-' && text[1] != '\0' ? "./" : "", text);
}

static bool fits_file_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-';
}

char *text_file_name(const char *text, char *out, size_t room)
{
	size_t n = 0;

	for (; *text && n + 1 < room; text++)
		out[n++] = fits_file_name(*text) ? *text : '_';
	if (n > 0 && (out[0] == '.' || out[0] == '-'))
		out[0] = '_';
	if (room > 0)
		out[n] = '\0';
	return out;
}
