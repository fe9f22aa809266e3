/* SPDX-License-Identifier: BSD-2-Clause */
/* Bulk-Only against a device whose every answer is the fuzzer's: results, lengths, bytes.  Nothing
 * may be said to have moved that was not asked for, and every command ends. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/bot.h"
#include "tests/fuzz/aid.h"
#include "transport/transport.h"
#include "usb/link.h"

/* What the first byte of the input says; the second is the quirks, the third the allocation that
 * fails. */
enum {
	HOW_SUPER = 1,	     /* SuperSpeed */
	HOW_NO_TIME = 2,     /* the commands' time is over before they begin */
	HOW_NOT_OFFERED = 4, /* only UAS is */
	HOW_BOTH = 8,	     /* UAS is offered too */
};

struct fuzz_link {
	struct link link;
	const uint8_t *at;
	size_t left;
	uint32_t tag; /* of the last CBW */
};

/* What the device does when there is nothing left to say: it leaves. */
static uint8_t next(struct fuzz_link *fuzz)
{
	if (fuzz->left == 0)
		return 0xff;
	fuzz->left--;
	return *fuzz->at++;
}

static enum link_result result(struct fuzz_link *fuzz)
{
	static const enum link_result results[] = {LINK_OK, LINK_OK, LINK_OK, LINK_OK, LINK_STALL,
		LINK_TIMEOUT, LINK_OVERFLOW, LINK_IO, LINK_NO_MEMORY};
	uint8_t byte = next(fuzz);

	return byte == 0xff ? LINK_GONE : results[byte % (sizeof(results) / sizeof(results[0]))];
}

static enum link_result fuzz_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	struct fuzz_link *fuzz = (struct fuzz_link *)link;

	(void)request_type, (void)request, (void)value, (void)index, (void)deadline;
	*moved = len ? next(fuzz) % (len + 1u) : 0;
	if (*moved > 0)
		memset(data, next(fuzz), *moved);
	return result(fuzz);
}

static enum link_result fuzz_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	struct fuzz_link *fuzz = (struct fuzz_link *)link;
	enum link_result r = result(fuzz);

	(void)deadline;
	*moved = len;
	if (next(fuzz) & 1)
		*moved = next(fuzz) % (len + 1);
	if (endpoint & 0x80) {
		size_t part = mem_min_u64(*moved, fuzz->left);

		memset(data, 0x5a, *moved);
		memcpy(data, fuzz->at, part);
		fuzz->at += part;
		fuzz->left -= part;
		/* Most of the time a CSW is one, or nothing would get far. */
		if (*moved == CSW_LEN && !(next(fuzz) & 8)) {
			put_le32((uint8_t *)data + CSW_SIGNATURE, CSW_SIGNATURE_VALUE);
			put_le32((uint8_t *)data + CSW_TAG, fuzz->tag);
		}
	} else if (len == CBW_LEN) {
		fuzz->tag = get_le32((uint8_t *)data + CBW_TAG);
	}
	return r;
}

static enum link_result fuzz_clear(struct link *link, uint8_t endpoint)
{
	(void)endpoint;
	return result((struct fuzz_link *)link);
}

static enum link_result fuzz_reset(struct link *link)
{
	return result((struct fuzz_link *)link);
}

static void fuzz_close(struct link *link)
{
	(void)link;
}

static const struct link_ops ops = {
	.name = "fuzz",
	.control = fuzz_control,
	.bulk = fuzz_bulk,
	.clear_halt = fuzz_clear,
	.set_alternate = fuzz_clear,
	.reset = fuzz_reset,
	.close = fuzz_close,
};

static void exec(struct transport *transport, uint8_t opcode, enum transfer_direction direction,
	size_t len, uint8_t how)
{
	static uint8_t data[4096];
	const uint8_t cdb[10] = {opcode, [4] = (uint8_t)len};
	const struct command command = {
		.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = direction,
		.data = data,
		.data_len = len,
		.deadline = deadline_in_ms(how & HOW_NO_TIME ? 0 : 1000),
	};
	struct reply reply;
	struct err err;
	int r = transport_exec(transport, &command, &reply, &err);

	if ((r == 0) != (reply.outcome == OUTCOME_DONE) || reply.moved > len ||
		reply.sense_len > sizeof(reply.sense))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_link fuzz = {.at = data, .left = size};
	uint8_t config[AID_CONFIG_MAX], how = next(&fuzz);
	uint32_t quirks = next(&fuzz) * 0x01010101u;
	struct transport *transport;

	fuzz.link.ops = &ops;
	fuzz.link.config_descriptor = config;
	fuzz.link.config_len = aid_config(how & HOW_NOT_OFFERED ? AID_UAS
					  : how & HOW_BOTH	? AID_BOT | AID_UAS
								: AID_BOT,
		config);
	fuzz.link.max_transfer_bytes = 1 << 20;
	fuzz.link.speed = how & HOW_SUPER ? LINK_SPEED_SUPER : LINK_SPEED_HIGH;
	aid_fail_allocation(next(&fuzz));
	bot_get_max_lun(&fuzz.link);
	transport = transport_bot_open(&fuzz.link, 0, quirks, NULL);
	aid_fail_allocation(0);
	if (!transport)
		return 0;
	for (int i = 0; i < 8 && fuzz.left > 0; i++) {
		exec(transport, 0x12, TRANSFER_IN, 36, how);
		exec(transport, 0x00, TRANSFER_NONE, 0, how);
		exec(transport, 0x25, TRANSFER_IN, 8, how);
		exec(transport, 0x28, TRANSFER_IN, 4096, how);
		exec(transport, 0x1d, TRANSFER_OUT, 100, how);
	}
	transport_close(transport);
	return 0;
}
