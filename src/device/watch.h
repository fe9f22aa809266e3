/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has another program begun to write to a drive since the first look?  What is mounted, swapped on
 * or stacked on it is looked at again, and the kernel's count of sectors written to its disk: that
 * counts every writer that goes through the block layer, whoever mounted it and wherever.
 */
#ifndef UMS_DEVICE_WATCH_H
#define UMS_DEVICE_WATCH_H

#include "device/device.h"

struct device_watch;

/* Takes the first look.  NULL and ERR only when memory is out: a drive without a kernel's disk
 * (libusb, simulated) has nobody else to be seen. */
struct device_watch *device_watch_begin(struct device *device, struct err *err);
void device_watch_end(struct device_watch *watch);

/* True when the drive has been written to since the first look, or can be now and could not then;
 * WHAT (ROOM bytes) says what was seen. */
bool device_watch_look(struct device_watch *watch, char *what, size_t room);

#endif
