/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives that break the rules of their transport, one by one, on Bulk-Only and on UAS: a capture of
 * such a drive either ends with exactly the expected map, and every good sector as it is on the
 * medium, or with the expected error; never hangs.  And the thirteen cases in which host and device
 * disagree about a data phase (BBB §6.7), each under its name there, command by command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "capture/capture.h"
#include "sim/script.h"
#include "sim/sim.h"
#include "tests/aid/memsink.h"
#include "tests/aid/simulated.h"
#include "usb/link.h"

#define N_BLOCKS    4096u /* 2 MiB */
#define SLOT_BLOCKS 512u
#define TIMEOUT_MS  150
#define HUNG_S	    120 /* no row may take so long, by far, even under sanitizers */

enum { BOT = 1, UAS = 2, BOTH = BOT | UAS };

/* --- captures --- */

#define ALL_GOOD "good*4096"
#define ONE_OUT	 "good*1000 failed*1 good*3095"

/* READs over Bulk-Only are shorter. */
#define PUT_OFF	    "good*992 skipped*32 untried*3072"
#define PUT_OFF_UAS "good*512 skipped*512 untried*3072"

struct row {
	const char *fault; /* the setting, or several */
	int on;
	enum capture_end end;
	const char *states;    /* the whole map, or NULL: what is good is right, no more is said */
	enum err_kind kind;    /* of FAILED */
	unsigned int waits_ms; /* --reconnect */
};

/* READs touch 1000 in the first pass and, if that fails, down to the single sector. */
static const struct row rows[] = {
	{"case-4:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"case-4:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"case-5:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"case-7:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"case-7:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"case-8:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"case-8:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"case-2:op=00", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"case-3:op=00", BOT, CAPTURE_COMPLETE, ALL_GOOD},

	{"stall-cbw:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"stall-cbw:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"stall-before-data:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"stall-before-data:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"stall-in-data:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"stall-after-data:lba=1000:always", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"stall-csw-twice:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"stall-csw-twice:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},

	{"csw-signature:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-signature:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"csw-tag:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-tag:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"csw-status:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-status:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"csw-short:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-short:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"csw-long:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-long:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"csw-garbage:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-garbage:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"csw-empty:lba=1000:always", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-late=20:lba=1000:always", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-late=600:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-missing:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"csw-missing:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"no-data:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"no-data:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"phase-error:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"phase-error:lba=1000:always", BOT, CAPTURE_UNREADABLE, ONE_OUT},
	{"residue:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"residue-huge:lba=1000:always", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"residue:op=25:always,fault=residue:lba=0-4095:always", BOT, CAPTURE_COMPLETE, ALL_GOOD},

	{"uas-tag:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-tag:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-other-tag:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-id:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-id:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-short:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-short:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-length:lba=1000:always", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-garbage:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-garbage:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-response=0:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-response=2:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-response=4:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-response=5:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-response=9:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-response=10:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-response=10:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-response=99:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-no-sense:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-no-sense:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-no-ready:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-no-data:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-no-data:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},
	{"uas-short-data:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-short-data:lba=1000:always", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-data-late=20:lba=1000:always", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-data-late=600:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-twice:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-stall-command:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-stall-status:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-stall-data:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-stall-data:lba=1000:always", UAS, CAPTURE_UNREADABLE, ONE_OUT},

	{"hang:lba=1000", BOTH, CAPTURE_COMPLETE, ALL_GOOD},
	{"hang:lba=1000:always", BOTH, CAPTURE_UNREADABLE, ONE_OUT},
	{"deaf:lba=1000", BOT, CAPTURE_COMPLETE, ALL_GOOD},
	{"dead:lba=1000", BOT, CAPTURE_FAILED, NULL, ERR_GONE},
	{"drop=0:lba=1000", BOT, CAPTURE_FAILED, PUT_OFF, ERR_GONE},
	{"drop=0:lba=1000", BOT, CAPTURE_FAILED, PUT_OFF, ERR_GONE, 1000},
	{"drop=0:lba=1000", UAS, CAPTURE_FAILED, PUT_OFF_UAS, ERR_GONE},
	{"drop=0:lba=1000", UAS, CAPTURE_FAILED, PUT_OFF_UAS, ERR_GONE, 1000},
	{"drop=300:lba=1000", BOTH, CAPTURE_FAILED, NULL, ERR_GONE},
	{"drop=300:lba=1000", BOTH, CAPTURE_COMPLETE, ALL_GOOD, ERR_NONE, 20000},
	{"drop=300:lba=1000:times=2", BOTH, CAPTURE_COMPLETE, ALL_GOOD, ERR_NONE, 20000},
	{"drop=300:cmd=12,fault=drop=300:lba=4000", BOTH, CAPTURE_COMPLETE, ALL_GOOD, ERR_NONE,
		20000},
	{"drop=100:lba=1000:always", BOTH, CAPTURE_UNREADABLE, ONE_OUT, ERR_NONE, 20000},
	{"shrink:lba=1000", BOTH, CAPTURE_FAILED, NULL, ERR_IDENTITY},
};

/* Where those above make one wait for time-outs of seconds: once is enough. */
static const struct row slow_rows[] = {
	{"uas-no-abort:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"uas-no-reset:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"deaf:lba=1000", UAS, CAPTURE_COMPLETE, ALL_GOOD},
	{"dead:lba=1000", UAS, CAPTURE_FAILED, NULL, ERR_GONE},
};

static struct memsink *clean; /* of a drive that keeps the rules */

static void states_of(const struct memsink *sink, char *text, size_t room)
{
	uint64_t lba = 0;
	size_t n = 0;

	text[0] = '\0';
	while (lba < N_BLOCKS && n < room) {
		enum block_state state = blockmap_at(sink->map, lba).state;
		uint64_t from = lba;

		while (lba < N_BLOCKS && blockmap_at(sink->map, lba).state == state)
			lba = blockmap_at(sink->map, lba).lba + blockmap_at(sink->map, lba).n;
		n += (size_t)snprintf(text + n, room - n, "%s%s*%lu", from ? " " : "",
			block_state_name(state), (unsigned long)(lba - from));
	}
}

static void check_good(const struct memsink *sink)
{
	struct block_range have;

	for (uint64_t lba = 0; blockmap_next(sink->map, lba, BLOCK_HAVE, &have);
		lba = have.lba + have.n)
		assert_memory_equal(
			sink->bytes + have.lba * 512, clean->bytes + have.lba * 512, have.n * 512);
}

static struct memsink *capture(
	const char *name, unsigned int waits_ms, enum capture_end *end, struct err *err)
{
	struct capture_result result;
	const struct capture_options options = {.timeout_ms = TIMEOUT_MS, .reconnect_ms = waits_ms};
	struct device *device = device_open(name, &(struct device_options){.timeout_ms = 0}, err);
	struct memsink *sink = memsink_new(N_BLOCKS, 512, SLOT_BLOCKS, false);

	if (!device)
		fail_msg("%s: %s", name, err->text);
	*end = capture_run(device, &sink->sink, &options, NULL, &result, err);
	device_close(device);
	assert_string_equal(sink->broken, "");
	return sink;
}

/* SPEED: "high" is UAS without streams. */
static void run_row(const struct row *row, bool uas, const char *speed)
{
	struct err err = {.kind = ERR_NONE};
	struct memsink *sink;
	enum capture_end end;
	static unsigned int serial; /* one that has gone for good stays gone, by its name */
	char name[300], states[500];

	snprintf(name, sizeof(name),
		"sim:blank,size=2M,content=noise,seed=5,serial=%u,speed=%s%s,fault=%s", serial++,
		speed, uas ? ",only-uas" : "", row->fault);
	alarm(HUNG_S);
	sink = capture(name, row->waits_ms, &end, &err);
	alarm(0);
	states_of(sink, states, sizeof(states));
	if (end != row->end || (row->states && strcmp(states, row->states) != 0) ||
		(end == CAPTURE_FAILED && err.kind != row->kind))
		fail_msg("%s: ended %d (kind %d: %s), map %s", name, end, err.kind, err.text,
			states);
	check_good(sink);
	memsink_free(sink);
}

static void run_rows(const struct row *table, size_t n, bool uas, const char *speed)
{
	for (size_t i = 0; i < n; i++) {
		if (table[i].on & (uas ? UAS : BOT))
			run_row(&table[i], uas, speed);
	}
}

#define ROWS	  (sizeof(rows) / sizeof(rows[0]))
#define SLOW_ROWS (sizeof(slow_rows) / sizeof(slow_rows[0]))

static void test_bulk_only(void **state)
{
	(void)state;
	run_rows(rows, ROWS, false, "high");
}

static void test_uas_with_streams(void **state)
{
	(void)state;
	run_rows(rows, ROWS, true, "super");
}

static void test_uas_without_streams(void **state)
{
	(void)state;
	run_rows(rows, ROWS, true, "high");
}

static void test_uas_ladder(void **state)
{
	(void)state;
	run_rows(slow_rows, SLOW_ROWS, true, "super");
}

/* A misdeed without a row would not be tested. */
static void test_every_misdeed_has_a_row(void **state)
{
	(void)state;
	for (int m = MISDEED_NONE + 1; m < MISDEEDS; m++) {
		const char *name = misdeed_name((enum misdeed)m);
		size_t len = strlen(name);
		bool found = m >= MISDEED_CASE_9 && m <= MISDEED_CASE_13; /* test_cases */

		for (size_t i = 0; i < ROWS + SLOW_ROWS && !found; i++) {
			const char *fault = i < ROWS ? rows[i].fault : slow_rows[i - ROWS].fault;

			found = strncmp(fault, name, len) == 0 && strchr(":=", fault[len]);
		}
		if (!found)
			fail_msg("no row for %s", name);
	}
}

/* --- the thirteen cases --- */

static const struct {
	const char *name;  /* of BBB §6.7 */
	const char *fault; /* what makes the device intend it; "": it does so anyway */
	enum transfer_direction direction; /* and what the host announces */
	uint8_t opcode;
	size_t len;
	enum outcome outcome;
	size_t moved;
} cases[] = {
	{"Case 1: Hn = Dn", "", TRANSFER_NONE, 0x00, 0, OUTCOME_DONE, 0},
	{"Case 2: Hn < Di", ",fault=case-2:op=00", TRANSFER_NONE, 0x00, 0, OUTCOME_BROKEN, 0},
	{"Case 3: Hn < Do", ",fault=case-3:op=00", TRANSFER_NONE, 0x00, 0, OUTCOME_BROKEN, 0},
	{"Case 4: Hi > Dn", ",fault=case-4:op=28", TRANSFER_IN, 0x28, 4096, OUTCOME_DONE, 0},
	{"Case 5: Hi > Di", ",fault=case-5:op=28", TRANSFER_IN, 0x28, 4096, OUTCOME_DONE, 2048},
	{"Case 6: Hi = Di", "", TRANSFER_IN, 0x28, 4096, OUTCOME_DONE, 4096},
	{"Case 7: Hi < Di", ",fault=case-7:op=28", TRANSFER_IN, 0x28, 4096, OUTCOME_BROKEN, 0},
	{"Case 8: Hi <> Do", ",fault=case-8:op=28", TRANSFER_IN, 0x28, 4096, OUTCOME_BROKEN, 0},
	{"Case 9: Ho > Dn", ",fault=case-9:op=1d", TRANSFER_OUT, 0x1d, 4096, OUTCOME_DONE, 0},
	{"Case 10: Ho <> Di", ",fault=case-10:op=1d", TRANSFER_OUT, 0x1d, 4096, OUTCOME_BROKEN, 0},
	{"Case 11: Ho > Do", ",fault=case-11:op=1d", TRANSFER_OUT, 0x1d, 4096, OUTCOME_DONE, 2048},
	{"Case 12: Ho = Do", "", TRANSFER_OUT, 0x1d, 4096, OUTCOME_DONE, 4096},
	{"Case 13: Ho < Do", ",fault=case-13:op=1d", TRANSFER_OUT, 0x1d, 4096, OUTCOME_BROKEN, 0},
};

static int send(struct transport *transport, uint8_t opcode, enum transfer_direction direction,
	size_t len, struct reply *reply, struct err *err)
{
	static uint8_t data[4096];
	uint8_t cdb[10] = {opcode, [8] = (uint8_t)(len / 512)};
	const struct command command = {
		.cdb = cdb,
		.cdb_len = opcode == 0x28 ? 10 : 6,
		.direction = direction,
		.data = data,
		.data_len = len,
		.deadline = deadline_in_ms(TIMEOUT_MS),
	};

	/* SEND DIAGNOSTIC: the one command with data from the host that the drive takes. */
	if (opcode == 0x1d)
		put_be16(cdb + 3, (uint16_t)len);
	return transport_exec(transport, &command, reply, err);
}

/* Whatever happened, the next command is well. */
static void run_case(size_t i, const char *how)
{
	struct transport *transport;
	struct err err = {.kind = ERR_NONE};
	struct reply reply;
	struct link *link;
	char name[200];

	snprintf(name, sizeof(name), "blank,size=1M,short=%s%s", how, cases[i].fault);
	link = sim_open(name, &err);
	assert_non_null(link);
	transport = transport_bot_open(link, 0, 0, &err);
	assert_non_null(transport);
	send(transport, cases[i].opcode, cases[i].direction, cases[i].len, &reply, &err);
	if (reply.outcome != cases[i].outcome || reply.moved != cases[i].moved)
		fail_msg("%s (%s): %s, %zu bytes (%s)", cases[i].name, how,
			outcome_name(reply.outcome), reply.moved, err.text);
	assert_int_equal(send(transport, 0x28, TRANSFER_IN, 512, &reply, &err), 0);
	assert_int_equal(reply.status, SCSI_STATUS_GOOD);
	assert_int_equal(reply.moved, 512);
	transport_close(transport);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_case(i, "stall");
		run_case(i, "packet");
	}
}

static int setup(void **state)
{
	struct err err = {.kind = ERR_NONE};
	enum capture_end end;

	(void)state;
	clean = capture("sim:blank,size=2M,content=noise,seed=5", 0, &end, &err);
	return end == CAPTURE_COMPLETE ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	memsink_free(clean);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_misdeed_has_a_row),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_bulk_only),
		cmocka_unit_test(test_uas_with_streams),
		cmocka_unit_test(test_uas_without_streams),
		cmocka_unit_test(test_uas_ladder),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-misdeeds", tests, setup, teardown);
}
