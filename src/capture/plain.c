/* SPDX-License-Identifier: BSD-2-Clause */
/* One sector for ourselves: see plain.h. */
#include "capture/plain.h"

#include "base/clock.h"
#include "scsi/scsi.h"

#define BUSY_PAUSE_MS 50

void plain_pause(const struct judged *judged)
{
	if (judged->why.status != SCSI_STATUS_GOOD &&
		judged->why.status != SCSI_STATUS_CHECK_CONDITION)
		clock_sleep_ms(BUSY_PAUSE_MS);
}

/* Waits for a drive that says it is becoming ready.  False when it does not. */
static bool plain_wait_ready(struct device *device, enum outcome *outcome)
{
	struct err err = {.kind = ERR_NONE};

	if (scsi_wait_ready(device->transport, deadline_in_ms(PLAIN_READY_MS), &err) == 0)
		return true;
	if (err.kind == ERR_GONE)
		*outcome = OUTCOME_GONE;
	return false;
}

bool plain_read(struct device *device, uint64_t lba, unsigned int timeout_ms, void *data,
	enum outcome *outcome)
{
	uint32_t block_bytes = device->capacity.block_bytes;

	for (unsigned int sent = 0; sent < PLAIN_AGAIN_LIMIT; sent++) {
		struct reply reply = {.outcome = OUTCOME_NOT_SENT};
		struct judged judged;

		scsi_read(device->transport, lba, 1, block_bytes, data, deadline_in_ms(timeout_ms),
			&reply, NULL);
		*outcome = reply.outcome;
		judged = judge_read(&reply, lba, 1, block_bytes);
		if (judged.verdict == VERDICT_NOT_READY) {
			if (!plain_wait_ready(device, outcome))
				return false;
			continue;
		}
		if (judged.verdict != VERDICT_AGAIN)
			return judged.verdict == VERDICT_GOOD ||
			       judged.verdict == VERDICT_RECOVERED;
		plain_pause(&judged);
	}
	return false;
}
