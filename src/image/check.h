/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading back what an image had when it was opened: damaged sectors are put back to untried, so
 * that they can be read from the drive again, and the digests go on over what did not pass in this
 * session.  image_writer_check() in image.h is its public side.
 */
#ifndef UMS_IMAGE_CHECK_H
#define UMS_IMAGE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct image_writer;

struct check_progress {
	int (*call)(void *context, uint64_t done_bytes, uint64_t all_bytes);
	void *context;
};

/*
 * The sectors of SLOT into PLAIN, each from the newest record that has it.  READS has a byte for
 * each of them: 1 when it reads well; those that do not, or are in no record, are zeros.  -1 and
 * ERR only when memory is out or the index cannot be read.
 */
int check_read_slot(struct image_writer *writer, uint64_t slot, uint8_t *plain, uint8_t *reads,
	struct err *err);

/* Does SLOT have a record that was found damaged? */
bool check_is_damaged(const struct image_writer *writer, uint64_t slot);

/* The digests of a pipe, over what was never committed at its end. */
int check_complete_pipe(struct image_writer *writer, struct err *err);

/* See image_writer_check(); the writer is settled and no pipe. */
int check_all(struct image_writer *writer, bool digests, const struct check_progress *progress,
	uint64_t *put_back, struct err *err);

#endif
