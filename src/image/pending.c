/* SPDX-License-Identifier: BSD-2-Clause */
/* What has changed since the last checkpoint: see pending.h. */
#include "image/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
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

uint64_t pending_bytes(const struct pending *pending)
{
	return UMS_RECORD_HEAD_SIZE + UMS_CKPT_HEAD_SIZE + UMS_MAP_ENTRY_SIZE + pending->map.n +
	       pending->index.n + pending->refs.n;
}

int pending_write(struct pending *pending, struct out *out, const struct checkpoint *checkpoint,
	uint64_t *offset, struct err *err)
{
	uint8_t head[UMS_CKPT_HEAD_SIZE] = {0};
	struct iovec piece[4];
	uint32_t crc;

	if (flush_last(pending) < 0)
		return err_memory(err, "writing a checkpoint");
	/* A checkpoint that is there must mean that all before it is: one barrier does that. */
	if (out_align(out, err) < 0 || out_sync(out, err) < 0)
		return -1;
	put_le64(head + CKPT_PREVIOUS, checkpoint->previous);
	put_le64(head + CKPT_POSITION, checkpoint->position);
	put_le32(head + CKPT_PASS, checkpoint->pass);
	put_le32(head + CKPT_FILE_CRC, out->crc);
	put_le32(head + CKPT_N_MAP, (uint32_t)(pending->map.n / UMS_MAP_ENTRY_SIZE));
	put_le32(head + CKPT_N_INDEX, (uint32_t)(pending->index.n / UMS_INDEX_ENTRY_SIZE));
	put_le32(head + CKPT_N_REFS, (uint32_t)(pending->refs.n / UMS_REF_SIZE));
	put_le32(head + CKPT_NUMBER, checkpoint->number);
	put_le64(head + CKPT_STORED, checkpoint->stored);
	put_le64(head + CKPT_SEAL, checkpoint->seal);
	put_le32(head + CKPT_GENERATION, checkpoint->generation);
	piece[0] = (struct iovec){.iov_base = head, .iov_len = sizeof(head)};
	piece[1] = (struct iovec){.iov_base = pending->map.bytes, .iov_len = pending->map.n};
	piece[2] = (struct iovec){.iov_base = pending->index.bytes, .iov_len = pending->index.n};
	piece[3] = (struct iovec){.iov_base = pending->refs.bytes, .iov_len = pending->refs.n};
	crc = crc32_of(0, head, sizeof(head));
	for (int i = 1; i < 4; i++) {
		if (piece[i].iov_len > 0)
			crc = crc32_of(crc, piece[i].iov_base, piece[i].iov_len);
	}
	if (out_record(out, UMS_TYPE_CKPT, piece, 4, crc, offset, err) < 0)
		return -1;
	pending->map.n = pending->index.n = pending->refs.n = 0;
	return 0;
}
