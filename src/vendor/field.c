/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields and tables of an answer, as they are written: see proto/vendor/README.md. */
#include <string.h>

#include "vendor/reading.h"

static const struct number_type {
	const char *name;
	size_t len;
	bool little, is_signed;
} number_types[] = {
	{"u8", 1, false, false},
	{"s8", 1, false, true},
	{"be16", 2, false, false},
	{"be24", 3, false, false},
	{"be32", 4, false, false},
	{"be48", 6, false, false},
	{"be64", 8, false, false},
	{"le16", 2, true, false},
	{"le24", 3, true, false},
	{"le32", 4, true, false},
	{"le48", 6, true, false},
	{"le64", 8, true, false},
	{"le128", 16, true, false},
};

static const struct number_type *find_type(struct scan *scan)
{
	for (size_t i = 0; i < sizeof(number_types) / sizeof(number_types[0]); i++) {
		if (scan_word(scan, number_types[i].name))
			return &number_types[i];
	}
	return NULL;
}

bool number_type_read(struct scan *scan, size_t *len, bool *little, bool *is_signed)
{
	const struct number_type *type = find_type(scan);

	if (!type)
		return scan_mistake(scan, "there is no type \"%.40s\"", scan->at);
	*len = type->len;
	*little = type->little;
	*is_signed = type->is_signed;
	return true;
}

static bool offset_read(struct scan *scan, size_t *offset)
{
	uint64_t number;

	if (!scan_limited(scan, "an offset", 0, VENDOR_DATA_MAX - 1, &number))
		return false;
	*offset = (size_t)number;
	return true;
}

bool match_read(struct scan *scan, const char *stops, struct match *match)
{
	if (!offset_read(scan, &match->offset) ||
		!scan_bytes(scan, stops, &match->bytes, &match->len))
		return false;
	return match->len > 0 || scan_mistake(scan, "bytes are wanted behind the offset");
}

/* --- a field --- */

static bool bits_read(struct scan *scan, struct field *field)
{
	uint64_t most = field->len * 8 - 1, high, low;

	if (*scan->at != '[')
		return true;
	scan->at++;
	if (!scan_limited(scan, "a bit", 0, most, &high))
		return false;
	low = high;
	if (scan_mark(scan, ":") && !scan_limited(scan, "the lowest bit", 0, high, &low))
		return false;
	if (field->is_signed || field->len > 8)
		return scan_mistake(scan, "there are no bits of s8 and le128");
	field->has_bits = true;
	field->high = (unsigned int)high;
	field->low = (unsigned int)low;
	return scan_mark(scan, "]") || scan_mistake(scan, "] is missing");
}

static bool register_read(struct scan *scan, struct field *field)
{
	static const char *const names[] = {"error", "count", "lba", "device", "status"};

	for (int i = 0; i < 5; i++) {
		if (!scan_word(scan, names[i]))
			continue;
		field->type = FIELD_REGISTER;
		field->ata = (enum ata_register)i;
		return true;
	}
	return scan_mistake(scan, "an ATA register is error, count, lba, device or status");
}

/* The length of text or bytes. */
static bool length_read(struct scan *scan, struct field *field)
{
	uint64_t number;

	if (scan_mark(scan, "*")) {
		field->len = VENDOR_FIELD_END;
		return true;
	}
	if (!scan_limited(scan, "a length", 1, VENDOR_DATA_MAX, &number))
		return false;
	field->len = (size_t)number;
	if (field->type == FIELD_ATA_TEXT && number % 2 != 0)
		return scan_mistake(scan, "ata-text is words of two bytes");
	return true;
}

static bool type_read(struct scan *scan, struct field *field)
{
	static const struct {
		const char *name;
		enum field_type type;
	} texts[] = {{"ascii", FIELD_ASCII}, {"ata-text", FIELD_ATA_TEXT}, {"hex", FIELD_HEX}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!scan_word(scan, texts[i].name))
			continue;
		field->type = texts[i].type;
		return length_read(scan, field);
	}
	return number_type_read(scan, &field->len, &field->little, &field->is_signed) &&
	       bits_read(scan, field);
}

static bool unit_read(struct scan *scan, struct field *field)
{
	const char *end;

	while (*scan->at == ' ' || *scan->at == '\t')
		scan->at++;
	end = strstr(scan->at, " :");
	if (!end)
		end = scan->at + strlen(scan->at);
	field->unit = arena_text(scan->reading->arena, scan->at, (size_t)(end - scan->at));
	scan->reading->no_memory |= field->unit == NULL;
	scan->at = end;
	return (field->unit && field->unit[0]) || scan_mistake(scan, "a unit is wanted here");
}

static bool field_is_number(const struct field *field)
{
	return field->type == FIELD_NUMBER || field->type == FIELD_REGISTER;
}

static bool modifiers_read(struct scan *scan, struct field *field)
{
	field->times = 1;
	if (scan_word(scan, "times") &&
		!scan_limited(scan, "a factor", 1, UINT32_MAX, &field->times))
		return false;
	if (scan_word(scan, "minus") &&
		!scan_limited(scan, "a number", 0, UINT32_MAX, &field->minus))
		return false;
	if (!field_is_number(field) && (field->times != 1 || field->minus != 0))
		return scan_mistake(scan, "times and minus go with numbers");
	return !scan_word(scan, "unit") || unit_read(scan, field);
}

/* VALUE=TEXT, … */
static bool words_read(struct scan *scan, struct field *field)
{
	while (!scan_end(scan)) {
		struct word *word = reading_push(
			scan->reading, &field->word, field->n_words, sizeof(*field->word));
		size_t len;

		if (!word || !scan_limited(scan, "a value", 0, UINT64_MAX, &word->number))
			return false;
		for (size_t i = 0; i < field->n_words; i++) {
			if (field->word[i].number == word->number)
				return scan_mistake(scan, "a value has two meanings");
		}
		if (!scan_mark(scan, "="))
			return scan_mistake(scan, "a value's word is VALUE=TEXT");
		while (*scan->at == ' ' || *scan->at == '\t')
			scan->at++;
		len = strcspn(scan->at, ",");
		while (len > 0 && scan->at[len - 1] == ' ')
			len--;
		if (len == 0)
			return scan_mistake(scan, "a value has no word");
		word->text = arena_text(scan->reading->arena, scan->at, len);
		scan->reading->no_memory |= word->text == NULL;
		scan->at += len;
		field->n_words++;
		scan_mark(scan, ",");
	}
	return field->n_words > 0 || scan_mistake(scan, "there are no words behind the colon");
}

static bool field_read(struct scan *scan, struct field *field)
{
	if (scan_word(scan, "ata")) {
		if (!register_read(scan, field))
			return false;
	} else if (!offset_read(scan, &field->offset) || !type_read(scan, field)) {
		return false;
	}
	if (!modifiers_read(scan, field))
		return false;
	if (!scan_mark(scan, ":"))
		return scan_must_end(scan);
	if (!field_is_number(field))
		return scan_mistake(scan, "words go with numbers");
	return words_read(scan, field);
}

/* --- where it belongs --- */

static struct item *find_item(struct layout *layout, const char *name, size_t len)
{
	for (size_t i = 0; i < layout->n; i++) {
		if (strlen(layout->item[i].name) == len &&
			strncmp(layout->item[i].name, name, len) == 0)
			return &layout->item[i];
	}
	return NULL;
}

static const char *copy_name(struct scan *scan, const char *name)
{
	const char *copy;

	if (!name_is_good(name, strlen(name))) {
		scan_mistake(scan, "\"%.40s\" is no name: small letters, digits and -, at most %d",
			name, VENDOR_NAME_MAX - 1);
		return NULL;
	}
	copy = arena_text(scan->reading->arena, name, strlen(name));
	scan->reading->no_memory |= copy == NULL;
	return copy;
}

static struct item *new_item(struct reading *reading, struct scan *scan, const char *name)
{
	struct layout *layout = reading->layout;
	const char *copy = copy_name(scan, name);
	struct item *item;

	if (!copy)
		return NULL;
	if (find_item(layout, name, strlen(name))) {
		scan_mistake(scan, "%s is there twice", name);
		return NULL;
	}
	item = reading_push(reading, &layout->item, layout->n, sizeof(*layout->item));
	if (!item)
		return NULL;
	*item = (struct item){.name = copy, .line = scan_line(scan)};
	layout->n++;
	return item;
}

static void column_take(
	struct reading *reading, struct scan *scan, const char *name, const char *dot)
{
	struct item *table = find_item(reading->layout, name, (size_t)(dot - name));
	const char *copy = copy_name(scan, dot + 1);
	struct field *column;

	if (!copy)
		return;
	if (!table || !table->is_table) {
		scan_mistake(scan, "there is no table.%.*s above", (int)(dot - name), name);
		return;
	}
	column = reading_push(reading, &table->column, table->n_columns, sizeof(*column));
	if (!column)
		return;
	*column = (struct field){.name = copy, .line = scan_line(scan), .unit = ""};
	table->n_columns++;
	field_read(scan, column);
	if (column->type == FIELD_REGISTER)
		scan_mistake(scan, "a table has no registers");
}

void field_take(struct reading *reading, struct scan *scan, const char *name)
{
	const char *dot = strchr(name, '.');
	struct item *item;

	if (dot) {
		column_take(reading, scan, name, dot);
		return;
	}
	item = new_item(reading, scan, name);
	if (!item)
		return;
	item->field = (struct field){.name = item->name, .line = item->line, .unit = ""};
	field_read(scan, &item->field);
}

/* N, or N+TYPE@OFFSET */
static bool size_read(struct scan *scan, struct table *table)
{
	uint64_t number;
	bool is_signed;

	if (!scan_limited(scan, "the size of a row", 1, VENDOR_DATA_MAX, &number))
		return false;
	table->size = (size_t)number;
	if (!scan_mark(scan, "+"))
		return true;
	if (!number_type_read(scan, &table->size_len, &table->size_little, &is_signed))
		return false;
	if (table->size_len > 4)
		return scan_mistake(scan, "the size of a row has at most four bytes");
	return (scan_mark(scan, "@") || scan_mistake(scan, "@OFFSET is missing")) &&
	       offset_read(scan, &table->size_offset) &&
	       (table->size_offset + table->size_len <= table->size ||
		       scan_mistake(scan, "the row's size lies behind its first %zu bytes",
			       table->size));
}

static bool table_read(struct scan *scan, struct table *table)
{
	uint64_t count;

	if (!offset_read(scan, &table->offset))
		return false;
	table->count = VENDOR_FIELD_END;
	if (!scan_mark(scan, "*")) {
		if (!scan_limited(scan, "a number of rows", 1, VENDOR_DATA_MAX, &count))
			return false;
		table->count = (size_t)count;
	}
	if (!scan_mark(scan, "x"))
		return scan_mistake(scan, "a table is OFFSET COUNT x SIZE");
	if (!size_read(scan, table))
		return false;
	if (scan_word(scan, "unless") && !match_read(scan, "", &table->unless))
		return false;
	return scan_must_end(scan);
}

void table_take(struct reading *reading, struct scan *scan, const char *name)
{
	struct item *item = new_item(reading, scan, name);

	if (!item)
		return;
	item->is_table = true;
	table_read(scan, &item->table);
}

bool length_take(struct scan *scan)
{
	struct layout *layout = scan->reading->layout;
	bool is_signed;

	if (!offset_read(scan, &layout->length_offset) ||
		!number_type_read(scan, &layout->length_len, &layout->length_little, &is_signed))
		return false;
	if (layout->length_len > 4)
		return scan_mistake(scan, "a length has at most four bytes");
	if (scan_mark(scan, "+") &&
		!scan_limited(scan, "a number of bytes", 0, VENDOR_DATA_MAX, &layout->length_plus))
		return false;
	return scan_must_end(scan);
}
