/* SPDX-License-Identifier: BSD-2-Clause */
/* What travels through a writer's pipeline: sectors, marks, records, checkpoints. */
#ifndef UMS_IMAGE_JOBS_H
#define UMS_IMAGE_JOBS_H

#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"

struct image_writer;
struct slot_buffer;

/* Starts workers, the writer thread and the hasher; buffers.  After the geometry is known. */
int jobs_start(struct image_writer *writer, struct err *err);

/* Ends them and frees what jobs_start made.  Safe when it failed half-way. */
void jobs_stop(struct image_writer *writer);

/* The sectors of RANGE, whose plain bytes are at PLAIN in the open slot's buffer. */
void jobs_submit_data(
	struct image_writer *writer, const struct block_range *range, const uint8_t *plain);

/* A change of the map without data. */
void jobs_submit_mark(struct image_writer *writer, const struct block_range *range);

/* A record with PAYLOAD (owned from then on). */
void jobs_submit_record(struct image_writer *writer, uint32_t type, uint8_t *payload, size_t len);

void jobs_submit_checkpoint(struct image_writer *writer, uint32_t pass, uint64_t position);

/* One user of BUFFER less; the last one gives it back. */
void jobs_release(struct image_writer *writer, struct slot_buffer *buffer);

#endif
