/* SPDX-License-Identifier: BSD-2-Clause */
/* Record heads: see record.h. */
#include "image/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/file.h"
#include "base/text.h"

uint64_t record_payload(const struct record *record)
{
	return record->offset + UMS_RECORD_HEAD_SIZE;
}

uint32_t record_padding(uint64_t length)
{
	return (uint32_t)(-length % UMS_ALIGN);
}

uint64_t record_end(const struct record *record)
{
	return record_payload(record) + record->length + record_padding(record->length);
}

void record_encode(
	const struct record *record, const uint8_t uuid[16], uint8_t head[UMS_RECORD_HEAD_SIZE])
{
	memset(head, 0, UMS_RECORD_HEAD_SIZE);
	put_le32(head + REC_MAGIC, UMS_RECORD_MAGIC);
	put_le32(head + REC_TYPE, record->type);
	put_le64(head + REC_OFFSET, record->offset);
	put_le64(head + REC_LENGTH, record->length);
	memcpy(head + REC_UUID, uuid, 16);
	put_le32(head + REC_PAYLOAD_CRC, record->payload_crc);
	put_le32(head + REC_HEAD_CRC, crc32_of(0, head, REC_HEAD_CRC));
}

bool record_decode(const uint8_t head[UMS_RECORD_HEAD_SIZE], uint64_t offset,
	const uint8_t uuid[16], struct record *record)
{
	if (get_le32(head + REC_MAGIC) != UMS_RECORD_MAGIC ||
		get_le64(head + REC_OFFSET) != offset ||
		get_le32(head + REC_HEAD_CRC) != crc32_of(0, head, REC_HEAD_CRC))
		return false;
	if (uuid && memcmp(head + REC_UUID, uuid, 16) != 0)
		return false;
	record->type = get_le32(head + REC_TYPE);
	record->offset = offset;
	record->length = get_le64(head + REC_LENGTH);
	record->payload_crc = get_le32(head + REC_PAYLOAD_CRC);
	return true;
}

int record_read_head(int fd, uint64_t offset, uint64_t file_bytes, const uint8_t uuid[16],
	struct record *record, struct err *err)
{
	uint8_t head[UMS_RECORD_HEAD_SIZE];
	ssize_t n = file_read_at(fd, head, sizeof(head), offset);

	if (n < 0)
		return err_sys(err, errno, "reading the record at offset %" PRIu64, offset);
	if ((size_t)n < sizeof(head))
		return err_set(err, ERR_BAD_IMAGE, "the file ends in the record at offset %" PRIu64,
			offset);
	if (!record_decode(head, offset, uuid, record))
		return err_set(
			err, ERR_BAD_IMAGE, "no record of this image at offset %" PRIu64, offset);
	if (record_payload(record) > file_bytes ||
		record->length > file_bytes - record_payload(record))
		return err_set(err, ERR_BAD_IMAGE,
			"the record at offset %" PRIu64 " (%" PRIu64
			" bytes) goes past the end of the file",
			offset, record->length);
	return 0;
}

uint8_t *record_read_payload(int fd, const struct record *record, uint64_t max, struct err *err)
{
	char type[20];
	uint8_t *payload;
	ssize_t n;

	if (record->length > max) {
		err_set(err, ERR_BAD_IMAGE, "the %s record at offset %" PRIu64 " is too long",
			record_type_text(record->type, type), record->offset);
		return NULL;
	}
	payload = malloc(record->length ? (size_t)record->length : 1);
	if (!payload) {
		err_memory(err, "reading a record");
		return NULL;
	}
	n = file_read_at(fd, payload, (size_t)record->length, record_payload(record));
	if (n < 0)
		err_sys(err, errno, "reading the record at offset %" PRIu64, record->offset);
	else if ((uint64_t)n != record->length ||
		 crc32_of(0, payload, (size_t)n) != record->payload_crc)
		err_set(err, ERR_BAD_IMAGE,
			"the %s record at offset %" PRIu64 " is damaged (its CRC does not fit)",
			record_type_text(record->type, type), record->offset);
	else
		return payload;
	free(payload);
	return NULL;
}

char *record_type_text(uint32_t type, char out[5 * 4])
{
	uint8_t bytes[4];

	put_le32(bytes, type);
	return text_escape(bytes, sizeof(bytes), out, 5 * 4);
}
