/* SPDX-License-Identifier: BSD-2-Clause */
/* READ, in its four lengths, and the faults it meets: see target.h. */
#include "sim/target_inside.h"

#include "base/bytes.h"
#include "proto/scsi.h"

struct blocks {
	uint64_t lba;
	uint64_t n;
	bool protect; /* RDPROTECT: protection information is asked for */
};

/* SBC-4 §5.11 to §5.14. */
static struct blocks parse_read(const uint8_t *cdb)
{
	bool protect = cdb[1] >> 5 != 0;

	switch (cdb[0]) {
	case SCSI_READ_6:
		return (struct blocks){get_be24(cdb + 1) & 0x1fffff, cdb[4] ? cdb[4] : 256, false};
	case SCSI_READ_10:
		return (struct blocks){get_be32(cdb + 2), get_be16(cdb + 7), protect};
	case SCSI_READ_12:
		return (struct blocks){get_be32(cdb + 2), get_be32(cdb + 6), protect};
	default:
		return (struct blocks){get_be64(cdb + 2), get_be32(cdb + 10), protect};
	}
}

static void die(struct target *target, struct target_task *task, uint64_t lba)
{
	switch ((enum sim_death)target->settings->death) {
	case SIM_DEATH_HARDWARE:
		target_fail(target, task, SCSI_KEY_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
		break;
	case SIM_DEATH_MEDIUM:
		target_fail_at(target, task, SCSI_KEY_MEDIUM_ERROR, ASC_UNRECOVERED_READ, lba);
		break;
	case SIM_DEATH_GONE:
		target_drop(target, 0);
		task->fate = TARGET_HANGS;
		break;
	}
}

/* TASK's data, the blocks up to AT, ends at a bad one. */
static void fail_read(struct target *target, struct target_task *task, const struct fault *fault,
	uint64_t n_before, uint64_t at)
{
	target_fail(target, task, SCSI_KEY_MEDIUM_ERROR, ASC_UNRECOVERED_READ);
	target->sense.descriptor = fault->descriptor;
	target->sense.has_information = !fault->no_lba;
	target->sense.information = at;
	if (fault->junk)
		task->source = TARGET_FROM_JUNK;
	else
		task->len = fault->no_data ? 0 : n_before * target->settings->block_bytes;
}

static void read_blocks(struct target *target, struct target_task *task, uint64_t lba, uint64_t n)
{
	const struct sim_settings *settings = target->settings;
	struct fault_meeting met = faults_meet(&target->settings->faults, lba, n);

	task->source = TARGET_FROM_MEDIUM;
	task->offset = lba * settings->block_bytes;
	task->len = n * settings->block_bytes;
	task->delay_ns += met.delay_ms * 1000000;
	if (met.stop && met.stop->kind == FAULT_HANG) {
		task->fate = TARGET_HANGS;
		if (met.stop->deaf)
			target->life = LIFE_DEAF;
	} else if (met.stop)
		fail_read(target, task, met.stop, met.stop_lba - lba, met.stop_lba);
	else if (met.recovered)
		target_fail_at(target, task, SCSI_KEY_RECOVERED_ERROR, ASC_RECOVERED_WITH_RETRIES,
			met.recovered_lba);
	if (settings->rate > 0)
		task->delay_ns += (uint64_t)((double)task->len * 1e9 / (double)settings->rate);
}

bool target_blocks(const uint8_t *cdb, uint64_t *lba, uint64_t *n)
{
	struct blocks blocks;

	if (cdb[0] != SCSI_READ_6 && cdb[0] != SCSI_READ_10 && cdb[0] != SCSI_READ_12 &&
		cdb[0] != SCSI_READ_16)
		return false;
	blocks = parse_read(cdb);
	*lba = blocks.lba;
	*n = blocks.n;
	return true;
}

void target_read(struct target *target, struct target_task *task)
{
	struct blocks blocks = parse_read(task->cdb);
	uint64_t dies_after = target->settings->dies_after;

	target->reads++;
	if (dies_after > 0 && target->reads > dies_after)
		die(target, task, blocks.lba);
	else if (blocks.protect)
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
	else if (blocks.lba >= target->n_blocks || blocks.n > target->n_blocks - blocks.lba)
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	else if (blocks.n > 0)
		read_blocks(target, task, blocks.lba, blocks.n);
}
