/* SPDX-License-Identifier: BSD-2-Clause */
/* The transport of each route: see opened.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "device/known.h"
#include "device/opened.h"
#include "device/take.h"
#include "proto/usb.h"
#include "sim/sim.h"
#include "usb/descriptor.h"
#include "usb/pcap.h"
#include "usb/quirk.h"

static int keep_descriptors(struct opened *opened, const struct link *link, struct err *err)
{
	struct descriptors *kept = &opened->descriptors;

	free(kept->config);
	kept->config = malloc(link->config_len ? link->config_len : 1);
	if (!kept->config)
		return err_memory(err, "opening the drive");
	memcpy(kept->device, link->device_descriptor, sizeof(kept->device));
	memcpy(kept->config, link->config_descriptor, link->config_len);
	kept->config_len = link->config_len;
	return 0;
}

/* Unit 0 is always there; some drives take Get Max LUN badly.  UAS has no such request: the unit
 * itself says whether it is there. */
static int check_lun(const struct opened *opened, struct link *link, struct err *err)
{
	const struct device *device = &opened->device;
	uint8_t lun = device->drive.lun, max_lun = 0;

	if (lun == 0 || device->route == ROUTE_UAS)
		return 0;
	if (!(device->quirks & QUIRK_SINGLE_LUN))
		max_lun = bot_get_max_lun(link);
	if (lun <= max_lun)
		return 0;
	return err_set(
		err, ERR_NO_DEVICE, "it has no logical unit %u; the last one is %u", lun, max_lun);
}

/* LINK with a recorder around it, if one is wanted. */
static struct link *recorded(struct opened *opened, struct link *link, struct err *err)
{
	struct link *recorder;

	if (!opened->pcap)
		return link;
	recorder = link_pcap_new(link, opened->pcap, err);
	if (!recorder)
		link->ops->close(link);
	return recorder;
}

/* What only shows now may speak against UAS; the user's word counts more. */
static int choose_setting(struct opened *opened, const struct link *link, struct err *err)
{
	struct device *device = &opened->device;

	if (known_quirks(&device->drive, link, opened->options.quirks, &device->quirks, err))
		return -1;
	if (opened->options.route == ROUTE_AUTO && opened->options.prefer == ROUTE_AUTO)
		device->route = known_better(&device->drive, device->quirks);
	return 0;
}

/* The route's transport over LINK, which is closed if that fails. */
static struct transport *open_over(struct link *link, struct opened *opened, struct err *err)
{
	struct device *device = &opened->device;
	struct transport *transport = NULL;

	if (choose_setting(opened, link, err) != 0) {
		link->ops->close(link);
		return NULL;
	}
	link = recorded(opened, link, err);
	if (!link)
		return NULL;
	if (check_lun(opened, link, err) == 0 && keep_descriptors(opened, link, err) == 0)
		transport =
			device->route == ROUTE_UAS
				? transport_uas_open(link, device->drive.lun, device->quirks, err)
				: transport_bot_open(link, device->drive.lun, device->quirks, err);
	if (!transport)
		link->ops->close(link);
	opened->link = transport ? link : NULL;
	return transport;
}

/* What sysfs says of other drives. */
static void identify(struct link *link, struct drive *drive)
{
	const uint8_t *d = link->device_descriptor;
	struct usb_interface interface;

	drive->vid = get_le16(d + USB_DEVICE_ID_VENDOR);
	drive->pid = get_le16(d + USB_DEVICE_ID_PRODUCT);
	drive->bcd_device = get_le16(d + USB_DEVICE_BCD_DEVICE);
	link_string(link, d[USB_DEVICE_MANUFACTURER], drive->usb_vendor, sizeof(drive->usb_vendor));
	link_string(link, d[USB_DEVICE_PRODUCT], drive->usb_product, sizeof(drive->usb_product));
	link_string(
		link, d[USB_DEVICE_SERIAL_NUMBER], drive->usb_serial, sizeof(drive->usb_serial));
	if (!usb_interface_parse(
		    link->config_descriptor, link->config_len, link->interface, &interface))
		return;
	drive->offers_bot = usb_alternate_for(&interface, USB_PROTOCOL_BOT) != NULL;
	drive->offers_uas = usb_alternate_for(&interface, USB_PROTOCOL_UAS) != NULL;
}

/* A simulated drive is asked what it offers when it is there. */
static struct transport *connect_sim(struct opened *opened, struct err *err)
{
	struct device *device = &opened->device;
	struct link *link = sim_open(opened->named.path, err);

	if (!link)
		return NULL;
	identify(link, &device->drive);
	return open_over(link, opened, err);
}

static struct transport *connect_libusb(struct opened *opened, struct err *err)
{
	struct link *link;

	if (opened->device.quirks & QUIRK_IGNORE_DEVICE) {
		err_set(err, ERR_USAGE,
			"it is known as a device that must not be driven as a drive (--quirk "
			"no-ignore-device does so all the same)");
		return NULL;
	}
	link = take_interface(&opened->device.drive, &opened->guardian, err);
	return link ? open_over(link, opened, err) : NULL;
}

/* Around a transport whose USB transfers nobody here sees. */
static struct transport *rendered(struct opened *opened, struct transport *inner, struct err *err)
{
	struct transport *recorder;

	if (!opened->options.pcap || !inner)
		return inner;
	/* The transfers that would be are not those that were. */
	pcap_watch(opened->pcap, NULL, NULL);
	recorder = transport_pcap_new(inner, opened->pcap, err);
	if (!recorder)
		transport_close(inner);
	return recorder;
}

static struct transport *connect_sg(struct opened *opened, struct err *err)
{
	const struct drive *drive = &opened->device.drive;

	/* What the drive says of itself is wanted, not needed. */
	if (drive->port[0])
		descriptors_read(drive->port, drive->configuration, &opened->descriptors, NULL);
	/* SG_IO on the block node moves data without a copy; the sg driver has buffers of its own.
	 */
	return rendered(opened,
		transport_sg_open(
			drive->block[0] ? drive->block : drive->sg, opened->device.quirks, err),
		err);
}

struct transport *connect_route(struct opened *opened, struct err *err)
{
	const struct named *named = &opened->named;
	struct device *device = &opened->device;

	if (named->kind == NAME_SIM)
		return connect_sim(opened, err);
	if (known_quirks(&device->drive, NULL, opened->options.quirks, &device->quirks, err))
		return NULL;
	switch (device->route) {
	case ROUTE_BOT:
	case ROUTE_UAS:
		return connect_libusb(opened, err);
	case ROUTE_SG:
		return connect_sg(opened, err);
	case ROUTE_REPLAY:
		return transport_replay_open(named->path, err);
	default:
		return rendered(opened,
			transport_file_open(
				named->kind == NAME_FILE ? named->path : named->drive.block, err),
			err);
	}
}

void disconnect(struct opened *opened)
{
	opened->link = NULL;
	if (opened->plug)
		transport_close(transport_plug_take(opened->plug));
	/* The link has given the interface back; the guardian makes sure of it. */
	guardian_end(opened->guardian);
	opened->guardian = NULL;
}
