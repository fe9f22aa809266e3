/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of the passes: see journal.h. */
#include "capture/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#define ERROR_LINES_MAX 1000
#define RESET_LINES_MAX 1000

static struct json_object *journal_line(const char *event)
{
	struct json_object *line = json_object_new_object();
	char now[32];

	json_add_text(&line, "time", clock_utc(now));
	json_add_text(&line, "event", event);
	return line;
}

/* Puts LINE into the sink and frees it. */
static void journal_put(struct journal *j, struct json_object *line)
{
	struct capture_sink *sink = j->source->sink;
	cleanup_free char *text = json_line(line);
	struct err err = {.kind = ERR_NONE};

	if (!text)
		err_memory(&err, "for the journal");
	else
		sink->ops->journal(sink, text, &err);
	json_object_put(line);
	if (err.kind == ERR_NONE || j->failed)
		return;
	j->failed = true;
	j->err = err;
}

static void journal_add_counts(const struct journal *j, struct json_object **line)
{
	for (unsigned int state = 0; state < BLOCK_STATES; state++)
		json_add_number(line, block_state_name((enum block_state)state),
			source_count(j->source, BLOCK_MASK(state)));
}

static void journal_put_begin(struct journal *j)
{
	const struct source *source = j->source;
	const struct device *device = source->device;
	struct json_object *line = journal_line("begin");

	json_add_text(&line, "device", device->name);
	json_add_text(&line, "route", route_name(device->route));
	json_add_number(&line, "start", source->begin);
	json_add_number(&line, "blocks", source->end - source->begin);
	json_add_number(&line, "retries", source->options->retries);
	json_add_number(&line, "timeout_ms", source->timeout_ms);
	journal_add_counts(j, &line);
	if (device->drive.in_use[0])
		json_add_text(&line, "in_use", device->drive.in_use);
	if (device->capacity_corrected)
		json_add_text(&line, "notice", "the drive claims one sector more than it has");
	journal_put(j, line);
}

static void journal_put_area(struct journal *j, const struct capture_notice *area)
{
	struct json_object *line;

	if (j->error_lines++ >= ERROR_LINES_MAX) {
		j->left_out = true;
		return;
	}
	line = journal_line("error");
	json_add_text(&line, "pass", capture_pass_name(j->pass));
	json_add_text(&line, "state", block_state_name(area->state));
	json_add_number(&line, "first", area->lba);
	json_add_number(&line, "last", area->lba + area->n - 1);
	json_add_number(&line, "sectors", area->n);
	json_add_text(&line, "text", area->text);
	journal_put(j, line);
}

static void journal_put_pass(struct journal *j, const char *event)
{
	struct json_object *line = journal_line(event);

	json_add_text(&line, "pass", capture_pass_name(j->pass));
	journal_add_counts(j, &line);
	journal_put(j, line);
}

static void journal_put_event(struct journal *j, const struct capture_notice *notice)
{
	const char *word = capture_notice_word(notice->kind);
	struct json_object *line;

	if (!word)
		return;
	/* A drive that is reset again and again must not fill the image. */
	if (notice->kind == NOTICE_RESET && j->reset_lines++ >= RESET_LINES_MAX) {
		j->left_out = true;
		return;
	}
	line = journal_line(word);
	json_add_text(&line, "text", notice->text);
	json_add_number(&line, "position", notice->lba);
	journal_put(j, line);
}

static void journal_notice(void *context, const struct capture_notice *notice)
{
	struct journal *j = context;

	switch (notice->kind) {
	case NOTICE_BEGIN:
		journal_put_begin(j);
		break;
	case NOTICE_PASS_BEGIN:
		j->pass = notice->pass;
		journal_put_pass(j, "pass-begin");
		break;
	case NOTICE_PASS_END:
		journal_put_pass(j, "pass-end");
		break;
	case NOTICE_UNREADABLE:
		journal_put_area(j, notice);
		break;
	default:
		journal_put_event(j, notice);
	}
}

struct capture_observer journal_begin(struct journal *j, const struct source *source)
{
	memset(j, 0, sizeof(*j));
	j->source = source;
	j->pass = PASS_FORWARD;
	return (struct capture_observer){.notice = journal_notice, .context = j};
}

int journal_end(struct journal *j, struct err *err)
{
	if (j->left_out) {
		struct json_object *line = journal_line("notice");

		json_add_text(&line, "text",
			"not every bad area and reset of this session has a line; the map has all");
		journal_put(j, line);
	}
	if (j->failed && err)
		*err = j->err;
	return j->failed ? -1 : 0;
}
