/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done about a UAS command that is not answered, or whose exchange broke.  The mildest cure
 * that works is taken: ABORT TASK ends that command alone; LOGICAL UNIT RESET ends all commands; a
 * reset of the port ends everything on the device.  Commands of other threads that are ended on the
 * way were not at fault; they get OUTCOME_ABORTED, and are sent again by those who sent them.
 */
#include "transport/uas.h"

#include <string.h>

#define TMF_MS 3000

/* One task management function (§7.9): true when the device says that it is done. */
static bool recovery_manage(struct uas *uas, uint8_t function, uint16_t task_tag)
{
	struct uas_slot *slot = &uas->slot[UAS_MANAGEMENT];
	bool done;
	size_t len;

	memset(slot, 0, sizeof(*slot));
	slot->state = UAS_BUSY;
	slot->tag = (uint16_t)(uas->n_slots + 1);
	len = uas_put_tmf(slot->command_iu, slot->tag, uas->lun, function, task_tag);
	uas_begin(uas, slot, len);
	if (!uas_wait(uas, slot, deadline_in_ms(TMF_MS))) {
		uas_end(uas, slot, UAS_CANCELLED);
		uas_wait(uas, slot, deadline_in_ms(TMF_MS));
	}
	done = slot->end == UAS_ANSWERED &&
	       (slot->response == UAS_RC_TMF_COMPLETE || slot->response == UAS_RC_TMF_SUCCEEDED);
	slot->state = UAS_FREE;
	return done;
}

void uas_clear_halts(struct uas *uas)
{
	while (uas->n_stalled > 0)
		uas->link->ops->clear_halt(uas->link, uas->stalled[--uas->n_stalled]);
}

/* Ends all commands.  CULPRIT, whose fault it was, ends as broken (if it has not ended already),
 * the others as cancelled, so that they can be told apart. */
static void recovery_end_all(struct uas *uas, struct uas_slot *culprit)
{
	uas_end(uas, culprit, UAS_BROKEN);
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++)
		uas_end(uas, &uas->slot[i], UAS_CANCELLED);
	uas_quiesce(uas);
	uas->epoch++;
}

static bool recovery_reset_port(struct uas *uas)
{
	struct err ignored;

	uas->n_stalled = 0;
	return uas->link->ops->reset(uas->link) == LINK_OK && uas_configure(uas, &ignored) == 0;
}

/* True when SLOT has ended and no other has. */
static bool recovery_abort_task(struct uas *uas, struct uas_slot *slot)
{
	uas_clear_halts(uas);
	if (!recovery_manage(uas, UAS_TMF_ABORT_TASK, slot->tag) || uas_in_data(uas, slot))
		return false;
	uas_end(uas, slot, UAS_BROKEN);
	uas_wait(uas, slot, deadline_in_ms(TMF_MS));
	return true;
}

static bool any_in_data(const struct uas *uas)
{
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++) {
		if (uas->slot[i].state == UAS_BUSY && uas_in_data(uas, &uas->slot[i]))
			return true;
	}
	return false;
}

/* True when all have ended on the drive's side, and nothing is left in the pipes. */
static bool recovery_reset_unit(struct uas *uas)
{
	if (any_in_data(uas))
		return false;
	uas_clear_halts(uas);
	return recovery_manage(uas, UAS_TMF_LOGICAL_UNIT_RESET, 0) && !any_in_data(uas);
}

static void recovery_climb(struct uas *uas, struct uas_slot *slot)
{
	bool done;

	if (!uas_in_data(uas, slot) && recovery_abort_task(uas, slot))
		return;
	done = !uas->gone && !uas_in_data(uas, slot) && recovery_reset_unit(uas);
	recovery_end_all(uas, slot);
	if (!done && !uas->gone && !recovery_reset_port(uas))
		uas->gone = true;
}

bool uas_is_amiss(const struct uas_slot *slot)
{
	return slot->state == UAS_BUSY || slot->end == UAS_BROKEN ||
	       (slot->end == UAS_NO_MEMORY && slot->sent);
}

void uas_recover(struct uas *uas, struct uas_slot *slot)
{
	/* Another's recovery may end this one as well. */
	while (uas->recovering) {
		if (!uas->pumping && slot->state == UAS_BUSY)
			uas_wait(uas, slot, deadline_in_ms(1));
		else
			pthread_cond_wait(&uas->changed, &uas->lock);
	}
	if (uas_is_amiss(slot)) {
		uas->recovering = true;
		recovery_climb(uas, slot);
		uas->recovering = false;
	}
	pthread_cond_broadcast(&uas->changed);
}
