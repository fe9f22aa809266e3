/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failed reads down to single sectors.  The failing LBA that sense names is believed when it lies
 * in the range read: reads up to it, it alone, on from behind it.  Otherwise the first bad sector
 * is searched by halves.  Data that came with a failed READ is never kept; a sector is good only by
 * a READ that went well.
 */
#include "capture/session.h"

#include "base/mem.h"

/* Reads of one sector that fail for other reasons than its medium. */
#define TROUBLE_TRIES 3

/*
 *     pos        suspect_end     failed_end      end
 *      |--- to do ----|---- to do ----|--- to do --|
 *
 * A read from pos (or before it) to failed_end has failed, and a bad sector is suspected before
 * suspect_end; none is when that is not behind pos.  With `named`, the drive said that it is the
 * last one of these; otherwise the two ends are one.
 */
struct search {
	uint64_t pos, end;
	uint64_t suspect_end, failed_end;
	bool named;
	bool lied;	 /* what it named was not so: search by halves until one is found */
	uint64_t stride; /* of reads where nothing is suspected: grows from 1 behind a bad sector */
};

static uint32_t search_length(const struct session *s, const struct search *search)
{
	uint64_t suspects;

	if (search->suspect_end <= search->pos)
		return read_clip(
			s, search->pos, mem_min_u64(search->stride, search->end - search->pos));
	suspects = search->suspect_end - search->pos;
	if (suspects == 1)
		return 1;
	return read_clip(s, search->pos, search->named ? suspects - 1 : suspects / 2);
}

static void search_good(const struct session *s, struct search *search, uint32_t n)
{
	bool suspected = search->suspect_end > search->pos;

	search->pos += n;
	if (!suspected) {
		search->stride = mem_min_u64(search->stride * 2, s->max_blocks);
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
	search->named = judged->named && !search->lied;
	search->suspect_end = search->named ? judged->lba + 1 : search->failed_end;
}

/* Behind a sector that stays unread there often is another. */
static void search_past(struct search *search)
{
	search->pos++;
	search->suspect_end = search->pos;
	search->stride = 1;
	search->lied = false;
}

/* One sector, until it reads or its tries are spent: then it is bad, or failed for other reasons.
 * *GOOD says which.  A pipe has no later pass, so there the retries come here. */
static int read_single(struct session *s, uint64_t lba, bool *good)
{
	unsigned int more = s->sink->in_order ? s->options->retries : 0;
	struct judged judged;
	unsigned int tries = 0, limit;

	do {
		if (session_read(s, lba, 1, &judged, NULL) < 0)
			return -1;
		*good = !judged_failed(&judged);
		if (*good)
			return 0;
		tries++;
		limit = more + (judged.verdict == VERDICT_MEDIUM ? 1 : TROUBLE_TRIES);
	} while (tries < limit);
	judged.why.tries = (uint8_t)mem_min_u64(tries, UINT8_MAX);
	return session_mark(s, lba, 1, judged.verdict == VERDICT_MEDIUM ? BLOCK_BAD : BLOCK_FAILED,
		&judged.why);
}

static int search_single(struct session *s, struct search *search)
{
	bool good;

	if (read_single(s, search->pos, &good) < 0)
		return -1;
	if (good)
		search_good(s, search, 1);
	else
		search_past(search);
	return 0;
}

int isolate_span(struct session *s, uint64_t lba, uint64_t n, const struct judged *first)
{
	struct search search = {.pos = lba, .end = lba + n, .stride = s->max_blocks};

	if (first)
		search_failed(&search, (uint32_t)n, first);
	while (search.pos < search.end) {
		uint32_t length = search_length(s, &search);
		struct judged judged;

		if (length == 1) {
			if (search_single(s, &search) < 0)
				return -1;
			continue;
		}
		if (session_read(s, search.pos, length, &judged, NULL) < 0)
			return -1;
		if (judged_failed(&judged))
			search_failed(&search, length, &judged);
		else
			search_good(s, &search, judged.n);
	}
	return 0;
}

int pass_isolate(struct session *s)
{
	uint64_t lba = s->begin;
	struct block_range range;

	while (session_next(s, lba, BLOCK_MASK(BLOCK_FAILED), &range)) {
		if (isolate_span(s, range.lba, range.n, NULL) < 0)
			return -1;
		lba = range.lba + range.n;
	}
	return 0;
}

static int retry_sector(struct session *s, const struct block_range *range, uint64_t lba)
{
	enum block_state state = range->state;
	struct block_reason why = range->why;
	struct judged judged;

	if (session_read(s, lba, 1, &judged, NULL) < 0)
		return -1;
	if (!judged_failed(&judged))
		return 0;
	if (judged.verdict == VERDICT_MEDIUM || state == BLOCK_FAILED)
		why = judged.why;
	if (judged.verdict == VERDICT_MEDIUM)
		state = BLOCK_BAD;
	why.tries = (uint8_t)mem_min_u64(range->why.tries + 1u, UINT8_MAX);
	return session_mark(s, lba, 1, state, &why);
}

/* Once over all that is bad, from the other side each time. */
static int retry_round(struct session *s, bool backward)
{
	const unsigned int mask = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);
	uint64_t lba = backward ? s->end : s->begin;
	struct block_range range;

	while (backward ? session_prev(s, lba, mask, &range) : session_next(s, lba, mask, &range)) {
		uint64_t here = backward ? range.lba + range.n - 1 : range.lba;

		if (retry_sector(s, &range, here) < 0)
			return -1;
		lba = backward ? here : here + 1;
	}
	return 0;
}

int pass_retry(struct session *s)
{
	for (unsigned int round = 0; round < s->options->retries; round++) {
		if (retry_round(s, round % 2 == 0) < 0)
			return -1;
	}
	return 0;
}
