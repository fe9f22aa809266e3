/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets of a drive that does not answer any more, from the mildest on.  With the kernel's driver
 * bound they go through it (SG_SCSI_RESET: it stays bound, the node stays); what unbinds the driver
 * or drops the node is done only where the user has allowed to take the drive (--detach) and
 * nothing on it is in use.  Over libusb the transport has reset the port itself before it gave up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <scsi/sg.h>

#include "base/clock.h"
#include "base/mem.h"
#include "device/opened.h"
#include "device/take.h"

#define POWER_OFF_MS 500

#ifndef SG_SCSI_RESET_TARGET
#define SG_SCSI_RESET_TARGET 4 /* Linux has it since 2.6.27, the C library's header not yet */
#endif

static int sg_reset(const struct drive *drive, int what)
{
	cleanup_close int fd = open(drive->sg, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -1 : ioctl(fd, SG_SCSI_RESET, &what);
}

static int reset_device(const struct drive *drive)
{
	return sg_reset(drive, SG_SCSI_RESET_DEVICE);
}

static int reset_target(const struct drive *drive)
{
	return sg_reset(drive, SG_SCSI_RESET_TARGET);
}

/* usb-storage and uas reset the port for it, and stay bound. */
static int reset_host(const struct drive *drive)
{
	return sg_reset(drive, SG_SCSI_RESET_HOST);
}

static int reset_port(const struct drive *drive)
{
	char node[64];
	cleanup_close int fd = -1;

	snprintf(node, sizeof(node), "/dev/bus/usb/%03u/%03u", drive->bus, drive->address);
	fd = open(node, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -1 : ioctl(fd, USBDEVFS_RESET, NULL);
}

static int write_authorized(const char *path, const char *value)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, 1) == 1 ? 0 : -1;
}

/* The kernel takes its configuration away and finds it anew. */
static int authorize_again(const struct drive *drive)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/authorized", drive->port);
	if (write_authorized(path, "0") < 0)
		return -1;
	clock_sleep_ms(POWER_OFF_MS);
	return write_authorized(path, "1");
}

static const struct step {
	const char *what;
	int (*func)(const struct drive *drive);
	bool drops; /* the node, or the driver */
	bool sg;    /* goes through the kernel's driver */
} steps[] = {
	{"SCSI reset of the unit through the kernel's driver", reset_device, false, true},
	{"SCSI reset of the target through the kernel's driver", reset_target, false, true},
	{"reset of the port through the kernel's driver", reset_host, false, true},
	{"reset of the port", reset_port, true, false},
	{"taking its authorization away and giving it back", authorize_again, true, false},
};

/* Nobody may lose what is not saved. */
static bool may_drop(const struct opened *opened)
{
	const struct drive *drive = &opened->device.drive;

	return opened->options.detach && drive->port[0] && take_is_free(drive, NULL);
}

static bool is_plugged_in(const struct drive *drive)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s", drive->port);
	return access(path, F_OK) == 0;
}

static bool fits(const struct opened *opened, const struct step *step)
{
	if (step->sg)
		return opened->device.route == ROUTE_SG &&
		       access(opened->device.drive.sg, F_OK) == 0;
	return !step->drops || (is_plugged_in(&opened->device.drive) && may_drop(opened));
}

bool device_revive(struct device *device, unsigned int *step, char *what, size_t room)
{
	const struct opened *opened = (const struct opened *)device;

	for (; *step < sizeof(steps) / sizeof(steps[0]); (*step)++) {
		const struct step *now = &steps[*step];

		if (!fits(opened, now))
			continue;
		(*step)++;
		if (now->func(&device->drive) == 0)
			snprintf(what, room, "%s", now->what);
		else
			snprintf(what, room, "%s: %s", now->what, strerror(errno));
		return true;
	}
	return false;
}
