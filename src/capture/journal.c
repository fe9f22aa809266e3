/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal of a capture: one JSON object a line.  Errors are gathered by area, and their lines
 * are bounded, so that a drive with millions of bad sectors does not fill the image with them; the
 * map has every one.
 */
#include "capture/session.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#define ERROR_LINES_MAX 1000
#define AREA_GAP_BYTES	(1024 * 1024)
#define ROWS_MAX	256

static void add_text(struct json_object *line, const char *key, const char *text)
{
	json_object_object_add(line, key, json_object_new_string(text));
}

static void add_number(struct json_object *line, const char *key, uint64_t number)
{
	json_object_object_add(line, key, json_object_new_uint64(number));
}

static struct json_object *new_line(const char *event)
{
	struct json_object *line = json_object_new_object();
	char now[32];

	add_text(line, "time", clock_utc(now));
	add_text(line, "event", event);
	return line;
}

/* Puts LINE into the sink and frees it. */
static int put_line(struct session *s, struct json_object *line)
{
	const char *json = json_object_to_json_string_ext(
		line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int r = json ? s->sink->ops->journal(s->sink, json, s->err)
		     : err_memory(s->err, "for the journal");

	json_object_put(line);
	return r < 0 ? session_end(s, CAPTURE_FAILED) : 0;
}

static void add_counts(const struct session *s, struct json_object *line)
{
	struct capture_progress now = progress_now(s);

	add_number(line, "good", now.good_blocks);
	add_number(line, "bad", now.bad_blocks);
	add_number(line, "missing", now.missing_blocks);
	add_number(line, "bad_areas", now.bad_areas);
}

int journal_begin(struct session *s)
{
	struct json_object *line = new_line("begin");

	add_text(line, "device", s->device->name);
	add_text(line, "route", route_name(s->device->route));
	add_number(line, "start", s->begin);
	add_number(line, "blocks", s->end - s->begin);
	add_number(line, "retries", s->options->retries);
	add_number(line, "timeout_ms", s->timeout_ms);
	add_counts(s, line);
	if (s->device->drive.in_use[0])
		add_text(line, "in_use", s->device->drive.in_use);
	if (s->device->capacity_corrected)
		add_text(line, "notice", "the drive claims one sector more than it has");
	return put_line(s, line);
}

/* Writes down the errors gathered so far. */
static int flush_area(struct session *s)
{
	struct error_area area = s->journal.area;
	struct json_object *line;

	s->journal.area.reads = 0;
	if (area.reads == 0 || s->journal.lines >= ERROR_LINES_MAX)
		return 0;
	s->journal.lines++;
	line = new_line("error");
	add_text(line, "pass", capture_pass_name(s->pass));
	add_number(line, "first", area.first);
	add_number(line, "last", area.last);
	add_number(line, "reads", area.reads);
	add_text(line, "text", area.text);
	return put_line(s, line);
}

static void tell_error(const struct session *s, uint64_t lba, uint64_t last, const char *text)
{
	if (lba == last)
		session_event(s, "cannot read LBA %" PRIu64 ": %s", lba, text);
	else
		session_event(s, "cannot read LBA %" PRIu64 "-%" PRIu64 ": %s", lba, last, text);
}

int journal_error(struct session *s, uint64_t lba, uint32_t n, const char *text)
{
	struct error_area *area = &s->journal.area;
	uint64_t last = lba + n - 1, gap = AREA_GAP_BYTES / s->block_bytes;

	s->journal.errors++;
	if (area->reads > 0 && lba <= area->last + gap && last + gap >= area->first) {
		area->first = lba < area->first ? lba : area->first;
		area->last = last > area->last ? last : area->last;
		area->reads++;
		return 0;
	}
	if (flush_area(s) < 0)
		return -1;
	*area = (struct error_area){.first = lba, .last = last, .reads = 1};
	snprintf(area->text, sizeof(area->text), "%s", text);
	if (s->journal.lines < ERROR_LINES_MAX)
		tell_error(s, lba, last, text);
	return 0;
}

int journal_pass(struct session *s, const char *event)
{
	struct json_object *line;

	if (flush_area(s) < 0)
		return -1;
	line = new_line(event);
	add_text(line, "pass", capture_pass_name(s->pass));
	add_counts(s, line);
	return put_line(s, line);
}

int journal_note(struct session *s, const char *event, const char *text)
{
	struct json_object *line;

	/* A drive that is reset again and again must not fill the image either. */
	if (s->journal.lines >= ERROR_LINES_MAX)
		return 0;
	s->journal.lines++;
	line = new_line(event);
	add_text(line, "text", text);
	add_number(line, "position", s->position);
	session_event(s, "%s", text);
	return put_line(s, line);
}

/* Every command that was sent since the drive was opened: how many of which, and a digest over all
 * their CDBs, which a transcript of the same session has as well. */
static int put_commands(struct session *s)
{
	struct tally_row rows[ROWS_MAX];
	uint8_t sha256[32];
	char text[2 * sizeof(sha256) + 1];
	struct json_object *line, *list;
	size_t n;

	if (!s->device->tally)
		return 0;
	n = transport_tally_read(s->device->tally, rows, ROWS_MAX, sha256);
	line = new_line("commands");
	list = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_new_object();

		snprintf(text, sizeof(text), "%02X", rows[i].opcode);
		add_text(row, "opcode", text);
		if (rows[i].service_action)
			add_number(row, "service_action", rows[i].service_action);
		add_number(row, "commands", rows[i].commands);
		json_object_array_add(list, row);
	}
	for (size_t i = 0; i < sizeof(sha256); i++)
		snprintf(text + 2 * i, 3, "%02x", sha256[i]);
	json_object_object_add(line, "sent", list);
	add_text(line, "cdb_sha256", text);
	return put_line(s, line);
}

int journal_end(struct session *s, enum capture_end end, const char *text)
{
	static const char *const names[] = {"complete", "unreadable", "stopped", "failed"};
	struct json_object *line;

	if (flush_area(s) < 0 || put_commands(s) < 0)
		return -1;
	line = new_line("end");
	add_text(line, "result", names[end]);
	add_text(line, "pass", capture_pass_name(s->pass));
	add_counts(s, line);
	add_number(line, "failed_reads", s->journal.errors);
	add_number(line, "read_bytes", s->read_bytes);
	add_number(line, "resets", s->resets);
	add_number(line, "reconnects", s->reconnects);
	if (s->journal.lines >= ERROR_LINES_MAX)
		add_text(line, "notice", "not all errors of this session have a line");
	if (text)
		add_text(line, "text", text);
	return put_line(s, line);
}
