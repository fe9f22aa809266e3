/* SPDX-License-Identifier: BSD-2-Clause */
/* Is it these sectors that fail, or the drive: see health.h. */
#include "capture/health.h"

#include <stdlib.h>

#include "base/mem.h"
#include "capture/plain.h"
#include "scsi/scsi.h"

#define FAILURES_IN_A_ROW 8
#define CANARIES	  3

/* Canaries lie far apart, and none is read twice in a row: the drive may have it in its cache. */
#define CANARY_STRIDE 8191

void health_begin(struct health *health, struct source *source)
{
	*health = (struct health){.source = source};
}

void health_end(struct health *health)
{
	free(health->before);
	health->before = NULL;
}

/* Is the state of LBA before the doubt known already?  *END becomes where that ceases to be so, or
 * begins to be, when that comes first. */
static bool is_remembered(const struct health *health, uint64_t lba, uint64_t *end)
{
	for (size_t i = 0; i < health->n_before; i++) {
		const struct block_range *old = &health->before[i];

		if (lba >= old->lba && lba - old->lba < old->n) {
			*end = mem_min_u64(*end, old->lba + old->n);
			return true;
		}
		if (old->lba > lba)
			*end = mem_min_u64(*end, old->lba);
	}
	return false;
}

/* A sector that is marked twice while it is in doubt goes back to what it was at first. */
static int remember_state(struct health *health, uint64_t lba, uint64_t n)
{
	const struct blockmap *map = health->source->sink->map;
	uint64_t last = mem_min_u64(lba + n, blockmap_blocks(map));

	while (lba < last) {
		struct block_range range = blockmap_at(map, lba);
		uint64_t end = mem_min_u64(range.lba + range.n, last);

		if (is_remembered(health, lba, &end)) {
			lba = end;
			continue;
		}
		range.n = end - lba;
		range.lba = lba;
		if (mem_grow(&health->before, health->n_before, &health->room_before,
			    sizeof(range)) < 0) {
			err_memory(health->source->err, "while marking sectors");
			return source_end(health->source, CAPTURE_FAILED);
		}
		health->before[health->n_before++] = range;
		lba += range.n;
	}
	return 0;
}

int health_mark(struct health *health, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why)
{
	struct source *source = health->source;

	if (n == 0)
		return 0;
	if (remember_state(health, lba, n) < 0)
		return -1;
	if (source->sink->ops->mark(source->sink, lba, n, state, why, source->err) < 0)
		return source_end(source, CAPTURE_FAILED);
	return 0;
}

void health_tell(struct health *health)
{
	const struct block_range *area = &health->area;
	char text[SCSI_REASON_TEXT];
	struct capture_notice notice = {
		.kind = NOTICE_UNREADABLE,
		.lba = area->lba,
		.n = area->n,
		.state = area->state,
		.text = scsi_reason_text(&area->why, text, sizeof(text)),
	};

	if (area->n > 0)
		source_tell(health->source, &notice);
	health->area.n = 0;
}

static bool is_same_reason(const struct block_reason *a, const struct block_reason *b)
{
	return a->outcome == b->outcome && a->status == b->status && a->sense_key == b->sense_key &&
	       a->asc == b->asc && a->ascq == b->ascq && a->error == b->error;
}

static void gather(struct health *health, const struct block_range *range)
{
	struct block_range *area = &health->area;

	if (area->n > 0 && area->lba + area->n == range->lba &&
		is_same_reason(&area->why, &range->why)) {
		area->n += range->n;
		return;
	}
	health_tell(health);
	*area = *range;
}

/* Those of the sectors FROM … END-1 that are bad now. */
static void gather_bad(struct health *health, uint64_t from, uint64_t end)
{
	const struct blockmap *map = health->source->sink->map;
	struct block_range range;

	for (uint64_t lba = from;
		blockmap_next(map, lba, BLOCK_MASK(BLOCK_BAD), &range) && range.lba < end;
		lba = range.lba + range.n) {
		range.n = mem_min_u64(range.n, end - range.lba);
		gather(health, &range);
	}
}

static int compare_places(const void *va, const void *vb)
{
	const struct block_range *a = va, *b = vb;

	return a->lba < b->lba ? -1 : a->lba > b->lba;
}

/* Sectors may have been marked several times, as failed and then as bad: each is told once.  A bad
 * sector that was tried once more in vain is no news. */
void health_good(struct health *health)
{
	uint64_t told = 0; /* up to here */

	if (health->n_before > 0)
		qsort(health->before, health->n_before, sizeof(*health->before), compare_places);
	for (size_t i = 0; i < health->n_before; i++) {
		const struct block_range *old = &health->before[i];

		if (old->state == BLOCK_BAD)
			continue;
		gather_bad(health, mem_max_u64(old->lba, told), old->lba + old->n);
		told = mem_max_u64(told, old->lba + old->n);
	}
	health->failures = 0;
	health->n_before = 0;
}

/* The part of OLD that has become bad since: it failed, and that is all that is known. */
static int leave_failed(const struct health *health, const struct block_range *old)
{
	const struct source *source = health->source;
	uint64_t end = old->lba + old->n;
	struct block_range bad;

	for (uint64_t lba = old->lba;
		blockmap_next(source->sink->map, lba, BLOCK_MASK(BLOCK_BAD), &bad) && bad.lba < end;
		lba = bad.lba + bad.n) {
		bad.n = mem_min_u64(bad.n, end - bad.lba);
		if (source->sink->ops->mark(
			    source->sink, bad.lba, bad.n, BLOCK_FAILED, &bad.why, source->err) < 0)
			return -1;
	}
	return 0;
}

int health_leave(struct health *health)
{
	if (!health_is_in_doubt(health))
		return 0;
	for (size_t i = 0; i < health->n_before; i++) {
		if (health->before[i].state != BLOCK_BAD &&
			leave_failed(health, &health->before[i]) < 0)
			return source_end(health->source, CAPTURE_FAILED);
	}
	return 0;
}

int health_take_back(struct health *health)
{
	struct source *source = health->source;

	health->failures = 0;
	while (health->n_before > 0) {
		const struct block_range *old = &health->before[--health->n_before];

		if (source->sink->ops->mark(
			    source->sink, old->lba, old->n, old->state, &old->why, source->err) < 0)
			return source_end(source, CAPTURE_FAILED);
	}
	return 0;
}

/* A good sector about half the drive away from LBA, another one each time. */
static bool canary_for(struct health *health, uint64_t lba, uint64_t *canary)
{
	const struct blockmap *map = health->source->sink->map;
	uint64_t all = blockmap_blocks(map);
	uint64_t from = (lba + all / 2 + (uint64_t)health->checks * CANARY_STRIDE) % all;
	struct block_range range;

	health->checks++;
	if (!blockmap_next(map, from, BLOCK_HAVE, &range) &&
		!blockmap_next(map, 0, BLOCK_HAVE, &range))
		return false;
	*canary = range.lba;
	return true;
}

/* Sets *DEAD when no sector that is known to be good can be read either. */
static void look_for_life(struct health *health, uint64_t lba, bool *dead)
{
	const struct source *source = health->source;

	for (unsigned int i = 0; i < CANARIES; i++) {
		enum outcome outcome;
		uint64_t canary;

		if (!canary_for(health, lba, &canary)) {
			/* Nothing is known to be good.  A drive that itself says of one sector
			 * after the other that its medium is bad there is alive; a host's read
			 * error says nothing of the kind. */
			if (health->last.verdict != VERDICT_MEDIUM || !health->last.by_sense)
				break;
			health_good(health);
			return;
		}
		if (plain_read(
			    source->device, canary, source->timeout_ms, source->block, &outcome)) {
			health_good(health);
			return;
		}
		if (outcome == OUTCOME_GONE || source_stopped(source))
			break;
	}
	*dead = true;
}

void health_failed(struct health *health, uint64_t lba, const struct judged *judged, bool *dead)
{
	*dead = false;
	health->last = *judged;
	health->last_lba = lba;
	if (++health->failures >= FAILURES_IN_A_ROW)
		look_for_life(health, lba, dead);
}

void health_settle(struct health *health, bool *dead)
{
	*dead = false;
	if (health_is_in_doubt(health))
		look_for_life(health, health->last_lba, dead);
}
