/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UAS against a link that follows a script: every rung of the recovery ladder, what the caller
 * hears of it, and that the next command goes through.  The drive behind the link remembers which
 * tags it still holds: a command must not come with one of those, and none may be left with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "proto/uas.h"
#include "tests/aid/simulated.h"
#include "tests/aid/uaslink.h"
#include "transport/transport.h"

#define ASKED 64

enum how { STREAMS = 1, PLAIN = 2, WRITE = 4, NO_DATA = 8, HURRY = 16, DEAD_PORT = 32, FEWER = 64 };

struct row {
	const char *name;
	int how; /* enum how */
	struct step steps[14];
	const char *log;
	enum outcome outcome;
	uint8_t status;
	size_t moved, sense_len;
	uint32_t resets;
	const char *text; /* in the error */
	unsigned int refuse_at;
	enum link_result refusal;
};

#define GOOD                                                                                       \
	{                                                                                          \
		ANSWER                                                                             \
	}
#define FAILED                                                                                     \
	{                                                                                          \
		ANSWER, LINK_OK, 0, SCSI_STATUS_CHECK_CONDITION                                    \
	}
#define ALL                                                                                        \
	{                                                                                          \
		DATA, LINK_OK, ASKED                                                               \
	}
#define ABORTED                                                                                    \
	{SENT},                                                                                    \
	{                                                                                          \
		MANAGED, LINK_OK, 0, UAS_RC_TMF_COMPLETE                                           \
	}
#define REFUSED                                                                                    \
	{SENT},                                                                                    \
	{                                                                                          \
		MANAGED, LINK_OK, 0, UAS_RC_TMF_FAILED                                             \
	}

static const struct row rows[] = {
	{"data in", STREAMS, {{SENT}, ALL, GOOD}, "C", OUTCOME_DONE, 0, ASKED},
	{"data in, READY first", PLAIN, {{SENT}, {READY}, ALL, GOOD}, "C", OUTCOME_DONE, 0, ASKED},
	{"data out", STREAMS | WRITE, {{SENT}, ALL, GOOD}, "C", OUTCOME_DONE, 0, ASKED},
	{"data out, READY first", PLAIN | WRITE, {{SENT}, {READY}, ALL, GOOD}, "C", OUTCOME_DONE, 0,
		ASKED},
	{"no data", STREAMS | NO_DATA, {{SENT}, GOOD}, "C", OUTCOME_DONE},
	{"no data, plain", PLAIN | NO_DATA, {{SENT}, GOOD}, "C", OUTCOME_DONE},
	{"the answer before the IU's own end", PLAIN | NO_DATA, {GOOD}, "C", OUTCOME_DONE},
	{"the status overtakes the data", STREAMS, {{SENT}, GOOD, ALL}, "C", OUTCOME_DONE, 0,
		ASKED},
	{"less data", STREAMS, {{SENT}, {DATA, LINK_OK, 20}, GOOD}, "C", OUTCOME_DONE, 0, 20},
	{"good, and no data at all", STREAMS, {{SENT}, GOOD}, "C", OUTCOME_DONE},
	{"good, and no READY", PLAIN, {{SENT}, GOOD}, "C", OUTCOME_DONE},

	{"failed, with sense", STREAMS, {{SENT}, FAILED}, "C", OUTCOME_DONE, 2, 0, UASLINK_SENSE},
	{"failed, with sense, plain", PLAIN, {{SENT}, FAILED}, "C", OUTCOME_DONE, 2, 0,
		UASLINK_SENSE},
	{"failed, data came before", STREAMS, {{SENT}, {DATA, LINK_OK, 32}, FAILED}, "C",
		OUTCOME_DONE, 2, 32, UASLINK_SENSE},
	{"failed behind READY", PLAIN, {{SENT}, {READY}, FAILED}, "C", OUTCOME_DONE, 2, 0,
		UASLINK_SENSE},
	{"failed, some data as it is cancelled", STREAMS,
		{{SENT}, FAILED, {DATA, LINK_TIMEOUT, 32}}, "C", OUTCOME_DONE, 2, 32,
		UASLINK_SENSE},
	{"the length of the sense data lies", STREAMS, {{SENT}, {ANSWER_LIES, LINK_OK, 0, 2}}, "C",
		OUTCOME_DONE, 2, 0, UASLINK_SENSE},
	{"task set full is passed on", STREAMS, {{SENT}, {ANSWER, LINK_OK, 0, 0x28}}, "C",
		OUTCOME_DONE, 0x28},

	{"a status of 15 bytes", STREAMS, {{SENT}, {ANSWER, LINK_OK, 15}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "none"},
	{"an empty status", STREAMS, {{SENT}, {STATUS}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "none"},
	{"a status of 3 bytes, plain", PLAIN, {{SENT}, {ANSWER, LINK_OK, 3}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "none"},
	{"an unknown id", STREAMS, {{SENT}, {NOISE}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "none"},
	{"an unknown id, plain", PLAIN, {{SENT}, {NOISE}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "none"},
	{"a wrong tag", STREAMS, {{SENT}, ALL, {ANSWER_TAG}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "wrong tag"},
	{"a wrong tag, plain", PLAIN, {{SENT}, {READY}, ALL, {ANSWER_TAG}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "wrong tag"},
	{"READY with streams", STREAMS, {{SENT}, {READY}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "READY"},
	{"the other READY", PLAIN, {{SENT}, {READY_OTHER}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "READY"},
	{"READY for no data", PLAIN | NO_DATA, {{SENT}, {READY}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "READY"},
	{"READY twice", PLAIN, {{SENT}, {READY}, ALL, {READY}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "READY"},
	{"invalid IU", STREAMS, {{SENT}, {RESPONSE, LINK_OK, 0, 2}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "invalid information unit"},
	{"incorrect LUN", PLAIN, {{SENT}, {RESPONSE, LINK_OK, 0, 9}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "incorrect logical unit"},
	{"overlapped tag", STREAMS, {{SENT}, {RESPONSE, LINK_OK, 0, 10}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "overlapped tag"},

	{"the command stalls", STREAMS, {{SENT, LINK_STALL}, ABORTED}, "C h04 A", OUTCOME_BROKEN,
		.text = "stall"},
	{"half the command is taken", STREAMS, {{SENT, LINK_OK, 16}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "sending"},
	{"the status stalls", STREAMS, {{SENT}, {STATUS, LINK_STALL}, ABORTED}, "C h83 A",
		OUTCOME_BROKEN, .text = "stall"},
	{"the status stalls, plain", PLAIN, {{SENT}, {STATUS, LINK_STALL}, ABORTED}, "C h83 A",
		OUTCOME_BROKEN, .text = "stall"},
	{"the data stall", STREAMS, {{SENT}, {DATA, LINK_STALL}, ABORTED}, "C h81 A",
		OUTCOME_BROKEN, .text = "stall"},
	{"more data than asked", STREAMS, {{SENT}, {DATA, LINK_OVERFLOW, ASKED}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "moving data"},
	{"a babbling status", PLAIN, {{SENT}, {STATUS, LINK_OVERFLOW}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "status"},
	{"good, then more data than asked", STREAMS,
		{{SENT}, GOOD, {DATA, LINK_OVERFLOW, ASKED}, ABORTED}, "C A", OUTCOME_BROKEN,
		.text = "moving data"},
	{"good, then the data stall", STREAMS, {{SENT}, GOOD, {DATA, LINK_STALL, 10}, ABORTED},
		"C h81 A", OUTCOME_BROKEN, .text = "moving data"},
	{"good, then the data break", STREAMS, {{SENT}, GOOD, {DATA, LINK_IO, 10}, ABORTED}, "C A",
		OUTCOME_BROKEN, .text = "moving data"},
	{"good, then gone with the data", STREAMS, {{SENT}, GOOD, {DATA, LINK_GONE}}, "C",
		OUTCOME_GONE},
	{"failed, then the data stall", STREAMS, {{SENT}, FAILED, {DATA, LINK_STALL}}, "C h81",
		OUTCOME_DONE, 2, 0, UASLINK_SENSE},

	{"gone with the command", STREAMS, {{SENT, LINK_GONE}}, "C", OUTCOME_GONE},
	{"gone with the data", STREAMS, {{SENT}, {DATA, LINK_GONE}}, "C", OUTCOME_GONE},
	{"gone with the status", PLAIN, {{SENT}, {STATUS, LINK_GONE}}, "C", OUTCOME_GONE},
	{"gone at once", STREAMS, {{END}}, "", OUTCOME_GONE, .refuse_at = 1, .refusal = LINK_GONE},

	{"no memory for the status", STREAMS, {{END}}, "", OUTCOME_NOT_SENT, .text = "memory",
		.refuse_at = 1, .refusal = LINK_NO_MEMORY},
	{"no memory for the data", STREAMS, {{END}}, "", OUTCOME_NOT_SENT, .text = "memory",
		.refuse_at = 2, .refusal = LINK_NO_MEMORY},
	{"no memory for the command", STREAMS, {{END}}, "", OUTCOME_NOT_SENT, .text = "memory",
		.refuse_at = 3, .refusal = LINK_NO_MEMORY},
	{"no memory for the command, plain", PLAIN, {{END}}, "", OUTCOME_NOT_SENT, .text = "memory",
		.refuse_at = 2, .refusal = LINK_NO_MEMORY},
	{"no memory for data that are READY", PLAIN, {{SENT}, {READY}}, "C P S1", OUTCOME_NOT_SENT,
		.resets = 1, .text = "memory", .refuse_at = 3, .refusal = LINK_NO_MEMORY},
	{"no memory for the next status", PLAIN, {{SENT}, {READY}}, "C P S1", OUTCOME_NOT_SENT,
		.resets = 1, .text = "memory", .refuse_at = 4, .refusal = LINK_NO_MEMORY},
	{"the data cannot be begun", PLAIN, {{SENT}, {READY}}, "C P S1", OUTCOME_BROKEN,
		.resets = 1, .text = "moving data", .refuse_at = 3, .refusal = LINK_IO},

	{"no answer: aborted", STREAMS | HURRY, {{SENT}, {SILENCE}, ABORTED}, "C A",
		OUTCOME_TIMED_OUT},
	{"no answer, plain: aborted", PLAIN | HURRY, {{SENT}, {SILENCE}, ABORTED}, "C A",
		OUTCOME_TIMED_OUT},
	{"not even taken: aborted", STREAMS | HURRY, {{SILENCE}, {SENT}, ABORTED}, "C A",
		OUTCOME_TIMED_OUT},
	{"no data behind READY: port reset", PLAIN | HURRY, {{SENT}, {READY}, {SILENCE}}, "C P S1",
		OUTCOME_TIMED_OUT, .resets = 1},
	{"succeeded says the same as complete", STREAMS | HURRY,
		{{SENT}, {SILENCE}, {SENT}, {MANAGED, LINK_OK, 0, 8}}, "C A", OUTCOME_TIMED_OUT},
	{"the answer comes before that to the abort", STREAMS | HURRY,
		{{SENT}, {SILENCE}, {SENT}, ALL, GOOD, {MANAGED}}, "C A", OUTCOME_DONE, 0, ASKED},
	{"the abort fails: LU reset", STREAMS | HURRY, {{SENT}, {SILENCE}, REFUSED, ABORTED},
		"C A R", OUTCOME_TIMED_OUT, .resets = 1},
	{"the abort fails, plain: LU reset", PLAIN | HURRY, {{SENT}, {SILENCE}, REFUSED, ABORTED},
		"C A R", OUTCOME_TIMED_OUT, .resets = 1},
	{"the abort is not supported", STREAMS,
		{{SENT}, {NOISE}, {SENT}, {MANAGED, LINK_OK, 0, 4}, ABORTED}, "C A R",
		OUTCOME_BROKEN, .resets = 1},
	{"the abort is not answered", STREAMS, {{SENT}, {NOISE}, {SENT}, {SILENCE}, ABORTED},
		"C A R", OUTCOME_BROKEN, .resets = 1},
	{"the abort stalls", STREAMS, {{SENT}, {NOISE}, {SENT, LINK_STALL}, ABORTED}, "C A h04 R",
		OUTCOME_BROKEN, .resets = 1},
	{"a SENSE IU for the abort", STREAMS, {{SENT}, {NOISE}, {SENT}, {MANAGED_BAD}, ABORTED},
		"C A R", OUTCOME_BROKEN, .resets = 1},
	{"both fail: port reset", STREAMS, {{SENT}, {NOISE}, REFUSED, REFUSED}, "C A R P S1 T17",
		OUTCOME_BROKEN, .resets = 1},
	{"both fail, plain: port reset", PLAIN | HURRY, {{SENT}, {SILENCE}, REFUSED, REFUSED},
		"C A R P S1", OUTCOME_TIMED_OUT, .resets = 1},
	{"the port reset leaves fewer streams", STREAMS | FEWER,
		{{SENT}, {NOISE}, REFUSED, REFUSED}, "C A R P S1 T3", OUTCOME_BROKEN, .resets = 1},
	{"the port reset fails", STREAMS | DEAD_PORT, {{SENT}, {NOISE}, REFUSED, REFUSED},
		"C A R P", OUTCOME_GONE, .resets = 1},
	{"gone during the abort", STREAMS, {{SENT}, {NOISE}, {SENT, LINK_GONE}}, "C A",
		OUTCOME_GONE, .resets = 1},
};

static void set_up(struct uaslink *fake, const struct row *row)
{
	uaslink_init(fake, row->how & STREAMS ? 32 : 0, row->steps);
	fake->write = row->how & WRITE;
	fake->reset_result = row->how & DEAD_PORT ? LINK_GONE : LINK_OK;
}

static int run(struct transport *transport, struct uaslink *fake, const struct row *row,
	struct reply *reply, struct err *err)
{
	static uint8_t data[ASKED];
	uint8_t cdb[10] = {fake->write ? 0x2a : 0x28};
	bool none = row->how & NO_DATA;
	struct command command = {
		.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = none	   ? TRANSFER_NONE
			     : fake->write ? TRANSFER_OUT
					   : TRANSFER_IN,
		.data = none ? NULL : data,
		.data_len = none ? 0 : ASKED,
		.deadline = deadline_in_ms(row->how & HURRY ? 30 : 5000),
	};
	int r = transport_exec(transport, &command, reply, err);

	if (uaslink_uses(fake, data) && !fake->surprise)
		fake->surprise = "returned while a transfer may write to the buffer";
	return r;
}

static void check_reply(const struct row *row, const struct reply *reply, int r, struct err *err)
{
	if (reply->outcome != row->outcome || (r == 0) != (row->outcome == OUTCOME_DONE))
		fail_msg("%s: outcome %s (%s)", row->name, outcome_name(reply->outcome), err->text);
	if (r < 0 && !strstr(err->text, row->text ? row->text : ""))
		fail_msg("%s: error \"%s\"", row->name, err->text);
	if (r == 0 && (reply->status != row->status || reply->moved != row->moved ||
			      reply->sense_len != row->sense_len))
		fail_msg("%s: status %u, moved %zu, sense %zu", row->name, reply->status,
			reply->moved, reply->sense_len);
	if (reply->reset_epoch != row->resets)
		fail_msg("%s: %u resets", row->name, reply->reset_epoch);
}

/* Whatever has been, the next command goes through. */
static void check_next(struct transport *transport, struct uaslink *fake, const struct row *row)
{
	static const struct step plain[] = {{SENT}, {READY}, ALL, GOOD, {END}};
	static const struct step streams[] = {{SENT}, ALL, GOOD, {END}};
	static const struct row next = {.how = 0};
	struct reply reply;
	struct err err = {0};

	fake->refuse_at = 0;
	fake->step = row->how & STREAMS ? streams : plain;
	if (run(transport, fake, &next, &reply, &err) < 0 || reply.moved != ASKED)
		fail_msg("%s: the next command: %s (%s)", row->name, outcome_name(reply.outcome),
			err.text);
}

static void run_row(const struct row *row)
{
	struct transport *transport;
	struct reply reply;
	struct err err = {0};
	struct uaslink fake;
	int r;

	set_up(&fake, row);
	transport = transport_uas_open(&fake.link, 0, 0, &err);
	assert_non_null(transport);
	assert_string_equal(fake.log, row->how & STREAMS ? "S1 T17" : "S1");
	fake.log[0] = '\0';
	fake.refuse_at = row->refuse_at;
	fake.refusal = row->refusal;
	if (row->how & FEWER)
		fake.streams = 3;
	r = run(transport, &fake, row, &reply, &err);
	check_reply(row, &reply, r, &err);
	if (fake.step->act != END)
		fail_msg("%s: step %d was not reached", row->name, (int)(fake.step - row->steps));
	if (strcmp(fake.log, row->log) != 0)
		fail_msg("%s: the drive was told \"%s\"", row->name, fake.log);
	if (row->outcome != OUTCOME_GONE) {
		if (fake.held)
			fail_msg("%s: the drive still holds a tag", row->name);
		check_next(transport, &fake, row);
	}
	transport_close(transport);
	if (fake.surprise)
		fail_msg("%s: %s", row->name, fake.surprise);
	if (row->outcome != OUTCOME_GONE && fake.alternate != 0)
		fail_msg("%s: left at alternate setting %u", row->name, fake.alternate);
}

static void test_ladder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
}

/* A drive that is gone is not spoken to. */
static void test_stays_gone(void **state)
{
	static const struct row row = {"gone", STREAMS, {{SENT, LINK_GONE}}, "C", OUTCOME_GONE};
	struct transport *transport;
	struct reply reply;
	struct uaslink fake;
	unsigned int submits;

	(void)state;
	set_up(&fake, &row);
	transport = transport_uas_open(&fake.link, 0, 0, NULL);
	assert_non_null(transport);
	assert_int_equal(run(transport, &fake, &row, &reply, NULL), -1);
	submits = fake.submits;
	assert_int_equal(run(transport, &fake, &row, &reply, NULL), -1);
	assert_int_equal(reply.outcome, OUTCOME_GONE);
	assert_int_equal(fake.submits, submits);
	transport_close(transport);
	assert_null(fake.surprise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_stays_gone),
	};

	simulate_time();
	return cmocka_run_group_tests_name("transport-uas-link", tests, NULL, NULL);
}
