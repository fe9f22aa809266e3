/* SPDX-License-Identifier: BSD-2-Clause */
/* Images made by hand: see forge.h. */
#include "tests/aid/forge.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "image/codec.h"
#include "image/record.h"
#include "image/store.h"

static const uint8_t forge_uuid[16] = {0xf0, 0x26, 1, 2, 3, 4, 0x45, 6, 0x87, 8, 9, 10, 11, 12, 13};

size_t forge_bytes(struct forged *out, const void *bytes, size_t len)
{
	size_t at = out->n;

	if (out->n + len > out->room) {
		out->room = 2 * (out->n + len) + 4096;
		out->p = realloc(out->p, out->room);
		if (!out->p)
			abort();
	}
	if (bytes)
		memcpy(out->p + at, bytes, len);
	else if (len > 0)
		memset(out->p + at, 0, len);
	out->n += len;
	return at;
}

void forge_free(struct forged *out)
{
	free(out->p);
	*out = (struct forged){0};
}

void forge_map_entry(struct forged *out, uint64_t lba, uint64_t n, uint8_t state)
{
	uint8_t bytes[UMS_MAP_ENTRY_SIZE] = {0};

	put_le64(bytes + MAP_LBA, lba);
	put_le64(bytes + MAP_N_BLOCKS, n);
	bytes[MAP_STATE] = state;
	forge_bytes(out, bytes, sizeof(bytes));
}

void forge_index_entry(struct forged *out, const struct index_entry *entry)
{
	uint8_t bytes[UMS_INDEX_ENTRY_SIZE];

	index_entry_encode(entry, bytes);
	forge_bytes(out, bytes, sizeof(bytes));
}

void forge_ref(struct forged *out, uint32_t type, uint64_t offset)
{
	uint8_t bytes[UMS_REF_SIZE] = {0};

	put_le64(bytes + REF_OFFSET, offset);
	put_le32(bytes + REF_TYPE, type);
	forge_bytes(out, bytes, sizeof(bytes));
}

void forge_page(struct forged *out, uint64_t first_lba, uint64_t offset, uint32_t n_entries)
{
	uint8_t bytes[UMS_ROOT_PAGE_SIZE] = {0};

	put_le64(bytes + PAGE_FIRST_LBA, first_lba);
	put_le64(bytes + PAGE_OFFSET, offset);
	put_le32(bytes + PAGE_N_ENTRIES, n_entries);
	forge_bytes(out, bytes, sizeof(bytes));
}

uint64_t forge_record(struct forged *file, uint32_t type, const void *payload, size_t len)
{
	struct record record = {.type = type,
		.offset = file->n,
		.length = len,
		.payload_crc = crc32_of(0, payload, len)};
	uint8_t head[UMS_RECORD_HEAD_SIZE];

	record_encode(&record, forge_uuid, head);
	forge_bytes(file, head, sizeof(head));
	forge_bytes(file, payload, len);
	forge_bytes(file, NULL, record_padding(len));
	return record.offset;
}

uint64_t forge_false_head(struct forged *file, uint32_t type, uint64_t claimed)
{
	struct record record = {
		.type = type, .offset = file->n, .length = claimed, .payload_crc = 0x5eed5eed};
	uint8_t head[UMS_RECORD_HEAD_SIZE];

	record_encode(&record, forge_uuid, head);
	forge_bytes(file, head, sizeof(head));
	return record.offset;
}

void forge_mend(struct forged *file, uint64_t offset)
{
	uint8_t *head = file->p + offset;

	put_le32(head + REC_PAYLOAD_CRC,
		crc32_of(0, head + UMS_RECORD_HEAD_SIZE, (size_t)get_le64(head + REC_LENGTH)));
	put_le32(head + REC_HEAD_CRC, crc32_of(0, head, REC_HEAD_CRC));
}

void forge_head(struct forged *file, uint64_t n_blocks, uint32_t unit_bytes, uint32_t run_bytes)
{
	struct image_info info = {.n_blocks = n_blocks,
		.block_bytes = 512,
		.size_bytes = n_blocks * 512,
		.unit_bytes = unit_bytes,
		.run_bytes = run_bytes};
	uint8_t payload[UMS_HEAD_SIZE];

	store_head_encode(&info, payload);
	forge_record(file, UMS_TYPE_HEAD, payload, sizeof(payload));
}

void forge_data(struct forged *file, uint64_t lba, uint32_t n, uint32_t unit_bytes, uint8_t fill,
	struct index_entry *entry)
{
	struct encoder *encoder = encoder_new(unit_bytes);
	size_t len = (size_t)n * 512;
	uint8_t *plain = malloc(len), *out = malloc(encoder_room((uint32_t)len, unit_bytes));
	struct forged payload = {0};
	struct encoded encoded;

	if (!encoder || !plain || !out)
		abort();
	memset(plain, fill, len);
	encoder_run(encoder, lba, n, 512, BLOCK_GOOD, plain, out, &encoded);
	forge_bytes(&payload, out, encoded.head_bytes);
	forge_bytes(&payload, encoded.body, encoded.head.body_bytes);
	*entry = (struct index_entry){
		.lba = lba,
		.n_blocks = n,
		.offset = forge_record(file, UMS_TYPE_DATA, payload.p, payload.n),
		.length = (uint32_t)payload.n,
		.plain_crc = encoded.head.plain_crc,
		.encoding = encoded.head.encoding,
	};
	forge_free(&payload);
	encoder_free(encoder);
	free(plain);
	free(out);
}

void forge_data_again(struct forged *file, struct index_entry *entry)
{
	uint8_t *payload = malloc(entry->length);

	if (!payload)
		abort();
	memcpy(payload, file->p + entry->offset + UMS_RECORD_HEAD_SIZE, entry->length);
	entry->offset = forge_record(file, UMS_TYPE_DATA, payload, entry->length);
	free(payload);
}

void forge_nest(struct forged *file, uint32_t type, size_t n, size_t prefix_len,
	void (*fill)(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level))
{
	size_t step = UMS_RECORD_HEAD_SIZE + prefix_len;
	size_t begin = forge_bytes(file, NULL, n * step);
	uint64_t length = prefix_len; /* of the innermost payload */
	uint32_t crc = 0;	      /* of all behind this level's prefix */

	/* From the inside out: an outer payload's CRC goes over the inner record. */
	for (size_t level = n; level-- > 0; length += step) {
		uint8_t *at = file->p + begin + level * step;
		struct record record = {
			.type = type, .offset = begin + level * step, .length = length};

		fill(at + UMS_RECORD_HEAD_SIZE, record.offset, length, level);
		record.payload_crc = crc32_join(crc32_of(0, at + UMS_RECORD_HEAD_SIZE, prefix_len),
			crc, length - prefix_len);
		record_encode(&record, forge_uuid, at);
		crc = crc32_join(crc32_of(0, at, UMS_RECORD_HEAD_SIZE), record.payload_crc, length);
	}
}

uint64_t forge_blob(struct forged *file, const char *name, size_t len)
{
	struct forged payload = {0};
	uint8_t head[UMS_BLOB_HEAD_SIZE] = {0};
	uint64_t offset;

	put_le16(head + BLOB_NAME_LENGTH, (uint16_t)strlen(name));
	forge_bytes(&payload, head, sizeof(head));
	forge_bytes(&payload, name, strlen(name));
	forge_bytes(&payload, NULL, len);
	offset = forge_record(file, UMS_TYPE_BLOB, payload.p, payload.n);
	forge_free(&payload);
	return offset;
}

static uint32_t forge_add(struct forged *payload, const struct forged *part, size_t size)
{
	if (!part)
		return 0;
	forge_bytes(payload, part->p, part->n);
	return (uint32_t)(part->n / size);
}

uint64_t forge_ckpt(struct forged *file, uint64_t previous, const struct forged *map,
	const struct forged *index, const struct forged *refs)
{
	struct forged payload = {0};
	uint32_t n_map, n_index, n_refs;
	uint64_t offset;

	forge_bytes(&payload, NULL, UMS_CKPT_HEAD_SIZE);
	n_map = forge_add(&payload, map, UMS_MAP_ENTRY_SIZE);
	n_index = forge_add(&payload, index, UMS_INDEX_ENTRY_SIZE);
	n_refs = forge_add(&payload, refs, UMS_REF_SIZE);
	put_le64(payload.p + CKPT_PREVIOUS, previous);
	put_le32(payload.p + CKPT_FILE_CRC, crc32_of(0, file->p, file->n));
	put_le32(payload.p + CKPT_N_MAP, n_map);
	put_le32(payload.p + CKPT_N_INDEX, n_index);
	put_le32(payload.p + CKPT_N_REFS, n_refs);
	put_le32(payload.p + CKPT_NUMBER, 1);
	offset = forge_record(file, UMS_TYPE_CKPT, payload.p, payload.n);
	forge_free(&payload);
	return offset;
}

static uint64_t forge_root(
	struct forged *file, const struct forged *pages, const struct forged *refs)
{
	struct forged payload = {0};
	uint32_t n_pages, n_refs;
	uint64_t offset;

	forge_bytes(&payload, NULL, UMS_ROOT_HEAD_SIZE);
	n_pages = forge_add(&payload, pages, UMS_ROOT_PAGE_SIZE);
	n_refs = forge_add(&payload, refs, UMS_REF_SIZE);
	put_le32(payload.p + ROOT_N_PAGES, n_pages);
	put_le32(payload.p + ROOT_N_REFS, n_refs);
	offset = forge_record(file, UMS_TYPE_ROOT, payload.p, payload.n);
	forge_free(&payload);
	return offset;
}

void forge_seal(struct forged *file, const struct forged *pages, const struct forged *refs,
	const struct forged *map, uint64_t ckpt)
{
	uint8_t seal[UMS_SEAL_SIZE] = {0};

	put_le32(seal + SEAL_GENERATION, 1);
	put_le64(seal + SEAL_ROOT, forge_root(file, pages, refs));
	put_le64(seal + SEAL_MAP,
		forge_record(file, UMS_TYPE_MAPS, map ? map->p : NULL, map ? map->n : 0));
	put_le64(seal + SEAL_CKPT, ckpt);
	put_le32(seal + SEAL_FILE_CRC, crc32_of(0, file->p, file->n));
	forge_record(file, UMS_TYPE_SEAL, seal, sizeof(seal));
}
