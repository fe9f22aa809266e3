/* SPDX-License-Identifier: BSD-2-Clause */
/* How a capture shows that it goes on: see progress.h. */
#include "cli/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/json.h"
#include "base/text.h"
#include "base/thread.h"
#include "cli/progress_text.h"

#define TICK_NS	 1000000000u
#define BAR_NS	 100000000u
#define LINE_NS	 10000000000u
#define BAR_MAX	 40
#define MOST_BAD 1000 /* areas that are told one by one */

struct progress_view {
	FILE *json; /* NDJSON goes there; NULL: text on standard error */
	bool quiet;
	bool terminal; /* standard error is one */
	pthread_t ticker;
	bool ticking;

	pthread_mutex_t lock; /* of all below, and of what is written */
	pthread_cond_t changed;
	bool ending;
	uint32_t block_bytes;
	struct capture_progress now;
	struct progress_wait wait;
	uint64_t shown_ns; /* 0: never */
	bool bar_shown;
	unsigned int bad_told;
};

/* --- showing; all with the lock held --- */

static void take_bar_off(struct progress_view *view)
{
	if (view->bar_shown)
		fputs("\r\033[K", stderr);
	view->bar_shown = false;
}

/* The bar takes what the words leave of the line; a narrow terminal gets the first words only. */
static void show_bar(struct progress_view *view, uint64_t now_ns)
{
	int columns = cli_terminal_columns(), len, room;
	char text[400], wait[100], bar[BAR_MAX + 4] = "";

	len = progress_describe(&view->now, view->block_bytes, text, sizeof(text));
	if (*progress_describe_wait(&view->wait, now_ns, wait, sizeof(wait)))
		len += snprintf(text + len, sizeof(text) - (size_t)len, "  %s", wait);
	room = columns - 1 - len - 3;
	if (room > BAR_MAX)
		room = BAR_MAX;
	if (room >= 10) {
		int filled = (int)(progress_permille(&view->now) * (unsigned int)room / 1000);

		bar[0] = '[';
		memset(bar + 1, ' ', (size_t)room);
		memset(bar + 1, '#', (size_t)filled);
		memcpy(bar + 1 + room, "] ", 3);
	}
	/* When it is too long, what is waited for is what must be seen. */
	if (wait[0] && len >= columns)
		fprintf(stderr, "\r\033[K%.*s", progress_fitting(wait, " of ", columns - 1), wait);
	else
		fprintf(stderr, "\r\033[K%s%.*s", bar, progress_fitting(text, "  ", columns - 1),
			text);
	view->bar_shown = true;
}

static void show_line(const struct progress_view *view, uint64_t now_ns)
{
	char text[400], wait[100];

	progress_describe(&view->now, view->block_bytes, text, sizeof(text));
	progress_describe_wait(&view->wait, now_ns, wait, sizeof(wait));
	fprintf(stderr, "%s%s%s\n", text, wait[0] ? "  " : "", wait);
}

static void show(struct progress_view *view, uint64_t now_ns)
{
	view->shown_ns = now_ns;
	if (view->json)
		cli_print_json(view->json,
			progress_json(&view->now, view->block_bytes, &view->wait, now_ns), false);
	else if (view->terminal)
		show_bar(view, now_ns);
	else
		show_line(view, now_ns);
}

/* Not more often than can be read. */
static void show_if_due(struct progress_view *view)
{
	uint64_t pause = view->json ? TICK_NS : view->terminal ? BAR_NS : LINE_NS;
	uint64_t now_ns = clock_now_ns();

	if ((view->quiet && !view->json) || view->block_bytes == 0 ||
		now_ns - view->shown_ns < pause)
		return;
	show(view, now_ns);
}

static void view_say(struct progress_view *view, const char *text)
{
	size_t room = TEXT_SHOWN(strlen(text));
	cleanup_free char *shown = malloc(room);

	take_bar_off(view);
	if (!view->quiet && shown)
		fprintf(stderr, "%s\n", text_show(text, shown, room));
}

static const char *kind_word(enum capture_notice_kind kind)
{
	return kind == NOTICE_UNREADABLE ? "unreadable" : capture_notice_word(kind);
}

static void say_json(struct progress_view *view, const struct capture_notice *notice)
{
	struct json_object *o = json_object_new_object();

	json_add_text(&o, "event", "message");
	json_add_text(&o, "kind", kind_word(notice->kind));
	json_add_number(&o, "lba", notice->lba);
	if (notice->kind == NOTICE_UNREADABLE) {
		json_add_number(&o, "sectors", notice->n);
		json_add_text(&o, "state", block_state_name(notice->state));
	}
	json_add_text(&o, "text", notice->text);
	cli_print_json(view->json, o, false);
}

static void say_unreadable(struct progress_view *view, const struct capture_notice *notice)
{
	const char *what = "cannot read";
	char text[400];

	if (view->bad_told++ == MOST_BAD)
		view_say(view, "more bad sectors than are listed here; the map has them all");
	if (view->bad_told > MOST_BAD)
		return;
	if (notice->state == BLOCK_FAILED)
		what = "failed, and not known to be bad:";
	if (notice->n == 1)
		snprintf(text, sizeof(text), "%s LBA %" PRIu64 ": %s", what, notice->lba,
			notice->text);
	else
		snprintf(text, sizeof(text),
			"%s LBA %" PRIu64 "-%" PRIu64 " (%" PRIu64 " sectors): %s", what,
			notice->lba, notice->lba + notice->n - 1, notice->n, notice->text);
	view_say(view, text);
}

static void say_notice(struct progress_view *view, const struct capture_notice *notice)
{
	if (!notice->text || !kind_word(notice->kind))
		return;
	/* Which of them cannot be read nobody knows yet. */
	if (notice->kind == NOTICE_UNREADABLE && notice->state == BLOCK_FAILED &&
		notice->pass != PASS_DONE)
		return;
	if (view->json)
		say_json(view, notice);
	else if (notice->kind == NOTICE_UNREADABLE)
		say_unreadable(view, notice);
	else
		view_say(view, notice->text);
}

/* --- what is told --- */

static void wait_for(struct progress_view *view, const struct capture_notice *notice)
{
	switch (notice->kind) {
	case NOTICE_READING:
		view->wait = (struct progress_wait){
			.what = WAIT_READ, .lba = notice->lba, .n = notice->n};
		break;
	case NOTICE_GONE:
	case NOTICE_DEAD:
		view->wait = (struct progress_wait){.what = WAIT_DRIVE};
		break;
	case NOTICE_READ:
	case NOTICE_BACK:
	case NOTICE_END:
		view->wait = (struct progress_wait){.what = WAIT_NOTHING};
		return;
	default:
		return;
	}
	view->wait.limit_ms = notice->limit_ms;
	view->wait.since_ns = clock_now_ns();
}

static void view_notice(void *context, const struct capture_notice *notice)
{
	struct progress_view *view = context;

	pthread_mutex_lock(&view->lock);
	wait_for(view, notice);
	if (notice->progress)
		view->now = *notice->progress;
	say_notice(view, notice);
	if (notice->kind == NOTICE_PROGRESS)
		show_if_due(view);
	pthread_mutex_unlock(&view->lock);
}

/* Who is captured into what. */
static void say_start(struct progress_view *view, const struct acquire_start *start)
{
	const struct device *device = start->device;
	uint32_t block = device->capacity.block_bytes;
	const char *image = strcmp(start->image, "-") == 0 ? "standard output" : start->image;
	char text[PATH_MAX + 1200], size[32], have[32];

	if (start->resumed)
		snprintf(text, sizeof(text),
			"resuming %s from %s (%s %s), session %u: %s of %s are there", image,
			device->name, device->inquiry.vendor, device->inquiry.product,
			start->session, text_size(start->have * block, have),
			text_size(start->wanted * block, size));
	else
		snprintf(text, sizeof(text), "capturing %s (%s %s), %s, by route %s into %s",
			device->name, device->inquiry.vendor, device->inquiry.product,
			text_size(start->wanted * block, size), route_name(device->route), image);
	view_say(view, text);
}

static void say_start_json(struct progress_view *view, const struct acquire_start *start)
{
	struct json_object *o = json_object_new_object();
	uint32_t block = start->device->capacity.block_bytes;

	json_add_text(&o, "event", "start");
	json_add_text(&o, "device", start->device->name);
	json_add_text(&o, "vendor", start->device->inquiry.vendor);
	json_add_text(&o, "product", start->device->inquiry.product);
	json_add_text(&o, "route", route_name(start->device->route));
	json_add_text(&o, "image", start->image);
	json_add_flag(&o, "resumed", start->resumed);
	json_add_number(&o, "session", start->session);
	json_add_number(&o, "wanted_bytes", start->wanted * block);
	json_add_number(&o, "captured_bytes", start->have * block);
	cli_print_json(view->json, o, false);
}

static void view_started(void *context, const struct acquire_start *start)
{
	struct progress_view *view = context;

	pthread_mutex_lock(&view->lock);
	view->block_bytes = start->device->capacity.block_bytes;
	/* The first line elsewhere than on a terminal comes after the first pause. */
	view->shown_ns = clock_now_ns();
	if (view->json)
		say_start_json(view, start);
	else
		say_start(view, start);
	pthread_mutex_unlock(&view->lock);
}

static void view_reading_back(void *context, uint64_t done, uint64_t all)
{
	struct progress_view *view = context;

	pthread_mutex_lock(&view->lock);
	if (view->wait.what != WAIT_CHECK)
		view->wait = (struct progress_wait){.what = WAIT_CHECK, .since_ns = clock_now_ns()};
	view->wait.done = done;
	view->wait.all = all;
	show_if_due(view);
	pthread_mutex_unlock(&view->lock);
}

static void *view_tick(void *argument)
{
	struct progress_view *view = argument;

	pthread_mutex_lock(&view->lock);
	while (!view->ending) {
		clock_wait_until(&view->changed, &view->lock, clock_now_ns() + TICK_NS);
		if (!view->ending)
			show_if_due(view);
	}
	pthread_mutex_unlock(&view->lock);
	return NULL;
}

struct progress_view *progress_view_new(FILE *json, bool quiet, struct err *err)
{
	struct progress_view *view = calloc(1, sizeof(*view));

	if (!view) {
		err_memory(err, "starting the capture");
		return NULL;
	}
	view->json = json;
	view->quiet = quiet;
	view->terminal = isatty(STDERR_FILENO);
	pthread_mutex_init(&view->lock, NULL);
	clock_cond_init(&view->changed);
	view->ticking = thread_start(&view->ticker, view_tick, view, err) == 0;
	if (view->ticking)
		return view;
	progress_view_free(view);
	return NULL;
}

void progress_view_free(struct progress_view *view)
{
	if (!view)
		return;
	pthread_mutex_lock(&view->lock);
	view->ending = true;
	pthread_cond_signal(&view->changed);
	pthread_mutex_unlock(&view->lock);
	if (view->ticking)
		pthread_join(view->ticker, NULL);
	take_bar_off(view);
	pthread_cond_destroy(&view->changed);
	pthread_mutex_destroy(&view->lock);
	free(view);
}

void progress_view_finish(struct progress_view *view, const struct acquire_result *result)
{
	uint64_t bytes = result->capture.read_bytes, ms = result->elapsed_ms;
	char text[200], size[32], time[32], rate[32];

	pthread_mutex_lock(&view->lock);
	take_bar_off(view);
	view->block_bytes = 0; /* nothing is shown from now on */
	if (bytes > 0 && !view->json) {
		snprintf(text, sizeof(text), "%s read in %s, %s/s on average",
			text_size(bytes, size), text_duration((ms + 500) / 1000, time),
			text_size(ms > 0 ? bytes * 1000 / ms : bytes, rate));
		view_say(view, text);
	}
	pthread_mutex_unlock(&view->lock);
}

struct acquire_observer progress_view_observer(struct progress_view *view)
{
	return (struct acquire_observer){
		.started = view_started,
		.notice = view_notice,
		.reading_back = view_reading_back,
		.context = view,
	};
}
