/* SPDX-License-Identifier: BSD-2-Clause */
/* Quirks of a drive: see known.h. */
#include "device/known.h"

#include "base/file.h"
#include "proto/usb.h"
#include "usb/descriptor.h"
#include "usb/quirk.h"

#define KERNEL_SETTING "/sys/module/usb_storage/parameters/quirks"
#define SETTING_MAX    4096

/* Somebody who knows this machine's drives has said it there. */
static void take_kernels(const struct drive *drive, uint32_t *quirks)
{
	char text[SETTING_MAX];

	if (file_read_line(KERNEL_SETTING, text, sizeof(text)))
		quirk_from_kernel(text, drive->vid, drive->pid, quirks);
}

static uint32_t look_closer(const struct drive *drive, const struct link *link)
{
	const struct usb_alternate *uas = NULL;
	struct usb_interface interface;
	struct usb_uas_pipes pipes;

	if (usb_interface_parse(
		    link->config_descriptor, link->config_len, link->interface, &interface))
		uas = usb_alternate_for(&interface, USB_PROTOCOL_UAS);
	if (!uas || usb_uas_pipes(uas, &pipes) || link->config_len < USB_CONFIG_DESC_SIZE)
		return 0;
	return quirk_of_bridge(drive->vid, drive->pid, link->speed >= LINK_SPEED_SUPER,
		pipes.status->max_streams, link->config_descriptor[USB_CONFIG_MAX_POWER]);
}

int known_quirks(const struct drive *drive, const struct link *link, const char *user,
	uint32_t *quirks, struct err *err)
{
	*quirks = 0;
	if (drive->vid || drive->pid) {
		*quirks = quirk_lookup(drive->vid, drive->pid, drive->bcd_device, NULL);
		if (link)
			*quirks |= look_closer(drive, link);
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
