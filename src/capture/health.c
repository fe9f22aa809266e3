/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is it these sectors that fail, or the drive?  After some failures in a row sectors known good,
 * far from here, are read again.  When they fail as well, the drive is dead: what was marked since
 * the last good read is taken back, so that the remainder of a dead drive does not turn bad.
 */
#include "capture/session.h"

#include "base/mem.h"

#define FAILURES_IN_A_ROW 8
#define CANARIES	  3

/* Far apart, and never the same ones twice in a row, which the drive may have in its cache. */
#define CANARY_STRIDE 8191

static void forget(struct session *s)
{
	s->health.failures = 0;
	s->health.n_before = 0;
}

void health_good(struct session *s)
{
	forget(s);
}

int health_remember(struct session *s, uint64_t lba, uint64_t n)
{
	struct health *h = &s->health;
	uint64_t end = mem_min_u64(lba + n, blockmap_blocks(s->sink->map));

	while (lba < end) {
		struct block_range range = blockmap_at(s->sink->map, lba);

		range.n = mem_min_u64(range.lba + range.n, end) - lba;
		range.lba = lba;
		if (mem_grow(&h->before, h->n_before, &h->room_before, sizeof(range)) < 0) {
			err_memory(s->err, "while marking sectors");
			return session_end(s, CAPTURE_FAILED);
		}
		h->before[h->n_before++] = range;
		lba += range.n;
	}
	return 0;
}

int health_take_back(struct session *s)
{
	struct health *h = &s->health;

	while (h->n_before > 0) {
		const struct block_range *old = &h->before[--h->n_before];

		if (s->sink->ops->mark(s->sink, old->lba, old->n, old->state, &old->why, s->err) <
			0)
			return session_end(s, CAPTURE_FAILED);
	}
	return 0;
}

/* A good sector about half the drive away from LBA, another one each time. */
static bool canary_for(struct session *s, uint64_t lba, uint64_t *canary)
{
	uint64_t all = blockmap_blocks(s->sink->map);
	uint64_t from = (lba + all / 2 + (uint64_t)s->health.checks * CANARY_STRIDE) % all;
	struct block_range range;

	s->health.checks++;
	if (!blockmap_next(s->sink->map, from, BLOCK_HAVE, &range) &&
		!blockmap_next(s->sink->map, 0, BLOCK_HAVE, &range))
		return false;
	*canary = range.lba;
	return true;
}

static int drive_is_dead(struct session *s, const char *text)
{
	if (s->options->reconnect_ms > 0) {
		if (health_take_back(s) < 0 || session_dead(s, text) < 0)
			return -1;
		forget(s);
		return 0;
	}
	err_set(s->err, ERR_GONE,
		"%s does not read any more, not even where it did before (%s); what failed since "
		"its last good read is not held against its sectors%s",
		s->device->name, text, session_advice(s));
	if (health_take_back(s) < 0)
		return -1;
	return session_end(s, CAPTURE_FAILED);
}

int health_failed(struct session *s, uint64_t lba, const struct judged *judged, const char *text)
{
	if (++s->health.failures < FAILURES_IN_A_ROW)
		return 0;
	for (unsigned int i = 0; i < CANARIES; i++) {
		enum outcome outcome;
		uint64_t canary;

		if (!canary_for(s, lba, &canary)) {
			/* Nothing is known good.  A drive that speaks of its medium is alive. */
			if (judged->verdict != VERDICT_MEDIUM)
				break;
			forget(s);
			return 0;
		}
		if (read_plain(s->device, canary, s->timeout_ms, s->block, &outcome)) {
			forget(s);
			return 0;
		}
		if (outcome == OUTCOME_GONE || session_stopped(s))
			break;
	}
	return drive_is_dead(s, text);
}
