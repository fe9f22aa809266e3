/* SPDX-License-Identifier: BSD-2-Clause */
/* UAS against a device whose every answer is the fuzzer's, with streams and without: which transfer
 * ends next, how, and with what bytes.  Nothing is said to have moved that was not asked for, every
 * command ends, and no transfer stays behind. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/aid.h"
#include "transport/transport.h"
#include "usb/link.h"

/* What the first byte of the input says; the second is the quirks, the third the allocation that
 * fails. */
enum {
	HOW_SUPER = 1,	     /* SuperSpeed */
	HOW_NO_TIME = 2,     /* the commands' time is over before they begin */
	HOW_NOT_OFFERED = 4, /* only Bulk-Only is */
	HOW_BOTH = 8,	     /* Bulk-Only is offered too */
	HOW_BROKEN = 16,     /* a pipe is missing */
	HOW_NO_SUBMIT = 32,  /* the link cannot have transfers under way */
};

#define PENDING_MAX 64

struct fuzz_link {
	struct link link;
	const uint8_t *at;
	size_t left;
	struct link_transfer *pending[PENDING_MAX];
	bool cancelled[PENDING_MAX];
	size_t n;
	struct link_transfer *command; /* the last one on the command pipe */
	uint16_t tag;		       /* and its tag */
};

static uint8_t next(struct fuzz_link *fuzz)
{
	if (fuzz->left == 0)
		return 0xff;
	fuzz->left--;
	return *fuzz->at++;
}

static enum link_result result(struct fuzz_link *fuzz)
{
	static const enum link_result results[] = {LINK_OK, LINK_OK, LINK_OK, LINK_OK, LINK_OK,
		LINK_OK, LINK_STALL, LINK_OVERFLOW, LINK_IO};
	uint8_t byte = next(fuzz);

	return byte == 0xff ? LINK_GONE : results[byte % (sizeof(results) / sizeof(results[0]))];
}

static enum link_result fuzz_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	(void)request_type, (void)request, (void)value, (void)index, (void)data, (void)len,
		(void)deadline;
	*moved = 0;
	return result((struct fuzz_link *)link);
}

static enum link_result fuzz_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	(void)endpoint, (void)data, (void)len, (void)deadline;
	*moved = 0;
	return result((struct fuzz_link *)link);
}

static enum link_result fuzz_one(struct link *link, uint8_t number)
{
	(void)number;
	return result((struct fuzz_link *)link);
}

static enum link_result fuzz_reset(struct link *link)
{
	return result((struct fuzz_link *)link);
}

static unsigned int fuzz_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints)
{
	(void)endpoint, (void)n_endpoints;
	return (unsigned int)mem_min_u64(wanted, next((struct fuzz_link *)link) & 31);
}

static enum link_result fuzz_submit(struct link *link, struct link_transfer *transfer)
{
	struct fuzz_link *fuzz = (struct fuzz_link *)link;
	uint8_t byte = next(fuzz);

	if (byte == 0xfe)
		return LINK_NO_MEMORY;
	if (byte == 0xfd)
		return LINK_IO;
	if (fuzz->n == PENDING_MAX)
		abort();
	if (!(transfer->endpoint & 0x80) && transfer->len >= 4)
		fuzz->tag = (uint16_t)(((const uint8_t *)transfer->data)[2] << 8 |
				       ((const uint8_t *)transfer->data)[3]);
	fuzz->cancelled[fuzz->n] = false;
	fuzz->pending[fuzz->n++] = transfer;
	return LINK_OK;
}

/* Bytes of an IN transfer; most of the time the tag is the right one, or nothing would get far. */
static void fill(struct fuzz_link *fuzz, struct link_transfer *transfer)
{
	uint8_t *bytes = transfer->data;
	size_t part = mem_min_u64(transfer->moved, mem_min_u64(fuzz->left, 64));

	memset(bytes, 0, transfer->moved);
	memcpy(bytes, fuzz->at, part);
	fuzz->at += part;
	fuzz->left -= part;
	if (transfer->moved >= 4 && !(next(fuzz) & 8)) {
		bytes[2] = (uint8_t)(fuzz->tag >> 8);
		bytes[3] = (uint8_t)fuzz->tag;
	}
}

static struct link_transfer *fuzz_reap(struct link *link, struct deadline deadline)
{
	struct fuzz_link *fuzz = (struct fuzz_link *)link;
	struct link_transfer *transfer;
	size_t i;

	(void)deadline;
	if (fuzz->n == 0)
		return NULL;
	i = next(fuzz);
	if (i == 0xfc)
		return NULL; /* nothing ends in time */
	i %= fuzz->n;
	transfer = fuzz->pending[i];
	transfer->moved = 0;
	transfer->result = fuzz->cancelled[i] ? LINK_TIMEOUT : result(fuzz);
	if (transfer->result == LINK_OK || transfer->result == LINK_OVERFLOW) {
		transfer->moved = transfer->len;
		if (next(fuzz) & 1)
			transfer->moved = next(fuzz) % (transfer->len + 1);
		if (transfer->endpoint & 0x80)
			fill(fuzz, transfer);
	}
	fuzz->n--;
	for (; i < fuzz->n; i++) {
		fuzz->pending[i] = fuzz->pending[i + 1];
		fuzz->cancelled[i] = fuzz->cancelled[i + 1];
	}
	return transfer;
}

static void fuzz_cancel(struct link *link, struct link_transfer *transfer)
{
	struct fuzz_link *fuzz = (struct fuzz_link *)link;

	for (size_t i = 0; i < fuzz->n; i++)
		fuzz->cancelled[i] |= fuzz->pending[i] == transfer;
}

static void fuzz_close(struct link *link)
{
	if (((struct fuzz_link *)link)->n > 0)
		abort();
}

static const struct link_ops ops_without_submit = {.name = "fuzz"};

static const struct link_ops ops = {
	.name = "fuzz",
	.control = fuzz_control,
	.bulk = fuzz_bulk,
	.clear_halt = fuzz_one,
	.set_alternate = fuzz_one,
	.alloc_streams = fuzz_streams,
	.submit = fuzz_submit,
	.reap = fuzz_reap,
	.cancel = fuzz_cancel,
	.reset = fuzz_reset,
	.close = fuzz_close,
};

static void exec(struct transport *transport, uint8_t opcode, enum transfer_direction direction,
	size_t len, uint8_t how)
{
	static uint8_t data[4096];
	const uint8_t cdb[20] = {opcode, [4] = (uint8_t)len};
	const struct command command = {
		.cdb = cdb,
		.cdb_len = len == 100 ? 20 : 10,
		.direction = direction,
		.data = data,
		.data_len = len,
		.deadline = deadline_in_ms(how & HOW_NO_TIME ? 0 : 10000),
	};
	struct reply reply;
	struct err err;
	int r = transport_exec(transport, &command, &reply, &err);

	if ((r == 0) != (reply.outcome == OUTCOME_DONE) || reply.moved > len ||
		reply.sense_len > sizeof(reply.sense))
		abort();
}

static unsigned int settings(uint8_t how)
{
	if (how & HOW_NOT_OFFERED)
		return AID_BOT;
	return (how & HOW_BROKEN ? AID_UAS_BROKEN : AID_UAS) | (how & HOW_BOTH ? AID_BOT : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_link fuzz = {.at = data, .left = size};
	uint8_t config[AID_CONFIG_MAX], how = next(&fuzz);
	uint32_t quirks = next(&fuzz) * 0x01010101u;
	struct transport *transport;

	fuzz.link.ops = how & HOW_NO_SUBMIT ? &ops_without_submit : &ops;
	fuzz.link.config_descriptor = config;
	fuzz.link.config_len = aid_config(settings(how), config);
	fuzz.link.max_transfer_bytes = 1 << 20;
	fuzz.link.speed = how & HOW_SUPER ? LINK_SPEED_SUPER : LINK_SPEED_HIGH;
	aid_fail_allocation(next(&fuzz));
	transport = transport_uas_open(&fuzz.link, 0, quirks, NULL);
	aid_fail_allocation(0);
	if (!transport)
		return 0;
	for (int i = 0; i < 8 && fuzz.left > 0; i++) {
		exec(transport, 0x12, TRANSFER_IN, 36, how);
		exec(transport, 0x00, TRANSFER_NONE, 0, how);
		exec(transport, 0x28, TRANSFER_IN, 4096, how);
		exec(transport, 0x1d, TRANSFER_OUT, 100, how);
	}
	transport_close(transport);
	return 0;
}
