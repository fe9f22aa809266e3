/* SPDX-License-Identifier: BSD-2-Clause */
/* What users call drives: see name.h. */
#include "device/name.h"

#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "device/route.h"
#include "device/sysfs.h"
#include "device/use.h"

#define USB_PREFIX    "usb:"
#define SIM_PREFIX    "sim:"
#define REPLAY_PREFIX "replay:"

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

int name_cut_lun(char *name)
{
	char *comma = strrchr(name, ',');
	uint64_t lun;

	if (!comma || !starts_with(comma, ",lun="))
		return -1;
	if (!text_number(comma + 5, &lun) || lun > UINT8_MAX)
		return -2;
	*comma = '\0';
	return (int)lun;
}

/* Four hex digits, as lsusb prints them. */
static bool parse_id(const char *text, uint16_t *id)
{
	unsigned int value;

	if (strspn(text, "0123456789abcdefABCDEF") < 4 || sscanf(text, "%4x", &value) != 1)
		return false;
	*id = (uint16_t)value;
	return true;
}

/* BUS-PORT[.PORT…], as the kernel names devices. */
static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");
	const char *p = text + n;

	if (n == 0 || *p != '-')
		return false;
	do {
		p++;
		n = strspn(p, "0123456789");
		p += n;
	} while (n > 0 && *p == '.');
	return n > 0 && *p == '\0';
}

int name_parse_usb(const char *name, struct usb_name *parts, struct err *err)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s", name);

	*parts = (struct usb_name){.lun = -1};
	if (n < (int)sizeof(text) && starts_with(text, USB_PREFIX)) {
		const char *id = text + strlen(USB_PREFIX);

		parts->lun = name_cut_lun(text);
		if (parts->lun == -2)
			return err_set(err, ERR_USAGE, "%s: ,lun= wants a number up to 255", name);
		if (is_port(id) && strlen(id) < sizeof(parts->port)) {
			strcpy(parts->port, id);
			return 0;
		}
		if (parse_id(id, &parts->vid) && id[4] == ':' && parse_id(id + 5, &parts->pid) &&
			(id[9] == '\0' || (id[9] == ':' && id[10])) &&
			strlen(id + 9) <= sizeof(parts->serial)) {
			strcpy(parts->serial, id[9] ? id + 10 : "");
			return 0;
		}
	}
	return err_set(err, ERR_USAGE,
		"%s: want usb:VID:PID[:SERIAL][,lun=N] or usb:BUS-PORT[.PORT...][,lun=N]", name);
}

static bool is_meant(const struct usb_name *parts, const struct drive *drive)
{
	if (parts->port[0])
		return strcmp(parts->port, drive->port) == 0;
	return parts->vid == drive->vid && parts->pid == drive->pid &&
	       (!parts->serial[0] || strcmp(parts->serial, drive->usb_serial) == 0);
}

/* A drive without a driver may have more units than the one it is listed with. */
static bool has_unit(const struct drive *drive, int lun)
{
	return lun < 0 || drive->lun == lun || !drive->driver[0];
}

static void list_candidate(const struct drive *drive, char *text, size_t room)
{
	size_t n = strlen(text);

	snprintf(text + n, room - n, "%susb:%s,lun=%u (%s%s%s%s)", n > 0 ? "; " : "", drive->port,
		drive->lun, drive->usb_product, drive->usb_serial[0] ? " " : "", drive->usb_serial,
		drive->block[0] ? ", " : "");
	n = strlen(text);
	if (drive->block[0])
		snprintf(text + n - 1, room - n + 1, "%s)", drive->block);
}

int name_pick(const char *name, const struct usb_name *parts, const struct drive_list *list,
	struct drive *drive, struct err *err)
{
	char candidates[700] = "";
	size_t n_meant = 0, n_units = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (!is_meant(parts, &list->drive[i]))
			continue;
		n_meant++;
		if (!has_unit(&list->drive[i], parts->lun))
			continue;
		if (n_units++ == 0)
			*drive = list->drive[i];
		list_candidate(&list->drive[i], candidates, sizeof(candidates));
	}
	if (n_units == 1) {
		if (parts->lun >= 0)
			drive->lun = (uint8_t)parts->lun;
		return 0;
	}
	if (n_units > 1)
		return err_set(err, ERR_USAGE, "%s may be any of: %s", name, candidates);
	if (n_meant > 0)
		return err_set(err, ERR_NO_DEVICE,
			"%s: the drive has no logical unit %d; it has %zu", name, parts->lun,
			n_meant);
	return err_set(err, ERR_NO_DEVICE, "%s: no such USB drive", name);
}

static bool any_meant(const struct usb_name *parts, const struct drive_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (is_meant(parts, &list->drive[i]))
			return true;
	}
	return false;
}

/* True when DEV, a udev "usb_device", is what PARTS says; OTHER then is what it calls itself. */
static bool is_other_device(
	const struct usb_name *parts, struct udev_device *dev, char *other, size_t room)
{
	const char *vid = udev_device_get_sysattr_value(dev, "idVendor");
	const char *pid = udev_device_get_sysattr_value(dev, "idProduct");
	const char *product = udev_device_get_sysattr_value(dev, "product");
	struct drive drive = {.lun = 0};

	if (!vid || !pid || !parse_id(vid, &drive.vid) || !parse_id(pid, &drive.pid))
		return false;
	snprintf(drive.port, sizeof(drive.port), "%s", udev_device_get_sysname(dev));
	text_escape(product ? product : "", product ? strlen(product) : 0, other, room);
	return parts->port[0]
		       ? strcmp(parts->port, drive.port) == 0
		       : parts->vid == drive.vid && parts->pid == drive.pid && !parts->serial[0];
}

/* Makes ERR say what it is instead, when the name is that of a device which is no drive. */
static void explain_absence(
	struct udev *udev, const char *name, const struct usb_name *parts, struct err *err)
{
	struct udev_enumerate *found = sysfs_enumerate(udev, "usb", NULL);
	struct udev_list_entry *entry;

	udev_list_entry_foreach(entry, found ? udev_enumerate_get_list_entry(found) : NULL)
	{
		struct udev_device *dev =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		const char *type = dev ? udev_device_get_devtype(dev) : NULL;
		char other[128];

		if (type && strcmp(type, "usb_device") == 0 &&
			is_other_device(parts, dev, other, sizeof(other)))
			err_set(err, ERR_NO_DEVICE,
				"%s: not a drive: \"%s\" at usb:%s has no mass-storage interface",
				name, other, udev_device_get_sysname(dev));
		if (dev)
			udev_device_unref(dev);
	}
	if (found)
		udev_enumerate_unref(found);
}

static void label_usb(struct named *named)
{
	const struct drive *drive = &named->drive;

	if (drive->block[0])
		snprintf(named->label, sizeof(named->label), "%s", drive->block);
	else if (drive->lun > 0)
		snprintf(named->label, sizeof(named->label), USB_PREFIX "%s,lun=%u", drive->port,
			drive->lun);
	else
		snprintf(named->label, sizeof(named->label), USB_PREFIX "%s", drive->port);
}

static int resolve_usb(struct udev *udev, const char *name, struct named *named, struct err *err)
{
	struct drive_list list;
	struct usb_name parts;
	int status;

	if (name_parse_usb(name, &parts, err) || drive_list_read(&list, false, err))
		return -1;
	status = name_pick(name, &parts, &list, &named->drive, err);
	if (status && !any_meant(&parts, &list))
		explain_absence(udev, name, &parts, err);
	drive_list_free(&list);
	named->kind = NAME_DRIVE;
	label_usb(named);
	return status;
}

/* DEV's SCSI unit, unless DEV is a partition of it. */
static struct udev_device *whole_unit(struct udev_device *dev)
{
	const char *type = udev_device_get_devtype(dev);

	if (type && strcmp(type, "partition") == 0)
		return NULL;
	return udev_device_get_parent_with_subsystem_devtype(dev, "scsi", "scsi_device");
}

static void fill_other_block(struct udev_device *dev, struct named *named)
{
	struct drive *drive = &named->drive;
	const char *node = udev_device_get_devnode(dev);
	struct use use;

	named->kind = NAME_BLOCK;
	snprintf(drive->block, sizeof(drive->block), "%s", node ? node : "");
	use = use_read(drive->block, &use_sources_system);
	memcpy(drive->in_use, use.text, sizeof(drive->in_use));
	drive->mounted_rw = use.rw;
}

static int resolve_node(
	struct udev *udev, char type, dev_t number, struct named *named, struct err *err)
{
	struct udev_device *dev = udev_device_new_from_devnum(udev, type, number);
	struct udev_device *unit = dev ? whole_unit(dev) : NULL;
	const char *subsystem = dev ? udev_device_get_subsystem(dev) : NULL;
	int status = 0;

	if (!dev) {
		status = err_set(err, ERR_NO_DEVICE,
			"%s: the node is there, but the kernel knows no such device", named->path);
	} else if (type == 'c' && (!subsystem || strcmp(subsystem, "scsi_generic") != 0)) {
		status = err_set(err, ERR_USAGE,
			"%s: a character device, but no SCSI generic one (/dev/sgN)", named->path);
	} else {
		const char *node = udev_device_get_devnode(dev);

		if (node)
			snprintf(named->label, sizeof(named->label), "%s", node);
		if (unit) {
			named->kind = NAME_DRIVE;
			sysfs_fill_unit(unit, &named->drive);
		} else {
			fill_other_block(dev, named);
		}
	}
	if (dev)
		udev_device_unref(dev);
	return status;
}

static int resolve_path(struct udev *udev, const char *name, struct named *named, struct err *err)
{
	struct stat st;

	if (stat(name, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_set(err, ERR_NO_DEVICE, "%s: no such device or file", name);
		return err_sys(err, errno, "%s", name);
	}
	if (snprintf(named->path, sizeof(named->path), "%s", name) >= (int)sizeof(named->path))
		return err_set(err, ERR_USAGE, "%s: name too long", name);
	snprintf(named->label, sizeof(named->label), "%s", name);
	if (S_ISREG(st.st_mode)) {
		named->kind = NAME_FILE;
		return 0;
	}
	if (S_ISBLK(st.st_mode))
		return resolve_node(udev, 'b', st.st_rdev, named, err);
	if (S_ISCHR(st.st_mode))
		return resolve_node(udev, 'c', st.st_rdev, named, err);
	return err_set(err, ERR_USAGE, "%s: neither a device nor a plain file", name);
}

static int resolve_sim(const char *name, struct named *named, struct err *err)
{
	int lun;

	named->kind = NAME_SIM;
	snprintf(named->label, sizeof(named->label), "%s", name);
	if (snprintf(named->path, sizeof(named->path), "%s", name + strlen(SIM_PREFIX)) >=
		(int)sizeof(named->path))
		return err_set(err, ERR_USAGE, "%s: name too long", name);
	lun = name_cut_lun(named->path);
	if (lun == -2)
		return err_set(err, ERR_USAGE, "%s: ,lun= wants a number up to 255", name);
	named->drive.lun = lun < 0 ? 0 : (uint8_t)lun;
	return 0;
}

static int resolve_replay(const char *name, struct named *named, struct err *err)
{
	named->kind = NAME_REPLAY;
	snprintf(named->label, sizeof(named->label), "%s", name);
	if (snprintf(named->path, sizeof(named->path), "%s", name + strlen(REPLAY_PREFIX)) >=
		(int)sizeof(named->path))
		return err_set(err, ERR_USAGE, "%s: name too long", name);
	return 0;
}

int name_resolve(const char *name, struct named *named, struct err *err)
{
	struct udev *udev;
	int status;

	memset(named, 0, sizeof(*named));
	if (starts_with(name, SIM_PREFIX))
		return resolve_sim(name, named, err);
	if (starts_with(name, REPLAY_PREFIX))
		return resolve_replay(name, named, err);
	udev = udev_new();
	if (!udev)
		return err_memory(err, "looking for the drive");
	if (starts_with(name, USB_PREFIX))
		status = resolve_usb(udev, name, named, err);
	else
		status = resolve_path(udev, name, named, err);
	udev_unref(udev);
	return status;
}
