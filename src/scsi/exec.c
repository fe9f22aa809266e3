/* SPDX-License-Identifier: BSD-2-Clause */
/* Carrying commands over what passes by itself, waiting for a drive to be ready, and READ. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/scsi.h"
#include "scsi/scsi.h"

#define ATTEMPTS   5
#define PAUSE_MS   100
#define COMMAND_MS 30000

/* Worth sending again as it is? */
static bool passes_by_itself(const struct reply *reply)
{
	struct sense sense;

	/* What broke was mended on the way; the command itself is not at fault as long as it is not
	 * always so. */
	if (reply->outcome == OUTCOME_ABORTED || reply->outcome == OUTCOME_BROKEN)
		return true;
	if (reply->outcome != OUTCOME_DONE)
		return false;
	if (reply->status == SCSI_STATUS_BUSY || reply->status == SCSI_STATUS_TASK_SET_FULL ||
		reply->status == SCSI_STATUS_TASK_ABORTED)
		return true;
	sense = sense_parse(reply->sense, reply->sense_len);
	return reply->status == SCSI_STATUS_CHECK_CONDITION && sense.present &&
	       (sense.key == SENSE_UNIT_ATTENTION || sense.deferred);
}

int scsi_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err)
{
	int r = -1;

	for (int i = 0; i < ATTEMPTS; i++) {
		r = transport_exec(transport, command, reply, err);
		if (!passes_by_itself(reply) || deadline_left_ms(command->deadline) == 0)
			break;
		if (reply->outcome == OUTCOME_DONE && reply->status != SCSI_STATUS_CHECK_CONDITION)
			clock_sleep_ms(PAUSE_MS);
	}
	return r;
}

/* What a TEST UNIT READY that was not good says: 1 wait, 0 take it as ready, -1 give up. */
static int exec_not_ready(const struct reply *reply, struct err *err)
{
	struct sense sense = sense_parse(reply->sense, reply->sense_len);
	char text[200];

	if (reply->status == SCSI_STATUS_BUSY)
		return 1;
	if (sense.key == SENSE_NOT_READY && sense.asc == 0x3a)
		return err_set(err, ERR_NO_MEDIUM, "no medium in the drive");
	if (sense.key == SENSE_NOT_READY && sense.asc == 0x04 && sense.ascq != 0x02 &&
		sense.ascq != 0x03)
		return 1;
	if (sense.key == SENSE_UNIT_ATTENTION)
		return 1;
	if (sense.key == SENSE_NOT_READY)
		return err_set(err, ERR_OTHER, "the drive is not ready: %s",
			scsi_reply_text(reply, text, sizeof(text)));
	/* Anything else will show when it is read. */
	return 0;
}

int scsi_wait_ready(struct transport *transport, struct deadline deadline, struct err *err)
{
	static const uint8_t cdb[6] = {SCSI_TEST_UNIT_READY};
	struct command command = {.cdb = cdb, .cdb_len = sizeof(cdb), .direction = TRANSFER_NONE};
	struct reply reply;
	char text[200];

	for (;;) {
		int r;

		command.deadline = deadline_in_ms(COMMAND_MS);
		if (scsi_exec(transport, &command, &reply, err) < 0)
			return err_prefix(err, "asking whether the drive is ready: ");
		if (reply.status == SCSI_STATUS_GOOD)
			return 0;
		r = exec_not_ready(&reply, err);
		if (r <= 0)
			return r;
		if (deadline_left_ms(deadline) == 0)
			return err_set(err, ERR_OTHER, "the drive does not become ready: %s",
				scsi_reply_text(&reply, text, sizeof(text)));
		clock_sleep_ms(PAUSE_MS);
	}
}

int scsi_read(struct transport *transport, uint64_t lba, uint32_t n, uint32_t block_bytes,
	void *data, struct deadline deadline, struct reply *reply, struct err *err)
{
	bool is16 = lba + n > (uint64_t)UINT32_MAX + 1 || n > UINT16_MAX;
	uint8_t cdb[16] = {is16 ? SCSI_READ_16 : SCSI_READ_10};
	struct command command = {
		.cdb = cdb,
		.cdb_len = is16 ? 16 : 10,
		.direction = TRANSFER_IN,
		.data = data,
		.data_len = (size_t)n * block_bytes,
		.deadline = deadline,
	};

	if (is16) {
		put_be64(cdb + 2, lba);
		put_be32(cdb + 10, n);
	} else {
		put_be32(cdb + 2, (uint32_t)lba);
		put_be16(cdb + 7, (uint16_t)n);
	}
	if (transport_exec(transport, &command, reply, err) < 0)
		return err_prefix(
			err, "reading LBA %" PRIu64 " to %" PRIu64 ": ", lba, lba + n - 1);
	return 0;
}
