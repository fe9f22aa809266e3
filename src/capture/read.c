/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One READ: into the sink's buffer, sent again where that costs no try, judged, committed when it
 * was good.  What to read next is decided elsewhere.
 */
#include "capture/session.h"

#include "base/mem.h"
#include "scsi/scsi.h"

#include <inttypes.h>
#include <stdio.h>

/* How often one READ is sent again before that counts as trouble. */
#define AGAIN_LIMIT		    20
#define READY_WAIT_MS		    30000
#define BUSY_PAUSE_MS		    50
#define ASC_MEDIUM_MAY_HAVE_CHANGED 0x28
#define ASC_PARAMETERS_CHANGED	    0x2a

/* So many reads in a row must have gone well before it is read ahead. */
#define SMOOTH 4

uint32_t read_clip(const struct session *s, uint64_t lba, uint64_t n)
{
	uint64_t slot_left = s->sink->slot_blocks - lba % s->sink->slot_blocks;

	return (uint32_t)mem_min_u64(mem_min_u64(n, slot_left), s->max_blocks);
}

uint32_t read_clip_back(const struct session *s, uint64_t end, uint64_t n)
{
	uint64_t in_slot = (end - 1) % s->sink->slot_blocks + 1;

	return (uint32_t)mem_min_u64(mem_min_u64(n, in_slot), s->max_blocks);
}

static int note_resets(struct session *s, uint32_t epoch)
{
	char text[64];

	if (epoch <= s->resets)
		return 0;
	s->resets = epoch;
	snprintf(text, sizeof(text), "the drive was reset (%u so far)", epoch);
	return journal_note(s, "reset", text);
}

/* What it says of its size now.  -1 when that is another. */
static int check_capacity(struct session *s)
{
	const struct capacity *then = &s->device->capacity;
	struct capacity now;

	if (scsi_capacity(s->device->transport, &now, NULL, NULL) != 0 ||
		(now.n_blocks == then->n_blocks && now.block_bytes == then->block_bytes))
		return 0;
	return err_set(s->err, ERR_IDENTITY,
		"the capacity of %s has changed from %" PRIu64 " sectors of %u bytes to %" PRIu64
		" of %u: another medium is in it, or it has broken",
		s->device->name, then->n_blocks, then->block_bytes, now.n_blocks, now.block_bytes);
}

/* The drive says that another medium may be in it: it must be the one of the image. */
static int check_medium(struct session *s)
{
	unsigned int compared;

	if (check_capacity(s) < 0)
		return session_end(s, CAPTURE_FAILED);
	/* A mounted file system may write to what was read. */
	if (s->sink->in_order || s->device->drive.mounted_rw)
		return 0;
	if (identity_sample(s->device, s->sink, &compared, s->err) < 0) {
		err_prefix(s->err, "the drive says that its medium may have changed: ");
		return session_end(s, CAPTURE_FAILED);
	}
	return 0;
}

/* The sectors that were asked for when it left are put off, not blamed: should they be what makes
 * it leave, the next session begins elsewhere. */
static int end_gone(struct session *s, uint64_t lba, uint32_t n, const struct block_reason *why)
{
	struct block_range range;

	err_set(s->err, ERR_GONE, "%s left the bus or does not answer any more%s", s->device->name,
		session_advice(s));
	if (health_take_back(s) < 0)
		return -1;
	range = blockmap_at(s->sink->map, lba);
	if (range.state == BLOCK_UNTRIED &&
		session_mark(
			s, lba, mem_min_u64(n, range.lba + range.n - lba), BLOCK_SKIPPED, why) < 0)
		return -1;
	return session_end(s, CAPTURE_FAILED);
}

static enum verdict wait_ready(struct session *s)
{
	struct err err = {.kind = ERR_NONE};

	if (scsi_wait_ready(s->device->transport, deadline_in_ms(READY_WAIT_MS), &err) == 0)
		return VERDICT_AGAIN;
	if (err.kind == ERR_NO_MEDIUM)
		return VERDICT_NO_MEDIUM;
	return err.kind == ERR_GONE ? VERDICT_GONE : VERDICT_TROUBLE;
}

/* What must happen before a READ is sent again.  1: it is not sent again, the verdict stands. */
static int prepare_again(struct session *s, struct judged *judged, unsigned int sent)
{
	if (session_stopped(s))
		return session_end(s, CAPTURE_STOPPED);
	if (sent >= AGAIN_LIMIT) {
		judged->verdict = VERDICT_TROUBLE;
		return 1;
	}
	if (judged->verdict == VERDICT_NOT_READY) {
		judged->verdict = wait_ready(s);
		return judged->verdict == VERDICT_AGAIN ? 0 : 1;
	}
	if (judged->why.status != SCSI_STATUS_GOOD &&
		judged->why.status != SCSI_STATUS_CHECK_CONDITION)
		clock_sleep_ms(BUSY_PAUSE_MS);
	if (judged->why.sense_key == SENSE_UNIT_ATTENTION &&
		(judged->why.asc == ASC_MEDIUM_MAY_HAVE_CHANGED ||
			judged->why.asc == ASC_PARAMETERS_CHANGED))
		return check_medium(s);
	return 0;
}

void session_ahead(struct session *s, uint64_t lba, uint64_t end)
{
	uint64_t next = mem_max_u64(lba, ahead_end(s->ahead));

	if (s->good_in_a_row < SMOOTH)
		return;
	while (next < end && ahead_has_room(s->ahead)) {
		uint32_t n = read_clip(s, next, end - next);

		ahead_plan(s->ahead, next, n);
		next += n;
	}
}

/* One READ, or the answer to the one that was begun ahead.  After one that did not go well nothing
 * else is under way. */
static void read_once(struct session *s, uint64_t lba, uint32_t n, void *data, struct reply *reply,
	uint64_t *took_ns, struct err *err)
{
	uint64_t began;

	*err = (struct err){.kind = ERR_NONE};
	if (ahead_take(s->ahead, lba, n, data, reply, took_ns, err))
		return;
	began = clock_now_ns();
	scsi_read(s->device->transport, lba, n, s->block_bytes, data, deadline_in_ms(s->timeout_ms),
		reply, err);
	*took_ns = clock_now_ns() - began;
}

/* Sends the READ into DATA until its reply says something of the sectors. */
static int exchange(struct session *s, uint64_t lba, uint32_t n, void *data, struct reply *reply,
	struct judged *judged, uint64_t *took_ns, struct err *err)
{
	for (unsigned int sent = 1;; sent++) {
		int more;

		read_once(s, lba, n, data, reply, took_ns, err);
		*judged = judge_read(reply, lba, n, s->block_bytes);
		if (judged->verdict != VERDICT_GOOD) {
			s->good_in_a_row = 0;
			ahead_drain(s->ahead);
		}
		if (note_resets(s, reply->reset_epoch) < 0)
			return -1;
		if (judged->verdict != VERDICT_AGAIN && judged->verdict != VERDICT_NOT_READY)
			return 0;
		more = prepare_again(s, judged, sent);
		if (more != 0)
			return more < 0 ? -1 : 0;
	}
}

static int commit_part(struct session *s, uint64_t lba, uint32_t n, enum block_state state,
	const struct block_reason *why)
{
	if (n > 0 && s->sink->ops->commit(s->sink, lba, n, state, why, s->err) < 0)
		return session_end(s, CAPTURE_FAILED);
	return 0;
}

/* When the sense data names the recovered sector, its neighbours are plainly good. */
static int commit(struct session *s, uint64_t lba, const struct judged *judged)
{
	uint32_t before;

	health_good(s);
	s->good_in_a_row++;
	s->read_bytes += (uint64_t)judged->n * s->block_bytes;
	if (judged->verdict == VERDICT_GOOD)
		return commit_part(s, lba, judged->n, BLOCK_GOOD, NULL);
	if (!judged->named)
		return commit_part(s, lba, judged->n, BLOCK_RECOVERED, &judged->why);
	before = (uint32_t)(judged->lba - lba);
	if (commit_part(s, lba, before, BLOCK_GOOD, NULL) < 0 ||
		commit_part(s, judged->lba, 1, BLOCK_RECOVERED, &judged->why) < 0)
		return -1;
	return commit_part(s, judged->lba + 1, judged->n - before - 1, BLOCK_GOOD, NULL);
}

static void reason_text(const struct reply *reply, const struct err *err, char *out, size_t room)
{
	if (reply->outcome == OUTCOME_DONE)
		scsi_reply_text(reply, out, room);
	else if (err->kind != ERR_NONE)
		snprintf(out, room, "%s: %.120s", outcome_name(reply->outcome), err->text);
	else
		snprintf(out, room, "%s", outcome_name(reply->outcome));
}

static int failed(
	struct session *s, uint64_t lba, uint32_t n, const struct judged *judged, const char *text)
{
	if (judged->out_of_range && !s->told_out_of_range) {
		char notice[160];

		s->told_out_of_range = true;
		if (check_capacity(s) < 0)
			return session_end(s, CAPTURE_FAILED);
		snprintf(notice, sizeof(notice),
			"the drive has no LBA %" PRIu64 " although it claims %" PRIu64
			" sectors: its capacity is "
			"wrong",
			lba, s->device->capacity.n_blocks);
		if (journal_note(s, "capacity", notice) < 0)
			return -1;
	}
	if (journal_error(s, lba, n, text) < 0)
		return -1;
	return health_failed(s, lba, judged, text);
}

/* Our side could not send it: perhaps it was too large (usbfs memory, a host adapter's limit). */
static int not_sent(
	struct session *s, uint64_t lba, uint32_t n, struct judged *judged, const struct err *cause)
{
	if (n == 1) {
		if (s->err)
			*s->err = *cause;
		err_prefix(s->err, "reading LBA %" PRIu64 ": ", lba);
		return session_end(s, CAPTURE_FAILED);
	}
	s->max_blocks = n / 2;
	*judged = (struct judged){.verdict = VERDICT_GOOD, .n = 0};
	return 0;
}

static int conclude(struct session *s, uint64_t lba, uint32_t n, const struct reply *reply,
	struct judged *judged, const struct err *err)
{
	char text[REASON_TEXT];

	switch (judged->verdict) {
	case VERDICT_GOOD:
	case VERDICT_RECOVERED:
		return commit(s, lba, judged);
	case VERDICT_NOT_SENT:
		return not_sent(s, lba, n, judged, err);
	case VERDICT_GONE:
		if (s->options->reconnect_ms == 0)
			return end_gone(s, lba, n, &judged->why);
		/* Back again: these sectors are one failure the worse for it. */
		if (session_gone(s, lba) < 0)
			return -1;
		judged->verdict = VERDICT_TROUBLE;
		return failed(
			s, lba, n, judged, "the drive left the bus or did not answer any more");
	case VERDICT_NO_MEDIUM:
		err_set(s->err, ERR_NO_MEDIUM, "%s has no medium any more", s->device->name);
		if (health_take_back(s) < 0)
			return -1;
		return session_end(s, CAPTURE_FAILED);
	default:
		reason_text(reply, err, text, sizeof(text));
		return failed(s, lba, n, judged, text);
	}
}

/* One READ into DATA, the sink's room for these sectors, and what it leads to. */
static int read_into(struct session *s, uint64_t lba, uint32_t n, void *data, struct judged *judged,
	uint64_t *took_ns)
{
	struct reply reply = {.outcome = OUTCOME_NOT_SENT};
	struct err err = {.kind = ERR_NONE};
	uint64_t took;

	if (exchange(s, lba, n, data, &reply, judged, &took, &err) < 0)
		return -1;
	if (took_ns)
		*took_ns = took;
	return conclude(s, lba, n, &reply, judged, &err);
}

int session_read(
	struct session *s, uint64_t lba, uint32_t n, struct judged *judged, uint64_t *took_ns)
{
	void *data;
	int r;

	if (session_stopped(s))
		return session_end(s, CAPTURE_STOPPED);
	s->position = lba;
	data = s->sink->ops->reserve(s->sink, lba, n, s->err);
	if (!data)
		return session_end(s, CAPTURE_FAILED);
	r = read_into(s, lba, n, data, judged, took_ns);
	if (s->sink->ops->release(s->sink, lba, n, r < 0 ? NULL : s->err) < 0 && r == 0)
		return session_end(s, CAPTURE_FAILED);
	return r < 0 ? r : progress_tick(s, false);
}

int session_mark(struct session *s, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why)
{
	if (n == 0)
		return 0;
	if (health_remember(s, lba, n) < 0)
		return -1;
	if (s->sink->ops->mark(s->sink, lba, n, state, why, s->err) < 0)
		return session_end(s, CAPTURE_FAILED);
	return 0;
}

bool read_plain(struct device *device, uint64_t lba, unsigned int timeout_ms, void *data,
	enum outcome *outcome)
{
	uint32_t block_bytes = device->capacity.block_bytes;

	for (unsigned int sent = 0; sent < AGAIN_LIMIT; sent++) {
		struct reply reply = {.outcome = OUTCOME_NOT_SENT};
		struct judged judged;

		scsi_read(device->transport, lba, 1, block_bytes, data, deadline_in_ms(timeout_ms),
			&reply, NULL);
		*outcome = reply.outcome;
		judged = judge_read(&reply, lba, 1, block_bytes);
		if (judged.verdict == VERDICT_NOT_READY)
			scsi_wait_ready(device->transport, deadline_in_ms(READY_WAIT_MS), NULL);
		else if (judged.verdict != VERDICT_AGAIN)
			return judged.verdict == VERDICT_GOOD ||
			       judged.verdict == VERDICT_RECOVERED;
	}
	return false;
}
