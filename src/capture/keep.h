/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the sink makes what it has durable, and the look at who else uses the drive that goes with
 * it.  As long as all goes well, a slot that is half full is waited for; once something has gone
 * wrong, or nothing has moved for long, it goes into the file as it is, because what was read may
 * never be read again.
 */
#ifndef UMS_CAPTURE_KEEP_H
#define UMS_CAPTURE_KEEP_H

#include "capture/source.h"

struct keep {
	struct source *source;
	uint64_t interval_ns;
	uint64_t last_ns;
	enum capture_pass pass; /* where the capture is */
	uint64_t position;
	bool trouble; /* something has gone wrong since the last one */

	/* A slot's worth of bytes has come since then, or not. */
	uint64_t slot_ns, slot_bytes;
};

void keep_begin(struct keep *keep, struct source *source);

/* BYTES more have been committed; or something went wrong. */
void keep_good(struct keep *keep, uint64_t bytes);
void keep_trouble(struct keep *keep);

/* Makes a checkpoint when it is time for one. */
int keep_tick(struct keep *keep);

/* Makes one now, of everything. */
int keep_now(struct keep *keep);

#endif
