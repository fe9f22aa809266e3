/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to read next: the passes over a drive, from large reads to single sectors, and what a failed
 * read means.  Knows neither images nor terminals: sectors go to a sink (sink.h), and what happens
 * is told to an observer (notice.h), which cannot answer back.
 */
#ifndef UMS_CAPTURE_CAPTURE_H
#define UMS_CAPTURE_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/notice.h"
#include "capture/sink.h"
#include "device/device.h"

#define CAPTURE_CHECKPOINT_MS 2000

struct capture_options {
	uint64_t start_lba;
	uint64_t n_blocks;	   /* 0: to the end */
	unsigned int retries;	   /* of bad sectors, after isolation */
	unsigned int timeout_ms;   /* for one READ; 0 = 30 s */
	unsigned int reconnect_ms; /* how long a drive that has gone is waited for; 0: not at all */
	unsigned int checkpoint_ms; /* between checkpoints; 0 = CAPTURE_CHECKPOINT_MS */
	const atomic_bool *stop;    /* set by a signal handler: end soon, cleanly; or NULL */

	/* Called once when the drive does not answer any more and nothing else has helped: it may
	 * bring the drive back (power off and on).  NULL: there is nothing of the kind. */
	void (*rescue)(void *context, const struct device *device);
	void *rescue_context;
};

enum capture_end {
	CAPTURE_COMPLETE,   /* every sector asked for is good */
	CAPTURE_UNREADABLE, /* all was tried; some sectors could not be read */
	CAPTURE_STOPPED,    /* asked to stop */
	CAPTURE_FAILED,	    /* the drive is gone or dead, or the sink failed: ERR says which */
};

struct capture_result {
	enum capture_end end;
	enum capture_pass pass; /* in which it ended */
	uint64_t failed_reads;
	uint64_t read_bytes; /* that were read well */
	uint64_t elapsed_ms;
	uint32_t resets, reconnects;
	bool written_to; /* another program wrote to the drive meanwhile, or could have */
};

/*
 * Reads DEVICE into SINK until nothing is left to try.  The sink's map says what an earlier session
 * has; that is not read again.  Makes a checkpoint every checkpoint_ms and at the end, however it
 * ends.  OBSERVER may be NULL.  Returns RESULT->end; ERR is set when that is CAPTURE_FAILED.
 */
enum capture_end capture_run(struct device *device, struct capture_sink *sink,
	const struct capture_options *options, const struct capture_observer *observer,
	struct capture_result *result, struct err *err);

/*
 * The drive's identity as text lines "key=value" into OUT (ROOM bytes); returns OUT.  Stored as the
 * blob "identity" when an image is begun.
 */
char *capture_identity(const struct device *device, char *out, size_t room);

/*
 * Is DEVICE the drive that the image was begun from (whose "identity" blob is IDENTITY, LEN bytes)?
 * Capacity and logical unit must agree, serial numbers where both are known, and a sample of
 * non-uniform sectors that SINK already has.  Where neither a serial number nor a sector can tell,
 * product and port must both agree.  0, or -1 with ERR_IDENTITY saying what differs or is not
 * known.
 */
int capture_same_drive(struct device *device, struct capture_sink *sink, const char *identity,
	size_t len, struct err *err);

/* Puts what the drive says of itself into SINK as blobs: descriptors, INQUIRY, VPD, capacity,
 * modes. */
int capture_testimony(struct device *device, struct capture_sink *sink, struct err *err);

#endif
