/* SPDX-License-Identifier: BSD-2-Clause */
/* A transport with faults at exactly chosen places: see faketransport.h. */
#include "tests/aid/faketransport.h"

#include "base/bytes.h"
#include "proto/scsi.h"
#include "scsi/scsi.h"

#include <errno.h>
#include <string.h>

#define GARBAGE 0xee
#define SLOW_MS 1100
#define NO_LBA	UINT64_MAX

struct read {
	uint64_t lba;
	uint32_t n;
	uint8_t *data;
};

static int done(struct reply *reply, uint8_t status, size_t moved)
{
	reply->outcome = OUTCOME_DONE;
	reply->status = status;
	reply->moved = moved;
	return 0;
}

/* CHECK CONDITION with fixed-format sense data; LBA may be NO_LBA. */
static int check(struct reply *reply, uint8_t key, uint8_t asc, uint64_t lba, size_t moved)
{
	uint8_t *sense = reply->sense;

	memset(sense, 0, SENSE_FIXED_MIN);
	sense[SENSE_CODE] = SENSE_CODE_FIXED | (lba == NO_LBA ? 0 : 0x80);
	sense[SENSE_FIXED_KEY] = key;
	if (lba != NO_LBA)
		put_be32(sense + SENSE_FIXED_INFORMATION, (uint32_t)lba);
	sense[SENSE_FIXED_LENGTH] = SENSE_FIXED_MIN - 8;
	sense[SENSE_FIXED_ASC] = asc;
	reply->sense_len = SENSE_FIXED_MIN;
	return done(reply, SCSI_STATUS_CHECK_CONDITION, moved);
}

static int no_answer(
	struct faketransport *fake, struct reply *reply, enum outcome outcome, struct err *err)
{
	if (outcome == OUTCOME_TIMED_OUT || outcome == OUTCOME_BROKEN)
		fake->resets++;
	reply->outcome = outcome;
	reply->reset_epoch = fake->resets;
	return err_set(
		err, outcome == OUTCOME_GONE ? ERR_GONE : ERR_OTHER, "the fake drive says so");
}

static void copy(const struct faketransport *fake, const struct read *read, uint32_t n)
{
	memcpy(read->data, fake->medium + read->lba * fake->block_bytes,
		(size_t)n * fake->block_bytes);
}

/* A READ that touches a fault whose first sector in the read is AT. */
static int faulty(struct faketransport *fake, enum fake_kind kind, const struct read *read,
	uint64_t at, struct reply *reply, struct err *err)
{
	uint32_t before = (uint32_t)(at - read->lba);
	size_t size = fake->block_bytes;

	switch (kind) {
	case FAKE_END:
		break;
	case FAKE_MEDIUM:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, NO_LBA, 0);
	case FAKE_MEDIUM_LBA:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, at, 0);
	case FAKE_MEDIUM_DATA:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, at, before * size);
	case FAKE_NAMES_FIRST:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, read->lba, 0);
	case FAKE_NAMES_LAST:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, read->lba + read->n - 1, 0);
	case FAKE_NAMES_OUTSIDE:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, read->lba + read->n, 0);
	case FAKE_BLANK:
		return check(reply, SENSE_BLANK_CHECK, 0x00, NO_LBA, 0);
	case FAKE_POSITIONING:
		return check(reply, SENSE_HARDWARE_ERROR, 0x15, NO_LBA, 0);
	case FAKE_HARDWARE:
		return check(reply, SENSE_HARDWARE_ERROR, 0x44, NO_LBA, 0);
	case FAKE_ABORTED:
		return check(reply, SENSE_ABORTED_COMMAND, 0x00, NO_LBA, read->n * size);
	case FAKE_RANGE:
		return check(reply, SENSE_ILLEGAL_REQUEST, 0x21, NO_LBA, 0);
	case FAKE_TIMEOUT:
		return no_answer(fake, reply, OUTCOME_TIMED_OUT, err);
	case FAKE_GONE:
		return no_answer(fake, reply, OUTCOME_GONE, err);
	case FAKE_HOST_EIO:
		reply->host_errno = EIO;
		return no_answer(fake, reply, OUTCOME_HOST_ERROR, err);
	case FAKE_BROKEN:
		return no_answer(fake, reply, OUTCOME_BROKEN, err);
	case FAKE_SHORT:
	case FAKE_NOTHING:
		before += before == 0 && kind == FAKE_SHORT;
		copy(fake, read, before);
		return done(reply, SCSI_STATUS_GOOD, before * size);
	case FAKE_RECOVERED:
	case FAKE_RECOVERED_LBA:
		copy(fake, read, read->n);
		return check(reply, SENSE_RECOVERED_ERROR, 0x17,
			kind == FAKE_RECOVERED ? NO_LBA : at, read->n * size);
	case FAKE_SLOW:
		clock_sleep_ms(SLOW_MS);
		copy(fake, read, read->n);
		return done(reply, SCSI_STATUS_GOOD, read->n * size);
	}
	return -1;
}

/* The fault whose first sector in the read comes first, or -1. */
static int find_fault(const struct faketransport *fake, const struct read *read, uint64_t *at)
{
	int found = -1;

	*at = NO_LBA;
	for (size_t i = 0; i < fake->n_faults; i++) {
		const struct fake_fault *f = &fake->fault[i];
		uint64_t first = f->first > read->lba ? f->first : read->lba;

		if (f->first >= read->lba + read->n || f->last < read->lba || first >= *at)
			continue;
		if (f->times > 0 && fake->happened[i] >= f->times)
			continue;
		*at = first;
		found = (int)i;
	}
	return found;
}

/* What happens to READ number NOW, whatever it asks for. */
static enum fake_event_kind find_event(const struct faketransport *fake, unsigned int now)
{
	for (size_t i = 0; i < sizeof(fake->event) / sizeof(fake->event[0]); i++) {
		const struct fake_event *event = &fake->event[i];
		bool lasts = event->kind >= EVENT_GONE;

		if (event->kind != EVENT_NONE &&
			(now == event->read || (lasts && now > event->read)))
			return event->kind;
	}
	return EVENT_NONE;
}

/* Another medium is put in while the drive is busy with KIND. */
static void swap_medium(struct faketransport *fake, enum fake_event_kind kind)
{
	if (!fake->next_medium)
		return;
	fake->medium = fake->next_medium;
	fake->next_medium = NULL;
	fake->attention = kind == EVENT_BECOMING_READY;
}

static int happen(
	struct faketransport *fake, enum fake_event_kind kind, struct reply *reply, struct err *err)
{
	swap_medium(fake, kind);
	switch (kind) {
	case EVENT_UNIT_ATTENTION:
	case EVENT_ALWAYS_ATTENTION:
		return check(reply, SENSE_UNIT_ATTENTION, 0x29, NO_LBA, 0);
	case EVENT_MEDIUM_CHANGED:
		return check(reply, SENSE_UNIT_ATTENTION, 0x28, NO_LBA, 0);
	case EVENT_BUSY:
		return done(reply, SCSI_STATUS_BUSY, 0);
	case EVENT_VICTIM:
		return no_answer(fake, reply, OUTCOME_ABORTED, err);
	case EVENT_DEFERRED:
		check(reply, SENSE_MEDIUM_ERROR, 0x11, NO_LBA, 0);
		reply->sense[SENSE_CODE] = SENSE_CODE_FIXED_OLD;
		return 0;
	case EVENT_BECOMING_READY:
		check(reply, SENSE_NOT_READY, 0x04, NO_LBA, 0);
		reply->sense[SENSE_FIXED_ASCQ] = 0x01;
		return 0;
	case EVENT_GONE:
		return no_answer(fake, reply, OUTCOME_GONE, err);
	case EVENT_NO_MEDIUM:
		return check(reply, SENSE_NOT_READY, 0x3a, NO_LBA, 0);
	case EVENT_DEAD_TIMEOUT:
		return no_answer(fake, reply, OUTCOME_TIMED_OUT, err);
	default:
		return check(reply, SENSE_MEDIUM_ERROR, 0x11, NO_LBA, 0);
	}
}

static int do_read(struct faketransport *fake, const struct command *command,
	const struct read *read, struct reply *reply, struct err *err)
{
	enum fake_event_kind event;
	uint64_t at;
	int fault;

	if (fake->largest > 0 && read->n > fake->largest) {
		fake->refused++;
		reply->outcome = OUTCOME_NOT_SENT;
		return err_set(err, ERR_NO_MEMORY, "too large");
	}
	if (read->lba + read->n > fake->n_blocks)
		return check(reply, SENSE_ILLEGAL_REQUEST, 0x21, NO_LBA, 0);
	fake->lowest = read->lba < fake->lowest ? read->lba : fake->lowest;
	fake->highest =
		read->lba + read->n - 1 > fake->highest ? read->lba + read->n - 1 : fake->highest;
	memset(command->data, GARBAGE, command->data_len);
	if (fake->read_ms)
		clock_sleep_ms(fake->read_ms);
	event = find_event(fake, ++fake->reads);
	if (event == EVENT_STOP)
		*fake->stop = true;
	else if (event != EVENT_NONE)
		return happen(fake, event, reply, err);
	fault = find_fault(fake, read, &at);
	if (fault >= 0) {
		fake->happened[fault]++;
		return faulty(fake, fake->fault[fault].kind, read, at, reply, err);
	}
	copy(fake, read, read->n);
	return done(reply, SCSI_STATUS_GOOD, command->data_len);
}

static int fake_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct faketransport *fake = (struct faketransport *)transport;
	const uint8_t *cdb = command->cdb;
	uint8_t capacity[8];
	struct read read = {.data = command->data};
	int r;

	if (fake->attention) {
		fake->attention = false;
		return check(reply, SENSE_UNIT_ATTENTION, 0x28, NO_LBA, 0);
	}
	switch (cdb[0]) {
	case SCSI_TEST_UNIT_READY:
		r = done(reply, SCSI_STATUS_GOOD, 0);
		break;
	case SCSI_READ_CAPACITY_10:
		put_be32(capacity, (uint32_t)((fake->claims ? fake->claims : fake->n_blocks) - 1));
		put_be32(capacity + 4, fake->block_bytes);
		memcpy(command->data, capacity, sizeof(capacity));
		r = done(reply, SCSI_STATUS_GOOD, sizeof(capacity));
		break;
	case SCSI_READ_10:
	case SCSI_READ_16:
		read.lba = cdb[0] == SCSI_READ_10 ? get_be32(cdb + 2) : get_be64(cdb + 2);
		read.n = cdb[0] == SCSI_READ_10 ? get_be16(cdb + 7) : get_be32(cdb + 10);
		r = do_read(fake, command, &read, reply, err);
		fake->failed_reads +=
			reply->outcome != OUTCOME_DONE ||
			(reply->status != SCSI_STATUS_GOOD &&
				reply->sense[SENSE_FIXED_KEY] != SENSE_RECOVERED_ERROR);
		break;
	default:
		r = check(reply, SENSE_ILLEGAL_REQUEST, 0x20, NO_LBA, 0);
	}
	reply->reset_epoch = fake->resets;
	return r;
}

static void fake_close(struct transport *transport)
{
	(void)transport;
}

static const struct transport_ops fake_ops = {
	.name = "fake",
	.exec = fake_exec,
	.close = fake_close,
};

void faketransport_init(struct faketransport *fake, const uint8_t *medium, uint64_t n_blocks,
	uint32_t block_bytes, const struct fake_fault *faults, size_t n_faults)
{
	*fake = (struct faketransport){
		.transport =
			{
				.ops = &fake_ops,
				.max_transfer_bytes = 1024 * 1024,
				.max_cdb_len = 16,
			},
		.medium = medium,
		.n_blocks = n_blocks,
		.block_bytes = block_bytes,
		.fault = faults,
		.n_faults = n_faults,
		.lowest = UINT64_MAX,
	};
}
