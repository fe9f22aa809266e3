/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sectors next: the passes that read many at once.  Forwards and backwards they jump ahead of
 * trouble, so that what reads well is safe before a failing drive is worn by what does not; the
 * sweep reads what they jumped over.  Single sectors are isolate.c's.
 */
#include "capture/passes.h"

#include "capture/isolate.h"

#include "base/mem.h"

#define SKIP_FIRST_BYTES (64 * 1024)
#define SWEEP_BYTES	 (64 * 1024)

/* The largest common erase block of flash; jumps of that size and more land on its borders. */
#define ERASE_BLOCK_BYTES (4 * 1024 * 1024)

#define TO_READ	 BLOCK_MASK(BLOCK_UNTRIED)
#define LEFT_OUT (BLOCK_MASK(BLOCK_UNTRIED) | BLOCK_MASK(BLOCK_SKIPPED))

/* How far to jump, in sectors: doubles from trouble to trouble, up to 1 % of the drive. */
struct jump {
	uint64_t first, next, most;
};

static struct jump jump_new(const struct reading *r)
{
	uint64_t first = mem_max_u64(SKIP_FIRST_BYTES / r->source->block_bytes, 1);

	return (struct jump){
		.first = first,
		.next = first,
		.most = mem_max_u64(blockmap_blocks(r->source->sink->map) / 100, first),
	};
}

static uint64_t jump_take(struct jump *jump)
{
	uint64_t now = jump->next;

	jump->next = mem_min_u64(now * 2, jump->most);
	return now;
}

/* Jumps land where something new may begin: the borders of erase blocks and stripes. */
static uint64_t landing_grid(const struct reading *r, uint64_t skip)
{
	uint64_t grid = 1, most = mem_min_u64(skip, ERASE_BLOCK_BYTES / r->source->block_bytes);

	while (grid * 2 <= most)
		grid *= 2;
	return grid;
}

static uint64_t landing_ahead(const struct reading *r, uint64_t from, uint64_t skip)
{
	uint64_t grid = landing_grid(r, skip);

	return (from + skip + grid - 1) / grid * grid;
}

static uint64_t landing_behind(const struct reading *r, uint64_t from, uint64_t skip)
{
	return from > skip ? (from - skip) / landing_grid(r, skip) * landing_grid(r, skip) : 0;
}

/* Marks what failed of a read: one sector is bad or failed, the one that sense names is failed,
 * else all of it is.  *FIRST and *LAST are the first and the last of what is marked. */
static int mark_failed(struct reading *r, uint64_t lba, uint32_t n, const struct judged *judged,
	uint64_t *first, uint64_t *last)
{
	enum block_state state =
		n == 1 && judged->verdict == VERDICT_MEDIUM ? BLOCK_BAD : BLOCK_FAILED;

	*first = judged->named ? judged->lba : lba;
	*last = judged->named ? judged->lba : lba + n - 1;
	return reading_mark(r, *first, *last - *first + 1, state, &judged->why);
}

/* One step of the forward pass in RANGE; *NEXT is where it goes on. */
static int step_forward(
	struct reading *r, const struct block_range *range, struct jump *jump, uint64_t *next)
{
	uint32_t n = reading_clip(r, range->lba, range->n);
	struct block_reason why = {.outcome = BLOCK_OUTCOME_SLOW};
	struct judged judged;
	uint64_t first, last;

	if (reading_read(r, range->lba, n, &judged) < 0)
		return -1;
	*next = range->lba + judged.n;
	if (judged_failed(&judged)) {
		if (mark_failed(r, range->lba, n, &judged, &first, &last) < 0)
			return -1;
		why = judged.why;
		why.tries = 0;
		if (reading_mark(r, range->lba, first - range->lba, BLOCK_SKIPPED, &why) < 0)
			return -1;
		*next = last + 1;
	} else if (!judged.slow) {
		jump->next = jump->first;
		return 0;
	}
	last = mem_min_u64(landing_ahead(r, *next, jump_take(jump)), range->lba + range->n);
	first = *next;
	*next = last;
	return reading_mark(r, first, last - first, BLOCK_SKIPPED, &why);
}

int pass_forward(struct reading *r)
{
	struct jump jump = jump_new(r);
	uint64_t lba = r->source->begin;
	struct block_range range;

	while (source_next(r->source, lba, TO_READ, &range)) {
		if (reading_ahead(r, range.lba, range.lba + range.n) < 0)
			return -1;
		if (step_forward(r, &range, &jump, &lba) < 0)
			return -1;
	}
	return 0;
}

/* One step of the backward pass at the end of RANGE; *NEXT is where it goes on, downwards.  What it
 * jumps over keeps its state. */
static int step_backward(
	struct reading *r, const struct block_range *range, struct jump *jump, uint64_t *next)
{
	uint64_t end = range->lba + range->n, first, last;
	uint32_t n = reading_clip_back(r, end, range->n);
	struct judged judged;

	if (reading_read(r, end - n, n, &judged) < 0)
		return -1;
	first = end - n;
	if (judged_failed(&judged)) {
		if (mark_failed(r, end - n, n, &judged, &first, &last) < 0)
			return -1;
	} else if (!judged.slow) {
		jump->next = jump->first;
		/* A short read leaves its rest to be read by itself. */
		*next = judged.n == n ? first : end;
		return 0;
	}
	*next = landing_behind(r, first, jump_take(jump));
	return 0;
}

int pass_backward(struct reading *r)
{
	struct jump jump = jump_new(r);
	uint64_t lba = r->source->end;
	struct block_range range;

	while (source_prev(r->source, lba, LEFT_OUT, &range)) {
		if (step_backward(r, &range, &jump, &lba) < 0)
			return -1;
	}
	return 0;
}

int pass_sweep(struct reading *r)
{
	uint64_t lba = r->source->begin;
	struct block_range range;

	while (source_next(r->source, lba, LEFT_OUT, &range)) {
		uint64_t most = mem_max_u64(SWEEP_BYTES / r->source->block_bytes, 1);
		uint32_t n = reading_clip(r, range.lba, range.n);
		struct judged judged;
		uint64_t first, last;

		/* Near errors small reads lose less; what was only slow needs none. */
		if (range.why.outcome != BLOCK_OUTCOME_SLOW)
			n = (uint32_t)mem_min_u64(n, most);
		if (reading_read(r, range.lba, n, &judged) < 0)
			return -1;
		lba = range.lba + judged.n;
		if (!judged_failed(&judged))
			continue;
		judged.named = false;
		if (mark_failed(r, range.lba, n, &judged, &first, &last) < 0)
			return -1;
		lba = last + 1;
	}
	return 0;
}

int pass_in_order(struct reading *r)
{
	uint64_t lba = r->source->begin;
	struct block_range range;

	while (source_next(r->source, lba, BLOCK_MISSING, &range)) {
		uint32_t n = reading_clip(r, range.lba, range.n);
		struct judged judged;

		if (reading_ahead(r, range.lba, range.lba + range.n) < 0)
			return -1;
		if (reading_read(r, range.lba, n, &judged) < 0)
			return -1;
		lba = range.lba + judged.n;
		if (!judged_failed(&judged))
			continue;
		if (isolate_span(r, range.lba, n, &judged) < 0)
			return -1;
		lba = range.lba + n;
	}
	return 0;
}
