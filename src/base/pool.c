/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool as one ring: see pool.h.  Jobs are numbered; the ring holds those from `done` up to
 * `submitted`.  Those below `begun` were given to a thread, those below `taken` to the taker:
 *
 *     done <= taken <= submitted <= done + n_jobs      begun <= submitted
 */
#include "base/pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/thread.h"

struct pool_thread {
	struct pool *pool;
	unsigned int number;
	pthread_t thread;
};

struct pool {
	pool_work *work;
	void *context;
	size_t n_jobs, job_bytes;
	uint8_t *jobs;
	bool *finished; /* by its thread, for each place of the ring */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t submitted, begun, taken, done;
	unsigned int running; /* jobs in a thread just now */
	bool stopped;	      /* nothing is begun until pool_clear() */
	bool ended;	      /* nothing will be submitted any more */
	bool closing;	      /* the threads are to end */

	struct pool_thread *thread;
	unsigned int n_threads; /* that were started */
};

static void *pool_job(const struct pool *pool, uint64_t number)
{
	return pool->jobs + number % pool->n_jobs * pool->job_bytes;
}

/* With the lock held, which is given back while the job is worked on. */
static void pool_run_next(struct pool *pool, unsigned int worker)
{
	uint64_t mine = pool->begun++;
	bool go_on;

	pool->running++;
	pthread_mutex_unlock(&pool->lock);
	go_on = pool->work(pool->context, worker, pool_job(pool, mine));
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pool->finished[mine % pool->n_jobs] = true;
	if (!go_on)
		pool->stopped = true;
	pthread_cond_broadcast(&pool->changed);
}

static void *pool_thread_main(void *argument)
{
	const struct pool_thread *self = argument;
	struct pool *pool = self->pool;

	pthread_mutex_lock(&pool->lock);
	while (!pool->closing) {
		if (pool->begun < pool->submitted && !pool->stopped)
			pool_run_next(pool, self->number);
		else
			pthread_cond_wait(&pool->changed, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int pool_start_threads(struct pool *pool, unsigned int n_threads, struct err *err)
{
	for (; pool->n_threads < n_threads; pool->n_threads++) {
		struct pool_thread *thread = &pool->thread[pool->n_threads];

		*thread = (struct pool_thread){.pool = pool, .number = pool->n_threads};
		if (thread_start(&thread->thread, pool_thread_main, thread, err) < 0)
			return -1;
	}
	return 0;
}

struct pool *pool_new(unsigned int n_threads, size_t n_jobs, size_t job_bytes, pool_work *work,
	void *context, struct err *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool) {
		err_memory(err, "starting threads");
		return NULL;
	}
	pool->work = work;
	pool->context = context;
	pool->n_jobs = n_jobs;
	pool->job_bytes = job_bytes;
	pool->jobs = calloc(n_jobs, job_bytes);
	pool->finished = calloc(n_jobs, sizeof(*pool->finished));
	pool->thread = calloc(n_threads, sizeof(*pool->thread));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	if (!pool->jobs || !pool->finished || !pool->thread) {
		err_memory(err, "starting threads");
	} else if (pool_start_threads(pool, n_threads, err) == 0) {
		return pool;
	}
	pool_free(pool);
	return NULL;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->n_threads; i++)
		pthread_join(pool->thread[i].thread, NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->thread);
	free(pool->finished);
	free(pool->jobs);
	free(pool);
}

void *pool_claim(struct pool *pool)
{
	void *job;

	pthread_mutex_lock(&pool->lock);
	while (pool->submitted - pool->done == pool->n_jobs)
		pthread_cond_wait(&pool->changed, &pool->lock);
	job = pool_job(pool, pool->submitted);
	pthread_mutex_unlock(&pool->lock);
	return job;
}

void pool_submit(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->finished[pool->submitted % pool->n_jobs] = false;
	pool->submitted++;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

/* Will the oldest job that was not taken become no more finished than it is? */
static bool pool_can_take(const struct pool *pool)
{
	return pool->taken < pool->submitted &&
	       (pool->finished[pool->taken % pool->n_jobs] ||
		       (pool->stopped && pool->taken >= pool->begun));
}

void *pool_take(struct pool *pool, bool *begun)
{
	void *job = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!pool_can_take(pool) && !(pool->ended && pool->taken == pool->submitted))
		pthread_cond_wait(&pool->changed, &pool->lock);
	if (pool->taken < pool->submitted) {
		if (begun)
			*begun = pool->finished[pool->taken % pool->n_jobs];
		job = pool_job(pool, pool->taken++);
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

void pool_done(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->done++;
	/* One that was never begun is not begun any more. */
	if (pool->begun < pool->done)
		pool->begun = pool->done;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_end(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->ended = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_clear(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopped = true;
	while (pool->running > 0)
		pthread_cond_wait(&pool->changed, &pool->lock);
	pool->begun = pool->taken = pool->done = pool->submitted;
	pool->stopped = false;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_drain(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->done < pool->submitted)
		pthread_cond_wait(&pool->changed, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

void pool_each(struct pool *pool, void (*func)(void *context, void *job), void *context)
{
	for (size_t i = 0; i < pool->n_jobs; i++)
		func(context, pool_job(pool, i));
}
