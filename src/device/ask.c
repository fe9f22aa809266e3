/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking unbound drives: see ask.h. */
#include "device/ask.h"

#include <string.h>

#include "device/sysfs.h"
#include "scsi/scsi.h"
#include "transport/transport.h"
#include "usb/link.h"

/* A list must not hang on a drive that is still spinning up. */
#define READY_MS 3000

/* What the unit behind TRANSPORT says; false when it says nothing or is no unit that holds
 * anything. */
static bool ask(struct transport *transport, struct drive *unit)
{
	struct inquiry inquiry;
	struct capacity capacity;

	if (scsi_inquiry(transport, &inquiry, NULL) || inquiry.qualifier != 0 ||
		!type_holds_blocks(inquiry.device_type))
		return false;
	memcpy(unit->scsi_vendor, inquiry.vendor, sizeof(inquiry.vendor));
	memcpy(unit->scsi_product, inquiry.product, sizeof(inquiry.product));
	memcpy(unit->scsi_revision, inquiry.revision, sizeof(inquiry.revision));
	if (scsi_wait_ready(transport, deadline_in_ms(READY_MS), NULL) ||
		scsi_capacity(transport, &capacity, NULL, NULL))
		return true;
	unit->n_blocks = capacity.n_blocks;
	unit->block_bytes = capacity.block_bytes;
	return true;
}

/* One unit, over a claim of its own: a transport owns its link.  *MAX_LUN is set when LUN is 0. */
static bool ask_unit(const struct drive *drive, uint8_t lun, uint8_t *max_lun, struct drive *unit)
{
	struct link *link = link_libusb_open(drive->bus, drive->address, drive->interface, 0, NULL);
	struct transport *transport;
	bool answered;

	if (!link)
		return false;
	if (lun == 0)
		*max_lun = bot_get_max_lun(link);
	transport = transport_bot_open(link, lun, 0, NULL);
	if (!transport) {
		link->ops->close(link);
		return false;
	}
	*unit = *drive;
	unit->lun = lun;
	answered = ask(transport, unit);
	transport_close(transport);
	return answered;
}

size_t ask_units(const struct drive *drive, struct drive unit[ASK_UNITS_MAX])
{
	uint8_t max_lun = 0;
	size_t n = 0;

	if (!drive->offers_bot)
		return 0;
	for (unsigned int lun = 0; lun <= max_lun && lun < ASK_UNITS_MAX; lun++)
		n += ask_unit(drive, (uint8_t)lun, &max_lun, &unit[n]);
	return n;
}
