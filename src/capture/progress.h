/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts what the map says, about ten times a second, and tells the caller: an observer that passes
 * its numbers on to another. */
#ifndef UMS_CAPTURE_PROGRESS_H
#define UMS_CAPTURE_PROGRESS_H

#include "capture/source.h"

#define PROGRESS_SAMPLES 32

struct progress {
	const struct source *source;
	struct capture_observer to; /* whom it tells; notice may be NULL */
	uint64_t began_ns, told_ns, pause_ns;
	enum capture_pass pass;
	uint64_t position;
	uint64_t read_bytes;
	uint64_t pass_all, pass_reads;
	uint32_t resets;

	/* The newest samples of read_bytes, for the rate. */
	struct {
		uint64_t ns, bytes;
	} sample[PROGRESS_SAMPLES];
	unsigned int n_samples; /* taken so far; the newest PROGRESS_SAMPLES are there */
};

/* The observer to be told.  TO (may be NULL) hears NOTICE_PROGRESS. */
struct capture_observer progress_begin(
	struct progress *progress, const struct source *source, const struct capture_observer *to);

/* The numbers as they are now. */
struct capture_progress progress_now(const struct progress *progress);

uint64_t progress_elapsed_ms(const struct progress *progress);

#endif
