/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guardian: a process that outlives this one by as long as it takes to give a drive back.  When
 * we take an interface from the kernel's driver and then die (crash, SIGKILL), nobody else would
 * bind the driver again: the kernel releases the claim, no more.
 */
#ifndef UMS_DEVICE_GUARDIAN_H
#define UMS_DEVICE_GUARDIAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What is to be given back. */
struct ward {
	char node[64];	       /* usbfs: "/dev/bus/usb/001/004" */
	uint8_t interface;     /* bInterfaceNumber */
	char name[64];	       /* of the interface in sysfs: "1-2:1.0" */
	const char *usb_sysfs; /* "/sys/bus/usb" */
};

struct guardian;

/* Starts it, before the interface is taken; it is ready when this returns.  NULL and ERR on
 * failure. */
struct guardian *guardian_start(const struct ward *ward, struct err *err);

/* Tells it that the interface has been given back (or was never taken), waits until it has seen
 * that the driver is bound, and frees it.  False when the driver is not bound.  NULL is allowed. */
bool guardian_end(struct guardian *guardian);

#endif
