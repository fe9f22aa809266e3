/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer target: sense data, and its words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/scsi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply reply = {.outcome = OUTCOME_DONE, .status = SCSI_STATUS_CHECK_CONDITION};
	struct sense sense = sense_parse(data, size);
	char text[300];

	if (sense.key > 15 || (!sense.present && sense.information_valid))
		abort();
	reply.sense_len = size < sizeof(reply.sense) ? size : sizeof(reply.sense);
	memcpy(reply.sense, data, reply.sense_len);
	scsi_reply_text(&reply, text, sizeof(text));
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			abort();
	}
	return 0;
}
