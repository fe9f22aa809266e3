/* SPDX-License-Identifier: BSD-2-Clause */
/* UAS information units: see uas.h.  Nothing but bytes. */
#include "transport/uas.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

/* SAM-5 §4.7.7.2: single level, peripheral device addressing. */
static void put_lun(uint8_t *out, uint8_t lun)
{
	out[0] = 0;
	out[1] = lun;
}

size_t uas_put_command(uint8_t *out, uint16_t tag, uint8_t lun, const uint8_t *cdb, size_t cdb_len)
{
	size_t extra = 0;

	/* What does not fit is in whole dwords behind (§6.2.2). */
	if (cdb_len > IU_COMMAND_CDB_LEN)
		extra = (cdb_len - IU_COMMAND_CDB_LEN + 3) / 4 * 4;
	memset(out, 0, IU_COMMAND_LEN + extra);
	out[IU_ID] = IU_ID_COMMAND;
	put_be16(out + IU_TAG, tag);
	out[IU_COMMAND_EXTRA_LEN] = (uint8_t)extra;
	put_lun(out + IU_COMMAND_LUN, lun);
	memcpy(out + IU_COMMAND_CDB, cdb, cdb_len);
	return IU_COMMAND_LEN + extra;
}

size_t uas_put_tmf(uint8_t *out, uint16_t tag, uint8_t lun, uint8_t function, uint16_t task_tag)
{
	memset(out, 0, IU_TMF_LEN);
	out[IU_ID] = IU_ID_TASK_MANAGEMENT;
	put_be16(out + IU_TAG, tag);
	out[IU_TMF_FUNCTION] = function;
	put_be16(out + IU_TMF_TASK_TAG, task_tag);
	put_lun(out + IU_TMF_LUN, lun);
	return IU_TMF_LEN;
}

/* A length field that says more than came is not believed; what came is. */
static bool get_sense(const uint8_t *bytes, size_t len, struct uas_iu *iu)
{
	if (len < IU_SENSE_HEAD)
		return false;
	iu->status = bytes[IU_SENSE_STATUS];
	iu->sense = bytes + IU_SENSE_DATA;
	iu->sense_len = mem_min_u64(get_be16(bytes + IU_SENSE_LENGTH), len - IU_SENSE_HEAD);
	return true;
}

bool uas_get_iu(const uint8_t *bytes, size_t len, struct uas_iu *iu)
{
	if (len < IU_HEAD)
		return false;
	*iu = (struct uas_iu){.id = bytes[IU_ID], .tag = get_be16(bytes + IU_TAG)};
	switch (iu->id) {
	case IU_ID_SENSE:
		return get_sense(bytes, len, iu);
	case IU_ID_RESPONSE:
		if (len < IU_RESPONSE_LEN)
			return false;
		iu->response = bytes[IU_RESPONSE_CODE];
		return true;
	case IU_ID_READ_READY:
	case IU_ID_WRITE_READY:
		return true;
	default:
		return false;
	}
}

const char *uas_response_name(uint8_t code)
{
	switch (code) {
	case UAS_RC_TMF_COMPLETE:
		return "task management function complete";
	case UAS_RC_INVALID_IU:
		return "invalid information unit";
	case UAS_RC_TMF_NOT_SUPPORTED:
		return "task management function not supported";
	case UAS_RC_TMF_FAILED:
		return "task management function failed";
	case UAS_RC_TMF_SUCCEEDED:
		return "task management function succeeded";
	case UAS_RC_INCORRECT_LUN:
		return "incorrect logical unit number";
	case UAS_RC_OVERLAPPED_TAG:
		return "overlapped tag";
	default:
		return "a response code that is reserved";
	}
}
