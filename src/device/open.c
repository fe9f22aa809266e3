/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening a drive by its name, and giving it back: see device.h. */
#include "device/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "device/guardian.h"
#include "device/name.h"
#include "device/route.h"
#include "device/sysfs.h"
#include "device/take.h"
#include "device/use.h"
#include "sim/sim.h"
#include "proto/usb.h"
#include "usb/link.h"

#define TIMEOUT_MS 30000

/* What device_open() hands out the first member of. */
struct opened {
	struct device device;
	struct descriptors descriptors;
	struct guardian *guardian;
};

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

/* --- the transport of each route --- */

static int keep_descriptors(struct opened *opened, const struct link *link, struct err *err)
{
	struct descriptors *kept = &opened->descriptors;

	kept->config = malloc(link->config_len ? link->config_len : 1);
	if (!kept->config)
		return err_memory(err, "opening the drive");
	memcpy(kept->device, link->device_descriptor, sizeof(kept->device));
	memcpy(kept->config, link->config_descriptor, link->config_len);
	kept->config_len = link->config_len;
	return 0;
}

/* Bulk-Only over LINK, which is closed if that fails. */
static struct transport *open_over(struct link *link, struct opened *opened, struct err *err)
{
	uint8_t lun = opened->device.drive.lun;
	struct transport *transport = NULL;
	/* Unit 0 is always there; some drives take Get Max LUN badly. */
	uint8_t max_lun = lun > 0 ? bot_get_max_lun(link) : 0;

	if (lun > max_lun)
		err_set(err, ERR_NO_DEVICE, "it has no logical unit %u; the last one is %u", lun,
			max_lun);
	else if (keep_descriptors(opened, link, err) == 0)
		transport = transport_bot_open(link, lun, 0, err);
	if (!transport)
		link->ops->close(link);
	return transport;
}

/* What sysfs says of other drives. */
static void identify(struct link *link, struct drive *drive)
{
	const uint8_t *d = link->device_descriptor;

	drive->vid = get_le16(d + USB_DEVICE_ID_VENDOR);
	drive->pid = get_le16(d + USB_DEVICE_ID_PRODUCT);
	drive->bcd_device = get_le16(d + USB_DEVICE_BCD_DEVICE);
	link_string(link, d[USB_DEVICE_MANUFACTURER], drive->usb_vendor, sizeof(drive->usb_vendor));
	link_string(link, d[USB_DEVICE_PRODUCT], drive->usb_product, sizeof(drive->usb_product));
	link_string(
		link, d[USB_DEVICE_SERIAL_NUMBER], drive->usb_serial, sizeof(drive->usb_serial));
}

static struct transport *open_sim(const struct named *named, struct opened *opened, struct err *err)
{
	struct link *link = sim_open(named->path, err);

	if (!link)
		return NULL;
	identify(link, &opened->device.drive);
	return open_over(link, opened, err);
}

static struct transport *open_bot(struct opened *opened, struct err *err)
{
	struct link *link = take_interface(&opened->device.drive, &opened->guardian, err);

	return link ? open_over(link, opened, err) : NULL;
}

static struct transport *open_sg(struct opened *opened, struct err *err)
{
	const struct drive *drive = &opened->device.drive;

	/* What the drive says of itself is wanted, not needed. */
	if (drive->port[0])
		descriptors_read(drive->port, drive->configuration, &opened->descriptors, NULL);
	return transport_sg_open(drive->sg[0] ? drive->sg : drive->block, err);
}

static struct transport *open_route(
	const struct named *named, struct opened *opened, struct err *err)
{
	if (named->kind == NAME_SIM)
		return open_sim(named, opened, err);
	switch (opened->device.route) {
	case ROUTE_BOT:
		return open_bot(opened, err);
	case ROUTE_SG:
		return open_sg(opened, err);
	default:
		return transport_file_open(
			named->kind == NAME_FILE ? named->path : named->drive.block, err);
	}
}

static int open_transport(const struct named *named, struct opened *opened, struct err *err)
{
	struct device *device = &opened->device;
	struct transport *inner;

	inner = open_route(named, opened, err);
	if (!inner)
		return -1;
	device->transport = transport_guard_new(inner, err);
	if (!device->transport) {
		transport_close(inner);
		return -1;
	}
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
	cleanup_close int fd = -1;

	if (!drive->block[0] || drive->in_use[0])
		return;
	fd = use_hold(drive->block);
	if (fd >= 0 || errno != EBUSY)
		return;
	snprintf(drive->in_use, sizeof(drive->in_use), USE_UNSEEN);
	drive->mounted_rw = true;
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

static int ask(struct device *device, unsigned int timeout_ms, struct err *err)
{
	struct transport *transport = device->transport;

	if (scsi_inquiry(transport, &device->inquiry, err) ||
		check_inquiry(&device->inquiry, device->drive.lun, err) ||
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

static int open_named(const struct named *named, const struct device_options *options,
	struct opened *opened, struct err *err)
{
	unsigned int timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
	struct device *device = &opened->device;

	device->drive = named->drive;
	memcpy(device->name, named->label, sizeof(device->name));
	if (route_choose(named, options, &device->route, err) ||
		open_transport(named, opened, err) || ask(device, timeout_ms, err))
		return -1;
	complete_drive(device);
	correct_size(named, device);
	return 0;
}

struct device *device_open(const char *name, const struct device_options *options, struct err *err)
{
	struct opened *opened;
	struct named named;

	if (name_resolve(name, &named, err))
		return NULL;
	look_for_unseen_users(&named.drive);
	opened = calloc(1, sizeof(*opened));
	if (!opened) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	if (open_named(&named, options, opened, err)) {
		if (named.kind != NAME_FILE)
			say_what_to_do(err);
		err_prefix(err, "%s: ", named.label);
		device_close(&opened->device);
		return NULL;
	}
	return &opened->device;
}

void device_close(struct device *device)
{
	struct opened *opened = (struct opened *)device;

	if (!opened)
		return;
	transport_close(device->transport);
	/* The link has given the interface back; the guardian makes sure of it. */
	guardian_end(opened->guardian);
	free(opened->descriptors.config);
	free(opened);
}
