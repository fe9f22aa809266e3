/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading ahead: see ahead.h.  A ring of jobs in the order of planning; threads carry them out,
 * each begun in that order.  When one does not go well those behind it are not begun: what they
 * mean is not known before the pass has seen that one.
 */
#include "capture/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "scsi/scsi.h"

#define MOST_THREADS 4
#define MOST_JOBS    (MOST_THREADS + 1)

struct job {
	uint64_t lba;
	uint32_t n;
	uint8_t *data;
	enum { JOB_WAITS, JOB_RUNS, JOB_DONE } state;
	struct reply reply;
	struct err err;
	uint64_t took_ns;
};

struct ahead {
	struct transport *transport;
	uint32_t block_bytes;
	unsigned int timeout_ms;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread[MOST_THREADS];
	unsigned int n_threads;
	struct job job[MOST_JOBS];
	unsigned int n_jobs;   /* of these that have room for data */
	unsigned int first, n; /* of the ring */
	bool stumbled;	       /* nothing new is begun until all is forgotten */
	bool closing;
};

static struct job *job_at(struct ahead *ahead, unsigned int i)
{
	return &ahead->job[(ahead->first + i) % ahead->n_jobs];
}

static struct job *next_job(struct ahead *ahead)
{
	for (unsigned int i = 0; i < ahead->n && !ahead->stumbled; i++) {
		if (job_at(ahead, i)->state == JOB_WAITS)
			return job_at(ahead, i);
	}
	return NULL;
}

static bool went_well(const struct ahead *ahead, const struct job *job)
{
	return job->reply.outcome == OUTCOME_DONE && job->reply.status == SCSI_STATUS_GOOD &&
	       job->reply.moved == (size_t)job->n * ahead->block_bytes;
}

static void run(struct ahead *ahead, struct job *job)
{
	uint64_t began = clock_now_ns();

	job->err = (struct err){.kind = ERR_NONE};
	scsi_read(ahead->transport, job->lba, job->n, ahead->block_bytes, job->data,
		deadline_in_ms(ahead->timeout_ms), &job->reply, &job->err);
	job->took_ns = clock_now_ns() - began;
}

static void *work(void *argument)
{
	struct ahead *ahead = argument;
	struct job *job = NULL;

	pthread_mutex_lock(&ahead->lock);
	for (;;) {
		while (!ahead->closing && !(job = next_job(ahead)))
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		if (ahead->closing)
			break;
		job->state = JOB_RUNS;
		pthread_mutex_unlock(&ahead->lock);
		run(ahead, job);
		pthread_mutex_lock(&ahead->lock);
		job->state = JOB_DONE;
		if (!went_well(ahead, job))
			ahead->stumbled = true;
		pthread_cond_broadcast(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* With the lock held. */
static void forget(struct ahead *ahead)
{
	ahead->stumbled = true;
	for (unsigned int i = 0; i < ahead->n; i++) {
		while (job_at(ahead, i)->state == JOB_RUNS)
			pthread_cond_wait(&ahead->changed, &ahead->lock);
	}
	ahead->n = 0;
	ahead->stumbled = false;
}

void ahead_drain(struct ahead *ahead)
{
	if (!ahead)
		return;
	pthread_mutex_lock(&ahead->lock);
	forget(ahead);
	pthread_mutex_unlock(&ahead->lock);
}

bool ahead_has_room(const struct ahead *ahead)
{
	return ahead && ahead->n < ahead->n_jobs;
}

uint64_t ahead_end(const struct ahead *ahead)
{
	const struct job *last;

	if (!ahead || ahead->n == 0)
		return 0;
	last = &ahead->job[(ahead->first + ahead->n - 1) % ahead->n_jobs];
	return last->lba + last->n;
}

void ahead_plan(struct ahead *ahead, uint64_t lba, uint32_t n)
{
	struct job *job;

	pthread_mutex_lock(&ahead->lock);
	job = job_at(ahead, ahead->n++);
	job->lba = lba;
	job->n = n;
	job->state = JOB_WAITS;
	pthread_cond_broadcast(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
}

/* With the lock held: the oldest job, done, if it is the READ of these sectors and was begun. */
static struct job *wait_for(struct ahead *ahead, uint64_t lba, uint32_t n)
{
	struct job *job = job_at(ahead, 0);

	if (ahead->n == 0 || job->lba != lba || job->n != n)
		return NULL;
	while (job->state == JOB_RUNS || (job->state == JOB_WAITS && !ahead->stumbled))
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	return job->state == JOB_DONE ? job : NULL;
}

bool ahead_take(struct ahead *ahead, uint64_t lba, uint32_t n, void *data, struct reply *reply,
	uint64_t *took_ns, struct err *err)
{
	struct job *job;

	if (!ahead)
		return false;
	pthread_mutex_lock(&ahead->lock);
	job = wait_for(ahead, lba, n);
	if (!job)
		forget(ahead);
	pthread_mutex_unlock(&ahead->lock);
	if (!job)
		return false;
	/* It is done and the oldest: no thread touches it until it is planned anew. */
	memcpy(data, job->data, (size_t)n * ahead->block_bytes);
	*reply = job->reply;
	*took_ns = job->took_ns;
	if (err)
		*err = job->err;
	pthread_mutex_lock(&ahead->lock);
	ahead->first = (ahead->first + 1) % ahead->n_jobs;
	ahead->n--;
	pthread_mutex_unlock(&ahead->lock);
	return true;
}

static int start(struct ahead *ahead, size_t bytes, struct err *err)
{
	unsigned int n_threads = (unsigned int)mem_min_u64(ahead->transport->depth, MOST_THREADS);

	for (; ahead->n_jobs < n_threads + 1; ahead->n_jobs++) {
		ahead->job[ahead->n_jobs].data = mem_page_alloc(bytes);
		if (!ahead->job[ahead->n_jobs].data)
			return err_memory(err, "for reading ahead");
	}
	for (; ahead->n_threads < n_threads; ahead->n_threads++) {
		if (thread_start(&ahead->thread[ahead->n_threads], work, ahead, err) < 0)
			return -1;
	}
	return 0;
}

struct ahead *ahead_new(struct transport *transport, uint32_t max_blocks, uint32_t block_bytes,
	unsigned int timeout_ms, struct err *err)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead) {
		err_memory(err, "for reading ahead");
		return NULL;
	}
	ahead->transport = transport;
	ahead->block_bytes = block_bytes;
	ahead->timeout_ms = timeout_ms;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	if (start(ahead, (size_t)max_blocks * block_bytes, err) < 0) {
		ahead_free(ahead);
		return NULL;
	}
	return ahead;
}

void ahead_free(struct ahead *ahead)
{
	if (!ahead)
		return;
	ahead_drain(ahead);
	pthread_mutex_lock(&ahead->lock);
	ahead->closing = true;
	pthread_cond_broadcast(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	for (unsigned int i = 0; i < ahead->n_threads; i++)
		pthread_join(ahead->thread[i], NULL);
	for (unsigned int i = 0; i < MOST_JOBS; i++)
		free(ahead->job[i].data);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}
