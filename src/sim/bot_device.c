/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's Bulk-Only state machine: see bot_device.h.  Clauses and case numbers are those of
 * "USB Mass Storage Class, Bulk-Only Transport" 1.0; §6.7 tells the thirteen cases apart by what
 * the host (H) announced in the CBW and what the device (D) intends: none, in, or out.
 */
#include "sim/bot_device.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "proto/bot.h"
#include "proto/scsi.h"

enum stage {
	STAGE_READY,	/* for a CBW */
	STAGE_DATA_IN,	/* data for the host, then the CSW */
	STAGE_DATA_OUT, /* data from the host, which is thrown away, then the CSW */
	STAGE_STATUS,	/* the CSW */
	STAGE_INVALID,	/* an invalid CBW came: all halts until reset recovery */
	STAGE_HUNG,	/* no answer until a reset */
};

struct bot_device {
	struct target *target;
	enum sim_short short_data;
	uint16_t max_packet;
	enum stage stage;
	bool in_halted, out_halted;
	struct target_task task;
	uint8_t cdb[CBW_CDB_MAX];
	uint32_t tag;
	uint64_t host_len; /* dCBWDataTransferLength */
	uint64_t moved;	   /* bytes of the data phase so far */
	uint64_t relevant; /* those of them that count for the residue */
	uint8_t csw_status;
	uint64_t ready_ns;
	unsigned int stalls; /* of the IN pipe that are still to come before the CSW */
	bool empty_first;    /* an empty packet before the CSW */
};

static void halt(struct bot_device *bot, bool in)
{
	*(in ? &bot->in_halted : &bot->out_halted) = true;
}

/* §6.2.1 and §6.2.2: valid and meaningful. */
static bool cbw_is_valid(const uint8_t *cbw, size_t len)
{
	return len == CBW_LEN && get_le32(cbw + CBW_SIGNATURE) == CBW_SIGNATURE_VALUE &&
	       (cbw[CBW_FLAGS] & ~CBW_FLAG_IN) == 0 && cbw[CBW_LUN] < 16 && cbw[CBW_CDB_LEN] >= 1 &&
	       cbw[CBW_CDB_LEN] <= CBW_CDB_MAX;
}

static void phase_error(struct bot_device *bot)
{
	bot->csw_status = CSW_STATUS_PHASE_ERROR;
}

/* The host wants data (Hi): cases 4 to 8. */
static void begin_in(struct bot_device *bot)
{
	if (bot->task.len > bot->host_len)
		phase_error(bot); /* case 7, after the data that fits */
	bot->stage = STAGE_DATA_IN;
}

/* The host has data (Ho): cases 9 to 13. */
static void begin_out(struct bot_device *bot)
{
	if (bot->task.len > 0 || bot->task.wants > bot->host_len)
		phase_error(bot);
	bot->stage = STAGE_DATA_OUT;
	if (bot->task.wants == 0 && bot->short_data == SIM_SHORT_STALL) {
		halt(bot, false);
		bot->stage = STAGE_STATUS;
	}
}

static void begin_data(struct bot_device *bot, bool in)
{
	if (bot->host_len == 0) {
		if (bot->task.len > 0 || bot->task.wants > 0)
			phase_error(bot); /* cases 2 and 3 */
		bot->stage = STAGE_STATUS;
	} else if (in) {
		begin_in(bot);
	} else {
		begin_out(bot);
	}
}

/* What the device intends instead of what its command says. */
static void intend(struct bot_device *bot)
{
	struct target_task *task = &bot->task;

	switch (task->misdeed) {
	case MISDEED_CASE_2:
	case MISDEED_CASE_10:
		task->len = TARGET_ANSWER_MAX;
		task->wants = 0;
		break;
	case MISDEED_CASE_3:
	case MISDEED_CASE_13:
		task->wants = bot->host_len + 1;
		break;
	case MISDEED_CASE_4:
		task->len = 0;
		break;
	case MISDEED_CASE_5:
		task->len = bot->host_len / 2;
		break;
	case MISDEED_CASE_9:
		task->wants = 0;
		break;
	case MISDEED_CASE_11:
		task->wants = bot->host_len / 2;
		break;
	default:
		break;
	}
}

/* Misdeeds of the data phase, once it is clear what would come. */
static void spoil_data(struct bot_device *bot)
{
	switch (bot->task.misdeed) {
	case MISDEED_CASE_7:
	case MISDEED_PHASE_ERROR:
		phase_error(bot);
		break;
	case MISDEED_CASE_8:
		phase_error(bot);
		halt(bot, true);
		bot->stage = STAGE_STATUS;
		break;
	case MISDEED_STALL_BEFORE_DATA:
		halt(bot, true);
		bot->stage = STAGE_STATUS;
		break;
	case MISDEED_NO_DATA:
		bot->relevant = bot->host_len;
		bot->stage = STAGE_STATUS;
		break;
	case MISDEED_STALL_AFTER_DATA:
		bot->stalls = 1;
		break;
	case MISDEED_STALL_CSW_TWICE:
		bot->stalls = 2;
		break;
	case MISDEED_CSW_EMPTY:
		bot->empty_first = true;
		break;
	default:
		break;
	}
}

static void begin(struct bot_device *bot, const uint8_t *cbw)
{
	bot->tag = get_le32(cbw + CBW_TAG);
	bot->host_len = get_le32(cbw + CBW_DATA_LEN);
	bot->moved = 0;
	bot->relevant = 0;
	bot->stalls = 0;
	bot->empty_first = false;
	memcpy(bot->cdb, cbw + CBW_CDB, CBW_CDB_MAX);
	bot->task.lun = cbw[CBW_LUN];
	bot->task.cdb = bot->cdb;
	bot->task.cdb_len = cbw[CBW_CDB_LEN];
	target_exec(bot->target, &bot->task);
	bot->csw_status =
		bot->task.status == SCSI_STATUS_GOOD ? CSW_STATUS_PASSED : CSW_STATUS_FAILED;
	bot->ready_ns = bot->task.delay_ns ? clock_now_ns() + bot->task.delay_ns : 0;
	if (bot->task.fate == TARGET_HANGS) {
		bot->stage = STAGE_HUNG;
		return;
	}
	intend(bot);
	begin_data(bot, cbw[CBW_FLAGS] & CBW_FLAG_IN);
	spoil_data(bot);
}

static enum device_answer refuse_cbw(struct bot_device *bot)
{
	bot->stage = STAGE_INVALID;
	halt(bot, true);
	halt(bot, false);
	return DEVICE_STALLS;
}

/* Data from the host is accepted as far as it is wanted, and thrown away; what nobody wants too, or
 * the pipe halts at it (cases 9 and 11). */
static enum device_answer drain(struct bot_device *bot, size_t len, size_t *moved)
{
	uint64_t wanted = mem_min_u64(bot->task.wants, bot->host_len);
	uint64_t most = bot->short_data == SIM_SHORT_STALL && wanted > 0 ? wanted : bot->host_len;

	*moved = mem_min_u64(len, most - bot->moved);
	bot->moved += *moved;
	bot->relevant = mem_min_u64(bot->moved, wanted);
	if (bot->moved == bot->host_len || *moved % bot->max_packet != 0)
		bot->stage = STAGE_STATUS;
	if (*moved == len)
		return DEVICE_DONE;
	halt(bot, false);
	bot->stage = STAGE_STATUS;
	return DEVICE_STALLS;
}

enum device_answer bot_device_out(
	struct bot_device *bot, const uint8_t *data, size_t len, size_t *moved)
{
	enum device_answer mood = target_mood(bot->target);

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	if (bot->stage == STAGE_HUNG)
		return DEVICE_SILENT;
	if (bot->out_halted)
		return DEVICE_STALLS;
	if (bot->stage == STAGE_DATA_OUT)
		return drain(bot, len, moved);
	/* A CBW before the CSW was fetched is not valid either (§6.2.1). */
	if (bot->stage != STAGE_READY || !cbw_is_valid(data, len))
		return refuse_cbw(bot);
	begin(bot, data);
	if (bot->task.misdeed == MISDEED_STALL_CBW) {
		bot->stage = STAGE_READY;
		halt(bot, false);
		return DEVICE_STALLS;
	}
	*moved = len;
	return target_mood(bot->target) == DEVICE_GONE ? DEVICE_GONE : DEVICE_DONE;
}

static uint32_t residue(const struct bot_device *bot)
{
	if (bot->task.misdeed == MISDEED_RESIDUE)
		return (uint32_t)(bot->host_len - bot->relevant / 2);
	if (bot->task.misdeed == MISDEED_RESIDUE_HUGE)
		return (uint32_t)bot->host_len + 0x1000;
	return (uint32_t)(bot->host_len - bot->relevant);
}

/* Makes the CSW (14 bytes of room), as its misdeed has it; returns its length. */
static size_t make_csw(const struct bot_device *bot, uint8_t *csw)
{
	put_le32(csw + CSW_SIGNATURE, CSW_SIGNATURE_VALUE);
	put_le32(csw + CSW_TAG, bot->tag);
	put_le32(csw + CSW_RESIDUE, residue(bot));
	csw[CSW_STATUS] = bot->csw_status;
	csw[CSW_LEN] = 0;
	switch (bot->task.misdeed) {
	case MISDEED_CSW_SIGNATURE:
		put_le32(csw + CSW_SIGNATURE, CSW_SIGNATURE_VALUE ^ 0x20202020);
		break;
	case MISDEED_CSW_TAG:
		put_le32(csw + CSW_TAG, bot->tag + 0x100);
		break;
	case MISDEED_CSW_STATUS:
		csw[CSW_STATUS] = 0x05;
		break;
	case MISDEED_CSW_GARBAGE:
		for (size_t i = 0; i < CSW_LEN; i++)
			csw[i] = (uint8_t)(0x9d * (i + 1) + bot->tag);
		break;
	case MISDEED_CSW_SHORT:
		return CSW_LEN - 1;
	case MISDEED_CSW_LONG:
		return CSW_LEN + 1;
	default:
		break;
	}
	return CSW_LEN;
}

static enum device_answer send_csw(struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	uint8_t csw[CSW_LEN + 1];
	size_t n = make_csw(bot, csw);

	*moved = mem_min_u64(len, n);
	memcpy(data, csw, *moved);
	bot->stage = STAGE_READY;
	return len < n ? DEVICE_BABBLES : DEVICE_DONE;
}

/* What comes in place of the CSW, or before it. */
static enum device_answer send_status(
	struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	if (bot->stalls > 0) {
		bot->stalls--;
		halt(bot, true);
		return DEVICE_STALLS;
	}
	if (bot->empty_first) {
		bot->empty_first = false;
		return DEVICE_DONE;
	}
	if (bot->task.misdeed == MISDEED_CSW_MISSING) {
		bot->stage = STAGE_HUNG;
		return DEVICE_SILENT;
	}
	if (bot->task.misdeed == MISDEED_CSW_LATE && bot->task.number > 0) {
		bot->ready_ns = clock_now_ns() + bot->task.number * 1000000;
		bot->task.number = 0;
		return DEVICE_LATER;
	}
	return send_csw(bot, data, len, moved);
}

/* The device has less than the host wants, and a transfer of LEN bytes, *MOVED of them sent, to
 * end: cases 4 and 5. */
static enum device_answer end_short(
	struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	size_t pad;

	switch (bot->short_data) {
	case SIM_SHORT_STALL:
		halt(bot, true);
		bot->stage = STAGE_STATUS;
		/* A short packet ends this transfer well; the host meets the halt in the next. */
		return *moved % bot->max_packet != 0 ? DEVICE_DONE : DEVICE_STALLS;
	case SIM_SHORT_PAD:
		pad = mem_min_u64(len - *moved, bot->host_len - bot->moved);
		memset(data + *moved, 0, pad);
		*moved += pad;
		bot->moved += pad;
		if (bot->moved == bot->host_len)
			bot->stage = STAGE_STATUS;
		return DEVICE_DONE;
	case SIM_SHORT_SKIP:
		if (bot->moved == 0)
			return send_csw(bot, data, len, moved);
		break;
	case SIM_SHORT_PACKET:
		break;
	}
	bot->stage = STAGE_STATUS;
	return DEVICE_DONE;
}

static enum device_answer send_data(
	struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	uint64_t left = mem_min_u64(bot->task.len, bot->host_len) - bot->relevant;
	size_t part;

	if (bot->task.misdeed == MISDEED_STALL_IN_DATA)
		left /= 2;
	part = mem_min_u64(left, len);

	if (part > 0 && target_data(bot->target, &bot->task, bot->relevant, data, part) != 0) {
		bot->csw_status = CSW_STATUS_FAILED;
		bot->task.len = bot->relevant;
		left = 0;
		part = 0;
	}
	*moved = part;
	bot->moved += part;
	bot->relevant += part;
	left -= part;
	if (bot->moved == bot->host_len) {
		bot->stage = STAGE_STATUS;
		return DEVICE_DONE;
	}
	if (bot->task.misdeed == MISDEED_STALL_IN_DATA) {
		halt(bot, true);
		bot->stage = STAGE_STATUS;
		return DEVICE_STALLS;
	}
	/* Packets are sent whole: one that does not fit into the transfer is babble. */
	if (left > 0)
		return len % bot->max_packet != 0 ? DEVICE_BABBLES : DEVICE_DONE;
	return part < len ? end_short(bot, data, len, moved) : DEVICE_DONE;
}

enum device_answer bot_device_in(struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	enum device_answer mood = target_mood(bot->target);

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	if (bot->stage == STAGE_HUNG)
		return DEVICE_SILENT;
	if (bot->in_halted)
		return DEVICE_STALLS;
	if (bot->ready_ns > clock_now_ns())
		return DEVICE_LATER;
	if (bot->stage == STAGE_DATA_IN)
		return send_data(bot, data, len, moved);
	if (bot->stage == STAGE_STATUS)
		return send_status(bot, data, len, moved);
	return DEVICE_SILENT;
}

uint64_t bot_device_ready_ns(const struct bot_device *bot)
{
	return bot->ready_ns;
}

bool bot_device_halted(const struct bot_device *bot, bool in)
{
	return in ? bot->in_halted : bot->out_halted;
}

void bot_device_clear_halt(struct bot_device *bot, bool in)
{
	if (bot->stage != STAGE_INVALID)
		*(in ? &bot->in_halted : &bot->out_halted) = false;
}

void bot_device_class_reset(struct bot_device *bot)
{
	bot->stage = STAGE_READY;
	bot->ready_ns = 0;
}

void bot_device_reset(struct bot_device *bot)
{
	bot_device_class_reset(bot);
	bot->in_halted = false;
	bot->out_halted = false;
}

struct bot_device *bot_device_new(
	struct target *target, const struct sim_settings *settings, uint16_t max_packet)
{
	struct bot_device *bot = calloc(1, sizeof(*bot));

	if (!bot)
		return NULL;
	bot->target = target;
	bot->short_data = (enum sim_short)settings->short_data;
	bot->max_packet = max_packet ? max_packet : 1; /* a descriptor that says 0 */
	bot->stage = STAGE_READY;
	return bot;
}

void bot_device_free(struct bot_device *bot)
{
	free(bot);
}
