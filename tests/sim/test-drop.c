/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive that leaves the bus and comes back, in one process: it is the same drive by its name, and
 * what its script has counted is not begun anew.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sim/sim.h"
#include "tests/aid/simulated.h"
#include "tests/aid/wire.h"

#define PATIENCE_MS 20000

static uint8_t data[512];

/* A command at which the drive leaves, and then the link is closed. */
static void drop(struct link *link)
{
	uint8_t cbw[31];
	size_t moved;

	wire_cbw(cbw, 1, 0, false, 0, (const uint8_t[6]){0}, 6);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_GONE);
	wire_close(link);
}

static void assert_reads(struct link *link)
{
	struct wire_reply reply = wire_read(link, 0, 1, data, 512);

	assert_int_equal(reply.moved, 512);
	assert_int_equal(reply.status, 0);
}

static void assert_away(const char *name)
{
	struct err err = {0};

	assert_null(sim_open(name, &err));
	assert_int_equal(err.kind, ERR_NO_DEVICE);
	assert_string_equal(err.text, "the simulated drive is not plugged in at the moment");
}

/* Opens it as soon as it is back. */
static struct link *wait_for(const char *name)
{
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);
	struct link *link = NULL;

	while (!link && deadline_left_ms(deadline) > 0) {
		struct err err = {0};

		link = sim_open(name, &err);
		if (!link) {
			assert_int_equal(err.kind, ERR_NO_DEVICE);
			clock_sleep_ms(1);
		}
	}
	assert_non_null(link);
	return link;
}

static void test_never_back(void **state)
{
	const char *name = "noise,serial=N,fault=drop=0";

	(void)state;
	drop(wire_open(name));
	assert_away(name);
	assert_away(name);
	/* Another name is another drive. */
	wire_close(wire_open("noise,serial=M"));
}

static void test_away_for_long(void **state)
{
	const char *name = "noise,serial=L,fault=drop=86400000";

	(void)state;
	drop(wire_open(name));
	assert_away(name);
}

/* It leaves at the second command, and once. */
static void test_back(void **state)
{
	const char *name = "noise,serial=B,fault=drop=1:cmd=2,unit-attention";
	struct link *link = wire_open(name);
	uint8_t sense[32];

	(void)state;
	assert_int_equal(wire_exec(link, 0, (const uint8_t[6]){0}, 6, NULL, 0).status, 1);
	drop(link);
	link = wait_for(name);
	/* The power was off. */
	assert_int_equal(wire_read(link, 0, 1, data, 512).status, 1);
	assert_int_equal(wire_sense(link, 0, sense), 0x062900);
	assert_reads(link);
	assert_reads(link);
	wire_close(link);
	/* Closed while it was there, it is a new one the next time. */
	link = wire_open(name);
	wire_exec(link, 0, (const uint8_t[6]){0}, 6, NULL, 0);
	drop(link);
}

static void test_back_and_away_again(void **state)
{
	const char *name = "noise,serial=A,fault=drop=1:times=3";
	struct link *link = wire_open(name);

	(void)state;
	for (int i = 0; i < 3; i++) {
		drop(link);
		link = wait_for(name);
	}
	assert_reads(link);
	wire_close(link);
}

/* Names are compared whole, however long. */
static void test_long_names(void **state)
{
	char name[700], other[700];
	struct link *link;

	(void)state;
	snprintf(name, sizeof(name), "noise,serial=%0126d", 7);
	while (strlen(name) < 600)
		strcat(name, ",fault=csw-tag:lba=400000-500000:times=2");
	memcpy(other, name, sizeof(name));
	strcat(name, ",fault=drop=0");
	strcat(other, ",fault=drop=1");
	drop(wire_open(name));
	assert_away(name);
	link = wire_open(other);
	drop(link);
	link = wait_for(other);
	assert_reads(link);
	wire_close(link);
}

/* More than there is room to remember: the others are forgotten, and nothing else happens. */
static void test_many(void **state)
{
	char name[60];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "blank,serial=many%d,fault=drop=0", i);
		drop(wire_open(name));
	}
	wire_close(wire_open("blank"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_back),
		cmocka_unit_test(test_away_for_long),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_back_and_away_again),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_many),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
