/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture that is stopped at any READ and run again ends with the map and the bytes of one that
 * was not; what is good is not read again.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS    8192u
#define SLOT_BLOCKS 512u

static const struct fake_fault faults[] = {
	{FAKE_MEDIUM, 700, 702, 0},
	{FAKE_MEDIUM_LBA, 3000, 3000, 0},
	{FAKE_HARDWARE, 3100, 3100, 0},
	{FAKE_MEDIUM, 8191, 8191, 0},
	{FAKE_RECOVERED_LBA, 5000, 5000, 0},
};

#define N_FAULTS (sizeof(faults) / sizeof(faults[0]))

static const char want[] = "good*700 bad*3 good*2297 bad*1 good*99 failed*1 good*1899 recovered*1 "
			   "good*3190 bad*1";

/* Runs until it ends by itself, stopping each session at READ number STEP.  Returns the sessions.
 */
static unsigned int run_in_steps(struct rig *rig, unsigned int step)
{
	enum capture_end end = CAPTURE_STOPPED;
	unsigned int sessions = 0;

	while (end == CAPTURE_STOPPED) {
		rig_again(rig, faults, N_FAULTS);
		rig->fake.event[0] = (struct fake_event){EVENT_STOP, step};
		end = rig_run(rig);
		rig_check(rig);
		assert_true(end == CAPTURE_UNREADABLE || end == CAPTURE_STOPPED);
		assert_in_range(rig->fake.reads, 1, step);
		sessions++;
		assert_in_range(sessions, 1, 10000);
	}
	return sessions;
}

static unsigned int reads_of_whole_run(void)
{
	struct rig rig;
	char text[400];
	unsigned int reads;

	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, faults, N_FAULTS);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), want);
	reads = rig.fake.reads;
	rig_free(&rig);
	return reads;
}

/* One stop, at every place there is. */
static void test_stop_once_anywhere(void **state)
{
	unsigned int all = reads_of_whole_run();

	(void)state;
	assert_in_range(all, 40, 400);
	for (unsigned int stop = 1; stop <= all; stop++) {
		struct rig rig;
		char text[400];

		rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, faults, N_FAULTS);
		rig.fake.event[0] = (struct fake_event){EVENT_STOP, stop};
		assert_in_range(rig_run(&rig), CAPTURE_UNREADABLE, CAPTURE_STOPPED);
		rig_check(&rig);
		assert_int_equal(rig.fake.reads, stop);
		rig_again(&rig, faults, N_FAULTS);
		assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
		rig_check(&rig);
		assert_string_equal(rig_states(&rig, text, sizeof(text)), want);
		rig_free(&rig);
	}
}

/* A stop in every session, after 16, 17, … READs: it still gets to its end. */
static void test_stop_again_and_again(void **state)
{
	(void)state;
	for (unsigned int step = 16; step < 60; step++) {
		struct rig rig;
		char text[400];

		rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, faults, N_FAULTS);
		assert_in_range(run_in_steps(&rig, step), 2, 200);
		assert_string_equal(rig_states(&rig, text, sizeof(text)), want);
		rig_free(&rig);
	}
}

static void test_complete_image_is_not_read_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_again(&rig, NULL, 0);
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	assert_int_equal(rig.fake.reads, 0);
	rig_free(&rig);
}

static void test_bad_sectors_are_left_alone_without_retries(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM, 100, 101, 0}};
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, bad, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_again(&rig, bad, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	assert_int_equal(rig.fake.reads, 0);
	rig_free(&rig);
}

static void test_retries_in_a_later_session(void **state)
{
	static const struct fake_fault bad[] = {
		{FAKE_MEDIUM, 100, 100, 0}, {FAKE_MEDIUM, 101, 101, 0}};
	static const struct fake_fault better[] = {
		{FAKE_MEDIUM, 100, 100, 0}, {FAKE_MEDIUM, 101, 101, 2}};
	struct rig rig;
	char text[400];
	struct block_range range;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, bad, 2);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_again(&rig, better, 2);
	rig.options.retries = 4;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*100 bad*1 good*8091");
	/* The last try was in vain: a good sector is read to see that the drive lives. */
	assert_int_equal(rig.fake.reads, 4 + 3 + 1);
	range = blockmap_at(rig.sink->map, 100);
	assert_int_equal(range.why.tries, 5);
	assert_int_equal(range.why.sense_key, SENSE_MEDIUM_ERROR);
	assert_int_equal(range.why.asc, 0x11);
	rig_free(&rig);
}

static void test_part(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM, 999, 999, 0},
		{FAKE_MEDIUM, 1200, 1200, 0}, {FAKE_MEDIUM, 1500, 1500, 0}};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, bad, 3);
	rig.options.start_lba = 1000;
	rig.options.n_blocks = 500;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)),
		"untried*1000 good*200 bad*1 good*299 untried*6692");
	assert_int_equal(rig.fake.lowest, 1000);
	assert_int_equal(rig.fake.highest, 1499);
	assert_int_equal(rig.last.wanted, 500);
	assert_int_equal(rig.last.good, 499);
	assert_int_equal(rig.last.bad, 1);
	assert_int_equal(rig.last.untried, 0);
	rig_free(&rig);
}

static void test_start_behind_the_end(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig.options.start_lba = N_BLOCKS;
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	assert_int_equal(rig.err.kind, ERR_USAGE);
	assert_int_equal(rig.fake.reads, 0);
	rig_free(&rig);
}

static void test_full_disk(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig.sink->full_after = 5;
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	assert_int_equal(rig.err.kind, ERR_NO_SPACE);
	rig_check(&rig);
	assert_int_equal(rig.last.good, 5 * SLOT_BLOCKS);
	rig.sink->full_after = 0;
	rig_again(&rig, NULL, 0);
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	assert_int_equal(rig.fake.reads, N_BLOCKS / SLOT_BLOCKS - 5);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_once_anywhere),
		cmocka_unit_test(test_stop_again_and_again),
		cmocka_unit_test(test_complete_image_is_not_read_again),
		cmocka_unit_test(test_bad_sectors_are_left_alone_without_retries),
		cmocka_unit_test(test_retries_in_a_later_session),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_start_behind_the_end),
		cmocka_unit_test(test_full_disk),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-resume", tests, NULL, NULL);
}
