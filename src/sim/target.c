/* SPDX-License-Identifier: BSD-2-Clause */
/* Which command goes where, and what comes before each of them: see target.h. */
#include "sim/target_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "proto/scsi.h"
#include "sim/vendor.h"

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
	/* SAT-4 §12.2.2.7: error, status, device and count; then flags and LBA. */
	if (sense->has_ata) {
		out[3] = sense->ata[3];
		out[4] = sense->ata[13];
		out[5] = sense->ata[12];
		out[6] = sense->ata[5];
		out[9] = sense->ata[7];
		out[10] = sense->ata[9];
		out[11] = sense->ata[11];
	}
	return SENSE_FIXED_MIN;
}

static size_t descriptor_sense(const struct target_sense *sense, uint8_t *out)
{
	uint8_t *information = out + SENSE_DESC_HEAD;

	out[SENSE_CODE] = SENSE_CODE_DESC;
	out[SENSE_DESC_KEY] = sense->key;
	out[SENSE_DESC_ASC] = sense->asc;
	out[SENSE_DESC_ASCQ] = sense->ascq;
	if (sense->has_ata) {
		out[SENSE_DESC_LENGTH] = sizeof(sense->ata);
		memcpy(out + SENSE_DESC_HEAD, sense->ata, sizeof(sense->ata));
		return SENSE_DESC_HEAD + sizeof(sense->ata);
	}
	if (!sense->has_information)
		return SENSE_DESC_HEAD;
	out[SENSE_DESC_LENGTH] = SENSE_DESC_INFORMATION_SIZE;
	information[0] = SENSE_DESC_TYPE_INFORMATION;
	information[1] = SENSE_DESC_INFORMATION_SIZE - 2;
	information[2] = 0x80; /* valid */
	put_be64(information + SENSE_DESC_INFORMATION, sense->information);
	return SENSE_DESC_HEAD + SENSE_DESC_INFORMATION_SIZE;
}

static size_t target_take_sense(struct target *target, uint8_t lun, bool descriptor, uint8_t *out)
{
	struct target_sense sense = target->sense;

	if (sense.lun != lun)
		sense = (struct target_sense){0};
	target->sense = (struct target_sense){0};
	return descriptor || sense.descriptor ? descriptor_sense(&sense, out)
					      : fixed_sense(&sense, out);
}

static void request_sense(struct target *target, struct target_task *task)
{
	size_t n = target_take_sense(target, task->lun, task->cdb[1] & 1, task->answer);

	target_answer(task, n, task->cdb[4]);
}

size_t target_autosense(struct target *target, uint8_t lun, uint8_t *out, size_t room)
{
	uint8_t sense[SENSE_DESC_HEAD + sizeof(target->sense.ata) + SENSE_FIXED_MIN] = {0};
	size_t n = mem_min_u64(target_take_sense(target, lun, false, sense), room);

	memcpy(out, sense, n);
	return n;
}

static void report_luns(struct target *target, struct target_task *task)
{
	uint64_t n = target->settings->luns;

	put_be32(task->answer, (uint32_t)(n * 8));
	for (uint64_t i = 0; i < n; i++)
		task->answer[8 + 8 * i + 1] = (uint8_t)i;
	target_answer(task, 8 + 8 * n, get_be32(task->cdb + 6));
}

/* TEST UNIT READY and START STOP UNIT: they only ask whether the unit is ready, and that has been
 * checked before this is called, as for every command. */
static void nothing(struct target *target, struct target_task *task)
{
	(void)target;
	(void)task;
}

/* SPC-5 §6.42: takes its parameter list, and does nothing. */
static void send_diagnostic(struct target *target, struct target_task *task)
{
	(void)target;
	task->wants = get_be16(task->cdb + 3);
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
	{SCSI_SEND_DIAGNOSTIC, 6, 0, send_diagnostic},
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

/* True when nothing stands in the way of a command with FLAGS; TASK has failed otherwise. */
static bool may_begin(struct target *target, struct target_task *task, uint8_t flags)
{
	if (!(flags & ANY_LUN) && task->lun >= target->settings->luns) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_NO_SUCH_LUN);
	} else if (!(flags & ANY_TIME) && target->unit_attention > 0) {
		target->unit_attention--;
		target_fail(target, task, SCSI_KEY_UNIT_ATTENTION, ASC_RESET_OCCURRED);
	} else if (!(flags & ANY_TIME) && target->capacity_changed) {
		target->capacity_changed = false;
		target_fail(target, task, SCSI_KEY_UNIT_ATTENTION, ASC_CAPACITY_CHANGED);
	} else {
		return true;
	}
	return false;
}

/* The same for what the command itself needs: that it is known and whole, and a medium that is
 * ready. */
static bool may_run(
	struct target *target, struct target_task *task, const struct operation *operation)
{
	bool empty = target->settings->no_medium || task->lun >= TARGET_UNITS_MAX ||
		     !target->medium[task->lun];
	uint8_t flags = operation ? operation->flags : 0;

	if (!operation) {
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

/* Misdeeds of the drive as a whole (it turns deaf, dies, leaves the bus or shrinks); all others are
 * done by the state machine of the transport. */
static void misbehave(struct target *target, struct target_task *task)
{
	switch (task->misdeed) {
	case MISDEED_DROP:
		target_drop(target, task->number);
		break;
	case MISDEED_DEAF:
		target->life = LIFE_DEAF;
		break;
	case MISDEED_DEAD:
		target->life = LIFE_DEAD;
		break;
	case MISDEED_SHRINK:
		target->n_blocks = mem_max_u64(target->n_blocks / 2, 1);
		target->capacity_changed = true;
		return;
	case MISDEED_HANG:
		break;
	default:
		return;
	}
	task->fate = TARGET_HANGS;
}

static void meet_script(struct target *target, struct target_task *task)
{
	const struct script_line *line;
	uint64_t lba = 0, n = 0;

	if (!target_blocks(task->cdb, &lba, &n))
		n = 0;
	line = script_meet(&target->settings->script, task->uas, task->cdb, lba, n);
	task->misdeed = line ? line->misdeed : MISDEED_NONE;
	task->number = line ? line->number : 0;
}

void target_exec(struct target *target, struct target_task *task)
{
	const struct operation *operation = find_operation(task->cdb[0]);
	const struct vendor_set *set = target->settings->vendor;

	task->fate = TARGET_ANSWERS;
	task->source = TARGET_FROM_ANSWER;
	task->status = SCSI_STATUS_GOOD;
	task->len = 0;
	task->wants = 0;
	task->delay_ns = target->settings->delay_us * 1000;
	memset(task->answer, 0, sizeof(task->answer));
	if (task->cdb[0] != SCSI_REQUEST_SENSE)
		target->sense = (struct target_sense){0};
	meet_script(target, task);
	misbehave(target, task);
	task->n_taken = 0;
	if (!may_begin(target, task, operation ? operation->flags : 0))
		return;
	if (set && set->run(target, task))
		return;
	if (may_run(target, task, operation))
		operation->run(target, task);
}

void target_take(struct target_task *task, const void *data, size_t len)
{
	size_t n = mem_min_u64(len, sizeof(task->taken) - task->n_taken);

	memcpy(task->taken + task->n_taken, data, n);
	task->n_taken += n;
}

void target_taken(struct target *target, struct target_task *task)
{
	const struct vendor_set *set = target->settings->vendor;

	if (set && set->taken && task->status == SCSI_STATUS_GOOD)
		set->taken(target, task);
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
	if (medium_read(target->medium[task->lun], task->offset + offset, out, len) == 0)
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

void target_port_reset(struct target *target)
{
	if (target->life == LIFE_DEAF)
		target->life = LIFE_WELL;
	target_reset(target);
}

void target_drop(struct target *target, uint64_t ms)
{
	target->life = LIFE_GONE;
	target->returns_ns = ms > 0 ? clock_now_ns() + ms * 1000000 : UINT64_MAX;
}

enum device_answer target_mood(const struct target *target)
{
	if (target->life == LIFE_GONE)
		return DEVICE_GONE;
	return target->life == LIFE_WELL ? DEVICE_DONE : DEVICE_SILENT;
}

uint64_t target_returns_ns(const struct target *target)
{
	return target->returns_ns;
}

void target_plug(struct target *target)
{
	target->life = LIFE_WELL;
	target->becoming_ready = target->settings->becoming_ready;
	target_reset(target);
}

struct target *target_new(
	struct sim_settings *settings, struct medium *const media[TARGET_UNITS_MAX])
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->settings = settings;
	memcpy(target->medium, media, sizeof(target->medium));
	target->n_blocks = settings->size_bytes / settings->block_bytes;
	target->returns_ns = UINT64_MAX;
	target_plug(target);
	return target;
}

void target_free(struct target *target)
{
	free(target);
}
