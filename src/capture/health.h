/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is it these sectors that fail, or the drive?  After some failures in a row, sectors known to be
 * good are read again, far from the place of trouble.  When they fail as well, the drive is dead,
 * and what was marked since its last good read is taken back, so that the remainder of a dead drive
 * does not turn bad.  Until then such marks are in doubt, and nobody is told of them.
 */
#ifndef UMS_CAPTURE_HEALTH_H
#define UMS_CAPTURE_HEALTH_H

#include "capture/judge.h"
#include "capture/source.h"

struct health {
	struct source *source;
	unsigned int failures; /* in a row */
	struct judged last;    /* the newest of them, and where it was */
	uint64_t last_lba;
	unsigned int checks; /* canaries read so far, so that each is another sector */

	/* What the map said of the sectors whose marks are in doubt, oldest first. */
	struct block_range *before;
	size_t n_before, room_before;

	struct block_range area; /* bad sectors side by side, not told yet; n 0: none */
};

void health_begin(struct health *health, struct source *source);
void health_end(struct health *health);

/* Marks N sectors at LBA, so that it can be taken back as long as the drive is in doubt. */
int health_mark(struct health *health, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why);

/* The drive has been seen to read: what was marked stands. */
void health_good(struct health *health);

/* Tells of the bad sectors that stand and were not told yet: one notice for an area in which they
 * lie side by side for one reason. */
void health_tell(struct health *health);

/* Takes back the marks that are in doubt. */
int health_take_back(struct health *health);

/* A READ at LBA has failed.  Sets *DEAD when the drive does not read any more, not even where it
 * did before; the marks are still in doubt then. */
void health_failed(struct health *health, uint64_t lba, const struct judged *judged, bool *dead);

/* Has the last READ failed, so that nobody knows yet whether the drive has? */
static inline bool health_is_in_doubt(const struct health *health)
{
	return health->failures > 0;
}

/* The session ends while that is in doubt: a sector is called bad only by a drive that is known to
 * live, so those that were become failed ones.  -1 and the session's error when the sink fails. */
int health_leave(struct health *health);

/* All was tried: when the last READs have failed, looks whether that was the drive's death.  *DEAD
 * as above. */
void health_settle(struct health *health, bool *dead);

#endif
