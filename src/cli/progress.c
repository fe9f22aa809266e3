/* SPDX-License-Identifier: BSD-2-Clause */
/* How a capture shows that it goes on: see progress.h. */
#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/stuck.h"

#define BAR_NS	100000000u
#define JSON_NS 1000000000u
#define LINE_NS 10000000000u
#define BAR_MAX 40

static double percent(const struct capture_progress *p)
{
	uint64_t done = p->wanted_blocks - p->missing_blocks;

	if (p->wanted_blocks == 0 || p->missing_blocks == 0)
		return 100;
	return (double)done * 100 / (double)p->wanted_blocks;
}

/* Seconds that what is missing will take at this rate. */
static const char *time_left(
	const struct progress_view *view, const struct capture_progress *p, char out[32])
{
	if (p->missing_blocks == 0 || p->rate == 0)
		return "-:--";
	return text_duration(p->missing_blocks * view->block_bytes / p->rate, out);
}

/* "56 %  36 MiB of 64 MiB  41 MiB/s  0:01 left  3 bad  forward" */
static int describe(
	const struct progress_view *view, const struct capture_progress *p, char *out, size_t room)
{
	char done[32], all[32], rate[32], left[32], bad[48] = "";

	if (p->bad_blocks > 0)
		snprintf(bad, sizeof(bad), "  %" PRIu64 " bad", p->bad_blocks);
	return snprintf(out, room, "%3.0f %%  %s of %s  %s/s  %s left%s  %s", percent(p),
		text_size((p->wanted_blocks - p->missing_blocks) * view->block_bytes, done),
		text_size(p->wanted_blocks * view->block_bytes, all), text_size(p->rate, rate),
		time_left(view, p, left), bad, capture_pass_name(p->pass));
}

/* The bar takes what the words leave of the line; a narrow terminal gets words only, cut. */
static void show_bar(struct progress_view *view, const struct capture_progress *p)
{
	int columns = cli_terminal_columns(), len, room;
	char text[300], bar[BAR_MAX + 4] = "";

	len = describe(view, p, text, sizeof(text));
	room = columns - 1 - len - 3;
	if (room > BAR_MAX)
		room = BAR_MAX;
	if (room >= 10) {
		int filled = (int)(percent(p) * room / 100);

		bar[0] = '[';
		memset(bar + 1, ' ', (size_t)room);
		memset(bar + 1, '#', (size_t)filled);
		memcpy(bar + 1 + room, "] ", 3);
	}
	fprintf(stderr, "\r\033[K%s%.*s", bar, columns - 1, text);
	view->bar_shown = true;
}

static void show_json(struct progress_view *view, const struct capture_progress *p)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "event", json_object_new_string("progress"));
	json_object_object_add(o, "pass", json_object_new_string(capture_pass_name(p->pass)));
	json_object_object_add(o, "lba", cli_json_u64(p->position));
	json_object_object_add(
		o, "wanted_bytes", cli_json_u64(p->wanted_blocks * view->block_bytes));
	json_object_object_add(o, "good_bytes", cli_json_u64(p->good_blocks * view->block_bytes));
	json_object_object_add(o, "bad_bytes", cli_json_u64(p->bad_blocks * view->block_bytes));
	json_object_object_add(
		o, "missing_bytes", cli_json_u64(p->missing_blocks * view->block_bytes));
	json_object_object_add(o, "bad_areas", cli_json_u64(p->bad_areas));
	json_object_object_add(o, "rate", cli_json_u64(p->rate));
	json_object_object_add(o, "elapsed_ms", cli_json_u64(p->elapsed_ms));
	json_object_object_add(o, "resets", cli_json_u64(p->resets));
	cli_print_json(view->json, o, false);
}

static void show_line(const struct progress_view *view, const struct capture_progress *p)
{
	char text[300];

	describe(view, p, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
}

static void on_progress(void *context, const struct capture_progress *p)
{
	struct progress_view *view = context;
	uint64_t now = clock_now_ns();
	uint64_t pause = view->json ? JSON_NS : view->terminal ? BAR_NS : LINE_NS;

	if (view->quiet && !view->json)
		return;
	/* The first line elsewhere than on a terminal comes after the first pause. */
	if (view->shown_ns == 0 && !view->json && !view->terminal)
		view->shown_ns = now;
	if (view->shown_ns != 0 && now - view->shown_ns < pause)
		return;
	view->shown_ns = now;
	if (view->json)
		show_json(view, p);
	else if (view->terminal)
		show_bar(view, p);
	else
		show_line(view, p);
}

void progress_view_end(struct progress_view *view)
{
	if (view->bar_shown)
		fputs("\r\033[K", stderr);
	view->bar_shown = false;
}

void progress_view_say(struct progress_view *view, const char *text)
{
	progress_view_end(view);
	if (view->json) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "event", json_object_new_string("message"));
		json_object_object_add(o, "text", json_object_new_string(text));
		cli_print_json(view->json, o, false);
	} else if (!view->quiet) {
		fprintf(stderr, "%s\n", text);
	}
}

static void on_event(void *context, const char *text)
{
	progress_view_say(context, text);
}

static void on_stuck(void *context, const struct device *device)
{
	const struct progress_view *view = context;

	stuck_run(view->on_stuck, device);
}

void progress_view_init(struct progress_view *view, FILE *json, bool quiet, uint32_t block_bytes)
{
	*view = (struct progress_view){
		.json = json,
		.quiet = quiet,
		.terminal = isatty(STDERR_FILENO),
		.block_bytes = block_bytes,
	};
}

struct capture_observer progress_view_observer(struct progress_view *view)
{
	return (struct capture_observer){
		.progress = on_progress,
		.event = on_event,
		.stuck = view->on_stuck ? on_stuck : NULL,
		.context = view,
	};
}
