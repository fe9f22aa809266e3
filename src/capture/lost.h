/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive that has left the bus, or does not answer any more, in the middle of a session: it is
 * waited for, helped where that may be done, recognised by what it is, and the session goes on.
 */
#ifndef UMS_CAPTURE_LOST_H
#define UMS_CAPTURE_LOST_H

#include "capture/keep.h"
#include "capture/identity.h"
#include "capture/source.h"

struct lost {
	struct source *source;
	struct keep *keep;	      /* goes on while the drive is waited for */
	char identity[IDENTITY_TEXT]; /* of the drive as it was at the beginning */
	uint32_t reconnects;
};

void lost_begin(struct lost *lost, struct source *source, struct keep *keep);

/* The drive has left the bus at LBA.  0 when it is back. */
int lost_gone(struct lost *lost, uint64_t lba);

/* It is there, but does not read any more; WHY is how its last READ failed.  0 when it does. */
int lost_dead(struct lost *lost, uint64_t lba, const char *why);

#endif
