/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive that has gone, back again: wherever it is plugged in now and whatever its node is called,
 * it is known by its USB ids, its serial numbers and its size, and by what the caller knows of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/opened.h"

#define LOOK_AGAIN_MS 250
#define ANSWER_MS     10000 /* a drive that has just come back may still be spinning up */

struct search {
	struct opened *lost;
	int (*same)(void *context, struct device *candidate, struct err *err);
	void *context;
	struct opened *found;
	bool on_old_port; /* FOUND is */
	unsigned int n;	  /* that are the same drive as far as can be seen */
	struct err last;  /* why the last one that was looked at is not it */
};

/* Worth being opened?  What is not known of both says nothing. */
static bool looks_like(const struct drive *lost, const struct drive *drive)
{
	if (drive->vid != lost->vid || drive->pid != lost->pid ||
		drive->interface != lost->interface)
		return false;
	return !lost->usb_serial[0] || !drive->usb_serial[0] ||
	       strcmp(lost->usb_serial, drive->usb_serial) == 0;
}

static int check(const struct search *search, struct device *candidate, struct err *err)
{
	const struct device *lost = &search->lost->device;

	if (candidate->capacity.n_blocks != lost->capacity.n_blocks ||
		candidate->capacity.block_bytes != lost->capacity.block_bytes)
		return err_set(err, ERR_IDENTITY,
			"%s has %" PRIu64 " sectors of %u bytes, not %" PRIu64 " of %u",
			candidate->name, candidate->capacity.n_blocks,
			candidate->capacity.block_bytes, lost->capacity.n_blocks,
			lost->capacity.block_bytes);
	if (lost->unit_serial[0] && candidate->unit_serial[0] &&
		strcmp(lost->unit_serial, candidate->unit_serial) != 0)
		return err_set(err, ERR_IDENTITY, "%s has the unit serial number %s, not %s",
			candidate->name, candidate->unit_serial, lost->unit_serial);
	return search->same ? search->same(search->context, candidate, err) : 0;
}

/* How the lost drive was opened, without what stays around its connection. */
static struct device_options options_for(const struct opened *lost)
{
	struct device_options options = lost->options;

	options.record = NULL;
	options.pcap = NULL;
	options.watch = NULL;
	options.fault_seed = 0;
	if (!options.timeout_ms || options.timeout_ms > ANSWER_MS)
		options.timeout_ms = ANSWER_MS;
	return options;
}

static void look_at_candidate(struct search *search, const struct named *named)
{
	const struct opened *lost = search->lost;
	const char *port = lost->device.drive.port;
	struct device_options options = options_for(lost);
	struct opened *candidate = opened_new(named, &options, true, &search->last);
	bool on_old_port;

	if (!candidate)
		return;
	if (check(search, &candidate->device, &search->last)) {
		device_close(&candidate->device);
		return;
	}
	search->n++;
	on_old_port = strcmp(port, candidate->device.drive.port) == 0;
	if (search->found && search->on_old_port) {
		device_close(&candidate->device);
		return;
	}
	if (search->found)
		device_close(&search->found->device);
	search->found = candidate;
	search->on_old_port = on_old_port;
}

static void look_at_drive(struct search *search, const struct drive *drive)
{
	struct named named = {.kind = NAME_DRIVE, .drive = *drive};
	uint8_t lun = search->lost->device.drive.lun;

	/* A drive without a driver stands in the list with one unit. */
	if (!drive->driver[0])
		named.drive.lun = lun;
	if (named.drive.lun != lun)
		return;
	if (drive->block[0])
		snprintf(named.label, sizeof(named.label), "%s", drive->block);
	else
		snprintf(named.label, sizeof(named.label), "usb:%s,lun=%u", drive->port, lun);
	look_at_candidate(search, &named);
}

static void look_at_usb(struct search *search)
{
	struct drive_list list;

	if (drive_list_read(&list, false, &search->last))
		return;
	for (size_t i = 0; i < list.n; i++) {
		if (looks_like(&search->lost->device.drive, &list.drive[i]))
			look_at_drive(search, &list.drive[i]);
	}
	drive_list_free(&list);
}

/* 0: found, 1: not there yet, -1: cannot be told apart. */
static int look(struct search *search, struct err *err)
{
	struct opened *lost = search->lost;

	search->found = NULL;
	search->n = 0;
	if (lost->named.kind == NAME_DRIVE && lost->device.drive.port[0])
		look_at_usb(search);
	else
		look_at_candidate(search, &lost->named);
	if (search->n == 0)
		return 1;
	if (search->n == 1 || search->on_old_port)
		return 0;
	device_close(&search->found->device);
	return err_set(err, ERR_IDENTITY,
		"%u drives may be %s, and none is on its old port %s: unplug all but the right "
		"one, "
		"or name it",
		search->n, lost->device.name, lost->device.drive.port);
}

/* What FOUND has taken is LOST's from now on; what stays of FOUND is closed. */
static void adopt(struct opened *lost, struct opened *found)
{
	struct transport *inner = transport_plug_take(found->plug);
	struct descriptors descriptors = lost->descriptors;

	/* What was sent while it was looked at was sent to the same drive. */
	transport_tally_absorb(lost->device.tally, found->device.tally);
	transport_tally_listen(lost->device.tally, inner);
	transport_plug_put(lost->plug, inner);
	lost->device.transport->depth = inner->depth;
	lost->guardian = found->guardian;
	lost->descriptors = found->descriptors;
	lost->named = found->named;
	lost->device.drive = found->device.drive;
	lost->device.route = found->device.route;
	memcpy(lost->device.name, found->device.name, sizeof(lost->device.name));
	lost->device.config_descriptor = lost->descriptors.config;
	lost->device.config_len = lost->descriptors.config_len;
	lost->device.reconnects++;
	lost->device.reset_epoch++; /* that the plug counts another connection is no reset */
	found->guardian = NULL;
	found->descriptors = descriptors;
	device_close(&found->device);
}

static int reconnect_give_up(const struct search *search, const char *why, struct err *err)
{
	return err_set(err, ERR_GONE, "%s has not come back%s%s%.500s%s", search->lost->device.name,
		why, search->last.kind != ERR_NONE ? " (" : "",
		search->last.kind != ERR_NONE ? search->last.text : "",
		search->last.kind != ERR_NONE ? ")" : "");
}

int device_reconnect(struct device *device, struct deadline deadline, const atomic_bool *stop,
	int (*same)(void *context, struct device *candidate, struct err *err), void *context,
	struct err *err)
{
	struct search search = {.lost = (struct opened *)device, .same = same, .context = context};

	disconnect(search.lost);
	for (;;) {
		int r;

		search.last = (struct err){.kind = ERR_NONE};
		r = look(&search, err);
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		if (stop && *stop)
			return reconnect_give_up(&search, " before it was stopped", err);
		if (deadline_left_ms(deadline) == 0)
			return reconnect_give_up(&search, "", err);
		clock_sleep_ms(LOOK_AGAIN_MS);
	}
	adopt(search.lost, search.found);
	return 0;
}
