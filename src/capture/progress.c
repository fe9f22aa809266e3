/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers that an observer sees, always counted from the map, and checkpoints in between. */
#include "capture/session.h"

#define TELL_NS	      (100 * 1000000ull)
#define CHECKPOINT_NS (2 * 1000000000ull)
#define MS_NS	      1000000ull

/* Counts the sectors of the part asked for; areas are runs of bad or failed sectors that touch. */
static void count(const struct session *s, struct capture_progress *now)
{
	const unsigned int bad = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);
	struct block_range range;
	uint64_t area_end = s->begin;

	for (uint64_t lba = s->begin; session_next(s, lba, BLOCK_ALL, &range);
		lba = range.lba + range.n) {
		unsigned int mask = BLOCK_MASK(range.state);

		if (mask & BLOCK_HAVE)
			now->good_blocks += range.n;
		else if (mask & bad)
			now->bad_blocks += range.n;
		else
			now->missing_blocks += range.n;
		if (!(mask & bad))
			continue;
		now->bad_areas += now->bad_areas == 0 || range.lba != area_end;
		area_end = range.lba + range.n;
	}
}

/* Bytes a second between the oldest sample there is and now. */
static uint64_t rate(const struct session *s, uint64_t now_ns)
{
	const struct progress *p = &s->progress;
	unsigned int oldest = p->n_samples < PROGRESS_SAMPLES ? 0 : p->n_samples;
	uint64_t ms = (now_ns - p->sample[oldest % PROGRESS_SAMPLES].ns) / MS_NS;
	uint64_t bytes = s->read_bytes - p->sample[oldest % PROGRESS_SAMPLES].bytes;

	return ms > 0 ? bytes * 1000 / ms : 0;
}

struct capture_progress progress_now(const struct session *s)
{
	uint64_t now_ns = clock_now_ns();
	struct capture_progress now = {
		.pass = s->pass,
		.position = s->position,
		.total_blocks = blockmap_blocks(s->sink->map),
		.wanted_blocks = s->end - s->begin,
		.read_bytes = s->read_bytes,
		.elapsed_ms = (now_ns - s->progress.began_ns) / MS_NS,
		.rate = rate(s, now_ns),
		.resets = s->resets,
	};

	count(s, &now);
	return now;
}

static void take_sample(struct session *s, uint64_t now_ns)
{
	struct progress *p = &s->progress;

	p->sample[p->n_samples % PROGRESS_SAMPLES].ns = now_ns;
	p->sample[p->n_samples % PROGRESS_SAMPLES].bytes = s->read_bytes;
	p->n_samples++;
}

void progress_begin(struct session *s)
{
	uint64_t now_ns = clock_now_ns();

	s->progress.began_ns = s->progress.told_ns = s->progress.checkpoint_ns = now_ns;
	take_sample(s, now_ns);
}

int progress_tick(struct session *s, bool always)
{
	uint64_t now_ns = clock_now_ns();

	if (always || now_ns - s->progress.told_ns >= TELL_NS) {
		if (s->observer && s->observer->progress) {
			struct capture_progress now = progress_now(s);

			s->observer->progress(s->observer->context, &now);
		}
		take_sample(s, now_ns);
		s->progress.told_ns = now_ns;
	}
	/* While one is under way its end is not known yet: the interval counts from there. */
	if (s->sink->ops->under_way(s->sink))
		s->progress.checkpoint_ns = now_ns;
	if (now_ns - s->progress.checkpoint_ns < CHECKPOINT_NS)
		return 0;
	s->progress.checkpoint_ns = now_ns;
	/* A slot that fills well will be whole soon; one where reads fail may stand for long. */
	if (s->sink->ops->checkpoint(
		    s->sink, (uint32_t)s->pass, s->position, s->good_in_a_row == 0, s->err) < 0)
		return session_end(s, CAPTURE_FAILED);
	return 0;
}
