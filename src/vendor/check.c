/* SPDX-License-Identifier: BSD-2-Clause */
/* What only shows when a whole file is there: what is missing, and what contradicts itself. */
#include <string.h>

#include "vendor/reading.h"

#define BOT_CDB_MAX 16

/* --- fields and the answer's length --- */

static void reach_check(
	struct reading *reading, unsigned int line, const char *name, size_t end, size_t in_max)
{
	if (end > in_max)
		mistake(reading, line, "%s ends at byte %zu, and the answer has at most %zu", name,
			end, in_max);
}

static void item_check(
	struct reading *reading, const struct item *item, unsigned int line, size_t in_max)
{
	const struct field *field = &item->field;
	size_t size = item->table.size;

	if (!item->is_table) {
		if (field->type != FIELD_REGISTER)
			reach_check(reading, line ? line : item->line, item->name,
				field->len == VENDOR_FIELD_END ? field->offset + 1
							       : field->offset + field->len,
				in_max);
		return;
	}
	if (item->table.count != VENDOR_FIELD_END)
		size *= item->table.count;
	reach_check(
		reading, line ? line : item->line, item->name, item->table.offset + size, in_max);
}

void layout_check(struct reading *reading, const struct step *step, const struct layout *layout,
	unsigned int line)
{
	for (size_t i = 0; i < layout->n; i++)
		item_check(reading, &layout->item[i], line, step->in_max);
	if (layout->length_len > 0)
		reach_check(reading, line ? line : step->in_line, "the length",
			layout->length_offset + layout->length_len, step->in_max);
}

/* Fields of a table, within a row. */
static void table_check(struct reading *reading, const struct item *item)
{
	if (item->n_columns == 0)
		mistake(reading, item->line, "the table %s has no fields", item->name);
	for (size_t i = 0; i < item->n_columns; i++) {
		const struct field *field = &item->column[i];

		if (item->table.size_len == 0 && field->len != VENDOR_FIELD_END &&
			field->offset + field->len > item->table.size)
			mistake(reading, field->line, "%s ends at byte %zu of rows of %zu",
				field->name, field->offset + field->len, item->table.size);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(item->column[j].name, field->name) == 0)
				mistake(reading, field->line, "%s is there twice", field->name);
		}
	}
}

static void tables_check(struct reading *reading, const struct layout *layout)
{
	for (size_t i = 0; i < layout->n; i++) {
		if (layout->item[i].is_table)
			table_check(reading, &layout->item[i]);
	}
}

/* --- a step --- */

static bool wants_answer(const struct step *step)
{
	bool decodes = step->layout_name || step->own.length_len > 0;

	for (size_t i = 0; i < step->own.n; i++)
		decodes |= step->own.item[i].is_table ||
			   step->own.item[i].field.type != FIELD_REGISTER;
	return step->n_expects > 0 || step->until.len > 0 || decodes;
}

static void matches_check(struct reading *reading, const struct step *step)
{
	for (size_t i = 0; i < step->n_expects; i++)
		reach_check(reading, step->line, "what is expected",
			step->expect[i].offset + step->expect[i].len, step->in_max);
	if (step->until.len > 0)
		reach_check(reading, step->line, "what it waits for",
			step->until.offset + step->until.len, step->in_max);
}

static bool in_check(struct reading *reading, struct definition *definition, struct step *step)
{
	uint64_t most = 0;

	if (step->in.n == 0)
		return true;
	if (step->out.n > 0) {
		mistake(reading, step->in_line, "a step has in or out, not both");
		return false;
	}
	if (!expression_check(
		    reading, definition, &step->in, step->in_line, 0, step->out.max, &most))
		return false;
	if (most == 0 || most > VENDOR_DATA_MAX) {
		mistake(reading, step->in_line, "in may come to %llu bytes; 1 to %u are possible",
			(unsigned long long)most, VENDOR_DATA_MAX);
		return false;
	}
	step->in_max = (size_t)most;
	return true;
}

static void cdb_check(struct reading *reading, struct definition *definition, struct step *step)
{
	unsigned int wires = definition_wires(definition);

	if (!pattern_measure(reading, definition, &step->cdb) ||
		!pattern_check(reading, definition, &step->cdb, step->in_max, step->out.max))
		return;
	if (step->cdb.piece[0].kind != PIECE_BYTES)
		mistake(reading, step->cdb.line, "the operation code is a constant");
	if (step->cdb.max > TRANSPORT_CDB_MAX)
		mistake(reading, step->cdb.line, "a CDB of %zu bytes; %d are possible",
			step->cdb.max, TRANSPORT_CDB_MAX);
	else if (step->cdb.max > BOT_CDB_MAX && wires & VENDOR_WIRE_BOT)
		mistake(reading, step->cdb.line,
			"a CDB of %zu bytes cannot travel over Bulk-Only: transports = uas",
			step->cdb.max);
}

/* The CDB as it is with the smallest arguments. */
static void effect_check(
	struct reading *reading, const struct definition *definition, const struct step *step)
{
	const struct piece *first = &step->cdb.piece[0];
	enum scsi_effect effect;
	char name[200];

	/* Whole and constant, or not to be known before it is sent. */
	if (step->cdb.n != 1 || first->kind != PIECE_BYTES ||
		definition_vouches(definition, first->bytes, first->len))
		return;
	effect = scsi_effect(first->bytes, first->len);
	if (effect > definition->safety && effect != EFFECT_UNKNOWN)
		mistake(reading, step->cdb.line, "safety = %s, but %s %s",
			scsi_effect_name(definition->safety),
			scsi_command_name(first->bytes, first->len, name, sizeof(name)),
			scsi_effect_name(effect));
}

static void step_check(struct reading *reading, struct definition *definition, struct step *step)
{
	size_t before = reading->n_mistakes;

	if (step->cdb.n == 0) {
		mistake(reading, step->line, "there is no cdb");
		return;
	}
	if (step->out.n > 0) {
		if (!pattern_measure(reading, definition, &step->out))
			return;
		if (step->out.max > VENDOR_DATA_MAX)
			mistake(reading, step->out.line, "out may come to %zu bytes; at most %u",
				step->out.max, VENDOR_DATA_MAX);
		pattern_check(reading, definition, &step->out, 0, step->out.max);
	}
	if (!in_check(reading, definition, step))
		return;
	cdb_check(reading, definition, step);
	if (wants_answer(step) && step->in.n == 0)
		mistake(reading, step->line,
			"an answer is to be understood, but none is asked "
			"for: in is missing");
	else if (step->in.n > 0)
		layout_check(reading, step, &step->own, 0);
	if (step->in.n > 0)
		matches_check(reading, step);
	tables_check(reading, &step->own);
	if (reading->n_mistakes == before)
		effect_check(reading, definition, step);
}

/* --- a command --- */

static void missing(struct reading *reading, const struct definition *definition, const char *key)
{
	mistake(reading, definition->line, "the command %s has no %s", definition->name, key);
}

static void needed_check(struct reading *reading, const struct definition *definition)
{
	const struct family *family = definition->family;

	if (!definition->about)
		missing(reading, definition, "about");
	if (!definition->source && !family->source)
		missing(reading, definition, "source, nor has its family");
	if (!definition->has_safety)
		missing(reading, definition, "safety");
	if (definition_ids(definition)->n_ids == 0)
		missing(reading, definition, "drives, nor has its family");
}

static void arguments_check(struct reading *reading, const struct definition *definition)
{
	for (size_t i = 0; i < definition->n_arguments; i++) {
		if (!definition->argument[i].used)
			mistake(reading, definition->argument[i].line,
				"the argument %s is used nowhere", definition->argument[i].name);
	}
}

static void definition_check(struct reading *reading, struct definition *definition)
{
	needed_check(reading, definition);
	for (size_t i = 0; i < definition->n_steps; i++)
		step_check(reading, definition, &definition->step[i]);
	for (size_t i = 0; i < definition->n_finally; i++)
		step_check(reading, definition, &definition->finally[i]);
	arguments_check(reading, definition);
}

static void names_check(struct reading *reading, const struct family *family)
{
	for (size_t i = 0; i < family->n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(family->definition[i].name, family->definition[j].name) == 0)
				mistake(reading, family->definition[i].line,
					"the command %s is there twice, in line %u as well",
					family->definition[i].name, family->definition[j].line);
		}
	}
}

/* --- confirm --- */

static struct definition *find_here(struct family *family, const char *name)
{
	for (size_t i = 0; i < family->n; i++) {
		if (strcmp(family->definition[i].name, name) == 0)
			return &family->definition[i];
	}
	return NULL;
}

static bool is_harmless_question(const struct definition *definition)
{
	bool expects = false;

	for (size_t i = 0; i < definition->n_arguments; i++) {
		if (!definition->argument[i].optional)
			return false;
	}
	for (size_t i = 0; i < definition->n_steps; i++)
		expects |= definition->step[i].n_expects > 0;
	return expects && definition->safety == EFFECT_READS && !definition->atomic &&
	       !definition->redirects;
}

static void confirm_check(struct reading *reading, struct definition *definition)
{
	struct family *family = reading->family;
	const struct fit *fit = definition->fit.confirm ? &definition->fit : &family->fit;
	struct definition *confirm;

	if (!fit->confirm || strcmp(fit->confirm, "none") == 0)
		return;
	confirm = find_here(family, fit->confirm);
	if (!confirm)
		mistake(reading, fit->confirm_line,
			"confirm names the command %s, and there is "
			"none in this file",
			fit->confirm);
	else if (!is_harmless_question(confirm))
		mistake(reading, fit->confirm_line,
			"%s cannot confirm anything: it has to read, expect something, and need no "
			"arguments",
			fit->confirm);
	else if (confirm != definition)
		definition->confirm = confirm;
}

/* --- the family --- */

void family_check(struct reading *reading)
{
	struct family *family = reading->family;

	if (family->line == 0) {
		mistake(reading, 1, "there is no [family]");
		return;
	}
	if (!family->name)
		mistake(reading, family->line, "the family has no name");
	if (!family->title && family->n > 0)
		mistake(reading, family->line, "the family has no title");
	if (family->n == 0 && family->n_layouts == 0)
		mistake(reading, family->line, "the file has neither commands nor layouts");
	for (size_t i = 0; i < family->n_layouts; i++)
		tables_check(reading, &family->layout[i]);
	for (size_t i = 0; i < family->n; i++)
		definition_check(reading, &family->definition[i]);
	names_check(reading, family);
	for (size_t i = 0; i < family->n; i++)
		confirm_check(reading, &family->definition[i]);
}
