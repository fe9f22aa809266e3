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
static struct source source;

static struct ahead *begin(const struct fake_fault *faults, size_t n)
{
	struct ahead *ahead;

	rig_init(&rig, N_BLOCKS, SLOT, false, faults, n);
	rig.device.transport->depth = 1;
	rig.sink->sink.most_open = 3;
	source = (struct source){
		.device = &rig.device,
		.sink = &rig.sink->sink,
		.options = &rig.options,
		.end = N_BLOCKS,
		.block_bytes = RIG_BLOCK_BYTES,
		.timeout_ms = 1000,
		.err = &rig.err,
	};
	ahead = ahead_new(&source, &rig.err);
	assert_non_null(ahead);
	return ahead;
}

static void end(struct ahead *ahead)
{
	ahead_free(ahead);
	assert_int_equal(rig.sink->n_places, 0);
	assert_string_equal(rig.sink->broken, "");
	rig_free(&rig);
}

static void plan(struct ahead *ahead, uint64_t lba, uint64_t to, uint32_t step)
{
	assert_int_equal(ahead_plan(ahead, lba, to, step, &rig.err), 0);
}

/* What comes lies in the sink's own room, which is given back here. */
static bool take(struct ahead *ahead, uint64_t lba, uint32_t n, struct answer *answer)
{
	struct capture_sink *sink = &rig.sink->sink;
	struct place place;

	assert_int_equal(ahead_take(ahead, lba, n, answer, &place, &rig.err), 0);
	if (!place.data) {
		assert_int_equal(rig.sink->n_places, 0);
		return false;
	}
	assert_int_equal(place.lba, lba);
	assert_int_equal(place.n, n);
	if (answer->reply.outcome == OUTCOME_DONE && answer->reply.status == SCSI_STATUS_GOOD)
		assert_memory_equal(
			place.data, rig.medium + lba * RIG_BLOCK_BYTES, n * RIG_BLOCK_BYTES);
	assert_int_equal(sink->ops->release(sink, lba, n, &rig.err), 0);
	return true;
}

/* READs never reach over the end of a slot. */
static void test_in_order(void **state)
{
	struct ahead *ahead = begin(NULL, 0);
	struct answer answer;

	(void)state;
	for (uint64_t lba = 0; lba < 20 * SLOT;) {
		uint32_t n = lba % SLOT < 500 ? 100 : SLOT - 500;

		plan(ahead, lba, 20 * SLOT, 100);
		assert_true(take(ahead, lba, n, &answer));
		lba += n;
	}
	end(ahead);
}

/* The sink keeps no more slots open than it says, whatever the transport could do. */
static void test_no_more_slots_than_the_sink_has(void **state)
{
	struct ahead *ahead = begin(NULL, 0);
	struct answer answer;

	(void)state;
	rig.sink->sink.most_open = 1;
	plan(ahead, 0, 4 * SLOT, SLOT);
	assert_int_equal(rig.sink->n_places, 1);
	assert_true(take(ahead, 0, SLOT, &answer));
	assert_false(take(ahead, SLOT, SLOT, &answer));
	end(ahead);
}

static void test_something_else_is_asked_for(void **state)
{
	struct ahead *ahead = begin(NULL, 0);
	struct answer answer;

	(void)state;
	assert_false(take(ahead, 0, 10, &answer));
	plan(ahead, 0, 10, 10);
	assert_false(take(ahead, 10, 10, &answer));
	plan(ahead, 0, 10, 10);
	assert_false(take(ahead, 0, 11, &answer));
	plan(ahead, 7, 17, 10);
	assert_true(take(ahead, 7, 10, &answer));
	plan(ahead, 7, 17, 10);
	assert_int_equal(ahead_drain(ahead, &rig.err), 0);
	assert_false(take(ahead, 7, 10, &answer));
	end(ahead);
}

/* What stands behind a READ that failed is not begun, and not given. */
static void test_nothing_behind_a_failure(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM_LBA, 5, 5, 0}};
	struct ahead *ahead = begin(bad, 1);
	struct answer answer;

	(void)state;
	plan(ahead, 0, 20, 10);
	assert_true(take(ahead, 0, 10, &answer));
	assert_int_equal(answer.reply.status, SCSI_STATUS_CHECK_CONDITION);
	assert_false(take(ahead, 10, 10, &answer));
	assert_int_equal(rig.fake.reads, 1);
	plan(ahead, 10, 20, 10);
	assert_true(take(ahead, 10, 10, &answer));
	assert_int_equal(answer.reply.status, SCSI_STATUS_GOOD);
	end(ahead);
}

/* After a reconnect the transport may be one for one caller at a time, or for the opener alone. */
static void test_depth_may_change(void **state)
{
	struct ahead *ahead = begin(NULL, 0);

	(void)state;
	rig.device.transport->depth = 0;
	plan(ahead, 0, 20, 10);
	assert_int_equal(rig.sink->n_places, 0);
	end(ahead);
}

static void test_ends_with_work_under_way(void **state)
{
	struct ahead *ahead = begin(NULL, 0);

	(void)state;
	plan(ahead, 0, 20, 10);
	end(ahead);
	ahead_free(NULL);
	assert_int_equal(ahead_drain(NULL, NULL), 0);
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
		rig.device.transport->depth = depth;
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
		cmocka_unit_test(test_no_more_slots_than_the_sink_has),
		cmocka_unit_test(test_something_else_is_asked_for),
		cmocka_unit_test(test_nothing_behind_a_failure),
		cmocka_unit_test(test_depth_may_change),
		cmocka_unit_test(test_ends_with_work_under_way),
		cmocka_unit_test(test_capture_ends_alike),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-ahead", tests, NULL, NULL);
}
