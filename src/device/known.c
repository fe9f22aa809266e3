/* SPDX-License-Identifier: BSD-2-Clause */
/* Quirks of a drive: see known.h. */
#include "device/known.h"

#include <stdio.h>

#include "base/mem.h"
#include "usb/quirk.h"

#define KERNEL_SETTING "/sys/module/usb_storage/parameters/quirks"
#define SETTING_MAX    4096

/* Somebody who knows this machine's drives has said it there. */
static void take_kernels(const struct drive *drive, uint32_t *quirks)
{
	cleanup_fclose FILE *f = fopen(KERNEL_SETTING, "re");
	char text[SETTING_MAX];

	if (f && fgets(text, sizeof(text), f))
		quirk_from_kernel(text, drive->vid, drive->pid, quirks);
}

int known_quirks(const struct drive *drive, const char *user, uint32_t *quirks, struct err *err)
{
	*quirks = 0;
	if (drive->vid || drive->pid) {
		*quirks = quirk_lookup(drive->vid, drive->pid, drive->bcd_device, NULL);
		take_kernels(drive, quirks);
	}
	if (user && quirk_parse(user, quirks, err))
		return -1;
	return 0;
}

enum route known_better(const struct drive *drive, uint32_t quirks)
{
	bool uas = drive->offers_uas && !(quirks & QUIRK_IGNORE_UAS);

	return uas || !drive->offers_bot ? ROUTE_UAS : ROUTE_BOT;
}
