/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of drives: see sysfs.h. */
#include "device/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "device/route.h"
#include "device/use.h"
#include "proto/usb.h"
#include "usb/descriptor.h"

/* What sysfs says can hardly be larger: 65535 for each of a few configurations. */
#define DESCRIPTORS_MAX (256 * 1024)

struct udev_enumerate *sysfs_enumerate(
	struct udev *udev, const char *subsystem, struct udev_device *parent)
{
	struct udev_enumerate *found = udev_enumerate_new(udev);

	if (!found)
		return NULL;
	if (udev_enumerate_add_match_subsystem(found, subsystem) < 0 ||
		(parent && udev_enumerate_add_match_parent(found, parent) < 0) ||
		udev_enumerate_scan_devices(found) < 0) {
		udev_enumerate_unref(found);
		return NULL;
	}
	return found;
}

/* A text attribute, escaped; empty when there is none. */
static void get_text(struct udev_device *dev, const char *name, char *out, size_t room)
{
	const char *text = udev_device_get_sysattr_value(dev, name);

	text_escape(text ? text : "", text ? strlen(text) : 0, out, room);
}

/* A number attribute; 0 when there is none or it is none. */
static uint64_t get_number(struct udev_device *dev, const char *name, int base, uint64_t max)
{
	const char *text = udev_device_get_sysattr_value(dev, name);
	unsigned long long value;

	if (!text)
		return 0;
	errno = 0;
	value = strtoull(text, NULL, base);
	return errno == 0 && value <= max ? value : 0;
}

/* --- USB --- */

static int read_file(const char *path, uint8_t **bytes, size_t *len, struct err *err)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	cleanup_free uint8_t *data = malloc(DESCRIPTORS_MAX);

	if (!data)
		return err_memory(err, "reading USB descriptors");
	if (!f)
		return err_sys(err, errno, "%s", path);
	*len = fread(data, 1, DESCRIPTORS_MAX, f);
	*bytes = data;
	data = NULL;
	return 0;
}

/* The configuration VALUE among those behind the device descriptor; the first if VALUE is 0. */
static const uint8_t *find_config(
	const uint8_t *data, size_t len, uint8_t value, size_t *config_len)
{
	size_t at = USB_DEVICE_DESC_SIZE;

	while (at < len && len - at >= USB_CONFIG_DESC_SIZE) {
		const uint8_t *config = data + at;
		size_t total = get_le16(config + USB_CONFIG_TOTAL_LENGTH);

		if (config[USB_DESC_TYPE] != USB_DT_CONFIG || total < USB_CONFIG_DESC_SIZE ||
			total > len - at)
			return NULL;
		*config_len = total;
		if (value == 0 || config[USB_CONFIG_VALUE] == value)
			return config;
		at += total;
	}
	return NULL;
}

int descriptors_read(
	const char *port, uint8_t configuration, struct descriptors *descriptors, struct err *err)
{
	cleanup_free uint8_t *data = NULL;
	const uint8_t *config;
	char path[PATH_MAX];
	size_t len = 0;

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/descriptors", port);
	if (read_file(path, &data, &len, err))
		return -1;
	if (len < USB_DEVICE_DESC_SIZE)
		return err_set(err, ERR_OTHER, "%s: cut short", path);
	config = find_config(data, len, configuration, &descriptors->config_len);
	if (!config)
		return err_set(err, ERR_OTHER, "%s: no configuration %u", path, configuration);
	descriptors->config = malloc(descriptors->config_len);
	if (!descriptors->config)
		return err_memory(err, "reading USB descriptors");
	memcpy(descriptors->config, config, descriptors->config_len);
	memcpy(descriptors->device, data, USB_DEVICE_DESC_SIZE);
	return 0;
}

/* False when the interface has no alternate setting of the mass-storage class. */
static bool fill_protocols(struct drive *drive)
{
	struct descriptors descriptors = {.config = NULL};
	struct usb_interface interface;
	bool ours = false;

	if (descriptors_read(drive->port, drive->configuration, &descriptors, NULL))
		return false;
	if (usb_interface_parse(
		    descriptors.config, descriptors.config_len, drive->interface, &interface)) {
		for (size_t i = 0; i < interface.n_alternates; i++)
			ours |= interface.alternate[i].class == USB_CLASS_MASS_STORAGE;
		drive->offers_bot = usb_alternate_for(&interface, USB_PROTOCOL_BOT);
		drive->offers_uas = usb_alternate_for(&interface, USB_PROTOCOL_UAS);
	}
	drive->vid = get_le16(descriptors.device + USB_DEVICE_ID_VENDOR);
	drive->pid = get_le16(descriptors.device + USB_DEVICE_ID_PRODUCT);
	drive->bcd_device = get_le16(descriptors.device + USB_DEVICE_BCD_DEVICE);
	free(descriptors.config);
	return ours;
}

bool sysfs_fill_usb(struct udev_device *interface, struct drive *drive)
{
	/* The parent is the child's to unref. */
	struct udev_device *device =
		udev_device_get_parent_with_subsystem_devtype(interface, "usb", "usb_device");
	const char *driver = udev_device_get_driver(interface);

	if (!device)
		return false;
	snprintf(drive->port, sizeof(drive->port), "%s", udev_device_get_sysname(device));
	drive->bus = (uint8_t)get_number(device, "busnum", 10, UINT8_MAX);
	drive->address = (uint8_t)get_number(device, "devnum", 10, UINT8_MAX);
	drive->configuration = (uint8_t)get_number(device, "bConfigurationValue", 10, UINT8_MAX);
	drive->interface = (uint8_t)get_number(interface, "bInterfaceNumber", 16, UINT8_MAX);
	if (!fill_protocols(drive))
		return false;
	get_text(device, "manufacturer", drive->usb_vendor, sizeof(drive->usb_vendor));
	get_text(device, "product", drive->usb_product, sizeof(drive->usb_product));
	get_text(device, "serial", drive->usb_serial, sizeof(drive->usb_serial));
	snprintf(drive->driver, sizeof(drive->driver), "%s", driver ? driver : "");
	return true;
}

/* --- SCSI --- */

bool type_holds_blocks(uint64_t type)
{
	switch (type) {
	case 0x00: /* disk */
	case 0x04: /* write-once */
	case 0x05: /* CD/DVD */
	case 0x07: /* optical memory */
	case 0x0e: /* simplified disk */
		return true;
	default:
		return false;
	}
}

bool sysfs_holds_blocks(struct udev_device *unit)
{
	const char *type = udev_device_get_sysattr_value(unit, "type");

	return type && type_holds_blocks(get_number(unit, "type", 10, UINT8_MAX));
}

/* The first of UNIT's children in SUBSYSTEM whose devtype is DEVTYPE (NULL: any). */
static struct udev_device *find_child(
	struct udev_device *unit, const char *subsystem, const char *devtype)
{
	struct udev *udev = udev_device_get_udev(unit);
	struct udev_enumerate *found = sysfs_enumerate(udev, subsystem, unit);
	struct udev_device *child = NULL;
	struct udev_list_entry *entry;

	udev_list_entry_foreach(entry, found ? udev_enumerate_get_list_entry(found) : NULL)
	{
		const char *type;

		child = udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		type = child ? udev_device_get_devtype(child) : NULL;
		if (child && (!devtype || (type && strcmp(type, devtype) == 0)))
			break;
		if (child)
			udev_device_unref(child);
		child = NULL;
	}
	if (found)
		udev_enumerate_unref(found);
	return child;
}

/* The first link in FOLDER, by name, that points to NODE. */
static void find_link(const char *folder, const char *node, char *out, size_t room)
{
	const char *base = strrchr(node, '/');
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char best[NAME_MAX + 1] = "";

	while (dir && base && (entry = readdir(dir))) {
		char path[PATH_MAX], target[PATH_MAX];
		const char *end;
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		end = strrchr(target, '/');
		if (end && strcmp(end, base) == 0 && (!best[0] || strcmp(entry->d_name, best) < 0))
			snprintf(best, sizeof(best), "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (best[0] && (size_t)snprintf(out, room, "%s/%s", folder, best) >= room)
		out[0] = '\0'; /* a cut name would name nothing */
}

/* The kernel's sr driver takes a drive without a disc for one of 1 GiB.  Where udev has seen a disc
 * there is one; it does not see each (look.h does). */
static bool has_size(struct udev_device *block)
{
	return strncmp(udev_device_get_sysname(block), "sr", 2) != 0 ||
	       udev_device_get_property_value(block, "ID_CDROM_MEDIA");
}

/* Of a drive whose medium does not come out, no size means that it is not known yet. */
static enum looked has_medium(struct udev_device *block, const struct drive *drive)
{
	if (drive->n_blocks > 0)
		return LOOKED_YES;
	if (!has_size(block))
		return LOOKED_UNKNOWN;
	return get_number(block, "removable", 10, 1) == 1 ? LOOKED_NO : LOOKED_UNKNOWN;
}

static void fill_block(struct udev_device *block, struct drive *drive)
{
	const char *node = udev_device_get_devnode(block);
	struct use use;
	uint64_t bytes;

	snprintf(drive->block, sizeof(drive->block), "%s", node ? node : "");
	find_link("/dev/disk/by-id", drive->block, drive->by_id, sizeof(drive->by_id));
	find_link("/dev/disk/by-path", drive->block, drive->by_path, sizeof(drive->by_path));
	drive->block_bytes =
		(uint32_t)get_number(block, "queue/logical_block_size", 10, UINT32_MAX);
	/* "size" counts 512 bytes, whatever the drive's blocks are. */
	if (drive->block_bytes > 0 && has_size(block) &&
		mem_mul_u64(get_number(block, "size", 10, UINT64_MAX), 512, &bytes))
		drive->n_blocks = bytes / drive->block_bytes;
	drive->medium = has_medium(block, drive);
	drive->read_only = get_number(block, "ro", 10, 1) == 1;
	use = use_read(drive->block, &use_sources_system);
	memcpy(drive->in_use, use.text, sizeof(drive->in_use));
	drive->mounted_rw = use.rw;
}

void sysfs_fill_unit(struct udev_device *unit, struct drive *drive)
{
	struct udev_device *interface =
		udev_device_get_parent_with_subsystem_devtype(unit, "usb", "usb_interface");
	struct udev_device *block = find_child(unit, "block", "disk");
	struct udev_device *sg = find_child(unit, "scsi_generic", NULL);
	/* "HOST:CHANNEL:TARGET:LUN" */
	const char *lun = strrchr(udev_device_get_sysname(unit), ':');

	if (interface)
		sysfs_fill_usb(interface, drive);
	drive->lun = lun ? (uint8_t)strtoul(lun + 1, NULL, 10) : 0;
	get_text(unit, "vendor", drive->scsi_vendor, sizeof(drive->scsi_vendor));
	get_text(unit, "model", drive->scsi_product, sizeof(drive->scsi_product));
	get_text(unit, "rev", drive->scsi_revision, sizeof(drive->scsi_revision));
	if (block) {
		fill_block(block, drive);
		udev_device_unref(block);
	}
	if (sg) {
		const char *node = udev_device_get_devnode(sg);

		snprintf(drive->sg, sizeof(drive->sg), "%s", node ? node : "");
		udev_device_unref(sg);
	}
	route_explain(drive);
}
