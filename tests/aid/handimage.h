/* SPDX-License-Identifier: BSD-2-Clause */
/* Images written record by record, for tests of what no writer of ours would make. */
#ifndef UMS_TESTS_HANDIMAGE_H
#define UMS_TESTS_HANDIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "image/index.h"

struct hand {
	uint8_t *bytes;
	size_t n;
	uint32_t block_bytes, unit_bytes;
	uint64_t n_blocks;
	struct index_entry entry[64]; /* of the DATA records so far */
	size_t n_entries;
};

/* A drive of N_BLOCKS sectors.  hand_end() frees what is in HAND. */
void hand_begin(struct hand *hand, uint32_t block_bytes, uint64_t n_blocks, uint32_t unit_bytes,
	uint32_t run_bytes);
void hand_end(struct hand *hand);

/* A record of TYPE; returns its offset. */
size_t hand_record(struct hand *hand, uint32_t type, const void *payload, size_t len);

/* N sectors from LBA on, stored as they are, byte I of the drive being FILL + I / block_bytes; of
 * STATE (0: not said). */
size_t hand_data(struct hand *hand, uint64_t lba, uint32_t n, uint8_t state, uint8_t fill);

/* The first checkpoint of an image: these ranges as its map, and the records so far as its index.
 */
size_t hand_checkpoint(struct hand *hand, const struct block_range *map, size_t n_map);

/* The seal, without digests and trailer: the records so far as its index, PER_PAGE (1 or more) on
 * each page, in order of LBA as they must have been made. */
void hand_seal(struct hand *hand, size_t per_page, const struct block_range *map, size_t n_map);

/* Where byte I of the stored bytes of record number RECORD (of the DATA ones) is in BYTES. */
size_t hand_body(const struct hand *hand, size_t record);

/* Writes the image to PATH. */
void hand_write(const struct hand *hand, const char *path);

#endif
