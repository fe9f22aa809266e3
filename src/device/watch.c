/* SPDX-License-Identifier: BSD-2-Clause */
/* Who else writes to a drive: see watch.h. */
#include "device/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "device/use.h"

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
static void watch_follow(struct device *device)
{
	struct device_watch *watch = &device->watch;
	const char *block = device->drive.block;

	if (strcmp(watch->block, block) == 0)
		return;
	snprintf(watch->block, sizeof(watch->block), "%s", block);
	watch->counted = sectors_written(block, &watch->written);
}

void device_watch_begin(struct device *device)
{
	struct device_watch *watch = &device->watch;

	if (watch->begun)
		return;
	watch->begun = true;
	watch->writable = device->drive.mounted_rw;
	watch_follow(device);
}

/* What can be seen now that could not be at the first look. */
static bool watch_see(const struct device_watch *watch, char *what, size_t room)
{
	uint64_t written;
	struct use use;

	if (watch->counted && sectors_written(watch->block, &written) &&
		written != watch->written) {
		snprintf(what, room,
			"another program has written %" PRIu64
			" sectors to %s since the capture began",
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

bool device_watch_look(struct device *device, char *what, size_t room)
{
	struct device_watch *watch = &device->watch;

	if (watch->seen)
		return false;
	watch_follow(device);
	watch->seen = watch->block[0] && watch_see(watch, what, room);
	return watch->seen;
}
