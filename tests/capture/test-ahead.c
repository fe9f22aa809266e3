/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ahead: what is planned comes in its order, what was not planned is not given, and a
 * capture with it ends as one without. */
#include "capture/ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS 40960u
#define SLOT	 512u

static struct rig rig;

static struct ahead *begin(const struct fake_fault *faults, size_t n)
{
	struct ahead *ahead;

	rig_init(&rig, N_BLOCKS, SLOT, false, faults, n);
	rig.fake.transport.depth = 1;
	ahead = ahead_new(&rig.fake.transport, SLOT, RIG_BLOCK_BYTES, 1000, &rig.err);
	assert_non_null(ahead);
	return ahead;
}

static void end(struct ahead *ahead)
{
	ahead_free(ahead);
	rig_free(&rig);
}

static bool take(struct ahead *ahead, uint64_t lba, uint32_t n, struct reply *reply)
{
	static uint8_t data[SLOT * RIG_BLOCK_BYTES];
	uint64_t took;
	bool taken = ahead_take(ahead, lba, n, data, reply, &took, NULL);

	if (taken && reply->outcome == OUTCOME_DONE && reply->status == SCSI_STATUS_GOOD)
		assert_memory_equal(data, rig.medium + lba * RIG_BLOCK_BYTES, n * RIG_BLOCK_BYTES);
	return taken;
}

static void test_in_order(void **state)
{
	struct ahead *ahead = begin(NULL, 0);
	uint64_t lba = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct reply reply;

		while (ahead_has_room(ahead))
			ahead_plan(ahead, lba > ahead_end(ahead) ? lba : ahead_end(ahead), 100);
		assert_true(take(ahead, lba, 100, &reply));
		lba += 100;
	}
	end(ahead);
}

static void test_something_else_is_asked_for(void **state)
{
	struct ahead *ahead = begin(NULL, 0);
	struct reply reply;

	(void)state;
	assert_false(take(ahead, 0, 10, &reply));
	ahead_plan(ahead, 0, 10);
	assert_false(take(ahead, 10, 10, &reply));
	assert_int_equal(ahead_end(ahead), 0);
	ahead_plan(ahead, 0, 10);
	assert_false(take(ahead, 0, 11, &reply));
	ahead_plan(ahead, 7, 10);
	assert_true(take(ahead, 7, 10, &reply));
	ahead_plan(ahead, 7, 10);
	ahead_drain(ahead);
	assert_false(take(ahead, 7, 10, &reply));
	end(ahead);
}

/* What stands behind a READ that failed is not begun, and not given. */
static void test_nothing_behind_a_failure(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM_LBA, 5, 5, 0}};
	struct ahead *ahead = begin(bad, 1);
	struct reply reply;

	(void)state;
	ahead_plan(ahead, 0, 10);
	ahead_plan(ahead, 10, 10);
	assert_true(take(ahead, 0, 10, &reply));
	assert_int_equal(reply.status, SCSI_STATUS_CHECK_CONDITION);
	assert_false(take(ahead, 10, 10, &reply));
	assert_int_equal(rig.fake.reads, 1);
	ahead_plan(ahead, 10, 10);
	assert_true(take(ahead, 10, 10, &reply));
	assert_int_equal(reply.status, SCSI_STATUS_GOOD);
	end(ahead);
}

static void test_without_a_drive_to_close_in_order(void **state)
{
	struct ahead *ahead = begin(NULL, 0);

	(void)state;
	ahead_plan(ahead, 0, 10);
	ahead_plan(ahead, 10, 10);
	end(ahead);
	ahead_free(NULL);
	assert_false(ahead_has_room(NULL));
	assert_int_equal(ahead_end(NULL), 0);
}

/* The same faults, the same map, with and without. */
static void test_capture_ends_alike(void **state)
{
	static const struct fake_fault faults[] = {
		{FAKE_MEDIUM_LBA, 100, 100, 0},
		{FAKE_MEDIUM, 9000, 9002, 0},
		{FAKE_RECOVERED_LBA, 12000, 12000, 0},
		{FAKE_TIMEOUT, 20000, 20000, 2},
		{FAKE_SHORT, 25000, 25010, 3},
		{FAKE_BROKEN, 30000, 30000, 1},
		{FAKE_ABORTED, 33333, 33333, 2},
	};
	char want[400], got[400];

	(void)state;
	for (unsigned int depth = 0; depth < 2; depth++) {
		rig_init(&rig, N_BLOCKS, SLOT, false, faults, sizeof(faults) / sizeof(faults[0]));
		rig.fake.transport.depth = depth;
		assert_int_equal(rig_run(&rig), CAPTURE_UNREADABLE);
		rig_check(&rig);
		rig_states(&rig, depth == 0 ? want : got, sizeof(want));
		rig_free(&rig);
	}
	assert_string_equal(got, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_something_else_is_asked_for),
		cmocka_unit_test(test_nothing_behind_a_failure),
		cmocka_unit_test(test_without_a_drive_to_close_in_order),
		cmocka_unit_test(test_capture_ends_alike),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-ahead", tests, NULL, NULL);
}
