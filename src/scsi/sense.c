/* SPDX-License-Identifier: BSD-2-Clause */
/* Sense data (SPC-5 §4.4), and its words from libsgutils2's tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <scsi/sg_lib.h>

#include "base/bytes.h"
#include "base/errnum.h"
#include "proto/scsi.h"
#include "scsi/scsi.h"

/* Fixed form: what lies behind the stated length is not there. */
static void parse_fixed(const uint8_t *p, size_t len, struct sense *sense)
{
	if (len < 3)
		return;
	sense->present = true;
	sense->key = p[SENSE_FIXED_KEY] & 0x0f;
	if (len > SENSE_FIXED_LENGTH && len > SENSE_FIXED_LENGTH + 1u + p[SENSE_FIXED_LENGTH])
		len = SENSE_FIXED_LENGTH + 1u + p[SENSE_FIXED_LENGTH];
	if (len >= SENSE_FIXED_INFORMATION + 4) {
		sense->information_valid = p[SENSE_CODE] & 0x80;
		sense->information = get_be32(p + SENSE_FIXED_INFORMATION);
	}
	if (len > SENSE_FIXED_ASCQ) {
		sense->asc = p[SENSE_FIXED_ASC];
		sense->ascq = p[SENSE_FIXED_ASCQ];
	}
}

/* The INFORMATION descriptor (SPC-5 §4.4.2.2), if it is there whole. */
static void find_information(const uint8_t *p, size_t len, struct sense *sense)
{
	for (size_t at = SENSE_DESC_HEAD; at + 2 <= len;) {
		size_t size = 2u + p[at + 1];

		if (size > len - at)
			return;
		if (p[at] == SENSE_DESC_TYPE_INFORMATION && size >= SENSE_DESC_INFORMATION_SIZE) {
			sense->information_valid = p[at + 2] & 0x80;
			sense->information = get_be64(p + at + SENSE_DESC_INFORMATION);
			return;
		}
		at += size;
	}
}

static void parse_descriptor(const uint8_t *p, size_t len, struct sense *sense)
{
	if (len < 4)
		return;
	sense->present = true;
	sense->key = p[SENSE_DESC_KEY] & 0x0f;
	sense->asc = p[SENSE_DESC_ASC];
	sense->ascq = p[SENSE_DESC_ASCQ];
	if (len < SENSE_DESC_HEAD)
		return;
	if (len > SENSE_DESC_HEAD + (size_t)p[SENSE_DESC_LENGTH])
		len = SENSE_DESC_HEAD + (size_t)p[SENSE_DESC_LENGTH];
	find_information(p, len, sense);
}

struct sense sense_parse(const uint8_t *bytes, size_t len)
{
	struct sense sense = {0};
	uint8_t code;

	if (len == 0)
		return sense;
	code = bytes[SENSE_CODE] & 0x7f;
	sense.deferred = code == SENSE_CODE_FIXED_OLD || code == SENSE_CODE_DESC_OLD;
	if (code == SENSE_CODE_FIXED || code == SENSE_CODE_FIXED_OLD)
		parse_fixed(bytes, len, &sense);
	else if (code == SENSE_CODE_DESC || code == SENSE_CODE_DESC_OLD)
		parse_descriptor(bytes, len, &sense);
	return sense;
}

/* Of sg3_utils; in no header of Debian 12's library. */
#define TRANSPORT_ERROR 35
#define OS_ERROR	50
#define OS_ERROR_MOST	46 /* the highest errno that its exit codes have room for */

static int status_category(const struct reply *reply)
{
	switch (reply->status) {
	case SCSI_STATUS_GOOD:
		return 0;
	case SCSI_STATUS_CHECK_CONDITION:
		return sg_err_category_sense(reply->sense, (int)reply->sense_len);
	case SCSI_STATUS_BUSY:
		return SG_LIB_CAT_BUSY;
	case SCSI_STATUS_RESERVATION_CONFLICT:
		return SG_LIB_CAT_RES_CONFLICT;
	case SCSI_STATUS_TASK_SET_FULL:
		return SG_LIB_CAT_TS_FULL;
	case SCSI_STATUS_TASK_ABORTED:
		return SG_LIB_CAT_TASK_ABORTED;
	default:
		return SG_LIB_CAT_OTHER;
	}
}

int scsi_reply_category(const struct reply *reply)
{
	switch (reply->outcome) {
	case OUTCOME_DONE:
		return status_category(reply);
	case OUTCOME_TIMED_OUT:
		return SG_LIB_CAT_TIMEOUT;
	case OUTCOME_ABORTED:
		return SG_LIB_CAT_TASK_ABORTED;
	case OUTCOME_BROKEN:
		return TRANSPORT_ERROR;
	case OUTCOME_GONE:
		return OS_ERROR + ENODEV;
	case OUTCOME_HOST_ERROR:
		return reply->host_errno <= OS_ERROR_MOST ? OS_ERROR + reply->host_errno
							  : SG_LIB_CAT_OTHER;
	default:
		return SG_LIB_CAT_OTHER;
	}
}

static char *outcome_text(const struct reply *reply, char *out, size_t room)
{
	const char *error = errnum_name(errnum_of_host(reply->host_errno));

	snprintf(out, room, error ? "%s (%s)" : "%s", outcome_name(reply->outcome), error);
	return out;
}

char *scsi_reply_text(const struct reply *reply, char *out, size_t room)
{
	struct sense sense = sense_parse(reply->sense, reply->sense_len);
	static const char prefix[] = "Additional sense: ";
	char key[64], asc[128], status[64];
	const char *words;

	if (reply->outcome != OUTCOME_DONE)
		return outcome_text(reply, out, room);
	if (reply->status != SCSI_STATUS_CHECK_CONDITION || !sense.present) {
		sg_get_scsi_status_str(reply->status, sizeof(status), status);
		snprintf(out, room, "%s%s", status,
			reply->status == SCSI_STATUS_CHECK_CONDITION ? " without sense data" : "");
		return out;
	}
	sg_get_sense_key_str(sense.key, sizeof(key), key);
	sg_get_asc_ascq_str(sense.asc, sense.ascq, sizeof(asc), asc);
	words = strncmp(asc, prefix, sizeof(prefix) - 1) == 0 ? asc + sizeof(prefix) - 1 : asc;
	snprintf(out, room, "%s: %s [%x/%02x/%02x]%s", key, words, sense.key, sense.asc, sense.ascq,
		sense.deferred ? " (deferred)" : "");
	return out;
}
