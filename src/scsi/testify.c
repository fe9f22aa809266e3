/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drive says of itself, piece by piece: see scsi_testify() in scsi.h. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proto/scsi.h"
#include "scsi/ask.h"
#include "usb/quirk.h"

#define MODE_LEN  192 /* what Linux asks for */
#define ALL_PAGES 0x3f
#define PAGES_MAX 64

/* Mode pages; a drive that refuses them all is left with that. */
static int put_modes(
	struct transport *transport, const struct testimony *testimony, struct err *err)
{
	static const uint8_t cdb[6] = {SCSI_MODE_SENSE_6, 0, ALL_PAGES, 0, MODE_LEN, 0};
	uint8_t data[MODE_LEN];
	struct reply reply;

	if (scsi_ask(transport, cdb, sizeof(cdb), data, sizeof(data), &reply, err) < 0)
		return reply.outcome == OUTCOME_GONE ? -1 : 0;
	if (reply.status != SCSI_STATUS_GOOD || reply.moved < 4)
		return 0;
	return testimony->put(testimony->context, "mode-6-3f", data,
		(size_t)mem_min_u64(reply.moved, 1u + data[0]), err);
}

static int testify_put_page(struct transport *transport, const struct testimony *testimony,
	uint8_t page, struct err *err)
{
	uint8_t data[255];
	char name[16];
	size_t len = scsi_vpd(transport, page, data);

	if (len == 0)
		return 0;
	snprintf(name, sizeof(name), "vpd-%02x", page);
	return testimony->put(testimony->context, name, data, len, err);
}

/* The pages that page 00h lists. */
static int put_pages(
	struct transport *transport, const struct testimony *testimony, struct err *err)
{
	uint8_t list[255];
	size_t len = scsi_vpd(transport, VPD_SUPPORTED_PAGES, list);

	if (len <= VPD_HEAD)
		return 0;
	if (testimony->put(testimony->context, "vpd-00", list, len, err) < 0)
		return -1;
	for (size_t i = VPD_HEAD; i < len && i < VPD_HEAD + PAGES_MAX; i++) {
		if (list[i] != VPD_SUPPORTED_PAGES &&
			testify_put_page(transport, testimony, list[i], err) < 0)
			return -1;
	}
	return 0;
}

int scsi_testify(struct transport *transport, const struct testimony *testimony, struct err *err)
{
	struct inquiry inquiry;
	struct err refused;

	if (scsi_inquiry(transport, &inquiry, &refused) < 0) {
		if (refused.kind != ERR_GONE)
			return 0;
		return err_set(err, ERR_GONE, "%s", refused.text);
	}
	if (testimony->put(testimony->context, "inquiry", inquiry.raw, inquiry.raw_len, err) < 0)
		return -1;
	if (inquiry.version >= INQUIRY_VERSION_SPC3 && put_pages(transport, testimony, err) < 0)
		return -1;
	if (transport->quirks & QUIRK_NO_WP_DETECT)
		return 0;
	return put_modes(transport, testimony, err);
}
