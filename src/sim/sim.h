/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated drives: in process, over the same link interface as libusb.  A drive is descriptors, a
 * Bulk-Only state machine, a SCSI target, a medium, and a script of faults.
 *
 * NAME is a drive of the table (`demo`, `blank`, …) and may be followed by ",KEY=VALUE" settings:
 *   size=64M  block=512  file=PATH (medium from a file, opened read-only)  serial=TEXT  vid/pid=HEX
 *   bad=LBA[-LBA][:nolba][:nodata][:junk][:descriptor]   unreadable sectors; adds up
 *   healing=LBA:N  recovered=LBA[-LBA]  slow=LBA[-LBA]:MS  hang=LBA[-LBA][:deaf]
 *   delay=US (each command)  rate=BYTES (a second)  dies=N[:hardware|:medium|:gone]
 *   flags: ro, no-medium, no-cap16, capacity-plus-one, no-mode-sense, unit-attention, …
 * sim_help() says them all; the table in settings.c is what is true.
 */
#ifndef UMS_SIM_SIM_H
#define UMS_SIM_SIM_H

#include "base/err.h"

struct link;

/* Opens the simulated drive; NULL and ERR when NAME is none or a setting is wrong. */
struct link *sim_open(const char *name, struct err *err);

/* The simulated USB device NAME, for those who show it to somebody themselves; usb_device_free()
 * frees it. */
struct usb_device;
struct usb_device *sim_device(const char *name, struct err *err);

/* DEVICE's last link is closed: it is freed, or, when it has left the bus, kept: sim_open() of
 * the same name finds it again once it is back. */
void sim_unplugged(struct usb_device *device);

/* The drives of the table and the settings, for --help and man pages. */
const char *sim_help(void);

/* Walks the table: name and one line about drive I, false behind the last. */
struct sim_about {
	const char *name;
	const char *about;
};
const struct sim_about *sim_table(unsigned int i);

#endif
