/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the sink makes what it has durable, and the look at who else uses the drive that goes with
 * it.  As long as all goes well, a slot that is half full is waited for; once something has gone
 * wrong, or nothing has moved for long, it goes into the file as it is, because what was read may
 * never be read again.
 */
#ifndef UMS_CAPTURE_CHECKPOINT_H
#define UMS_CAPTURE_CHECKPOINT_H

#include "capture/source.h"

struct checkpoint {
	struct source *source;
	uint64_t interval_ns;
	uint64_t last_ns;
	enum capture_pass pass; /* where the capture is */
	uint64_t position;
	bool trouble; /* something has gone wrong since the last one */

	/* A slot's worth of bytes has come since then, or not. */
	uint64_t slot_ns, slot_bytes;

	struct device_watch *watch; /* NULL: nobody else can be seen to use it */
	bool written_to;
};

int checkpoint_begin(struct checkpoint *checkpoint, struct source *source);
void checkpoint_end(struct checkpoint *checkpoint);

/* BYTES more have been committed; or something went wrong. */
void checkpoint_good(struct checkpoint *checkpoint, uint64_t bytes);
void checkpoint_trouble(struct checkpoint *checkpoint);

/* Makes a checkpoint when it is time for one. */
int checkpoint_tick(struct checkpoint *checkpoint);

/* Makes one now, of everything. */
int checkpoint_now(struct checkpoint *checkpoint);

#endif
