/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening an image: by its footer when it is sealed, by its checkpoints when it is not, by looking
 * at every record when those are damaged.
 */
#ifndef UMS_IMAGE_LOAD_H
#define UMS_IMAGE_LOAD_H

#include <stdbool.h>

#include "base/err.h"
#include "image/store.h"

/* The footer of a sealed image. */
struct seal {
	uint64_t offset;
	uint32_t generation;
	uint32_t flags;
	uint64_t root, map, ckpt;
	uint32_t file_crc;
	uint32_t hashes;
	uint8_t sha256[32], md5[16], sha1[20];
	uint64_t counts[BLOCK_STATES];
	uint64_t stored;
};

/* Looks for the footer at the end of the file; false when the image is not sealed. */
bool load_find_seal(const struct store *store, struct seal *seal);

/*
 * Fills STORE (whose fd is open) from the file.  FOR_WRITING: index and map are held whole in
 * memory, and tail, tail_crc and the last checkpoint are found.  On failure the caller still clears
 * STORE.
 */
int load_store(struct store *store, bool for_writing, struct err *err);

/*
 * As index_slot() on the image's index.  When a page of a sealed image's index is damaged, the
 * index is put together from checkpoints and records, once; then info.damaged is set and
 * store->damage says what was met.
 */
int load_slot(struct store *store, uint64_t slot, const struct index_entry **entry, size_t *n,
	struct err *err);

/* As index_next_slot(), with the same way out, and only of slots that the drive has. */
int load_next_slot(
	struct store *store, uint64_t slot, uint64_t *next, bool *found, struct err *err);

#endif
