/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of drives in sysfs, found through libudev: fills in `struct drive`.  Opens
 * no drive, asks no drive.
 */
#ifndef UMS_DEVICE_SYSFS_H
#define UMS_DEVICE_SYSFS_H

#include <libudev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "device/device.h"

/* A device's descriptors: device (18 bytes) and active configuration, as they came from it. */
struct descriptors {
	uint8_t device[18];
	uint8_t *config; /* the owner's, to free() */
	size_t config_len;
};

/* Reads the descriptors of the USB device at PORT ("1-2"), whose configuration of the value
 * CONFIGURATION is active. */
int descriptors_read(
	const char *port, uint8_t configuration, struct descriptors *descriptors, struct err *err);

/* The USB side of DRIVE from INTERFACE (a udev "usb_interface").  False when none of its alternate
 * settings is of the mass-storage class. */
bool sysfs_fill_usb(struct udev_device *interface, struct drive *drive);

/* Everything about DRIVE from UNIT (a udev "scsi_device"): SCSI names, nodes, links, size, use, and
 * USB if it hangs there.  Route and why are set too. */
void sysfs_fill_unit(struct udev_device *unit, struct drive *drive);

/* True for the peripheral device types (SPC-5 §6.7.2) that hold blocks: not those of tapes,
 * enclosures and the like. */
bool type_holds_blocks(uint64_t type);

/* The same of UNIT. */
bool sysfs_holds_blocks(struct udev_device *unit);

/* The list of devices of SUBSYSTEM, below PARENT unless that is NULL; NULL when there are none or
 * on failure. */
struct udev_enumerate *sysfs_enumerate(
	struct udev *udev, const char *subsystem, struct udev_device *parent);

#endif
