/* SPDX-License-Identifier: BSD-2-Clause */
/* USB Attached SCSI over a link: see uas.h for how it works. */
#include "transport/uas.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proto/usb.h"
#include "usb/budget.h"
#include "usb/quirk.h"

#define TRANSFER_SUPER (1u << 20)
#define TRANSFER_HIGH  (512u << 10)

static int no_setting(struct err *err, const char *missing)
{
	return err_set(err, ERR_USAGE, "its UAS setting has no %s pipe", missing);
}

static int find_pipes(struct uas *uas, struct err *err)
{
	const struct link *link = uas->link;
	const struct usb_alternate *alternate = NULL;
	struct usb_interface interface;
	struct usb_uas_pipes pipes;
	const char *missing;

	if (usb_interface_parse(
		    link->config_descriptor, link->config_len, link->interface, &interface))
		alternate = usb_alternate_for(&interface, USB_PROTOCOL_UAS);
	if (!alternate)
		return err_set(err, ERR_USAGE, "interface %u does not offer UAS", link->interface);
	missing = usb_uas_pipes(alternate, &pipes);
	if (missing)
		return no_setting(err, missing);
	uas->alternate = alternate->number;
	uas->command_out = pipes.command->address;
	uas->status_in = pipes.status->address;
	uas->data_in = pipes.data_in->address;
	uas->data_out = pipes.data_out->address;
	uas->may_stream = link->speed >= LINK_SPEED_SUPER && pipes.status->max_streams > 0 &&
			  pipes.data_in->max_streams > 0 && pipes.data_out->max_streams > 0;
	return 0;
}

int uas_configure(struct uas *uas, struct err *err)
{
	const uint8_t endpoints[] = {uas->status_in, uas->data_in, uas->data_out};
	struct link *link = uas->link;
	unsigned int slots = UAS_SLOTS_MAX;

	if (link->ops->set_alternate(link, uas->alternate) != LINK_OK)
		return err_set(err, ERR_OTHER, "cannot choose alternate setting %u for UAS",
			uas->alternate);
	uas->streams = 0;
	if (uas->may_stream && link->ops->alloc_streams)
		uas->streams =
			link->ops->alloc_streams(link, UAS_SLOTS_MAX, endpoints, sizeof(endpoints));
	/* At SuperSpeed the device waits for transfers on its streams (§5.2.3). */
	if (link->speed >= LINK_SPEED_SUPER && uas->streams < 2)
		return err_set(err, ERR_OTHER,
			"UAS at SuperSpeed needs bulk streams, and there are none: the host "
			"controller or its driver offers no streams, or the drive has none");
	if (uas->streams > 0)
		slots = (unsigned int)mem_min_u64(uas->streams, UAS_SLOTS_MAX);
	uas->n_slots = slots - 1;
	return 0;
}

static size_t uas_transfer_limit(const struct uas *uas)
{
	size_t most = uas->link->speed >= LINK_SPEED_SUPER ? TRANSFER_SUPER : TRANSFER_HIGH;

	most = quirk_transfer_limit(uas->transport.quirks, most);
	return mem_min_u64(most, uas->link->max_transfer_bytes);
}

/* --- one command --- */

static struct uas_slot *free_slot(struct uas *uas)
{
	for (size_t i = 0; i < uas->n_slots; i++) {
		if (uas->slot[i].state == UAS_FREE)
			return &uas->slot[i];
	}
	return NULL;
}

/* With the lock held: a slot, or NULL when the drive is gone or DEADLINE has passed. */
static struct uas_slot *wait_for_slot(struct uas *uas, struct deadline deadline)
{
	while (!uas->gone && deadline_left_ms(deadline) > 0) {
		struct uas_slot *slot = uas->recovering ? NULL : free_slot(uas);

		if (slot)
			return slot;
		clock_wait_until(&uas->changed, &uas->lock, deadline.at_ns);
	}
	return NULL;
}

static void uas_start_command(struct uas *uas, struct uas_slot *slot, const struct command *command)
{
	size_t len;

	memset(slot, 0, sizeof(*slot));
	slot->state = UAS_BUSY;
	slot->tag = (uint16_t)(slot - uas->slot + 1);
	slot->command = command;
	len = uas_put_command(
		slot->command_iu, slot->tag, uas->lun, command->cdb, command->cdb_len);
	uas_begin(uas, slot, len);
}

static int uas_fill_reply(const struct uas_slot *slot, struct reply *reply)
{
	reply->outcome = OUTCOME_DONE;
	reply->status = slot->status;
	reply->moved = slot->data_moved;
	reply->sense_len = slot->sense_len;
	memcpy(reply->sense, slot->sense, slot->sense_len);
	return 0;
}

static int failure(
	const struct uas *uas, const struct uas_slot *slot, struct reply *reply, struct err *err)
{
	if (uas->gone || slot->end == UAS_GONE) {
		reply->outcome = OUTCOME_GONE;
		return err_set(
			err, ERR_GONE, "the drive has left the bus, or does not answer a reset");
	}
	if (slot->timed_out) {
		reply->outcome = OUTCOME_TIMED_OUT;
		return err_set(err, ERR_OTHER, "no answer in time; the command was aborted");
	}
	if (slot->end == UAS_CANCELLED) {
		reply->outcome = OUTCOME_ABORTED;
		return err_set(err, ERR_OTHER, "ended by a reset that was not its own");
	}
	if (slot->end == UAS_NO_MEMORY) {
		reply->outcome = OUTCOME_NOT_SENT;
		return err_set(err, ERR_NO_MEMORY, "%s", budget_advice());
	}
	reply->outcome = OUTCOME_BROKEN;
	return err_set(err, ERR_OTHER, "%s%s%s; the command was aborted",
		slot->what ? slot->what : "the exchange broke", slot->result != LINK_OK ? ": " : "",
		slot->result != LINK_OK ? link_result_name(slot->result) : "");
}

static int uas_run_command(
	struct uas *uas, const struct command *command, struct reply *reply, struct err *err)
{
	struct uas_slot *slot = wait_for_slot(uas, command->deadline);
	int r;

	if (!slot) {
		reply->outcome = uas->gone ? OUTCOME_GONE : OUTCOME_NOT_SENT;
		return err_set(err, uas->gone ? ERR_GONE : ERR_OTHER,
			uas->gone ? "the drive has left the bus" : "its queue stayed full");
	}
	uas_start_command(uas, slot, command);
	slot->timed_out = !uas_wait(uas, slot, command->deadline);
	/* One that another's reset has ended waits for the end of that: the drive may be gone. */
	if (uas_is_amiss(slot) || slot->end == UAS_CANCELLED)
		uas_recover(uas, slot);
	else if (!uas->recovering)
		uas_clear_halts(uas);
	r = slot->end == UAS_ANSWERED && !uas->gone ? uas_fill_reply(slot, reply)
						    : failure(uas, slot, reply, err);
	slot->state = UAS_FREE;
	pthread_cond_broadcast(&uas->changed);
	return r;
}

static int uas_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err)
{
	struct uas *uas = (struct uas *)transport;
	int r;

	pthread_mutex_lock(&uas->lock);
	r = uas_run_command(uas, command, reply, err);
	reply->reset_epoch = uas->epoch;
	pthread_mutex_unlock(&uas->lock);
	return r;
}

static void uas_close(struct transport *transport)
{
	struct uas *uas = (struct uas *)transport;

	pthread_mutex_lock(&uas->lock);
	uas_quiesce(uas);
	pthread_mutex_unlock(&uas->lock);
	/* As it was when we came: whoever drives it next chooses for himself. */
	if (uas->alternate != 0 && !uas->gone)
		uas->link->ops->set_alternate(uas->link, 0);
	uas->link->ops->close(uas->link);
	pthread_cond_destroy(&uas->changed);
	pthread_mutex_destroy(&uas->lock);
	free(uas);
}

static const struct transport_ops transport_uas = {
	.name = "uas",
	.exec = uas_exec,
	.close = uas_close,
};

static int uas_setup(struct uas *uas, struct err *err)
{
	if (!uas->link->ops->submit || !uas->link->ops->reap || !uas->link->ops->cancel)
		return err_set(err, ERR_USAGE, "UAS is not possible over %s", uas->link->ops->name);
	return find_pipes(uas, err) ? -1 : uas_configure(uas, err);
}

struct transport *transport_uas_open(
	struct link *link, uint8_t lun, uint32_t quirks, struct err *err)
{
	struct uas *uas = calloc(1, sizeof(*uas));

	if (!uas) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	uas->link = link;
	uas->lun = lun;
	uas->transport.ops = &transport_uas;
	uas->transport.quirks = quirks;
	uas->transport.max_cdb_len = TRANSPORT_CDB_MAX;
	uas->transport.max_transfer_bytes = uas_transfer_limit(uas);
	if (uas_setup(uas, err) < 0) {
		free(uas);
		return NULL;
	}
	uas->transport.depth = uas->n_slots;
	pthread_mutex_init(&uas->lock, NULL);
	clock_cond_init(&uas->changed);
	return &uas->transport;
}
