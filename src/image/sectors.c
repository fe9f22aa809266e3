/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading sectors from an image: see store.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/cover.h"
#include "image/deflate.h"
#include "image/load.h"
#include "image/record.h"
#include "image/store.h"

/* Head and unit table of the run at ENTRY into run_payload, its record held to the file. */
static int load_run(struct store *store, const struct index_entry *entry, struct data_head *head,
	struct err *err)
{
	uint64_t n_units =
		((uint64_t)entry->n_blocks * store->info.block_bytes + store->info.unit_bytes - 1) /
		store->info.unit_bytes;
	size_t want = UMS_DATA_HEAD_SIZE + (size_t)n_units * UMS_UNIT_ENTRY_SIZE;
	struct record record;

	if (store->run_offset != entry->offset) {
		store->run_offset = UINT64_MAX;
		if (record_read_head(store->fd, entry->offset, store->info.file_bytes,
			    store->info.uuid, &record, err) < 0)
			return -1;
		if (record.type != UMS_TYPE_DATA || record.length != entry->length)
			return err_set(err, ERR_BAD_IMAGE,
				"the record at offset %" PRIu64 " is not what the index says",
				entry->offset);
		if (want > store->run_room) {
			uint8_t *grown = realloc(store->run_payload, want);

			if (!grown)
				return err_memory(err, "reading the image");
			store->run_payload = grown;
			store->run_room = want;
		}
		if (want > record.length)
			want = (size_t)record.length;
		if (file_read_at(store->fd, store->run_payload, want, record_payload(&record)) !=
			(ssize_t)want)
			return err_set(err, ERR_BAD_IMAGE,
				"cannot read the image at offset %" PRIu64, entry->offset);
	}
	if (data_head_decode(store->run_payload, entry->length, store->info.block_bytes,
		    store->info.unit_bytes, entry->offset, head, err) < 0)
		return -1;
	if (head->lba != entry->lba || head->n_blocks != entry->n_blocks)
		return err_set(err, ERR_BAD_IMAGE,
			"the DATA record at offset %" PRIu64
			" is not of the sectors that the index says",
			entry->offset);
	store->run_offset = entry->offset;
	return 0;
}

static int damaged_unit(const struct store *store, const struct index_entry *entry, uint32_t unit,
	uint64_t run_len, struct err *err)
{
	uint32_t block = store->info.block_bytes;
	uint64_t begin = (uint64_t)unit * store->info.unit_bytes;
	uint64_t end = begin + unit_length(run_len, store->info.unit_bytes, unit);

	return err_set(err, ERR_BAD_IMAGE,
		"chunk %u of the run at file offset %" PRIu64 " is damaged: sectors %" PRIu64
		"-%" PRIu64,
		unit, entry->offset, entry->lba + begin / block, entry->lba + (end - 1) / block);
}

/* One plain unit of a run into store->unit. */
static int load_unit(struct store *store, const struct index_entry *entry,
	const struct data_head *head, uint32_t unit, struct err *err)
{
	uint64_t run_len = (uint64_t)head->n_blocks * store->info.block_bytes;
	const uint8_t *table = store->run_payload + UMS_DATA_HEAD_SIZE;
	cleanup_free uint8_t *stored = NULL;
	uint32_t offset, len;

	if (store->unit_of == entry->offset && store->unit_number == unit)
		return 0;
	store->unit_of = UINT64_MAX;
	if (!unit_extent(head, table, unit, run_len, store->info.unit_bytes, &offset, &len))
		return damaged_unit(store, entry, unit, run_len, err);
	stored = malloc(len ? len : 1);
	if (!stored)
		return err_memory(err, "reading the image");
	if (store_bytes(store, entry->offset + UMS_RECORD_HEAD_SIZE + head->body + offset, stored,
		    len, err) < 0)
		return -1;
	if (!unit_decode(store->inflater, head, table, unit, run_len, store->info.unit_bytes,
		    stored, store->unit))
		return damaged_unit(store, entry, unit, run_len, err);
	store->unit_of = entry->offset;
	store->unit_number = unit;
	return 0;
}

int store_read_run(struct store *store, const struct index_entry *entry, uint64_t offset,
	size_t len, uint8_t *data, struct err *err)
{
	uint64_t run_begin = entry->lba * store->info.block_bytes;
	uint64_t run_len = (uint64_t)entry->n_blocks * store->info.block_bytes;
	uint64_t from = mem_max_u64(offset, run_begin);
	uint64_t to = mem_min_u64(offset + len, run_begin + run_len);
	struct data_head head;

	if (from >= to)
		return 0;
	if (load_run(store, entry, &head, err) < 0)
		return -1;
	if (head.encoding == UMS_ENCODING_ZERO) {
		memset(data + (from - offset), 0, (size_t)(to - from));
		return 0;
	}
	while (from < to) {
		uint32_t unit = (uint32_t)((from - run_begin) / store->info.unit_bytes);
		uint64_t unit_begin = run_begin + (uint64_t)unit * store->info.unit_bytes;
		uint64_t unit_end = unit_begin + unit_length(run_len, store->info.unit_bytes, unit);
		uint64_t end = mem_min_u64(to, unit_end);

		if (load_unit(store, entry, &head, unit, err) < 0)
			return -1;
		memcpy(data + (from - offset), store->unit + (from - unit_begin),
			(size_t)(end - from));
		from = end;
	}
	return 0;
}

/* A read of a part of one slot. */
struct slot_read {
	struct store *store;
	uint64_t offset; /* of the drive, in bytes */
	size_t len;
	uint8_t *data;
	bool checked;	  /* what the map calls good must be in a record */
	image_lose *lose; /* NULL: damage ends the read */
	void *context;
};

/* Where bytes FROM … TO-1 of the drive are in DATA, both held to what was asked for; NULL when
 * nothing of them was. */
static uint8_t *asked_for(const struct slot_read *read, uint64_t *from, uint64_t *to)
{
	*from = mem_max_u64(*from, read->offset);
	*to = mem_min_u64(*to, read->offset + read->len);
	return *from < *to ? read->data + (*from - read->offset) : NULL;
}

/* Sectors that cannot be had, because of WHAT: zeros. */
static void lose_sectors(const struct slot_read *read, uint64_t lba, uint64_t n, const char *what)
{
	uint32_t block = read->store->info.block_bytes;
	uint64_t from = lba * block, to = (lba + n) * block;
	uint8_t *data = asked_for(read, &from, &to);
	char text[1100];
	struct image_lost lost = {.lba = lba, .n_blocks = n, .text = text};

	if (data)
		memset(data, 0, (size_t)(to - from));
	snprintf(text, sizeof(text), "%s: sectors %" PRIu64 "-%" PRIu64, what, lba, lba + n - 1);
	read->lose(read->context, &lost);
}

/* Bytes FROM … TO-1 of the drive out of the run at ENTRY. */
static int read_from_run(const struct slot_read *read, const struct index_entry *entry,
	uint64_t from, uint64_t to, struct err *err)
{
	uint8_t *data = asked_for(read, &from, &to);

	return data ? store_read_run(read->store, entry, from, (size_t)(to - from), data, err) : 0;
}

/* Can unit UNIT of the run be had?  Then it is the store's unit. */
static int check_unit(
	struct store *store, const struct index_entry *entry, uint32_t unit, struct err *err)
{
	struct data_head head;

	if (load_run(store, entry, &head, err) < 0)
		return -1;
	return head.encoding == UMS_ENCODING_ZERO ? 0 : load_unit(store, entry, &head, unit, err);
}

/*
 * N sectors from LBA of a run that has damage: unit by unit.  A unit need not begin with a sector:
 * one that lies in a good and a damaged unit is lost as a whole.  DONE is where the sectors end
 * that were lost so far.
 */
static int salvage_units(const struct slot_read *read, const struct index_entry *entry,
	uint64_t lba, uint64_t n, struct err *err)
{
	uint32_t block = read->store->info.block_bytes, size = read->store->info.unit_bytes;
	uint64_t begin = entry->lba * block, end, done = 0;

	for (uint64_t at = lba * block; at < (lba + n) * block; at = end) {
		uint32_t unit = (uint32_t)((at - begin) / size);
		struct err failure;
		char what[100];
		uint64_t first, stop;

		end = mem_min_u64((lba + n) * block, begin + ((uint64_t)unit + 1) * size);
		if (check_unit(read->store, entry, unit, &failure) == 0) {
			if (read_from_run(read, entry, mem_max_u64(at, done), end, err) < 0)
				return -1;
			continue;
		}
		if (failure.kind == ERR_NO_MEMORY)
			return err_memory(err, "reading the image");
		first = mem_max_u64(at, done) / block;
		stop = (end + block - 1) / block;
		done = stop * block;
		snprintf(what, sizeof(what),
			"chunk %u of the run at file offset %" PRIu64 " is damaged", unit,
			entry->offset);
		if (first < stop)
			lose_sectors(read, first, stop - first, what);
	}
	return 0;
}

/* N sectors from LBA out of the run at ENTRY, which has them all. */
static int read_piece(const struct slot_read *read, const struct index_entry *entry, uint64_t lba,
	uint64_t n, struct err *err)
{
	uint32_t block = read->store->info.block_bytes;
	struct data_head head;
	struct err failure;

	if (read_from_run(read, entry, lba * block, (lba + n) * block, &failure) == 0)
		return 0;
	if (!read->lose || failure.kind == ERR_NO_MEMORY) {
		if (err)
			*err = failure;
		return -1;
	}
	if (load_run(read->store, entry, &head, &failure) == 0)
		return salvage_units(read, entry, lba, n, err);
	lose_sectors(read, lba, n, failure.text);
	return 0;
}

/*
 * The same of those that the map says the drive gave; the others are zeros, whatever the record has
 * of them.  They may lie in a unit that was found damaged and was not read again as a whole: what
 * the image does not claim to have cannot be missed.  A salvage names all damage that it meets,
 * also where it has been before.
 */
static int read_claimed(const struct slot_read *read, const struct index_entry *entry, uint64_t lba,
	uint64_t n, struct err *err)
{
	uint64_t end = lba + n, block = read->store->info.block_bytes;
	uint64_t from = lba * block, to = end * block;
	struct block_range range;
	uint8_t *data;

	range = blockmap_at(read->store->map, lba);
	if (!read->checked || read->lose ||
		(BLOCK_MASK(range.state) & BLOCK_HAVE && range.lba + range.n >= end))
		return read_piece(read, entry, lba, n, err);
	data = asked_for(read, &from, &to);
	if (data)
		memset(data, 0, (size_t)(to - from));
	while (lba < end && blockmap_next(read->store->map, lba, BLOCK_HAVE, &range) &&
		range.lba < end) {
		lba = mem_min_u64(range.lba + range.n, end);
		if (read_piece(read, entry, range.lba, lba - range.lba, err) < 0)
			return -1;
	}
	return 0;
}

/* Sectors LBA … END-1 are in no record.  They read as zeros, but none of them can be good. */
static int check_unrecorded(
	const struct slot_read *read, uint64_t lba, uint64_t end, struct err *err)
{
	struct block_range range;

	while (lba < end && blockmap_next(read->store->map, lba, BLOCK_HAVE, &range) &&
		range.lba < end) {
		lba = mem_min_u64(range.lba + range.n, end);
		if (!read->lose)
			return err_set(err, ERR_BAD_IMAGE,
				"the map calls them good, but no record has them: sectors %" PRIu64
				"-%" PRIu64,
				range.lba, lba - 1);
		lose_sectors(read, range.lba, lba - range.lba,
			"the map calls them good, but no record has them");
	}
	return 0;
}

/* The sectors that no record of the slot had. */
static int check_uncovered(const struct slot_read *read, struct cover *cover, struct err *err)
{
	uint64_t end = cover->first + cover->n, lba;
	uint32_t part;

	while (cover_take(cover, cover->first, end, &lba, &part)) {
		if (check_unrecorded(read, lba, lba + part, err) < 0)
			return -1;
	}
	return 0;
}

/* Records of one slot may lie over each other: from the newest to the oldest each gives what no
 * newer one had. */
static int read_newest_first(const struct slot_read *read, struct cover *cover,
	const struct index_entry *entry, size_t n, struct err *err)
{
	uint64_t lba;
	uint32_t part;

	for (size_t i = n; i-- > 0;) {
		uint64_t end = entry[i].lba + entry[i].n_blocks;

		while (cover_take(cover, entry[i].lba, end, &lba, &part)) {
			if (read_claimed(read, &entry[i], lba, part, err) < 0)
				return -1;
		}
	}
	return read->checked ? check_uncovered(read, cover, err) : 0;
}

/* Bytes that all lie in SLOT. */
static int read_in_slot(const struct slot_read *read, uint64_t slot, struct err *err)
{
	uint32_t block = read->store->info.block_bytes;
	uint64_t first = read->offset / block;
	uint64_t end = (read->offset + read->len + block - 1) / block;
	const struct index_entry *entry;
	struct cover cover;
	size_t n;
	int r;

	if (load_slot(read->store, slot, &entry, &n, err) < 0)
		return -1;
	if (n == 1 && entry->lba <= first && end - entry->lba <= entry->n_blocks)
		return read_claimed(read, entry, first, end - first, err);
	memset(read->data, 0, read->len);
	if (n == 0)
		return read->checked ? check_unrecorded(read, first, end, err) : 0;
	if (cover_begin(&cover, first, (uint32_t)(end - first)) < 0)
		return err_memory(err, "reading the image");
	r = read_newest_first(read, &cover, entry, n, err);
	cover_end(&cover);
	return r;
}

/* All of WHOLE, slot by slot. */
static int read_slots(const struct slot_read *whole, struct err *err)
{
	uint32_t run = whole->store->info.run_bytes;
	struct slot_read part = *whole;
	size_t left = whole->len;

	while (left > 0) {
		part.len = (size_t)mem_min_u64(left, run - part.offset % run);
		if (read_in_slot(&part, part.offset / run, err) < 0)
			return -1;
		part.offset += part.len;
		part.data += part.len;
		left -= part.len;
	}
	return 0;
}

int store_read(struct store *store, uint64_t offset, size_t len, uint8_t *data, struct err *err)
{
	struct slot_read read = {.store = store, .offset = offset, .len = len, .data = data};

	return read_slots(&read, err);
}

int store_read_checked(struct store *store, uint64_t offset, size_t len, uint8_t *data,
	image_lose *lose, void *context, struct err *err)
{
	struct slot_read read = {
		.store = store,
		.offset = offset,
		.len = len,
		.data = data,
		.checked = true,
		.lose = lose,
		.context = context,
	};

	return read_slots(&read, err);
}

int store_check_slot(struct store *store, uint64_t lba, uint64_t end,
	const struct index_entry *entry, size_t n, image_lose *lose, void *context, struct err *err)
{
	struct slot_read read = {.store = store, .checked = true, .lose = lose, .context = context};
	struct cover cover;
	uint32_t part;
	int r;

	if (n == 0)
		return check_unrecorded(&read, lba, end, err);
	if (cover_begin(&cover, lba, (uint32_t)(end - lba)) < 0)
		return err_memory(err, "reading the image");
	for (size_t i = 0; i < n; i++) {
		while (cover_take(
			&cover, entry[i].lba, entry[i].lba + entry[i].n_blocks, &lba, &part))
			;
	}
	r = check_uncovered(&read, &cover, err);
	cover_end(&cover);
	return r;
}

int store_read_slot(struct store *store, uint64_t lba, uint32_t n, uint8_t *data, struct err *err)
{
	return store_read(store, lba * store->info.block_bytes, (size_t)n * store->info.block_bytes,
		data, err);
}
