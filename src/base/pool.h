/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ring of jobs that several threads work on at once and that are taken back in the order in
 * which they were given:
 *
 *     claim, fill, submit  ->  [ work × N threads ]  ->  take, use, done
 *
 * The number of jobs is fixed, so claiming waits when the taker is slower than the giver.  Giver
 * and taker may be one thread (which then must not claim while all places are full and it is the
 * one that would empty them) or two.
 */
#ifndef UMS_BASE_POOL_H
#define UMS_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pool;

/*
 * Does one job, in one of the threads; WORKER is that thread's number, from 0.  Jobs are begun in
 * the order of submission.  False means "stop": no further job is begun until pool_clear(), because
 * what the others are worth is not known before this one has been looked at.
 */
typedef bool pool_work(void *context, unsigned int worker, void *job);

/* N_JOBS places of JOB_BYTES zeroed bytes each, and N_THREADS threads (signals blocked) that call
 * WORK with CONTEXT.  NULL and ERR when there is no memory or no thread. */
struct pool *pool_new(unsigned int n_threads, size_t n_jobs, size_t job_bytes, pool_work *work,
	void *context, struct err *err);

/* Waits for jobs that are running, begins no others, ends the threads.  NULL is allowed. */
void pool_free(struct pool *pool);

/* The next free place, as its last user left it; waits for one.  Only one thread claims and
 * submits, and a place that was claimed is submitted before the next is claimed. */
void *pool_claim(struct pool *pool);

/* Gives the job that was claimed to the threads. */
void pool_submit(struct pool *pool);

/*
 * Waits until the oldest job that has not been taken is finished, and returns it; it is the
 * caller's until pool_done().  *BEGUN (may be NULL) is false when the job was never begun because
 * one before it said "stop".  NULL when nothing is left to take after pool_end().  Waits also for
 * a job to be submitted, so a thread that submits itself must know that there is one.
 */
void *pool_take(struct pool *pool, bool *begun);

/* Frees the place of the job that was taken first and is not yet done. */
void pool_done(struct pool *pool);

/* Nothing will be submitted any more: a taker that waits gets NULL once all has been taken. */
void pool_end(struct pool *pool);

/* Waits for the jobs that are running and forgets all that were submitted, taken ones too; work
 * may begin anew.  Only by the one thread that both gives and takes. */
void pool_clear(struct pool *pool);

/* Waits until every job that was submitted is done (somebody else takes them). */
void pool_drain(struct pool *pool);

/* Calls FUNC for the memory of each place; only while no job is under way. */
void pool_each(struct pool *pool, void (*func)(void *context, void *job), void *context);

#endif
