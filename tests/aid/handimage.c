/* SPDX-License-Identifier: BSD-2-Clause */
/* Images written record by record: see handimage.h. */
#include "tests/aid/handimage.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "proto/ums.h"
#include "tests/aid/makeimage.h"

size_t hand_record(struct hand *hand, uint32_t type, const void *payload, size_t len)
{
	size_t at = hand->n, end = at + UMS_RECORD_HEAD_SIZE + len;
	uint8_t *head;

	hand->n = (end + UMS_ALIGN - 1) / UMS_ALIGN * UMS_ALIGN;
	hand->bytes = realloc(hand->bytes, hand->n);
	if (!hand->bytes)
		abort();
	head = hand->bytes + at;
	memset(head, 0, hand->n - at);
	memcpy(head + UMS_RECORD_HEAD_SIZE, payload, len);
	put_le32(head + REC_MAGIC, UMS_RECORD_MAGIC);
	put_le32(head + REC_TYPE, type);
	put_le64(head + REC_OFFSET, at);
	put_le64(head + REC_LENGTH, len);
	memset(head + REC_UUID, 0x5a, 16);
	put_le32(head + REC_PAYLOAD_CRC, crc32_of(0, payload, len));
	put_le32(head + REC_HEAD_CRC, crc32_of(0, head, REC_HEAD_CRC));
	return at;
}

void hand_begin(struct hand *hand, uint32_t block_bytes, uint64_t n_blocks, uint32_t unit_bytes,
	uint32_t run_bytes)
{
	uint8_t head[UMS_HEAD_SIZE] = {0};

	*hand = (struct hand){
		.block_bytes = block_bytes, .unit_bytes = unit_bytes, .n_blocks = n_blocks};
	put_le16(head + HEAD_MAJOR, 1);
	put_le32(head + HEAD_BLOCK_BYTES, block_bytes);
	put_le64(head + HEAD_N_BLOCKS, n_blocks);
	put_le64(head + HEAD_SIZE_BYTES, n_blocks * block_bytes);
	put_le32(head + HEAD_UNIT_BYTES, unit_bytes);
	put_le32(head + HEAD_RUN_BYTES, run_bytes);
	hand_record(hand, UMS_TYPE_HEAD, head, sizeof(head));
}

void hand_end(struct hand *hand)
{
	free(hand->bytes);
}

static void note_entry(struct hand *hand, uint64_t lba, uint32_t n, size_t offset, size_t length,
	uint32_t plain_crc)
{
	if (hand->n_entries == sizeof(hand->entry) / sizeof(hand->entry[0]))
		abort();
	hand->entry[hand->n_entries++] = (struct index_entry){.lba = lba,
		.offset = offset,
		.n_blocks = n,
		.length = (uint32_t)length,
		.plain_crc = plain_crc,
		.encoding = UMS_ENCODING_RAW};
}

size_t hand_data(struct hand *hand, uint64_t lba, uint32_t n, uint8_t state, uint8_t fill)
{
	size_t len = (size_t)n * hand->block_bytes;
	uint32_t units = (uint32_t)((len + hand->unit_bytes - 1) / hand->unit_bytes);
	size_t body = UMS_DATA_HEAD_SIZE + (size_t)units * UMS_UNIT_ENTRY_SIZE;
	uint8_t *p = calloc(1, body + len);
	size_t at;

	if (!p)
		abort();
	for (size_t i = 0; i < len; i++)
		p[body + i] = (uint8_t)(fill + lba + i / hand->block_bytes);
	put_le64(p + DATA_LBA, lba);
	put_le32(p + DATA_N_BLOCKS, n);
	p[DATA_ENCODING] = UMS_ENCODING_RAW;
	p[DATA_STATE] = state;
	put_le32(p + DATA_PLAIN_CRC, crc32_of(0, p + body, len));
	put_le32(p + DATA_N_UNITS, units);
	put_le32(p + DATA_BODY, (uint32_t)body);
	put_le32(p + DATA_BODY_BYTES, (uint32_t)len);
	for (uint32_t u = 0; u < units; u++) {
		uint8_t *unit = p + UMS_DATA_HEAD_SIZE + (size_t)u * UMS_UNIT_ENTRY_SIZE;
		size_t begin = (size_t)u * hand->unit_bytes;
		size_t part = len - begin < hand->unit_bytes ? len - begin : hand->unit_bytes;

		put_le32(unit + UNIT_OFFSET, (uint32_t)begin);
		put_le32(unit + UNIT_CRC, crc32_of(0, p + body + begin, part));
	}
	at = hand_record(hand, UMS_TYPE_DATA, p, body + len);
	note_entry(hand, lba, n, at, body + len, get_le32(p + DATA_PLAIN_CRC));
	free(p);
	return at;
}

static void put_map(uint8_t *p, const struct block_range *map, size_t n)
{
	for (size_t i = 0; i < n; i++, p += UMS_MAP_ENTRY_SIZE) {
		put_le64(p + MAP_LBA, map[i].lba);
		put_le64(p + MAP_N_BLOCKS, map[i].n);
		p[MAP_STATE] = (uint8_t)map[i].state;
	}
}

size_t hand_checkpoint(struct hand *hand, const struct block_range *map, size_t n_map)
{
	uint8_t p[8192] = {0};
	uint8_t *index = p + UMS_CKPT_HEAD_SIZE + n_map * UMS_MAP_ENTRY_SIZE;

	put_le32(p + CKPT_N_MAP, (uint32_t)n_map);
	put_le32(p + CKPT_N_INDEX, (uint32_t)hand->n_entries);
	put_le32(p + CKPT_NUMBER, 1);
	put_map(p + UMS_CKPT_HEAD_SIZE, map, n_map);
	for (size_t i = 0; i < hand->n_entries; i++, index += UMS_INDEX_ENTRY_SIZE)
		index_entry_encode(&hand->entry[i], index);
	return hand_record(hand, UMS_TYPE_CKPT, p, (size_t)(index - p));
}

void hand_seal(struct hand *hand, size_t per_page, const struct block_range *map, size_t n_map)
{
	uint8_t root[4096] = {0}, maps[4096], page[4096], seal[UMS_SEAL_SIZE] = {0};
	size_t ckpt = hand_checkpoint(hand, map, n_map);
	uint32_t n_pages = 0;

	for (size_t i = 0; i < hand->n_entries; i += per_page, n_pages++) {
		uint8_t *line = root + UMS_ROOT_HEAD_SIZE + n_pages * UMS_ROOT_PAGE_SIZE;
		size_t n = hand->n_entries - i < per_page ? hand->n_entries - i : per_page;

		for (size_t k = 0; k < n; k++)
			index_entry_encode(&hand->entry[i + k], page + k * UMS_INDEX_ENTRY_SIZE);
		put_le64(line + PAGE_FIRST_LBA, hand->entry[i].lba);
		put_le64(line + PAGE_OFFSET,
			hand_record(hand, UMS_TYPE_INDX, page, n * UMS_INDEX_ENTRY_SIZE));
		put_le32(line + PAGE_N_ENTRIES, (uint32_t)n);
	}
	put_le32(root + ROOT_N_PAGES, n_pages);
	put_map(memset(maps, 0, sizeof(maps)), map, n_map);
	put_le64(seal + SEAL_ROOT, hand_record(hand, UMS_TYPE_ROOT, root,
					   UMS_ROOT_HEAD_SIZE + n_pages * UMS_ROOT_PAGE_SIZE));
	put_le64(seal + SEAL_MAP,
		hand_record(hand, UMS_TYPE_MAPS, maps, n_map * UMS_MAP_ENTRY_SIZE));
	put_le32(seal + SEAL_GENERATION, 1);
	put_le64(seal + SEAL_CKPT, ckpt);
	put_le32(seal + SEAL_FILE_CRC, crc32_of(0, hand->bytes, hand->n));
	hand_record(hand, UMS_TYPE_SEAL, seal, sizeof(seal));
}

size_t hand_body(const struct hand *hand, size_t record)
{
	const struct index_entry *entry = &hand->entry[record];

	return entry->offset + UMS_RECORD_HEAD_SIZE + entry->length -
	       (size_t)entry->n_blocks * hand->block_bytes;
}

void hand_write(const struct hand *hand, const char *path)
{
	write_file(path, hand->bytes, hand->n);
}
