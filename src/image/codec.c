/* SPDX-License-Identifier: BSD-2-Clause */
/* Sectors to DATA payloads and back: see codec.h. */
#include "image/codec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/mem.h"
#include "image/deflate.h"

#define STORED_MAX 65535u /* of one stored block, RFC 1951 §3.2.4 */
#define SAMPLE	   4096u

struct encoder {
	struct deflater *deflater;
	uint32_t unit_bytes;
};

/* Compressed, encrypted and random data show every byte value about equally often: then the sum of
 * the squared counts is near its least. */
static bool looks_incompressible(const uint8_t *bytes, size_t len)
{
	uint32_t count[256] = {0};
	uint64_t squares = 0;
	size_t step = len / 4;

	if (len < 4 * SAMPLE)
		return false;
	for (size_t part = 0; part < 4; part++) {
		for (size_t i = 0; i < SAMPLE / 4; i++)
			count[bytes[part * step + i]]++;
	}
	for (size_t i = 0; i < 256; i++)
		squares += (uint64_t)count[i] * count[i];
	/* Random: SAMPLE + SAMPLE²/256 = 69632 with a deviation of some 180. */
	return squares < 71500;
}

/* The unit as stored blocks, which cost five bytes in 64 KiB; ends byte-aligned as a flush does. */
static size_t store_unit(const uint8_t *plain, size_t len, uint8_t *out)
{
	size_t n = 0;

	while (len > 0) {
		uint16_t part = (uint16_t)(len < STORED_MAX ? len : STORED_MAX);

		out[n] = 0;
		put_le16(out + n + 1, part);
		put_le16(out + n + 3, (uint16_t)~part);
		memcpy(out + n + 5, plain, part);
		n += 5u + part;
		plain += part;
		len -= part;
	}
	return n;
}

static size_t stored_bound(size_t len)
{
	return len + 5 * (len / STORED_MAX + 1);
}

static size_t encode_unit(struct encoder *encoder, const uint8_t *plain, size_t len, uint8_t *out)
{
	size_t n = 0;

	if (!looks_incompressible(plain, len))
		n = deflater_unit(encoder->deflater, plain, len, out, stored_bound(len));
	return n > 0 ? n : store_unit(plain, len, out);
}

/* CRCs of the units into the table and of the whole; true when all is zero. */
static bool sum_units(struct data_head *head, uint32_t unit_bytes, const uint8_t *plain,
	size_t run_len, uint8_t *table)
{
	bool zero = true;

	for (uint32_t u = 0; u < head->n_units; u++) {
		uint32_t len = unit_length(run_len, unit_bytes, u);
		const uint8_t *p = plain + (size_t)u * unit_bytes;
		uint32_t crc = crc32_of(0, p, len);

		put_le32(table + (size_t)u * UMS_UNIT_ENTRY_SIZE + UNIT_CRC, crc);
		head->plain_crc = crc32_join(head->plain_crc, crc, len);
		zero = zero && mem_is_zero(p, len);
	}
	return zero;
}

/* The zlib stream (RFC 1950); returns its length, or 0 when it would not be shorter than PLAIN. */
static size_t encode_zlib(struct encoder *encoder, const struct data_head *head,
	const uint8_t *plain, size_t run_len, uint8_t *table, uint8_t *body)
{
	/* An empty stored block that is the last, then the Adler-32. */
	static const uint8_t last[5] = {1, 0, 0, 0xff, 0xff};
	size_t n = 2;

	body[0] = 0x78;
	body[1] = 0x01;
	for (uint32_t u = 0; u < head->n_units; u++) {
		put_le32(table + (size_t)u * UMS_UNIT_ENTRY_SIZE + UNIT_OFFSET, (uint32_t)n);
		n += encode_unit(encoder, plain + (size_t)u * encoder->unit_bytes,
			unit_length(run_len, encoder->unit_bytes, u), body + n);
	}
	memcpy(body + n, last, sizeof(last));
	n += sizeof(last);
	if (n + 4 >= run_len)
		return 0;
	put_be32(body + n, adler32_of(1, plain, run_len));
	return n + 4;
}

static void put_raw_table(const struct data_head *head, uint32_t unit_bytes, uint8_t *table)
{
	for (uint32_t u = 0; u < head->n_units; u++)
		put_le32(table + (size_t)u * UMS_UNIT_ENTRY_SIZE + UNIT_OFFSET, u * unit_bytes);
}

static void data_head_encode(const struct data_head *head, uint8_t *out)
{
	memset(out, 0, UMS_DATA_HEAD_SIZE);
	put_le64(out + DATA_LBA, head->lba);
	put_le32(out + DATA_N_BLOCKS, head->n_blocks);
	out[DATA_ENCODING] = head->encoding;
	out[DATA_STATE] = head->state;
	put_le32(out + DATA_PLAIN_CRC, head->plain_crc);
	put_le32(out + DATA_N_UNITS, head->n_units);
	put_le32(out + DATA_BODY, head->body);
	put_le32(out + DATA_BODY_BYTES, head->body_bytes);
}

struct encoder *encoder_new(uint32_t unit_bytes)
{
	struct encoder *encoder = calloc(1, sizeof(*encoder));

	if (!encoder)
		return NULL;
	encoder->unit_bytes = unit_bytes;
	encoder->deflater = deflater_new();
	if (!encoder->deflater) {
		free(encoder);
		return NULL;
	}
	return encoder;
}

void encoder_free(struct encoder *encoder)
{
	if (!encoder)
		return;
	deflater_free(encoder->deflater);
	free(encoder);
}

size_t encoder_room(uint32_t run_bytes, uint32_t unit_bytes)
{
	size_t n_units = run_bytes / unit_bytes + 1;

	return UMS_DATA_HEAD_SIZE + n_units * (UMS_UNIT_ENTRY_SIZE + stored_bound(unit_bytes)) + 16;
}

void encoder_run(struct encoder *encoder, uint64_t lba, uint32_t n_blocks, uint32_t block_bytes,
	uint8_t state, const uint8_t *plain, uint8_t *out, struct encoded *encoded)
{
	size_t run_len = (size_t)n_blocks * block_bytes;
	struct data_head *head = &encoded->head;
	uint8_t *table = out + UMS_DATA_HEAD_SIZE;
	uint8_t *body;

	*head = (struct data_head){.lba = lba, .n_blocks = n_blocks, .state = state};
	head->n_units = (uint32_t)((run_len + encoder->unit_bytes - 1) / encoder->unit_bytes);
	head->body = UMS_DATA_HEAD_SIZE + head->n_units * UMS_UNIT_ENTRY_SIZE;
	body = out + head->body;
	encoded->body = body;
	if (sum_units(head, encoder->unit_bytes, plain, run_len, table)) {
		head->encoding = UMS_ENCODING_ZERO;
		head->n_units = 0;
		head->body = UMS_DATA_HEAD_SIZE;
	} else {
		head->encoding = UMS_ENCODING_ZLIB;
		head->body_bytes =
			(uint32_t)encode_zlib(encoder, head, plain, run_len, table, body);
		if (head->body_bytes == 0) {
			head->encoding = UMS_ENCODING_RAW;
			head->body_bytes = (uint32_t)run_len;
			encoded->body = plain;
			put_raw_table(head, encoder->unit_bytes, table);
		}
	}
	data_head_encode(head, out);
	encoded->head_bytes = head->body;
	encoded->payload_crc = crc32_of(0, out, head->body);
	if (head->encoding == UMS_ENCODING_RAW)
		encoded->payload_crc = crc32_join(encoded->payload_crc, head->plain_crc, run_len);
	else
		encoded->payload_crc = crc32_of(encoded->payload_crc, body, head->body_bytes);
}

int data_head_decode(const uint8_t *payload, uint64_t length, uint32_t block_bytes,
	uint32_t unit_bytes, uint64_t offset, struct data_head *head, struct err *err)
{
	uint64_t run_len, n_units;

	if (length < UMS_DATA_HEAD_SIZE)
		return err_set(err, ERR_BAD_IMAGE,
			"the DATA record at offset %" PRIu64 " is too short", offset);
	head->lba = get_le64(payload + DATA_LBA);
	head->n_blocks = get_le32(payload + DATA_N_BLOCKS);
	head->encoding = payload[DATA_ENCODING];
	head->state = payload[DATA_STATE];
	head->plain_crc = get_le32(payload + DATA_PLAIN_CRC);
	head->n_units = get_le32(payload + DATA_N_UNITS);
	head->body = get_le32(payload + DATA_BODY);
	head->body_bytes = get_le32(payload + DATA_BODY_BYTES);

	run_len = (uint64_t)head->n_blocks * block_bytes;
	n_units = (run_len + unit_bytes - 1) / unit_bytes;
	if (head->encoding == UMS_ENCODING_ZERO)
		n_units = 0;
	if (head->encoding > UMS_ENCODING_ZERO || run_len == 0 || run_len > UMS_RUN_BYTES_MAX ||
		head->n_units != n_units ||
		head->body != UMS_DATA_HEAD_SIZE + n_units * UMS_UNIT_ENTRY_SIZE ||
		(uint64_t)head->body + head->body_bytes != length ||
		(head->encoding == UMS_ENCODING_RAW && head->body_bytes != run_len) ||
		(head->encoding == UMS_ENCODING_ZERO && head->body_bytes != 0))
		return err_set(err, ERR_BAD_IMAGE,
			"the DATA record at offset %" PRIu64 " contradicts itself", offset);
	return 0;
}

uint32_t unit_length(uint64_t run_len, uint32_t unit_bytes, uint32_t unit)
{
	uint64_t begin = (uint64_t)unit * unit_bytes;

	return (uint32_t)(run_len - begin < unit_bytes ? run_len - begin : unit_bytes);
}

/* No encoder makes a unit longer than this; a table that says so wants the whole body to be read
 * for each unit. */
static uint64_t stored_limit(uint64_t plain_len)
{
	return 2 * plain_len + 4096;
}

bool unit_extent(const struct data_head *head, const uint8_t *table, uint32_t unit,
	uint64_t run_len, uint32_t unit_bytes, uint32_t *offset, uint32_t *len)
{
	const uint8_t *entry = table + (size_t)unit * UMS_UNIT_ENTRY_SIZE;
	uint32_t end = head->body_bytes;

	*offset = get_le32(entry + UNIT_OFFSET);
	if (head->encoding == UMS_ENCODING_RAW)
		end = *offset + unit_length(run_len, unit_bytes, unit);
	else if (unit + 1 < head->n_units)
		end = get_le32(entry + UMS_UNIT_ENTRY_SIZE + UNIT_OFFSET);
	if (*offset > end || end > head->body_bytes)
		return false;
	*len = end - *offset;
	return *len <= stored_limit(unit_length(run_len, unit_bytes, unit));
}

bool unit_decode(struct inflater *inflater, const struct data_head *head, const uint8_t *table,
	uint32_t unit, uint64_t run_len, uint32_t unit_bytes, const uint8_t *stored, void *plain)
{
	uint32_t plain_len = unit_length(run_len, unit_bytes, unit);
	uint32_t offset, len;

	if (!unit_extent(head, table, unit, run_len, unit_bytes, &offset, &len))
		return false;
	if (head->encoding == UMS_ENCODING_RAW)
		memcpy(plain, stored, plain_len);
	else if (!inflater_unit(inflater, stored, len, plain, plain_len))
		return false;
	return crc32_of(0, plain, plain_len) ==
	       get_le32(table + (size_t)unit * UMS_UNIT_ENTRY_SIZE + UNIT_CRC);
}
