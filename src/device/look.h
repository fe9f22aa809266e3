/* SPDX-License-Identifier: BSD-2-Clause */
/* A closer look at a disk than sysfs allows: it is opened for a moment. */
#ifndef UMS_DEVICE_LOOK_H
#define UMS_DEVICE_LOOK_H

#include "device/device.h"

/*
 * Fills in DRIVE's `used`, `medium` and `unseen`, and its `in_use` where somebody holds the disk
 * who is in no list.  The rest is there already, from sysfs_fill_unit(); of a CD-ROM unit the size
 * is corrected.  Takes no longer than use_hold() does.
 */
void look_at_disk(struct drive *drive);

#endif
