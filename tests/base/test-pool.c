/* SPDX-License-Identifier: BSD-2-Clause */
/* The ordered pool of threads: order, waiting for room, stopping, forgetting, ending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/pool.h"
#include "base/thread.h"

#define N_THREADS 3
#define N_JOBS	  5

struct job {
	unsigned int number, worker;
	bool stop;
	struct gate *gate; /* waited for before the job ends; NULL: none */
	bool worked;
};

/* Opens once, for as many as wait. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	unsigned int waiting;
};

static atomic_uint n_worked;

static void gate_init(struct gate *gate)
{
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
	gate->open = false;
	gate->waiting = 0;
}

static void gate_pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->waiting++;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

/* Until N jobs stand before the gate: they have been begun, then. */
static void gate_wait_for(struct gate *gate, unsigned int n)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->waiting < n)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static bool work(void *context, unsigned int worker, void *argument)
{
	struct job *job = argument;

	assert_ptr_equal(context, &n_worked);
	job->worker = worker;
	if (job->gate)
		gate_pass(job->gate);
	job->worked = true;
	atomic_fetch_add(&n_worked, 1);
	return !job->stop;
}

static struct pool *start(unsigned int n_threads)
{
	struct pool *pool = pool_new(n_threads, N_JOBS, sizeof(struct job), work, &n_worked, NULL);

	assert_non_null(pool);
	atomic_store(&n_worked, 0);
	return pool;
}

static void give(struct pool *pool, unsigned int number, bool stop, struct gate *gate)
{
	struct job *job = pool_claim(pool);

	*job = (struct job){.number = number, .stop = stop, .gate = gate};
	pool_submit(pool);
}

static struct job *take(struct pool *pool, bool *begun)
{
	struct job *job = pool_take(pool, begun);

	assert_non_null(job);
	return job;
}

/* The first job ends last; it is taken first all the same. */
static void test_order(void **state)
{
	struct pool *pool = start(N_THREADS);
	struct gate gate;

	(void)state;
	gate_init(&gate);
	give(pool, 0, false, &gate);
	for (unsigned int i = 1; i < N_JOBS; i++)
		give(pool, i, false, NULL);
	while (atomic_load(&n_worked) < N_JOBS - 1)
		;
	gate_open(&gate);
	for (unsigned int i = 0; i < N_JOBS; i++) {
		bool begun = false;
		struct job *job = take(pool, &begun);

		assert_true(begun && job->worked && job->worker < N_THREADS);
		assert_int_equal(job->number, i);
		pool_done(pool);
	}
	pool_free(pool);
}

/* As many run at once as there are threads. */
static void test_at_once(void **state)
{
	struct pool *pool = start(N_THREADS);
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (unsigned int i = 0; i < N_THREADS; i++)
		give(pool, i, false, &gate);
	gate_wait_for(&gate, N_THREADS);
	gate_open(&gate);
	pool_clear(pool);
	assert_int_equal(atomic_load(&n_worked), N_THREADS);
	pool_free(pool);
}

static void *take_all(void *argument)
{
	struct pool *pool = argument;
	unsigned int expected = 0;
	struct job *job;

	while ((job = pool_take(pool, NULL)) != NULL) {
		if (job->number == expected && job->worked)
			expected++;
		pool_done(pool);
	}
	return (void *)(uintptr_t)expected;
}

/* Far more jobs than places, taken by another thread, which ends when told so. */
static void test_taker_of_its_own(void **state)
{
	struct pool *pool = start(N_THREADS);
	pthread_t taker;
	void *taken;

	(void)state;
	assert_int_equal(thread_start(&taker, take_all, pool, NULL), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		give(pool, i, false, NULL);
		if (i % 100 == 99) {
			pool_drain(pool);
			assert_int_equal(atomic_load(&n_worked), i + 1);
		}
	}
	pool_end(pool);
	pthread_join(taker, &taken);
	assert_int_equal((uintptr_t)taken, 1000);
	pool_free(pool);
}

/* Behind the one that says stop nothing is begun, and the taker is told of each. */
static void test_stop(void **state)
{
	struct pool *pool = start(1);
	bool begun;

	(void)state;
	give(pool, 0, false, NULL);
	give(pool, 1, true, NULL);
	give(pool, 2, false, NULL);
	give(pool, 3, false, NULL);
	for (unsigned int i = 0; i < 4; i++) {
		struct job *job = take(pool, &begun);

		assert_int_equal(job->number, i);
		assert_int_equal(begun, i < 2);
		assert_int_equal(job->worked, i < 2);
		pool_done(pool);
	}
	/* Still stopped, over more jobs than there are places. */
	for (unsigned int i = 0; i < 2 * N_JOBS; i++) {
		give(pool, i, false, NULL);
		assert_false(take(pool, &begun)->worked);
		assert_false(begun);
		pool_done(pool);
	}
	pool_clear(pool);
	give(pool, 9, false, NULL);
	assert_true(take(pool, &begun)->worked);
	assert_true(begun);
	pool_free(pool);
}

/* What runs beside the one that says stop is finished and can be taken. */
static void test_stop_beside_others(void **state)
{
	struct pool *pool = start(2);
	struct gate first, second;
	bool begun;

	(void)state;
	gate_init(&first);
	gate_init(&second);
	give(pool, 0, true, &first);
	give(pool, 1, false, &second);
	gate_wait_for(&first, 1);
	gate_wait_for(&second, 1);
	give(pool, 2, false, NULL);
	gate_open(&first);
	assert_true(take(pool, &begun)->worked);
	assert_true(begun);
	gate_open(&second);
	assert_true(take(pool, &begun)->worked);
	assert_true(begun);
	assert_false(take(pool, &begun)->worked);
	assert_false(begun);
	pool_free(pool);
}

/* A clear waits for what runs, and forgets it, begun or not, taken or not. */
static void test_clear(void **state)
{
	struct pool *pool = start(1);
	struct gate gate;
	bool begun;

	(void)state;
	gate_init(&gate);
	give(pool, 0, false, NULL);
	take(pool, NULL);
	give(pool, 1, false, &gate);
	give(pool, 2, false, &gate);
	gate_wait_for(&gate, 1);
	gate_open(&gate);
	pool_clear(pool);
	for (unsigned int i = 10; i < 10 + N_JOBS; i++)
		give(pool, i, false, NULL);
	assert_int_equal(take(pool, &begun)->number, 10);
	assert_true(begun);
	pool_free(pool);
}

static void count(void *context, void *argument)
{
	struct job *job = argument;

	assert_int_equal(job->number, 0);
	job->number = 7;
	(*(unsigned int *)context)++;
}

/* Each place once, zeroed at first, and kept from job to job. */
static void test_each(void **state)
{
	struct pool *pool = start(1);
	unsigned int n = 0;

	(void)state;
	pool_each(pool, count, &n);
	assert_int_equal(n, N_JOBS);
	assert_int_equal(((struct job *)pool_claim(pool))->number, 7);
	pool_free(pool);
	pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_taker_of_its_own),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_beside_others),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
