/* SPDX-License-Identifier: BSD-2-Clause */
/* A READ that did not go well: see failure.h. */
#include "capture/failure.h"

#include "base/mem.h"
#include "scsi/scsi.h"

#include <inttypes.h>
#include <stdio.h>

static void failure_text(const struct answer *answer, char *out, size_t room)
{
	const struct reply *reply = &answer->reply;

	if (reply->outcome == OUTCOME_DONE)
		scsi_reply_text(reply, out, room);
	else if (answer->err.kind != ERR_NONE)
		snprintf(out, room, "%s: %.120s", outcome_name(reply->outcome), answer->err.text);
	else
		snprintf(out, room, "%s", outcome_name(reply->outcome));
}

static int end_dead(struct reading *reading, const char *text)
{
	struct source *source = reading->source;
	const char *name = source->device->name;
	struct block_range range;

	if (blockmap_next(source->sink->map, 0, BLOCK_HAVE, &range))
		err_set(source->err, ERR_GONE,
			"%s does not read any more, not even where it did before (%s); what failed "
			"since its last good read is not held against its sectors%s",
			name, text, source_advice(source));
	else
		err_set(source->err, ERR_GONE,
			"%s does not read: not one of its sectors could be read so far (%s), which "
			"says nothing of single sectors%s",
			name, text, source_advice(source));
	if (health_take_back(&reading->health) < 0)
		return -1;
	return source_end(source, CAPTURE_FAILED);
}

static int drive_is_dead(
	struct reading *reading, uint64_t lba, struct judged *judged, const char *text)
{
	if (reading->source->options->reconnect_ms == 0)
		return end_dead(reading, text);
	if (health_take_back(&reading->health) < 0 || lost_dead(&reading->lost, lba, text) < 0)
		return -1;
	medium_recognised(&reading->medium);
	/* What a dead drive said of its medium counts for nothing. */
	judged->verdict = VERDICT_TROUBLE;
	return 0;
}

/* The drive says that it has no such LBA. */
static int check_range(struct reading *reading, uint64_t lba)
{
	struct source *source = reading->source;

	if (reading->told_out_of_range)
		return 0;
	reading->told_out_of_range = true;
	if (medium_check_capacity(source) < 0)
		return source_end(source, CAPTURE_FAILED);
	source_say(source, NOTICE_CAPACITY, lba,
		"the drive has no LBA %" PRIu64 " although it claims %" PRIu64
		" sectors: its capacity is wrong",
		lba, source->device->capacity.n_blocks);
	return 0;
}

static int failure_of_sectors(
	struct reading *reading, uint64_t lba, uint32_t n, struct judged *judged, const char *text)
{
	struct capture_notice notice = {
		.kind = NOTICE_READ_FAILED, .lba = lba, .n = n, .text = text};
	bool dead;

	reading->failed_reads++;
	if (judged->out_of_range && check_range(reading, lba) < 0)
		return -1;
	source_tell(reading->source, &notice);
	health_failed(&reading->health, lba, judged, &dead);
	return dead ? drive_is_dead(reading, lba, judged, text) : 0;
}

/* The sectors that were asked for when it left are put off, not blamed: should they be what makes
 * it leave, the next session begins elsewhere.  That it is gone is what the session ends with,
 * whatever comes of this. */
static int put_off(
	struct reading *reading, uint64_t lba, uint32_t n, const struct block_reason *why)
{
	const struct source *source = reading->source;
	struct block_range range = blockmap_at(source->sink->map, lba);

	if (range.state == BLOCK_UNTRIED)
		source->sink->ops->mark(source->sink, lba,
			mem_min_u64(n, range.lba + range.n - lba), BLOCK_SKIPPED, why, NULL);
	return -1;
}

static int end_gone(
	struct reading *reading, uint64_t lba, uint32_t n, const struct block_reason *why)
{
	struct source *source = reading->source;

	err_set(source->err, ERR_GONE, "%s left the bus or does not answer any more%s",
		source->device->name, source_advice(source));
	source_end(source, CAPTURE_FAILED);
	return put_off(reading, lba, n, why);
}

static int drive_is_gone(struct reading *reading, uint64_t lba, uint32_t n, struct judged *judged)
{
	const struct source *source = reading->source;

	if (health_take_back(&reading->health) < 0)
		return -1;
	if (source->options->reconnect_ms == 0)
		return end_gone(reading, lba, n, &judged->why);
	if (lost_gone(&reading->lost, lba) < 0)
		return source->ended == CAPTURE_FAILED && source->err->kind == ERR_GONE
			       ? put_off(reading, lba, n, &judged->why)
			       : -1;
	medium_recognised(&reading->medium);
	/* These sectors are one failure the worse for it. */
	judged->verdict = VERDICT_TROUBLE;
	return failure_of_sectors(
		reading, lba, n, judged, "the drive left the bus or did not answer any more");
}

static int medium_is_out(struct reading *reading)
{
	struct source *source = reading->source;

	err_set(source->err, ERR_NO_MEDIUM, "%s has no medium any more", source->device->name);
	if (health_take_back(&reading->health) < 0)
		return -1;
	return source_end(source, CAPTURE_FAILED);
}

/* Our side could not send it: perhaps it was too large (usbfs memory, a host adapter's limit). */
static int not_sent(struct reading *reading, uint64_t lba, uint32_t n, struct judged *judged,
	const struct err *cause)
{
	struct source *source = reading->source;

	if (n == 1) {
		*source->err = *cause;
		err_prefix(source->err, "reading LBA %" PRIu64 ": ", lba);
		return source_end(source, CAPTURE_FAILED);
	}
	reading->max_blocks = n / 2;
	*judged = (struct judged){.verdict = VERDICT_GOOD, .n = 0};
	return 0;
}

int failure_conclude(struct reading *reading, const struct place *place,
	const struct answer *answer, struct judged *judged)
{
	char text[SCSI_REASON_TEXT];

	switch (judged->verdict) {
	case VERDICT_NOT_SENT:
		return not_sent(reading, place->lba, place->n, judged, &answer->err);
	case VERDICT_GONE:
		return drive_is_gone(reading, place->lba, place->n, judged);
	case VERDICT_NO_MEDIUM:
		return medium_is_out(reading);
	default:
		failure_text(answer, text, sizeof(text));
		return failure_of_sectors(reading, place->lba, place->n, judged, text);
	}
}

int failure_settle(struct reading *reading)
{
	const struct health *health = &reading->health;
	char text[SCSI_REASON_TEXT];
	bool dead;

	if (source_stopped(reading->source) && health_is_in_doubt(health))
		return source_end(reading->source, CAPTURE_STOPPED);
	health_settle(&reading->health, &dead);
	return dead ? end_dead(reading, scsi_reason_text(&health->last.why, text, sizeof(text)))
		    : 0;
}
