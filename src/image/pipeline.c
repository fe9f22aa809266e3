/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pipeline as one ring: see pipeline.h.  Jobs are numbered; the ring holds those from
 * `finished` up to `submitted`, of which those below `taken` have been given to a worker:
 *
 *     finished <= taken <= submitted <= finished + n_jobs
 */
#include "image/pipeline.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/thread.h"

struct worker {
	struct pipeline *pipeline;
	unsigned int number;
	pthread_t thread;
};

struct pipeline {
	const struct pipeline_ops *ops;
	void *context;
	size_t n_jobs, job_bytes;
	uint8_t *jobs;
	bool *ready; /* worked on, for each place of the ring */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t submitted, taken, finished;
	bool ending;

	struct worker *worker;
	unsigned int n_workers; /* that were started */
	pthread_t writer;
	bool writer_started;
};

static void *job_at(const struct pipeline *pipeline, uint64_t number)
{
	return pipeline->jobs + number % pipeline->n_jobs * pipeline->job_bytes;
}

static void *work_main(void *argument)
{
	const struct worker *worker = argument;
	struct pipeline *p = worker->pipeline;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		uint64_t mine;

		while (p->taken == p->submitted && !p->ending)
			pthread_cond_wait(&p->changed, &p->lock);
		if (p->taken == p->submitted)
			break;
		mine = p->taken++;
		pthread_mutex_unlock(&p->lock);
		p->ops->work(p->context, worker->number, job_at(p, mine));
		pthread_mutex_lock(&p->lock);
		p->ready[mine % p->n_jobs] = true;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void *finish_main(void *argument)
{
	struct pipeline *p = argument;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		size_t place = (size_t)(p->finished % p->n_jobs);

		while (!(p->finished < p->submitted && p->ready[place]) &&
			!(p->ending && p->finished == p->submitted))
			pthread_cond_wait(&p->changed, &p->lock);
		if (p->finished == p->submitted)
			break;
		pthread_mutex_unlock(&p->lock);
		p->ops->finish(p->context, job_at(p, p->finished));
		pthread_mutex_lock(&p->lock);
		p->ready[place] = false;
		p->finished++;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int start_threads(struct pipeline *p, unsigned int workers, struct err *err)
{
	if (thread_start(&p->writer, finish_main, p, err) < 0)
		return -1;
	p->writer_started = true;
	for (unsigned int i = 0; i < workers; i++) {
		p->worker[i] = (struct worker){.pipeline = p, .number = i};
		if (thread_start(&p->worker[i].thread, work_main, &p->worker[i], err) < 0)
			return -1;
		p->n_workers++;
	}
	return 0;
}

struct pipeline *pipeline_new(const struct pipeline_ops *ops, void *context, unsigned int workers,
	size_t n_jobs, size_t job_bytes, struct err *err)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p) {
		err_memory(err, "starting the writer");
		return NULL;
	}
	p->ops = ops;
	p->context = context;
	p->n_jobs = n_jobs;
	p->job_bytes = job_bytes;
	p->jobs = calloc(n_jobs, job_bytes);
	p->ready = calloc(n_jobs, sizeof(*p->ready));
	p->worker = calloc(workers, sizeof(*p->worker));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (!p->jobs || !p->ready || !p->worker) {
		err_memory(err, "starting the writer");
		pipeline_free(p);
		return NULL;
	}
	if (start_threads(p, workers, err) < 0) {
		pipeline_free(p);
		return NULL;
	}
	return p;
}

void *pipeline_claim(struct pipeline *p)
{
	void *job;

	pthread_mutex_lock(&p->lock);
	while (p->submitted - p->finished == p->n_jobs)
		pthread_cond_wait(&p->changed, &p->lock);
	job = job_at(p, p->submitted);
	pthread_mutex_unlock(&p->lock);
	return job;
}

void pipeline_submit(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	p->submitted++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

void pipeline_drain(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->finished < p->submitted)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void pipeline_each(struct pipeline *p, void (*func)(void *context, void *job), void *context)
{
	for (size_t i = 0; i < p->n_jobs; i++)
		func(context, job_at(p, i));
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 0; i < p->n_workers; i++)
		pthread_join(p->worker[i].thread, NULL);
	if (p->writer_started)
		pthread_join(p->writer, NULL);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p->worker);
	free(p->ready);
	free(p->jobs);
	free(p);
}
