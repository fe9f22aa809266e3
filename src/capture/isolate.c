/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failed reads down to single sectors.  The failing LBA that sense data names is believed when it
 * lies in the range that was read: first the sectors before it, then it alone, then those behind
 * it.  Otherwise the first bad sector is searched by halves.  Where a READ hung until its time was
 * over, halving would let it hang again and again, so there each sector is read by itself: only the
 * one that hangs costs another time-out.  Data that came with a failed READ is never kept; a sector
 * is good only by a READ that went well.
 */
#include "capture/isolate.h"

#include "base/mem.h"

/* How often one sector is read when that fails for other reasons than its medium; one that hangs is
 * read once, because each time may take half a minute and a reset. */
#define TROUBLE_TRIES 3

/*
 *     pos        suspect_end     failed_end      end
 *      |--- to do ----|---- to do ----|--- to do --|
 *
 * A READ from pos (or from before it) to failed_end has failed.  A bad sector is suspected before
 * suspect_end, if that lies behind pos; otherwise none is suspected.  With `named`, the drive said
 * that the bad one is the last before suspect_end; otherwise suspect_end and failed_end are one.
 */
struct search {
	uint64_t pos, end;
	uint64_t suspect_end, failed_end;
	uint64_t hang_end; /* up to here a READ hung: one sector at a time */
	bool named;
	bool lied;	 /* what it named was not so: search by halves until one is found */
	uint64_t stride; /* of reads where nothing is suspected: grows from 1 behind a bad sector */
};

static uint32_t search_length(const struct reading *r, const struct search *search)
{
	uint64_t suspects;

	if (search->pos < search->hang_end)
		return 1;
	if (search->suspect_end <= search->pos)
		return reading_clip(
			r, search->pos, mem_min_u64(search->stride, search->end - search->pos));
	suspects = search->suspect_end - search->pos;
	if (suspects == 1)
		return 1;
	return reading_clip(r, search->pos, search->named ? suspects - 1 : suspects / 2);
}

static void search_good(const struct reading *r, struct search *search, uint32_t n)
{
	bool suspected = search->suspect_end > search->pos;

	search->pos += n;
	if (!suspected) {
		search->stride = mem_min_u64(search->stride * 2, r->max_blocks);
	} else if (search->suspect_end <= search->pos && search->named) {
		/* The one that it named is good: the bad one is another. */
		search->named = false;
		search->lied = true;
		search->suspect_end = search->failed_end;
	}
}

static void search_failed(struct search *search, uint32_t n, const struct judged *judged)
{
	if (search->suspect_end > search->pos && search->named)
		search->lied = true;
	search->failed_end = search->pos + n;
	if (judged->why.outcome == BLOCK_OUTCOME_TIMEOUT)
		search->hang_end = search->failed_end;
	search->named = judged->named && !search->lied;
	search->suspect_end = search->named ? judged->lba + 1 : search->failed_end;
}

/* Behind a sector that stays unread there often is another, so the next reads are short. */
static void search_past(struct search *search)
{
	search->pos++;
	search->suspect_end = search->pos;
	search->stride = 1;
	search->lied = false;
}

static unsigned int tries_for(const struct judged *judged)
{
	if (judged->verdict == VERDICT_MEDIUM || judged->why.outcome == BLOCK_OUTCOME_TIMEOUT)
		return 1;
	return TROUBLE_TRIES;
}

/* Reads one sector until it comes or its tries are spent, and marks it then; *GOOD says which.  A
 * pipe has no later pass, so its retries come here. */
static int read_single(struct reading *r, uint64_t lba, bool *good)
{
	unsigned int more = r->source->sink->in_order ? r->source->options->retries : 0;
	struct judged judged;
	unsigned int tries = 0;

	do {
		if (reading_read(r, lba, 1, &judged) < 0)
			return -1;
		*good = !judged_failed(&judged);
		if (*good)
			return 0;
		tries++;
	} while (tries < more + tries_for(&judged));
	judged.why.tries = (uint8_t)mem_min_u64(tries, UINT8_MAX);
	return reading_mark(r, lba, 1, judged.verdict == VERDICT_MEDIUM ? BLOCK_BAD : BLOCK_FAILED,
		&judged.why);
}

static int search_single(struct reading *r, struct search *search)
{
	bool good;

	if (read_single(r, search->pos, &good) < 0)
		return -1;
	if (good)
		search_good(r, search, 1);
	else
		search_past(search);
	return 0;
}

static int search_all(struct reading *r, struct search *search)
{
	while (search->pos < search->end) {
		uint32_t length = search_length(r, search);
		struct judged judged;

		if (length == 1) {
			if (search_single(r, search) < 0)
				return -1;
			continue;
		}
		if (reading_read(r, search->pos, length, &judged) < 0)
			return -1;
		if (judged_failed(&judged))
			search_failed(search, length, &judged);
		else
			search_good(r, search, judged.n);
	}
	return 0;
}

int isolate_span(struct reading *r, uint64_t lba, uint32_t n, const struct judged *first)
{
	struct search search = {.pos = lba, .end = lba + n, .stride = r->max_blocks};

	search_failed(&search, n, first);
	return search_all(r, &search);
}

int pass_isolate(struct reading *r)
{
	uint64_t lba = r->source->begin;
	struct block_range range;

	while (source_next(r->source, lba, BLOCK_MASK(BLOCK_FAILED), &range)) {
		struct search search = {
			.pos = range.lba,
			.end = range.lba + range.n,
			.stride = r->max_blocks,
		};

		if (range.why.outcome == BLOCK_OUTCOME_TIMEOUT)
			search.hang_end = search.end;
		if (search_all(r, &search) < 0)
			return -1;
		lba = range.lba + range.n;
	}
	return 0;
}

static int retry_sector(struct reading *r, const struct block_range *range, uint64_t lba)
{
	enum block_state state = range->state;
	struct block_reason why = range->why;
	struct judged judged;

	if (reading_read(r, lba, 1, &judged) < 0)
		return -1;
	if (!judged_failed(&judged))
		return 0;
	if (judged.verdict == VERDICT_MEDIUM || state == BLOCK_FAILED)
		why = judged.why;
	if (judged.verdict == VERDICT_MEDIUM)
		state = BLOCK_BAD;
	why.tries = (uint8_t)mem_min_u64(range->why.tries + 1u, UINT8_MAX);
	return reading_mark(r, lba, 1, state, &why);
}

/* Once over all that is bad, from the other side each time. */
static int retry_round(struct reading *r, bool backward)
{
	const unsigned int mask = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);
	uint64_t lba = backward ? r->source->end : r->source->begin;
	struct block_range range;

	while (backward ? source_prev(r->source, lba, mask, &range)
			: source_next(r->source, lba, mask, &range)) {
		uint64_t here = backward ? range.lba + range.n - 1 : range.lba;

		if (retry_sector(r, &range, here) < 0)
			return -1;
		lba = backward ? here : here + 1;
	}
	return 0;
}

int pass_retry(struct reading *r)
{
	for (unsigned int round = 0; round < r->source->options->retries; round++) {
		if (retry_round(r, round % 2 == 0) < 0)
			return -1;
	}
	return 0;
}
