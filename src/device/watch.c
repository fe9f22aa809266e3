/* SPDX-License-Identifier: BSD-2-Clause */
/* Who else writes to a drive: see watch.h. */
#include "device/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "device/use.h"

static FILE *open_attribute(const char *block, const char *attribute)
{
	char path[128];

	if (strncmp(block, "/dev/", 5) != 0)
		return NULL;
	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", block + 5, attribute);
	return fopen(path, "re");
}

/* The seventh number of a disk's stat file (Linux, Documentation/block/stat.rst). */
static bool sectors_written(const char *block, uint64_t *written)
{
	cleanup_fclose FILE *f = open_attribute(block, "stat");

	return f && fscanf(f, "%*u %*u %*u %*u %*u %*u %" SCNu64, written) == 1;
}

/* The number that no other disk has had since the machine started (Linux 5.15), else 0. */
static uint64_t disk_number(const char *block)
{
	cleanup_fclose FILE *f = open_attribute(block, "diskseq");
	uint64_t number;

	return f && fscanf(f, "%" SCNu64, &number) == 1 ? number : 0;
}

/* A drive that has come back has another disk, perhaps of the same name, whose count begins anew.
 */
static void watch_follow(struct device *device)
{
	struct device_watch *watch = &device->watch;
	const char *block = device->drive.block;
	uint64_t number = disk_number(block);

	if (strcmp(watch->block, block) == 0 && watch->disk_number == number)
		return;
	snprintf(watch->block, sizeof(watch->block), "%s", block);
	watch->disk_number = number;
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

/* What can be seen now that could not be at the first look.  A count that is smaller is another
 * disk's, which a kernel without disk numbers does not tell. */
static bool watch_see(const struct device_watch *watch, char *what, size_t room)
{
	uint64_t written;
	struct use use;

	if (watch->counted && sectors_written(watch->block, &written) && written > watch->written) {
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
