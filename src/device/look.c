/* SPDX-License-Identifier: BSD-2-Clause */
/* A closer look at a disk: see look.h. */
#include "device/look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "device/use.h"

static bool is_cdrom(const struct drive *drive)
{
	return strncmp(drive->block, "/dev/sr", 7) == 0;
}

static void look_without_disk(struct drive *drive)
{
	if (strcmp(drive->driver, "usbfs") == 0) {
		drive->used = LOOKED_YES;
		snprintf(drive->in_use, sizeof(drive->in_use), "claimed by a program");
	} else {
		snprintf(drive->unseen, sizeof(drive->unseen), "the kernel shows no disk of it");
	}
}

/* The kernel asks the unit whether it is ready, as it does to see that a disc was changed. */
static void look_at_disc(struct drive *drive, int fd)
{
	uint64_t bytes = 0;
	int block_bytes = 0;

	switch (ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT)) {
	case CDS_DISC_OK:
		drive->medium = LOOKED_YES;
		break;
	case CDS_NO_DISC:
	case CDS_TRAY_OPEN:
		drive->medium = LOOKED_NO;
		drive->n_blocks = 0;
		return;
	default:
		return;
	}
	/* Opened, it has the size of the disc, and not what the kernel took for it before. */
	if (ioctl(fd, BLKGETSIZE64, &bytes) == 0 && ioctl(fd, BLKSSZGET, &block_bytes) == 0 &&
		block_bytes > 0) {
		drive->block_bytes = (uint32_t)block_bytes;
		drive->n_blocks = bytes / (uint32_t)block_bytes;
	}
}

void look_at_disk(struct drive *drive)
{
	cleanup_close int fd = -1;

	drive->used = drive->in_use[0] ? LOOKED_YES : LOOKED_UNKNOWN;
	if (!drive->block[0]) {
		look_without_disk(drive);
		return;
	}
	if (drive->used == LOOKED_UNKNOWN) {
		fd = use_hold(drive->block);
		if (fd >= 0 || errno == ENOMEDIUM) {
			drive->used = LOOKED_NO;
		} else if (errno == EBUSY) {
			drive->used = LOOKED_YES;
			snprintf(drive->in_use, sizeof(drive->in_use), USE_UNSEEN);
			drive->mounted_rw = true;
		} else {
			snprintf(drive->unseen, sizeof(drive->unseen), "cannot open %s: %s",
				drive->block, strerror(errno));
		}
	}
	if (!is_cdrom(drive))
		return;
	if (fd < 0)
		fd = open(drive->block, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		look_at_disc(drive, fd);
}
