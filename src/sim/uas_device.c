/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's UAS state machine: see uas_device.h.  Clauses are of UAS-2.
 *
 * A slot holds one command or task management function from its IU to its last one:
 *
 *	WAITS (for its time) -> READY IU (without streams) -> DATA -> STATUS -> free
 *
 * With streams a slot is known by its stream, which is its tag.  Without streams the slots take
 *turns on the status pipe, in the order in which they became ready, and one at a time has the data
 *pipes.
 */
#include "sim/uas_device.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "proto/scsi.h"
#include "proto/uas.h"
#include "sim/descriptors.h"

#define SLOTS_MAX  66 /* and two for task management */
#define SENSE_ROOM 32
#define IU_ROOM	   (IU_SENSE_HEAD + SENSE_ROOM)
#define CDB_ROOM   IU_COMMAND_CDB_MAX

enum stage { STAGE_FREE, STAGE_WAITS, STAGE_DATA, STAGE_STATUS, STAGE_HUNG };

struct slot {
	enum stage stage;
	uint16_t tag;
	bool is_command;
	bool said_ready; /* READ READY or WRITE READY has been sent */
	bool again;	 /* its SENSE IU is to come twice */
	struct target_task task;
	uint8_t cdb[CDB_ROOM];
	uint64_t moved;
	uint64_t ready_ns;
	uint8_t sense[SENSE_ROOM];
	size_t sense_len;
	uint8_t response;
};

struct uas_device {
	struct target *target;
	const struct sim_settings *settings;
	struct slot slot[SLOTS_MAX];
	bool halted[UAS_PIPE_DATA_OUT + 1];
	unsigned int most_at_once;
};

static bool has_streams(const struct uas_device *uas)
{
	return uas->settings->speed == SIM_SPEED_SUPER;
}

static struct slot *find_tag(struct uas_device *uas, uint16_t tag)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (uas->slot[i].stage != STAGE_FREE && uas->slot[i].tag == tag)
			return &uas->slot[i];
	}
	return NULL;
}

static struct slot *new_slot(struct uas_device *uas, uint16_t tag)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (uas->slot[i].stage != STAGE_FREE)
			continue;
		uas->slot[i] = (struct slot){.tag = tag, .stage = STAGE_STATUS};
		return &uas->slot[i];
	}
	return NULL;
}

static unsigned int count_commands(const struct uas_device *uas)
{
	unsigned int n = 0;

	for (size_t i = 0; i < SLOTS_MAX; i++)
		n += uas->slot[i].stage != STAGE_FREE && uas->slot[i].is_command;
	return n;
}

/* --- the command pipe --- */

static void respond(struct uas_device *uas, uint16_t tag, uint8_t code)
{
	struct slot *slot = new_slot(uas, tag);

	if (slot)
		slot->response = code;
}

/* What a misdeed makes of a command that has been carried out. */
static void device_spoil(struct slot *slot)
{
	struct target_task *task = &slot->task;

	switch (task->misdeed) {
	case MISDEED_UAS_NO_DATA:
		task->len = 0;
		break;
	case MISDEED_UAS_SHORT_DATA:
		task->len /= 2;
		break;
	case MISDEED_UAS_NO_ABORT:
	case MISDEED_UAS_NO_RESET:
		slot->stage = STAGE_HUNG;
		break;
	case MISDEED_UAS_TWICE:
		slot->again = true;
		break;
	default:
		break;
	}
}

static void end_data(struct slot *slot)
{
	slot->stage = slot->task.misdeed == MISDEED_UAS_NO_SENSE ? STAGE_HUNG : STAGE_STATUS;
}

static void device_begin(struct uas_device *uas, const uint8_t *iu, size_t cdb_len)
{
	struct slot *slot = new_slot(uas, get_be16(iu + IU_TAG));
	struct target_task *task;

	if (!slot)
		return;
	slot->is_command = true;
	slot->stage = STAGE_WAITS;
	memcpy(slot->cdb, iu + IU_COMMAND_CDB, cdb_len);
	task = &slot->task;
	*task = (struct target_task){
		.lun = iu[IU_COMMAND_LUN + 1], .cdb = slot->cdb, .cdb_len = cdb_len, .uas = true};
	if (count_commands(uas) > uas->settings->uas_depth) {
		task->status = SCSI_STATUS_TASK_SET_FULL;
		return;
	}
	uas->most_at_once = (unsigned int)mem_max_u64(uas->most_at_once, count_commands(uas));
	target_exec(uas->target, task);
	if (task->status != SCSI_STATUS_GOOD)
		slot->sense_len =
			target_autosense(uas->target, task->lun, slot->sense, sizeof(slot->sense));
	slot->ready_ns = task->delay_ns ? clock_now_ns() + task->delay_ns : 0;
	if (task->fate == TARGET_HANGS)
		slot->stage = STAGE_HUNG;
	device_spoil(slot);
}

static void logical_unit_reset(struct uas_device *uas, uint16_t tag)
{
	bool refused = false;

	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &uas->slot[i];

		if (slot->stage == STAGE_HUNG && slot->task.misdeed == MISDEED_UAS_NO_RESET)
			refused = true;
		else if (slot->is_command)
			slot->stage = STAGE_FREE;
	}
	if (!refused)
		target_reset(uas->target);
	respond(uas, tag, refused ? UAS_RC_TMF_FAILED : UAS_RC_TMF_COMPLETE);
}

static void device_abort_task(struct uas_device *uas, uint16_t tag, uint16_t task_tag)
{
	struct slot *slot = find_tag(uas, task_tag);
	bool refused = slot && slot->stage == STAGE_HUNG &&
		       (slot->task.misdeed == MISDEED_UAS_NO_ABORT ||
			       slot->task.misdeed == MISDEED_UAS_NO_RESET);

	if (slot && !refused)
		slot->stage = STAGE_FREE;
	respond(uas, tag, refused ? UAS_RC_TMF_FAILED : UAS_RC_TMF_COMPLETE);
}

/* §7.9 */
static void device_manage(struct uas_device *uas, const uint8_t *iu)
{
	uint16_t tag = get_be16(iu + IU_TAG);

	if (iu[IU_TMF_LUN + 1] >= uas->settings->luns) {
		respond(uas, tag, UAS_RC_INCORRECT_LUN);
		return;
	}
	switch (iu[IU_TMF_FUNCTION]) {
	case UAS_TMF_ABORT_TASK:
		device_abort_task(uas, tag, get_be16(iu + IU_TMF_TASK_TAG));
		break;
	case UAS_TMF_LOGICAL_UNIT_RESET:
		logical_unit_reset(uas, tag);
		break;
	default:
		respond(uas, tag, UAS_RC_TMF_NOT_SUPPORTED);
		break;
	}
}

static void device_take_iu(struct uas_device *uas, const uint8_t *iu, size_t len)
{
	uint16_t tag = get_be16(iu + IU_TAG);
	size_t extra;

	if (find_tag(uas, tag)) {
		/* An overlapped tag: the command that was there ends with it (SAM-5 §5.12). */
		find_tag(uas, tag)->stage = STAGE_FREE;
		respond(uas, tag, UAS_RC_OVERLAPPED_TAG);
		return;
	}
	if (iu[IU_ID] == IU_ID_TASK_MANAGEMENT && len == IU_TMF_LEN) {
		device_manage(uas, iu);
		return;
	}
	if (iu[IU_ID] != IU_ID_COMMAND || len < IU_COMMAND_LEN) {
		respond(uas, tag, UAS_RC_INVALID_IU);
		return;
	}
	extra = iu[IU_COMMAND_EXTRA_LEN] & 0xfc;
	if (len != IU_COMMAND_LEN + extra)
		respond(uas, tag, UAS_RC_INVALID_IU);
	else
		device_begin(uas, iu, IU_COMMAND_CDB_LEN + extra);
}

enum device_answer uas_device_command(
	struct uas_device *uas, const uint8_t *data, size_t len, size_t *moved)
{
	enum device_answer mood = target_mood(uas->target);
	struct slot *slot;

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	if (uas->halted[UAS_PIPE_COMMAND])
		return DEVICE_STALLS;
	if (len < IU_HEAD) {
		uas->halted[UAS_PIPE_COMMAND] = true;
		return DEVICE_STALLS;
	}
	device_take_iu(uas, data, len);
	slot = find_tag(uas, get_be16(data + IU_TAG));
	if (slot && slot->is_command && slot->task.misdeed == MISDEED_UAS_STALL_COMMAND) {
		slot->stage = STAGE_FREE;
		uas->halted[UAS_PIPE_COMMAND] = true;
		return DEVICE_STALLS;
	}
	*moved = len;
	return target_mood(uas->target) == DEVICE_GONE ? DEVICE_GONE : DEVICE_DONE;
}

/* --- whose turn it is --- */

static bool device_is_due(const struct slot *slot)
{
	return slot->ready_ns <= clock_now_ns();
}

/* The slot that the pipes of STREAM belong to now, in one of STAGES (bits); without streams the one
 * that has the data pipes goes first. */
static struct slot *slot_for(struct uas_device *uas, uint16_t stream, unsigned int stages)
{
	struct slot *best = NULL;

	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &uas->slot[i];

		if (!(stages & 1u << slot->stage) || (stream && slot->tag != stream))
			continue;
		if (!best || (slot->stage == STAGE_DATA) > (best->stage == STAGE_DATA) ||
			((slot->stage == STAGE_DATA) == (best->stage == STAGE_DATA) &&
				slot->ready_ns < best->ready_ns))
			best = slot;
	}
	return best;
}

/* Gives slots whose time has come their next stage. */
static void advance(struct uas_device *uas)
{
	bool data_taken = !has_streams(uas) && slot_for(uas, 0, 1u << STAGE_DATA);

	for (;;) {
		struct slot *slot = NULL;

		for (size_t i = 0; i < SLOTS_MAX; i++) {
			struct slot *s = &uas->slot[i];
			bool has_data = s->task.len > 0 || s->task.wants > 0;

			if (s->stage == STAGE_WAITS && device_is_due(s) &&
				!(has_data && data_taken) &&
				(!slot || s->ready_ns < slot->ready_ns))
				slot = s;
		}
		if (!slot)
			return;
		if (slot->task.len > 0 || slot->task.wants > 0) {
			slot->stage = STAGE_DATA;
			data_taken = !has_streams(uas);
			if (!has_streams(uas) && slot->task.misdeed == MISDEED_UAS_NO_READY)
				slot->stage = STAGE_HUNG;
		} else {
			end_data(slot);
		}
	}
}

/* What the drive answers when it has nothing to give now: DEVICE_LATER when a command is only
 * waiting for its time, DEVICE_SILENT when nothing will come by itself. */
static enum device_answer nothing_yet(struct uas_device *uas, uint16_t stream)
{
	return slot_for(uas, stream, 1u << STAGE_WAITS) ? DEVICE_LATER : DEVICE_SILENT;
}

uint64_t uas_device_ready_ns(const struct uas_device *uas, uint16_t stream)
{
	uint64_t earliest = UINT64_MAX;

	for (size_t i = 0; i < SLOTS_MAX; i++) {
		const struct slot *slot = &uas->slot[i];
		bool waits = slot->stage == STAGE_WAITS ||
			     (slot->stage == STAGE_DATA && !device_is_due(slot));

		if (waits && (!stream || slot->tag == stream))
			earliest = mem_min_u64(earliest, slot->ready_ns);
	}
	return earliest;
}

/* --- the status pipe --- */

static uint16_t tag_of_another(const struct uas_device *uas, const struct slot *slot)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		const struct slot *other = &uas->slot[i];

		if (other != slot && other->stage != STAGE_FREE && other->is_command)
			return other->tag;
	}
	return 0x7777;
}

/* §6.2.5, as its misdeed has it; returns its length. */
static size_t make_sense(const struct uas_device *uas, const struct slot *slot, uint8_t *iu)
{
	iu[IU_ID] = IU_ID_SENSE;
	iu[IU_SENSE_STATUS] = slot->task.status;
	put_be16(iu + IU_SENSE_LENGTH, (uint16_t)slot->sense_len);
	memcpy(iu + IU_SENSE_DATA, slot->sense, slot->sense_len);
	switch (slot->task.misdeed) {
	case MISDEED_UAS_TAG:
		put_be16(iu + IU_TAG, 0x7777);
		break;
	case MISDEED_UAS_OTHER_TAG:
		put_be16(iu + IU_TAG, tag_of_another(uas, slot));
		break;
	case MISDEED_UAS_ID:
		iu[IU_ID] = 0x55;
		break;
	case MISDEED_UAS_LENGTH:
		put_be16(iu + IU_SENSE_LENGTH, 0xffff);
		break;
	case MISDEED_UAS_SHORT:
		return 8;
	case MISDEED_UAS_GARBAGE:
		for (size_t i = 0; i < IU_ROOM; i++)
			iu[i] = (uint8_t)(0x9d * (i + 1));
		return IU_ROOM;
	case MISDEED_UAS_RESPONSE:
		iu[IU_ID] = IU_ID_RESPONSE;
		memset(iu + IU_RESPONSE_INFO, 0, 3);
		iu[IU_RESPONSE_CODE] = (uint8_t)slot->task.number;
		return IU_RESPONSE_LEN;
	default:
		break;
	}
	return IU_SENSE_HEAD + slot->sense_len;
}

static size_t make_iu(const struct uas_device *uas, const struct slot *slot, uint8_t *iu)
{
	memset(iu, 0, IU_ROOM);
	put_be16(iu + IU_TAG, slot->tag);
	if (slot->stage == STAGE_DATA) {
		iu[IU_ID] = slot->task.len > 0 ? IU_ID_READ_READY : IU_ID_WRITE_READY;
		return IU_READY_LEN;
	}
	if (slot->is_command)
		return make_sense(uas, slot, iu);
	iu[IU_ID] = IU_ID_RESPONSE;
	iu[IU_RESPONSE_CODE] = slot->response;
	return IU_RESPONSE_LEN;
}

/* The slot with something for the status pipe. */
static struct slot *status_slot(struct uas_device *uas, uint16_t stream)
{
	struct slot *slot = slot_for(uas, stream, 1u << STAGE_STATUS);

	if (!slot && !has_streams(uas)) {
		slot = slot_for(uas, 0, 1u << STAGE_DATA);
		if (slot && slot->said_ready)
			return NULL;
	}
	return slot;
}

enum device_answer uas_device_status(
	struct uas_device *uas, uint16_t stream, uint8_t *data, size_t len, size_t *moved)
{
	enum device_answer mood = target_mood(uas->target);
	struct slot *slot;
	uint8_t iu[IU_ROOM];
	size_t n;

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	if (uas->halted[UAS_PIPE_STATUS])
		return DEVICE_STALLS;
	advance(uas);
	slot = status_slot(uas, stream);
	if (!slot)
		return nothing_yet(uas, stream);
	if (slot->stage == STAGE_STATUS && slot->is_command &&
		slot->task.misdeed == MISDEED_UAS_STALL_STATUS) {
		slot->task.misdeed = MISDEED_NONE;
		uas->halted[UAS_PIPE_STATUS] = true;
		return DEVICE_STALLS;
	}
	n = make_iu(uas, slot, iu);
	*moved = mem_min_u64(n, len);
	memcpy(data, iu, *moved);
	if (slot->stage == STAGE_DATA)
		slot->said_ready = true;
	else if (slot->again)
		slot->again = false;
	else
		slot->stage = STAGE_FREE;
	return n > len ? DEVICE_BABBLES : DEVICE_DONE;
}

/* --- the data pipes --- */

static struct slot *data_slot(struct uas_device *uas, uint16_t stream, bool in)
{
	struct slot *slot;

	advance(uas);
	slot = slot_for(uas, stream, 1u << STAGE_DATA);
	if (!slot || (slot->task.len > 0) != in || (!has_streams(uas) && !slot->said_ready))
		return NULL;
	return slot;
}

/* The time for which it keeps the data back begins when they are first asked for. */
static bool keeps_back(struct slot *slot)
{
	if (slot->task.misdeed == MISDEED_UAS_DATA_LATE) {
		slot->task.misdeed = MISDEED_NONE;
		slot->ready_ns = clock_now_ns() + slot->task.number * 1000000;
	}
	return !device_is_due(slot);
}

static bool stalls(struct uas_device *uas, struct slot *slot, uint8_t pipe)
{
	if (slot->task.misdeed != MISDEED_UAS_STALL_DATA)
		return uas->halted[pipe];
	slot->task.misdeed = MISDEED_NONE;
	uas->halted[pipe] = true;
	return true;
}

enum device_answer uas_device_in(
	struct uas_device *uas, uint16_t stream, uint8_t *data, size_t len, size_t *moved)
{
	enum device_answer mood = target_mood(uas->target);
	struct slot *slot;

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	slot = data_slot(uas, stream, true);
	if (!slot)
		return uas->halted[UAS_PIPE_DATA_IN] ? DEVICE_STALLS : nothing_yet(uas, stream);
	if (stalls(uas, slot, UAS_PIPE_DATA_IN))
		return DEVICE_STALLS;
	if (keeps_back(slot))
		return DEVICE_LATER;
	*moved = mem_min_u64(slot->task.len - slot->moved, len);
	/* Packets are sent whole: one that does not fit into the transfer is babble. */
	if (slot->moved + *moved < slot->task.len &&
		len % mem_max_u64(descriptors_packet(uas->settings), 1) != 0)
		return DEVICE_BABBLES;
	if (target_data(uas->target, &slot->task, slot->moved, data, *moved) != 0) {
		*moved = 0;
		slot->task.len = slot->moved;
		slot->sense_len = target_autosense(
			uas->target, slot->task.lun, slot->sense, sizeof(slot->sense));
	}
	slot->moved += *moved;
	if (slot->moved == slot->task.len)
		end_data(slot);
	return DEVICE_DONE;
}

enum device_answer uas_device_out(
	struct uas_device *uas, uint16_t stream, const uint8_t *data, size_t len, size_t *moved)
{
	enum device_answer mood = target_mood(uas->target);
	struct slot *slot;

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	slot = data_slot(uas, stream, false);
	if (!slot)
		return uas->halted[UAS_PIPE_DATA_OUT] ? DEVICE_STALLS : nothing_yet(uas, stream);
	if (stalls(uas, slot, UAS_PIPE_DATA_OUT))
		return DEVICE_STALLS;
	*moved = mem_min_u64(slot->task.wants - slot->moved, len);
	target_take(&slot->task, data, *moved);
	slot->moved += *moved;
	if (slot->moved < slot->task.wants)
		return DEVICE_DONE;
	target_taken(uas->target, &slot->task);
	if (slot->task.status != SCSI_STATUS_GOOD)
		slot->sense_len = target_autosense(
			uas->target, slot->task.lun, slot->sense, sizeof(slot->sense));
	end_data(slot);
	return DEVICE_DONE;
}

bool uas_device_halted(const struct uas_device *uas, uint8_t pipe)
{
	return uas->halted[pipe];
}

void uas_device_clear_halt(struct uas_device *uas, uint8_t pipe)
{
	uas->halted[pipe] = false;
}

void uas_device_reset(struct uas_device *uas)
{
	memset(uas->slot, 0, sizeof(uas->slot));
	memset(uas->halted, 0, sizeof(uas->halted));
}

unsigned int uas_device_most_at_once(const struct uas_device *uas)
{
	return uas->most_at_once;
}

struct uas_device *uas_device_new(struct target *target, const struct sim_settings *settings)
{
	struct uas_device *uas = calloc(1, sizeof(*uas));

	if (!uas)
		return NULL;
	uas->target = target;
	uas->settings = settings;
	return uas;
}

void uas_device_free(struct uas_device *uas)
{
	free(uas);
}
