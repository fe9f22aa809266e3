/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acquisitions that end in unusual ways: each session that was begun has its end in the journal,
 * with the list of the commands that were sent, and what the result says is so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "tests/aid/simulated.h"

#define DRIVE "sim:blank,size=4M,content=noise,seed=3"

struct watcher {
	atomic_bool stop;
	bool stop_at_read, stop_at_check;
	unsigned int reads, read_back;
	struct capture_progress last;
};

static char folder[] = "/tmp/umsctl-acquire-XXXXXX";
static char image[64];

static void watch_notice(void *context, const struct capture_notice *notice)
{
	struct watcher *watcher = context;

	if (notice->kind == NOTICE_READ && ++watcher->reads == 2 && watcher->stop_at_read)
		watcher->stop = true;
	if (notice->progress)
		watcher->last = *notice->progress;
}

static void watch_reading_back(void *context, uint64_t done, uint64_t all)
{
	struct watcher *watcher = context;

	(void)done, (void)all;
	watcher->read_back++;
	if (watcher->stop_at_check)
		watcher->stop = true;
}

static struct acquire_result acquire(struct watcher *watcher, struct err *err)
{
	const struct acquire_observer observer = {
		.notice = watch_notice,
		.reading_back = watch_reading_back,
		.context = watcher,
	};
	const struct acquire_options options = {
		.device = DRIVE,
		.image = image,
		.stop = &watcher->stop,
	};
	struct acquire_result result;

	acquire_run(&options, &observer, &result, err);
	return result;
}

struct lines {
	unsigned int session, commands, end;
	char last[4096];
};

static int count_line(void *context, const char *json)
{
	struct lines *lines = context;

	lines->session += strstr(json, "\"event\":\"session\"") != NULL;
	lines->commands += strstr(json, "\"event\":\"commands\"") != NULL;
	lines->end += strstr(json, "\"event\":\"end\"") != NULL;
	snprintf(lines->last, sizeof(lines->last), "%s", json);
	return 0;
}

static struct lines read_lines(void)
{
	struct lines lines = {0};
	struct err err = {.kind = ERR_NONE};
	struct image *opened = image_open(image, &err);

	assert_non_null(opened);
	assert_int_equal(image_journal(opened, count_line, &lines, &err), 0);
	image_close(opened);
	return lines;
}

/* Stopped in the passes, then while what is in the image is checked, then not at all. */
static void test_every_session_has_its_end(void **state)
{
	struct err err;
	struct watcher first = {.stop_at_read = true}, second = {.stop_at_check = true};
	struct watcher third = {.stop_at_read = false}, fourth = third;
	struct acquire_result result;
	struct lines lines;

	(void)state;
	assert_int_equal(acquire(&first, &err).end, ACQUIRE_STOPPED);
	lines = read_lines();
	assert_int_equal(lines.session, 1);
	assert_int_equal(lines.end, 1);

	assert_int_equal(acquire(&second, &err).end, ACQUIRE_STOPPED);
	assert_in_range(second.read_back, 1, 1000);
	assert_int_equal(err.kind, ERR_NONE);
	lines = read_lines();
	assert_int_equal(lines.session, 2);
	assert_int_equal(lines.commands, 2);
	assert_int_equal(lines.end, 2);
	assert_non_null(strstr(lines.last, "\"result\":\"stopped\""));

	result = acquire(&third, &err);
	assert_int_equal(result.end, ACQUIRE_COMPLETE);
	assert_int_equal(result.session, 3);
	lines = read_lines();
	assert_int_equal(lines.session, 3);
	assert_int_equal(lines.end, 3);

	result = acquire(&fourth, &err);
	assert_int_equal(result.end, ACQUIRE_COMPLETE);
	assert_true(result.untouched);
	assert_int_equal(result.session, 0);
	assert_int_equal(read_lines().session, 3);
}

static void flip_byte_at_half(void)
{
	FILE *f = fopen(image, "r+b");
	int byte;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	assert_int_equal(fseek(f, ftell(f) / 2, SEEK_SET), 0);
	byte = fgetc(f);
	assert_int_equal(fseek(f, -1, SEEK_CUR), 0);
	assert_int_not_equal(fputc(byte ^ 1, f), EOF);
	assert_int_equal(fclose(f), 0);
}

/* What was damaged in the image is read again in a second round of passes: its numbers add to those
 * of the first. */
static void test_rounds_add_up(void **state)
{
	struct watcher first = {.stop_at_read = true}, second = {.stop_at_read = false};
	struct acquire_result result;
	struct err err;

	(void)state;
	unlink(image);
	assert_int_equal(acquire(&first, &err).end, ACQUIRE_STOPPED);
	flip_byte_at_half();
	result = acquire(&second, &err);
	if (result.end != ACQUIRE_COMPLETE)
		print_message("# %s\n", err.text);
	assert_int_equal(result.end, ACQUIRE_COMPLETE);
	assert_in_range(result.damaged, 1, 8192);
	assert_int_equal(result.capture.read_bytes,
		result.info.size_bytes - first.last.read_bytes + result.damaged * 512);
	assert_int_equal(second.last.read_bytes, result.capture.read_bytes);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(image, sizeof(image), "%s/x.ums", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(image);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_session_has_its_end),
		cmocka_unit_test(test_rounds_add_up),
	};

	simulate_time();
	return cmocka_run_group_tests_name("acquire", tests, setup, teardown);
}
