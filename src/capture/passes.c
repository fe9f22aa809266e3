/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sectors next: the passes that read many at once.  Forwards and backwards they jump ahead of
 * trouble, so that what reads well is safe before a failing drive is worn by what does not; the
 * sweep reads what they jumped over.  Single sectors are isolate.c's.
 */
#include "capture/session.h"

#include "base/mem.h"

#define SKIP_FIRST_BYTES (64 * 1024)
#define SWEEP_BYTES	 (64 * 1024)

/* The largest common erase block of flash; jumps of that size and more land on its borders. */
#define ERASE_BLOCK_BYTES (4 * 1024 * 1024)

#define SLOW_NS	     1e9
#define SLOW_FACTOR  10
#define PACE_SPAN_NS 10e9

#define TO_READ	 BLOCK_MASK(BLOCK_UNTRIED)
#define LEFT_OUT (BLOCK_MASK(BLOCK_UNTRIED) | BLOCK_MASK(BLOCK_SKIPPED))

/* How far to jump, in sectors: doubles from trouble to trouble, up to 1 % of the drive. */
struct jump {
	uint64_t first, next, most;
};

static struct jump jump_new(const struct session *s)
{
	uint64_t first = mem_max_u64(SKIP_FIRST_BYTES / s->block_bytes, 1);

	return (struct jump){
		.first = first,
		.next = first,
		.most = mem_max_u64(blockmap_blocks(s->sink->map) / 100, first),
	};
}

static uint64_t jump_take(struct jump *jump)
{
	uint64_t now = jump->next;

	jump->next = mem_min_u64(now * 2, jump->most);
	return now;
}

/* Jumps land where something new may begin: the borders of erase blocks and stripes. */
static uint64_t landing_grid(const struct session *s, uint64_t skip)
{
	uint64_t grid = 1, most = mem_min_u64(skip, ERASE_BLOCK_BYTES / s->block_bytes);

	while (grid * 2 <= most)
		grid *= 2;
	return grid;
}

static uint64_t landing_ahead(const struct session *s, uint64_t from, uint64_t skip)
{
	uint64_t grid = landing_grid(s, skip);

	return (from + skip + grid - 1) / grid * grid;
}

static uint64_t landing_behind(const struct session *s, uint64_t from, uint64_t skip)
{
	return from > skip ? (from - skip) / landing_grid(s, skip) * landing_grid(s, skip) : 0;
}

/* Notes how long a good read took.  True when it was much slower than the ones before it. */
static bool was_slow(struct session *s, uint32_t n, uint64_t took_ns)
{
	struct pace *pace = &s->pace;
	double bytes = (double)n * s->block_bytes, ns = (double)took_ns;

	if (n == 0)
		return false;
	if (ns > SLOW_NS && pace->ns > 0 && bytes * pace->ns * SLOW_FACTOR < pace->bytes * ns)
		return true;
	pace->bytes += bytes;
	pace->ns += ns;
	if (pace->ns > PACE_SPAN_NS) {
		pace->bytes /= 2;
		pace->ns /= 2;
	}
	return false;
}

/* Marks what failed of a read: one sector is bad or failed, the one that sense names is failed,
 * else all of it is.  *FIRST and *LAST are the first and the last of what is marked. */
static int mark_failed(struct session *s, uint64_t lba, uint32_t n, const struct judged *judged,
	uint64_t *first, uint64_t *last)
{
	enum block_state state =
		n == 1 && judged->verdict == VERDICT_MEDIUM ? BLOCK_BAD : BLOCK_FAILED;

	*first = judged->named ? judged->lba : lba;
	*last = judged->named ? judged->lba : lba + n - 1;
	return session_mark(s, *first, *last - *first + 1, state, &judged->why);
}

/* One step of the forward pass in RANGE; *NEXT is where it goes on. */
static int step_forward(
	struct session *s, const struct block_range *range, struct jump *jump, uint64_t *next)
{
	uint32_t n = read_clip(s, range->lba, range->n);
	struct block_reason why = {.outcome = BLOCK_OUTCOME_SLOW};
	struct judged judged;
	uint64_t took_ns, first, last;

	if (session_read(s, range->lba, n, &judged, &took_ns) < 0)
		return -1;
	*next = range->lba + judged.n;
	if (judged_failed(&judged)) {
		if (mark_failed(s, range->lba, n, &judged, &first, &last) < 0)
			return -1;
		why = judged.why;
		why.tries = 0;
		if (session_mark(s, range->lba, first - range->lba, BLOCK_SKIPPED, &why) < 0)
			return -1;
		*next = last + 1;
	} else if (!was_slow(s, judged.n, took_ns)) {
		jump->next = jump->first;
		return 0;
	}
	last = mem_min_u64(landing_ahead(s, *next, jump_take(jump)), range->lba + range->n);
	first = *next;
	*next = last;
	return session_mark(s, first, last - first, BLOCK_SKIPPED, &why);
}

int pass_forward(struct session *s)
{
	struct jump jump = jump_new(s);
	uint64_t lba = s->begin;
	struct block_range range;

	while (session_next(s, lba, TO_READ, &range)) {
		session_ahead(s, range.lba, range.lba + range.n);
		if (step_forward(s, &range, &jump, &lba) < 0)
			return -1;
	}
	return 0;
}

/* One step of the backward pass at the end of RANGE; *NEXT is where it goes on, downwards.  What it
 * jumps over keeps its state. */
static int step_backward(
	struct session *s, const struct block_range *range, struct jump *jump, uint64_t *next)
{
	uint64_t end = range->lba + range->n, took_ns, first, last;
	uint32_t n = read_clip_back(s, end, range->n);
	struct judged judged;

	if (session_read(s, end - n, n, &judged, &took_ns) < 0)
		return -1;
	first = end - n;
	if (judged_failed(&judged)) {
		if (mark_failed(s, end - n, n, &judged, &first, &last) < 0)
			return -1;
	} else if (!was_slow(s, judged.n, took_ns)) {
		jump->next = jump->first;
		/* A short read leaves its rest to be read by itself. */
		*next = judged.n == n ? first : end;
		return 0;
	}
	*next = landing_behind(s, first, jump_take(jump));
	return 0;
}

int pass_backward(struct session *s)
{
	struct jump jump = jump_new(s);
	uint64_t lba = s->end;
	struct block_range range;

	while (session_prev(s, lba, LEFT_OUT, &range)) {
		if (step_backward(s, &range, &jump, &lba) < 0)
			return -1;
	}
	return 0;
}

int pass_sweep(struct session *s)
{
	uint64_t lba = s->begin;
	struct block_range range;

	while (session_next(s, lba, LEFT_OUT, &range)) {
		uint64_t most = mem_max_u64(SWEEP_BYTES / s->block_bytes, 1);
		uint32_t n = read_clip(s, range.lba, range.n);
		struct judged judged;
		uint64_t first, last;

		/* Near errors small reads lose less; what was only slow needs none. */
		if (range.why.outcome != BLOCK_OUTCOME_SLOW)
			n = (uint32_t)mem_min_u64(n, most);
		if (session_read(s, range.lba, n, &judged, NULL) < 0)
			return -1;
		lba = range.lba + judged.n;
		if (!judged_failed(&judged))
			continue;
		judged.named = false;
		if (mark_failed(s, range.lba, n, &judged, &first, &last) < 0)
			return -1;
		lba = last + 1;
	}
	return 0;
}

int pass_in_order(struct session *s)
{
	uint64_t lba = s->begin;
	struct block_range range;

	while (session_next(s, lba, BLOCK_MISSING, &range)) {
		uint32_t n = read_clip(s, range.lba, range.n);
		struct judged judged;

		session_ahead(s, range.lba, range.lba + range.n);
		if (session_read(s, range.lba, n, &judged, NULL) < 0)
			return -1;
		lba = range.lba + judged.n;
		if (!judged_failed(&judged))
			continue;
		if (isolate_span(s, range.lba, n, &judged) < 0)
			return -1;
		lba = range.lba + n;
	}
	return 0;
}
