/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The route rule: see route.h.
 *
 *	a driver is bound     sg      the kernel queues our commands between its own
 *	nothing is bound      uas     the interface is free: libusb claims it; UAS where it is
 *	                      bot     offered and not known to be broken
 *	no SCSI behind it     file    loop, nvme, dm, a partition, a plain file
 */
#include "device/route.h"

#include <stdio.h>
#include <string.h>

#include "device/known.h"
#include "usb/quirk.h"

static const char *const names[] = {
	[ROUTE_AUTO] = "auto",
	[ROUTE_SG] = "sg",
	[ROUTE_BOT] = "bot",
	[ROUTE_UAS] = "uas",
	[ROUTE_FILE] = "file",
	[ROUTE_REPLAY] = "replay",
};

const char *route_name(enum route route)
{
	return (size_t)route < sizeof(names) / sizeof(names[0]) ? names[route] : "unknown";
}

bool route_parse(const char *text, enum route *route)
{
	for (size_t i = 0; i <= ROUTE_FILE; i++) {
		if (strcmp(text, names[i]) == 0) {
			*route = (enum route)i;
			return true;
		}
	}
	return false;
}

/* True when a program has the interface; to the kernel that is a driver like others. */
static bool claimed(const struct drive *drive)
{
	return strcmp(drive->driver, "usbfs") == 0;
}

static void explain_bound(struct drive *drive)
{
	char who[80] = "a SCSI disk, not on USB";

	if (drive->port[0])
		snprintf(who, sizeof(who), "%s is bound", drive->driver);
	drive->route = ROUTE_SG;
	if (drive->sg[0])
		snprintf(drive->why, sizeof(drive->why),
			"%s: commands go through %s, between the kernel's own", who, drive->sg);
	else if (drive->block[0])
		snprintf(drive->why, sizeof(drive->why),
			"%s, and there is no sg node (module sg): SG_IO on %s", who, drive->block);
	else
		snprintf(drive->why, sizeof(drive->why),
			"%s but shows no disk (it may still be looking)", who);
}

static void explain_unbound(struct drive *drive)
{
	uint32_t quirks = 0;

	known_quirks(drive, NULL, NULL, &quirks, NULL);
	drive->route = known_better(drive, quirks);
	snprintf(drive->why, sizeof(drive->why), "no kernel driver is bound: %s over libusb%s",
		drive->route == ROUTE_UAS ? "UAS" : "Bulk-Only",
		drive->route == ROUTE_BOT && drive->offers_uas ? " (its UAS is known to be broken)"
							       : "");
}

void route_explain(struct drive *drive)
{
	if (claimed(drive)) {
		drive->route = ROUTE_BOT;
		snprintf(drive->why, sizeof(drive->why), "a program has claimed the interface");
	} else if (drive->driver[0] || drive->sg[0] || drive->block[0]) {
		explain_bound(drive);
	} else if (drive->offers_bot || drive->offers_uas) {
		explain_unbound(drive);
	} else {
		drive->route = ROUTE_SG;
		snprintf(drive->why, sizeof(drive->why),
			"it speaks neither Bulk-Only (BOT) nor UAS, and no kernel driver is bound");
	}
}

static int choose_sg(const struct drive *drive, struct err *err)
{
	if (drive->sg[0] || drive->block[0])
		return 0;
	if (claimed(drive))
		return err_set(err, ERR_BUSY, "another program has claimed it");
	if (drive->driver[0])
		return err_set(err, ERR_NO_DEVICE, "%s", drive->why);
	return err_set(err, ERR_NO_DEVICE, "no kernel driver is bound, so it has no sg node%s",
		drive->offers_bot   ? "; --route bot needs none"
		: drive->offers_uas ? "; --route uas needs none"
				    : "");
}

/* Over libusb, ROUTE is bot or uas. */
static int choose_libusb(const struct drive *drive, const struct device_options *options,
	enum route route, struct err *err)
{
	if (!drive->port[0])
		return err_set(err, ERR_USAGE, "not on USB: there is no %s route to it",
			route_name(route));
	if (claimed(drive))
		return err_set(err, ERR_BUSY, "another program has claimed it");
	if (route == ROUTE_BOT ? !drive->offers_bot : !drive->offers_uas)
		return err_set(err, ERR_USAGE, "it offers no %s setting",
			route == ROUTE_BOT ? "Bulk-Only (BOT)" : "UAS");
	if (!drive->driver[0])
		return 0;
	if (drive->in_use[0])
		return err_set(err, ERR_BUSY,
			"%s: the interface is not taken from %s while it is in use", drive->in_use,
			drive->driver);
	if (!options->detach)
		return err_set(err, ERR_BUSY,
			"the kernel's driver %s is bound: without --route it goes through sg; "
			"--detach takes it from the driver and gives it back afterwards",
			drive->driver);
	return 0;
}

/* What stands against a route that leaves the kernel's mounts in place. */
static int check_live(
	const struct drive *drive, const struct device_options *options, struct err *err)
{
	if (!drive->mounted_rw || options->live)
		return 0;
	return err_set(err, ERR_BUSY,
		"%s: an image of it would be of no single moment; remount it read-only, or say "
		"--live",
		drive->in_use);
}

static int choose_for_drive(const struct drive *drive, const struct device_options *options,
	enum route *route, struct err *err)
{
	*route = options->route == ROUTE_AUTO ? drive->route : options->route;
	if (options->route == ROUTE_AUTO && options->prefer != ROUTE_AUTO && !drive->driver[0] &&
		drive->port[0])
		*route = options->prefer;
	switch (*route) {
	case ROUTE_SG:
		return choose_sg(drive, err) ? -1 : check_live(drive, options, err);
	case ROUTE_BOT:
	case ROUTE_UAS:
		return choose_libusb(drive, options, *route, err);
	case ROUTE_FILE:
		if (!drive->block[0])
			return err_set(err, ERR_USAGE, "it has no block node to read as a file");
		return check_live(drive, options, err);
	default:
		return err_set(err, ERR_USAGE, "no such route");
	}
}

/* What has one natural route takes no other. */
static int choose_only(
	enum route only, const char *what, enum route wish, enum route *route, struct err *err)
{
	*route = only;
	if (wish == ROUTE_AUTO || wish == only)
		return 0;
	return err_set(err, ERR_USAGE, "%s goes by route %s, not %s", what, route_name(only),
		route_name(wish));
}

/* Which of the two it offers shows when it is there. */
static int choose_for_sim(enum route wish, enum route *route, struct err *err)
{
	*route = wish;
	if (wish == ROUTE_AUTO || wish == ROUTE_BOT || wish == ROUTE_UAS)
		return 0;
	return err_set(err, ERR_USAGE, "a simulated drive goes by route bot or uas, not %s",
		route_name(wish));
}

int route_choose(const struct named *named, const struct device_options *options, enum route *route,
	struct err *err)
{
	switch (named->kind) {
	case NAME_SIM:
		return choose_for_sim(
			options->route == ROUTE_AUTO ? options->prefer : options->route, route,
			err);
	case NAME_REPLAY:
		return choose_only(ROUTE_REPLAY, "a transcript", options->route, route, err);
	case NAME_FILE:
		return choose_only(ROUTE_FILE, "a plain file", options->route, route, err);
	case NAME_BLOCK:
		if (choose_only(ROUTE_FILE, "a block device that is no SCSI disk", options->route,
			    route, err))
			return -1;
		return check_live(&named->drive, options, err);
	case NAME_DRIVE:
		return choose_for_drive(&named->drive, options, route, err);
	}
	return err_set(err, ERR_USAGE, "no such route");
}
