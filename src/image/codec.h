/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sectors to the payload of a DATA record and back (IMAGE.md, "DATA").  One zlib stream of several
 * units, each of which can be inflated by itself; raw where that would not help; nothing at all for
 * zeros.
 */
#ifndef UMS_IMAGE_CODEC_H
#define UMS_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/ums.h"

struct inflater;

/* The head of a DATA payload. */
struct data_head {
	uint64_t lba;
	uint32_t n_blocks;
	uint8_t encoding;
	uint8_t state;
	uint32_t plain_crc;
	uint32_t n_units;
	uint32_t body;
	uint32_t body_bytes;
};

/* Reads a head and holds it to BLOCK_BYTES, UNIT_BYTES and the payload's LENGTH; ERR names OFFSET.
 */
int data_head_decode(const uint8_t *payload, uint64_t length, uint32_t block_bytes,
	uint32_t unit_bytes, uint64_t offset, struct data_head *head, struct err *err);

/* An encoded payload: HEAD_BYTES at OUT (head and unit table), then BODY of body_bytes (which is
 * behind them in OUT, or the plain bytes themselves when they are stored raw). */
struct encoded {
	struct data_head head;
	uint32_t head_bytes;
	const uint8_t *body;
	uint32_t payload_crc;
};

struct encoder;

/* An encoder with units of UNIT_BYTES; NULL when memory is out. */
struct encoder *encoder_new(uint32_t unit_bytes);
void encoder_free(struct encoder *encoder);

/* Room that an encoded payload of RUN_BYTES may need in OUT. */
size_t encoder_room(uint32_t run_bytes, uint32_t unit_bytes);

/* Encodes N_BLOCKS sectors; OUT has encoder_room() bytes. */
void encoder_run(struct encoder *encoder, uint64_t lba, uint32_t n_blocks, uint32_t block_bytes,
	uint8_t state, const uint8_t *plain, uint8_t *out, struct encoded *encoded);

/* Bytes of unit UNIT of a run of RUN_LEN plain bytes. */
uint32_t unit_length(uint64_t run_len, uint32_t unit_bytes, uint32_t unit);

/*
 * Decodes unit UNIT of a payload (head and unit table at PAYLOAD, the unit's stored bytes at
 * STORED) of a run of RUN_LEN plain bytes into PLAIN and checks its CRC.  False when it is damaged.
 */
bool unit_decode(struct inflater *inflater, const struct data_head *head, const uint8_t *table,
	uint32_t unit, uint64_t run_len, uint32_t unit_bytes, const uint8_t *stored, void *plain);

/* Where unit UNIT's stored bytes are in the body.  False when the table contradicts itself. */
bool unit_extent(const struct data_head *head, const uint8_t *table, uint32_t unit,
	uint64_t run_len, uint32_t unit_bytes, uint32_t *offset, uint32_t *len);

#endif
