/* SPDX-License-Identifier: BSD-2-Clause */
/* Who else writes to a drive: see watch.h. */
#include "device/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/use.h"

struct device_watch {
	const struct device *device;
	char block[sizeof(((struct drive *)0)->block)]; /* its disk at the last look */
	bool counted;					/* `written` is known */
	uint64_t written;				/* sectors of 512 bytes */
	bool writable; /* was at the first look: known to the user */
};

/* The seventh number of a disk's stat file (Linux, Documentation/block/stat.rst). */
static bool sectors_written(const char *block, uint64_t *written)
{
	cleanup_fclose FILE *f = NULL;
	char path[128];

	if (strncmp(block, "/dev/", 5) != 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/block/%s/stat", block + 5);
	f = fopen(path, "re");
	return f && fscanf(f, "%*u %*u %*u %*u %*u %*u %" SCNu64, written) == 1;
}

/* A drive that has come back may have another disk, whose count begins anew. */
static void follow_drive(struct device_watch *watch)
{
	const char *block = watch->device->drive.block;

	if (strcmp(watch->block, block) == 0)
		return;
	snprintf(watch->block, sizeof(watch->block), "%s", block);
	watch->counted = sectors_written(block, &watch->written);
}

struct device_watch *device_watch_begin(struct device *device, struct err *err)
{
	struct device_watch *watch = calloc(1, sizeof(*watch));

	if (!watch) {
		err_memory(err, "to see who else uses the drive");
		return NULL;
	}
	watch->device = device;
	watch->writable = device->drive.mounted_rw;
	follow_drive(watch);
	return watch;
}

void device_watch_end(struct device_watch *watch)
{
	free(watch);
}

bool device_watch_look(struct device_watch *watch, char *what, size_t room)
{
	uint64_t written;
	struct use use;

	follow_drive(watch);
	if (!watch->block[0])
		return false;
	if (watch->counted && sectors_written(watch->block, &written) &&
		written != watch->written) {
		snprintf(what, room,
			"another program has written %" PRIu64 " sectors to %s since the capture "
			"began",
			written - watch->written, watch->block);
		return true;
	}
	if (watch->writable)
		return false;
	use = use_read(watch->block, &use_sources_system);
	if (!use.rw)
		return false;
	snprintf(what, room, "%s was free for reading when the capture began, and is now: %.300s",
		watch->block, use.text);
	return true;
}
