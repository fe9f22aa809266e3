/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk-Only transport against a link that follows a script: every rung of the recovery ladder, and
 * what the caller hears of it.  A step is what the transport does next, and what the device makes
 * of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/bot.h"
#include "tests/aid/simulated.h"
#include "transport/transport.h"
#include "usb/link.h"

#define ASKED 64

enum act {
	END,
	CBW,	   /* the transport sends a CBW */
	IN,	   /* it reads: gets MOVED bytes of data */
	OUT,	   /* it writes: MOVED bytes are taken */
	CSW,	   /* it reads: gets a CSW with STATUS and RESIDUE */
	CSW_TAG_1, /* … with another tag */
	CSW_SIGN,  /* … with another signature */
	CLEAR_IN,
	CLEAR_OUT,
	CLASS_RESET,
	PORT_RESET,
};

struct step {
	enum act act;
	enum link_result result;
	size_t moved;
	uint8_t status;
	uint32_t residue;
};

struct script {
	struct link link;
	const struct step *step;
	uint32_t tag;	   /* of the last CBW */
	uint32_t data_len; /* and its length */
	uint8_t opcode;
	const char *surprise; /* first thing that was not in the script */
};

static struct script *script_of(struct link *link)
{
	return (struct script *)link;
}

static const struct step *expect(struct script *script, enum act act, const char *what)
{
	static const struct step nothing = {END, LINK_IO, 0, 0, 0};

	if (script->step->act == act)
		return script->step++;
	if (!script->surprise)
		script->surprise = what;
	return &nothing;
}

static enum link_result fake_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	(void)value, (void)index, (void)data, (void)len, (void)deadline;
	*moved = 0;
	if (request_type != 0x21 || request != BOT_REQ_RESET)
		return LINK_IO;
	return expect(script_of(link), CLASS_RESET, "a class reset")->result;
}

static enum link_result take_cbw(struct script *script, const uint8_t *cbw, size_t *moved)
{
	const struct step *step = expect(script, CBW, "a CBW");

	assert_int_equal(get_le32(cbw + CBW_SIGNATURE), CBW_SIGNATURE_VALUE);
	script->tag = get_le32(cbw + CBW_TAG);
	script->data_len = get_le32(cbw + CBW_DATA_LEN);
	script->opcode = cbw[CBW_CDB];
	*moved = step->result == LINK_OK ? CBW_LEN : 0;
	return step->result;
}

static size_t give_csw(const struct script *script, const struct step *step, uint8_t *data)
{
	put_le32(data + CSW_SIGNATURE, CSW_SIGNATURE_VALUE + (step->act == CSW_SIGN));
	put_le32(data + CSW_TAG, script->tag + (step->act == CSW_TAG_1));
	put_le32(data + CSW_RESIDUE, step->residue);
	data[CSW_STATUS] = step->status;
	return step->moved ? step->moved : CSW_LEN;
}

static enum link_result fake_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	struct script *script = script_of(link);
	const struct step *step;

	(void)deadline;
	if (endpoint == 0x02 && len == CBW_LEN)
		return take_cbw(script, data, moved);
	if (endpoint == 0x02) {
		step = expect(script, OUT, "data out");
		*moved = step->moved;
		return step->result;
	}
	assert_int_equal(endpoint, 0x81);
	if (script->step->act == CSW || script->step->act == CSW_TAG_1 ||
		script->step->act == CSW_SIGN) {
		step = script->step++;
		*moved = step->result == LINK_OK ? give_csw(script, step, data) : 0;
		return step->result;
	}
	step = expect(script, IN, "data in");
	*moved = step->moved < len ? step->moved : len;
	memset(data, 0xda, *moved);
	/* Fixed sense: MEDIUM ERROR 11/00. */
	if (script->opcode == SCSI_REQUEST_SENSE && *moved >= 14) {
		memset(data, 0, *moved);
		((uint8_t *)data)[0] = 0x70;
		((uint8_t *)data)[2] = 3;
		((uint8_t *)data)[7] = 10;
		((uint8_t *)data)[12] = 0x11;
	}
	return step->result;
}

static enum link_result fake_clear(struct link *link, uint8_t endpoint)
{
	return expect(script_of(link), endpoint == 0x81 ? CLEAR_IN : CLEAR_OUT, "a cleared halt")
		->result;
}

static enum link_result fake_alternate(struct link *link, uint8_t alternate)
{
	(void)link, (void)alternate;
	return LINK_OK;
}

static enum link_result fake_reset(struct link *link)
{
	return expect(script_of(link), PORT_RESET, "a port reset")->result;
}

static void fake_close(struct link *link)
{
	(void)link;
}

static const struct link_ops fake_ops = {
	.name = "script",
	.control = fake_control,
	.bulk = fake_bulk,
	.clear_halt = fake_clear,
	.set_alternate = fake_alternate,
	.reset = fake_reset,
	.close = fake_close,
};

static const uint8_t config[] = {9, 2, 32, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 8, 6, 0x50, 0, 7, 5,
	0x81, 2, 0, 2, 0, 7, 5, 0x02, 2, 0, 2, 0};

/* The ladder's common ends. */
#define RECOVERY                                                                                   \
	{CLASS_RESET}, {CLEAR_IN},                                                                 \
	{                                                                                          \
		CLEAR_OUT                                                                          \
	}
#define SENSE                                                                                      \
	{CBW}, {IN, LINK_OK, 18},                                                                  \
	{                                                                                          \
		CSW                                                                                \
	}

struct row {
	const char *name;
	enum transfer_direction direction;
	uint8_t opcode;
	size_t asked;
	struct step steps[16];
	enum outcome outcome;
	uint8_t status;
	size_t moved;
	size_t sense_len;
	uint32_t resets;
};

/* (case n): the host/device cases of BBB §6.7. */
static const struct row rows[] = {
	{"no data (case 1)", TRANSFER_NONE, 0, 0, {{CBW}, {CSW}}, OUTCOME_DONE, 0, 0, 0, 0},
	{"data in, all (case 6)", TRANSFER_IN, 0x28, ASKED, {{CBW}, {IN, LINK_OK, ASKED}, {CSW}},
		OUTCOME_DONE, 0, ASKED, 0, 0},
	{"data out, all (case 12)", TRANSFER_OUT, 0x2a, ASKED,
		{{CBW}, {OUT, LINK_OK, ASKED}, {CSW}}, OUTCOME_DONE, 0, ASKED, 0, 0},
	{"less data than asked, short packet (case 5)", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, 20}, {CSW, LINK_OK, 0, 0, 44}}, OUTCOME_DONE, 0, 20, 0, 0},
	{"less data than asked, then a stall (case 5)", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_STALL, 20}, {CLEAR_IN}, {CSW, LINK_OK, 0, 0, 44}}, OUTCOME_DONE,
		0, 20, 0, 0},
	{"padded to the length, residue tells (case 5)", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {CSW, LINK_OK, 0, 0, 44}}, OUTCOME_DONE, 0, 20, 0, 0},
	{"no data at all, a stall (case 4)", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_STALL, 0}, {CLEAR_IN}, {CSW, LINK_OK, 0, 0, ASKED}}, OUTCOME_DONE,
		0, 0, 0, 0},
	{"a stall on data out (case 9)", TRANSFER_OUT, 0x2a, ASKED,
		{{CBW}, {OUT, LINK_STALL, 0}, {CLEAR_OUT}, {CSW, LINK_OK, 0, 0, ASKED}},
		OUTCOME_DONE, 0, 0, 0, 0},
	{"the CSW comes in place of data", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {CSW, LINK_OK, 0, 0, ASKED}}, OUTCOME_DONE, 0, 0, 0, 0},
	{"failed, with sense", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_STALL, 0}, {CLEAR_IN}, {CSW, LINK_OK, 0, 1, ASKED}, SENSE},
		OUTCOME_DONE, 2, 0, 18, 0},
	{"failed, data came before", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, 32}, {CSW, LINK_OK, 0, 1, 32}, SENSE}, OUTCOME_DONE, 2, 32,
		18, 0},
	{"failed, and REQUEST SENSE fails too", TRANSFER_NONE, 0, 0,
		{{CBW}, {CSW, LINK_OK, 0, 1, 0}, {CBW}, {IN, LINK_STALL, 0}, {CLEAR_IN},
			{CSW, LINK_OK, 0, 1, 18}},
		OUTCOME_DONE, 2, 0, 0, 0},
	{"failed, and REQUEST SENSE breaks", TRANSFER_NONE, 0, 0,
		{{CBW}, {CSW, LINK_OK, 0, 1, 0}, {CBW}, {IN, LINK_IO, 0}, RECOVERY}, OUTCOME_BROKEN,
		0, 0, 0, 1},
	{"a stall on the CSW, then it comes", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {CSW, LINK_STALL}, {CLEAR_IN}, {CSW}}, OUTCOME_DONE,
		0, ASKED, 0, 0},
	{"an empty packet for the CSW, then it comes", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {IN, LINK_OK, 0}, {CSW}}, OUTCOME_DONE, 0, ASKED, 0,
		0},
	{"two stalls on the CSW: reset recovery", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {CSW, LINK_STALL}, {CLEAR_IN}, {CSW, LINK_STALL},
			{CLEAR_IN}, RECOVERY},
		OUTCOME_BROKEN, 0, 0, 0, 1},
	{"two empty packets for the CSW", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {IN, LINK_OK, 0}, {IN, LINK_OK, 0}, RECOVERY},
		OUTCOME_BROKEN, 0, 0, 0, 1},
	{"no CSW in time", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {CSW, LINK_TIMEOUT}, RECOVERY}, OUTCOME_TIMED_OUT, 0,
		0, 0, 1},
	{"a CSW with a wrong tag", TRANSFER_NONE, 0, 0, {{CBW}, {CSW_TAG_1}, RECOVERY},
		OUTCOME_BROKEN, 0, 0, 0, 1},
	{"a CSW with a wrong signature", TRANSFER_NONE, 0, 0, {{CBW}, {CSW_SIGN}, RECOVERY},
		OUTCOME_BROKEN, 0, 0, 0, 1},
	{"a CSW of 12 bytes", TRANSFER_NONE, 0, 0, {{CBW}, {CSW, LINK_OK, 12}, RECOVERY},
		OUTCOME_BROKEN, 0, 0, 0, 1},
	{"a phase error (cases 2, 3, 7, 8, 10, 13)", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {CSW, LINK_OK, 0, 2, 0}, RECOVERY}, OUTCOME_BROKEN, 0,
		0, 0, 1},
	{"an unknown status", TRANSFER_NONE, 0, 0, {{CBW}, {CSW, LINK_OK, 0, 7, 0}, RECOVERY},
		OUTCOME_BROKEN, 0, 0, 0, 1},
	{"more data than asked (case 7): CSW, then reset", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OVERFLOW, ASKED}, {CSW}, RECOVERY}, OUTCOME_BROKEN, 0, 0, 0, 1},
	{"a stall on the CBW", TRANSFER_NONE, 0, 0, {{CBW, LINK_STALL}, RECOVERY}, OUTCOME_BROKEN,
		0, 0, 0, 1},
	{"no time for the CBW", TRANSFER_NONE, 0, 0, {{CBW, LINK_TIMEOUT}, RECOVERY},
		OUTCOME_TIMED_OUT, 0, 0, 0, 1},
	{"no data in time", TRANSFER_IN, 0x28, ASKED, {{CBW}, {IN, LINK_TIMEOUT, 10}, RECOVERY},
		OUTCOME_TIMED_OUT, 0, 0, 0, 1},
	{"the class reset is refused: port reset", TRANSFER_NONE, 0, 0,
		{{CBW, LINK_TIMEOUT}, {CLASS_RESET, LINK_STALL}, {PORT_RESET}}, OUTCOME_TIMED_OUT,
		0, 0, 0, 1},
	{"a halt stays: port reset", TRANSFER_NONE, 0, 0,
		{{CBW, LINK_TIMEOUT}, {CLASS_RESET}, {CLEAR_IN, LINK_IO}, {CLEAR_OUT},
			{PORT_RESET}},
		OUTCOME_TIMED_OUT, 0, 0, 0, 1},
	{"the port reset fails: gone", TRANSFER_NONE, 0, 0,
		{{CBW, LINK_TIMEOUT}, {CLASS_RESET, LINK_STALL}, {PORT_RESET, LINK_GONE}},
		OUTCOME_GONE, 0, 0, 0, 1},
	{"gone at once", TRANSFER_NONE, 0, 0, {{CBW, LINK_GONE}}, OUTCOME_GONE, 0, 0, 0, 0},
	{"gone in the data", TRANSFER_IN, 0x28, ASKED, {{CBW}, {IN, LINK_GONE, 0}}, OUTCOME_GONE, 0,
		0, 0, 0},
	{"a residue larger than what was asked is nonsense", TRANSFER_IN, 0x28, ASKED,
		{{CBW}, {IN, LINK_OK, ASKED}, {CSW, LINK_OK, 0, 0, 4096}}, OUTCOME_DONE, 0, ASKED,
		0, 0},
	{"a residue beside a whole INQUIRY is nonsense", TRANSFER_IN, 0x12, 36,
		{{CBW}, {IN, LINK_OK, 36}, {CSW, LINK_OK, 0, 0, 36}}, OUTCOME_DONE, 0, 36, 0, 0},
};

static void run_row(const struct row *row)
{
	uint8_t cdb[6] = {row->opcode}, data[ASKED];
	struct script script = {.link = {.ops = &fake_ops,
					.config_descriptor = config,
					.config_len = sizeof(config),
					.max_transfer_bytes = 1 << 20},
		.step = row->steps};
	struct command command = {.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = row->direction,
		.data = row->asked ? data : NULL,
		.data_len = row->asked,
		.deadline = deadline_in_ms(1000)};
	struct transport *transport = transport_bot_open(&script.link, 0, 0, NULL);
	struct reply reply;
	struct err err = {0};
	int r;

	assert_non_null(transport);
	r = transport_exec(transport, &command, &reply, &err);
	if (script.surprise)
		fail_msg("%s: unexpected: %s", row->name, script.surprise);
	if (script.step->act != END)
		fail_msg("%s: step %d was not reached", row->name, (int)(script.step - row->steps));
	if (reply.outcome != row->outcome || (r == 0) != (row->outcome == OUTCOME_DONE))
		fail_msg("%s: outcome %s (%s)", row->name, outcome_name(reply.outcome), err.text);
	if (r < 0)
		assert_true(err.text[0] != '\0');
	if (r == 0 && (reply.status != row->status || reply.moved != row->moved ||
			      reply.sense_len != row->sense_len))
		fail_msg("%s: status %u, moved %zu, sense %zu", row->name, reply.status,
			reply.moved, reply.sense_len);
	if (reply.reset_epoch != row->resets)
		fail_msg("%s: %u resets", row->name, reply.reset_epoch);
	transport_close(transport);
}

static void test_ladder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
}

/* Once it is known to lie, a residue is not believed again; nor is a gone drive spoken to. */
static void test_memory(void **state)
{
	static const struct step lies[] = {{CBW}, {IN, LINK_OK, 36}, {CSW, LINK_OK, 0, 0, 36},
		{CBW}, {IN, LINK_OK, 36}, {CSW, LINK_OK, 0, 0, 20}, {CBW, LINK_GONE}, {END}};
	struct script script = {.link = {.ops = &fake_ops,
					.config_descriptor = config,
					.config_len = sizeof(config),
					.max_transfer_bytes = 1 << 20},
		.step = lies};
	uint8_t cdb[6] = {0x12}, data[36];
	struct command command = {.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = TRANSFER_IN,
		.data = data,
		.data_len = sizeof(data),
		.deadline = deadline_in_ms(1000)};
	struct transport *transport = transport_bot_open(&script.link, 0, 0, NULL);
	struct reply reply;

	(void)state;
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), 0);
	cdb[0] = 0x28;
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), 0);
	assert_int_equal(reply.moved, 36);
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), -1);
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), -1);
	assert_int_equal(reply.outcome, OUTCOME_GONE);
	assert_null(script.surprise);
	transport_close(transport);
}

static void test_not_sent(void **state)
{
	static const struct step nothing[] = {{END}};
	struct script script = {.link = {.ops = &fake_ops,
					.config_descriptor = config,
					.config_len = sizeof(config),
					.max_transfer_bytes = 4096},
		.step = nothing};
	static uint8_t data[8192];
	uint8_t cdb[17] = {0};
	struct command command = {.cdb = cdb, .cdb_len = 17, .deadline = deadline_in_ms(1000)};
	struct transport *transport = transport_bot_open(&script.link, 0, 0, NULL);
	struct reply reply;

	(void)state;
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), -1);
	assert_int_equal(reply.outcome, OUTCOME_NOT_SENT);
	command.cdb_len = 0;
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), -1);
	command = (struct command){.cdb = cdb,
		.cdb_len = 10,
		.direction = TRANSFER_IN,
		.data = data,
		.data_len = sizeof(data),
		.deadline = deadline_in_ms(1000)};
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), -1);
	assert_int_equal(reply.outcome, OUTCOME_NOT_SENT);
	assert_null(script.surprise);
	transport_close(transport);
}

static void test_no_bulk_only(void **state)
{
	uint8_t uas[sizeof(config)];
	struct script script = {
		.link = {.ops = &fake_ops, .config_descriptor = uas, .config_len = sizeof(uas)}};
	struct err err;

	(void)state;
	memcpy(uas, config, sizeof(uas));
	uas[16] = 0x62;
	assert_null(transport_bot_open(&script.link, 0, 0, &err));
	uas[16] = 0x50;
	uas[20] = 0x01; /* two pipes out */
	assert_null(transport_bot_open(&script.link, 0, 0, &err));
	script.link.config_len = 20;
	assert_null(transport_bot_open(&script.link, 0, 0, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_not_sent),
		cmocka_unit_test(test_no_bulk_only),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
