/* SPDX-License-Identifier: BSD-2-Clause */
/* Which command goes where, and what comes before each of them: see target.h. */
#include "sim/target_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/scsi.h"

void target_fail_at(struct target *target, struct target_task *task, uint8_t key, uint16_t asc_ascq,
	uint64_t lba)
{
	target_fail(target, task, key, asc_ascq);
	target->sense.has_information = true;
	target->sense.information = lba;
}

void target_fail(struct target *target, struct target_task *task, uint8_t key, uint16_t asc_ascq)
{
	task->status = SCSI_STATUS_CHECK_CONDITION;
	target->sense = (struct target_sense){
		.lun = task->lun,
		.key = key,
		.asc = (uint8_t)(asc_ascq >> 8),
		.ascq = (uint8_t)asc_ascq,
	};
}

void target_answer(struct target_task *task, size_t n, uint64_t allocated)
{
	task->source = TARGET_FROM_ANSWER;
	task->len = mem_min_u64(n, allocated);
}

static size_t fixed_sense(const struct target_sense *sense, uint8_t *out)
{
	/* An LBA that does not fit makes the field invalid (SPC-5 §4.4.3). */
	bool fits = sense->has_information && sense->information <= UINT32_MAX;

	out[SENSE_CODE] = SENSE_CODE_FIXED | (fits ? 0x80 : 0);
	out[SENSE_FIXED_KEY] = sense->key;
	if (fits)
		put_be32(out + SENSE_FIXED_INFORMATION, (uint32_t)sense->information);
	out[SENSE_FIXED_LENGTH] = SENSE_FIXED_MIN - SENSE_FIXED_LENGTH - 1;
	out[SENSE_FIXED_ASC] = sense->asc;
	out[SENSE_FIXED_ASCQ] = sense->ascq;
	return SENSE_FIXED_MIN;
}

static size_t descriptor_sense(const struct target_sense *sense, uint8_t *out)
{
	uint8_t *information = out + SENSE_DESC_HEAD;

	out[SENSE_CODE] = SENSE_CODE_DESC;
	out[SENSE_DESC_KEY] = sense->key;
	out[SENSE_DESC_ASC] = sense->asc;
	out[SENSE_DESC_ASCQ] = sense->ascq;
	if (!sense->has_information)
		return SENSE_DESC_HEAD;
	out[SENSE_DESC_LENGTH] = SENSE_DESC_INFORMATION_SIZE;
	information[0] = SENSE_DESC_TYPE_INFORMATION;
	information[1] = SENSE_DESC_INFORMATION_SIZE - 2;
	information[2] = 0x80; /* valid */
	put_be64(information + SENSE_DESC_INFORMATION, sense->information);
	return SENSE_DESC_HEAD + SENSE_DESC_INFORMATION_SIZE;
}

static void request_sense(struct target *target, struct target_task *task)
{
	struct target_sense sense = target->sense;
	bool descriptor = sense.descriptor || (task->cdb[1] & 1) != 0;
	size_t n;

	if (sense.lun != task->lun)
		sense = (struct target_sense){0};
	n = descriptor ? descriptor_sense(&sense, task->answer) : fixed_sense(&sense, task->answer);
	target_answer(task, n, task->cdb[4]);
	target->sense = (struct target_sense){0};
}

static void report_luns(struct target *target, struct target_task *task)
{
	uint64_t n = target->settings->luns;

	put_be32(task->answer, (uint32_t)(n * 8));
	for (uint64_t i = 0; i < n; i++)
		task->answer[8 + 8 * i + 1] = (uint8_t)i;
	target_answer(task, 8 + 8 * n, get_be32(task->cdb + 6));
}

/* TEST UNIT READY and START STOP UNIT: what comes before every command is all. */
static void nothing(struct target *target, struct target_task *task)
{
	(void)target;
	(void)task;
}

static void refuse_write(struct target *target, struct target_task *task)
{
	target_fail(target, task, SCSI_KEY_DATA_PROTECT, ASC_WRITE_PROTECTED);
}

enum {
	NEEDS_MEDIUM = 1,
	ANY_TIME = 2, /* even when a unit attention is waiting (SPC-5 §5.12) */
	ANY_LUN = 4,
};

static const struct operation {
	uint8_t opcode;
	uint8_t cdb_len;
	uint8_t flags;
	target_fn *run;
} operations[] = {
	{SCSI_TEST_UNIT_READY, 6, NEEDS_MEDIUM, nothing},
	{SCSI_REQUEST_SENSE, 6, ANY_TIME | ANY_LUN, request_sense},
	{SCSI_INQUIRY, 6, ANY_TIME | ANY_LUN, target_inquiry},
	{SCSI_REPORT_LUNS, 12, ANY_TIME | ANY_LUN, report_luns},
	{SCSI_START_STOP_UNIT, 6, 0, nothing},
	{SCSI_MODE_SENSE_6, 6, 0, target_mode_sense6},
	{SCSI_MODE_SENSE_10, 10, 0, target_mode_sense10},
	{SCSI_READ_CAPACITY_10, 10, NEEDS_MEDIUM, target_read_capacity10},
	{SCSI_SERVICE_ACTION_IN_16, 16, NEEDS_MEDIUM, target_service_action_in},
	{SCSI_READ_6, 6, NEEDS_MEDIUM, target_read},
	{SCSI_READ_10, 10, NEEDS_MEDIUM, target_read},
	{SCSI_READ_12, 12, NEEDS_MEDIUM, target_read},
	{SCSI_READ_16, 16, NEEDS_MEDIUM, target_read},
	{SCSI_WRITE_6, 6, NEEDS_MEDIUM, refuse_write},
	{SCSI_WRITE_10, 10, NEEDS_MEDIUM, refuse_write},
	{SCSI_WRITE_12, 12, NEEDS_MEDIUM, refuse_write},
	{SCSI_WRITE_16, 16, NEEDS_MEDIUM, refuse_write},
};

static const struct operation *find_operation(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (operations[i].opcode == opcode)
			return &operations[i];
	}
	return NULL;
}

/* True when nothing stands in the way of OPERATION; TASK has failed otherwise. */
static bool may_run(
	struct target *target, struct target_task *task, const struct operation *operation)
{
	bool empty = target->settings->no_medium || task->lun > 0;
	uint8_t flags = operation ? operation->flags : 0;

	if (!(flags & ANY_LUN) && task->lun >= target->settings->luns) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_NO_SUCH_LUN);
	} else if (!(flags & ANY_TIME) && target->unit_attention > 0) {
		target->unit_attention--;
		target_fail(target, task, SCSI_KEY_UNIT_ATTENTION, ASC_RESET_OCCURRED);
	} else if (!operation) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	} else if (task->cdb_len < operation->cdb_len) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
	} else if ((flags & NEEDS_MEDIUM) && empty) {
		target_fail(target, task, SCSI_KEY_NOT_READY, ASC_NO_MEDIUM);
	} else if ((flags & NEEDS_MEDIUM) && target->becoming_ready > 0) {
		target->becoming_ready--;
		target_fail(target, task, SCSI_KEY_NOT_READY, ASC_BECOMING_READY);
	} else {
		return true;
	}
	return false;
}

void target_exec(struct target *target, struct target_task *task)
{
	const struct operation *operation = find_operation(task->cdb[0]);

	task->fate = TARGET_ANSWERS;
	task->source = TARGET_FROM_ANSWER;
	task->status = SCSI_STATUS_GOOD;
	task->len = 0;
	task->delay_ns = target->settings->delay_us * 1000;
	memset(task->answer, 0, sizeof(task->answer));
	if (task->cdb[0] != SCSI_REQUEST_SENSE)
		target->sense = (struct target_sense){0};
	if (may_run(target, task, operation))
		operation->run(target, task);
}

int target_data(
	struct target *target, struct target_task *task, uint64_t offset, void *out, size_t len)
{
	switch (task->source) {
	case TARGET_FROM_ANSWER:
		memcpy(out, task->answer + offset, len);
		return 0;
	case TARGET_FROM_JUNK:
		memset(out, 0xee, len);
		return 0;
	case TARGET_FROM_MEDIUM:
		break;
	}
	if (medium_read(target->medium, task->offset + offset, out, len) == 0)
		return 0;
	target_fail_at(target, task, SCSI_KEY_MEDIUM_ERROR, ASC_UNRECOVERED_READ,
		(task->offset + offset) / target->settings->block_bytes);
	return -1;
}

void target_reset(struct target *target)
{
	target->unit_attention = target->settings->unit_attention;
	target->sense = (struct target_sense){0};
}

struct target *target_new(struct sim_settings *settings, struct medium *medium)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->settings = settings;
	target->medium = medium;
	target->n_blocks = settings->size_bytes / settings->block_bytes;
	target->becoming_ready = settings->becoming_ready;
	target_reset(target);
	return target;
}

void target_free(struct target *target)
{
	free(target);
}
