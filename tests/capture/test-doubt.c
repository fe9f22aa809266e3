/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sectors that failed while it was not known yet whether they are to blame or the drive is: in
 * whatever way a session ends, what it says of them is true, and it is said once.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define ERROR_LINE "\"event\":\"error\""

/* The reads that failed last all count for the same two sectors. */
static void test_told_once(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM, 4000, 4001, 0}};
	struct rig rig;

	(void)state;
	rig_init(&rig, 8192, 512, false, bad, 1);
	rig.options.start_lba = 4000;
	rig.options.n_blocks = 2;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_int_equal(memsink_lines_with(rig.sink, ERROR_LINE), 1);
	assert_int_equal(memsink_lines_with(rig.sink, "\"sectors\":2"), 1);
	rig_free(&rig);
}

/* A source that has fewer sectors than it takes failures to look at a drive's health. */
static void check_small(enum fake_kind kind, enum capture_end end, const char *states)
{
	const struct fake_fault all = {kind, 0, 3, 0};

	for (int in_order = 0; in_order < 2; in_order++) {
		struct rig rig;
		char text[400];

		rig_init(&rig, 4, 4, in_order, &all, 1);
		assert_int_equal(rig_run(&rig), end);
		rig_check(&rig);
		assert_string_equal(rig_states(&rig, text, sizeof(text)), states);
		if (end == CAPTURE_FAILED) {
			assert_int_equal(rig.err.kind, ERR_GONE);
			assert_non_null(strstr(rig.err.text, "does not read"));
			assert_int_equal(memsink_lines_with(rig.sink, ERROR_LINE), 0);
		}
		rig_free(&rig);
	}
}

static void test_small_source(void **state)
{
	(void)state;
	check_small(FAKE_HOST_EIO, CAPTURE_FAILED, "untried*4");
	check_small(FAKE_TIMEOUT, CAPTURE_FAILED, "untried*4");
	check_small(FAKE_MEDIUM, CAPTURE_UNREADABLE, "bad*4");
}

static void test_large_source_of_host_errors(void **state)
{
	const struct fake_fault all = {FAKE_HOST_EIO, 0, 8191, 0};
	const struct fake_fault some = {FAKE_HOST_EIO, 3000, 3019, 0};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, 8192, 512, false, &all, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "untried*8192");
	rig_free(&rig);
	rig_init(&rig, 8192, 512, false, &some, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*3000 bad*20 good*5172");
	assert_int_equal(blockmap_at(rig.sink->map, 3000).why.status, 0);
	assert_int_equal(blockmap_at(rig.sink->map, 3000).why.sense_key, 0);
	assert_int_not_equal(blockmap_at(rig.sink->map, 3000).why.error, 0);
	rig_free(&rig);
}

/* It dies so near to the end that the passes have nothing left before that shows. */
static void test_dies_at_the_end(void **state)
{
	static const enum fake_event_kind kinds[] = {EVENT_DEAD_MEDIUM, EVENT_DEAD_TIMEOUT};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct rig rig;
		char text[400];

		rig_init(&rig, 16, 2, false, NULL, 0);
		rig.fake.event[0] = (struct fake_event){kinds[i], 8};
		assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
		assert_int_equal(rig.err.kind, ERR_GONE);
		rig_check(&rig);
		assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*14 untried*2");
		assert_int_equal(memsink_lines_with(rig.sink, ERROR_LINE), 0);
		rig_free(&rig);
	}
}

/* Stopped while a drive fails that may be dead: its sectors are not called bad on the word of it.
 * The next session finds out. */
static void test_stopped_in_doubt(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM, 4, 7, 0}};

	(void)state;
	for (unsigned int stop = 9; stop <= 12; stop++) {
		struct rig rig;
		char text[400];

		rig_init(&rig, 16, 2, false, bad, 1);
		rig.fake.event[0] = (struct fake_event){EVENT_STOP, stop};
		rig_run(&rig);
		rig_check(&rig);
		assert_int_equal(blockmap_count(rig.sink->map, BLOCK_MASK(BLOCK_BAD)), 0);
		rig_again(&rig, bad, 1);
		assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
		assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*4 bad*4 good*8");
		rig_free(&rig);
	}
}

/* A drive whose last sector is bad is alive: its others read. */
static void test_last_sector_bad(void **state)
{
	static const struct fake_fault last[] = {{FAKE_HOST_EIO, 15, 15, 0}};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, 16, 2, false, last, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*15 bad*1");
	rig_free(&rig);
}

/* What an earlier run on the same connection has told of is not told again. */
static void test_resets_count_once(void **state)
{
	static const struct fake_fault hangs[] = {{FAKE_TIMEOUT, 100, 100, 1}};
	struct rig rig;

	(void)state;
	rig_init(&rig, 8192, 512, false, hangs, 1);
	rig.options.n_blocks = 4096;
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	assert_int_equal(rig.result.resets, 1);
	rig.options.n_blocks = 0;
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	assert_int_equal(rig.result.resets, 0);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"reset\""), 1);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_small_source),
		cmocka_unit_test(test_large_source_of_host_errors),
		cmocka_unit_test(test_dies_at_the_end),
		cmocka_unit_test(test_stopped_in_doubt),
		cmocka_unit_test(test_last_sector_bad),
		cmocka_unit_test(test_resets_count_once),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-doubt", tests, NULL, NULL);
}
