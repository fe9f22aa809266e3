/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: what a drive's reply says, in words and as an exit code.  The first byte is how the
 * exchange ended, the second the status, the rest sense data. */
#include <stdlib.h>
#include <string.h>

#include "scsi/scsi.h"
#include "tests/fuzz/aid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply reply = {0};
	struct sense sense;
	char text[300];

	if (size < 2)
		return 0;
	reply.outcome = (enum outcome)(data[0] % (OUTCOME_GONE + 1));
	reply.status = data[1];
	data += 2;
	size -= 2;
	sense = sense_parse(data, size);
	if (sense.key > 15 || (!sense.present && sense.information_valid))
		abort();
	reply.sense_len = size < sizeof(reply.sense) ? size : sizeof(reply.sense);
	memcpy(reply.sense, data, reply.sense_len);
	scsi_reply_text(&reply, text, sizeof(text));
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			abort();
	}
	if (scsi_reply_category(&reply) < 0)
		abort();
	return 0;
}
