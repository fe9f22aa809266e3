/* SPDX-License-Identifier: BSD-2-Clause */
/* A scripted link with a UAS drive behind it: see uaslink.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/aid/uaslink.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/scsi.h"
#include "proto/uas.h"

enum { COMMAND_PIPE = 0x04, STATUS_PIPE = 0x83, DATA_IN = 0x81, DATA_OUT = 0x02 };

static struct uaslink *uaslink_of(struct link *link)
{
	return (struct uaslink *)link;
}

static void surprise(struct uaslink *fake, const char *what)
{
	if (!fake->surprise)
		fake->surprise = what;
}

static void note(struct uaslink *fake, const char *word, unsigned int number, bool hex)
{
	size_t len = strlen(fake->log);
	char *at = fake->log + len;
	size_t room = sizeof(fake->log) - len;

	snprintf(at, room,
		hex	 ? "%s%s%02x"
		: number ? "%s%s%u"
			 : "%s%s",
		len ? " " : "", word, number);
}

/* --- the link --- */

/* The drive has taken an IU. */
static void take_iu(struct uaslink *fake, const uint8_t *iu)
{
	uint16_t tag = get_be16(iu + IU_TAG);

	if (tag == 0 || tag > 31)
		surprise(fake, "a tag out of range");
	else if (fake->held & 1u << tag)
		surprise(fake, "a tag that the drive still holds");
	if (iu[IU_ID] == IU_ID_COMMAND) {
		fake->command_tag = tag;
		fake->held |= 1u << tag;
		note(fake, "C", 0, false);
		return;
	}
	fake->managed_tag = tag;
	if (iu[IU_TMF_FUNCTION] == UAS_TMF_ABORT_TASK &&
		get_be16(iu + IU_TMF_TASK_TAG) != fake->command_tag)
		surprise(fake, "an abort of another task");
	note(fake, iu[IU_TMF_FUNCTION] == UAS_TMF_ABORT_TASK ? "A" : "R", 0, false);
}

static enum link_result fake_submit(struct link *link, struct link_transfer *transfer)
{
	struct uaslink *fake = uaslink_of(link);

	if (++fake->submits == fake->refuse_at)
		return fake->refusal;
	if (fake->n == UASLINK_PENDING) {
		surprise(fake, "too many transfers");
		return LINK_IO;
	}
	if (transfer->endpoint == COMMAND_PIPE)
		take_iu(fake, transfer->data);
	transfer->moved = 0;
	fake->cancelled[fake->n] = false;
	fake->pending[fake->n++] = transfer;
	return LINK_OK;
}

static struct link_transfer *take_out(struct uaslink *fake, size_t i)
{
	struct link_transfer *transfer = fake->pending[i];

	fake->n--;
	for (; i < fake->n; i++) {
		fake->pending[i] = fake->pending[i + 1];
		fake->cancelled[i] = fake->cancelled[i + 1];
	}
	return transfer;
}

static struct link_transfer *take_on(struct uaslink *fake, uint8_t endpoint, uint16_t stream)
{
	for (size_t i = 0; i < fake->n; i++) {
		if (fake->pending[i]->endpoint == endpoint && fake->pending[i]->stream == stream)
			return take_out(fake, i);
	}
	surprise(fake, "no transfer for what the script says comes next");
	return NULL;
}

static void fill_answer(struct uaslink *fake, const struct step *step, uint8_t *iu, uint16_t tag)
{
	bool bad = step->code == SCSI_STATUS_CHECK_CONDITION;

	iu[IU_ID] = IU_ID_SENSE;
	put_be16(iu + IU_TAG, (uint16_t)(step->act == ANSWER_TAG ? 999 : tag));
	iu[IU_SENSE_STATUS] = step->code;
	put_be16(iu + IU_SENSE_LENGTH, step->act == ANSWER_LIES ? 0xffff : bad ? UASLINK_SENSE : 0);
	iu[IU_SENSE_DATA] = 0x70;
	iu[IU_SENSE_DATA + 2] = 3;
	if (step->act != ANSWER_TAG)
		fake->held &= ~(1u << tag);
}

/* Bytes for the status pipe; returns how many. */
static size_t fill_status(struct uaslink *fake, const struct step *step, uint8_t *iu)
{
	bool managed = step->act == MANAGED || step->act == MANAGED_BAD;
	uint16_t tag = managed ? fake->managed_tag : fake->command_tag;

	memset(iu, 0, IU_SENSE_HEAD + UASLINK_SENSE);
	put_be16(iu + IU_TAG, tag);
	switch (step->act) {
	case RESPONSE:
	case MANAGED:
		iu[IU_ID] = IU_ID_RESPONSE;
		iu[IU_RESPONSE_CODE] = step->code;
		/* Done: what it was about is not held any more. */
		if (step->act == MANAGED &&
			(step->code == UAS_RC_TMF_COMPLETE || step->code == UAS_RC_TMF_SUCCEEDED))
			fake->held = 0;
		return IU_RESPONSE_LEN;
	case READY:
	case READY_OTHER:
		iu[IU_ID] =
			(step->act == READY) == fake->write ? IU_ID_WRITE_READY : IU_ID_READ_READY;
		return IU_READY_LEN;
	case NOISE:
		iu[IU_ID] = 0x77;
		return IU_SENSE_HEAD;
	default:
		fill_answer(fake, step, iu, tag);
		return IU_SENSE_HEAD +
		       (step->code == SCSI_STATUS_CHECK_CONDITION ? UASLINK_SENSE : 0);
	}
}

static struct link_transfer *step_transfer(struct uaslink *fake, const struct step *step)
{
	bool streams = fake->streams > 0;
	bool managed = step->act == MANAGED || step->act == MANAGED_BAD;
	uint16_t tag = managed ? fake->managed_tag : fake->command_tag;

	if (step->act == SENT)
		return take_on(fake, COMMAND_PIPE, 0);
	if (step->act == DATA)
		return take_on(fake, fake->write ? DATA_OUT : DATA_IN, streams ? tag : 0);
	return take_on(fake, STATUS_PIPE, streams ? tag : 0);
}

static struct link_transfer *do_step(struct uaslink *fake)
{
	const struct step *step = fake->step++;
	struct link_transfer *transfer = step_transfer(fake, step);

	if (!transfer)
		return NULL;
	transfer->result = step->result;
	transfer->moved = step->moved;
	if (step->act == SENT && step->result == LINK_OK && step->moved == 0)
		transfer->moved = transfer->len;
	else if (step->act == DATA && transfer->endpoint == DATA_IN)
		memset(transfer->data, 0xda, step->moved);
	else if (step->act > DATA && step->act != STATUS) {
		size_t len = fill_status(fake, step, transfer->data);

		transfer->moved = step->moved ? step->moved : len;
	}
	return transfer;
}

static struct link_transfer *fake_reap(struct link *link, struct deadline deadline)
{
	struct uaslink *fake = uaslink_of(link);
	bool silent = fake->step->act == END || fake->step->act == SILENCE;

	for (size_t i = 0; i < fake->n && fake->step->act != DATA; i++) {
		if (fake->cancelled[i]) {
			fake->pending[i]->result = LINK_TIMEOUT;
			return take_out(fake, i);
		}
	}
	if (!silent)
		return do_step(fake);
	if (fake->step->act == SILENCE)
		fake->step++;
	while (deadline_left_ms(deadline) > 0)
		clock_sleep_ms(deadline_left_ms(deadline));
	return NULL;
}

static void fake_cancel(struct link *link, struct link_transfer *transfer)
{
	struct uaslink *fake = uaslink_of(link);

	for (size_t i = 0; i < fake->n; i++)
		fake->cancelled[i] |= fake->pending[i] == transfer;
}

static enum link_result fake_clear(struct link *link, uint8_t endpoint)
{
	note(uaslink_of(link), "h", endpoint, true);
	return LINK_OK;
}

static enum link_result fake_alternate(struct link *link, uint8_t alternate)
{
	struct uaslink *fake = uaslink_of(link);

	fake->alternate = alternate;
	note(fake, "S", alternate, false);
	return LINK_OK;
}

static unsigned int fake_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints)
{
	struct uaslink *fake = uaslink_of(link);
	unsigned int granted = fake->streams < wanted ? fake->streams : wanted;

	assert_int_equal(n_endpoints, 3);
	for (size_t i = 0; i < n_endpoints; i++)
		assert_int_not_equal(endpoint[i], COMMAND_PIPE);
	note(fake, "T", granted, false);
	return granted;
}

static enum link_result fake_reset(struct link *link)
{
	struct uaslink *fake = uaslink_of(link);

	if (fake->n > 0)
		surprise(fake, "a port reset over transfers under way");
	fake->held = 0;
	fake->alternate = 0;
	note(fake, "P", 0, false);
	return fake->reset_result;
}

static void fake_close(struct link *link)
{
	if (uaslink_of(link)->n > 0)
		surprise(uaslink_of(link), "closed over transfers under way");
}

static const struct link_ops fake_ops = {
	.name = "script",
	.clear_halt = fake_clear,
	.set_alternate = fake_alternate,
	.alloc_streams = fake_streams,
	.submit = fake_submit,
	.reap = fake_reap,
	.cancel = fake_cancel,
	.reset = fake_reset,
	.close = fake_close,
};

/* UAS at alternate setting 1 of one that has Bulk-Only at 0. */
static const uint8_t config[] = {
	9, 2, 121, 0, 1, 1, 0, 0x80, 50,			     /* configuration */
	9, 4, 0, 0, 2, 8, 6, 0x50, 0,				     /* BOT */
	7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15, 0, 0, 0,		     /* in */
	7, 5, 0x02, 2, 0, 4, 0, 6, 0x30, 15, 0, 0, 0,		     /* out */
	9, 4, 0, 1, 4, 8, 6, 0x62, 0,				     /* UAS */
	7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15, 5, 0, 0, 4, 0x24, 3, 0, /* data in */
	7, 5, 0x02, 2, 0, 4, 0, 6, 0x30, 15, 5, 0, 0, 4, 0x24, 4, 0, /* data out */
	7, 5, 0x83, 2, 0, 4, 0, 6, 0x30, 15, 5, 0, 0, 4, 0x24, 2, 0, /* status */
	7, 5, 0x04, 2, 0, 4, 0, 6, 0x30, 0, 0, 0, 0, 4, 0x24, 1, 0,  /* command */
};

void uaslink_init(struct uaslink *fake, unsigned int streams, const struct step *step)
{
	*fake = (struct uaslink){
		.link = {.ops = &fake_ops,
			.config_descriptor = config,
			.config_len = sizeof(config),
			.speed = streams ? LINK_SPEED_SUPER : LINK_SPEED_HIGH,
			.max_transfer_bytes = 1 << 20},
		.streams = streams,
		.step = step,
	};
}

bool uaslink_uses(const struct uaslink *fake, const void *data)
{
	for (size_t i = 0; i < fake->n; i++) {
		if (fake->pending[i]->data == data)
			return true;
	}
	return false;
}
