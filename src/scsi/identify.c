/* SPDX-License-Identifier: BSD-2-Clause */
/* INQUIRY, its pages, and capacity: asked in the form in which Linux and Windows ask every stick.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/scsi.h"
#include "scsi/ask.h"
#include "usb/quirk.h"

#define COMMAND_MS 30000
#define VPD_LEN	   255

int scsi_ask(struct transport *transport, const uint8_t *cdb, size_t cdb_len, void *data,
	size_t len, struct reply *reply, struct err *err)
{
	struct command command = {
		.cdb = cdb,
		.cdb_len = cdb_len,
		.direction = TRANSFER_IN,
		.data = data,
		.data_len = len,
		.deadline = deadline_in_ms(COMMAND_MS),
	};

	memset(data, 0, len);
	return scsi_exec(transport, &command, reply, err);
}

int scsi_inquiry(struct transport *transport, struct inquiry *inquiry, struct err *err)
{
	static const uint8_t cdb[6] = {SCSI_INQUIRY, 0, 0, 0, INQUIRY_LEN, 0};
	struct reply reply;
	char text[200];

	memset(inquiry, 0, sizeof(*inquiry));
	if (scsi_ask(transport, cdb, sizeof(cdb), inquiry->raw, INQUIRY_LEN, &reply, err) < 0)
		return err_prefix(err, "INQUIRY: ");
	if (reply.status != SCSI_STATUS_GOOD)
		return err_set(
			err, ERR_OTHER, "INQUIRY: %s", scsi_reply_text(&reply, text, sizeof(text)));
	if (reply.moved < 5)
		return err_set(err, ERR_OTHER, "INQUIRY: only %zu bytes came", reply.moved);
	inquiry->raw_len = reply.moved;
	inquiry->device_type = inquiry->raw[INQUIRY_DEVICE] & 0x1f;
	inquiry->qualifier = inquiry->raw[INQUIRY_DEVICE] >> 5;
	inquiry->removable = inquiry->raw[INQUIRY_REMOVABLE] & 0x80;
	inquiry->version = inquiry->raw[INQUIRY_VERSION];
	text_escape(inquiry->raw + INQUIRY_VENDOR, 8, inquiry->vendor, sizeof(inquiry->vendor));
	text_escape(inquiry->raw + INQUIRY_PRODUCT, 16, inquiry->product, sizeof(inquiry->product));
	text_escape(
		inquiry->raw + INQUIRY_REVISION, 4, inquiry->revision, sizeof(inquiry->revision));
	return 0;
}

size_t scsi_vpd(struct transport *transport, uint8_t page, uint8_t out[VPD_LEN])
{
	uint8_t cdb[6] = {SCSI_INQUIRY, 1, page, 0, VPD_LEN, 0};
	struct reply reply;
	size_t len;

	if (scsi_ask(transport, cdb, sizeof(cdb), out, VPD_LEN, &reply, NULL) < 0 ||
		reply.status != SCSI_STATUS_GOOD || reply.moved < VPD_HEAD || out[1] != page)
		return 0;
	len = VPD_HEAD + (size_t)get_be16(out + VPD_PAGE_LENGTH);
	return len < reply.moved ? len : reply.moved;
}

char *scsi_unit_serial(
	struct transport *transport, const struct inquiry *inquiry, char *out, size_t room)
{
	uint8_t page[VPD_LEN];
	size_t len;

	out[0] = '\0';
	if (inquiry->version < INQUIRY_VERSION_SPC3)
		return out;
	len = scsi_vpd(transport, VPD_UNIT_SERIAL, page);
	if (len > VPD_HEAD)
		text_escape(page + VPD_HEAD, len - VPD_HEAD, out, room);
	return out;
}

static int capacity_10(struct transport *transport, struct capacity *capacity, struct err *err)
{
	static const uint8_t cdb[10] = {SCSI_READ_CAPACITY_10};
	struct reply reply;
	char text[200];

	if (scsi_ask(transport, cdb, sizeof(cdb), capacity->raw10, sizeof(capacity->raw10), &reply,
		    err) < 0)
		return err_prefix(err, "READ CAPACITY (10): ");
	if (reply.status != SCSI_STATUS_GOOD || reply.moved < sizeof(capacity->raw10)) {
		struct sense sense = sense_parse(reply.sense, reply.sense_len);
		bool no_medium = sense.key == SENSE_NOT_READY && sense.asc == 0x3a;

		return err_set(err, no_medium ? ERR_NO_MEDIUM : ERR_OTHER,
			"READ CAPACITY (10): %s%s", scsi_reply_text(&reply, text, sizeof(text)),
			reply.status == SCSI_STATUS_GOOD ? ", but too few bytes" : "");
	}
	capacity->raw10_len = sizeof(capacity->raw10);
	capacity->n_blocks = (uint64_t)get_be32(capacity->raw10) + 1;
	capacity->block_bytes = get_be32(capacity->raw10 + 4);
	return 0;
}

/* Refused by many sticks, and only asked when the drive has said that (10) cannot say it. */
static int capacity_16(struct transport *transport, struct capacity *capacity, struct err *err)
{
	uint8_t cdb[16] = {SCSI_SERVICE_ACTION_IN_16, SCSI_SA_READ_CAPACITY_16};
	struct reply reply;
	char text[200];

	put_be32(cdb + 10, sizeof(capacity->raw16));
	if (scsi_ask(transport, cdb, sizeof(cdb), capacity->raw16, sizeof(capacity->raw16), &reply,
		    err) < 0)
		return err_prefix(err, "READ CAPACITY (16): ");
	if (reply.status != SCSI_STATUS_GOOD || reply.moved < 12)
		return err_set(err, ERR_OTHER,
			"the drive is larger than READ CAPACITY (10) can say, and refuses (16): %s",
			scsi_reply_text(&reply, text, sizeof(text)));
	capacity->raw16_len = reply.moved;
	if (get_be64(capacity->raw16) == UINT64_MAX)
		return err_set(err, ERR_OTHER,
			"READ CAPACITY (16): the drive says that it has 2^64 sectors");
	capacity->n_blocks = get_be64(capacity->raw16) + 1;
	capacity->block_bytes = get_be32(capacity->raw16 + 8);
	return 0;
}

/* Reads one block; true when the drive says that there is none at LBA. */
static bool out_of_range(
	struct transport *transport, const struct capacity *capacity, uint64_t lba, bool *good)
{
	cleanup_free uint8_t *data = mem_page_alloc(capacity->block_bytes);
	struct reply reply = {0};
	struct sense sense;

	*good = false;
	if (!data)
		return false;
	for (int attempt = 0; attempt < 3; attempt++) {
		if (scsi_read(transport, lba, 1, capacity->block_bytes, data,
			    deadline_in_ms(COMMAND_MS), &reply, NULL) < 0)
			return false;
		*good = reply.status == SCSI_STATUS_GOOD;
		sense = sense_parse(reply.sense, reply.sense_len);
		if (*good || sense.key != SENSE_UNIT_ATTENTION)
			break;
	}
	return !*good && sense.key == SENSE_ILLEGAL_REQUEST && sense.asc == 0x21;
}

/* Does it claim one sector that it does not have? */
static bool one_too_large(struct transport *transport, const struct capacity *capacity)
{
	uint32_t quirks = transport->quirks;
	bool good;

	if (quirks & QUIRK_CAPACITY_OK || capacity->n_blocks < 2)
		return false;
	if (quirks & QUIRK_FIX_CAPACITY)
		return true;
	if (out_of_range(transport, capacity, capacity->n_blocks - 1, &good))
		return !out_of_range(transport, capacity, capacity->n_blocks - 2, &good) && good;
	return quirks & QUIRK_CAPACITY_HEURISTICS && capacity->n_blocks % 2 != 0 && !good;
}

/* What READ CAPACITY (10) could not say. */
static int larger_capacity(struct transport *transport, struct capacity *capacity, struct err *err)
{
	bool full = get_be32(capacity->raw10) == UINT32_MAX;

	if (!full && !(transport->quirks & QUIRK_NEEDS_CAPACITY_16))
		return 0;
	if (transport->quirks & QUIRK_NO_CAPACITY_16)
		return full ? err_set(err, ERR_OTHER,
				      "the drive is larger than READ CAPACITY (10) can say, and is "
				      "known not to take (16); --quirk no-no-read-capacity-16 asks "
				      "all the same")
			    : 0;
	return capacity_16(transport, capacity, err);
}

int scsi_capacity(
	struct transport *transport, struct capacity *capacity, bool *corrected, struct err *err)
{
	memset(capacity, 0, sizeof(*capacity));
	if (corrected)
		*corrected = false;
	if (capacity_10(transport, capacity, err) < 0 ||
		larger_capacity(transport, capacity, err) < 0)
		return -1;
	if (capacity->block_bytes < 512 || capacity->block_bytes > 65536)
		return err_set(err, ERR_OTHER, "the drive says that its sectors have %u bytes",
			capacity->block_bytes);
	if (one_too_large(transport, capacity)) {
		capacity->n_blocks--;
		if (corrected)
			*corrected = true;
	}
	return 0;
}
