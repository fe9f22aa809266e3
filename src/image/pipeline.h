/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs that several workers prepare at once and one writer finishes in the order they were given:
 *
 *     claim, fill, submit  ->  [ work × N threads ]  ->  finish, in order
 *
 * The number of jobs is fixed, so that claiming waits when the disk is slower than the drive.
 */
#ifndef UMS_IMAGE_PIPELINE_H
#define UMS_IMAGE_PIPELINE_H

#include <stddef.h>

#include "base/err.h"

struct pipeline;

struct pipeline_ops {
	/* In one of the workers, in any order; WORKER is its number.  May leave JOB alone. */
	void (*work)(void *context, unsigned int worker, void *job);
	/* In the writer, in order of submission. */
	void (*finish)(void *context, void *job);
};

/* N_JOBS jobs of JOB_BYTES zeroed bytes each, WORKERS threads and a writer. */
struct pipeline *pipeline_new(const struct pipeline_ops *ops, void *context, unsigned int workers,
	size_t n_jobs, size_t job_bytes, struct err *err);

/* A free job, as its last user left it; waits for one.  One thread at a time claims and submits. */
void *pipeline_claim(struct pipeline *pipeline);
void pipeline_submit(struct pipeline *pipeline);

/* Waits until all jobs are finished. */
void pipeline_drain(struct pipeline *pipeline);

/* Calls FUNC for each job's memory; only when drained. */
void pipeline_each(
	struct pipeline *pipeline, void (*func)(void *context, void *job), void *context);

/* Drains, ends the threads.  NULL is allowed. */
void pipeline_free(struct pipeline *pipeline);

#endif
