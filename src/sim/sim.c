/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of simulated drives, and opening one by name: see sim.h. */
#include "sim/sim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sim/link_sim.h"
#include "sim/settings.h"
#include "sim/usb_device.h"

/* A drive is a name for settings.  The demo's bad areas lie in files of demofiles.c, whose README
 * tells of them. */
static const struct drive {
	struct sim_about about;
	const char *settings;
} drives[] = {
	{{"demo", "64 MiB, a FAT file system with files on it, and a few bad sectors"},
		"content=demo,size=64M,serial=5EED00000001,spc=4,rate=40M,delay=200,bad=4660,"
		"bad=9216-9279:descriptor,bad=30001-30003:nolba:nodata,recovered=13900"},
	{{"blank", "1 GiB of zeros"}, "content=zero,size=1G,serial=5EED00000002"},
	{{"noise", "256 MiB that do not compress"}, "content=noise,size=256M,serial=5EED00000003"},
	{{"text", "256 MiB of text"}, "content=text,size=256M,serial=5EED00000004"},
	{{"mixed", "256 MiB, zeros, noise and text by turns of 64 KiB"},
		"content=mixed,size=256M,serial=5EED00000005"},
	{{"big", "4 TiB, nearly all zeros: READ (16), and 64 KiB of noise every 64 GiB"},
		"content=sparse,size=4T,serial=5EED00000006,spc=4"},
	{{"4k", "256 MiB in sectors of 4096 bytes, zeros, noise and text by turns"},
		"content=mixed,size=256M,block=4096,serial=5EED00000007,spc=4"},
	{{"uas", "256 MiB, an enclosure that speaks UAS with streams beside Bulk-Only"},
		"content=mixed,size=256M,speed=super,uas,serial=5EED00000008,spc=4"},
};

#define N_DRIVES (sizeof(drives) / sizeof(drives[0]))

/* The drive whose name is the first LEN bytes of NAME. */
static const struct drive *find_drive(const char *name, size_t len, struct err *err)
{
	char names[100];
	size_t used = 0;

	for (size_t i = 0; i < N_DRIVES; i++) {
		const char *known = drives[i].about.name;

		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return &drives[i];
		used += (size_t)snprintf(
			names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "", known);
	}
	err_set(err, ERR_NO_DEVICE, "there is no simulated drive \"%.*s\"; there are: %s",
		(int)mem_min_u64(len, 100), name, names);
	return NULL;
}

struct usb_device *sim_device(const char *name, struct err *err)
{
	const char *comma = strchrnul(name, ',');
	const struct drive *drive = find_drive(name, (size_t)(comma - name), err);
	struct sim_settings settings;

	if (!drive)
		return NULL;
	settings_init(&settings);
	if (settings_parse(&settings, drive->settings, err) != 0 ||
		(*comma && settings_parse(&settings, comma + 1, err) != 0)) {
		settings_free(&settings);
		return NULL;
	}
	return usb_device_new(&settings, err);
}

/* --- drives that have left the bus and will come back --- */

#define KNOWN_MAX 64

/* Drives that are open, or away, by the whole names that they were opened with.  One that nobody
 * opens again stays here until the process ends. */
static struct known {
	struct usb_device *device; /* NULL: a free place */
	char *name;
	bool away;
} known[KNOWN_MAX];
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

/* With the lock held. */
static void sim_forget(struct known *place)
{
	free(place->name);
	*place = (struct known){0};
}

/* A drive for which there is no place, or no memory, will just not be found again. */
static void sim_remember(struct usb_device *device, const char *name)
{
	char *copy = strdup(name);

	pthread_mutex_lock(&known_lock);
	for (size_t i = 0; copy && i < KNOWN_MAX; i++) {
		if (known[i].device)
			continue;
		known[i] = (struct known){.device = device, .name = copy};
		copy = NULL;
	}
	pthread_mutex_unlock(&known_lock);
	free(copy);
}

/* The drive of that name that is away, taken out if it is BACK; NULL when there is none. */
static struct usb_device *find_away(const char *name, bool *back)
{
	struct usb_device *found = NULL;

	pthread_mutex_lock(&known_lock);
	for (size_t i = 0; i < KNOWN_MAX && !found; i++) {
		if (!known[i].away || strcmp(known[i].name, name) != 0)
			continue;
		found = known[i].device;
		*back = usb_device_returns_ns(found) <= clock_now_ns();
		if (*back)
			sim_forget(&known[i]);
	}
	pthread_mutex_unlock(&known_lock);
	return found;
}

void sim_unplugged(struct usb_device *device)
{
	bool gone = usb_device_mood(device) == DEVICE_GONE;
	bool kept = false;

	pthread_mutex_lock(&known_lock);
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		if (known[i].device != device)
			continue;
		kept = gone;
		known[i].away = gone;
		if (!gone)
			sim_forget(&known[i]);
	}
	pthread_mutex_unlock(&known_lock);
	if (!kept)
		usb_device_free(device);
}

struct link *sim_open(const char *name, struct err *err)
{
	bool back = false;
	struct usb_device *device = find_away(name, &back);
	struct link *link;

	if (device && !back) {
		err_set(err, ERR_NO_DEVICE, "the simulated drive is not plugged in at the moment");
		return NULL;
	}
	if (device)
		usb_device_plug(device);
	else
		device = sim_device(name, err);
	link = device ? link_sim_new(device, err) : NULL;
	if (link)
		sim_remember(device, name);
	return link;
}

const char *sim_help(void)
{
	static char help[16384];
	size_t used = 0;

	used += (size_t)snprintf(help, sizeof(help), "Simulated drives, as sim:NAME:\n");
	for (size_t i = 0; i < N_DRIVES; i++)
		used += (size_t)snprintf(help + used, sizeof(help) - used, "  %-8s %s\n",
			drives[i].about.name, drives[i].about.about);
	used += (size_t)snprintf(help + used, sizeof(help) - used,
		"\nSettings, behind the name and a comma each (sim:demo,ro,bad=7); no value can "
		"hold "
		"a\ncomma. An AREA is a sector number or FIRST-LAST.\n");
	settings_help(help + used, sizeof(help) - used);
	return help;
}

const struct sim_about *sim_table(unsigned int i)
{
	return i < N_DRIVES ? &drives[i].about : NULL;
}
