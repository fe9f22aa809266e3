/* SPDX-License-Identifier: BSD-2-Clause */
/* The image that an acquisition writes into: what it is called, whether it is there already, and
 * whether it is of the drive that was opened. */
#ifndef UMS_ACQUIRE_OPENING_H
#define UMS_ACQUIRE_OPENING_H

#include "acquire/acquire.h"

/*
 * Creates the image of DEVICE, or opens the one that is there to go on with it, once it is known to
 * be of this drive.  Sets RESULT's image, resumed and session.  0, or -1 with an ERR that names the
 * image.  *WRITER is the caller's to close, after a failure too; NULL when nothing was opened.
 */
int opening_image(const struct acquire_options *options, struct device *device,
	struct acquire_result *result, struct image_writer **writer, struct err *err);

#endif
