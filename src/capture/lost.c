/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive that has left the bus, or does not answer any more, in the middle of a session: it is
 * waited for, helped where that may be done, recognised by what it is, and the session goes on.
 */
#include "capture/session.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* By itself a drive is back within this; then it is helped. */
#define PATIENCE_MS 6000

struct lost {
	struct session *s;
	struct deadline deadline;
	unsigned int step; /* of device_revive() */
	bool asked_user;
	struct err err; /* why it is not back */
};

static int same(void *context, struct device *candidate, struct err *err)
{
	struct session *s = context;

	return capture_same_drive(candidate, s->sink, s->identity, strlen(s->identity), err);
}

/* The next thing that may help.  1: done, 0: there is nothing left, -1: the session ends. */
static int help(struct lost *lost)
{
	struct session *s = lost->s;
	char what[200];

	if (device_revive(s->device, &lost->step, what, sizeof(what)))
		return journal_note(s, "revive", what) < 0 ? -1 : 1;
	if (lost->asked_user || !s->observer || !s->observer->stuck)
		return 0;
	lost->asked_user = true;
	if (journal_note(s, "stuck", "the command given for a drive that is stuck is run") < 0)
		return -1;
	s->observer->stuck(s->observer->context, s->device);
	return 1;
}

static bool wait_for_it(struct lost *lost)
{
	struct session *s = lost->s;

	return device_reconnect(s->device, deadline_at_most_ms(lost->deadline, PATIENCE_MS),
		       s->options->stop, same, s, &lost->err) == 0;
}

/* A drive may answer everything but a READ. */
static bool reads_again(struct session *s)
{
	struct block_range range;
	enum outcome outcome;

	if (!blockmap_next(s->sink->map, 0, BLOCK_HAVE, &range))
		return true;
	return read_plain(s->device, range.lba, s->timeout_ms, s->block, &outcome);
}

static int give_up(struct lost *lost)
{
	struct session *s = lost->s;

	if (session_stopped(s))
		return session_end(s, CAPTURE_STOPPED);
	if (s->err)
		*s->err = lost->err;
	if (lost->err.kind == ERR_GONE)
		err_set(s->err, ERR_GONE, "%.700s%s", lost->err.text, session_advice(s));
	return session_end(s, CAPTURE_FAILED);
}

static int come_back(struct lost *lost)
{
	struct session *s = lost->s;
	char text[700];

	snprintf(text, sizeof(text), "it is back as %s, by route %s", s->device->name,
		route_name(s->device->route));
	s->resets++; /* the epoch of what was put into its place */
	s->reconnects++;
	return journal_note(s, "back", text);
}

/* DEAD: it is there but does not read, so waiting alone helps nothing. */
static int bring_back(struct session *s, bool dead)
{
	struct lost lost = {.s = s, .deadline = deadline_in_ms(s->options->reconnect_ms)};
	bool helped = !dead;

	for (;;) {
		int r = helped ? 1 : help(&lost);

		if (r < 0)
			return -1;
		helped = false;
		if (wait_for_it(&lost)) {
			if (!dead || reads_again(s))
				return come_back(&lost);
			err_set(&lost.err, ERR_GONE, "%s is there but does not read any more",
				s->device->name);
			if (r == 0)
				return give_up(&lost);
		}
		if (lost.err.kind != ERR_GONE || session_stopped(s) ||
			deadline_left_ms(lost.deadline) == 0)
			return give_up(&lost);
		if (progress_tick(s, true) < 0)
			return -1;
	}
}

int session_gone(struct session *s, uint64_t lba)
{
	char text[800];

	if (health_take_back(s) < 0)
		return -1;
	snprintf(text, sizeof(text),
		"%s left the bus or does not answer at LBA %" PRIu64 ": waiting up to %u s for it",
		s->device->name, lba, s->options->reconnect_ms / 1000);
	if (journal_note(s, "gone", text) < 0)
		return -1;
	return bring_back(s, false);
}

int session_dead(struct session *s, const char *why)
{
	char text[800];

	snprintf(text, sizeof(text), "%s does not read any more (%.160s): trying to bring it back",
		s->device->name, why);
	if (journal_note(s, "dead", text) < 0)
		return -1;
	return bring_back(s, true);
}
