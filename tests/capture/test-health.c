/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives that die, leave, or answer strangely: the sectors are not blamed for it, and what costs no
 * try is sent again.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS    65536u
#define SLOT_BLOCKS 2048u

static const struct fake_fault row[] = {{FAKE_MEDIUM_LBA, 40000, 40063, 0}};

/* From READ number FROM on nothing is read any more.  No sector beyond those that really are bad
 * may be called bad or failed, and a healthy drive afterwards finishes the job. */
static void die_at(unsigned int from, enum fake_event_kind kind)
{
	struct rig rig;
	char text[400];
	struct block_range range;

	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, row, 1);
	rig.fake.event[0] = (struct fake_event){kind, from};
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	assert_int_equal(rig.err.kind, kind == EVENT_NO_MEDIUM ? ERR_NO_MEDIUM : ERR_GONE);
	rig_check(&rig);
	for (uint64_t lba = 0; blockmap_next(rig.sink->map, lba, BLOCK_MASK(BLOCK_BAD), &range);
		lba = range.lba + range.n) {
		assert_in_range(range.lba, 40000, 40063);
		assert_in_range(range.lba + range.n, 40001, 40064);
	}
	assert_in_range(rig.fake.reads, from, from + 12);
	rig_again(&rig, row, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*40000 bad*64 good*25472");
	rig_free(&rig);
}

static void test_dies(void **state)
{
	static const enum fake_event_kind kinds[] = {
		EVENT_DEAD_MEDIUM, EVENT_DEAD_TIMEOUT, EVENT_GONE, EVENT_NO_MEDIUM};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (unsigned int from = 2; from < 110; from += 9)
			die_at(from, kinds[i]);
	}
}

/* What was marked since the last good read is as it was before. */
static void test_death_takes_its_marks_back(void **state)
{
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_DEAD_MEDIUM, 11};
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*20480 untried*45056");
	assert_int_equal(rig.fake.reads, 10 + 8 + 3);
	rig_free(&rig);
}

/* A drive that leaves whenever one place is read: each session gets further. */
static void test_leaves_at_one_place(void **state)
{
	static const struct fake_fault leaves[] = {{FAKE_GONE, 30000, 30000, 0}};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, leaves, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	rig_check(&rig);
	assert_string_equal(
		rig_states(&rig, text, sizeof(text)), "good*28672 skipped*2048 untried*34816");
	assert_int_equal(blockmap_at(rig.sink->map, 30000).why.outcome, BLOCK_OUTCOME_GONE);
	rig_again(&rig, leaves, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	rig_check(&rig);
	assert_string_equal(
		rig_states(&rig, text, sizeof(text)), "good*28672 skipped*2048 good*34816");
	rig_free(&rig);
}

/* A large bad area is no dead drive: the canary reads. */
static void test_large_bad_area_is_no_death(void **state)
{
	static const struct fake_fault large[] = {{FAKE_MEDIUM, 60000, 60999, 0}};
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, large, 1);
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*60000 bad*1000 good*4536");
	assert_in_range(rig.fake.failed_reads, 1000, 1040);
	rig_free(&rig);
}

static void test_nothing_readable(void **state)
{
	static const struct {
		enum fake_kind kind;
		enum capture_end end;
		const char *states;
	} table[] = {
		/* It speaks of its medium: it is alive, and all of it is bad. */
		{FAKE_MEDIUM, CAPTURE_UNREADABLE, "bad*2048"},
		{FAKE_TIMEOUT, CAPTURE_FAILED, "untried*2048"},
		{FAKE_ABORTED, CAPTURE_FAILED, "untried*2048"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct fake_fault all = {table[i].kind, 0, 2047, 0};
		struct rig rig;
		char text[400];

		rig_init(&rig, 2048, 256, false, &all, 1);
		assert_int_equal(rig_run(&rig), table[i].end);
		rig_check(&rig);
		assert_string_equal(rig_states(&rig, text, sizeof(text)), table[i].states);
		rig_free(&rig);
	}
}

static void test_sent_again_without_a_try(void **state)
{
	static const enum fake_event_kind kinds[] = {EVENT_UNIT_ATTENTION, EVENT_BUSY, EVENT_VICTIM,
		EVENT_DEFERRED, EVENT_BECOMING_READY, EVENT_MEDIUM_CHANGED};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct rig rig;

		rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
		for (unsigned int k = 0; k < 3; k++)
			rig.fake.event[k] = (struct fake_event){kinds[i], 5 + k};
		assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
		rig_check(&rig);
		assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"error\""), 0);
		rig_free(&rig);
	}
}

/* Always the same unit attention: not for ever. */
static void test_endless_unit_attention(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_ALWAYS_ATTENTION, 5};
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	rig_check(&rig);
	assert_in_range(rig.fake.reads, 5, 400);
	rig_free(&rig);
}

/* The medium of a card reader is changed in the middle: another card must not be mixed in. */
static void test_another_medium(void **state)
{
	struct rig rig;
	uint8_t *other;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_STOP, 10};
	assert_int_equal(rig_run(&rig), CAPTURE_STOPPED);
	rig_again(&rig, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_MEDIUM_CHANGED, 1};
	other = rig.medium + 1000; /* the same bytes at other places */
	rig.fake.medium = other;
	rig.fake.n_blocks = N_BLOCKS - 2;
	rig.device.capacity.n_blocks = N_BLOCKS;
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	assert_int_equal(rig.err.kind, ERR_IDENTITY);
	rig_check(&rig);
	assert_int_equal(rig.last.good, 10 * SLOT_BLOCKS);
	rig_free(&rig);
}

/* As above, of the same size: the sectors tell. */
static void test_another_medium_of_the_same_size(void **state)
{
	struct rig rig, other;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig_init(&other, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	memset(other.medium, 'x', 4096);
	rig.fake.event[0] = (struct fake_event){EVENT_STOP, 10};
	assert_int_equal(rig_run(&rig), CAPTURE_STOPPED);
	rig_again(&rig, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_MEDIUM_CHANGED, 1};
	rig.fake.medium = other.medium;
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	assert_int_equal(rig.err.kind, ERR_IDENTITY);
	rig_check(&rig);
	rig_free(&other);
	rig_free(&rig);
}

/* The drive claims more than it has: what it has is captured, the rest failed, and it is said. */
static void test_capacity_too_large(void **state)
{
	struct rig rig;
	char text[400];

	(void)state;
	rig_init(&rig, 8192, 512, false, NULL, 0);
	rig.fake.n_blocks = 8000;
	rig.fake.claims = 8192;
	assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
	rig_check(&rig);
	assert_string_equal(rig_states(&rig, text, sizeof(text)), "good*8000 failed*192");
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"capacity\""), 1);
	assert_int_equal(blockmap_at(rig.sink->map, 8100).why.asc, 0x21);
	rig_free(&rig);
}

/* What our side cannot send is asked for in smaller pieces. */
static void test_too_large_to_send(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 8192, 512, false, NULL, 0);
	rig.fake.largest = 100;
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	rig_check(&rig);
	assert_in_range(rig.fake.refused, 1, 3);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dies),
		cmocka_unit_test(test_death_takes_its_marks_back),
		cmocka_unit_test(test_leaves_at_one_place),
		cmocka_unit_test(test_large_bad_area_is_no_death),
		cmocka_unit_test(test_nothing_readable),
		cmocka_unit_test(test_sent_again_without_a_try),
		cmocka_unit_test(test_endless_unit_attention),
		cmocka_unit_test(test_another_medium),
		cmocka_unit_test(test_another_medium_of_the_same_size),
		cmocka_unit_test(test_capacity_too_large),
		cmocka_unit_test(test_too_large_to_send),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-health", tests, NULL, NULL);
}
