/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking unbound drives: see ask.h. */
#include "device/ask.h"

#include <string.h>

#include "device/known.h"
#include "device/sysfs.h"
#include "scsi/scsi.h"
#include "transport/transport.h"
#include "usb/link.h"
#include "usb/quirk.h"

/* A list must not hang on a drive that is still spinning up. */
#define READY_MS 3000

/* What the unit behind TRANSPORT says; false when it says nothing or is no unit that holds
 * anything. */
static bool ask(struct transport *transport, struct drive *unit)
{
	struct inquiry inquiry;
	struct capacity capacity;
	struct err err = {0};

	if (scsi_inquiry(transport, &inquiry, NULL) || inquiry.qualifier != 0 ||
		!type_holds_blocks(inquiry.device_type))
		return false;
	memcpy(unit->scsi_vendor, inquiry.vendor, sizeof(inquiry.vendor));
	memcpy(unit->scsi_product, inquiry.product, sizeof(inquiry.product));
	memcpy(unit->scsi_revision, inquiry.revision, sizeof(inquiry.revision));
	if (scsi_wait_ready(transport, deadline_in_ms(READY_MS), &err) ||
		scsi_capacity(transport, &capacity, NULL, &err)) {
		unit->medium = err.kind == ERR_NO_MEDIUM ? LOOKED_NO : LOOKED_UNKNOWN;
		return true;
	}
	unit->medium = LOOKED_YES;
	unit->n_blocks = capacity.n_blocks;
	unit->block_bytes = capacity.block_bytes;
	return true;
}

/* LUN of DRIVE over a claim of its own: a transport owns its link.  *MAX_LUN is set when LUN is 0;
 * of UAS, which cannot be asked for it, to the most there may be. */
static struct transport *open_unit(
	const struct drive *drive, uint8_t lun, uint32_t quirks, uint8_t *max_lun)
{
	struct link *link = link_libusb_open(drive->bus, drive->address, drive->interface, 0, NULL);
	bool uas = known_better(drive, quirks) == ROUTE_UAS;
	struct transport *transport;

	if (!link)
		return NULL;
	if (lun == 0 && !(quirks & QUIRK_SINGLE_LUN))
		*max_lun = uas ? ASK_UNITS_MAX - 1 : bot_get_max_lun(link);
	transport = uas ? transport_uas_open(link, lun, quirks, NULL)
			: transport_bot_open(link, lun, quirks, NULL);
	if (!transport)
		link->ops->close(link);
	return transport;
}

static bool ask_unit(const struct drive *drive, uint8_t lun, uint32_t quirks, uint8_t *max_lun,
	struct drive *unit)
{
	struct transport *transport = open_unit(drive, lun, quirks, max_lun);
	bool answered;

	if (!transport)
		return false;
	*unit = *drive;
	unit->lun = lun;
	answered = ask(transport, unit);
	transport_close(transport);
	return answered;
}

size_t ask_units(const struct drive *drive, struct drive unit[ASK_UNITS_MAX])
{
	uint8_t max_lun = 0;
	uint32_t quirks = 0;
	size_t n = 0;

	known_quirks(drive, NULL, NULL, &quirks, NULL);
	if ((!drive->offers_bot && !drive->offers_uas) || quirks & QUIRK_IGNORE_DEVICE)
		return 0;
	for (unsigned int lun = 0; lun <= max_lun; lun++) {
		bool answered = ask_unit(drive, (uint8_t)lun, quirks, &max_lun, &unit[n]);

		n += answered;
		if (!answered && known_better(drive, quirks) == ROUTE_UAS)
			break;
	}
	return n;
}
