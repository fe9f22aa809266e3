/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking a drive's USB interface, from the kernel's driver if need be. */
#ifndef UMS_DEVICE_TAKE_H
#define UMS_DEVICE_TAKE_H

#include "base/err.h"
#include "device/device.h"
#include "device/guardian.h"
#include "usb/link.h"

/*
 * Claims DRIVE's interface.  When a driver is bound (the route rule has allowed it then), nothing
 * may use any unit of the drive, and *GUARDIAN is who gives it back if we cannot: end it after the
 * link is closed.  Otherwise *GUARDIAN is NULL.  NULL and ERR on failure, with nothing left taken.
 */
struct link *take_interface(const struct drive *drive, struct guardian **guardian, struct err *err);

/* True when nothing uses any unit behind DRIVE's interface (mounts, swap, holders, of every
 * namespace); ERR (may be NULL) says otherwise what does. */
bool take_is_free(const struct drive *drive, struct err *err);

#endif
