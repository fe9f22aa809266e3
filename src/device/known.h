/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a drive beyond what it says: quirks (usb/quirk.h) of the table, of the kernel's
 * own setting, and of the user. */
#ifndef UMS_DEVICE_KNOWN_H
#define UMS_DEVICE_KNOWN_H

#include <stdint.h>

#include "base/err.h"
#include "device/device.h"
#include "usb/link.h"

/* The flags for DRIVE; LINK (may be NULL) shows more when it is there; USER (may be NULL) is what
 * --quirk said. */
int known_quirks(const struct drive *drive, const struct link *link, const char *user,
	uint32_t *quirks, struct err *err);

/* The better of the settings that DRIVE offers over libusb: UAS, unless it is known to be broken.
 */
enum route known_better(const struct drive *drive, uint32_t quirks);

#endif
