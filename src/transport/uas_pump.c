/* SPDX-License-Identifier: BSD-2-Clause */
/* UAS transfers: begun, reaped by whoever is the pump, handed to their slot.  See uas.h. */
#include "transport/uas.h"

#include <string.h>

#include "base/mem.h"

#define GRACE_MS 500

/* --- the end of a slot --- */

static void cancel(struct uas *uas, struct link_transfer *transfer, bool busy)
{
	if (busy)
		uas->link->ops->cancel(uas->link, transfer);
}

static void settle(struct uas *uas, struct uas_slot *slot)
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
	cancel(uas, &slot->out, slot->out_busy);
	cancel(uas, &slot->in, slot->in_busy);
	/* Data that the status has overtaken on its way up here is about to come, on a stream; from
	 * a pipe for all it has been taken, or what comes is another's. */
	if (!good || !uas->streams)
		cancel(uas, &slot->data, slot->data_busy);
	settle(uas, slot);
	pthread_cond_broadcast(&uas->changed);
}

static void all_gone(struct uas *uas)
{
	uas->gone = true;
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++)
		uas_end(uas, &uas->slot[i], UAS_GONE);
}

static void broken(
	struct uas *uas, struct uas_slot *slot, const char *what, enum link_result result)
{
	if (!slot->ended) {
		slot->what = what;
		slot->result = result;
	}
	uas_end(uas, slot, UAS_BROKEN);
}

static void note_halt(struct uas *uas, const struct link_transfer *transfer)
{
	if (transfer->result != LINK_STALL ||
		memchr(uas->stalled, transfer->endpoint, uas->n_stalled))
		return;
	if (uas->n_stalled < sizeof(uas->stalled))
		uas->stalled[uas->n_stalled++] = transfer->endpoint;
}

/* TRANSFER has ended otherwise than well. */
static void failed(struct uas *uas, struct uas_slot *slot, const struct link_transfer *transfer,
	const char *what)
{
	if (transfer->result == LINK_GONE) {
		all_gone(uas);
		return;
	}
	note_halt(uas, transfer);
	broken(uas, slot, what, transfer->result);
}

/* --- beginning --- */

static void submit(struct uas *uas, struct uas_slot *slot, struct link_transfer *transfer,
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
		all_gone(uas);
	else if (result == LINK_NO_MEMORY)
		uas_end(uas, slot, UAS_NO_MEMORY);
	else
		broken(uas, slot, what, result);
}

static void begin_data(struct uas *uas, struct uas_slot *slot)
{
	const struct command *command = slot->command;
	bool in = command->direction == TRANSFER_IN;

	slot->data = (struct link_transfer){
		.endpoint = in ? uas->data_in : uas->data_out,
		.stream = uas->streams ? slot->tag : 0,
		.data = command->data,
		.len = command->data_len,
	};
	submit(uas, slot, &slot->data, &slot->data_busy, "moving data");
}

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

static bool awaits_data(const struct uas_slot *slot)
{
	return slot->state == UAS_BUSY && slot->ready && !slot->data.endpoint && !slot->ended &&
	       !slot->timed_out;
}

/* Without streams: begins the data phase that the drive has asked for.  It has left the last one
 * then: a transfer of that which has not been reaped has ended, or never will. */
static void next_data(struct uas *uas)
{
	struct uas_slot *next = NULL;
	bool busy = false;

	for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
		if (awaits_data(&uas->slot[i]))
			next = &uas->slot[i];
	}
	for (size_t i = 0; next && i < UAS_SLOTS_MAX; i++) {
		busy = busy || uas->slot[i].data_busy;
		cancel(uas, &uas->slot[i].data, uas->slot[i].data_busy);
	}
	if (next && !busy)
		begin_data(uas, next);
}

/* The status pipe, when it has no streams: one transfer for all. */
static void begin_shared(struct uas *uas, struct uas_slot *slot)
{
	if (uas->shared_busy)
		return;
	uas->shared = (struct link_transfer){
		.endpoint = uas->status_in,
		.data = uas->shared_iu,
		.len = sizeof(uas->shared_iu),
	};
	submit(uas, slot, &uas->shared, &uas->shared_busy, "reading the status pipe");
}

static void begin_status(struct uas *uas, struct uas_slot *slot)
{
	if (!uas->streams) {
		begin_shared(uas, slot);
		return;
	}
	slot->in = (struct link_transfer){
		.endpoint = uas->status_in,
		.stream = slot->tag,
		.data = slot->status_iu,
		.len = sizeof(slot->status_iu),
	};
	submit(uas, slot, &slot->in, &slot->in_busy, "reading the status pipe");
}

void uas_begin(struct uas *uas, struct uas_slot *slot, size_t len)
{
	begin_status(uas, slot);
	/* With streams the device takes the data when it wants; without, it says when (§6.2.3). */
	if (uas->streams && slot->command && slot->command->data_len > 0)
		begin_data(uas, slot);
	slot->out = (struct link_transfer){
		.endpoint = uas->command_out, .data = slot->command_iu, .len = len};
	submit(uas, slot, &slot->out, &slot->out_busy, "sending the command");
	slot->sent = slot->out_busy;
}

/* --- what has come --- */

static void take_sense(struct uas *uas, struct uas_slot *slot, const struct uas_iu *iu)
{
	if (!slot->command) {
		broken(uas, slot, "a SENSE IU for a task management function", LINK_OK);
		return;
	}
	slot->status = iu->status;
	slot->sense_len = mem_min_u64(iu->sense_len, sizeof(slot->sense));
	memcpy(slot->sense, iu->sense, slot->sense_len);
	uas_end(uas, slot, UAS_ANSWERED);
}

static void take_ready(struct uas *uas, struct uas_slot *slot, const struct uas_iu *iu)
{
	enum transfer_direction direction = iu->id == IU_ID_READ_READY ? TRANSFER_IN : TRANSFER_OUT;

	if (uas->streams || !slot->command || slot->command->direction != direction ||
		slot->ready) {
		broken(uas, slot, "a READY IU where none may come", LINK_OK);
		return;
	}
	slot->ready = true;
	next_data(uas);
}

static void take_iu(struct uas *uas, struct uas_slot *slot, const struct uas_iu *iu)
{
	switch (iu->id) {
	case IU_ID_SENSE:
		take_sense(uas, slot, iu);
		break;
	case IU_ID_RESPONSE:
		slot->response = iu->response;
		if (slot->command)
			broken(uas, slot, uas_response_name(iu->response), LINK_OK);
		else
			uas_end(uas, slot, UAS_ANSWERED);
		break;
	default:
		take_ready(uas, slot, iu);
		break;
	}
}

static struct uas_slot *slot_of_tag(struct uas *uas, uint16_t tag)
{
	if (tag == uas->n_slots + 1)
		return &uas->slot[UAS_MANAGEMENT];
	return tag > 0 && tag <= uas->n_slots ? &uas->slot[tag - 1] : NULL;
}

/* The only one that waits, if there is only one. */
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

/* Without streams: whose it is, its tag says.  What comes late for a command that has ended is
 * passed over; so is what belongs to nobody, unless it can be only one's. */
static void take_unit(struct uas *uas)
{
	struct uas_slot *only = only_busy(uas), *slot;
	struct uas_iu iu;

	if (!uas_get_iu(uas->shared_iu, uas->shared.moved, &iu)) {
		if (only)
			broken(uas, only, "a status that is none", LINK_OK);
		return;
	}
	slot = slot_of_tag(uas, iu.tag);
	if (slot && slot->state == UAS_BUSY && !slot->ended)
		take_iu(uas, slot, &iu);
	else if (!slot && only)
		broken(uas, only, "a status with a wrong tag", LINK_OK);
}

static void take_shared(struct uas *uas)
{
	uas->shared_busy = false;
	if (uas->shared.result == LINK_TIMEOUT)
		return;
	if (uas->shared.result != LINK_OK) {
		for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
			if (uas->slot[i].state == UAS_BUSY && !uas->slot[i].ended)
				failed(uas, &uas->slot[i], &uas->shared, "reading the status pipe");
		}
		return;
	}
	take_unit(uas);
	for (size_t i = 0; i < UAS_SLOTS_MAX && !uas->shared_busy; i++) {
		if (uas->slot[i].state == UAS_BUSY && !uas->slot[i].ended)
			begin_shared(uas, &uas->slot[i]);
	}
}

static void take_status(struct uas *uas, struct uas_slot *slot)
{
	struct uas_iu iu;

	slot->in_busy = false;
	if (slot->ended)
		return;
	if (slot->in.result != LINK_OK)
		failed(uas, slot, &slot->in, "reading the status pipe");
	else if (!uas_get_iu(slot->status_iu, slot->in.moved, &iu))
		broken(uas, slot, "a status that is none", LINK_OK);
	else if (iu.tag != slot->tag)
		broken(uas, slot, "a status with a wrong tag", LINK_OK);
	else
		take_iu(uas, slot, &iu);
}

/* The drive has asked for another's data phase while SLOT's was not over: some of the data may have
 * gone where they do not belong. */
static void mixed_up(struct uas *uas, struct uas_slot *slot)
{
	broken(uas, slot, "its data phase did not end before another's", LINK_OK);
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
		if (awaits_data(&uas->slot[i]))
			broken(uas, &uas->slot[i], "another's data phase had not ended", LINK_OK);
	}
}

/* Data that end badly behind their status: a good one does not hold for them, and more than was
 * asked for is no answer at all. */
static void take_data(struct uas *uas, struct uas_slot *slot)
{
	const struct link_transfer *data = &slot->data;

	slot->data_busy = false;
	slot->data_moved = mem_min_u64(data->moved, data->len);
	if (is_whole(data))
		return;
	if (!slot->ended && data->result == LINK_TIMEOUT) {
		mixed_up(uas, slot);
		return;
	}
	if (!slot->ended || data->result == LINK_GONE) {
		failed(uas, slot, data, "moving data");
		return;
	}
	note_halt(uas, data);
	if (slot->end != UAS_ANSWERED || data->result == LINK_TIMEOUT)
		return;
	if (slot->status == SCSI_STATUS_GOOD || data->result == LINK_OVERFLOW) {
		slot->end = UAS_BROKEN;
		slot->what = "moving data";
		slot->result = data->result;
	}
}

static void take(struct uas *uas, struct link_transfer *transfer)
{
	struct uas_slot *slot = transfer->context;

	if (transfer == &uas->shared) {
		take_shared(uas);
		return;
	}
	if (transfer == &slot->in) {
		take_status(uas, slot);
	} else if (transfer == &slot->out) {
		slot->out_busy = false;
		if (!slot->ended &&
			(transfer->result != LINK_OK || transfer->moved != transfer->len))
			failed(uas, slot, transfer, "sending the command");
	} else {
		take_data(uas, slot);
		next_data(uas);
	}
	settle(uas, slot);
}

/* --- the pump --- */

/* With the lock held: lets go of it while waiting. */
static void pump_once(struct uas *uas, struct deadline deadline)
{
	struct link_transfer *transfer;

	uas->pumping = true;
	pthread_mutex_unlock(&uas->lock);
	transfer = uas->link->ops->reap(uas->link, deadline);
	pthread_mutex_lock(&uas->lock);
	uas->pumping = false;
	if (transfer)
		take(uas, transfer);
	pthread_cond_broadcast(&uas->changed);
}

static void wait_change(struct uas *uas, struct deadline deadline)
{
	if (uas->pumping)
		clock_wait_until(&uas->changed, &uas->lock, deadline.at_ns);
	else
		pump_once(uas, deadline);
}

#define LONG_MS 1000

bool uas_wait(struct uas *uas, struct uas_slot *slot, struct deadline deadline)
{
	while (slot->state == UAS_BUSY) {
		if (!slot->ended) {
			if (deadline_left_ms(deadline) == 0)
				return false;
			wait_change(uas, deadline);
		} else if (slot->data_busy && deadline_left_ms(slot->grace) == 0) {
			cancel(uas, &slot->data, true);
			wait_change(uas, deadline_in_ms(LONG_MS));
		} else {
			wait_change(uas, slot->data_busy ? slot->grace : deadline_in_ms(LONG_MS));
		}
	}
	return true;
}

void uas_quiesce(struct uas *uas)
{
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++)
		uas_wait(uas, &uas->slot[i], deadline_in_ms(LONG_MS));
	while (uas->shared_busy) {
		cancel(uas, &uas->shared, true);
		wait_change(uas, deadline_in_ms(LONG_MS));
	}
}
