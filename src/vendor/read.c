/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines and sections of a definition file.  libinih takes lines apart into keys and values; what it
 * does not tell, the numbers of lines and where a section begins, its reader sees: that is ours,
 * and it is asked for one line at a time.
 */
#include "vendor/reading.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FILE_MOST (1u << 20)

struct input {
	struct reading *reading;
	FILE *file;
	unsigned int line;
	size_t bytes;
	bool continued; /* this line goes on with the value of the one before */
	bool skip;	/* nothing of it is to be heard of again */
};

/* --- sections --- */

static void flush(struct reading *reading)
{
	if (reading->n_marks > 0 && !reading->section_is_bad)
		key_take(reading);
	reading->n_marks = 0;
	reading->value_len = 0;
	reading->value[0] = '\0';
}

static void begin_step(struct reading *reading, struct step *step)
{
	if (!step)
		return;
	*step = (struct step){.every_ms = 100, .tries = 50, .timeout_s = 30, .own.name = ""};
	step->line = reading->section_line;
	reading->step = step;
	reading->layout = &step->own;
}

static void begin_command(struct reading *reading, const char *name)
{
	struct family *family = reading->family;
	struct definition *definition =
		reading_push(reading, &family->definition, family->n, sizeof(*family->definition));

	if (!definition)
		return;
	*definition =
		(struct definition){.family = family, .name = name, .safety = EFFECT_DESTROYS};
	definition->line = reading->section_line;
	family->n++;
	reading->definition = definition;
	begin_step(reading, reading_push(reading, &definition->step, 0, sizeof(struct step)));
	definition->n_steps = reading->step ? 1 : 0;
}

static void begin_layout(struct reading *reading, const char *name)
{
	struct family *family = reading->family;
	struct layout *layout =
		reading_push(reading, &family->layout, family->n_layouts, sizeof(*family->layout));

	if (!layout)
		return;
	*layout =
		(struct layout){.name = name, .file = family->file, .line = reading->section_line};
	family->n_layouts++;
	reading->layout = layout;
}

/* [step] and [finally] belong to the command above. */
static bool begin_further(struct reading *reading, bool finally)
{
	struct definition *definition = reading->definition;
	struct step **steps;
	size_t *n;

	if (!definition) {
		mistake(reading, reading->section_line, "a step needs a [command NAME] above it");
		return false;
	}
	steps = finally ? &definition->finally : &definition->step;
	n = finally ? &definition->n_finally : &definition->n_steps;
	if (!finally && definition->n_finally > 0) {
		mistake(reading, reading->section_line, "a [step] stands before [finally]");
		return false;
	}
	begin_step(reading, reading_push(reading, steps, *n, sizeof(**steps)));
	(*n)++;
	return true;
}

static bool begin_family(struct reading *reading)
{
	if (reading->family->line == 0 && reading->family->n == 0 &&
		reading->family->n_layouts == 0) {
		reading->family->line = reading->section_line;
		return true;
	}
	mistake(reading, reading->section_line,
		"[family] is the first section, and there is one of them");
	return false;
}

/* "command NAME" and "layout NAME": the name, or NULL when it is none. */
static const char *section_name(struct reading *reading, const char *text, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(text, kind, len) != 0 || !isblank((unsigned char)text[len]))
		return NULL;
	text += len + strspn(text + len, " \t");
	if (!name_is_good(text, strlen(text))) {
		mistake(reading, reading->section_line,
			"\"%.40s\" is no name: small letters, digits and -, at most %d", text,
			VENDOR_NAME_MAX - 1);
		text = "";
	}
	text = arena_text(reading->arena, text, strlen(text));
	reading->no_memory |= text == NULL;
	return text;
}

static bool begin_named(struct reading *reading, const char *text)
{
	const char *name = section_name(reading, text, "command");

	if (name) {
		reading->section = SECTION_COMMAND;
		begin_command(reading, name);
		return name[0] && reading->step;
	}
	name = section_name(reading, text, "layout");
	if (name) {
		reading->section = SECTION_LAYOUT;
		reading->definition = NULL;
		begin_layout(reading, name);
		return name[0] && reading->layout;
	}
	mistake(reading, reading->section_line,
		"there is no section [%.40s]: family, command NAME, step, finally, layout NAME",
		text);
	return false;
}

static bool begin_section(struct reading *reading, const char *text)
{
	if (strcmp(text, "family") == 0) {
		reading->section = SECTION_FAMILY;
		return begin_family(reading);
	}
	if (reading->family->line == 0) {
		mistake(reading, reading->section_line, "the first section is [family]");
		reading->family->line = reading->section_line;
	}
	if (strcmp(text, "step") == 0 || strcmp(text, "finally") == 0) {
		reading->section = text[0] == 's' ? SECTION_STEP : SECTION_FINALLY;
		return begin_further(reading, text[0] == 'f') && reading->step;
	}
	return begin_named(reading, text);
}

static void take_section(struct reading *reading, unsigned int line, const char *text)
{
	char name[80];
	size_t len = strcspn(text, "]");

	flush(reading);
	reading->section_line = line;
	reading->n_seen = 0;
	reading->section = SECTION_NONE;
	reading->section_is_bad = true;
	reading->step = NULL;
	reading->layout = NULL;
	if (text[len] != ']' || len >= sizeof(name)) {
		mistake(reading, line, "a section is [NAME]");
		return;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	reading->section_is_bad = !begin_section(reading, name);
}

/* --- lines --- */

/* What libinih could not tell from something else, or would only say of the first one. */
static void read_look_at(struct input *input, const char *text)
{
	struct reading *reading = input->reading;
	size_t blanks = strspn(text, " \t");
	const char *start = text + blanks;

	input->skip = *start == '\0' || *start == '\n' || *start == '#' || *start == ';';
	if (input->skip)
		return;
	if (*start == '[' && blanks == 0) {
		take_section(reading, input->line, start + 1);
		input->skip = true;
		return;
	}
	input->continued = blanks > 0;
	input->skip = true;
	if (input->continued && reading->n_marks == 0)
		mistake(reading, input->line,
			"a line that begins with a blank goes on with a value, and there is none");
	else if (!input->continued && !strpbrk(start, "=:"))
		mistake(reading, input->line, "neither KEY = VALUE nor [SECTION]");
	else if (!input->continued && reading->section == SECTION_NONE && !reading->section_is_bad)
		mistake(reading, input->line, "a key before the first section");
	else
		input->skip = false;
}

/* How many bytes the UTF-8 character at TEXT has, 0 when it is none, or a control character. */
static size_t clean_character(const char *text)
{
	unsigned char c = (unsigned char)text[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
		return 0;
	if (c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/* TEXT is shown to users later: nothing in it may steer their terminals. */
static bool is_clean(const char *text)
{
	while (*text) {
		size_t n = clean_character(text);

		if (n == 0)
			return false;
		text += n;
	}
	return true;
}

/* One line for libinih, of at most ROOM - 1 bytes: an empty one instead of what it need not see. */
static char *next_line(char *out, int room, void *context)
{
	struct input *input = context;
	char line[1024];
	size_t len;

	if (!fgets(line, sizeof(line), input->file) || input->bytes > FILE_MOST)
		return NULL;
	input->line++;
	len = strlen(line);
	input->bytes += len;
	snprintf(out, (size_t)room, "\n");
	if (len + 3 > (size_t)room || !is_clean(line)) {
		mistake(input->reading, input->line,
			is_clean(line) ? "the line is longer than 190 characters"
				       : "the line has characters in it that are not UTF-8 text");
		for (; len > 0 && line[len - 1] != '\n'; len = strlen(line)) {
			if (!fgets(line, sizeof(line), input->file))
				break;
		}
		flush(input->reading);
		return out;
	}
	read_look_at(input, line);
	if (!input->skip)
		memcpy(out, line, len + 1);
	return out;
}

static void read_append(struct reading *reading, unsigned int line, const char *value)
{
	size_t len = strlen(value);

	if (reading->value_len + len + 2 > VALUE_MAX || reading->n_marks == VALUE_LINES) {
		mistake(reading, line, "the value is too long");
		return;
	}
	if (reading->n_marks > 0)
		reading->value[reading->value_len++] = ' ';
	reading->mark[reading->n_marks++] = (struct line_mark){reading->value_len, line};
	memcpy(reading->value + reading->value_len, value, len + 1);
	reading->value_len += len;
}

/* libinih has taken a line apart. */
static int take_line(void *context, const char *section, const char *name, const char *value)
{
	struct input *input = context;
	struct reading *reading = input->reading;

	(void)section;
	if (!input->continued) {
		flush(reading);
		snprintf(reading->key, sizeof(reading->key), "%s", name);
	}
	read_append(reading, input->line, value);
	return 1;
}

/* --- the file --- */

static int read_lines(struct reading *reading, const char *file, struct err *err)
{
	cleanup_fclose FILE *stream = fopen(file, "re");
	struct input input = {.reading = reading, .file = stream};

	if (!stream)
		return err_sys(err, errno, "cannot open %s", file);
	ini_parse_stream(next_line, &input, take_line, &input);
	if (ferror(stream))
		return err_sys(err, errno, "cannot read %s", file);
	flush(reading);
	if (input.bytes > FILE_MOST)
		mistake(reading, input.line, "the file is longer than 1 MiB");
	return 0;
}

struct family *family_read(struct arena *arena, const char *file, vendor_complaint *complain,
	void *context, size_t *n_mistakes, struct err *err)
{
	cleanup_free struct reading *reading = calloc(1, sizeof(*reading));
	struct family *family = arena_alloc(arena, sizeof(*family));
	char *name = arena_text(arena, file, strlen(file));

	if (!reading || !family || !name) {
		err_memory(err, "for definitions");
		return NULL;
	}
	family->file = name;
	*reading = (struct reading){
		.arena = arena, .family = family, .complain = complain, .context = context};
	if (read_lines(reading, file, err) < 0)
		return NULL;
	if (!reading->no_memory)
		family_check(reading);
	*n_mistakes = reading->n_mistakes;
	if (!reading->no_memory)
		return family;
	err_set(err, ERR_NO_MEMORY, "%s asks for too much memory", file);
	return NULL;
}
