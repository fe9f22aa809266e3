/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sectors are read when: jumps, slow areas, small drives, pipes, the journal. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS    131072u
#define SLOT_BLOCKS 2048u

/* Behind errors the forward pass jumps, and further each time, but never past 1 % of the drive: a
 * large bad area costs few reads, and little of what is good behind it. */
static void test_jumps_ahead_of_trouble(void **state)
{
	static const struct fake_fault large[] = {{FAKE_MEDIUM_LBA, 20000, 29999, 0}};
	struct rig rig;
	uint64_t untried;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, large, 1);
	rig.fake.event[0] = (struct fake_event){EVENT_STOP, 40};
	assert_int_equal(rig_run(&rig), CAPTURE_STOPPED);
	rig_check(&rig);
	untried = blockmap_count(rig.sink->map, BLOCK_MASK(BLOCK_UNTRIED));
	assert_in_range(untried, SLOT_BLOCKS, N_BLOCKS - 30000);
	assert_in_range(rig.fake.failed_reads, 8, 12);
	assert_in_range(rig.last.good, N_BLOCKS - untried - 10000 - 3 * N_BLOCKS / 100,
		N_BLOCKS - untried - 10000);
	rig_free(&rig);
}

/* The jumps of a small drive are small: one bad sector does not put most of it off. */
static void test_small_drive(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM_LBA, 100, 100, 0}};
	struct block_range range;
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, 4096, 64, false, bad, 1);
	rig.fake.event[0] = (struct fake_event){EVENT_STOP, 3};
	assert_int_equal(rig_run(&rig), CAPTURE_STOPPED);
	assert_true(blockmap_next(rig.sink->map, 0, BLOCK_MASK(BLOCK_SKIPPED), &range));
	assert_in_range(blockmap_count(rig.sink->map, BLOCK_MASK(BLOCK_SKIPPED)), 100, 400);
	rig_again(&rig, bad, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*100 bad*1 good*3995");
	rig_free(&rig);
}

static void test_tiny_drives(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 12; n++) {
		for (uint64_t bad = 0; bad < n; bad++) {
			const struct fake_fault fault = {FAKE_MEDIUM, bad, bad, 0};
			struct rig rig;

			rig_init(&rig, n, 4, bad % 2 == 1, &fault, 1);
			assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
			rig_check(&rig);
			assert_int_equal(blockmap_count(rig.sink->map, BLOCK_HAVE), n - 1);
			assert_int_equal(blockmap_at(rig.sink->map, bad).state, BLOCK_BAD);
			rig_free(&rig);
		}
	}
}

/* A slow read keeps its sectors and puts off those behind it; they are all read in the end. */
static void test_slow_area_is_left_for_later(void **state)
{
	static const struct fake_fault slow[] = {{FAKE_SLOW, 20480, 21000, 1}};
	struct block_range range;
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, slow, 1);
	rig.fake.read_ms = 1;
	rig.fake.event[0] = (struct fake_event){EVENT_STOP, 12};
	assert_int_equal(rig_run(&rig), CAPTURE_STOPPED);
	rig_check(&rig);
	assert_true(blockmap_next(rig.sink->map, 0, BLOCK_MASK(BLOCK_SKIPPED), &range));
	assert_int_equal(range.lba, 20480 + SLOT_BLOCKS);
	assert_int_equal(range.n, 128);
	assert_int_equal(range.why.outcome, BLOCK_OUTCOME_SLOW);
	rig_again(&rig, NULL, 0);
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	rig_free(&rig);
}

/* Good neighbours of bad sectors are safe before anything is searched or tried again. */
static void test_order_of_passes(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM, 20000, 20003, 0}};
	static const char *const passes[] = {"forward", "backward", "isolate", "retry"};
	struct rig rig;
	size_t found = 0;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, bad, 1);
	rig.options.retries = 2;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	for (size_t i = 0; i < rig.sink->n_lines; i++) {
		if (!strstr(rig.sink->line[i], "\"pass-begin\""))
			continue;
		assert_in_range(found, 0, 3);
		assert_non_null(strstr(rig.sink->line[i], passes[found++]));
	}
	assert_int_equal(found, 4);
	assert_int_equal(blockmap_at(rig.sink->map, 20001).why.tries, 3);
	assert_int_equal(rig.sink->last_pass, PASS_DONE);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"begin\""), 1);
	assert_int_equal(rig.result.end, CAPTURE_UNREADABLE);
	assert_int_equal(rig.result.pass, PASS_DONE);
	assert_in_range(rig.sink->checkpoints, 1, 1000);
	assert_in_range(rig.told, 1, 1000);
	rig_free(&rig);
}

/* However many sectors are bad here and there, the journal does not fill the image. */
static void test_journal_is_bounded(void **state)
{
	struct fake_fault bad[1200];
	struct rig rig;

	(void)state;
	for (unsigned int i = 0; i < 1200; i++)
		bad[i] = (struct fake_fault){FAKE_MEDIUM_LBA, 3 * i, 3 * i, 0};
	rig_init(&rig, 8192, 512, false, bad, 1200);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_int_equal(rig.last.bad_areas, 1200);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"error\""), 1000);
	assert_int_equal(memsink_lines_with(rig.sink, "not every bad area"), 1);
	assert_in_range(rig.sink->n_lines, 1000, 1020);
	assert_int_equal(rig.events, 1200);
	rig_free(&rig);
}

/* Sectors that stay bad are no news each time they are tried again. */
static void test_retries_are_no_news(void **state)
{
	static const struct fake_fault bad[] = {
		{FAKE_MEDIUM_LBA, 100, 100, 0}, {FAKE_MEDIUM_LBA, 8000, 8000, 0}};
	struct rig rig;

	(void)state;
	rig_init(&rig, 8192, 512, false, bad, 2);
	rig.options.retries = 1200;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"error\""), 2);
	assert_int_equal(rig.events, 2);
	assert_int_equal(blockmap_at(rig.sink->map, 100).why.tries, 255);
	rig_free(&rig);
}

/* The journal names the sectors that turned out to be bad, not the reads that failed over them: 17
 * scattered sectors were once one area of thousands of good ones. */
static void test_journal_names_bad_sectors(void **state)
{
	struct fake_fault bad[17];
	struct rig rig;
	char line[80];

	(void)state;
	for (unsigned int i = 0; i < 17; i++)
		bad[i] =
			(struct fake_fault){FAKE_MEDIUM, 1000 + 700 * i, 1000 + 700 * i + i % 2, 0};
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, bad, 17);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"error\""), 17);
	for (unsigned int i = 0; i < 17; i++) {
		snprintf(line, sizeof(line), "\"state\":\"bad\",\"first\":%u,\"last\":%u,",
			1000 + 700 * i, 1000 + 700 * i + i % 2);
		assert_int_equal(memsink_lines_with(rig.sink, line), 1);
	}
	rig_free(&rig);
}

/* A sector that hangs until the time is over costs two time-outs: the large READ, and it alone.
 * Each further one that hangs beside it costs one more. */
static void test_hanging_sectors_cost_little(void **state)
{
	static const struct {
		uint64_t first, last;
		unsigned int hangs;
	} table[] = {{5000, 5000, 2}, {5000, 5001, 3}, {5119, 5119, 2}, {5120, 5122, 4}, {0, 0, 2}};

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		const struct fake_fault hang = {
			FAKE_TIMEOUT, table[i / 2].first, table[i / 2].last, 0};
		bool pipe = i % 2 == 1;
		struct block_range range;
		struct rig rig;

		rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, pipe, &hang, 1);
		assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
		rig_check(&rig);
		assert_int_equal(rig.fake.failed_reads, table[i / 2].hangs);
		assert_int_equal(rig.result.resets, table[i / 2].hangs);
		range = blockmap_at(rig.sink->map, hang.first);
		assert_int_equal(range.state, BLOCK_FAILED);
		assert_int_equal(range.lba, hang.first);
		assert_int_equal(range.n, hang.last - hang.first + 1);
		assert_int_equal(blockmap_count(rig.sink->map, BLOCK_HAVE), N_BLOCKS - range.n);
		rig_free(&rig);
	}
}

/* A pipe: retries come in place, at once. */
static void test_pipe_retries_in_place(void **state)
{
	static const struct fake_fault bad[] = {
		{FAKE_MEDIUM, 5000, 5000, 0}, {FAKE_TIMEOUT, 6000, 6000, 0}};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, true, bad, 2);
	rig.options.retries = 4;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)),
		"good*5000 bad*1 good*999 failed*1 good*125071");
	assert_int_equal(blockmap_at(rig.sink->map, 5000).why.tries, 5);
	assert_int_equal(blockmap_at(rig.sink->map, 6000).why.tries, 5);
	assert_int_equal(blockmap_at(rig.sink->map, 6000).why.outcome, BLOCK_OUTCOME_TIMEOUT);
	rig_free(&rig);
}

static void test_pipe_part(void **state)
{
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, true, NULL, 0);
	rig.options.start_lba = 5000;
	rig.options.n_blocks = 10000;
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	assert_string_equal(
		rig_states(&rig, text, sizeof(text)), "untried*5000 good*10000 untried*116072");
	rig_free(&rig);
}

/* What an earlier session left out on both sides of the part asked for stays as it is there. */
static void test_part_of_what_was_skipped(void **state)
{
	static const struct block_reason why = {.outcome = BLOCK_OUTCOME_SLOW};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, 8192, 512, false, NULL, 0);
	rig.sink->sink.ops->mark(&rig.sink->sink, 0, 8192, BLOCK_SKIPPED, &why, NULL);
	rig.options.start_lba = 1000;
	rig.options.n_blocks = 2000;
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	assert_string_equal(
		rig_states(&rig, text, sizeof(text)), "skipped*1000 good*2000 skipped*5192");
	rig_free(&rig);
}

static void test_resets_are_counted(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_TIMEOUT, 5000, 5000, 1}};
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, bad, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	assert_int_equal(rig.last.resets, 1);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"reset\""), 1);
	rig_free(&rig);
}

static void test_without_observer(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_TIMEOUT, 5000, 5000, 0}};
	const struct capture_options options = {.retries = 1};
	struct rig rig;

	(void)state;
	rig_init(&rig, 8192, 512, false, bad, 1);
	assert_int_equal(
		capture_run(&rig.device, &rig.sink->sink, &options, NULL, &rig.result, NULL),
		CAPTURE_UNREADABLE);
	assert_string_equal(rig.sink->broken, "");
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumps_ahead_of_trouble),
		cmocka_unit_test(test_small_drive),
		cmocka_unit_test(test_tiny_drives),
		cmocka_unit_test(test_slow_area_is_left_for_later),
		cmocka_unit_test(test_order_of_passes),
		cmocka_unit_test(test_journal_is_bounded),
		cmocka_unit_test(test_retries_are_no_news),
		cmocka_unit_test(test_journal_names_bad_sectors),
		cmocka_unit_test(test_hanging_sectors_cost_little),
		cmocka_unit_test(test_pipe_retries_in_place),
		cmocka_unit_test(test_pipe_part),
		cmocka_unit_test(test_part_of_what_was_skipped),
		cmocka_unit_test(test_resets_are_counted),
		cmocka_unit_test(test_without_observer),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-passes", tests, NULL, NULL);
}
