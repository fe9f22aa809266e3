/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Bulk-Only drive does wrong with a command: see script.h.  Here is what it makes of the
 * command and of its CSW; bot_device.c carries that out.
 */
#include "sim/bot_inside.h"

#include "base/bytes.h"
#include "base/mem.h"

/* The thirteen cases (§6.7) are what the host has announced together with what the device intends:
 * with another announcement than that of its name, a misdeed makes another case of the same row. */
void bot_intend(struct bot_device *bot)
{
	struct target_task *task = &bot->task;

	switch (task->misdeed) {
	case MISDEED_CASE_2:
	case MISDEED_CASE_10:
		task->len = mem_max_u64(task->len, TARGET_ANSWER_MAX);
		task->wants = 0;
		break;
	case MISDEED_CASE_3:
	case MISDEED_CASE_8:
	case MISDEED_CASE_13:
		task->wants = bot->host_len + 1;
		break;
	case MISDEED_CASE_4:
		task->len = 0;
		break;
	case MISDEED_CASE_5:
		task->len = mem_min_u64(task->len, bot->host_len) / 2;
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

/* Halts the pipe on which data, or else the CSW, would come next. */
static void stall_before_data(struct bot_device *bot)
{
	bot_halt(bot, bot->host_in || bot->host_len == 0);
	bot->stage = STAGE_STATUS;
}

/* All well at once.  Data that the host sends now would be taken for a CBW: it meets a halt. */
static void leave_data_out(struct bot_device *bot)
{
	bot->csw_status = CSW_STATUS_PASSED;
	bot->relevant = bot->host_len;
	bot->stage = STAGE_STATUS;
	if (!bot->host_in && bot->host_len > 0)
		bot_halt(bot, false);
}

void bot_spoil(struct bot_device *bot)
{
	switch (bot->task.misdeed) {
	case MISDEED_CASE_7:
	case MISDEED_PHASE_ERROR:
		bot->csw_status = CSW_STATUS_PHASE_ERROR;
		break;
	case MISDEED_STALL_BEFORE_DATA:
		stall_before_data(bot);
		break;
	case MISDEED_NO_DATA:
		leave_data_out(bot);
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

static uint32_t residue(const struct bot_device *bot)
{
	if (bot->task.misdeed == MISDEED_RESIDUE)
		return (uint32_t)(bot->host_len - bot->relevant / 2);
	if (bot->task.misdeed == MISDEED_RESIDUE_HUGE)
		return (uint32_t)bot->host_len + 0x1000;
	return (uint32_t)(bot->host_len - bot->relevant);
}

size_t bot_make_csw(const struct bot_device *bot, uint8_t csw[CSW_ROOM])
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
