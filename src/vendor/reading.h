/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading definition files: what the files of this room share while they do. */
#ifndef UMS_VENDOR_READING_H
#define UMS_VENDOR_READING_H

#include "vendor/arena.h"
#include "vendor/vendor.h"

enum section {
	SECTION_NONE,
	SECTION_FAMILY,
	SECTION_COMMAND,
	SECTION_STEP,
	SECTION_FINALLY,
	SECTION_LAYOUT
};

/* A value may go on over several lines: where each begins in it. */
struct line_mark {
	size_t offset;
	unsigned int line;
};

#define VALUE_MAX    8192
#define VALUE_LINES  100
#define SECTION_KEYS 200

struct reading {
	struct arena *arena;
	struct family *family;
	vendor_complaint *complain;
	void *context;
	bool no_memory;
	size_t n_mistakes;

	enum section section;
	bool section_is_bad; /* its keys are passed over */
	unsigned int section_line;
	struct definition *definition; /* of COMMAND, STEP and FINALLY */
	struct step *step;
	struct layout *layout;		/* of the step, or of LAYOUT */
	const char *seen[SECTION_KEYS]; /* keys of this section */
	size_t n_seen;

	/* the key that is being read */
	char key[80];
	char value[VALUE_MAX];
	size_t value_len;
	struct line_mark mark[VALUE_LINES];
	size_t n_marks;
};

/* Reads FILE into a new family of ARENA; NULL and ERR when it cannot be read.  Mistakes go to
 * COMPLAIN and are counted in *N_MISTAKES. */
struct family *family_read(struct arena *arena, const char *file, vendor_complaint *complain,
	void *context, size_t *n_mistakes, struct err *err);

/* A mistake in LINE. */
void mistake(struct reading *reading, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* keys.c: understands the key and value that READING holds. */
void key_take(struct reading *reading);

struct scan;

/* argument.c: the argument NAME of the command that READING is in. */
void argument_take(struct reading *reading, struct scan *scan, const char *name);

/* --- scan.c: a value from left to right; what is not there leaves it where it was --- */

struct scan {
	struct reading *reading;
	const char *at;
};

/* A mistake at the place where SCAN is; returns false. */
bool scan_mistake(struct scan *scan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The line in which SCAN is. */
unsigned int scan_line(const struct scan *scan);

/* Nothing but blanks is left. */
bool scan_end(struct scan *scan);

/* As scan_end; a mistake otherwise. */
bool scan_must_end(struct scan *scan);

/* Exactly TEXT is next (behind blanks), and is passed. */
bool scan_mark(struct scan *scan, const char *text);

/* The word TEXT is next, and nothing else of a word follows it. */
bool scan_word(struct scan *scan, const char *text);

/* A number, decimal or 0x. */
bool scan_number(struct scan *scan, uint64_t *number);

/* A number is next and from MIN to MAX; a mistake otherwise, calling it WHAT. */
bool scan_limited(
	struct scan *scan, const char *what, uint64_t min, uint64_t max, uint64_t *number);

/* DIGITS hexadecimal digits without 0x, and no further one. */
bool scan_hex(struct scan *scan, unsigned int digits, uint64_t *number);

/* A name of this language into *NAME; a mistake otherwise, calling it WHAT. */
bool scan_name(struct scan *scan, const char *what, const char **name);

/* "…" into *TEXT. */
bool scan_string(struct scan *scan, const char **text);

/* What is left, without blanks around it. */
const char *scan_rest(struct scan *scan);

/* Two digits, NN*COUNT or "text", as many as there are up to the end or a character of STOPS. */
bool scan_bytes(struct scan *scan, const char *stops, const uint8_t **bytes, size_t *len);

/* A name is well-formed. */
bool name_is_good(const char *name, size_t len);

/* Room for one more in an array of the reading's arena; sets no_memory when there is none. */
void *reading_push(struct reading *reading, void *array, size_t n, size_t size);

/* --- pattern.c --- */

bool pattern_read(struct scan *scan, struct pattern *pattern);
bool expression_read(struct scan *scan, struct expression *expression);

/* Finds the arguments of EXPRESSION, or PATTERN, and the most that they can come to, with a step
 * whose lengths are at most IN_MAX and OUT_MAX.  A mistake (false) when a name is unknown, or a
 * value could reach beyond its field or into another's bits. */
bool expression_check(struct reading *reading, struct definition *definition,
	const struct expression *expression, unsigned int line, uint64_t in_max, uint64_t out_max,
	uint64_t *most);
bool pattern_check(struct reading *reading, struct definition *definition,
	const struct pattern *pattern, uint64_t in_max, uint64_t out_max);

/* How long PATTERN can be, at least and at most. */
bool pattern_measure(
	struct reading *reading, struct definition *definition, struct pattern *pattern);

uint64_t expression_value(const struct expression *expression, const struct argument_value *values,
	uint64_t in_len, uint64_t out_len);

/* Renders PATTERN into OUT of PATTERN->max bytes; returns the length. */
size_t pattern_render(const struct pattern *pattern, const struct argument_value *values,
	uint64_t in_len, uint64_t out_len, uint8_t *out);

/* How long it will be. */
size_t pattern_length(const struct pattern *pattern, const struct argument_value *values);

/* --- field.c --- */

/* "field.NAME", "field.TABLE.NAME", "table.NAME" and "length" of LAYOUT. */
void field_take(struct reading *reading, struct scan *scan, const char *name);
void table_take(struct reading *reading, struct scan *scan, const char *name);
bool length_take(struct scan *scan);

/* OFFSET BYTES. */
bool match_read(struct scan *scan, const char *stops, struct match *match);

/* A number's type ("be16"), without bits. */
bool number_type_read(struct scan *scan, size_t *len, bool *little, bool *is_signed);

/* --- check.c: what only shows when the whole file is there --- */

void family_check(struct reading *reading);

/* Whether STEP's answer, of at most STEP->in_max bytes, reaches all fields of LAYOUT. */
void layout_check(struct reading *reading, const struct step *step, const struct layout *layout,
	unsigned int line);

#endif
