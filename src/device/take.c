/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking an interface: see take.h. */
#include "device/take.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "device/use.h"

#define UNITS_MAX 16

/* Disks that nobody can mount or hold while these descriptors are open. */
struct hold {
	int fd[UNITS_MAX];
	size_t n;
};

static void hold_release(struct hold *hold)
{
	while (hold->n > 0)
		close(hold->fd[--hold->n]);
}

static int hold_unit(struct hold *hold, const struct drive *unit, struct err *err)
{
	int fd;

	if (unit->in_use[0])
		return err_set(err, ERR_BUSY, "%s is in use: %s", unit->block, unit->in_use);
	if (!unit->block[0])
		return 0;
	if (hold->n == UNITS_MAX)
		return err_set(err, ERR_OTHER, "more than %d units", UNITS_MAX);
	fd = use_hold(unit->block);
	if (fd < 0 && errno == EBUSY)
		return err_set(err, ERR_BUSY, "%s is " USE_UNSEEN, unit->block);
	if (fd < 0)
		return err_sys(err, errno, "opening %s", unit->block);
	hold->fd[hold->n++] = fd;
	return 0;
}

/* The whole interface is taken, so every unit behind it must be free. */
static int hold_units(struct hold *hold, const struct drive *drive, struct err *err)
{
	struct drive_list list;
	int status = 0;

	if (drive_list_read(&list, false, err))
		return -1;
	for (size_t i = 0; i < list.n && status == 0; i++) {
		const struct drive *unit = &list.drive[i];

		if (strcmp(unit->port, drive->port) == 0 && unit->interface == drive->interface)
			status = hold_unit(hold, unit, err);
	}
	drive_list_free(&list);
	return status;
}

bool take_is_free(const struct drive *drive, struct err *err)
{
	struct hold hold = {.n = 0};
	bool is_free = hold_units(&hold, drive, err) == 0;

	hold_release(&hold);
	return is_free;
}

static struct ward ward_of(const struct drive *drive)
{
	struct ward ward = {.interface = drive->interface, .usb_sysfs = "/sys/bus/usb"};

	snprintf(
		ward.node, sizeof(ward.node), "/dev/bus/usb/%03u/%03u", drive->bus, drive->address);
	snprintf(ward.name, sizeof(ward.name), "%s:%u.%u", drive->port, drive->configuration,
		drive->interface);
	return ward;
}

struct link *take_interface(const struct drive *drive, struct guardian **guardian, struct err *err)
{
	struct hold hold = {.n = 0};
	struct link *link = NULL;
	struct ward ward;

	*guardian = NULL;
	if (!drive->driver[0])
		return link_libusb_open(drive->bus, drive->address, drive->interface, 0, err);
	if (hold_units(&hold, drive, err))
		goto release;
	ward = ward_of(drive);
	*guardian = guardian_start(&ward, err);
	if (!*guardian)
		goto release;
	link = link_libusb_open(drive->bus, drive->address, drive->interface, 1, err);
release:
	hold_release(&hold);
	if (!link && *guardian) {
		guardian_end(*guardian);
		*guardian = NULL;
	}
	return link;
}
