/* SPDX-License-Identifier: BSD-2-Clause */
/* An image as it lies in its file, but for its sectors: see store.h. */
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
#include "image/deflate.h"
#include "image/record.h"

#define KNOWN_INCOMPATIBLE 0u
#define RUNS_MAX	   262144u /* fit QEMU's 16 MiB of property list at 53 bytes each */

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

struct index_limits store_limits(const struct store *store)
{
	return (struct index_limits){
		.slot_blocks = store->slot_blocks,
		.n_blocks = store->info.n_blocks,
		.file_bytes = store->info.file_bytes,
	};
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
