/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The read-only guard.  SG_IO with CAP_SYS_RAWIO passes every opcode, WRITE included, even on a
 * descriptor that was opened read-only; so what a capture may send is listed here, bit by bit.  A
 * bit that is not in a row's mask must be zero.
 */
#include "transport/transport.h"

#include <stdlib.h>
#include <string.h>

#include "proto/scsi.h"

#define LONGEST 16

/* One command that may pass: which bits of byte 1 are fixed and what they must be (a service
 * action), and which other bits of the CDB may be set.  All bits that are not named must be 0. */
struct allowed {
	uint8_t len;
	uint8_t opcode;
	uint8_t value1;		  /* what the fixed bits of byte 1 must be */
	uint8_t fixed1;		  /* the fixed bits of byte 1 */
	uint8_t may_set[LONGEST]; /* other bits that may be set */
	bool data_in;
};

static const struct allowed table[] = {
	{6, SCSI_TEST_UNIT_READY, 0, 0, {0}, false},
	{6, SCSI_REQUEST_SENSE, 0, 0, {0, 0x01, 0, 0, 0xff, 0}, true},
	{6, SCSI_INQUIRY, 0, 0, {0, 0x01, 0xff, 0xff, 0xff, 0}, true},
	{6, SCSI_READ_6, 0, 0, {0, 0x1f, 0xff, 0xff, 0xff, 0}, true},
	{6, SCSI_MODE_SENSE_6, 0, 0, {0, 0x08, 0xff, 0xff, 0xff, 0}, true},
	{10, SCSI_READ_CAPACITY_10, 0, 0, {0}, true},
	{10, SCSI_READ_10, 0, 0, {0, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, true},
	{10, SCSI_READ_DEFECT_DATA_10, 0, 0, {0, 0, 0x1f, 0, 0, 0, 0, 0xff, 0xff, 0}, true},
	/* Byte 1 bit 0 is SP: it would save the log parameters. */
	{10, SCSI_LOG_SENSE, 0, 0, {0, 0x02, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0}, true},
	{10, SCSI_MODE_SENSE_10, 0, 0, {0, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0}, true},
	{12, SCSI_REPORT_LUNS, 0, 0, {0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0}, true},
	{12, SCSI_READ_12, 0, 0, {0, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0},
		true},
	{12, SCSI_READ_DEFECT_DATA_12, 0, 0,
		{0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0}, true},
	{16, SCSI_READ_16, 0, 0,
		{0, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
			0},
		true},
	{16, SCSI_SERVICE_ACTION_IN_16, SCSI_SA_READ_CAPACITY_16, 0x1f,
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0}, true},
	{16, SCSI_SERVICE_ACTION_IN_16, SCSI_SA_GET_LBA_STATUS, 0x1f,
		{0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
			0},
		true},
};

struct guard {
	struct transport transport;
	struct transport *inner;
};

static bool guard_matches(const struct allowed *allowed, const uint8_t *cdb, size_t len)
{
	if (len != allowed->len || cdb[0] != allowed->opcode ||
		(cdb[1] & allowed->fixed1) != allowed->value1)
		return false;
	for (size_t i = 1; i < len; i++) {
		uint8_t may = allowed->may_set[i];

		if (i == 1)
			may |= allowed->fixed1;
		if (cdb[i] & ~may)
			return false;
	}
	return true;
}

bool guard_allows(const uint8_t *cdb, size_t len, enum transfer_direction direction)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (guard_matches(&table[i], cdb, len))
			return direction == TRANSFER_NONE ||
			       (direction == TRANSFER_IN && table[i].data_in);
	}
	return false;
}

static int guard_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct guard *guard = (struct guard *)transport;

	if (!guard_allows(command->cdb, command->cdb_len, command->direction))
		return err_set(err, ERR_USAGE,
			"command %02Xh is not one that is known to leave a drive as it is: not "
			"sent",
			command->cdb[0]);
	return transport_exec(guard->inner, command, reply, err);
}

static void guard_close(struct transport *transport)
{
	struct guard *guard = (struct guard *)transport;

	transport_close(guard->inner);
	free(guard);
}

static const struct transport_ops transport_guard = {
	.name = "guard",
	.exec = guard_exec,
	.close = guard_close,
};

struct transport *transport_guard_new(struct transport *inner, struct err *err)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	guard->transport = *inner;
	guard->transport.ops = &transport_guard;
	guard->inner = inner;
	return &guard->transport;
}
