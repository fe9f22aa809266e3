/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines, by the real clock: only what holds however slow the machine is. */
#include <stdarg.h>
#include <setjmp.h>
#include <limits.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"

static void test_deadlines(void **state)
{
	struct deadline past = {.at_ns = 0};
	struct deadline far = deadline_in_ms(3600 * 1000);
	uint64_t before = clock_now_ns();

	(void)state;
	assert_int_equal(deadline_left_ms(past), 0);
	assert_int_equal(deadline_left_ms(deadline_in_ms(0)), 0);
	assert_in_range(deadline_left_ms(far), 1, 3600 * 1000);
	assert_true(clock_now_ns() >= before);
	/* Less than a millisecond left is not none. */
	assert_int_equal(
		deadline_left_ms((struct deadline){.at_ns = UINT64_MAX}), (unsigned int)INT_MAX);
}

static void test_the_earlier_deadline(void **state)
{
	struct deadline far = deadline_in_ms(3600 * 1000), near;

	(void)state;
	near = deadline_at_most_ms(far, 1000);
	assert_true(near.at_ns < far.at_ns);
	assert_true(deadline_at_most_ms(near, 3600 * 1000).at_ns == near.at_ns);
	assert_true(deadline_at_most_ms((struct deadline){.at_ns = 0}, 1000).at_ns == 0);
}

/* Waiting without end is asked for with large numbers: they must not wrap into the past. */
static void test_endless(void **state)
{
	(void)state;
	assert_int_equal(deadline_left_ms(deadline_in_ms(UINT64_MAX)), (unsigned int)INT_MAX);
	assert_int_equal(
		deadline_left_ms(deadline_in_ms(UINT64_MAX / 1000000u)), (unsigned int)INT_MAX);
}

static void test_sleep(void **state)
{
	uint64_t before = clock_now_ns();

	(void)state;
	clock_sleep_ms(3);
	assert_true(clock_now_ns() - before >= 3000000u);
}

static void test_utc(void **state)
{
	char text[32];

	(void)state;
	assert_ptr_equal(clock_utc(text), text);
	assert_int_equal(strlen(text), 20);
	assert_int_equal(text[4], '-');
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[19], 'Z');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_the_earlier_deadline),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_utc),
	};

	return cmocka_run_group_tests_name("base-clock", tests, NULL, NULL);
}
