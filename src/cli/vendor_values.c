/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoded values as lines, tables and JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/vendor.h"

#define TEXT_ROOM 17000 /* the longest text of a field, escaped, and a unit */
#define COLUMNS	  16
#define WIDEST	  60

/* A number of up to 128 bits in decimal. */
static char *shown_decimal(unsigned __int128 number, bool negative, char out[48])
{
	char *at = out + 47;

	*at = '\0';
	do {
		*--at = (char)('0' + (int)(number % 10));
		number /= 10;
	} while (number > 0);
	if (negative)
		*--at = '-';
	return at;
}

static bool shown_is_number(const struct value *value)
{
	return !value->missing && !value->text;
}

static void shown_format(const struct value *value, char *out, size_t room)
{
	const char *unit = value->field->unit;
	char digits[48];

	if (value->missing)
		snprintf(out, room, "(missing: the answer ends before it)");
	else if (value->text)
		snprintf(out, room, "%s%s%s", value->text, *unit ? " " : "", unit);
	else if (value->word)
		snprintf(out, room, "%s (%s)", value->word,
			shown_decimal(value->number, value->negative, digits));
	else
		snprintf(out, room, "%s%s%s", shown_decimal(value->number, value->negative, digits),
			*unit ? " " : "", unit);
}

/* --- JSON --- */

static struct json_object *shown_number_json(const struct value *value)
{
	char digits[48];

	if (value->negative && value->number <= INT64_MAX)
		return json_object_new_int64(-(int64_t)value->number);
	if (value->number <= UINT64_MAX)
		return json_object_new_uint64((uint64_t)value->number);
	return json_object_new_string(shown_decimal(value->number, value->negative, digits));
}

static struct json_object *shown_value_json(const struct value *value)
{
	struct json_object *o;

	if (!shown_is_number(value))
		return json_object_new_string(value->text);
	if (!value->word)
		return shown_number_json(value);
	o = json_object_new_object();
	json_add(&o, "value", shown_number_json(value));
	json_add_text(&o, "means", value->word);
	return o;
}

/* The array of rows that KEY is in ROOT, or the object that row I is in it; a new one where there
 * is none yet, NULL when memory is out.  It stays ROOT's. */
static struct json_object *shown_table(struct json_object *root, const char *key)
{
	struct json_object *array;

	if (json_object_object_get_ex(root, key, &array))
		return array;
	array = json_object_new_array();
	if (array && json_object_object_add(root, key, array) == 0)
		return array;
	json_object_put(array);
	return NULL;
}

static struct json_object *shown_row(struct json_object *array, size_t i)
{
	struct json_object *row = array ? json_object_array_get_idx(array, i) : NULL;

	if (row || !array)
		return row;
	row = json_object_new_object();
	if (row && json_object_array_add(array, row) == 0)
		return row;
	json_object_put(row);
	return NULL;
}

/* False when memory is out.  A value that is missing is null. */
static bool shown_add_value(struct json_object *object, const struct value *value)
{
	struct json_object *json = value->missing ? NULL : shown_value_json(value);

	if (object && (json || value->missing) &&
		json_object_object_add(object, value->field->name, json) == 0)
		return true;
	json_object_put(json);
	return false;
}

static void shown_add_json(struct shown *shown, const struct value *value)
{
	struct json_object *place = shown->json;

	if (place && value->item->is_table)
		place = shown_row(shown_table(place, value->item->name), value->row);
	if (shown_add_value(place, value))
		return;
	json_object_put(shown->json);
	shown->json = NULL;
}

/* --- as they come --- */

void shown_take(void *context, const struct value *value)
{
	struct shown *shown = context;
	char text[TEXT_ROOM], shown_text[TEXT_SHOWN(TEXT_ROOM)];
	char *copy;

	if (shown->n_taken++ == 0)
		shown->json = json_object_new_object();
	shown_add_json(shown, value);
	shown_format(value, text, sizeof(text));
	/* Units and words are a definition's; the answer's own texts are plain by now. */
	copy = strdup(text_show(text, shown_text, sizeof(shown_text)));
	if (!copy || mem_grow(&shown->value, shown->n, &shown->room, sizeof(*shown->value)) < 0) {
		free(copy);
		shown->no_memory = true;
		return;
	}
	shown->value[shown->n++] =
		(struct shown_value){value->item, value->field, value->row, copy};
}

void shown_free(struct shown *shown)
{
	for (size_t i = 0; i < shown->n; i++)
		free(shown->value[i].text);
	free(shown->value);
	json_object_put(shown->json);
}

/* --- text --- */

/* How many of the values from I on belong to the table of value I. */
static size_t shown_table_length(const struct shown *shown, size_t i)
{
	size_t n = 0;

	while (i + n < shown->n && shown->value[i + n].item == shown->value[i].item)
		n++;
	return n;
}

/* Columns, each as wide as its widest; the last one is not filled up. */
static void shown_print_table(const struct shown_value *value, size_t n)
{
	const struct item *item = value->item;
	size_t columns = mem_min_u64(item->n_columns, COLUMNS), width[COLUMNS];

	for (size_t c = 0; c < columns; c++) {
		width[c] = strlen(item->column[c].name);
		for (size_t i = c; i < n; i += item->n_columns)
			width[c] =
				mem_max_u64(width[c], mem_min_u64(strlen(value[i].text), WIDEST));
	}
	printf("%s:\n", item->name);
	for (size_t row = 0; row <= n / item->n_columns; row++) {
		fputs(" ", stdout);
		for (size_t c = 0; c < columns; c++) {
			const char *text = row == 0 ? item->column[c].name
						    : value[(row - 1) * item->n_columns + c].text;

			printf(" %-*s", c + 1 < columns ? (int)width[c] : 0, text);
		}
		fputc('\n', stdout);
	}
}

int shown_print(const struct shown *shown)
{
	size_t width = 0;

	for (size_t i = 0; i < shown->n; i++) {
		if (!shown->value[i].item->is_table)
			width = mem_max_u64(width, strlen(shown->value[i].field->name));
	}
	for (size_t i = 0; i < shown->n; i++) {
		const struct shown_value *value = &shown->value[i];

		if (value->item->is_table) {
			size_t n = shown_table_length(shown, i);

			shown_print_table(value, n);
			i += n - 1;
			continue;
		}
		printf("%-*s  %s\n", (int)width, value->field->name, value->text);
	}
	if (shown->no_memory)
		cli_error("vendor", NULL, "there was no memory to show all of it");
	return shown->no_memory ? -1 : 0;
}
