/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's Bulk-Only state machine: see bot_device.h.  Clauses and case numbers are those of
 * "USB Mass Storage Class, Bulk-Only Transport" 1.0; §6.7 tells the thirteen cases apart by what
 * the host (H) announced in the CBW and what the device (D) intends: none, in, or out.
 */
#include "sim/bot_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "proto/scsi.h"

void bot_halt(struct bot_device *bot, bool in)
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
	if (bot->task.len > bot->host_len || bot->task.wants > 0)
		phase_error(bot); /* case 7, after the data that fits */
	bot->stage = STAGE_DATA_IN;
	if (bot->task.wants > 0) {
		bot_halt(bot, true); /* case 8 */
		bot->stage = STAGE_STATUS;
	}
}

/* The host has data (Ho): cases 9 to 13. */
static void begin_out(struct bot_device *bot)
{
	if (bot->task.len > 0 || bot->task.wants > bot->host_len)
		phase_error(bot);
	bot->stage = STAGE_DATA_OUT;
	if (bot->task.wants == 0 && bot->short_data == SIM_SHORT_STALL) {
		bot_halt(bot, false);
		bot->stage = STAGE_STATUS;
	}
}

static void bot_begin_data(struct bot_device *bot)
{
	if (bot->host_len == 0) {
		if (bot->task.len > 0 || bot->task.wants > 0)
			phase_error(bot); /* cases 2 and 3 */
		bot->stage = STAGE_STATUS;
	} else if (bot->host_in) {
		begin_in(bot);
	} else {
		begin_out(bot);
	}
}

static void bot_begin(struct bot_device *bot, const uint8_t *cbw)
{
	bot->tag = get_le32(cbw + CBW_TAG);
	bot->host_len = get_le32(cbw + CBW_DATA_LEN);
	bot->host_in = cbw[CBW_FLAGS] & CBW_FLAG_IN;
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
	bot_intend(bot);
	bot_begin_data(bot);
	bot_spoil(bot);
}

static enum device_answer refuse_cbw(struct bot_device *bot)
{
	bot->stage = STAGE_INVALID;
	bot_halt(bot, true);
	bot_halt(bot, false);
	return DEVICE_STALLS;
}

/* How much of what the host sends is taken before the pipe halts, in whole packets. */
static uint64_t most_taken(const struct bot_device *bot)
{
	uint64_t most = bot->host_len;

	if (bot->task.misdeed == MISDEED_STALL_IN_DATA)
		most /= 2;
	else if (bot->short_data == SIM_SHORT_STALL && bot->task.wants > 0)
		most = mem_min_u64(bot->task.wants, most);
	most += bot->max_packet - 1u;
	return mem_min_u64(most - most % bot->max_packet, bot->host_len);
}

static void end_out(struct bot_device *bot)
{
	bot->stage = STAGE_STATUS;
	target_taken(bot->target, &bot->task);
	if (bot->task.status != SCSI_STATUS_GOOD && bot->csw_status == CSW_STATUS_PASSED)
		bot->csw_status = CSW_STATUS_FAILED;
}

/* Data from the host is accepted as far as it is wanted; what nobody wants is thrown away, or the
 * pipe halts at it (cases 9 and 11). */
static enum device_answer bot_drain(
	struct bot_device *bot, const uint8_t *data, size_t len, size_t *moved)
{
	uint64_t relevant;

	*moved = mem_min_u64(len, most_taken(bot) - bot->moved);
	bot->moved += *moved;
	relevant = mem_min_u64(bot->moved, bot->task.wants);
	target_take(&bot->task, data, relevant - bot->relevant);
	bot->relevant = relevant;
	if (*moved < len)
		bot_halt(bot, false);
	if (*moved < len || bot->moved == bot->host_len || *moved % bot->max_packet != 0)
		end_out(bot);
	return *moved < len ? DEVICE_STALLS : DEVICE_DONE;
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
		return bot_drain(bot, data, len, moved);
	/* A CBW before the CSW was fetched is not valid either (§6.2.1). */
	if (bot->stage != STAGE_READY || !cbw_is_valid(data, len))
		return refuse_cbw(bot);
	bot_begin(bot, data);
	if (bot->task.misdeed == MISDEED_STALL_CBW) {
		bot->stage = STAGE_READY;
		bot_halt(bot, false);
		return DEVICE_STALLS;
	}
	*moved = len;
	return target_mood(bot->target) == DEVICE_GONE ? DEVICE_GONE : DEVICE_DONE;
}

static enum device_answer send_csw(struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	uint8_t csw[CSW_ROOM];
	size_t n = bot_make_csw(bot, csw);

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
		bot_halt(bot, true);
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
	bool stalls = bot->task.misdeed == MISDEED_STALL_IN_DATA;
	size_t pad;

	switch (stalls ? SIM_SHORT_STALL : bot->short_data) {
	case SIM_SHORT_STALL:
		bot_halt(bot, true);
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
		bot->stage = STAGE_STATUS;
		return bot->moved == 0 ? send_status(bot, data, len, moved) : DEVICE_DONE;
	case SIM_SHORT_PACKET:
		break;
	}
	bot->stage = STAGE_STATUS;
	return DEVICE_DONE;
}

/* How much the device will send, of what it has. */
static uint64_t most_sent(const struct bot_device *bot)
{
	uint64_t most = mem_min_u64(bot->task.len, bot->host_len);

	return bot->task.misdeed == MISDEED_STALL_IN_DATA ? most / 2 : most;
}

static enum device_answer send_data(
	struct bot_device *bot, uint8_t *data, size_t len, size_t *moved)
{
	uint64_t left = most_sent(bot) - bot->relevant;
	size_t part = mem_min_u64(left, len);

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
