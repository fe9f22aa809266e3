/* SPDX-License-Identifier: BSD-2-Clause */
/* What an answer means.  The answer is the drive's: nothing is read that has not come. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/scsi.h"
#include "vendor/vendor.h"

#define TEXT_MOST 4096 /* bytes of a text or of hexadecimal digits */
#define ROWS_MOST 4096

/* A part of an answer, and who is told of it. */
struct answer {
	const uint8_t *bytes;
	size_t len;
	const struct ata_registers *registers;
	value_sink *sink;
	void *context;
	size_t n_missing;
};

/* --- ATA registers --- */

/* The ATA Status Return descriptor (SAT-4 §12.2.2.6). */
static void from_descriptor(const uint8_t *p, struct ata_registers *r)
{
	bool extend = p[2] & 1;

	r->there = true;
	r->error = p[3];
	r->count = (uint16_t)(p[5] | (extend ? p[4] << 8 : 0));
	r->lba = (uint64_t)p[7] | (uint64_t)p[9] << 8 | (uint64_t)p[11] << 16;
	if (extend)
		r->lba |= (uint64_t)p[6] << 24 | (uint64_t)p[8] << 32 | (uint64_t)p[10] << 40;
	r->device = p[12];
	r->status = p[13];
}

/* The fixed form has room for less (§12.2.2.7). */
static void from_fixed(const uint8_t *p, struct ata_registers *r)
{
	r->there = true;
	r->error = p[3];
	r->status = p[4];
	r->device = p[5];
	r->count = p[6];
	r->lba = (uint64_t)p[9] | (uint64_t)p[10] << 8 | (uint64_t)p[11] << 16;
}

#define ATA_DESCRIPTOR	   0x09
#define ATA_DESCRIPTOR_LEN 14

struct ata_registers ata_registers_parse(const uint8_t *sense, size_t len)
{
	struct ata_registers registers = {0};
	uint8_t code = len > 0 ? sense[SENSE_CODE] & 0x7f : 0;

	if (code == SENSE_CODE_FIXED && len >= SENSE_FIXED_MIN) {
		from_fixed(sense, &registers);
		return registers;
	}
	if (code != SENSE_CODE_DESC || len < SENSE_DESC_HEAD)
		return registers;
	for (size_t at = SENSE_DESC_HEAD; at + 2 <= len; at += 2u + sense[at + 1]) {
		if (sense[at] != ATA_DESCRIPTOR || at + ATA_DESCRIPTOR_LEN > len)
			continue;
		from_descriptor(sense + at, &registers);
		break;
	}
	return registers;
}

static uint64_t register_value(const struct ata_registers *r, enum ata_register which)
{
	switch (which) {
	case ATA_ERROR:
		return r->error;
	case ATA_COUNT:
		return r->count;
	case ATA_LBA:
		return r->lba;
	case ATA_DEVICE:
		return r->device;
	default:
		return r->status;
	}
}

/* --- values --- */

static unsigned __int128 read_number(const uint8_t *p, size_t len, bool little)
{
	unsigned __int128 number = 0;

	for (size_t i = 0; i < len; i++)
		number = number << 8 | p[little ? len - 1 - i : i];
	return number;
}

static void make_number(const struct field *field, unsigned __int128 number, struct value *value)
{
	if (field->has_bits)
		number = (number >> field->low) &
			 ((((unsigned __int128)1) << (field->high - field->low + 1)) - 1);
	for (size_t i = 0; i < field->n_words; i++) {
		if (field->word[i].number == number)
			value->word = field->word[i].text;
	}
	value->negative = field->is_signed && number & 0x80;
	if (value->negative)
		number = 0x100 - number;
	number *= field->times;
	if (value->negative) {
		number += field->minus;
	} else if (field->minus > number) {
		value->negative = true;
		number = field->minus - number;
	} else {
		number -= field->minus;
	}
	value->number = number;
}

static void exchange_words(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		uint8_t first = bytes[i];

		bytes[i] = bytes[i + 1];
		bytes[i + 1] = first;
	}
}

/* Text is shown without the spaces around it, and escaped. */
static void make_text(
	const struct field *field, const uint8_t *bytes, size_t len, char *out, size_t room)
{
	uint8_t copy[TEXT_MOST];
	size_t skip = 0;

	len = mem_min_u64(len, sizeof(copy));
	memcpy(copy, bytes, len);
	if (field->type == FIELD_ATA_TEXT)
		exchange_words(copy, len);
	while (skip < len && copy[skip] == ' ')
		skip++;
	text_escape(copy + skip, len - skip, out, room);
}

static void put_field(struct answer *answer, const struct item *item, const struct field *field,
	size_t row, const uint8_t *bytes, size_t len)
{
	struct value value = {.item = item, .field = field, .row = row};
	size_t size = field->len;
	char text[4 * TEXT_MOST + 1];

	/* As far as the answer goes, which may be nowhere. */
	if (size == VENDOR_FIELD_END)
		size = field->offset < len ? len - field->offset : 0;
	if (field->type == FIELD_REGISTER) {
		value.missing = !answer->registers->there;
		make_number(field, register_value(answer->registers, field->ata), &value);
	} else if (size > 0 && (field->offset >= len || size > len - field->offset)) {
		value.missing = true;
	} else if (field->type == FIELD_NUMBER) {
		make_number(field, read_number(bytes + field->offset, size, field->little), &value);
	} else if (size == 0) {
		value.text = "";
	} else if (field->type == FIELD_HEX) {
		value.text = text_hex(bytes + field->offset, mem_min_u64(size, TEXT_MOST), text);
	} else {
		make_text(field, bytes + field->offset, size, text, sizeof(text));
		value.text = text;
	}
	answer->n_missing += value.missing;
	answer->sink(answer->context, &value);
}

/* --- tables --- */

static size_t row_size(const struct table *table, const uint8_t *row, size_t left)
{
	size_t size = table->size;

	if (table->size_len > 0 && table->size <= left)
		size += (size_t)read_number(
			row + table->size_offset, table->size_len, table->size_little);
	return size;
}

static bool is_left_out(const struct table *table, const uint8_t *row, size_t size)
{
	const struct match *unless = &table->unless;

	return unless->len > 0 && unless->offset + unless->len <= size &&
	       memcmp(row + unless->offset, unless->bytes, unless->len) == 0;
}

/* Fields of a row that are not there are those of a row that is shorter than others. */
static void put_row(struct answer *answer, const struct item *item, size_t row,
	const uint8_t *bytes, size_t size)
{
	size_t missing = answer->n_missing;

	for (size_t i = 0; i < item->n_columns; i++)
		put_field(answer, item, &item->column[i], row, bytes, size);
	if (item->table.size_len > 0)
		answer->n_missing = missing;
}

static void put_table(struct answer *answer, const struct item *item)
{
	const struct table *table = &item->table;
	size_t at = table->offset, row = 0, shown = 0;
	bool all = table->count == VENDOR_FIELD_END;

	for (; row < mem_min_u64(table->count, ROWS_MOST) && at < answer->len; row++) {
		size_t left = answer->len - at;
		size_t size = row_size(table, answer->bytes + at, left);

		if (size > left)
			break;
		if (!is_left_out(table, answer->bytes + at, size))
			put_row(answer, item, shown++, answer->bytes + at, size);
		at += size;
	}
	if (!all && row < mem_min_u64(table->count, ROWS_MOST))
		answer->n_missing += item->n_columns;
}

/* What the answer says about its own length. */
static size_t stated_length(const struct layout *layout, const uint8_t *data, size_t len)
{
	uint64_t stated;

	if (layout->length_len == 0 || layout->length_offset > len ||
		layout->length_len > len - layout->length_offset)
		return len;
	stated = (uint64_t)read_number(
			 data + layout->length_offset, layout->length_len, layout->length_little) +
		 layout->length_plus;
	return mem_min_u64(stated, len);
}

size_t layout_decode(const struct layout *layout, const uint8_t *data, size_t len,
	const struct ata_registers *registers, value_sink *sink, void *context)
{
	struct answer answer = {
		.bytes = data,
		.len = stated_length(layout, data, len),
		.registers = registers,
		.sink = sink,
		.context = context,
	};

	for (size_t i = 0; i < layout->n; i++) {
		const struct item *item = &layout->item[i];

		if (item->is_table)
			put_table(&answer, item);
		else
			put_field(&answer, item, &item->field, 0, answer.bytes, answer.len);
	}
	return answer.n_missing;
}
