/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding every USB mass-storage drive of this machine. */
#include "device/device.h"

#include <errno.h>
#include <libudev.h>
#include <string.h>

#include "base/mem.h"
#include "device/ask.h"
#include "device/look.h"
#include "device/route.h"
#include "device/sysfs.h"

struct builder {
	struct drive_list *list;
	size_t room;
	bool look_closer;
};

static int list_append(struct builder *builder, const struct drive *drive, struct err *err)
{
	struct drive_list *list = builder->list;

	if (mem_grow(&list->drive, list->n, &builder->room, sizeof(*list->drive)))
		return err_memory(err, "listing drives");
	list->drive[list->n++] = *drive;
	return 0;
}

/* The units that the kernel's driver has found behind INTERFACE. */
static int append_units(struct builder *builder, struct udev_device *interface, struct err *err)
{
	struct udev *udev = udev_device_get_udev(interface);
	struct udev_enumerate *found = sysfs_enumerate(udev, "scsi", interface);
	struct udev_list_entry *entry;
	int status = 0;

	udev_list_entry_foreach(entry, found ? udev_enumerate_get_list_entry(found) : NULL)
	{
		struct udev_device *unit =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		const char *type = unit ? udev_device_get_devtype(unit) : NULL;

		if (type && strcmp(type, "scsi_device") == 0 && sysfs_holds_blocks(unit)) {
			struct drive drive = {.lun = 0};

			sysfs_fill_unit(unit, &drive);
			if (builder->look_closer)
				look_at_disk(&drive);
			status = list_append(builder, &drive, err);
		}
		if (unit)
			udev_device_unref(unit);
		if (status)
			break;
	}
	if (found)
		udev_enumerate_unref(found);
	return status;
}

/* The drive's own answers, one entry for each unit; one entry without answers if it gives none. */
static int append_unbound(struct builder *builder, const struct drive *drive, struct err *err)
{
	struct drive unit[ASK_UNITS_MAX];
	size_t n = builder->look_closer ? ask_units(drive, unit) : 0;

	if (n == 0) {
		unit[0] = *drive;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		/* Without a driver the kernel has no disk that could be used. */
		unit[i].used = LOOKED_NO;
		if (list_append(builder, &unit[i], err))
			return -1;
	}
	return 0;
}

static int append_interface(struct builder *builder, struct udev_device *interface, struct err *err)
{
	struct drive drive = {.lun = 0};
	size_t before = builder->list->n;

	if (!sysfs_fill_usb(interface, &drive))
		return 0;
	route_explain(&drive);
	if (!drive.driver[0])
		return append_unbound(builder, &drive, err);
	if (append_units(builder, interface, err))
		return -1;
	if (builder->list->n > before)
		return 0;
	/* Bound, but no unit: claimed by a program, or not looked at yet. */
	if (builder->look_closer)
		look_at_disk(&drive);
	return list_append(builder, &drive, err);
}

static int by_place(const void *a, const void *b)
{
	const struct drive *x = a, *y = b;
	int order = strverscmp(x->port, y->port);

	if (order == 0)
		order = x->interface - y->interface;
	return order ? order : x->lun - y->lun;
}

static int append_all(struct builder *builder, struct udev *udev, struct err *err)
{
	struct udev_enumerate *found = sysfs_enumerate(udev, "usb", NULL);
	struct udev_list_entry *entry;
	int status = 0;

	if (!found)
		return err_set(err, ERR_OTHER, "cannot list USB devices");
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(found))
	{
		struct udev_device *dev =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		const char *type = dev ? udev_device_get_devtype(dev) : NULL;

		if (type && strcmp(type, "usb_interface") == 0)
			status = append_interface(builder, dev, err);
		if (dev)
			udev_device_unref(dev);
		if (status)
			break;
	}
	udev_enumerate_unref(found);
	return status;
}

int drive_list_read(struct drive_list *list, bool look_closer, struct err *err)
{
	struct builder builder = {.list = list, .look_closer = look_closer};
	struct udev *udev = udev_new();
	int status;

	*list = (struct drive_list){.n = 0};
	if (!udev)
		return err_memory(err, "listing drives");
	status = append_all(&builder, udev, err);
	udev_unref(udev);
	if (status)
		drive_list_free(list);
	else if (list->n > 0)
		qsort(list->drive, list->n, sizeof(*list->drive), by_place);
	return status;
}

void drive_list_free(struct drive_list *list)
{
	free(list->drive);
	*list = (struct drive_list){.n = 0};
}
