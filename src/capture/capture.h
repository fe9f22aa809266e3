/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to read next: the passes over a drive, from large reads to single sectors, and what a failed
 * read means.  Knows neither images nor terminals: sectors go to a sink (sink.h), news to an
 * observer.
 */
#ifndef UMS_CAPTURE_CAPTURE_H
#define UMS_CAPTURE_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/sink.h"
#include "device/device.h"

enum capture_pass {
	PASS_FORWARD = 1,  /* large reads, jumping ahead of trouble */
	PASS_BACKWARD = 2, /* the same from the other side */
	PASS_SWEEP = 3,	   /* everything that was skipped, slow or not */
	PASS_ISOLATE = 4,  /* failed reads down to single sectors */
	PASS_RETRY = 5,	   /* bad sectors again */
	PASS_DONE = 6,
};

const char *capture_pass_name(enum capture_pass pass);

struct capture_progress {
	enum capture_pass pass;
	uint64_t position;	/* LBA */
	uint64_t total_blocks;	/* of the drive */
	uint64_t wanted_blocks; /* of the part asked for (start and size) */
	uint64_t good_blocks, bad_blocks,
		missing_blocks; /* in the part asked for; bad: bad or failed */
	uint64_t bad_areas;
	uint64_t read_bytes; /* read well in this session */
	uint64_t elapsed_ms; /* of this session */
	uint64_t rate;	     /* bytes per second lately */
	uint32_t resets;
};

struct capture_observer {
	/* Called about every 100 ms from the capture's thread, and at its end. */
	void (*progress)(void *context, const struct capture_progress *progress);
	/* Something happened that belongs into a log: one sentence. */
	void (*event)(void *context, const char *text);
	/* The drive does not answer any more: the user's command may bring it back (power off and
	 * on).  May be NULL. */
	void (*stuck)(void *context, const struct device *device);
	void *context;
};

struct capture_options {
	uint64_t start_lba;
	uint64_t n_blocks;	   /* 0: to the end */
	unsigned int retries;	   /* of bad sectors, after isolation */
	unsigned int timeout_ms;   /* for one READ; 0 = 30 s */
	unsigned int reconnect_ms; /* how long a drive that has gone is waited for; 0: not at all */
	const atomic_bool *stop;   /* set by a signal handler: end soon, cleanly */
};

enum capture_end {
	CAPTURE_COMPLETE,   /* every sector asked for is good */
	CAPTURE_UNREADABLE, /* all was tried; some sectors could not be read */
	CAPTURE_STOPPED,    /* asked to stop */
	CAPTURE_FAILED,	    /* the drive is gone or dead, or the sink failed: ERR says which */
};

/*
 * Reads DEVICE into SINK until nothing is left to try.  The sink's map says what an earlier session
 * has; that is not read again.  Checkpoints every 2 s and at the end, however it ends.
 */
enum capture_end capture_run(struct device *device, struct capture_sink *sink,
	const struct capture_options *options, const struct capture_observer *observer,
	struct err *err);

/*
 * The drive's identity as text lines "key=value" into OUT (ROOM bytes); returns OUT.  Stored as the
 * blob "identity" when an image is begun.
 */
char *capture_identity(const struct device *device, char *out, size_t room);

/*
 * Is DEVICE the drive that the image was begun from (whose "identity" blob is IDENTITY, LEN bytes)?
 * Capacity must agree, serial numbers where both are known, and a sample of non-uniform sectors
 * that SINK already has; port path and INQUIRY break ties.  0, or -1 with ERR_IDENTITY saying what
 * differs.
 */
int capture_same_drive(struct device *device, struct capture_sink *sink, const char *identity,
	size_t len, struct err *err);

/* Puts what the drive says of itself into SINK as blobs: descriptors, INQUIRY, VPD, capacity,
 * modes. */
int capture_testimony(struct device *device, struct capture_sink *sink, struct err *err);

#endif
