/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated drives for a real kernel: a USB/IP server.  `usbip attach -r 127.0.0.1 -b 1-1` makes
 * the first one a USB device of that machine.  No streams: the kernel's virtual host controller has
 * none.
 */
#ifndef UMS_SIM_USBIP_H
#define UMS_SIM_USBIP_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/err.h"
#include "sim/usb_device.h"

#define USBIP_DRIVES_MAX 8

/* Listens on ADDRESS ("127.0.0.1:3240", port 0: any); a descriptor, or -1 and ERR. */
int usbip_listen(const char *address, struct err *err);

/*
 * Shows the N drives (the caller's) as bus ids 1-1, 1-2, … to whoever connects to LISTENER, until
 * *STOP. A drive that leaves the bus ends its connection, and can be imported again when it is
 * back.  SAY (may be NULL) hears what happens, a sentence each.
 */
int usbip_serve(int listener, struct usb_device *const *drives, size_t n, const atomic_bool *stop,
	void (*say)(const char *text), struct err *err);

#endif
