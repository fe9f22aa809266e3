/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing a drive with what a sink has of it, for the parts of this room. */
#ifndef UMS_CAPTURE_IDENTITY_H
#define UMS_CAPTURE_IDENTITY_H

#include "capture/capture.h"

#define IDENTITY_TEXT 4096 /* room that is enough for capture_identity() */

/* Compares non-uniform sectors that SINK has with the drive's.  -1 with ERR_IDENTITY when one
 * differs, ERR_GONE when the drive is gone; *COMPARED is how many agreed.  Sectors that the drive
 * cannot read now say nothing. */
int identity_sample(
	struct device *device, struct capture_sink *sink, unsigned int *compared, struct err *err);

#endif
