/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What travels from a writer's caller into the file, in order: sectors, marks, records,
 * checkpoints.  Several threads encode the sectors; one finishes all jobs in the order in which
 * they were submitted.
 */
#ifndef UMS_IMAGE_JOBS_H
#define UMS_IMAGE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"

struct image_writer;
struct slot_buffer;

/* How many of each thing a writer has, so that the bytes that all of them hold stay in a budget. */
struct jobs_share {
	unsigned int workers;	/* threads that encode */
	unsigned int most_open; /* slots that are filled at once */
	size_t buffers;		/* of RUN_BYTES: open ones, and those on their way */
	size_t jobs;		/* each with room for an encoded run */
	uint64_t bytes;		/* of all buffers and jobs */
};

#define JOBS_MEMORY_BUDGET (256u << 20)

/*
 * The share for runs of RUN_BYTES that take ROOM bytes encoded at most, with WORKERS threads if the
 * budget holds them.  The least is one worker, one open slot, two buffers more and two jobs; runs
 * so long that this is more than the budget get it all the same (320 MiB for runs of 64 MiB).
 */
struct jobs_share jobs_share(uint64_t run_bytes, uint64_t room, unsigned int workers);

/* Starts the threads and makes the buffers.  After the geometry is known. */
int jobs_start(struct image_writer *writer, struct err *err);

/* Ends the threads; what was submitted is finished before. */
void jobs_stop(struct image_writer *writer);

/* Frees what jobs_start made, when the hasher has ended too.  Safe when it failed half-way. */
void jobs_free(struct image_writer *writer);

/* The sectors of RANGE, whose plain bytes are at PLAIN in BUFFER. */
void jobs_submit_data(struct image_writer *writer, struct slot_buffer *buffer,
	const struct block_range *range, const uint8_t *plain);

/* A change of the map without data. */
void jobs_submit_mark(struct image_writer *writer, const struct block_range *range);

/* A record with PAYLOAD (owned from then on). */
void jobs_submit_record(struct image_writer *writer, uint32_t type, uint8_t *payload, size_t len);

void jobs_submit_checkpoint(struct image_writer *writer, uint32_t pass, uint64_t position);

/* One user of BUFFER less; the last one gives it back. */
void jobs_release(struct image_writer *writer, struct slot_buffer *buffer);

#endif
