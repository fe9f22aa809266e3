/* SPDX-License-Identifier: BSD-2-Clause */
/* What has changed since the last checkpoint: see pending.h. */
#include "image/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "image/record.h"
#include "proto/ums.h"

static uint8_t *grow(struct bytes *b, size_t len)
{
	if (b->n + len > b->room) {
		size_t room = b->room ? b->room * 2 : 1024;
		uint8_t *bytes = realloc(b->bytes, room);

		if (!bytes)
			return NULL;
		b->bytes = bytes;
		b->room = room;
	}
	b->n += len;
	return b->bytes + b->n - len;
}

void map_entry_encode(const struct block_range *range, uint8_t out[UMS_MAP_ENTRY_SIZE])
{
	memset(out, 0, UMS_MAP_ENTRY_SIZE);
	put_le64(out + MAP_LBA, range->lba);
	put_le64(out + MAP_N_BLOCKS, range->n);
	out[MAP_STATE] = (uint8_t)range->state;
	out[MAP_OUTCOME] = range->why.outcome;
	out[MAP_STATUS] = range->why.status;
	out[MAP_SENSE_KEY] = range->why.sense_key;
	out[MAP_ASC] = range->why.asc;
	out[MAP_ASCQ] = range->why.ascq;
	out[MAP_TRIES] = range->why.tries;
	out[MAP_ERROR] = range->why.error;
}

void pending_free(struct pending *pending)
{
	free(pending->map.bytes);
	free(pending->index.bytes);
	free(pending->refs.bytes);
}

static int flush_last(struct pending *pending)
{
	uint8_t *p;

	if (pending->last.n == 0)
		return 0;
	p = grow(&pending->map, UMS_MAP_ENTRY_SIZE);
	if (!p)
		return -1;
	map_entry_encode(&pending->last, p);
	pending->last.n = 0;
	return 0;
}

int pending_map(struct pending *pending, const struct block_range *range)
{
	struct block_range *last = &pending->last;

	if (last->n > 0 && last->lba + last->n == range->lba && last->state == range->state &&
		memcmp(&last->why, &range->why, sizeof(last->why)) == 0) {
		last->n += range->n;
		return 0;
	}
	if (flush_last(pending) < 0)
		return -1;
	*last = *range;
	return 0;
}

int pending_index(struct pending *pending, const struct index_entry *entry)
{
	uint8_t *p = grow(&pending->index, UMS_INDEX_ENTRY_SIZE);

	if (!p)
		return -1;
	index_entry_encode(entry, p);
	return 0;
}

int pending_ref(struct pending *pending, uint32_t type, uint64_t offset)
{
	uint8_t *p = grow(&pending->refs, UMS_REF_SIZE);

	if (!p)
		return -1;
	memset(p, 0, UMS_REF_SIZE);
	put_le64(p + REF_OFFSET, offset);
	put_le32(p + REF_TYPE, type);
	return 0;
}

bool pending_is_empty(const struct pending *pending)
{
	return pending->last.n == 0 && pending->map.n == 0 && pending->index.n == 0 &&
	       pending->refs.n == 0;
}

uint64_t pending_bytes(const struct pending *pending)
{
	return UMS_RECORD_HEAD_SIZE + UMS_CKPT_HEAD_SIZE + UMS_MAP_ENTRY_SIZE + pending->map.n +
	       pending->index.n + pending->refs.n;
}

static uint8_t *put_bytes(uint8_t *p, struct bytes *b)
{
	if (b->n > 0)
		memcpy(p, b->bytes, b->n);
	p += b->n;
	b->n = 0;
	return p;
}

/* The fixed part; FILE_CRC is of all bytes before the record. */
static void checkpoint_encode(const struct pending *pending, const struct checkpoint *checkpoint,
	uint32_t file_crc, uint8_t head[UMS_CKPT_HEAD_SIZE])
{
	put_le64(head + CKPT_PREVIOUS, checkpoint->previous);
	put_le64(head + CKPT_POSITION, checkpoint->position);
	put_le32(head + CKPT_PASS, checkpoint->pass);
	put_le32(head + CKPT_FILE_CRC, file_crc);
	put_le32(head + CKPT_N_MAP, (uint32_t)(pending->map.n / UMS_MAP_ENTRY_SIZE));
	put_le32(head + CKPT_N_INDEX, (uint32_t)(pending->index.n / UMS_INDEX_ENTRY_SIZE));
	put_le32(head + CKPT_N_REFS, (uint32_t)(pending->refs.n / UMS_REF_SIZE));
	put_le32(head + CKPT_NUMBER, checkpoint->number);
	put_le64(head + CKPT_STORED, checkpoint->stored);
	put_le64(head + CKPT_SEAL, checkpoint->seal);
	put_le32(head + CKPT_GENERATION, checkpoint->generation);
}

uint8_t *pending_record(struct pending *pending, const struct out *out,
	const struct checkpoint *checkpoint, size_t *len)
{
	struct record record = {.type = UMS_TYPE_CKPT, .offset = out->tail};
	uint8_t *bytes, *payload, *end;

	if (flush_last(pending) < 0)
		return NULL;
	record.length = UMS_CKPT_HEAD_SIZE + pending->map.n + pending->index.n + pending->refs.n;
	*len = (size_t)(record_end(&record) - record.offset);
	bytes = calloc(1, *len);
	if (!bytes)
		return NULL;
	payload = bytes + UMS_RECORD_HEAD_SIZE;
	checkpoint_encode(pending, checkpoint, out->crc, payload);
	end = put_bytes(payload + UMS_CKPT_HEAD_SIZE, &pending->map);
	end = put_bytes(end, &pending->index);
	put_bytes(end, &pending->refs);
	record.payload_crc = crc32_of(0, payload, (size_t)record.length);
	record_encode(&record, out->uuid, bytes);
	return bytes;
}
