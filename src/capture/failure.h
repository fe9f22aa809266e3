/* SPDX-License-Identifier: BSD-2-Clause */
/* A READ that did not go well: what that means for the session. */
#ifndef UMS_CAPTURE_FAILURE_H
#define UMS_CAPTURE_FAILURE_H

#include "capture/reading.h"

/*
 * The READ of PLACE was answered by ANSWER, and JUDGED is neither GOOD nor RECOVERED.  0 when the
 * session goes on: the verdict is MEDIUM or TROUBLE then (a drive that was gone is back), or GOOD
 * of no sector when the READ must be asked again, smaller.
 */
int failure_conclude(struct reading *reading, const struct place *place,
	const struct answer *answer, struct judged *judged);

/*
 * All was tried.  Were the last READs in vain because the drive had died?  Then what they said of
 * their sectors is taken back and the session ends (-1).  The drive is not waited for: few sectors
 * are left, and the next session begins with them.
 */
int failure_settle(struct reading *reading);

#endif
