/* SPDX-License-Identifier: BSD-2-Clause */
/* Checkpoints and single records: see scan.h. */
#include "image/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/find.h"
#include "image/record.h"

int scan_take_map(
	struct store *store, const uint8_t *p, uint64_t n, uint64_t offset, struct err *err)
{
	for (uint64_t i = 0; i < n; i++, p += UMS_MAP_ENTRY_SIZE) {
		uint64_t lba = get_le64(p + MAP_LBA), blocks = get_le64(p + MAP_N_BLOCKS), end;
		struct block_reason why = {
			.outcome = p[MAP_OUTCOME],
			.status = p[MAP_STATUS],
			.sense_key = p[MAP_SENSE_KEY],
			.asc = p[MAP_ASC],
			.ascq = p[MAP_ASCQ],
			.tries = p[MAP_TRIES],
			.error = p[MAP_ERROR],
		};

		if (p[MAP_STATE] >= BLOCK_STATES || !mem_add_u64(lba, blocks, &end) ||
			end > store->info.n_blocks)
			return err_set(err, ERR_BAD_IMAGE,
				"the block map at offset %" PRIu64 " is not of this drive", offset);
		if (blockmap_set(store->map, lba, blocks, (enum block_state)p[MAP_STATE], &why) < 0)
			return err_memory(err, "reading the block map");
	}
	return 0;
}

int scan_take_refs(struct store *store, const uint8_t *p, uint64_t n, struct err *err)
{
	for (uint64_t i = 0; i < n; i++, p += UMS_REF_SIZE) {
		if (refs_add(&store->refs, get_le32(p + REF_TYPE), get_le64(p + REF_OFFSET)) < 0)
			return err_memory(err, "opening the image");
	}
	return 0;
}

static int take_index(struct store *store, const uint8_t *p, uint64_t n, struct err *err)
{
	struct index_limits limits = store_limits(store);

	for (uint64_t i = 0; i < n; i++, p += UMS_INDEX_ENTRY_SIZE) {
		struct index_entry entry;

		index_entry_decode(p, &entry);
		if (!index_entry_fits(&entry, &limits))
			return err_set(
				err, ERR_BAD_IMAGE, "a checkpoint's index is not of this drive");
		if (index_add(store->index, &entry) < 0)
			return err_memory(err, "opening the image");
	}
	return 0;
}

/* The payload of the checkpoint at OFFSET, freed by the caller; NULL when it is none. */
static uint8_t *read_checkpoint(
	const struct store *store, uint64_t offset, struct record *record, struct err *err)
{
	uint8_t *p;
	uint64_t want;

	if (record_read_head(
		    store->fd, offset, store->info.file_bytes, store->info.uuid, record, err) < 0)
		return NULL;
	if (record->type != UMS_TYPE_CKPT || record->length < UMS_CKPT_HEAD_SIZE) {
		err_set(err, ERR_BAD_IMAGE, "no checkpoint at offset %" PRIu64, offset);
		return NULL;
	}
	p = record_read_payload(store->fd, record, store->info.file_bytes, err);
	if (!p)
		return NULL;
	want = UMS_CKPT_HEAD_SIZE + (uint64_t)get_le32(p + CKPT_N_MAP) * UMS_MAP_ENTRY_SIZE +
	       (uint64_t)get_le32(p + CKPT_N_INDEX) * UMS_INDEX_ENTRY_SIZE +
	       (uint64_t)get_le32(p + CKPT_N_REFS) * UMS_REF_SIZE;
	if (record->length == want)
		return p;
	free(p);
	err_set(err, ERR_BAD_IMAGE, "the checkpoint at offset %" PRIu64 " contradicts itself",
		offset);
	return NULL;
}

/* WITH_INDEX: take its index entries and references too (false where the records themselves were).
 */
static int take_checkpoint(struct store *store, uint64_t offset, bool with_index, struct err *err)
{
	cleanup_free uint8_t *p = NULL;
	struct record record;
	const uint8_t *index, *refs;
	uint32_t n_map, n_index;

	p = read_checkpoint(store, offset, &record, err);
	if (!p)
		return -1;
	n_map = get_le32(p + CKPT_N_MAP);
	n_index = get_le32(p + CKPT_N_INDEX);
	index = p + UMS_CKPT_HEAD_SIZE + (size_t)n_map * UMS_MAP_ENTRY_SIZE;
	refs = index + (size_t)n_index * UMS_INDEX_ENTRY_SIZE;
	if (scan_take_map(store, p + UMS_CKPT_HEAD_SIZE, n_map, offset, err) < 0)
		return -1;
	if (with_index && (take_index(store, index, n_index, err) < 0 ||
				  scan_take_refs(store, refs, get_le32(p + CKPT_N_REFS), err) < 0))
		return -1;
	store->info.pass = get_le32(p + CKPT_PASS);
	store->info.position = get_le64(p + CKPT_POSITION);
	store->info.stored_bytes = get_le64(p + CKPT_STORED);
	store->n_ckpts = get_le32(p + CKPT_NUMBER);
	store->last_seal = get_le64(p + CKPT_SEAL);
	store->info.generation = get_le32(p + CKPT_GENERATION);
	store->last_ckpt = offset;
	store->tail_crc =
		get_le32(p + CKPT_FILE_CRC); /* before it; load_store goes on from there */
	store->tail = mem_min_u64(record_end(&record), store->info.file_bytes);
	return 0;
}

int scan_chain(struct store *store, uint64_t offset, struct err *err)
{
	cleanup_free uint64_t *chain = NULL;
	uint64_t end = store->info.file_bytes;
	size_t n = 0, room = 0;

	while (offset != 0) {
		cleanup_free uint8_t *p = NULL;
		struct record record;
		uint64_t previous;

		if (offset < store->begin)
			return err_set(err, ERR_BAD_IMAGE,
				"a checkpoint at offset %" PRIu64 " lies in the header", offset);
		if (mem_grow(&chain, n, &room, sizeof(*chain)) < 0)
			return err_memory(err, "opening the image");
		p = read_checkpoint(store, offset, &record, err);
		if (!p)
			return -1;
		chain[n++] = offset;
		previous = get_le64(p + CKPT_PREVIOUS);
		if (previous >= offset || record_payload(&record) + record.length > end)
			return err_set(err, ERR_BAD_IMAGE,
				"the checkpoint at offset %" PRIu64
				" does not point back, or reaches into the next one",
				offset);
		end = offset;
		offset = previous;
	}
	while (n > 0) {
		if (take_checkpoint(store, chain[--n], true, err) < 0)
			return -1;
	}
	if (!index_settle(store->index))
		return err_set(err, ERR_BAD_IMAGE,
			"the checkpoints name runs that lie over each other in the file");
	return 0;
}

int scan_reset(struct store *store, struct err *err)
{
	blockmap_free(store->map);
	index_free(store->index);
	store->map = blockmap_new(store->info.n_blocks);
	store->index = index_new(store->slot_blocks);
	store->refs.n = 0;
	store->info.stored_bytes = 0;
	store->last_ckpt = 0;
	store->tail_crc = 0;
	store->n_ckpts = 0;
	store->last_seal = 0;
	store->info.generation = 0;
	return store->map && store->index ? 0 : err_memory(err, "opening the image");
}

static int take_data(struct store *store, const struct record *record, struct err *err)
{
	struct index_limits limits = store_limits(store);
	uint8_t payload[UMS_DATA_HEAD_SIZE];
	struct index_entry entry;
	struct data_head head;

	if (record->length < sizeof(payload) || record->length > UINT32_MAX ||
		file_read_at(store->fd, payload, sizeof(payload), record_payload(record)) !=
			sizeof(payload) ||
		data_head_decode(payload, record->length, store->info.block_bytes,
			store->info.unit_bytes, record->offset, &head, NULL) < 0)
		return 0;
	entry = (struct index_entry){
		.lba = head.lba,
		.offset = record->offset,
		.n_blocks = head.n_blocks,
		.length = (uint32_t)record->length,
		.plain_crc = head.plain_crc,
		.encoding = head.encoding,
	};
	if (!index_entry_fits(&entry, &limits))
		return 0;
	store->info.stored_bytes += head.body_bytes;
	if (index_add(store->index, &entry) < 0)
		return err_memory(err, "opening the image");
	if (head.state != BLOCK_GOOD && head.state != BLOCK_RECOVERED)
		return 0;
	if (blockmap_set(store->map, head.lba, head.n_blocks, (enum block_state)head.state, NULL) <
		0)
		return err_memory(err, "opening the image");
	return 0;
}

static void scan_take_seal(struct store *store, const struct record *record)
{
	uint8_t generation[4];

	if (record->length != UMS_SEAL_SIZE ||
		store_bytes(store, record_payload(record) + SEAL_GENERATION, generation,
			sizeof(generation), NULL) < 0)
		return;
	store->info.generation = get_le32(generation);
	store->last_seal = record->offset;
}

static int take_record(struct store *store, const struct record *record, struct err *err)
{
	switch (record->type) {
	case UMS_TYPE_DATA:
		return take_data(store, record, err);
	case UMS_TYPE_BLOB:
	case UMS_TYPE_JRNL:
		if (refs_add(&store->refs, record->type, record->offset) < 0)
			return err_memory(err, "opening the image");
		return 0;
	case UMS_TYPE_CKPT:
		return take_checkpoint(store, record->offset, false, err);
	case UMS_TYPE_SEAL:
		scan_take_seal(store, record);
		return 0;
	default: /* pages of an earlier seal, or unknown */
		return 0;
	}
}

int scan_records(struct store *store, uint64_t offset, struct err *err)
{
	cleanup_free struct record *record = NULL;
	size_t n;

	if (find_records(store, offset, &record, &n, err) < 0)
		return -1;
	store->tail = mem_min_u64(offset, store->info.file_bytes);
	for (size_t i = 0; i < n; i++) {
		if (take_record(store, &record[i], err) < 0)
			return -1;
		store->tail = mem_min_u64(record_end(&record[i]), store->info.file_bytes);
	}
	return 0;
}
