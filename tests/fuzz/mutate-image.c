/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes an image as one who knows the format would: fields of records, entries of tables, whole
 * records put in, left out, doubled and moved, with the offsets by which records name each other
 * kept right.  Bytes changed blindly would only ever show that CRCs work.  The target itself puts
 * the CRCs right.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/udif.h"
#include "proto/ums.h"
#include "tests/fuzz/image.h"

#define RECORDS_MAX 512

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
	uint8_t *out, size_t max, unsigned int seed);

struct shape {
	uint8_t *p; /* the file */
	size_t n, most;
	size_t at[RECORDS_MAX]; /* where records begin */
	size_t n_records;
	unsigned int random;
};

/* A number in a payload: at FIRST + FIELD, or that of any entry of EACH bytes from FIRST on. */
struct field {
	uint32_t type;
	uint16_t first, each, field;
	uint8_t width;
	bool link; /* the offset of a record */
};

static const struct field fields[] = {
	{UMS_TYPE_HEAD, 0, 0, HEAD_BLOCK_BYTES, 4},
	{UMS_TYPE_HEAD, 0, 0, HEAD_N_BLOCKS, 8},
	{UMS_TYPE_HEAD, 0, 0, HEAD_SIZE_BYTES, 8},
	{UMS_TYPE_HEAD, 0, 0, HEAD_UNIT_BYTES, 4},
	{UMS_TYPE_HEAD, 0, 0, HEAD_RUN_BYTES, 4},
	{UMS_TYPE_HEAD, 0, 0, HEAD_INCOMPATIBLE, 4},
	{UMS_TYPE_DATA, 0, 0, DATA_LBA, 8},
	{UMS_TYPE_DATA, 0, 0, DATA_N_BLOCKS, 4},
	{UMS_TYPE_DATA, 0, 0, DATA_ENCODING, 1},
	{UMS_TYPE_DATA, 0, 0, DATA_STATE, 1},
	{UMS_TYPE_DATA, 0, 0, DATA_N_UNITS, 4},
	{UMS_TYPE_DATA, 0, 0, DATA_BODY, 4},
	{UMS_TYPE_DATA, 0, 0, DATA_BODY_BYTES, 4},
	{UMS_TYPE_DATA, UMS_DATA_HEAD_SIZE, UMS_UNIT_ENTRY_SIZE, UNIT_OFFSET, 4},
	{UMS_TYPE_DATA, UMS_DATA_HEAD_SIZE, UMS_UNIT_ENTRY_SIZE, UNIT_CRC, 4},
	{UMS_TYPE_BLOB, 0, 0, BLOB_NAME_LENGTH, 2},
	{UMS_TYPE_CKPT, 0, 0, CKPT_PREVIOUS, 8, true},
	{UMS_TYPE_CKPT, 0, 0, CKPT_N_MAP, 4},
	{UMS_TYPE_CKPT, 0, 0, CKPT_N_INDEX, 4},
	{UMS_TYPE_CKPT, 0, 0, CKPT_N_REFS, 4},
	{UMS_TYPE_CKPT, 0, 0, CKPT_SEAL, 8, true},
	{UMS_TYPE_CKPT, UMS_CKPT_HEAD_SIZE, 8, 0, 8},
	{UMS_TYPE_INDX, 0, UMS_INDEX_ENTRY_SIZE, INDEX_LBA, 8},
	{UMS_TYPE_INDX, 0, UMS_INDEX_ENTRY_SIZE, INDEX_OFFSET, 8, true},
	{UMS_TYPE_INDX, 0, UMS_INDEX_ENTRY_SIZE, INDEX_N_BLOCKS, 4},
	{UMS_TYPE_INDX, 0, UMS_INDEX_ENTRY_SIZE, INDEX_LENGTH, 4},
	{UMS_TYPE_MAPS, 0, UMS_MAP_ENTRY_SIZE, MAP_LBA, 8},
	{UMS_TYPE_MAPS, 0, UMS_MAP_ENTRY_SIZE, MAP_N_BLOCKS, 8},
	{UMS_TYPE_MAPS, 0, UMS_MAP_ENTRY_SIZE, MAP_STATE, 1},
	{UMS_TYPE_ROOT, 0, 0, ROOT_N_PAGES, 4},
	{UMS_TYPE_ROOT, 0, 0, ROOT_N_REFS, 4},
	{UMS_TYPE_ROOT, UMS_ROOT_HEAD_SIZE, 8, 0, 8},
	{UMS_TYPE_SEAL, 0, 0, SEAL_FLAGS, 4},
	{UMS_TYPE_SEAL, 0, 0, SEAL_ROOT, 8, true},
	{UMS_TYPE_SEAL, 0, 0, SEAL_MAP, 8, true},
	{UMS_TYPE_SEAL, 0, 0, SEAL_CKPT, 8, true},
	{UMS_TYPE_SEAL, 0, 0, SEAL_HASHES, 4},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static unsigned int roll(struct shape *shape, size_t below)
{
	shape->random = shape->random * 1664525u + 1013904223u;
	return below ? (unsigned int)((shape->random >> 8) % below) : 0;
}

static void find_heads(struct shape *shape)
{
	shape->n_records = 0;
	for (size_t at = 0; at + UMS_RECORD_HEAD_SIZE <= shape->n && shape->n_records < RECORDS_MAX;
		at += UMS_ALIGN) {
		if (get_le32(shape->p + at) == UMS_RECORD_MAGIC)
			shape->at[shape->n_records++] = at;
	}
}

/* Payload bytes that the file has of the record at AT. */
static size_t payload_length(const struct shape *shape, size_t at)
{
	uint64_t length = get_le64(shape->p + at + REC_LENGTH);
	size_t room = shape->n - at - UMS_RECORD_HEAD_SIZE;

	return length < room ? (size_t)length : room;
}

static size_t padded(size_t len)
{
	return (len + UMS_ALIGN - 1) / UMS_ALIGN * UMS_ALIGN;
}

static size_t record_bytes(const struct shape *shape, size_t at)
{
	size_t len = UMS_RECORD_HEAD_SIZE + padded(payload_length(shape, at));

	return len < shape->n - at ? len : shape->n - at;
}

static uint64_t get_number(const uint8_t *p, unsigned int width)
{
	uint8_t bytes[8] = {0};

	memcpy(bytes, p, width);
	return get_le64(bytes);
}

static void put_number(uint8_t *p, unsigned int width, uint64_t value)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	memcpy(p, bytes, width);
}

/* Adds DELTA to the link at P when it leads to FROM or behind it. */
static void move_link(uint8_t *p, size_t from, size_t delta)
{
	uint64_t value = get_le64(p);

	if (value >= from && value < INT64_MAX)
		put_le64(p, value + delta);
}

/* The entries of a table of EACH bytes in the payload at P. */
static void move_table(uint8_t *p, size_t len, size_t each, size_t field, size_t from, size_t delta)
{
	for (size_t i = 0; i + each <= len; i += each)
		move_link(p + i + field, from, delta);
}

static size_t clamp(uint64_t want, size_t most)
{
	return want < most ? (size_t)want : most;
}

static void move_links_of_record(struct shape *shape, size_t at, size_t from, size_t delta)
{
	uint8_t *p = shape->p + at + UMS_RECORD_HEAD_SIZE;
	size_t len = payload_length(shape, at), skip;

	for (size_t i = 0; i < N_FIELDS; i++) {
		if (fields[i].type != get_le32(shape->p + at + REC_TYPE) || !fields[i].link)
			continue;
		if (fields[i].each)
			move_table(p, len, fields[i].each, fields[i].field, from, delta);
		else if (fields[i].field + 8u <= len)
			move_link(p + fields[i].field, from, delta);
	}
	if (get_le32(shape->p + at + REC_TYPE) == UMS_TYPE_CKPT && len >= UMS_CKPT_HEAD_SIZE) {
		skip = clamp(UMS_CKPT_HEAD_SIZE +
				     (uint64_t)get_le32(p + CKPT_N_MAP) * UMS_MAP_ENTRY_SIZE,
			len);
		move_table(p + skip,
			clamp((uint64_t)get_le32(p + CKPT_N_INDEX) * UMS_INDEX_ENTRY_SIZE,
				len - skip),
			UMS_INDEX_ENTRY_SIZE, INDEX_OFFSET, from, delta);
		skip = clamp(
			skip + (uint64_t)get_le32(p + CKPT_N_INDEX) * UMS_INDEX_ENTRY_SIZE, len);
		move_table(p + skip, len - skip, UMS_REF_SIZE, REF_OFFSET, from, delta);
	} else if (get_le32(shape->p + at + REC_TYPE) == UMS_TYPE_ROOT &&
		   len >= UMS_ROOT_HEAD_SIZE) {
		skip = clamp(UMS_ROOT_HEAD_SIZE +
				     (uint64_t)get_le32(p + ROOT_N_PAGES) * UMS_ROOT_PAGE_SIZE,
			len);
		move_table(p + UMS_ROOT_HEAD_SIZE, skip - UMS_ROOT_HEAD_SIZE, UMS_ROOT_PAGE_SIZE,
			PAGE_OFFSET, from, delta);
		move_table(p + skip, len - skip, UMS_REF_SIZE, REF_OFFSET, from, delta);
	}
}

/* All that leads to FROM or behind it leads DELTA bytes (perhaps "negative") further on. */
static void move_links(struct shape *shape, size_t from, size_t delta)
{
	uint8_t *koly = shape->p + shape->n - UDIF_KOLY_SIZE;
	uint64_t xml;

	for (size_t i = 0; i < shape->n_records; i++)
		move_links_of_record(shape, shape->at[i], from, delta);
	if (shape->n < UDIF_KOLY_SIZE || memcmp(koly, "koly", 4) != 0)
		return;
	xml = get_be64(koly + KOLY_XML_OFFSET);
	if (xml >= from)
		put_be64(koly + KOLY_XML_OFFSET, xml + delta);
}

/* Makes room for LEN bytes at AT; false when there is none. */
static bool open_gap(struct shape *shape, size_t at, size_t len)
{
	if (len > shape->most - shape->n)
		return false;
	move_links(shape, at, len);
	memmove(shape->p + at + len, shape->p + at, shape->n - at);
	memset(shape->p + at, 0, len);
	shape->n += len;
	find_heads(shape);
	return true;
}

static void close_gap(struct shape *shape, size_t at, size_t len)
{
	move_links(shape, at + len, -len);
	memmove(shape->p + at, shape->p + at + len, shape->n - at - len);
	shape->n -= len;
	find_heads(shape);
}

static uint64_t odd_number(struct shape *shape, uint64_t old)
{
	switch (roll(shape, 12)) {
	case 0:
		return roll(shape, 2) ? UINT64_MAX : UINT32_MAX;
	case 1:
		return INT64_MAX - roll(shape, 2);
	case 2:
		return shape->n - roll(shape, 65);
	case 3:
	case 4:
		return shape->at[roll(shape, shape->n_records)];
	case 5:
		return old + 1;
	case 6:
		return old - 1;
	case 7:
		return old * 2;
	case 8:
		return old ^ 1ull << roll(shape, 64);
	case 9:
		return roll(shape, 4096);
	default:
		return roll(shape, 9);
	}
}

static size_t any_record(struct shape *shape)
{
	return shape->at[roll(shape, shape->n_records)];
}

static void change_field(struct shape *shape)
{
	for (unsigned int tries = 0; tries < 50; tries++) {
		size_t at = any_record(shape), len = payload_length(shape, at), begin;
		const struct field *field = &fields[roll(shape, N_FIELDS)];
		uint8_t *p = shape->p + at + UMS_RECORD_HEAD_SIZE;

		if (get_le32(shape->p + at + REC_TYPE) != field->type)
			continue;
		begin = field->first + field->field;
		if (field->each && len > begin + field->each)
			begin += field->each * roll(shape, (len - begin) / field->each);
		if (begin + field->width > len)
			continue;
		p += begin;
		put_number(p, field->width, odd_number(shape, get_number(p, field->width)));
		return;
	}
}

static void change_head(struct shape *shape)
{
	static const uint32_t types[] = {UMS_TYPE_DATA, UMS_TYPE_BLOB, UMS_TYPE_JRNL, UMS_TYPE_CKPT,
		UMS_TYPE_INDX, UMS_TYPE_MAPS, UMS_TYPE_ROOT, UMS_TYPE_SEAL, 0x20202020};
	uint8_t *head = shape->p + any_record(shape);

	if (roll(shape, 2))
		put_le32(head + REC_TYPE, types[roll(shape, sizeof(types) / sizeof(types[0]))]);
	else
		put_le64(head + REC_LENGTH, odd_number(shape, get_le64(head + REC_LENGTH)));
}

static void change_payload(struct shape *shape)
{
	size_t at = any_record(shape), len = payload_length(shape, at);

	if (len > 0)
		LLVMFuzzerMutate(shape->p + at + UMS_RECORD_HEAD_SIZE, len, len);
}

static void double_record(struct shape *shape)
{
	size_t from = any_record(shape), to = any_record(shape), len = record_bytes(shape, from);
	uint8_t *copy = malloc(len);

	memcpy(copy, shape->p + from, len);
	if (to == 0)
		to = record_bytes(shape, 0);
	if (open_gap(shape, to, len))
		memcpy(shape->p + to, copy, len);
	find_heads(shape);
	free(copy);
}

static void remove_record(struct shape *shape)
{
	size_t at = any_record(shape);

	if (at > 0)
		close_gap(shape, at, record_bytes(shape, at));
}

/* Makes the payload at AT longer by LEN bytes, which begin at WHERE in it. */
static bool lengthen(struct shape *shape, size_t at, size_t where, size_t len)
{
	size_t old = payload_length(shape, at), more = padded(old + len) - padded(old);
	uint8_t *p = shape->p + at + UMS_RECORD_HEAD_SIZE;

	if (record_bytes(shape, at) != UMS_RECORD_HEAD_SIZE + padded(old) ||
		!open_gap(shape, at + record_bytes(shape, at), more))
		return false;
	memmove(p + where + len, p + where, old - where);
	put_le64(shape->p + at + REC_LENGTH, old + len);
	return true;
}

/* One entry more, like one that is there, in a table whose number of entries is COUNT. */
static void add_entry(
	struct shape *shape, size_t at, size_t table, size_t each, size_t n, size_t count)
{
	size_t from = table + each * roll(shape, n), to = table + each * roll(shape, n + 1);
	uint8_t *p = shape->p + at + UMS_RECORD_HEAD_SIZE, entry[64];

	if (n > 0xffff || table + n * each > payload_length(shape, at))
		return;
	memset(entry, 0, sizeof(entry));
	if (n > 0)
		memcpy(entry, p + from, each);
	if (!lengthen(shape, at, to, each))
		return;
	memcpy(p + to, entry, each);
	if (count != SIZE_MAX)
		put_le32(p + count, (uint32_t)n + 1);
}

static void grow_table(struct shape *shape)
{
	size_t at = any_record(shape), len = payload_length(shape, at), table;
	uint8_t *p = shape->p + at + UMS_RECORD_HEAD_SIZE;
	uint32_t type = get_le32(shape->p + at + REC_TYPE), n_map, n_index;

	if (type == UMS_TYPE_MAPS)
		add_entry(shape, at, 0, UMS_MAP_ENTRY_SIZE, len / UMS_MAP_ENTRY_SIZE, SIZE_MAX);
	if (type == UMS_TYPE_ROOT && len >= UMS_ROOT_HEAD_SIZE) {
		table = UMS_ROOT_HEAD_SIZE;
		if (roll(shape, 2)) {
			add_entry(shape, at, table, UMS_ROOT_PAGE_SIZE, get_le32(p + ROOT_N_PAGES),
				ROOT_N_PAGES);
			return;
		}
		table += (size_t)get_le32(p + ROOT_N_PAGES) * UMS_ROOT_PAGE_SIZE;
		add_entry(shape, at, table, UMS_REF_SIZE, get_le32(p + ROOT_N_REFS), ROOT_N_REFS);
	}
	if (type != UMS_TYPE_CKPT || len < UMS_CKPT_HEAD_SIZE)
		return;
	n_map = get_le32(p + CKPT_N_MAP);
	n_index = get_le32(p + CKPT_N_INDEX);
	table = UMS_CKPT_HEAD_SIZE;
	switch (roll(shape, 3)) {
	case 0:
		add_entry(shape, at, table, UMS_MAP_ENTRY_SIZE, n_map, CKPT_N_MAP);
		return;
	case 1:
		table += (size_t)n_map * UMS_MAP_ENTRY_SIZE;
		add_entry(shape, at, table, UMS_INDEX_ENTRY_SIZE, n_index, CKPT_N_INDEX);
		return;
	default:
		table +=
			(size_t)n_map * UMS_MAP_ENTRY_SIZE + (size_t)n_index * UMS_INDEX_ENTRY_SIZE;
		add_entry(shape, at, table, UMS_REF_SIZE, get_le32(p + CKPT_N_REFS), CKPT_N_REFS);
	}
}

static void cut(struct shape *shape)
{
	size_t at = any_record(shape);

	if (at > 0)
		shape->n = roll(shape, 2) ? at : at + roll(shape, record_bytes(shape, at));
}

static void change_trailer(struct shape *shape)
{
	if (shape->n >= 1024)
		LLVMFuzzerMutate(shape->p + shape->n - 512, 512, 512);
}

static void (*const changes[])(struct shape *shape) = {change_field, change_field, change_field,
	change_field, change_payload, change_head, double_record, remove_record, grow_table,
	grow_table, cut, change_trailer};

/* How the target treats the file: mostly mended, sometimes written to, now and then short of
 * memory. */
static void change_how(uint8_t *data, struct shape *shape)
{
	data[0] = (uint8_t)(roll(shape, 16) ? IMAGE_INPUT_MEND : 0);
	if (!roll(shape, 3))
		data[0] |= IMAGE_INPUT_WRITE;
	if (!roll(shape, 2))
		data[0] |= IMAGE_INPUT_MISSING;
	put_le16(data + 1, (uint16_t)(roll(shape, 4) ? 0 : 1 + roll(shape, 200)));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct shape shape = {.random = seed};

	roll(&shape, 1);
	if (size < IMAGE_INPUT_HEAD + UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE || max < size ||
		data[0] & IMAGE_INPUT_CREATE || !roll(&shape, 20))
		return LLVMFuzzerMutate(data, size, max);
	shape.p = data + IMAGE_INPUT_HEAD;
	shape.n = size - IMAGE_INPUT_HEAD;
	shape.most = max - IMAGE_INPUT_HEAD;
	for (unsigned int n = 1 + roll(&shape, 4); n > 0; n--) {
		find_heads(&shape);
		if (shape.n_records > 0)
			changes[roll(&shape, sizeof(changes) / sizeof(changes[0]))](&shape);
	}
	if (!roll(&shape, 4))
		change_how(data, &shape);
	return IMAGE_INPUT_HEAD + shape.n;
}

/* The records of one image up to some place, then those of the other from some place on. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
	uint8_t *out, size_t max, unsigned int seed)
{
	struct shape first = {.random = seed}, second = {.random = seed ^ 0x5eed};
	size_t head = IMAGE_INPUT_HEAD, to, from, n;

	if (a_size <= head || b_size <= head || a_size > max)
		return 0;
	memcpy(out, a, a_size);
	first.p = out + head;
	first.n = a_size - head;
	second.p = (uint8_t *)(uintptr_t)b + head;
	second.n = b_size - head;
	find_heads(&first);
	find_heads(&second);
	if (first.n_records == 0 || second.n_records == 0)
		return a_size;
	to = any_record(&first);
	to = head + (to ? to : record_bytes(&first, 0));
	from = head + any_record(&second);
	n = b_size - from < max - to ? b_size - from : max - to;
	memcpy(out + to, b + from, n);
	return to + n;
}
