/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reply to one READ means: see judge.h. */
#include "capture/judge.h"

#include "base/errnum.h"
#include "scsi/scsi.h"

enum {
	ASC_TRACK_FOLLOWING = 0x09,
	ASC_ID_CRC = 0x10,	   /* first of a row of medium and positioning errors … */
	ASC_DATA_SYNC_MARK = 0x16, /* … and last (SPC-5 annex F) */
	ASC_LBA_OUT_OF_RANGE = 0x21,
	ASC_NOT_READY = 0x04,
	ASC_NO_MEDIUM = 0x3a,
};

/* Does the sense data speak of the medium at the place that was read? */
static bool of_the_medium(const struct sense *sense)
{
	switch (sense->key) {
	case SENSE_MEDIUM_ERROR:
	case SENSE_BLANK_CHECK:
		return true;
	case SENSE_HARDWARE_ERROR:
		return sense->asc == ASC_TRACK_FOLLOWING ||
		       (sense->asc >= ASC_ID_CRC && sense->asc <= ASC_DATA_SYNC_MARK);
	default:
		return false;
	}
}

static enum verdict judge_not_ready(const struct sense *sense)
{
	if (sense->asc == ASC_NO_MEDIUM)
		return VERDICT_NO_MEDIUM;
	return sense->asc == ASC_NOT_READY ? VERDICT_NOT_READY : VERDICT_TROUBLE;
}

static enum verdict judge_sense(const struct sense *sense, bool whole)
{
	if (!sense->present)
		return VERDICT_TROUBLE;
	/* A deferred error ends the command before it is carried out (SPC-5 §4.4.7). */
	if (sense->deferred || sense->key == SENSE_UNIT_ATTENTION)
		return VERDICT_AGAIN;
	if (sense->key == SENSE_NOT_READY)
		return judge_not_ready(sense);
	if (sense->key == SENSE_RECOVERED_ERROR && whole)
		return VERDICT_RECOVERED;
	return of_the_medium(sense) ? VERDICT_MEDIUM : VERDICT_TROUBLE;
}

static enum verdict judge_status(uint8_t status, const struct sense *sense, bool whole)
{
	switch (status) {
	case SCSI_STATUS_GOOD:
		return sense->present && !sense->deferred && sense->key == SENSE_RECOVERED_ERROR &&
				       whole
			       ? VERDICT_RECOVERED
			       : VERDICT_GOOD;
	case SCSI_STATUS_CHECK_CONDITION:
		return judge_sense(sense, whole);
	case SCSI_STATUS_BUSY:
	case SCSI_STATUS_TASK_SET_FULL:
	case SCSI_STATUS_TASK_ABORTED:
		return VERDICT_AGAIN;
	default:
		return VERDICT_TROUBLE;
	}
}

static void judge_answer(struct judged *judged, const struct reply *reply, uint64_t lba, uint32_t n,
	uint32_t block_bytes)
{
	struct sense sense = sense_parse(reply->sense, reply->sense_len);
	uint64_t moved = reply->moved / block_bytes;

	judged->verdict = judge_status(reply->status, &sense, moved >= n);
	judged->n = (uint32_t)(moved < n ? moved : n);
	judged->why.status = reply->status;
	judged->by_sense = sense.present;
	if (sense.present) {
		judged->why.sense_key = sense.key;
		judged->why.asc = sense.asc;
		judged->why.ascq = sense.ascq;
	}
	if (judged->verdict == VERDICT_GOOD && judged->n == 0) {
		judged->verdict = VERDICT_TROUBLE;
		judged->why.outcome = BLOCK_OUTCOME_BROKEN;
	}
	judged->named =
		(judged->verdict == VERDICT_MEDIUM || judged->verdict == VERDICT_RECOVERED) &&
		sense.information_valid && sense.information >= lba && sense.information - lba < n;
	judged->lba = judged->named ? sense.information : 0;
	judged->out_of_range = judged->verdict == VERDICT_TROUBLE && sense.present &&
			       sense.key == SENSE_ILLEGAL_REQUEST &&
			       sense.asc == ASC_LBA_OUT_OF_RANGE;
}

/* Only an error that may be the medium's makes a sector bad.  Of the others those that say that the
 * source is not there come as OUTCOME_GONE; with what is left the host could not read for reasons
 * of its own. */
static enum verdict judge_host_error(int host_errno)
{
	switch (errnum_kind(host_errno)) {
	case ERRNUM_MEDIUM:
		return VERDICT_MEDIUM;
	case ERRNUM_GONE:
		return VERDICT_GONE;
	default:
		return VERDICT_NOT_SENT;
	}
}

struct judged judge_read(const struct reply *reply, uint64_t lba, uint32_t n, uint32_t block_bytes)
{
	struct judged judged = {.verdict = VERDICT_TROUBLE, .why.tries = 1};

	switch (reply->outcome) {
	case OUTCOME_DONE:
		judge_answer(&judged, reply, lba, n, block_bytes);
		break;
	case OUTCOME_TIMED_OUT:
		judged.why.outcome = BLOCK_OUTCOME_TIMEOUT;
		break;
	case OUTCOME_BROKEN:
		judged.why.outcome = BLOCK_OUTCOME_BROKEN;
		break;
	case OUTCOME_ABORTED:
		judged.verdict = VERDICT_AGAIN;
		judged.why.outcome = BLOCK_OUTCOME_ABORTED;
		break;
	case OUTCOME_NOT_SENT:
		judged.verdict = VERDICT_NOT_SENT;
		break;
	case OUTCOME_GONE:
		judged.verdict = VERDICT_GONE;
		judged.why.outcome = BLOCK_OUTCOME_GONE;
		judged.why.error = errnum_of_host(reply->host_errno);
		break;
	case OUTCOME_HOST_ERROR:
		judged.verdict = judge_host_error(reply->host_errno);
		judged.why.outcome = BLOCK_OUTCOME_BROKEN;
		judged.why.error = errnum_of_host(reply->host_errno);
		break;
	}
	return judged;
}
