/* SPDX-License-Identifier: BSD-2-Clause */
/* Tries to get a write, or anything that changes a drive, past the read-only guard.  SEED=n
 * repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "transport/transport.h"

/* Operation codes that only tell (SPC-5, SBC-4); all others must be stopped, whatever stands
 * behind. */
static const uint8_t telling[] = {
	0x00, 0x03, 0x08, 0x12, 0x1a, 0x25, 0x28, 0x37, 0x4d, 0x5a, 0x88, 0x9e, 0xa0, 0xa8, 0xb7};

static bool tells(uint8_t opcode)
{
	return memchr(telling, opcode, sizeof(telling)) != NULL;
}

/* What a CDB that got through must not be, by the standards' own words. */
static const char *harm(const uint8_t *cdb, size_t len)
{
	if (!tells(cdb[0]))
		return "an operation that is not known to only tell";
	if (cdb[0] == 0x4d && cdb[1] & 1)
		return "LOG SENSE with SP: saves parameters";
	if (cdb[0] == 0x9e && (cdb[1] & 0x1f) != 0x10 && (cdb[1] & 0x1f) != 0x12)
		return "an unknown service action";
	if (cdb[len - 1] != 0)
		return "a CONTROL byte (NACA, link)";
	return NULL;
}

static const size_t lengths[] = {6, 10, 12, 16};

static void check(const uint8_t *cdb, size_t len)
{
	const char *what;

	if (guard_allows(cdb, len, TRANSFER_OUT))
		fail_msg("CDB %02x … of %zu bytes got through with data out", cdb[0], len);
	if (!guard_allows(cdb, len, TRANSFER_IN) && !guard_allows(cdb, len, TRANSFER_NONE))
		return;
	what = harm(cdb, len);
	if (what)
		fail_msg("CDB %02x %02x … of %zu bytes got through: %s", cdb[0], cdb[1], len, what);
}

/* All operation codes, service actions and lengths, otherwise zero. */
static void test_all_codes(void **state)
{
	uint8_t cdb[TRANSPORT_CDB_MAX] = {0};

	(void)state;
	for (unsigned int code = 0; code < 256 * 256; code++) {
		cdb[0] = (uint8_t)(code >> 8);
		cdb[1] = (uint8_t)code;
		for (size_t len = 1; len <= 32; len++)
			check(cdb, len);
		check(cdb, sizeof(cdb));
	}
}

static void test_random(void **state)
{
	uint8_t cdb[16];
	unsigned int passed = 0;

	(void)state;
	for (int i = 0; i < 500000; i++) {
		size_t len = lengths[random() % 4];

		memset(cdb, 0, sizeof(cdb));
		cdb[0] = i % 2 ? telling[(size_t)random() % sizeof(telling)] : (uint8_t)random();
		/* A few bytes at a time: all at once would hardly ever get through. */
		for (int n = (int)(random() % 4); n > 0; n--)
			cdb[1 + (size_t)random() % (len - 1)] = (uint8_t)random();
		passed += guard_allows(cdb, len, TRANSFER_IN);
		check(cdb, len);
	}
	assert_true(passed > 1000);
}

static void test_what_a_capture_needs(void **state)
{
	static const struct {
		uint8_t len;
		uint8_t cdb[16];
		enum transfer_direction direction;
	} rows[] = {
		{6, {0x00}, TRANSFER_NONE},
		{6, {0x03, 0, 0, 0, 18}, TRANSFER_IN},
		{6, {0x12, 0, 0, 0, 36}, TRANSFER_IN},
		{6, {0x12, 1, 0x80, 0, 255}, TRANSFER_IN},
		{6, {0x1a, 0, 0x3f, 0, 192}, TRANSFER_IN},
		{10, {0x25}, TRANSFER_IN},
		{10, {0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff}, TRANSFER_IN},
		{16, {0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 8},
			TRANSFER_IN},
		{16, {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}, TRANSFER_IN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(guard_allows(rows[i].cdb, rows[i].len, rows[i].direction));
}

static unsigned int reached;

static int inner_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	(void)transport, (void)command, (void)err;
	reached++;
	reply->outcome = OUTCOME_DONE;
	return 0;
}

static void inner_close(struct transport *transport)
{
	(void)transport;
}

static void test_stops(void **state)
{
	static const struct transport_ops ops = {"inner", inner_exec, inner_close};
	struct transport inner = {&ops, 1 << 20, 16, 1};
	struct transport *guard = transport_guard_new(&inner, NULL);
	uint8_t data[512], cdb[10] = {0x2a, 0, 0, 0, 0, 0, 0, 0, 1};
	struct command command = {.cdb = cdb,
		.cdb_len = 10,
		.direction = TRANSFER_OUT,
		.data = data,
		.data_len = 512,
		.deadline = deadline_in_ms(1000)};
	struct reply reply;
	struct err err;

	(void)state;
	assert_int_equal(transport_exec(guard, &command, &reply, &err), -1);
	assert_int_equal(reply.outcome, OUTCOME_NOT_SENT);
	assert_non_null(strstr(err.text, "2A"));
	assert_int_equal(reached, 0);
	cdb[0] = 0x28;
	command.direction = TRANSFER_IN;
	assert_int_equal(transport_exec(guard, &command, &reply, &err), 0);
	assert_int_equal(reached, 1);
	transport_close(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_codes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_what_a_capture_needs),
		cmocka_unit_test(test_stops),
	};
	const char *given = getenv("SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "# SEED=%u\n", seed);
	srandom(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
