/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening a drive by its name, and giving it back: see device.h. */
#include "device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "device/opened.h"
#include "device/route.h"
#include "device/use.h"
#include "usb/pcap.h"

#define TIMEOUT_MS 30000

static void say_what_to_do(struct err *err)
{
	struct err cause;

	/* The link says it itself. */
	if (!err || err->kind != ERR_PERMISSION || strstr(err->text, "udev/"))
		return;
	cause = *err;
	err_set(err, ERR_PERMISSION,
		"%.800s; run it as root, or install udev/60-umsctl.rules and join the group disk",
		cause.text);
}

/* Wraps INNER, which is closed when there is no WRAPPED. */
static struct transport *wrapped(struct transport *inner, struct transport *outer)
{
	if (!outer)
		transport_close(inner);
	return outer;
}

/* What every command passes on its way to the route's transport INNER: see opened.h. */
static struct transport *chain(struct opened *opened, struct transport *inner, struct err *err)
{
	const struct device_options *options = &opened->options;
	struct transport *t = wrapped(inner, transport_plug_new(inner, err));

	opened->plug = t;
	if (t && options->fault_seed)
		t = wrapped(t, transport_fault_new(t, options->fault_seed, err));
	if (t && options->record) {
		char about[64];

		/* Not its name: that may hold a serial number. */
		snprintf(about, sizeof(about), "%04x:%04x by route %s", opened->device.drive.vid,
			opened->device.drive.pid, route_name(opened->device.route));
		t = wrapped(t,
			transport_record_new(t, options->record, options->record_data, about, err));
	}
	if (t)
		t = wrapped(t, transport_tally_new(t, err));
	opened->device.tally = t;
	if (t)
		transport_tally_listen(t, inner);
	if (t && opened->candidate)
		transport_tally_remember(t);
	if (t && !options->any_command)
		t = wrapped(t, transport_guard_new(t, err));
	if (!t)
		opened->plug = opened->device.tally = NULL;
	return t;
}

static int open_transport(struct opened *opened, struct err *err)
{
	struct device *device = &opened->device;
	struct transport *inner = connect_route(opened, err);

	if (!inner)
		return -1;
	device->transport = chain(opened, inner, err);
	if (!device->transport)
		return -1;
	if (opened->descriptors.config) {
		device->device_descriptor = opened->descriptors.device;
		device->config_descriptor = opened->descriptors.config;
		device->config_len = opened->descriptors.config_len;
	}
	return 0;
}

/* Who is in no list of ours may still be there, and may write. */
static void look_for_unseen_users(struct drive *drive)
{
	struct use use;

	if (!drive->block[0])
		return;
	use = use_look(drive->block, &use_sources_system);
	memcpy(drive->in_use, use.text, sizeof(drive->in_use));
	drive->mounted_rw |= use.rw;
}

/* --- what the drive says --- */

static int check_inquiry(const struct inquiry *inquiry, uint8_t lun, struct err *err)
{
	/* SPC-5 §6.7.2: any qualifier but 0 means that nothing answers there. */
	if (inquiry->qualifier != 0)
		return err_set(err, ERR_NO_DEVICE, "it has no logical unit %u", lun);
	if (!type_holds_blocks(inquiry->device_type))
		return err_set(err, ERR_USAGE, "it holds no blocks: SCSI device type %#04x",
			inquiry->device_type);
	return 0;
}

static int ask_drive(
	struct device *device, enum device_ask ask, unsigned int timeout_ms, struct err *err)
{
	struct transport *transport = device->transport;

	if (scsi_inquiry(transport, &device->inquiry, err))
		return -1;
	if (ask == ASK_INQUIRY)
		return 0;
	if (check_inquiry(&device->inquiry, device->drive.lun, err) ||
		scsi_wait_ready(transport, deadline_in_ms(timeout_ms), err) ||
		scsi_capacity(transport, &device->capacity, &device->capacity_corrected, err))
		return -1;
	if (!mem_mul_u64(
		    device->capacity.n_blocks, device->capacity.block_bytes, &device->size_bytes))
		return err_set(err, ERR_OTHER, "it claims an absurd capacity");
	scsi_unit_serial(
		transport, &device->inquiry, device->unit_serial, sizeof(device->unit_serial));
	return 0;
}

/* A plain file need not be a whole number of blocks. */
static void correct_size(const struct named *named, struct device *device)
{
	struct stat st;

	if (named->kind == NAME_FILE && stat(named->path, &st) == 0 && st.st_size >= 0)
		device->size_bytes = (uint64_t)st.st_size;
}

/* The list's part of what is known, where only the drive could tell. */
static void complete_drive(struct device *device)
{
	struct drive *drive = &device->drive;

	drive->n_blocks = device->capacity.n_blocks;
	drive->block_bytes = device->capacity.block_bytes;
	if (!drive->scsi_vendor[0] && !drive->scsi_product[0]) {
		memcpy(drive->scsi_vendor, device->inquiry.vendor, sizeof(device->inquiry.vendor));
		memcpy(drive->scsi_product, device->inquiry.product,
			sizeof(device->inquiry.product));
		memcpy(drive->scsi_revision, device->inquiry.revision,
			sizeof(device->inquiry.revision));
	}
}

static int open_named(struct opened *opened, struct err *err)
{
	const struct device_options *options = &opened->options;
	unsigned int timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
	struct device *device = &opened->device;

	if (route_choose(&opened->named, options, &device->route, err))
		return -1;
	if (options->pcap || options->watch) {
		opened->pcap = pcap_open(options->pcap, err);
		if (!opened->pcap)
			return -1;
		pcap_watch(opened->pcap, options->watch, options->watch_context);
	}
	if (open_transport(opened, err))
		return -1;
	if (options->ask == ASK_NOTHING)
		return 0;
	if (ask_drive(device, options->ask, timeout_ms, err))
		return -1;
	complete_drive(device);
	correct_size(&opened->named, device);
	return 0;
}

struct opened *opened_new(const struct named *named, const struct device_options *options,
	bool candidate, struct err *err)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	opened->options = *options;
	opened->named = *named;
	opened->candidate = candidate;
	look_for_unseen_users(&opened->named.drive);
	opened->device.drive = opened->named.drive;
	memcpy(opened->device.name, named->label, sizeof(opened->device.name));
	if (open_named(opened, err)) {
		if (named->kind != NAME_FILE)
			say_what_to_do(err);
		err_prefix(err, "%s: ", named->label);
		device_close(&opened->device);
		return NULL;
	}
	return opened;
}

struct device *device_open(const char *name, const struct device_options *options, struct err *err)
{
	struct opened *opened;
	struct named named;

	if (name_resolve(name, &named, err))
		return NULL;
	opened = opened_new(&named, options, false, err);
	return opened ? &opened->device : NULL;
}

struct link *device_link(struct device *device)
{
	return ((struct opened *)device)->link;
}

void device_close(struct device *device)
{
	struct opened *opened = (struct opened *)device;

	if (!opened)
		return;
	disconnect(opened);
	transport_close(device->transport);
	pcap_close(opened->pcap);
	free(opened->descriptors.config);
	free(opened);
}
