/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading sectors from an image: see store.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/deflate.h"
#include "image/load.h"
#include "image/record.h"
#include "image/store.h"
#include "image/visible.h"

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
	if (file_read_at(store->fd, stored, len,
		    entry->offset + UMS_RECORD_HEAD_SIZE + head->body + offset) != (ssize_t)len)
		return err_sys(err, errno, "reading the image at offset %" PRIu64, entry->offset);
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

/* LEN bytes at OFFSET that all lie in SLOT. */
static int read_in_slot(struct store *store, uint64_t slot, uint64_t offset, size_t len,
	uint8_t *data, struct err *err)
{
	uint64_t block = store->info.block_bytes, lba = offset / block;
	cleanup_free struct visible *piece = NULL;
	const struct index_entry *entry;
	size_t n, n_pieces;

	if (load_slot(store, slot, &entry, &n, err) < 0)
		return -1;
	memset(data, 0, len);
	if (n == 1)
		return store_read_run(store, entry, offset, len, data, err);
	if (n > 0 && visible_pieces(entry, n, lba, (uint32_t)((offset + len - 1) / block - lba) + 1,
			     &piece, &n_pieces) < 0)
		return err_memory(err, "reading the image");
	for (size_t i = 0; n > 0 && i < n_pieces; i++) {
		uint64_t from = mem_max_u64(offset, piece[i].lba * block);
		uint64_t to = mem_min_u64(offset + len, (piece[i].lba + piece[i].n) * block);

		if (store_read_run(store, piece[i].entry, from, (size_t)(to - from),
			    data + (from - offset), err) < 0)
			return -1;
	}
	return 0;
}

int store_read(struct store *store, uint64_t offset, size_t len, uint8_t *data, struct err *err)
{
	while (len > 0) {
		uint64_t slot = offset / store->info.run_bytes;
		uint64_t left = (slot + 1) * store->info.run_bytes - offset;
		size_t part = left < len ? (size_t)left : len;

		if (read_in_slot(store, slot, offset, part, data, err) < 0)
			return -1;
		offset += part;
		data += part;
		len -= part;
	}
	return 0;
}

int store_read_slot(struct store *store, uint64_t lba, uint32_t n, uint8_t *data, struct err *err)
{
	return store_read(store, lba * store->info.block_bytes, (size_t)n * store->info.block_bytes,
		data, err);
}
