/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON written out: see json.h.  json-c has a writer, but it passes bytes on that are no UTF-8, and
 * leaves out what it has no memory for without a word.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

#define REPLACEMENT 0xfffd

struct json_writer {
	FILE *out;
	bool pretty;
};

static void write_value(const struct json_writer *w, struct json_object *value, unsigned int depth);

static void write_unit(const struct json_writer *w, uint32_t unit)
{
	fprintf(w->out, "\\u%04x", (unsigned int)unit);
}

/* One character that does not go out as it is. */
static void write_escaped(const struct json_writer *w, uint32_t code)
{
	static const char letters[] = "\b\t\n\f\r\"\\", names[] = "btnfr\"\\";
	const char *letter = code > 0 && code < 0x80 ? strchr(letters, (int)code) : NULL;

	if (letter) {
		fprintf(w->out, "\\%c", names[letter - letters]);
	} else if (code < 0x10000) {
		write_unit(w, code);
	} else {
		write_unit(w, 0xd800 + ((code - 0x10000) >> 10));
		write_unit(w, 0xdc00 + ((code - 0x10000) & 0x3ff));
	}
}

static void write_raw_bytes(const struct json_writer *w, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(w->out, "\xef\xbf\xbd%02x", bytes[i]);
}

static void write_string(const struct json_writer *w, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	fputc('"', w->out);
	while (len > 0) {
		uint32_t code = 0;
		size_t n = utf8_decode(p, len, &code);
		size_t taken = n == 0 ? 1 : n;

		if (n == 0 || code == REPLACEMENT)
			write_raw_bytes(w, p, taken);
		else if (!utf8_is_harmless(code) || code == '"' || code == '\\')
			write_escaped(w, code);
		else
			fwrite(p, 1, n, w->out);
		p += taken;
		len -= taken;
	}
	fputc('"', w->out);
}

static void write_break(const struct json_writer *w, unsigned int depth)
{
	if (w->pretty)
		fprintf(w->out, "\n%*s", (int)depth * 2, "");
}

static void write_array(const struct json_writer *w, struct json_object *array, unsigned int depth)
{
	size_t n = json_object_array_length(array);

	fputc('[', w->out);
	for (size_t i = 0; i < n; i++) {
		fputs(i > 0 ? "," : "", w->out);
		write_break(w, depth + 1);
		write_value(w, json_object_array_get_idx(array, i), depth + 1);
	}
	if (n > 0)
		write_break(w, depth);
	fputc(']', w->out);
}

static void write_object(
	const struct json_writer *w, struct json_object *object, unsigned int depth)
{
	const char *before = "";

	fputc('{', w->out);
	json_object_object_foreach(object, key, member)
	{
		fputs(before, w->out);
		before = ",";
		write_break(w, depth + 1);
		write_string(w, key, strlen(key));
		fputs(w->pretty ? ": " : ":", w->out);
		write_value(w, member, depth + 1);
	}
	if (*before)
		write_break(w, depth);
	fputc('}', w->out);
}

/* Digits as JSON has them: -12.5e+3 */
static bool json_is_number(const char *text)
{
	static const char digits[] = "0123456789";
	size_t n;

	text += *text == '-';
	n = strspn(text, digits);
	if (n == 0 || (n > 1 && *text == '0'))
		return false;
	text += n;
	if (*text == '.') {
		n = strspn(text + 1, digits);
		if (n == 0)
			return false;
		text += 1 + n;
	}
	if (*text == 'e' || *text == 'E') {
		text += 1 + (text[1] == '+' || text[1] == '-');
		n = strspn(text, digits);
		if (n == 0)
			return false;
		text += n;
	}
	return *text == '\0';
}

/* A number that was read, or made with json_add_ms(), keeps the digits that it had. */
static void write_double(const struct json_writer *w, struct json_object *number)
{
	double value = json_object_get_double(number);
	const char *digits = json_object_get_userdata(number);

	if (!isfinite(value))
		fputs("null", w->out);
	else if (digits && json_is_number(digits))
		fputs(digits, w->out);
	else
		fprintf(w->out, "%.17g", value);
}

static void write_integer(const struct json_writer *w, struct json_object *number)
{
	int64_t value = json_object_get_int64(number);

	if (value < 0)
		fprintf(w->out, "%" PRId64, value);
	else
		fprintf(w->out, "%" PRIu64, json_object_get_uint64(number));
}

static void write_value(const struct json_writer *w, struct json_object *value, unsigned int depth)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		fputs("null", w->out);
		break;
	case json_type_boolean:
		fputs(json_object_get_boolean(value) ? "true" : "false", w->out);
		break;
	case json_type_double:
		write_double(w, value);
		break;
	case json_type_int:
		write_integer(w, value);
		break;
	case json_type_string:
		write_string(w, json_object_get_string(value),
			(size_t)json_object_get_string_len(value));
		break;
	case json_type_array:
		write_array(w, value, depth);
		break;
	case json_type_object:
		write_object(w, value, depth);
		break;
	}
}

int json_write(FILE *out, struct json_object *value, bool pretty)
{
	struct json_writer w = {.out = out, .pretty = pretty};

	if (!value)
		return -1;
	write_value(&w, value, 0);
	return ferror(out) ? -1 : 0;
}

char *json_line(struct json_object *value)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);
	int r;

	if (!out)
		return NULL;
	r = json_write(out, value, false);
	if (fclose(out) != 0 || r < 0) {
		free(line);
		return NULL;
	}
	return line;
}
