/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading ahead: see ahead.h.  The jobs of a pool, in the order in which they are to be asked for.
 * One that does not go well stops those behind it, because what they are worth is not known before
 * the pass has seen that one.
 */
#include "capture/ahead.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "scsi/scsi.h"

#define MOST_THREADS 4
#define MOST_JOBS    (MOST_THREADS + 1)

struct ahead_job {
	struct place place;
	struct answer answer;
};

struct ahead {
	const struct source *source;
	struct pool *pool;
	unsigned int n_jobs; /* that the pool has room for */

	/* The places planned and not yet taken, oldest first; the newest is place[(first + n - 1)].
	 */
	struct place place[MOST_JOBS];
	unsigned int first, n;
};

static bool ahead_went_well(const struct source *source, const struct ahead_job *job)
{
	const struct reply *reply = &job->answer.reply;

	return reply->outcome == OUTCOME_DONE && reply->status == SCSI_STATUS_GOOD &&
	       reply->moved == (size_t)job->place.n * source->block_bytes;
}

void ahead_read_now(const struct source *source, const struct place *place, struct answer *answer)
{
	uint64_t began = clock_now_ns();

	answer->err = (struct err){.kind = ERR_NONE};
	answer->reply = (struct reply){.outcome = OUTCOME_NOT_SENT};
	scsi_read(source->device->transport, place->lba, place->n, source->block_bytes, place->data,
		deadline_in_ms(source->timeout_ms), &answer->reply, &answer->err);
	answer->took_ns = clock_now_ns() - began;
}

static bool ahead_work(void *context, unsigned int worker, void *argument)
{
	const struct ahead *ahead = context;
	struct ahead_job *job = argument;

	(void)worker;
	ahead_read_now(ahead->source, &job->place, &job->answer);
	return ahead_went_well(ahead->source, job);
}

static int release_place(const struct ahead *ahead, const struct place *place, struct err *err)
{
	struct capture_sink *sink = ahead->source->sink;

	return sink->ops->release(sink, place->lba, place->n, err);
}

static struct place *nth_place(struct ahead *ahead, unsigned int i)
{
	return &ahead->place[(ahead->first + i) % MOST_JOBS];
}

static void pop_place(struct ahead *ahead)
{
	ahead->first = (ahead->first + 1) % MOST_JOBS;
	ahead->n--;
}

int ahead_drain(struct ahead *ahead, struct err *err)
{
	int r = 0;

	if (!ahead || ahead->n == 0)
		return 0;
	pool_clear(ahead->pool);
	for (; ahead->n > 0; pop_place(ahead)) {
		if (release_place(ahead, nth_place(ahead, 0), err) < 0)
			r = -1;
	}
	return r;
}

/* Would a READ that ends at LAST (LBA) leave the sink with too many slots open? */
static bool sink_is_full(struct ahead *ahead, uint64_t last)
{
	const struct capture_sink *sink = ahead->source->sink;
	uint64_t first = ahead->n > 0 ? nth_place(ahead, 0)->lba : last;

	return last / sink->slot_blocks - first / sink->slot_blocks >= sink->most_open;
}

/* The transport may have become another one since (sg, then Bulk-Only): it is asked each time. */
static unsigned int jobs_now(const struct ahead *ahead)
{
	unsigned int depth = ahead->source->device->transport->depth;

	return depth == 0 ? 0 : (unsigned int)mem_min_u64(depth + 1, ahead->n_jobs);
}

int ahead_plan(struct ahead *ahead, uint64_t lba, uint64_t end, uint32_t step, struct err *err)
{
	struct capture_sink *sink = ahead->source->sink;

	if (ahead->n > 0) {
		const struct place *last = nth_place(ahead, ahead->n - 1);

		lba = mem_max_u64(lba, last->lba + last->n);
	}
	while (lba < end && ahead->n < jobs_now(ahead)) {
		uint64_t left = sink->slot_blocks - lba % sink->slot_blocks;
		uint32_t n = (uint32_t)mem_min_u64(mem_min_u64(step, left), end - lba);
		struct ahead_job *job;
		struct place place = {.lba = lba, .n = n};

		if (sink_is_full(ahead, lba + n - 1))
			break;
		place.data = sink->ops->reserve(sink, lba, n, err);
		if (!place.data)
			return -1;
		job = pool_claim(ahead->pool);
		job->place = place;
		pool_submit(ahead->pool);
		*nth_place(ahead, ahead->n++) = place;
		lba += n;
	}
	return 0;
}

int ahead_take(struct ahead *ahead, uint64_t lba, uint32_t n, struct answer *answer,
	struct place *place, struct err *err)
{
	struct place *oldest = nth_place(ahead, 0);
	struct ahead_job *job;
	bool begun;

	place->data = NULL;
	if (ahead->n == 0)
		return 0;
	if (oldest->lba != lba || oldest->n != n)
		return ahead_drain(ahead, err);
	job = pool_take(ahead->pool, &begun);
	if (!begun) {
		pool_done(ahead->pool);
		return ahead_drain(ahead, err);
	}
	*answer = job->answer;
	*place = *oldest;
	pool_done(ahead->pool);
	pop_place(ahead);
	return 0;
}

struct ahead *ahead_new(const struct source *source, struct err *err)
{
	unsigned int threads =
		(unsigned int)mem_min_u64(source->device->transport->depth, MOST_THREADS);
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead) {
		err_memory(err, "for reading ahead");
		return NULL;
	}
	ahead->source = source;
	ahead->n_jobs = threads + 1;
	ahead->pool =
		pool_new(threads, ahead->n_jobs, sizeof(struct ahead_job), ahead_work, ahead, err);
	if (ahead->pool)
		return ahead;
	free(ahead);
	return NULL;
}

void ahead_free(struct ahead *ahead)
{
	if (!ahead)
		return;
	ahead_drain(ahead, NULL);
	pool_free(ahead->pool);
	free(ahead);
}
