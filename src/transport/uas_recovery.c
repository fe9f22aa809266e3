/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder for a UAS command that is not answered, or whose exchange broke: ABORT TASK, which
 * leaves the others alone; LOGICAL UNIT RESET; a reset of the port.  Whatever ends the others on
 * the way says so to them: they were not at fault.
 */
#include "transport/uas.h"

#include <string.h>

#define TMF_MS 3000

/* One task management function (§7.9): true when the device says that it is done. */
static bool manage(struct uas *uas, uint8_t function, uint16_t task_tag)
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

/* Everything under way ends; CULPRIT as it has ended already, or as timed out. */
static void end_all(struct uas *uas, struct uas_slot *culprit)
{
	uas_end(uas, culprit, UAS_BROKEN);
	for (size_t i = 0; i < UAS_SLOTS_MAX; i++)
		uas_end(uas, &uas->slot[i], UAS_CANCELLED);
	uas_quiesce(uas);
	uas->epoch++;
}

static bool reset_port(struct uas *uas)
{
	struct err ignored;

	uas->n_stalled = 0;
	return uas->link->ops->reset(uas->link) == LINK_OK && uas_configure(uas, &ignored) == 0;
}

/* True when SLOT has ended and no other has. */
static bool abort_task(struct uas *uas, struct uas_slot *slot)
{
	uas_clear_halts(uas);
	if (!manage(uas, UAS_TMF_ABORT_TASK, slot->tag) || uas_in_data(uas, slot))
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
static bool reset_unit(struct uas *uas)
{
	if (any_in_data(uas))
		return false;
	uas_clear_halts(uas);
	return manage(uas, UAS_TMF_LOGICAL_UNIT_RESET, 0) && !any_in_data(uas);
}

static void climb(struct uas *uas, struct uas_slot *slot)
{
	bool done;

	if (!uas_in_data(uas, slot) && abort_task(uas, slot))
		return;
	done = !uas->gone && !uas_in_data(uas, slot) && reset_unit(uas);
	end_all(uas, slot);
	if (!done && !uas->gone && !reset_port(uas))
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
		climb(uas, slot);
		uas->recovering = false;
	}
	pthread_cond_broadcast(&uas->changed);
}
