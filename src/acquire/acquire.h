/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole acquisition as one call: a drive is opened, captured into a new image or into one that
 * was begun before, what the image has is checked, and the image is sealed.  The command line and
 * unattended captures call this; it prints nothing and asks nothing.
 */
#ifndef UMS_ACQUIRE_ACQUIRE_H
#define UMS_ACQUIRE_ACQUIRE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/capture.h"
#include "device/device.h"
#include "image/image.h"

struct acquire_options {
	const char *device;		      /* a name for device_open() */
	struct device_options device_options; /* `live` too: read what is mounted read-write */
	const char *image; /* a path; "-": standard output; NULL: VENDOR-PRODUCT-SERIAL.ums here */

	/* The part of the drive: from a sector on, and how much of it.  n_bytes must be whole
	 * sectors; both 0: to the end. */
	uint64_t start_lba, n_blocks, n_bytes;

	unsigned int retries;
	unsigned int reconnect_ms;
	unsigned int checkpoint_ms; /* 0: as capture_run() has it */
	unsigned int hashes;	    /* IMAGE_HASH_…, beside SHA-256 */
	bool no_udif;
	bool same_drive; /* go on with an image although the drive looks like another */

	const char *const *note; /* "KEY=TEXT", for the journal */
	size_t n_notes;
	const char *command_line; /* as the user gave it, for the journal; NULL: not known */

	const atomic_bool *stop; /* set by a signal handler: end soon, cleanly; or NULL */
	void (*rescue)(void *context, const struct device *device); /* see capture_options */
	void *rescue_context;
};

enum acquire_end {
	ACQUIRE_COMPLETE,   /* every sector asked for is in the image, and it is sealed */
	ACQUIRE_UNREADABLE, /* all was tried, and it is sealed; some sectors could not be read */
	ACQUIRE_WRITTEN_TO, /* one of these two, but another program wrote to the drive meanwhile */
	ACQUIRE_STOPPED,    /* stopped early; the image can be gone on with */
	ACQUIRE_USAGE,	    /* the options make no sense for this drive; nothing was written */
	ACQUIRE_NOT_STARTED, /* drive or image could not be opened; nothing was written */
	ACQUIRE_DAMAGED,     /* the image to go on with cannot be read; it stays as it is */
};

/* Sectors of the part asked for, by their state; areas of bad or failed ones that touch. */
struct acquire_counts {
	uint64_t by_state[BLOCK_STATES];
	uint64_t areas;
};

/* Those whose state is in MASK (BLOCK_MASK()). */
uint64_t acquire_count(const struct acquire_counts *counts, unsigned int mask);

struct acquire_result {
	enum acquire_end end;
	char device[512];     /* as messages should call it */
	char image[PATH_MAX]; /* the path that was chosen */
	bool resumed;	      /* the image was there before */
	bool untouched;	      /* there was nothing to do, and all that is there was checked */
	unsigned int session; /* of this image, from 1; 0: none was begun */
	struct image_info info;
	struct acquire_counts counts;
	bool whole;	  /* the part asked for is the drive */
	uint64_t damaged; /* sectors that the image had and that had to be read again */
	struct capture_result capture;
	uint64_t elapsed_ms;
};

/* What is known when the capture begins.  Valid during the call. */
struct acquire_start {
	const struct device *device;
	const char *image;
	bool resumed;
	unsigned int session;
	uint64_t wanted, have; /* sectors of the part asked for, and how many of them are there */
};

struct acquire_observer {
	/* Each may be NULL.  Drive and image are open. */
	void (*started)(void *context, const struct acquire_start *start);
	void (*notice)(void *context, const struct capture_notice *notice);
	/* What is in the image is read back: to check it, and for digests. */
	void (*reading_back)(void *context, uint64_t done_bytes, uint64_t all_bytes);
	void *context;
};

/*
 * Carries it out.  RESULT is filled in whatever happens; returns result->end.  ERR says why for
 * everything but COMPLETE, UNREADABLE and WRITTEN_TO (kind ERR_NONE: the user stopped it), and
 * names the drive or the image that it is about.
 */
enum acquire_end acquire_run(const struct acquire_options *options,
	const struct acquire_observer *observer, struct acquire_result *result, struct err *err);

#endif
