/* SPDX-License-Identifier: BSD-2-Clause */
/* Why sectors are not good, in words: see scsi_reason_text() in scsi.h. */
#include <stdio.h>

#include "base/errnum.h"
#include "proto/scsi.h"
#include "scsi/scsi.h"

char *scsi_reason_text(const struct block_reason *why, char *out, size_t room)
{
	struct reply reply = {.outcome = OUTCOME_DONE, .status = why->status};

	out[0] = '\0';
	if (why->error != 0) {
		const char *name = errnum_name(why->error);

		if (name)
			snprintf(out, room, "the host's read failed: %s", name);
		else
			snprintf(out, room, "the host's read failed: error number %u", why->error);
	} else if (why->outcome != BLOCK_OUTCOME_NONE) {
		snprintf(out, room, "%s", block_outcome_name(why->outcome));
	} else if (why->status != 0 || why->sense_key != 0) {
		reply.sense[SENSE_CODE] = SENSE_CODE_DESC;
		reply.sense[SENSE_DESC_KEY] = why->sense_key;
		reply.sense[SENSE_DESC_ASC] = why->asc;
		reply.sense[SENSE_DESC_ASCQ] = why->ascq;
		reply.sense_len = why->sense_key || why->asc ? SENSE_DESC_HEAD : 0;
		scsi_reply_text(&reply, out, room);
	}
	return out;
}
