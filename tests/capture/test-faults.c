/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever way sectors fail: the map names exactly those, all others are the medium's, and the
 * drive is not asked in vain more often than a bound.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS    131072u /* 64 MiB */
#define SLOT_BLOCKS 2048u
#define MAX_FAULTS  4

struct fault_case {
	const char *name;
	struct fake_fault fault[MAX_FAULTS];
	const char *states;
	unsigned int most_failures; /* reads that may fail */
	enum capture_end end;
};

static const struct fault_case cases[] = {
	{"no fault", {{0}}, "good*131072", 0, CAPTURE_COMPLETE},
	{"one sector, no LBA", {{FAKE_MEDIUM, 5000, 5000, 0}}, "good*5000 bad*1 good*126071", 14,
		CAPTURE_UNREADABLE},
	{"one sector, with LBA", {{FAKE_MEDIUM_LBA, 5000, 5000, 0}}, "good*5000 bad*1 good*126071",
		2, CAPTURE_UNREADABLE},
	{"garbage before the failing sector", {{FAKE_MEDIUM_DATA, 5000, 5000, 0}},
		"good*5000 bad*1 good*126071", 2, CAPTURE_UNREADABLE},
	{"the first and the last sector",
		{{FAKE_MEDIUM, 0, 0, 0}, {FAKE_MEDIUM, 131071, 131071, 0}},
		"bad*1 good*131070 bad*1", 28, CAPTURE_UNREADABLE},
	{"the first and the last sector, with LBA",
		{{FAKE_MEDIUM_LBA, 0, 0, 0}, {FAKE_MEDIUM_LBA, 131071, 131071, 0}},
		"bad*1 good*131070 bad*1", 4, CAPTURE_UNREADABLE},
	{"a row over the border of two slots", {{FAKE_MEDIUM, 2040, 2055, 0}},
		"good*2040 bad*16 good*129016", 16 + 40, CAPTURE_UNREADABLE},
	{"a row over the border of two slots, with LBA", {{FAKE_MEDIUM_LBA, 2040, 2055, 0}},
		"good*2040 bad*16 good*129016", 16 + 12, CAPTURE_UNREADABLE},
	{"an erase block", {{FAKE_MEDIUM_LBA, 8192, 9215, 0}}, "good*8192 bad*1024 good*121856",
		1024 + 40, CAPTURE_UNREADABLE},
	{"an erase block, no LBA", {{FAKE_MEDIUM, 8192, 9215, 0}}, "good*8192 bad*1024 good*121856",
		1024 + 40, CAPTURE_UNREADABLE},
	{"three places of different kinds",
		{{FAKE_MEDIUM, 100, 101, 0}, {FAKE_MEDIUM_LBA, 50000, 50000, 0},
			{FAKE_BLANK, 90000, 90001, 0}},
		"good*100 bad*2 good*49898 bad*1 good*39999 bad*2 good*41070", 40,
		CAPTURE_UNREADABLE},
	{"sense names the first sector of the read", {{FAKE_NAMES_FIRST, 5000, 5001, 0}},
		"good*5000 bad*2 good*126070", 60, CAPTURE_UNREADABLE},
	{"sense names the last sector of the read", {{FAKE_NAMES_LAST, 5000, 5001, 0}},
		"good*5000 bad*2 good*126070", 60, CAPTURE_UNREADABLE},
	{"sense names a sector that was not asked for", {{FAKE_NAMES_OUTSIDE, 5000, 5001, 0}},
		"good*5000 bad*2 good*126070", 20, CAPTURE_UNREADABLE},
	{"hardware error that speaks of the place", {{FAKE_POSITIONING, 5000, 5000, 0}},
		"good*5000 bad*1 good*126071", 14, CAPTURE_UNREADABLE},
	{"hardware error that does not", {{FAKE_HARDWARE, 5000, 5000, 0}},
		"good*5000 failed*1 good*126071", 16, CAPTURE_UNREADABLE},
	{"aborted command", {{FAKE_ABORTED, 5000, 5000, 0}}, "good*5000 failed*1 good*126071", 16,
		CAPTURE_UNREADABLE},
	{"LBA out of range", {{FAKE_RANGE, 5000, 5000, 0}}, "good*5000 failed*1 good*126071", 16,
		CAPTURE_UNREADABLE},
	{"time-outs", {{FAKE_TIMEOUT, 5000, 5000, 0}}, "good*5000 failed*1 good*126071", 16,
		CAPTURE_UNREADABLE},
	{"a broken exchange", {{FAKE_BROKEN, 5000, 5000, 0}}, "good*5000 failed*1 good*126071", 16,
		CAPTURE_UNREADABLE},
	{"one time-out", {{FAKE_TIMEOUT, 5000, 5000, 1}}, "good*131072", 1, CAPTURE_COMPLETE},
	{"two bad reads of a place that then reads", {{FAKE_MEDIUM, 5000, 5000, 2}}, "good*131072",
		2, CAPTURE_COMPLETE},
	{"short reads", {{FAKE_SHORT, 5000, 5010, 0}}, "good*131072", 0, CAPTURE_COMPLETE},
	{"a sector that never comes", {{FAKE_NOTHING, 5000, 5000, 0}},
		"good*5000 failed*1 good*126071", 0, CAPTURE_UNREADABLE},
	{"recovered, with LBA", {{FAKE_RECOVERED_LBA, 5000, 5000, 0}},
		"good*5000 recovered*1 good*126071", 0, CAPTURE_COMPLETE},
	{"recovered, no LBA", {{FAKE_RECOVERED, 5000, 5000, 0}},
		"good*4096 recovered*2048 good*124928", 0, CAPTURE_COMPLETE},
};

static size_t count_faults(const struct fault_case *c)
{
	size_t n = 0;

	while (n < MAX_FAULTS && c->fault[n].kind != FAKE_END)
		n++;
	return n;
}

static void check_case(const struct fault_case *c, bool in_order)
{
	struct rig rig;
	char states[400];
	enum capture_end end;

	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, in_order, c->fault, count_faults(c));
	end = rig_run(&rig);
	rig_check(&rig);
	print_message("# %s%s: %u reads, %u failed\n", c->name, in_order ? " (in order)" : "",
		rig.fake.reads, rig.fake.failed_reads);
	assert_string_equal(rig_states(&rig, states, sizeof(states)), c->states);
	assert_int_equal(end, c->end);
	assert_in_range(rig.fake.failed_reads, 0, c->most_failures + (in_order ? 40 : 0));
	rig_free(&rig);
}

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i], false);
}

static void test_faults_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_faults_in_order),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-faults", tests, NULL, NULL);
}
