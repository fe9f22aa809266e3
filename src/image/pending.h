/* SPDX-License-Identifier: BSD-2-Clause */
/* What has changed since the last checkpoint, in the form in which a checkpoint says it. */
#ifndef UMS_IMAGE_PENDING_H
#define UMS_IMAGE_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"
#include "image/index.h"
#include "image/out.h"

struct bytes {
	uint8_t *bytes;
	size_t n, room;
};

struct pending {
	struct bytes map, index, refs;
	struct block_range last; /* of the map, not yet in it: grows while changes touch */
};

void pending_free(struct pending *pending);

/* All return -1 when memory is out. */
int pending_map(struct pending *pending, const struct block_range *range);
int pending_index(struct pending *pending, const struct index_entry *entry);
int pending_ref(struct pending *pending, uint32_t type, uint64_t offset);

/* Nothing has changed since the last checkpoint. */
bool pending_is_empty(const struct pending *pending);

/* Bytes that a checkpoint of it takes. */
uint64_t pending_bytes(const struct pending *pending);

/* Where the capture is, and where the checkpoint before is. */
struct checkpoint {
	uint64_t previous;
	uint32_t number;
	uint32_t pass;
	uint64_t position;
	uint64_t stored;
	uint64_t seal; /* the last one, and its generation */
	uint32_t generation;
};

/* The whole record (head, payload, padding) of a checkpoint that stands at OUT's tail, which is
 * where a record may begin; freed by the caller.  Empties PENDING.  NULL when memory is out. */
uint8_t *pending_record(struct pending *pending, const struct out *out,
	const struct checkpoint *checkpoint, size_t *len);

/* A map range as 24 bytes. */
void map_entry_encode(const struct block_range *range, uint8_t out[24]);

#endif
