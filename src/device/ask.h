/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a drive that no kernel driver has looked at who it is. */
#ifndef UMS_DEVICE_ASK_H
#define UMS_DEVICE_ASK_H

#include <stddef.h>

#include "device/device.h"

/* BOT 1.0 §5.1: bCBWLUN has four bits */
#define ASK_UNITS_MAX 16

/* Claims DRIVE's interface for a moment and asks each unit INQUIRY and READ CAPACITY; UNIT gets one
 * copy of DRIVE for each that answers, filled in.  Returns how many, 0 when it cannot be asked. */
size_t ask_units(const struct drive *drive, struct drive unit[ASK_UNITS_MAX]);

#endif
