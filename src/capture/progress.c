/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of a capture, always counted from the map: see progress.h. */
#include "capture/progress.h"

#include "base/clock.h"
#include "base/mem.h"

#define TELL_NS (100 * 1000000ull)
#define MS_NS	1000000ull

/* Counting may take a twentieth of the time, however many ranges the map has. */
#define COUNT_SHARE 20

static void progress_count(const struct source *source, struct capture_progress *now)
{
	uint64_t *const by_state[BLOCK_STATES] = {
		[BLOCK_UNTRIED] = &now->untried,
		[BLOCK_SKIPPED] = &now->skipped,
		[BLOCK_FAILED] = &now->failed,
		[BLOCK_BAD] = &now->bad,
		[BLOCK_GOOD] = &now->good,
		[BLOCK_RECOVERED] = &now->recovered,
	};
	uint64_t area_end = source->begin;
	struct block_range range;

	for (uint64_t lba = source->begin; source_next(source, lba, BLOCK_ALL, &range);
		lba = range.lba + range.n) {
		*by_state[range.state] += range.n;
		if (range.state != BLOCK_BAD)
			continue;
		now->bad_areas += now->bad_areas == 0 || range.lba != area_end;
		area_end = range.lba + range.n;
	}
}

/* Bytes a second between the oldest sample there is and now. */
static uint64_t progress_rate(const struct progress *p, uint64_t now_ns)
{
	unsigned int oldest = p->n_samples < PROGRESS_SAMPLES ? 0 : p->n_samples;
	uint64_t ms = (now_ns - p->sample[oldest % PROGRESS_SAMPLES].ns) / MS_NS;
	uint64_t bytes = p->read_bytes - p->sample[oldest % PROGRESS_SAMPLES].bytes;

	return ms > 0 ? bytes * 1000 / ms : 0;
}

/* What the pass has behind it, of the sectors that it began with. */
static uint64_t pass_done(const struct progress *p)
{
	struct block_range range;
	uint64_t left = 0;

	if (p->pass == PASS_RETRY)
		return mem_min_u64(p->pass_reads, p->pass_all);
	if (p->pass != PASS_ISOLATE)
		return 0;
	for (uint64_t lba = p->position;
		source_next(p->source, lba, BLOCK_MASK(BLOCK_FAILED), &range);
		lba = range.lba + range.n)
		left += range.n;
	return p->pass_all - mem_min_u64(left, p->pass_all);
}

uint64_t progress_elapsed_ms(const struct progress *p)
{
	return (clock_now_ns() - p->began_ns) / MS_NS;
}

struct capture_progress progress_now(const struct progress *p)
{
	struct capture_progress now = {
		.pass = p->pass,
		.position = p->position,
		.wanted = p->source->end - p->source->begin,
		.pass_done = pass_done(p),
		.pass_all = p->pass_all,
		.read_bytes = p->read_bytes,
		.elapsed_ms = progress_elapsed_ms(p),
		.rate = progress_rate(p, clock_now_ns()),
		.resets = p->resets,
	};

	progress_count(p->source, &now);
	return now;
}

static void take_sample(struct progress *p, uint64_t now_ns)
{
	p->sample[p->n_samples % PROGRESS_SAMPLES].ns = now_ns;
	p->sample[p->n_samples % PROGRESS_SAMPLES].bytes = p->read_bytes;
	p->n_samples++;
}

static void progress_tell(struct progress *p)
{
	uint64_t began_ns = clock_now_ns();
	struct capture_progress now = progress_now(p);
	struct capture_notice notice = {.kind = NOTICE_PROGRESS, .pass = p->pass, .progress = &now};

	p->to.notice(p->to.context, &notice);
	p->told_ns = clock_now_ns();
	p->pause_ns = mem_max_u64(TELL_NS, (p->told_ns - began_ns) * COUNT_SHARE);
	take_sample(p, p->told_ns);
}

static void begin_pass(struct progress *p, enum capture_pass pass)
{
	const unsigned int left = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);

	p->pass = pass;
	p->pass_all = p->pass_reads = 0;
	if (pass == PASS_ISOLATE)
		p->pass_all = source_count(p->source, BLOCK_MASK(BLOCK_FAILED));
	if (pass == PASS_RETRY)
		p->pass_all = source_count(p->source, left) * p->source->options->retries;
}

static void progress_notice(void *context, const struct capture_notice *notice)
{
	struct progress *p = context;
	bool always = notice->kind != NOTICE_READING && notice->kind != NOTICE_READ;

	switch (notice->kind) {
	case NOTICE_PASS_BEGIN:
		begin_pass(p, notice->pass);
		break;
	case NOTICE_READING:
		p->position = notice->lba;
		break;
	case NOTICE_READ:
		p->read_bytes += notice->bytes;
		p->pass_reads++;
		break;
	case NOTICE_RESET:
		p->resets++;
		break;
	case NOTICE_READ_FAILED:
	case NOTICE_UNREADABLE:
		always = false;
		break;
	case NOTICE_END:
		p->pass = PASS_DONE;
		break;
	default:
		break;
	}
	if (p->to.notice && (always || clock_now_ns() - p->told_ns >= p->pause_ns))
		progress_tell(p);
}

struct capture_observer progress_begin(
	struct progress *p, const struct source *source, const struct capture_observer *to)
{
	*p = (struct progress){
		.source = source,
		.pass = PASS_FORWARD,
		.position = source->begin,
		.pause_ns = TELL_NS,
	};
	if (to)
		p->to = *to;
	p->began_ns = p->told_ns = clock_now_ns();
	take_sample(p, p->began_ns);
	return (struct capture_observer){.notice = progress_notice, .context = p};
}
