/* SPDX-License-Identifier: BSD-2-Clause */
/* A drive that has gone, and comes back: see lost.h. */
#include "capture/lost.h"

#include "base/mem.h"
#include "capture/plain.h"

#include <inttypes.h>
#include <string.h>

/* A drive that comes back by itself is back within this; then it is helped. */
#define PATIENCE_MS 6000

/* One wait for a drive. */
struct wait {
	struct lost *lost;
	struct deadline deadline;
	unsigned int step; /* of device_revive() */
	bool asked_user;
	struct err err; /* why it is not back */
};

void lost_begin(struct lost *lost, struct source *source, struct keep *keep)
{
	lost->source = source;
	lost->keep = keep;
	lost->reconnects = 0;
	capture_identity(source->device, lost->identity, sizeof(lost->identity));
}

static int is_same_drive(void *context, struct device *candidate, struct err *err)
{
	const struct lost *lost = context;

	return capture_same_drive(
		candidate, lost->source->sink, lost->identity, strlen(lost->identity), err);
}

/* Does the next thing that may help.  False when there is nothing left to do. */
static bool help(struct wait *wait)
{
	const struct source *source = wait->lost->source;
	const struct capture_options *options = source->options;
	char what[200];

	if (device_revive(source->device, &wait->step, what, sizeof(what))) {
		source_say(source, NOTICE_HELP, wait->lost->keep->position, "%s", what);
		return true;
	}
	if (wait->asked_user || !options->rescue)
		return false;
	wait->asked_user = true;
	source_say(source, NOTICE_HELP, wait->lost->keep->position,
		"the command given for a drive that is stuck is run");
	options->rescue(options->rescue_context, source->device);
	return true;
}

static bool wait_for_it(struct wait *wait)
{
	const struct source *source = wait->lost->source;

	return device_reconnect(source->device, deadline_at_most_ms(wait->deadline, PATIENCE_MS),
		       source->options->stop, is_same_drive, wait->lost, &wait->err) == 0;
}

/* A drive may answer everything but a READ. */
static bool reads_again(const struct source *source)
{
	struct block_range range;
	enum outcome outcome;

	if (!blockmap_next(source->sink->map, 0, BLOCK_HAVE, &range))
		return true;
	return plain_read(source->device, range.lba, source->timeout_ms, source->block, &outcome);
}

static int lost_give_up(const struct wait *wait)
{
	struct source *source = wait->lost->source;

	if (source_stopped(source))
		return source_end(source, CAPTURE_STOPPED);
	*source->err = wait->err;
	if (wait->err.kind == ERR_GONE)
		err_set(source->err, ERR_GONE, "%.700s%s", wait->err.text, source_advice(source));
	return source_end(source, CAPTURE_FAILED);
}

static void come_back(const struct wait *wait)
{
	const struct source *source = wait->lost->source;

	wait->lost->reconnects++;
	source_say(source, NOTICE_BACK, wait->lost->keep->position, "it is back as %s, by route %s",
		source->device->name, route_name(source->device->route));
}

/* DEAD: it is there but does not read, so that waiting alone helps nothing. */
static int bring_back(struct lost *lost, bool dead)
{
	struct source *source = lost->source;
	struct wait wait = {
		.lost = lost,
		.deadline = deadline_in_ms(source->options->reconnect_ms),
	};
	bool wait_first = !dead;

	for (;;) {
		bool helped = wait_first || help(&wait);

		wait_first = false;
		if (wait_for_it(&wait)) {
			if (!dead || reads_again(source)) {
				come_back(&wait);
				return 0;
			}
			err_set(&wait.err, ERR_GONE, "%s is there but does not read any more",
				source->device->name);
			if (!helped)
				return lost_give_up(&wait);
		}
		if (wait.err.kind != ERR_GONE || source_stopped(source) ||
			deadline_left_ms(wait.deadline) == 0)
			return lost_give_up(&wait);
		if (keep_tick(lost->keep) < 0)
			return -1;
	}
}

/* What is in the sink's hands goes into the image before a wait that may take long. */
static int begin_wait(
	const struct lost *lost, enum capture_notice_kind kind, uint64_t lba, const char *text)
{
	const struct source *source = lost->source;
	struct capture_notice notice = {
		.kind = kind,
		.lba = lba,
		.limit_ms = source->options->reconnect_ms,
		.text = text,
	};

	source_tell(source, &notice);
	return keep_now(lost->keep);
}

int lost_gone(struct lost *lost, uint64_t lba)
{
	const struct source *source = lost->source;
	char text[800];

	snprintf(text, sizeof(text),
		"%s left the bus or does not answer at LBA %" PRIu64 ": waiting up to %u s for it",
		source->device->name, lba, source->options->reconnect_ms / 1000);
	if (begin_wait(lost, NOTICE_GONE, lba, text) < 0)
		return -1;
	return bring_back(lost, false);
}

int lost_dead(struct lost *lost, uint64_t lba, const char *why)
{
	char text[800];

	snprintf(text, sizeof(text), "%s does not read any more (%.160s): trying to bring it back",
		lost->source->device->name, why);
	if (begin_wait(lost, NOTICE_DEAD, lba, text) < 0)
		return -1;
	return bring_back(lost, true);
}
