/* SPDX-License-Identifier: BSD-2-Clause */
/* One sector for ourselves: see plain.h. */
#include "capture/plain.h"

#include "capture/judge.h"
#include "scsi/scsi.h"

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
		if (judged.verdict == VERDICT_NOT_READY)
			scsi_wait_ready(device->transport, deadline_in_ms(PLAIN_READY_MS), NULL);
		else if (judged.verdict != VERDICT_AGAIN)
			return judged.verdict == VERDICT_GOOD ||
			       judged.verdict == VERDICT_RECOVERED;
	}
	return false;
}
