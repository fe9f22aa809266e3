/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated time: it goes on only when nobody runs, in the order of the times that are waited for,
 * and two minutes of reading from a slow drive that hangs take as long as they should by that clock
 * (and about a second by the real one, which nothing here looks at).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/clock_simulated.h"
#include "base/thread.h"
#include "scsi/scsi.h"
#include "sim/sim.h"
#include "transport/transport.h"

#define MS UINT64_C(1000000)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static time_t real_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int begin(void **state)
{
	(void)state;
	assert_true(clock_simulate());
	return 0;
}

static void test_sleep_is_exact(void **state)
{
	uint64_t before = clock_now_ns();

	(void)state;
	clock_sleep_ms(7000000);
	assert_int_equal(clock_now_ns() - before, 7000000 * MS);
	clock_sleep_ns(1);
	assert_int_equal(clock_now_ns() - before, 7000000 * MS + 1);
}

/* Nobody waits, so nothing passes, however long this takes. */
static void test_stands_still_while_one_runs(void **state)
{
	time_t began = real_s();
	uint64_t before = clock_now_ns();

	(void)state;
	while (real_s() < began + 1)
		assert_int_equal(clock_now_ns(), before);
}

static void test_wall_clock_goes_along(void **state)
{
	char before[32], after[32];

	(void)state;
	clock_utc(before);
	clock_sleep_ms(24 * 3600 * 1000);
	clock_utc(after);
	assert_string_not_equal(before, after);
	assert_string_equal(before + 10, after + 10);
}

/* --- several that wait --- */

struct waiter {
	unsigned int ms;
	atomic_uint *turn;
	unsigned int my_turn;
	uint64_t woke_ns;
};

static void *sleep_and_note(void *argument)
{
	struct waiter *waiter = argument;

	clock_sleep_ms(waiter->ms);
	waiter->woke_ns = clock_now_ns();
	waiter->my_turn = atomic_fetch_add(waiter->turn, 1);
	return NULL;
}

static void test_the_earliest_first(void **state)
{
	static const unsigned int ms[] = {3000, 1000, 60000, 2000, 1001};
	static const unsigned int turn[] = {3, 0, 4, 2, 1};
	struct waiter waiter[5];
	pthread_t thread[5];
	atomic_uint turns = 0;
	uint64_t before;
	struct err err;

	(void)state;
	for (int round = 0; round < 50; round++) {
		atomic_store(&turns, 0);
		clock_hold();
		before = clock_now_ns();
		for (int i = 0; i < 5; i++) {
			waiter[i] = (struct waiter){ms[i], &turns, 0, 0};
			thread_start(&thread[i], sleep_and_note, &waiter[i], &err);
		}
		clock_release();
		for (int i = 0; i < 5; i++)
			pthread_join(thread[i], NULL);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(waiter[i].my_turn, turn[i]);
			assert_int_equal(waiter[i].woke_ns - before, ms[i] * MS);
		}
	}
}

/* One that works while another waits for a long time is not overtaken by it. */
static void *wait_long(void *argument)
{
	atomic_bool *over = argument;

	clock_sleep_ms(3600 * 1000);
	atomic_store(over, true);
	return NULL;
}

static void test_work_is_not_overtaken(void **state)
{
	atomic_bool over = false;
	pthread_t thread;
	struct err err;

	(void)state;
	thread_start(&thread, wait_long, &over, &err);
	for (int i = 0; i < 200000; i++) {
		assert_false(atomic_load(&over));
		if (i % 1000 == 0)
			sched_yield();
	}
	/* Its hour passes as soon as this waits, too. */
	pthread_join(thread, NULL);
	assert_true(atomic_load(&over));
}

/* What wakes a waiter before its time is not taken for that time. */
static pthread_cond_t woken;
static bool there;

static void *wake(void *argument)
{
	(void)argument;
	clock_sleep_ms(5);
	pthread_mutex_lock(&lock);
	there = true;
	pthread_cond_broadcast(&woken);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void test_woken_before_its_time(void **state)
{
	(void)state;
	clock_cond_init(&woken);
	for (int round = 0; round < 500; round++) {
		uint64_t before = clock_now_ns();
		pthread_t thread;
		struct err err;

		there = false;
		thread_start(&thread, wake, NULL, &err);
		pthread_mutex_lock(&lock);
		while (!there && clock_now_ns() < before + 30000 * MS)
			clock_wait_until(&woken, &lock, before + 30000 * MS);
		assert_true(there);
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
		assert_int_equal(clock_now_ns() - before, 5 * MS);
	}
	pthread_cond_destroy(&woken);
}

/* One that is due but cannot have its mutex does not keep another's time from coming. */
static void *sleep_with_the_mutex(void *argument)
{
	pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never;

	(void)argument;
	clock_cond_init(&never);
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&other);
	clock_wait_until(&never, &other, clock_now_ns() + 5000 * MS);
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&never);
	return NULL;
}

static void test_a_mutex_in_the_way(void **state)
{
	uint64_t before = clock_now_ns();
	pthread_t thread;
	struct err err;

	(void)state;
	clock_cond_init(&woken);
	pthread_mutex_lock(&lock);
	thread_start(&thread, sleep_with_the_mutex, NULL, &err);
	while (clock_now_ns() < before + 1000 * MS)
		clock_wait_until(&woken, &lock, before + 1000 * MS);
	assert_true(clock_now_ns() >= before + 1000 * MS);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	pthread_cond_destroy(&woken);
}

/* --- a drive --- */

#define READS	 10000
#define DELAY_US 10000

/* 100 s of reading, then a sector that hangs for 30 s. */
static void test_a_slow_drive(void **state)
{
	struct err err = {0};
	struct link *link = sim_open("noise,size=8M,delay=10000,fault=hang:lba=16000", &err);
	struct transport *transport = transport_bot_open(link, 0, 0, &err);
	struct reply reply;
	uint8_t data[512];
	uint64_t before;

	(void)state;
	assert_non_null(transport);
	before = clock_now_ns();
	for (unsigned int i = 0; i < READS; i++) {
		assert_int_equal(
			scsi_read(transport, i, 1, 512, data, deadline_in_ms(1000), &reply, &err),
			0);
		assert_int_equal(reply.moved, 512);
	}
	assert_true(clock_now_ns() - before >= READS * DELAY_US * UINT64_C(1000));
	before = clock_now_ns();
	scsi_read(transport, 16000, 1, 512, data, deadline_in_ms(30000), &reply, &err);
	assert_int_equal(reply.outcome, OUTCOME_TIMED_OUT);
	assert_true(clock_now_ns() - before >= 30000 * MS);
	transport_close(transport);
}

/* Several READs under way: the deadline of one that waits is not reached before the answer that
 * another one fetches for it. */
static void *read_many(void *argument)
{
	struct transport *transport = argument;
	struct reply reply;
	uint8_t data[512];
	size_t wrong = 0;

	for (unsigned int i = 0; i < 300; i++) {
		scsi_read(transport, i, 1, 512, data, deadline_in_ms(1000), &reply, NULL);
		wrong += reply.outcome != OUTCOME_DONE || reply.moved != 512;
	}
	return wrong ? argument : NULL;
}

static void test_four_at_once(void **state)
{
	struct err err = {0};
	struct transport *transport = transport_uas_open(
		sim_open("noise,size=1M,only-uas,speed=super,delay=200000", &err), 0, 0, &err);
	pthread_t thread[4];
	void *wrong;

	(void)state;
	assert_non_null(transport);
	for (int i = 0; i < 4; i++)
		thread_start(&thread[i], read_many, transport, &err);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
	transport_close(transport);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleep_is_exact),
		cmocka_unit_test(test_stands_still_while_one_runs),
		cmocka_unit_test(test_wall_clock_goes_along),
		cmocka_unit_test(test_the_earliest_first),
		cmocka_unit_test(test_work_is_not_overtaken),
		cmocka_unit_test(test_woken_before_its_time),
		cmocka_unit_test(test_a_mutex_in_the_way),
		cmocka_unit_test(test_a_slow_drive),
		cmocka_unit_test(test_four_at_once),
	};

	return cmocka_run_group_tests_name("base-clock-simulated", tests, begin, NULL);
}
