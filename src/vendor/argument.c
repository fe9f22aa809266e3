/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments as a definition has them: "arg.NAME = TYPE RANGE default VALUE : TEXT". */
#include <string.h>

#include "vendor/reading.h"

static bool take_range(struct scan *scan, uint64_t most, struct argument *argument)
{
	if (!scan_limited(scan, "the smallest", 0, most, &argument->min))
		return false;
	argument->max = argument->min;
	return !scan_mark(scan, "-") ||
	       scan_limited(scan, "the largest", argument->min, most, &argument->max);
}

static bool argument_take_choice(
	struct reading *reading, struct scan *scan, struct argument *argument)
{
	struct choice *choice;

	choice = reading_push(
		reading, &argument->choice, argument->n_choices, sizeof(*argument->choice));
	if (!choice || !scan_name(scan, "a word to choose", &choice->word))
		return false;
	for (size_t i = 0; i < argument->n_choices; i++) {
		if (strcmp(argument->choice[i].word, choice->word) == 0)
			return scan_mistake(scan, "\"%s\" is there twice", choice->word);
	}
	if (!scan_mark(scan, "=") ||
		!scan_limited(scan, "what the word stands for", 0, UINT64_MAX, &choice->number))
		return scan_mistake(scan, "a choice is WORD=NUMBER");
	if (argument->n_choices == 0 || choice->number < argument->min)
		argument->min = choice->number;
	if (choice->number > argument->max)
		argument->max = choice->number;
	argument->n_choices++;
	return true;
}

/* The word default, unless it is one to choose. */
static bool at_default(struct scan *scan)
{
	const char *before = scan->at;
	bool is_default = scan_word(scan, "default") && !scan_mark(scan, "=");

	if (!is_default)
		scan->at = before;
	return is_default;
}

static bool take_choices(struct reading *reading, struct scan *scan, struct argument *argument)
{
	const char *before = scan->at;

	while (!scan_end(scan) && *scan->at != ':' && !at_default(scan)) {
		if (!argument_take_choice(reading, scan, argument))
			return false;
		before = scan->at;
	}
	scan->at = before;
	return argument->n_choices > 0 || scan_mistake(scan, "there is nothing to choose from");
}

static bool take_type(struct reading *reading, struct scan *scan, struct argument *argument)
{
	if (scan_word(scan, "number"))
		return take_range(scan, UINT64_MAX, argument);
	if (scan_word(scan, "choice")) {
		argument->type = ARGUMENT_CHOICE;
		return take_choices(reading, scan, argument);
	}
	if (scan_word(scan, "bytes")) {
		argument->type = ARGUMENT_BYTES;
		return take_range(scan, VENDOR_DATA_MAX, argument);
	}
	return scan_mistake(
		scan, "an argument is a number, a choice or bytes, not \"%.40s\"", scan->at);
}

static bool take_default(struct scan *scan, struct argument *argument)
{
	if (argument->type == ARGUMENT_BYTES)
		return scan_mistake(scan, "bytes have no default");
	argument->optional = true;
	if (argument->type == ARGUMENT_NUMBER)
		return scan_limited(
			scan, "the default", argument->min, argument->max, &argument->standard);
	for (size_t i = 0; i < argument->n_choices; i++) {
		if (!scan_word(scan, argument->choice[i].word))
			continue;
		argument->standard = argument->choice[i].number;
		return true;
	}
	return scan_mistake(scan, "the default \"%.40s\" is none of the choices", scan->at);
}

void argument_take(struct reading *reading, struct scan *scan, const char *name)
{
	struct definition *definition = reading->definition;
	struct argument *argument;

	if (!name_is_good(name, strlen(name)) || strcmp(name, "in") == 0 ||
		strcmp(name, "out") == 0) {
		scan_mistake(scan, "\"%.40s\" cannot be the name of an argument", name);
		return;
	}
	argument = reading_push(reading, &definition->argument, definition->n_arguments,
		sizeof(*definition->argument));
	if (!argument)
		return;
	*argument = (struct argument){.line = scan_line(scan), .about = ""};
	argument->name = arena_text(reading->arena, name, strlen(name));
	reading->no_memory |= argument->name == NULL;
	definition->n_arguments++;
	if (!take_type(reading, scan, argument) ||
		(scan_word(scan, "default") && !take_default(scan, argument)))
		return;
	if (scan_mark(scan, ":"))
		argument->about = scan_rest(scan);
	scan_must_end(scan);
}
