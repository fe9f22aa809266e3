/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has another program begun to write to a drive since the first look?  What is mounted, swapped on
 * or stacked on it is looked at again, and the kernel's count of sectors written to its disk: that
 * counts every writer that goes through the block layer, whoever mounted it and wherever.
 */
#ifndef UMS_DEVICE_WATCH_H
#define UMS_DEVICE_WATCH_H

#include "device/device.h"

/* Takes the first look at DEVICE; does nothing when that was done since it was opened, so that a
 * later run of the same session goes on from there.  A drive without a kernel's disk (libusb,
 * simulated) has nobody else to be seen. */
void device_watch_begin(struct device *device);

/* True when the drive has been written to since the first look, or can be now and could not then;
 * WHAT (ROOM bytes) says what was seen.  Once is enough: from then on device->watch.seen is true,
 * and nobody looks any more. */
bool device_watch_look(struct device *device, char *what, size_t room);

#endif
