/* SPDX-License-Identifier: BSD-2-Clause */
/* Record heads: the frame around everything in an image (IMAGE.md, "Records"). */
#ifndef UMS_IMAGE_RECORD_H
#define UMS_IMAGE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/ums.h"

struct record {
	uint32_t type;
	uint64_t offset;
	uint64_t length; /* of the payload */
	uint32_t payload_crc;
};

/* Where the record's payload begins, and where the next record does. */
uint64_t record_payload(const struct record *record);
uint64_t record_end(const struct record *record);

/* Zero bytes behind a payload of LENGTH bytes. */
uint32_t record_padding(uint64_t length);

void record_encode(
	const struct record *record, const uint8_t uuid[16], uint8_t head[UMS_RECORD_HEAD_SIZE]);

/* Reads a head that was found at OFFSET.  UUID NULL: any image's.  False when it is none: wrong
 * magic, CRC, place or image. */
bool record_decode(const uint8_t head[UMS_RECORD_HEAD_SIZE], uint64_t offset,
	const uint8_t uuid[16], struct record *record);

/* Reads and decodes the head at OFFSET, and holds its payload to the file's size.  ERR_BAD_IMAGE
 * names the offset. */
int record_read_head(int fd, uint64_t offset, uint64_t file_bytes, const uint8_t uuid[16],
	struct record *record, struct err *err);

/* The whole payload (at most MAX bytes, CRC checked), freed by the caller; NULL and ERR.  An empty
 * one is a pointer all the same. */
uint8_t *record_read_payload(int fd, const struct record *record, uint64_t max, struct err *err);

/* "DATA" for messages. */
char *record_type_text(uint32_t type, char out[5 * 4]);

#endif
