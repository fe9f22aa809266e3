/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open drive from the inside: what the files of this room share.  Not for callers of the room.
 *
 *	open.c       names to open drives, what they say of themselves
 *	connect.c    the transport of each route
 *	reconnect.c  a drive that has gone, back again
 *	revive.c     resets, from the mildest on
 *
 * Commands pass, from the outside in:
 *
 *	guard (read-only) > tally (what was sent) > record (transcript) > fault > plug > sg, bot, …
 *
 * Those to the left of the plug stay when the drive comes back on another connection.
 */
#ifndef UMS_DEVICE_OPENED_H
#define UMS_DEVICE_OPENED_H

#include "device/device.h"
#include "device/guardian.h"
#include "device/name.h"
#include "device/sysfs.h"

struct opened {
	struct device device; /* what is handed out */
	struct device_options options;
	struct named named;
	struct descriptors descriptors;
	struct guardian *guardian;
	struct link *link; /* of the transport behind the plug; NULL: none */
	struct pcap *pcap; /* NULL: none is written */
	struct transport *plug;
	bool candidate; /* looked at because a drive is lost: what it is sent is remembered */
};

/* The transport of the route that opened->device has; what it took is in OPENED.  NULL and ERR on
 * failure, with nothing left taken but the guardian. */
struct transport *connect_route(struct opened *opened, struct err *err);

/* Gives back what connect_route() took, its transport included. */
void disconnect(struct opened *opened);

/* A drive found by name_resolve(), opened and asked who it is; NAMED need not stay.  CANDIDATE: it
 * may be one that was lost. */
struct opened *opened_new(const struct named *named, const struct device_options *options,
	bool candidate, struct err *err);

#endif
