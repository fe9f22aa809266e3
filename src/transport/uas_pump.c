/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The USB transfers of UAS commands.  A command needs up to three: its command IU goes out, its
 * status comes in, and its data move.  This file begins them, waits for them to end, and works out
 * from them how the command (its slot, see uas.h) has ended.
 *
 * Waiting is done by one of the threads that have a command under way; that thread is the pump
 * (pump_once).  It reaps the transfers of all commands, not only its own, and wakes the others when
 * something has changed for them.
 *
 * A slot ends in two steps.  First it is known how the command ended (slot->ended); then those of
 * its transfers that are not needed any more are cancelled, and only when the link has handed back
 * the last of them is the slot DONE: until then the link may still write into the caller's buffer.
 */
#include "transport/uas.h"

#include <string.h>

#include "base/mem.h"

/* How long data may still take when the status that follows them has come first. */
#define GRACE_MS 500

/* --- the end of a slot --- */

static void pump_cancel(struct uas *uas, struct link_transfer *transfer, bool busy)
{
	if (busy)
		uas->link->ops->cancel(uas->link, transfer);
}

/* SLOT is DONE if it has ended and the link has handed back all of its transfers. */
static void pump_settle(struct uas *uas, struct uas_slot *slot)
{
	if (slot->state != UAS_BUSY || !slot->ended || slot->out_busy || slot->in_busy ||
		slot->data_busy)
		return;
	slot->state = UAS_DONE;
	pthread_cond_broadcast(&uas->changed);
}

void uas_end(struct uas *uas, struct uas_slot *slot, enum uas_end end)
{
	bool good = end == UAS_ANSWERED && slot->status == SCSI_STATUS_GOOD;

	if (slot->state != UAS_BUSY || slot->ended)
		return;
	slot->ended = true;
	slot->end = end;
	slot->grace = deadline_in_ms(good && uas->streams ? GRACE_MS : 0);
	pump_cancel(uas, &slot->out, slot->out_busy);
	pump_cancel(uas, &slot->in, slot->in_busy);
	/*
	 * The status may have come before the data, although the drive sent the data first: the
	 * host controller hands transfers of different endpoints up in any order.  With streams
	 * nobody else's data can come on this one, so good data get GRACE_MS to arrive.  Without
	 * streams the data pipe is shared; the drive is done with this command, and what comes
	 * next on the pipe belongs to another one, so the transfer must not stay there.
	 */
	if (!good || !uas->streams)
		pump_cancel(uas, &slot->data, slot->data_busy);
	pump_settle(uas, slot);
	pthread_cond_broadcast(&uas->changed);
}

static void pump_all_gone(struct uas *uas)
{
	uas->gone = true;
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++)
		uas_end(uas, &uas->slot[i], UAS_GONE);
}

/* SLOT's exchange broke, for the reason WHAT; RESULT is the transfer's, LINK_OK when none failed.
 * Of several reasons the first is reported. */
static void pump_exchange_broke(
	struct uas *uas, struct uas_slot *slot, const char *what, enum link_result result)
{
	if (!slot->ended) {
		slot->what = what;
		slot->result = result;
	}
	uas_end(uas, slot, UAS_BROKEN);
}

/* Remembers that TRANSFER's endpoint has halted: it must be cleared before it is used again, but
 * not while transfers are under way on it. */
static void pump_note_halt(struct uas *uas, const struct link_transfer *transfer)
{
	if (transfer->result != LINK_STALL ||
		memchr(uas->stalled, transfer->endpoint, uas->n_stalled))
		return;
	if (uas->n_stalled < sizeof(uas->stalled))
		uas->stalled[uas->n_stalled++] = transfer->endpoint;
}

/* TRANSFER of SLOT has failed while WHAT was done. */
static void pump_transfer_failed(struct uas *uas, struct uas_slot *slot,
	const struct link_transfer *transfer, const char *what)
{
	if (transfer->result == LINK_GONE) {
		pump_all_gone(uas);
		return;
	}
	pump_note_halt(uas, transfer);
	pump_exchange_broke(uas, slot, what, transfer->result);
}

/* --- beginning --- */

/* Begins TRANSFER for SLOT, unless the slot has ended.  *BUSY says afterwards whether it is under
 * way; when it is not, the slot has ended for that reason. */
static void pump_submit(struct uas *uas, struct uas_slot *slot, struct link_transfer *transfer,
	bool *busy, const char *what)
{
	enum link_result result;

	if (slot->ended)
		return;
	transfer->context = slot;
	result = uas->link->ops->submit(uas->link, transfer);
	*busy = result == LINK_OK;
	if (*busy)
		return;
	transfer->result = result;
	if (result == LINK_GONE)
		pump_all_gone(uas);
	else if (result == LINK_NO_MEMORY)
		uas_end(uas, slot, UAS_NO_MEMORY);
	else
		pump_exchange_broke(uas, slot, what, result);
}

static void pump_begin_data(struct uas *uas, struct uas_slot *slot)
{
	const struct command *command = slot->command;
	bool in = command->direction == TRANSFER_IN;

	slot->data = (struct link_transfer){
		.endpoint = in ? uas->data_in : uas->data_out,
		.stream = uas->streams ? slot->tag : 0,
		.data = command->data,
		.len = command->data_len,
	};
	pump_submit(uas, slot, &slot->data, &slot->data_busy, "moving data");
}

/* All that was to be moved has moved.  A transfer can be cancelled and yet be whole, when the last
 * bytes came just before. */
static bool is_whole(const struct link_transfer *transfer)
{
	return transfer->result == LINK_OK ||
	       (transfer->result == LINK_TIMEOUT && transfer->moved == transfer->len);
}

bool uas_in_data(const struct uas *uas, const struct uas_slot *slot)
{
	return !uas->streams && slot->ready &&
	       (!slot->data.endpoint || slot->data_busy || !is_whole(&slot->data));
}

/* The drive has asked for SLOT's data phase (READ READY or WRITE READY), which has not begun. */
static bool awaits_data(const struct uas_slot *slot)
{
	return slot->state == UAS_BUSY && slot->ready && !slot->data.endpoint && !slot->ended &&
	       !slot->timed_out;
}

/*
 * Without streams: begins the data phase that the drive has asked for.
 *
 * A drive that asks for one has finished the data phase before it.  So if a transfer of the earlier
 * one is still under way here, either it has ended and has only not been reaped yet, or the drive
 * has sent less than was asked for and it would wait for ever, and would take the next command's
 * data.  Cancelling is right in both cases: one that has ended stays as it ended.  Its end brings
 * the pump here again, and then nothing is busy any more.
 */
static void pump_next_data(struct uas *uas)
{
	struct uas_slot *next = NULL;
	bool busy = false;

	for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
		if (awaits_data(&uas->slot[i]))
			next = &uas->slot[i];
	}
	for (size_t i = 0; next && i < UAS_SLOTS_MAX; i++) {
		busy = busy || uas->slot[i].data_busy;
		pump_cancel(uas, &uas->slot[i].data, uas->slot[i].data_busy);
	}
	if (next && !busy)
		pump_begin_data(uas, next);
}

/* Without streams the statuses of all commands come on one pipe: one transfer waits for the next
 * status, whosever it is.  SLOT is the one that needs it, and ends if it cannot be begun. */
static void pump_begin_shared(struct uas *uas, struct uas_slot *slot)
{
	if (uas->shared_busy)
		return;
	uas->shared = (struct link_transfer){
		.endpoint = uas->status_in,
		.data = uas->shared_iu,
		.len = sizeof(uas->shared_iu),
	};
	pump_submit(uas, slot, &uas->shared, &uas->shared_busy, "reading the status pipe");
}

static void pump_begin_status(struct uas *uas, struct uas_slot *slot)
{
	if (!uas->streams) {
		pump_begin_shared(uas, slot);
		return;
	}
	slot->in = (struct link_transfer){
		.endpoint = uas->status_in,
		.stream = slot->tag,
		.data = slot->status_iu,
		.len = sizeof(slot->status_iu),
	};
	pump_submit(uas, slot, &slot->in, &slot->in_busy, "reading the status pipe");
}

void uas_begin(struct uas *uas, struct uas_slot *slot, size_t len)
{
	/* The status is waited for before the command is sent, so that it cannot come too early. */
	pump_begin_status(uas, slot);
	/* With streams the drive moves the data when it wants, so the transfer has to be there;
	 * without, it says when it is ready for them (§6.2.3). */
	if (uas->streams && slot->command && slot->command->data_len > 0)
		pump_begin_data(uas, slot);
	slot->out = (struct link_transfer){
		.endpoint = uas->command_out, .data = slot->command_iu, .len = len};
	pump_submit(uas, slot, &slot->out, &slot->out_busy, "sending the command");
	slot->sent = slot->out_busy;
}

/* --- what has come --- */

static void pump_take_sense(struct uas *uas, struct uas_slot *slot, const struct uas_iu *iu)
{
	if (!slot->command) {
		pump_exchange_broke(
			uas, slot, "a SENSE IU for a task management function", LINK_OK);
		return;
	}
	slot->status = iu->status;
	slot->sense_len = mem_min_u64(iu->sense_len, sizeof(slot->sense));
	memcpy(slot->sense, iu->sense, slot->sense_len);
	uas_end(uas, slot, UAS_ANSWERED);
}

static void pump_take_ready(struct uas *uas, struct uas_slot *slot, const struct uas_iu *iu)
{
	enum transfer_direction direction = iu->id == IU_ID_READ_READY ? TRANSFER_IN : TRANSFER_OUT;

	if (uas->streams || !slot->command || slot->command->direction != direction ||
		slot->ready) {
		pump_exchange_broke(uas, slot, "a READY IU where none may come", LINK_OK);
		return;
	}
	slot->ready = true;
	pump_next_data(uas);
}

static void pump_take_iu(struct uas *uas, struct uas_slot *slot, const struct uas_iu *iu)
{
	switch (iu->id) {
	case IU_ID_SENSE:
		pump_take_sense(uas, slot, iu);
		break;
	case IU_ID_RESPONSE:
		slot->response = iu->response;
		if (slot->command)
			pump_exchange_broke(uas, slot, uas_response_name(iu->response), LINK_OK);
		else
			uas_end(uas, slot, UAS_ANSWERED);
		break;
	default:
		pump_take_ready(uas, slot, iu);
		break;
	}
}

static struct uas_slot *slot_of_tag(struct uas *uas, uint16_t tag)
{
	if (tag == uas->n_slots + 1)
		return &uas->slot[UAS_MANAGEMENT];
	return tag > 0 && tag <= uas->n_slots ? &uas->slot[tag - 1] : NULL;
}

/* The slot that waits for a status, if there is exactly one; else NULL. */
static struct uas_slot *only_busy(struct uas *uas)
{
	struct uas_slot *found = NULL;

	for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
		if (uas->slot[i].state != UAS_BUSY || uas->slot[i].ended)
			continue;
		if (found)
			return NULL;
		found = &uas->slot[i];
	}
	return found;
}

/*
 * Without streams: takes the IU that has come on the shared status pipe to the slot that its tag
 * names.  An IU for a slot that has ended comes late and is passed over.  One that is damaged, or
 * has a tag that was never given, belongs to nobody that could be named; but if only one command is
 * waiting it can only have been meant for that, which would otherwise wait until its deadline.
 */
static void pump_take_unit(struct uas *uas)
{
	struct uas_slot *only = only_busy(uas), *slot;
	struct uas_iu iu;

	if (!uas_get_iu(uas->shared_iu, uas->shared.moved, &iu)) {
		if (only)
			pump_exchange_broke(uas, only, "a status that is none", LINK_OK);
		return;
	}
	slot = slot_of_tag(uas, iu.tag);
	if (slot && slot->state == UAS_BUSY && !slot->ended)
		pump_take_iu(uas, slot, &iu);
	else if (!slot && only)
		pump_exchange_broke(uas, only, "a status with a wrong tag", LINK_OK);
}

/* The transfer on the shared status pipe has ended.  One that was cancelled says nothing of
 * anybody; one that failed would have brought a status to any of those that wait, so all of them
 * end. */
static void pump_take_shared(struct uas *uas)
{
	uas->shared_busy = false;
	if (uas->shared.result == LINK_TIMEOUT)
		return;
	if (uas->shared.result != LINK_OK) {
		for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
			if (uas->slot[i].state == UAS_BUSY && !uas->slot[i].ended)
				pump_transfer_failed(uas, &uas->slot[i], &uas->shared,
					"reading the status pipe");
		}
		return;
	}
	pump_take_unit(uas);
	for (size_t i = 0; i < UAS_SLOTS_MAX && !uas->shared_busy; i++) {
		if (uas->slot[i].state == UAS_BUSY && !uas->slot[i].ended)
			pump_begin_shared(uas, &uas->slot[i]);
	}
}

/* With streams: the transfer on SLOT's own stream of the status pipe has ended. */
static void pump_take_status(struct uas *uas, struct uas_slot *slot)
{
	struct uas_iu iu;

	slot->in_busy = false;
	if (slot->ended)
		return;
	if (slot->in.result != LINK_OK)
		pump_transfer_failed(uas, slot, &slot->in, "reading the status pipe");
	else if (!uas_get_iu(slot->status_iu, slot->in.moved, &iu))
		pump_exchange_broke(uas, slot, "a status that is none", LINK_OK);
	else if (iu.tag != slot->tag)
		pump_exchange_broke(uas, slot, "a status with a wrong tag", LINK_OK);
	else
		pump_take_iu(uas, slot, &iu);
}

/*
 * SLOT's data transfer was cancelled before all its bytes had come, because the drive had gone on
 * to another command's data phase (pump_next_data).  Bytes of the other command may already have
 * been taken as SLOT's, so neither can be believed, and both end as broken.
 */
static void pump_mixed_up(struct uas *uas, struct uas_slot *slot)
{
	pump_exchange_broke(uas, slot, "its data phase did not end before another's", LINK_OK);
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
		if (awaits_data(&uas->slot[i]))
			pump_exchange_broke(
				uas, &uas->slot[i], "another's data phase had not ended", LINK_OK);
	}
}

/*
 * SLOT's data transfer has ended.  If it failed before the status came, the command has broken.  If
 * it failed after the status, the status decides: GOOD cannot be true of data that did not arrive,
 * so the command has broken all the same, while CHECK CONDITION stands as it is.  More data than
 * were asked for (overflow) makes any answer worthless.
 */
static void pump_take_data(struct uas *uas, struct uas_slot *slot)
{
	const struct link_transfer *data = &slot->data;

	slot->data_busy = false;
	slot->data_moved = mem_min_u64(data->moved, data->len);
	if (is_whole(data))
		return;
	if (!slot->ended && data->result == LINK_TIMEOUT) {
		pump_mixed_up(uas, slot);
		return;
	}
	if (!slot->ended || data->result == LINK_GONE) {
		pump_transfer_failed(uas, slot, data, "moving data");
		return;
	}
	pump_note_halt(uas, data);
	if (slot->end != UAS_ANSWERED || data->result == LINK_TIMEOUT)
		return;
	if (slot->status == SCSI_STATUS_GOOD || data->result == LINK_OVERFLOW) {
		slot->end = UAS_BROKEN;
		slot->what = "moving data";
		slot->result = data->result;
	}
}

/* The link has handed back TRANSFER, which is one of those that a slot has begun. */
static void pump_take(struct uas *uas, struct link_transfer *transfer)
{
	struct uas_slot *slot = transfer->context;

	if (transfer == &uas->shared) {
		pump_take_shared(uas);
		return;
	}
	if (transfer == &slot->in) {
		pump_take_status(uas, slot);
	} else if (transfer == &slot->out) {
		slot->out_busy = false;
		if (!slot->ended &&
			(transfer->result != LINK_OK || transfer->moved != transfer->len))
			pump_transfer_failed(uas, slot, transfer, "sending the command");
	} else {
		pump_take_data(uas, slot);
		pump_next_data(uas);
	}
	pump_settle(uas, slot);
}

/* --- the pump --- */

/* Waits for the end of one transfer, whosever it is, and takes it to its slot.  The lock is held
 * before and after, and not during the wait, so that others can begin commands meanwhile. */
static void pump_once(struct uas *uas, struct deadline deadline)
{
	struct link_transfer *transfer;

	uas->pumping = true;
	pthread_mutex_unlock(&uas->lock);
	transfer = uas->link->ops->reap(uas->link, deadline);
	pthread_mutex_lock(&uas->lock);
	uas->pumping = false;
	if (transfer)
		pump_take(uas, transfer);
	pthread_cond_broadcast(&uas->changed);
}

/* Waits until something may have changed, at most until DEADLINE: as the pump when there is none,
 * else for the pump. */
static void pump_wait_change(struct uas *uas, struct deadline deadline)
{
	if (uas->pumping)
		clock_wait_until(&uas->changed, &uas->lock, deadline.at_ns);
	else
		pump_once(uas, deadline);
}

/* Transfers that have been cancelled come back soon, so no time is set for that; it is only looked
 * again now and then. */
#define LONG_MS 1000

bool uas_wait(struct uas *uas, struct uas_slot *slot, struct deadline deadline)
{
	while (slot->state == UAS_BUSY) {
		if (!slot->ended) {
			if (deadline_left_ms(deadline) == 0)
				return false;
			pump_wait_change(uas, deadline);
		} else if (slot->data_busy && deadline_left_ms(slot->grace) == 0) {
			pump_cancel(uas, &slot->data, true);
			pump_wait_change(uas, deadline_in_ms(LONG_MS));
		} else {
			pump_wait_change(
				uas, slot->data_busy ? slot->grace : deadline_in_ms(LONG_MS));
		}
	}
	return true;
}

void uas_quiesce(struct uas *uas)
{
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++)
		uas_wait(uas, &uas->slot[i], deadline_in_ms(LONG_MS));
	while (uas->shared_busy) {
		pump_cancel(uas, &uas->shared, true);
		pump_wait_change(uas, deadline_in_ms(LONG_MS));
	}
}
