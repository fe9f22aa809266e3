/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes to be sent, with values in them.  A value cannot reach out of its field, whatever the user
 * says: that is checked once, when the definition is read, for the largest that the argument may
 * be.
 */
#include <string.h>

#include "base/mem.h"
#include "vendor/reading.h"

#define WIDEST 8

/* --- reading --- */

static bool shift_read(struct scan *scan, struct term *term)
{
	bool left = scan_mark(scan, "<<");
	uint64_t by;

	if (!left && !scan_mark(scan, ">>"))
		return true;
	if (!scan_limited(scan, "a number of bits", 0, 63, &by))
		return false;
	term->shift = left ? (int)by : -(int)by;
	return true;
}

static bool term_read(struct scan *scan, struct term *term)
{
	*term = (struct term){.kind = TERM_NUMBER, .mask = UINT64_MAX};
	if (scan_word(scan, "in"))
		term->kind = TERM_IN;
	else if (scan_word(scan, "out"))
		term->kind = TERM_OUT;
	else if (!scan_number(scan, &term->number)) {
		term->kind = TERM_ARGUMENT;
		if (!scan_name(scan, "a number or the name of an argument", &term->name))
			return false;
	}
	return shift_read(scan, term) &&
	       (!scan_mark(scan, "&") || scan_limited(scan, "a mask", 0, UINT64_MAX, &term->mask));
}

bool expression_read(struct scan *scan, struct expression *expression)
{
	do {
		struct term *term = reading_push(
			scan->reading, &expression->term, expression->n, sizeof(*expression->term));

		if (!term || !term_read(scan, term))
			return false;
		expression->n++;
	} while (scan_mark(scan, "|"));
	return true;
}

/* Behind "{". */
static bool pattern_field_read(struct scan *scan, struct piece *piece)
{
	bool is_signed = false;

	*piece = (struct piece){.kind = PIECE_NUMBER, .len = 1, .line = scan_line(scan)};
	if (!expression_read(scan, &piece->expression))
		return false;
	if (scan_mark(scan, ":")) {
		if (scan_word(scan, "bytes"))
			piece->kind = PIECE_ARGUMENT;
		else if (!number_type_read(scan, &piece->len, &piece->little, &is_signed))
			return false;
	}
	if (is_signed || piece->len > WIDEST)
		return scan_mistake(scan, "a number that is sent is u8, be16 … le64");
	if (piece->kind == PIECE_ARGUMENT) {
		const struct term *term = &piece->expression.term[0];

		if (piece->expression.n != 1 || term->kind != TERM_ARGUMENT || term->shift != 0 ||
			term->mask != UINT64_MAX)
			return scan_mistake(scan, ":bytes goes with the name of an argument");
		piece->name = term->name;
	}
	return scan_mark(scan, "}") || scan_mistake(scan, "} is missing");
}

bool pattern_read(struct scan *scan, struct pattern *pattern)
{
	pattern->line = scan_line(scan);
	pattern->text = arena_text(scan->reading->arena, scan->at, strlen(scan->at));
	scan->reading->no_memory |= pattern->text == NULL;
	while (!scan_end(scan)) {
		struct piece *piece = reading_push(
			scan->reading, &pattern->piece, pattern->n, sizeof(*pattern->piece));

		if (!piece)
			return false;
		if (scan_mark(scan, "{")) {
			if (!pattern_field_read(scan, piece))
				return false;
		} else {
			*piece = (struct piece){.line = scan_line(scan)};
			if (!scan_bytes(scan, "{", &piece->bytes, &piece->len))
				return false;
		}
		pattern->n++;
	}
	return pattern->n > 0 || scan_mistake(scan, "there are no bytes");
}

/* --- checking --- */

static struct argument *find_argument(
	struct definition *definition, const char *name, size_t *index)
{
	for (*index = 0; *index < definition->n_arguments; (*index)++) {
		if (strcmp(definition->argument[*index].name, name) == 0)
			return &definition->argument[*index];
	}
	return NULL;
}

static bool find_number(struct reading *reading, struct definition *definition, struct term *term,
	unsigned int line, uint64_t *most)
{
	struct argument *argument = find_argument(definition, term->name, &term->argument);

	if (!argument) {
		mistake(reading, line, "there is no argument %s", term->name);
		return false;
	}
	argument->used = true;
	*most = argument->max;
	if (argument->type != ARGUMENT_BYTES)
		return true;
	mistake(reading, line, "%s is bytes, not a number", term->name);
	return false;
}

/* All bits that a number from 0 to MOST can have. */
static uint64_t bits_below(uint64_t most)
{
	for (unsigned int by = 1; by < 64; by <<= 1)
		most |= most >> by;
	return most;
}

static uint64_t shifted(uint64_t number, const struct term *term)
{
	return (term->shift >= 0 ? number << term->shift : number >> -term->shift) & term->mask;
}

/* The largest that TERM can be, and the bits that it can set. */
static bool term_check(struct reading *reading, struct definition *definition, struct term *term,
	unsigned int line, const uint64_t lengths[2], uint64_t *most, uint64_t *bits)
{
	uint64_t all;

	*most = term->number;
	if (term->kind == TERM_IN || term->kind == TERM_OUT)
		*most = lengths[term->kind == TERM_OUT];
	else if (term->kind == TERM_ARGUMENT && !find_number(reading, definition, term, line, most))
		return false;
	all = term->kind == TERM_NUMBER ? *most : bits_below(*most);
	if (term->shift > 0 && all >> (64 - term->shift) != 0) {
		mistake(reading, line, "%s << %d is more than 64 bits",
			term->name ? term->name : "a number", term->shift);
		return false;
	}
	*bits = shifted(all, term);
	*most = term->mask == UINT64_MAX ? shifted(*most, term) : *bits;
	return true;
}

bool expression_check(struct reading *reading, struct definition *definition,
	const struct expression *expression, unsigned int line, uint64_t in_max, uint64_t out_max,
	uint64_t *most)
{
	const uint64_t lengths[2] = {in_max, out_max};
	uint64_t taken = 0, bits;

	for (size_t i = 0; i < expression->n; i++) {
		if (!term_check(
			    reading, definition, &expression->term[i], line, lengths, most, &bits))
			return false;
		if (taken & bits) {
			mistake(reading, line,
				"two values share bits %#llx: one would change the other",
				(unsigned long long)(taken & bits));
			return false;
		}
		taken |= bits;
	}
	if (expression->n > 1)
		*most = taken;
	return true;
}

/* What ">>" shifts beyond the field is meant to be left out. */
static uint64_t kept(const struct piece *piece, uint64_t most)
{
	uint64_t room = piece->len < WIDEST ? (UINT64_C(1) << 8 * piece->len) - 1 : UINT64_MAX;

	for (size_t i = 0; i < piece->expression.n; i++) {
		if (piece->expression.term[i].shift < 0)
			return most & room;
	}
	return most;
}

static bool number_check(struct reading *reading, struct definition *definition,
	const struct piece *piece, uint64_t in_max, uint64_t out_max)
{
	uint64_t most;

	if (!expression_check(
		    reading, definition, &piece->expression, piece->line, in_max, out_max, &most))
		return false;
	most = kept(piece, most);
	if (piece->len >= WIDEST || most >> 8 * piece->len == 0)
		return true;
	mistake(reading, piece->line, "a value of up to %#llx does not fit into %zu byte%s",
		(unsigned long long)most, piece->len, piece->len == 1 ? "" : "s");
	return false;
}

static bool bytes_check(struct reading *reading, struct definition *definition, struct piece *piece,
	size_t *min, size_t *max)
{
	struct argument *argument = find_argument(definition, piece->name, &piece->argument);

	if (!argument || argument->type != ARGUMENT_BYTES) {
		mistake(reading, piece->line, "there is no argument %s of bytes", piece->name);
		return false;
	}
	argument->used = true;
	*min += (size_t)argument->min;
	*max += (size_t)argument->max;
	return true;
}

bool pattern_measure(
	struct reading *reading, struct definition *definition, struct pattern *pattern)
{
	bool good = true;

	pattern->min = pattern->max = 0;
	for (size_t i = 0; i < pattern->n; i++) {
		struct piece *piece = &pattern->piece[i];

		if (piece->kind == PIECE_ARGUMENT) {
			good &= bytes_check(
				reading, definition, piece, &pattern->min, &pattern->max);
			continue;
		}
		pattern->min += piece->len;
		pattern->max += piece->len;
	}
	return good;
}

bool pattern_check(struct reading *reading, struct definition *definition,
	const struct pattern *pattern, uint64_t in_max, uint64_t out_max)
{
	bool good = true;

	for (size_t i = 0; i < pattern->n; i++) {
		if (pattern->piece[i].kind == PIECE_NUMBER)
			good &= number_check(
				reading, definition, &pattern->piece[i], in_max, out_max);
	}
	return good;
}

/* --- rendering --- */

uint64_t expression_value(const struct expression *expression, const struct argument_value *values,
	uint64_t in_len, uint64_t out_len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < expression->n; i++) {
		const struct term *term = &expression->term[i];
		uint64_t number = term->number;

		if (term->kind == TERM_ARGUMENT)
			number = values[term->argument].number;
		else if (term->kind != TERM_NUMBER)
			number = term->kind == TERM_IN ? in_len : out_len;
		value |= shifted(number, term);
	}
	return value;
}

static void put_number(uint8_t *out, const struct piece *piece, uint64_t number)
{
	for (size_t i = 0; i < piece->len; i++) {
		out[piece->little ? i : piece->len - 1 - i] = (uint8_t)number;
		number >>= 8;
	}
}

size_t pattern_length(const struct pattern *pattern, const struct argument_value *values)
{
	size_t len = 0;

	for (size_t i = 0; i < pattern->n; i++) {
		const struct piece *piece = &pattern->piece[i];

		len += piece->kind == PIECE_ARGUMENT ? values[piece->argument].len : piece->len;
	}
	return len;
}

size_t pattern_render(const struct pattern *pattern, const struct argument_value *values,
	uint64_t in_len, uint64_t out_len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < pattern->n; i++) {
		const struct piece *piece = &pattern->piece[i];
		const uint8_t *bytes = piece->bytes;
		size_t len = piece->len;

		if (piece->kind == PIECE_NUMBER) {
			put_number(out + n, piece,
				expression_value(&piece->expression, values, in_len, out_len));
		} else {
			if (piece->kind == PIECE_ARGUMENT) {
				bytes = values[piece->argument].bytes;
				len = values[piece->argument].len;
			}
			if (len > 0)
				memcpy(out + n, bytes, len);
		}
		n += len;
	}
	return n;
}
