/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the medium in the drive still the one that the session began with?  A drive says once that its
 * medium may have changed, or that it was not ready, to whichever command comes next; many places
 * send that command again and go on.  So the transport counts these words wherever they are heard
 * (transport_tally_medium_words), and nothing is committed before the medium has been compared
 * since the last one.
 */
#ifndef UMS_CAPTURE_MEDIUM_H
#define UMS_CAPTURE_MEDIUM_H

#include "capture/source.h"

#define MEDIUM_SAMPLES 16

struct medium {
	struct source *source;
	uint64_t heard; /* words that were heard when the medium was last compared */

	/* Copies of sectors that went into a pipe, which cannot be read back. */
	uint64_t lba[MEDIUM_SAMPLES];
	uint8_t *bytes[MEDIUM_SAMPLES];
	unsigned int n;
};

void medium_begin(struct medium *medium, struct source *source);
void medium_end(struct medium *medium);

/* N good sectors at LBA, whose bytes are DATA, have gone into a pipe: keeps one of them now and
 * then, to compare it later. */
void medium_remember(struct medium *medium, uint64_t lba, uint32_t n, const uint8_t *data);

/* The drive is another connection now, and has just been recognised. */
void medium_recognised(struct medium *medium);

/* Has the drive said something of its medium since it was compared? */
bool medium_is_in_doubt(const struct medium *medium);

/* Compares capacity and a sample of sectors when the drive has said something of its medium since
 * the last time; LBA is where the capture is.  1 when the drive has left the bus before that was
 * done: nothing is known of its medium until it has been recognised.  -1 when it is another medium
 * and the session ends, with ERR_IDENTITY.  Only while no READ is under way. */
int medium_check(struct medium *medium, uint64_t lba);

/* Asks the capacity again.  -1 and the session's error when it is another now; 0 also when the
 * drive does not say. */
int medium_check_capacity(const struct source *source);

#endif
