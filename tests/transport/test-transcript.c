/* SPDX-License-Identifier: BSD-2-Clause */
/* Transcripts: what passed is written, without what is private; it is replayed by CDB; and a file
 * that somebody else made cannot do harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/errnum.h"
#include "scsi/scsi.h"
#include "sim/sim.h"
#include "tests/aid/simulated.h"
#include "transport/transport.h"

static char path[] = "/tmp/umsctl-transcript-XXXXXX";

static struct transport *recording(const char *name, bool with_data)
{
	struct err err;
	struct link *link = sim_open(name, &err);
	struct transport *bot = link ? transport_bot_open(link, 0, 0, &err) : NULL;
	struct transport *record =
		bot ? transport_record_new(bot, path, with_data, "1209:0001", &err) : NULL;

	if (!record)
		fail_msg("%s", err.text);
	return record;
}

static struct transport *replaying(void)
{
	struct err err;
	struct transport *replay = transport_replay_open(path, &err);

	if (!replay)
		fail_msg("%s", err.text);
	return replay;
}

static int send(struct transport *transport, const uint8_t *cdb, size_t cdb_len, void *data,
	size_t len, struct reply *reply, struct err *err)
{
	const struct command command = {
		.cdb = cdb,
		.cdb_len = cdb_len,
		.direction = len > 0 ? TRANSFER_IN : TRANSFER_NONE,
		.data = data,
		.data_len = len,
		.deadline = deadline_in_ms(5000),
	};

	return transport_exec(transport, &command, reply, err);
}

static char *contents(void)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	fclose(f);
	text[n] = '\0';
	return text;
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

static const uint8_t inquiry[6] = {0x12, [4] = 36}, ready[6] = {0},
		     serial_page[6] = {0x12, 1, 0x80, 0, 255}, capacity[10] = {0x25},
		     read_one[10] = {0x28, [8] = 1}, read_bad[10] = {0x28, [5] = 9, [8] = 1};

static void run(struct transport *transport)
{
	uint8_t data[512];
	struct reply reply;
	struct err err;

	send(transport, inquiry, 6, data, 36, &reply, &err);
	send(transport, ready, 6, NULL, 0, &reply, &err);
	send(transport, serial_page, 6, data, 255, &reply, &err);
	send(transport, capacity, 10, data, 8, &reply, &err);
	send(transport, read_one, 10, data, 512, &reply, &err);
	send(transport, read_bad, 10, data, 512, &reply, &err);
}

static void test_replayed(void **state)
{
	struct transport *transport = recording("text,size=1M,serial=PRIVATE1,spc=4,bad=9", true);
	uint8_t data[512], wanted[512];
	struct reply reply;
	struct err err = {0};

	(void)state;
	run(transport);
	send(transport, read_one, 10, wanted, 512, &reply, &err);
	transport_close(transport);
	transport = replaying();
	/* In another order. */
	assert_int_equal(send(transport, read_bad, 10, data, 512, &reply, &err), 0);
	assert_int_equal(reply.status, SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(sense_parse(reply.sense, reply.sense_len).key, SENSE_MEDIUM_ERROR);
	assert_int_equal(send(transport, read_one, 10, data, 512, &reply, &err), 0);
	assert_int_equal(reply.moved, 512);
	assert_memory_equal(data, wanted, 512);
	for (int i = 0; i < 5; i++)
		assert_int_equal(send(transport, ready, 6, NULL, 0, &reply, &err), 0);
	assert_int_equal(send(transport, capacity, 10, data, 8, &reply, &err), 0);
	assert_int_equal(get_be32(data), 2047);
	transport_close(transport);
}

/* An error of the host is replayed as one, whether or not this version knows its name. */
static void test_host_errors(void **state)
{
	static const char *const lines[] = {
		"cdb=28000000000000000100 dir=in len=512 outcome=host-error status=00 moved=0 "
		"errno=EIO",
		"cdb=28000000000100000100 dir=in len=512 outcome=host-error status=00 moved=0 "
		"errno=EUNHEARDOF",
		"cdb=28000000000200000100 dir=in len=512 outcome=gone status=00 moved=0 "
		"errno=ENOTCONN",
	};
	static const enum outcome outcomes[] = {
		OUTCOME_HOST_ERROR, OUTCOME_HOST_ERROR, OUTCOME_GONE};
	static const int errors[] = {EIO, ERRNUM_HOST_OTHER, ENOTCONN};
	struct transport *replay, *record;
	uint8_t data[512];
	struct reply reply;
	struct err err = {0};
	char text[1000];

	(void)state;
	snprintf(text, sizeof(text),
		"umsctl-transcript 1\nlimits transfer=65536 cdb=16 depth=1\n%s\n%s\n%s\n", lines[0],
		lines[1], lines[2]);
	put(text);
	replay = replaying();
	record = transport_record_new(replay, path, false, "a file", &err);
	assert_non_null(record);
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t cdb[10] = {0x28, [5] = i, [8] = 1};

		assert_int_equal(send(record, cdb, 10, data, 512, &reply, &err), -1);
		assert_int_equal(reply.outcome, outcomes[i]);
		assert_int_equal(reply.host_errno, errors[i]);
	}
	transport_close(record);
	assert_non_null(strstr(contents(), "outcome=host-error"));
	assert_non_null(strstr(contents(), " errno=EIO "));
	assert_non_null(strstr(contents(), " errno=EOTHER "));
	assert_non_null(strstr(contents(), " errno=ENOTCONN "));
}

static void test_refused(void **state)
{
	struct transport *transport = recording("text,size=1M", false);
	const uint8_t never[10] = {0x28, [5] = 77, [8] = 1};
	uint8_t data[1024];
	struct reply reply;
	struct err err = {0};

	(void)state;
	run(transport);
	transport_close(transport);
	transport = replaying();
	assert_int_equal(send(transport, never, 10, data, 512, &reply, &err), -1);
	assert_int_equal(reply.outcome, OUTCOME_NOT_SENT);
	assert_non_null(strstr(err.text, "28 00 00 00 00 4D"));
	/* Another length is another command. */
	assert_int_equal(send(transport, inquiry, 6, data, 35, &reply, &err), -1);
	transport_close(transport);
}

static void test_private_things_are_left_out(void **state)
{
	struct transport *transport = recording("text,size=1M,serial=PRIVATE1,spc=4", false);
	uint8_t data[512], zeros[512] = {0};
	struct reply reply;
	struct err err;
	char *text;

	(void)state;
	run(transport);
	send(transport, serial_page, 6, data, 255, &reply, &err);
	transport_close(transport);
	text = contents();
	assert_null(strstr(text, "50524956415445")); /* PRIVATE */
	assert_null(strstr(text, "PRIVATE"));
	assert_non_null(strstr(text, "data=-"));
	assert_non_null(strstr(text, "756d7363746c")); /* umsctl: the vendor stays */
	transport = replaying();
	memset(data, 1, sizeof(data));
	assert_int_equal(send(transport, read_one, 10, data, 512, &reply, &err), 0);
	assert_memory_equal(data, zeros, 512);
	transport_close(transport);
	transport = recording("text,size=1M,serial=PRIVATE1,spc=4", true);
	run(transport);
	transport_close(transport);
	assert_non_null(strstr(contents(), "50524956415445"));
}

/* How an exchange failed is replayed too. */
static void test_outcomes(void **state)
{
	static const struct {
		const char *word;
		enum outcome outcome;
	} rows[] = {{"timed-out", OUTCOME_TIMED_OUT}, {"aborted", OUTCOME_ABORTED},
		{"broken", OUTCOME_BROKEN}, {"gone", OUTCOME_GONE}, {"not-sent", OUTCOME_NOT_SENT}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transport *transport;
		struct reply reply;
		struct err err;
		char text[300];

		snprintf(text, sizeof(text),
			"umsctl-transcript 1\nlimits transfer=512 cdb=16 depth=1\n"
			"cdb=000000000000 dir=none len=0 outcome=%s status=00 moved=0 epoch=3 us=1 "
			"sense= data=\n",
			rows[i].word);
		put(text);
		transport = replaying();
		assert_int_equal(transport->max_transfer_bytes, 512);
		assert_int_equal(send(transport, ready, 6, NULL, 0, &reply, &err), -1);
		assert_int_equal(reply.outcome, rows[i].outcome);
		assert_int_equal(reply.reset_epoch, 3);
		transport_close(transport);
	}
}

static void test_broken_files(void **state)
{
#define HEAD "umsctl-transcript 1\n"
#define GOOD "cdb=00 dir=none len=0 outcome=done status=00 moved=0 epoch=0 us=1 sense= data=\n"
	static const char *const texts[] = {
		"",
		"\n",
		"umsctl-transcript 2\n" GOOD,
		HEAD,
		HEAD "limits transfer=0 cdb=16 depth=1\n" GOOD,
		HEAD "limits x\n" GOOD,
		HEAD "cdb= dir=none len=0 outcome=done status=00 moved=0\n",
		HEAD "cdb=0 dir=none len=0\n",
		HEAD "cdb=zz dir=none len=0\n",
		HEAD "cdb=00 dir=sideways len=0\n",
		HEAD "cdb=00 dir=in len=0\n",
		HEAD "cdb=00 dir=none len=5\n",
		HEAD "cdb=00 dir=in len=99999999999999999999\n",
		HEAD "cdb=00 dir=in len=8 outcome=done status=00 moved=9 data=-\n",
		HEAD "cdb=00 dir=in len=8 outcome=done status=0 moved=8 data=-\n",
		HEAD "cdb=00 dir=in len=8 outcome=done status=00 moved=8 data=00\n",
		HEAD "cdb=00 dir=in len=8 outcome=done status=00 moved=1 data=00 data=00\n",
		HEAD "cdb=00 dir=in len=8 outcome=perhaps\n",
		HEAD "cdb=00 dir\n",
		HEAD "cdb=00 =\n",
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(texts[i]);
		err = (struct err){0};
		if (transport_replay_open(path, &err) || !err.text[0])
			fail_msg("taken: %s", texts[i]);
	}
	assert_null(transport_replay_open("/nonexistent/file", &err));
	put(HEAD "# a comment\n\nlater=versions may add lines\n" GOOD);
	transport_close(replaying());
	/* A CDB longer than any. */
	{
		char text[2000] = HEAD "cdb=";

		memset(text + strlen(text), '0', 600);
		strcat(text, " dir=none len=0\n");
		put(text);
		assert_null(transport_replay_open(path, &err));
	}
}

static void test_tally(void **state)
{
	struct err err;
	struct link *link = sim_open("text,size=1M,spc=4", &err);
	struct transport *bot = transport_bot_open(link, 0, 0, &err);
	struct transport *tally = transport_tally_new(bot, &err);
	const uint8_t capacity_16[16] = {0x9e, 0x10, [13] = 32};
	struct tally_row rows[10];
	uint8_t data[512], empty[32], first[32], second[32];
	struct reply reply;

	(void)state;
	assert_int_equal(transport_tally_read(tally, rows, 10, empty), 0);
	run(tally);
	send(tally, capacity_16, 16, data, 32, &reply, &err);
	assert_int_equal(transport_tally_read(tally, rows, 10, first), 5);
	assert_int_equal(rows[0].opcode, 0x00);
	assert_int_equal(rows[1].opcode, 0x12);
	assert_int_equal(rows[1].commands, 2);
	assert_int_equal(rows[3].opcode, 0x28);
	assert_int_equal(rows[3].commands, 2);
	assert_int_equal(rows[4].opcode, 0x9e);
	assert_int_equal(rows[4].service_action, 0x10);
	assert_memory_not_equal(first, empty, 32);
	assert_int_equal(transport_tally_read(tally, rows, 2, second), 2);
	assert_memory_equal(first, second, 32);
	transport_close(tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_host_errors),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_private_things_are_left_out),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_broken_files),
		cmocka_unit_test(test_tally),
	};
	int r;

	close(mkstemp(path));
	simulate_time();
	r = cmocka_run_group_tests_name("transport-transcript", tests, NULL, NULL);
	unlink(path);
	return r;
}
