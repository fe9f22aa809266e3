/* SPDX-License-Identifier: BSD-2-Clause */
/* What a drive says of itself (INQUIRY, its pages, capacity, modes, sense) from the fuzzer:
 * understood as far as it makes sense, never beyond what came. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scsi/scsi.h"
#include "transport/transport.h"
#include "tests/fuzz/aid.h"

/* What the first byte of the input says. */
enum {
	HOW_QUIRKS = 1, /* the second byte is quirks */
	HOW_WAIT = 2,	/* asks whether it is ready first */
	HOW_FAR = 4,	/* reads past 2 TiB */
};

struct fuzz_transport {
	struct transport transport;
	const uint8_t *at;
	size_t left;
};

static uint8_t next(struct fuzz_transport *fuzz)
{
	if (fuzz->left == 0)
		return 0;
	fuzz->left--;
	return *fuzz->at++;
}

static size_t take(struct fuzz_transport *fuzz, void *out, size_t room)
{
	size_t n = mem_min_u64(mem_min_u64(next(fuzz), room), fuzz->left);

	if (n > 0)
		memcpy(out, fuzz->at, n);
	fuzz->at += n;
	fuzz->left -= n;
	return n;
}

/* BUSY and its like would only be waited for. */
static int fuzz_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct fuzz_transport *fuzz = (struct fuzz_transport *)transport;
	uint8_t how = next(fuzz);

	if (how == 0xff || fuzz->left == 0) {
		reply->outcome = OUTCOME_GONE;
		return err_set(err, ERR_GONE, "gone");
	}
	reply->outcome = OUTCOME_DONE;
	if (command->direction == TRANSFER_IN)
		reply->moved = take(fuzz, command->data, command->data_len);
	reply->status = how & 0x80 ? SCSI_STATUS_CHECK_CONDITION : SCSI_STATUS_GOOD;
	if (how & 0x80)
		reply->sense_len = take(fuzz, reply->sense, sizeof(reply->sense));
	return 0;
}

static void fuzz_close(struct transport *transport)
{
	(void)transport;
}

static const struct transport_ops ops = {.name = "fuzz", .exec = fuzz_exec, .close = fuzz_close};

static int put(void *context, const char *name, const void *bytes, size_t len, struct err *err)
{
	volatile uint8_t sum = 0;

	(void)context, (void)err;
	if (strlen(name) > 31)
		abort();
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
	return 0;
}

/* No byte of a drive's texts may reach a terminal as it is. */
static void check_text(const char *text)
{
	for (; *text; text++) {
		if (*text < 0x20 || *text > 0x7e)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_transport fuzz = {.at = data, .left = size};
	const struct testimony testimony = {.put = put};
	struct capacity capacity;
	struct inquiry inquiry;
	struct reply reply;
	uint8_t block[4096];
	char text[200], serial[128];
	struct err err;
	bool corrected;
	uint8_t how;

	fuzz.transport.ops = &ops;
	fuzz.transport.max_cdb_len = 16;
	fuzz.transport.max_transfer_bytes = 1 << 20;
	how = next(&fuzz);
	fuzz.transport.quirks = how & HOW_QUIRKS ? next(&fuzz) * 0x01010101u : 0;
	/* Its time is over at once, so that there is nothing to sleep for. */
	if (how & HOW_WAIT)
		scsi_wait_ready(&fuzz.transport, deadline_in_ms(0), &err);
	if (scsi_inquiry(&fuzz.transport, &inquiry, &err) == 0) {
		check_text(inquiry.vendor);
		check_text(inquiry.product);
		check_text(inquiry.revision);
		check_text(scsi_unit_serial(&fuzz.transport, &inquiry, serial, sizeof(serial)));
	}
	if (scsi_capacity(&fuzz.transport, &capacity, &corrected, &err) == 0 &&
		(capacity.n_blocks == 0 || capacity.block_bytes < 512))
		abort();
	scsi_testify(&fuzz.transport, &testimony, &err);
	memset(&reply, 0, sizeof(reply));
	scsi_read(&fuzz.transport, how & HOW_FAR ? 1ull << 40 : 0, 8, 512, block, deadline_in_ms(0),
		&reply, &err);
	if (reply.moved > sizeof(block))
		abort();
	if (reply.outcome == OUTCOME_DONE)
		check_text(scsi_reply_text(&reply, text, sizeof(text)));
	return 0;
}
