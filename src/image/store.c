/* SPDX-License-Identifier: BSD-2-Clause */
/* An image as it lies in its file, and reading sectors from it: see store.h. */
#include "image/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/deflate.h"
#include "image/load.h"
#include "image/record.h"

#define KNOWN_INCOMPATIBLE 0u
#define RUNS_MAX	   262144u /* fit QEMU's 16 MiB of property list at 53 bytes each */

int refs_add(struct refs *refs, uint32_t type, uint64_t offset)
{
	if (mem_grow(&refs->ref, refs->n, &refs->room, sizeof(*refs->ref)) < 0)
		return -1;
	refs->ref[refs->n++] = (struct ref){.offset = offset, .type = type};
	return 0;
}

uint32_t store_run_bytes(uint64_t size_bytes)
{
	uint32_t run = 1u << 20;

	while (run < UMS_RUN_BYTES_MAX && size_bytes / run > RUNS_MAX)
		run *= 2;
	return run;
}

void store_head_encode(const struct image_info *info, uint8_t payload[UMS_HEAD_SIZE])
{
	memset(payload, 0, UMS_HEAD_SIZE);
	put_le16(payload + HEAD_MAJOR, UMS_VERSION_MAJOR);
	put_le16(payload + HEAD_MINOR, UMS_VERSION_MINOR);
	put_le32(payload + HEAD_BLOCK_BYTES, info->block_bytes);
	put_le64(payload + HEAD_N_BLOCKS, info->n_blocks);
	put_le64(payload + HEAD_SIZE_BYTES, info->size_bytes);
	put_le32(payload + HEAD_UNIT_BYTES, info->unit_bytes);
	put_le32(payload + HEAD_RUN_BYTES, info->run_bytes);
	put_le64(payload + HEAD_CREATED, info->created);
}

static bool geometry_is_sane(const struct image_info *info)
{
	uint64_t whole;

	return info->block_bytes >= UMS_BLOCK_BYTES_MIN &&
	       info->block_bytes <= UMS_BLOCK_BYTES_MAX && info->n_blocks > 0 &&
	       mem_mul_u64(info->n_blocks, info->block_bytes, &whole) && whole <= INT64_MAX &&
	       info->size_bytes <= whole && whole - info->size_bytes < info->block_bytes &&
	       info->unit_bytes >= UMS_UNIT_BYTES_MIN && info->unit_bytes <= info->run_bytes &&
	       info->run_bytes <= UMS_RUN_BYTES_MAX && info->run_bytes % info->block_bytes == 0 &&
	       info->run_bytes / info->unit_bytes <= UMS_UNITS_MAX;
}

int store_head_decode(struct store *store, const uint8_t *payload, uint64_t length, struct err *err)
{
	struct image_info *info = &store->info;
	uint32_t unknown;

	if (length < UMS_HEAD_SIZE)
		return err_set(err, ERR_BAD_IMAGE, "the image's header is too short");
	info->version = get_le16(payload + HEAD_MAJOR);
	if (info->version != UMS_VERSION_MAJOR)
		return err_set(err, ERR_BAD_IMAGE,
			"the image is of format version %u; this program reads version %u",
			info->version, UMS_VERSION_MAJOR);
	unknown = get_le32(payload + HEAD_INCOMPATIBLE) & ~KNOWN_INCOMPATIBLE;
	if (unknown)
		return err_set(err, ERR_BAD_IMAGE,
			"the image uses format features 0x%x that this program does not know",
			unknown);
	info->block_bytes = get_le32(payload + HEAD_BLOCK_BYTES);
	info->n_blocks = get_le64(payload + HEAD_N_BLOCKS);
	info->size_bytes = get_le64(payload + HEAD_SIZE_BYTES);
	info->unit_bytes = get_le32(payload + HEAD_UNIT_BYTES);
	info->run_bytes = get_le32(payload + HEAD_RUN_BYTES);
	info->created = get_le64(payload + HEAD_CREATED);
	if (!geometry_is_sane(info))
		return err_set(err, ERR_BAD_IMAGE,
			"the image's header claims an impossible geometry (%" PRIu64
			" sectors of %u bytes, %" PRIu64 " bytes, units of %u, runs of %u)",
			info->n_blocks, info->block_bytes, info->size_bytes, info->unit_bytes,
			info->run_bytes);
	return 0;
}

int store_prepare(struct store *store, struct err *err)
{
	store->slot_blocks = store->info.run_bytes / store->info.block_bytes;
	store->run_offset = UINT64_MAX;
	store->unit_of = UINT64_MAX;
	store->map = blockmap_new(store->info.n_blocks);
	store->inflater = inflater_new();
	store->unit = malloc(store->info.unit_bytes);
	if (!store->map || !store->inflater || !store->unit)
		return err_memory(err, "opening the image");
	return 0;
}

void store_clear(struct store *store)
{
	blockmap_free(store->map);
	index_free(store->index);
	inflater_free(store->inflater);
	free(store->refs.ref);
	free(store->run_payload);
	free(store->unit);
	if (store->fd >= 0)
		close(store->fd);
}

uint64_t store_n_slots(const struct store *store)
{
	return (store->info.n_blocks + store->slot_blocks - 1) / store->slot_blocks;
}

uint32_t store_slot_length(const struct store *store, uint64_t slot)
{
	uint64_t left = store->info.n_blocks - slot * store->slot_blocks;

	return left < store->slot_blocks ? (uint32_t)left : store->slot_blocks;
}

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
	const struct index_entry *entry;
	size_t n;

	if (load_slot(store, slot, &entry, &n, err) < 0)
		return -1;
	memset(data, 0, len);
	for (size_t i = 0; i < n; i++) {
		if (store_read_run(store, &entry[i], offset, len, data, err) < 0)
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

uint8_t *store_record_read(
	struct store *store, uint64_t offset, uint32_t type, uint64_t *length, struct err *err)
{
	struct record record;
	char name[20];

	if (record_read_head(
		    store->fd, offset, store->info.file_bytes, store->info.uuid, &record, err) < 0)
		return NULL;
	if (record.type != type) {
		err_set(err, ERR_BAD_IMAGE,
			"the record at offset %" PRIu64 " is %s, not what it should be", offset,
			record_type_text(record.type, name));
		return NULL;
	}
	*length = record.length;
	return record_read_payload(store->fd, &record, store->info.file_bytes, err);
}

int store_blob_read(struct store *store, uint64_t offset, uint8_t **payload, char name[256],
	const uint8_t **bytes, size_t *len, struct err *err)
{
	uint64_t length;
	size_t name_len;

	*payload = store_record_read(store, offset, UMS_TYPE_BLOB, &length, err);
	if (!*payload)
		return -1;
	name_len = length >= UMS_BLOB_HEAD_SIZE ? get_le16(*payload + BLOB_NAME_LENGTH) : 0;
	if (name_len == 0 || name_len > UMS_BLOB_NAME_MAX ||
		UMS_BLOB_HEAD_SIZE + name_len > length) {
		free(*payload);
		*payload = NULL;
		return err_set(err, ERR_BAD_IMAGE,
			"the BLOB record at offset %" PRIu64 " has no valid name", offset);
	}
	memcpy(name, *payload + UMS_BLOB_HEAD_SIZE, name_len);
	name[name_len] = '\0';
	*bytes = *payload + UMS_BLOB_HEAD_SIZE + name_len;
	*len = (size_t)length - UMS_BLOB_HEAD_SIZE - name_len;
	return 0;
}

void *store_blob_find(struct store *store, const char *name, size_t *len)
{
	for (size_t i = store->refs.n; i-- > 0;) {
		cleanup_free uint8_t *payload = NULL;
		const uint8_t *bytes;
		char found[256];
		uint8_t *copy;

		if (store->refs.ref[i].type != UMS_TYPE_BLOB ||
			store_blob_read(store, store->refs.ref[i].offset, &payload, found, &bytes,
				len, NULL) < 0 ||
			strcmp(found, name) != 0)
			continue;
		copy = malloc(*len + 1);
		if (copy) {
			memcpy(copy, bytes, *len);
			copy[*len] = '\0';
		}
		return copy;
	}
	return NULL;
}

int store_file_crc(int fd, uint64_t offset, uint64_t end, uint32_t *crc, struct err *err)
{
	size_t room = 1u << 20;
	cleanup_free uint8_t *buffer = malloc(room);

	if (!buffer)
		return err_memory(err, "reading the image");
	while (offset < end) {
		size_t want = (size_t)mem_min_u64(room, end - offset);
		ssize_t n = file_read_at(fd, buffer, want, offset);

		if (n < 0)
			return err_sys(err, errno, "reading the image at offset %" PRIu64, offset);
		if ((size_t)n != want)
			return err_set(err, ERR_BAD_IMAGE, "the image ends at offset %" PRIu64,
				offset + (uint64_t)n);
		*crc = crc32_of(*crc, buffer, want);
		offset += want;
	}
	return 0;
}

int store_bytes(
	const struct store *store, uint64_t offset, void *bytes, size_t len, struct err *err)
{
	ssize_t n = file_read_at(store->fd, bytes, len, offset);

	if (n < 0)
		return err_sys(err, errno, "reading the image at offset %" PRIu64, offset);
	if ((size_t)n != len)
		return err_set(err, ERR_BAD_IMAGE, "the image ends at offset %" PRIu64,
			offset + (uint64_t)n);
	return 0;
}
