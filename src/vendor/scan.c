/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a value: see reading.h. */
#include "vendor/reading.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void scan_say(struct reading *reading, unsigned int line, const char *format, va_list ap)
{
	char text[300];

	reading->n_mistakes++;
	vsnprintf(text, sizeof(text), format, ap);
	if (reading->complain)
		reading->complain(reading->context, reading->family->file, line, text);
}

void mistake(struct reading *reading, unsigned int line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	scan_say(reading, line, format, ap);
	va_end(ap);
}

unsigned int scan_line(const struct scan *scan)
{
	const struct reading *reading = scan->reading;
	size_t offset = (size_t)(scan->at - reading->value);
	unsigned int line = reading->mark[0].line;

	for (size_t i = 1; i < reading->n_marks && reading->mark[i].offset <= offset; i++)
		line = reading->mark[i].line;
	return line;
}

bool scan_mistake(struct scan *scan, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	scan_say(scan->reading, scan_line(scan), format, ap);
	va_end(ap);
	return false;
}

void *reading_push(struct reading *reading, void *array, size_t n, size_t size)
{
	void *element = arena_push(reading->arena, array, n, size);

	reading->no_memory |= element == NULL;
	return element;
}

static void skip_blanks(struct scan *scan)
{
	scan->at += strspn(scan->at, " \t");
}

bool scan_end(struct scan *scan)
{
	skip_blanks(scan);
	return *scan->at == '\0';
}

bool scan_must_end(struct scan *scan)
{
	return scan_end(scan) || scan_mistake(scan, "\"%.40s\" is too much here", scan->at);
}

bool scan_mark(struct scan *scan, const char *text)
{
	skip_blanks(scan);
	if (strncmp(scan->at, text, strlen(text)) != 0)
		return false;
	scan->at += strlen(text);
	return true;
}

static bool is_of_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

bool scan_word(struct scan *scan, const char *text)
{
	const char *before = scan->at;

	if (scan_mark(scan, text) && !is_of_word(*scan->at))
		return true;
	scan->at = before;
	return false;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

bool scan_number(struct scan *scan, uint64_t *number)
{
	const char *at;
	uint64_t value = 0;
	unsigned int base = 10;

	skip_blanks(scan);
	at = scan->at;
	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		base = 16;
		at += 2;
	}
	if (digit_value(*at) >= base)
		return false;
	for (; digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, digit_value(*at), &value))
			return false;
	}
	if (isalpha((unsigned char)*at) && *at != 'x')
		return false;
	scan->at = at;
	*number = value;
	return true;
}

bool scan_limited(struct scan *scan, const char *what, uint64_t min, uint64_t max, uint64_t *number)
{
	if (!scan_number(scan, number))
		return scan_mistake(
			scan, "%s is wanted here, and \"%.40s\" is none", what, scan->at);
	if (*number < min || *number > max)
		return scan_mistake(scan, "%s may be from %llu to %llu, not %llu", what,
			(unsigned long long)min, (unsigned long long)max,
			(unsigned long long)*number);
	return true;
}

bool scan_hex(struct scan *scan, unsigned int digits, uint64_t *number)
{
	uint64_t value = 0;

	skip_blanks(scan);
	for (unsigned int i = 0; i < digits; i++) {
		if (digit_value(scan->at[i]) > 15)
			return false;
		value = value << 4 | digit_value(scan->at[i]);
	}
	if (isalnum((unsigned char)scan->at[digits]))
		return false;
	scan->at += digits;
	*number = value;
	return true;
}

bool name_is_good(const char *name, size_t len)
{
	if (len == 0 || len >= VENDOR_NAME_MAX || !islower((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) &&
			name[i] != '-')
			return false;
	}
	return true;
}

bool scan_name(struct scan *scan, const char *what, const char **name)
{
	size_t len = 0;

	skip_blanks(scan);
	while (is_of_word(scan->at[len]))
		len++;
	if (!name_is_good(scan->at, len))
		return scan_mistake(
			scan, "%s is wanted here, and \"%.40s\" is none", what, scan->at);
	*name = arena_text(scan->reading->arena, scan->at, len);
	scan->reading->no_memory |= *name == NULL;
	scan->at += len;
	return *name != NULL;
}

bool scan_string(struct scan *scan, const char **text)
{
	const char *end;

	if (!scan_mark(scan, "\""))
		return scan_mistake(scan,
			"a text in quotation marks is wanted here, and \"%.40s\" "
			"is none",
			scan->at);
	end = strchr(scan->at, '"');
	if (!end)
		return scan_mistake(scan, "there is no quotation mark at the end of the text");
	*text = arena_text(scan->reading->arena, scan->at, (size_t)(end - scan->at));
	scan->reading->no_memory |= *text == NULL;
	scan->at = end + 1;
	return *text != NULL;
}

const char *scan_rest(struct scan *scan)
{
	const char *text;
	size_t len;

	skip_blanks(scan);
	len = strlen(scan->at);
	while (len > 0 && (scan->at[len - 1] == ' ' || scan->at[len - 1] == '\t'))
		len--;
	text = arena_text(scan->reading->arena, scan->at, len);
	scan->reading->no_memory |= text == NULL;
	scan->at += strlen(scan->at);
	return text ? text : "";
}

/* --- bytes --- */

struct collected {
	uint8_t *bytes;
	size_t len;
};

static bool collect(struct scan *scan, struct collected *to, uint8_t byte, uint64_t times)
{
	for (; times > 0; times--) {
		uint8_t *next = reading_push(scan->reading, &to->bytes, to->len, 1);

		if (!next)
			return false;
		*next = byte;
		to->len++;
	}
	return true;
}

static bool collect_text(struct scan *scan, struct collected *to)
{
	const char *text;

	if (!scan_string(scan, &text))
		return false;
	for (; *text; text++) {
		if (!collect(scan, to, (uint8_t)*text, 1))
			return false;
	}
	return true;
}

/* NN or NN*COUNT */
static bool collect_hex(struct scan *scan, struct collected *to)
{
	uint64_t byte, times = 1;

	if (!scan_hex(scan, 2, &byte))
		return scan_mistake(
			scan, "a byte is two hexadecimal digits, and \"%.40s\" is none", scan->at);
	if (*scan->at == '*') {
		scan->at++;
		if (!scan_limited(
			    scan, "how many times a byte stands there", 1, VENDOR_DATA_MAX, &times))
			return false;
	}
	return collect(scan, to, (uint8_t)byte, times);
}

bool scan_bytes(struct scan *scan, const char *stops, const uint8_t **bytes, size_t *len)
{
	struct collected to = {NULL, 0};

	while (!scan_end(scan) && !strchr(stops, *scan->at)) {
		if (to.len > VENDOR_DATA_MAX)
			return scan_mistake(scan, "more than %u bytes", VENDOR_DATA_MAX);
		if (!(*scan->at == '"' ? collect_text(scan, &to) : collect_hex(scan, &to)))
			return false;
	}
	*bytes = to.bytes;
	*len = to.len;
	return true;
}
