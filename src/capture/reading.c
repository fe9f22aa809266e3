/* SPDX-License-Identifier: BSD-2-Clause */
/* One READ with all that may come between: see reading.h. */
#include "capture/reading.h"

#include "base/mem.h"
#include "capture/failure.h"
#include "capture/plain.h"
#include "scsi/scsi.h"

#include <inttypes.h>
#include <stdio.h>

#define READ_BYTES	(1024 * 1024)
#define READ_BYTES_FILE (4 * 1024 * 1024)

/* So many READs in a row must have gone well before it is read ahead. */
#define SMOOTH 4

/* --- beginning and end --- */

int reading_begin(struct reading *reading, struct source *source, struct keep *keep)
{
	const struct device *device = source->device;
	uint64_t most = device->route == ROUTE_FILE ? READ_BYTES_FILE : READ_BYTES;

	*reading = (struct reading){.source = source, .keep = keep};
	most = mem_min_u64(most, device->transport->max_transfer_bytes);
	reading->max_blocks = (uint32_t)mem_max_u64(most / source->block_bytes, 1);
	health_begin(&reading->health, source);
	lost_begin(&reading->lost, source, keep);
	medium_begin(&reading->medium, source);
	if (device->transport->depth == 0)
		return 0;
	reading->ahead = ahead_new(source, source->err);
	return reading->ahead ? 0 : source_end(source, CAPTURE_FAILED);
}

void reading_end(struct reading *reading)
{
	ahead_free(reading->ahead);
	health_end(&reading->health);
	medium_end(&reading->medium);
	reading->ahead = NULL;
}

uint32_t reading_clip(const struct reading *reading, uint64_t lba, uint64_t n)
{
	const struct capture_sink *sink = reading->source->sink;
	uint64_t slot_left = sink->slot_blocks - lba % sink->slot_blocks;

	return (uint32_t)mem_min_u64(mem_min_u64(n, slot_left), reading->max_blocks);
}

uint32_t reading_clip_back(const struct reading *reading, uint64_t end, uint64_t n)
{
	uint64_t in_slot = (end - 1) % reading->source->sink->slot_blocks + 1;

	return (uint32_t)mem_min_u64(mem_min_u64(n, in_slot), reading->max_blocks);
}

int reading_mark(struct reading *reading, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why)
{
	return health_mark(&reading->health, lba, n, state, why);
}

/* --- READs ahead, and places in the sink --- */

/* Nothing else is under way after this. */
static int reading_drain(struct reading *reading)
{
	if (ahead_drain(reading->ahead, reading->source->err) < 0)
		return source_end(reading->source, CAPTURE_FAILED);
	return 0;
}

int reading_ahead(struct reading *reading, uint64_t lba, uint64_t end)
{
	if (!reading->ahead || reading->good_in_a_row < SMOOTH)
		return 0;
	if (ahead_plan(reading->ahead, lba, end, reading->max_blocks, reading->source->err) < 0)
		return source_end(reading->source, CAPTURE_FAILED);
	return 0;
}

/* The answer to the READ of N sectors at LBA: to the one that was begun ahead, or to one that is
 * sent now.  PLACE is reserved from then on. */
static int first_answer(struct reading *reading, uint64_t lba, uint32_t n, struct answer *answer,
	struct place *place)
{
	struct source *source = reading->source;
	struct capture_sink *sink = source->sink;

	*place = (struct place){.lba = lba, .n = n};
	if (reading->ahead) {
		if (ahead_take(reading->ahead, lba, n, answer, place, source->err) < 0)
			return source_end(source, CAPTURE_FAILED);
		if (place->data)
			return 0;
		*place = (struct place){.lba = lba, .n = n};
	}
	place->data = sink->ops->reserve(sink, lba, n, source->err);
	if (!place->data)
		return source_end(source, CAPTURE_FAILED);
	ahead_read_now(source, place, answer);
	return 0;
}

static int reading_release(
	const struct reading *reading, const struct place *place, struct err *err)
{
	struct capture_sink *sink = reading->source->sink;

	return place->data ? sink->ops->release(sink, place->lba, place->n, err) : 0;
}

/* --- sending again what costs no try --- */

static void note_resets(struct reading *reading, uint32_t epoch)
{
	uint32_t *told = &reading->source->device->reset_epoch;

	if (epoch <= *told)
		return;
	reading->resets += epoch - *told;
	*told = epoch;
	source_say(reading->source, NOTICE_RESET, reading->keep->position,
		"the drive was reset (%u so far)", reading->resets);
}

static enum verdict wait_ready(struct reading *reading)
{
	struct err err = {.kind = ERR_NONE};

	if (scsi_wait_ready(
		    reading->source->device->transport, deadline_in_ms(PLAIN_READY_MS), &err) == 0)
		return VERDICT_AGAIN;
	if (err.kind == ERR_NO_MEDIUM)
		return VERDICT_NO_MEDIUM;
	return err.kind == ERR_GONE ? VERDICT_GONE : VERDICT_TROUBLE;
}

/* Nothing of another medium may get into the image.  When the drive leaves while that is looked
 * at, its last answer counts for nothing. */
static int check_medium(struct reading *reading, uint64_t lba, struct judged *judged)
{
	int r;

	if (!medium_is_in_doubt(&reading->medium))
		return 0;
	if (reading_drain(reading) < 0)
		return -1;
	r = medium_check(&reading->medium, lba);
	if (r > 0)
		*judged = (struct judged){
			.verdict = VERDICT_GONE,
			.why = {.outcome = BLOCK_OUTCOME_GONE, .tries = 1},
		};
	return r;
}

/* What must happen before a READ is sent again.  1: it is not sent again, the verdict stands. */
static int prepare_again(
	struct reading *reading, uint64_t lba, struct judged *judged, unsigned int sent)
{
	if (source_stopped(reading->source))
		return source_end(reading->source, CAPTURE_STOPPED);
	if (sent >= PLAIN_AGAIN_LIMIT) {
		judged->verdict = VERDICT_TROUBLE;
		return 1;
	}
	if (judged->verdict == VERDICT_NOT_READY) {
		judged->verdict = wait_ready(reading);
		if (judged->verdict != VERDICT_AGAIN)
			return 1;
	} else {
		plain_pause(judged);
	}
	return check_medium(reading, lba, judged);
}

/* Sends the READ until its reply says something of the sectors. */
static int reading_exchange(struct reading *reading, uint64_t lba, uint32_t n,
	struct answer *answer, struct place *place, struct judged *judged)
{
	if (first_answer(reading, lba, n, answer, place) < 0)
		return -1;
	for (unsigned int sent = 1;; sent++) {
		int more;

		*judged = judge_read(&answer->reply, lba, n, reading->source->block_bytes);
		if (judged->verdict != VERDICT_GOOD) {
			reading->good_in_a_row = 0;
			keep_trouble(reading->keep);
			if (reading_drain(reading) < 0)
				return -1;
		}
		note_resets(reading, answer->reply.reset_epoch);
		if (judged->verdict != VERDICT_AGAIN && judged->verdict != VERDICT_NOT_READY)
			return 0;
		more = prepare_again(reading, lba, judged, sent);
		if (more != 0)
			return more < 0 ? -1 : 0;
		ahead_read_now(reading->source, place, answer);
	}
}

/* --- what came of it --- */

static int commit_part(struct reading *reading, uint64_t lba, uint32_t n, enum block_state state,
	const struct block_reason *why)
{
	struct source *source = reading->source;

	if (n > 0 && source->sink->ops->commit(source->sink, lba, n, state, why, source->err) < 0)
		return source_end(source, CAPTURE_FAILED);
	return 0;
}

/* When the sense data names the recovered sector, its neighbours are plainly good. */
static int commit_recovered(struct reading *reading, uint64_t lba, const struct judged *judged)
{
	uint32_t before = (uint32_t)(judged->lba - lba);

	if (!judged->named)
		return commit_part(reading, lba, judged->n, BLOCK_RECOVERED, &judged->why);
	if (commit_part(reading, lba, before, BLOCK_GOOD, NULL) < 0 ||
		commit_part(reading, judged->lba, 1, BLOCK_RECOVERED, &judged->why) < 0)
		return -1;
	return commit_part(reading, judged->lba + 1, judged->n - before - 1, BLOCK_GOOD, NULL);
}

static int reading_commit(
	struct reading *reading, const struct place *place, const struct judged *judged)
{
	uint64_t bytes = (uint64_t)judged->n * reading->source->block_bytes;

	health_good(&reading->health);
	reading->good_in_a_row++;
	reading->read_bytes += bytes;
	medium_remember(&reading->medium, place->lba, judged->n, place->data);
	keep_good(reading->keep, bytes);
	if (judged->verdict == VERDICT_GOOD)
		return commit_part(reading, place->lba, judged->n, BLOCK_GOOD, NULL);
	return commit_recovered(reading, place->lba, judged);
}

static bool reading_went_well(const struct judged *judged)
{
	return judged->verdict == VERDICT_GOOD || judged->verdict == VERDICT_RECOVERED;
}

static int reading_conclude(struct reading *reading, const struct place *place,
	const struct answer *answer, struct judged *judged)
{
	if (reading_went_well(judged) && check_medium(reading, place->lba, judged) < 0)
		return -1;
	if (!reading_went_well(judged))
		return failure_conclude(reading, place, answer, judged);
	judged->slow = pace_is_slow(&reading->pace,
		(uint64_t)judged->n * reading->source->block_bytes, answer->took_ns);
	if (judged->slow)
		keep_trouble(reading->keep);
	return reading_commit(reading, place, judged);
}

static void tell_read(const struct reading *reading, const struct judged *judged)
{
	struct capture_notice notice = {
		.kind = NOTICE_READ,
		.bytes = reading_went_well(judged)
				 ? (uint64_t)judged->n * reading->source->block_bytes
				 : 0,
	};

	source_tell(reading->source, &notice);
}

int reading_read(struct reading *reading, uint64_t lba, uint32_t n, struct judged *judged)
{
	struct source *source = reading->source;
	struct capture_notice notice = {
		.kind = NOTICE_READING, .lba = lba, .n = n, .limit_ms = source->timeout_ms};
	struct answer answer;
	struct place place = {.data = NULL};
	int r;

	if (source_stopped(source))
		return source_end(source, CAPTURE_STOPPED);
	reading->keep->position = lba;
	source_tell(source, &notice);
	r = reading_exchange(reading, lba, n, &answer, &place, judged);
	if (r == 0)
		r = reading_conclude(reading, &place, &answer, judged);
	if (r < 0) {
		/* Why the session ends is known: what comes now is not to hide it. */
		reading_release(reading, &place, NULL);
		return -1;
	}
	if (reading_release(reading, &place, source->err) < 0)
		return source_end(source, CAPTURE_FAILED);
	tell_read(reading, judged);
	return keep_tick(reading->keep);
}
