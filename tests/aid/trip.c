/* SPDX-License-Identifier: BSD-2-Clause */
/* See trip.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/aid/trip.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"
#include "sim/pattern.h"
#include "tests/aid/makeimage.h"

uint8_t trip_medium[TRIP_BLOCKS * 512];
char trip_image[64];
static char folder[] = "/tmp/umsctl-test-XXXXXX";
static char device[300];

const char *trip_path(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void trip_begin(void)
{
	if (!mkdtemp(folder))
		fail_msg("no folder");
	pattern_mixed(20, 0, trip_medium, TRIP_BLOCKS);
	write_file(trip_path("medium"), trip_medium, sizeof(trip_medium));
	snprintf(trip_image, sizeof(trip_image), "%s", trip_path("image.ums"));
}

void trip_no_image(void)
{
	unlink(trip_image);
}

void trip_end(void)
{
	trip_no_image();
	unlink(trip_path("medium"));
	rmdir(folder);
}

void trip_plan(struct trip *trip, const char *settings)
{
	snprintf(device, sizeof(device), "sim:blank,file=%s%s", trip_path("medium"), settings);
	*trip = (struct trip){.options = {.device = device, .image = trip_image}};
}

/* --- what the observer is told --- */

static void trip_notice(void *context, const struct capture_notice *notice)
{
	struct trip *trip = context;

	(void)notice;
	trip->notices++;
	if (trip->notices == trip->stop_at)
		trip->stop = true;
}

static void trip_reading_back(void *context, uint64_t done, uint64_t all)
{
	struct trip *trip = context;

	assert_true(done <= all);
	trip->read_back = done;
}

/* --- a pipe --- */

struct reader {
	int from, to;
	pthread_t thread;
};

static void *read_pipe(void *argument)
{
	struct reader *reader = argument;
	char bytes[65536];
	ssize_t n;

	while ((n = read(reader->from, bytes, sizeof(bytes))) > 0) {
		if (write(reader->to, bytes, (size_t)n) != n)
			break;
	}
	close(reader->from);
	close(reader->to);
	return NULL;
}

/* What comes out of standard output goes into trip_image; returns what standard output was. */
static int pipe_begin(struct reader *reader)
{
	int ends[2], before;

	fflush(stdout);
	before = dup(STDOUT_FILENO);
	if (before < 0 || pipe2(ends, O_CLOEXEC) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		fail_msg("no pipe");
	close(ends[1]);
	reader->from = ends[0];
	reader->to = open(trip_image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (thread_start(&reader->thread, read_pipe, reader, NULL) < 0)
		fail_msg("no thread");
	return before;
}

static void pipe_end(struct reader *reader, int before)
{
	dup2(before, STDOUT_FILENO);
	close(before);
	pthread_join(reader->thread, NULL);
}

enum acquire_end trip_run(struct trip *trip)
{
	const struct acquire_observer observer = {
		.notice = trip_notice, .reading_back = trip_reading_back, .context = trip};
	struct reader reader;
	bool piped = trip->options.image && strcmp(trip->options.image, "-") == 0;
	int before = piped ? pipe_begin(&reader) : -1;

	trip->options.stop = &trip->stop;
	acquire_run(&trip->options, &observer, &trip->result, &trip->err);
	if (piped)
		pipe_end(&reader, before);
	return trip->result.end;
}

/* --- what is there --- */

static void keep_finding(void *context, const char *text)
{
	snprintf(context, 500, "%s", text);
}

static uint64_t check_good(struct image *image)
{
	static uint8_t bytes[TRIP_BLOCKS * 512];
	struct block_range range;
	struct err err;

	assert_int_equal(image_info(image)->n_blocks, TRIP_BLOCKS);
	for (uint64_t lba = 0; blockmap_next(image_map(image), lba, BLOCK_HAVE, &range);
		lba = range.lba + range.n) {
		size_t len = (size_t)range.n * 512;

		if (image_read(image, range.lba * 512, len, bytes, &err) < 0)
			fail_msg("%s", err.text);
		assert_memory_equal(bytes, trip_medium + range.lba * 512, len);
	}
	return blockmap_count(image_map(image), BLOCK_HAVE);
}

uint64_t trip_check(void)
{
	struct image_verify_report report;
	struct image *image;
	struct err err;
	char found[500] = "";
	uint64_t good;

	if (image_verify(trip_image, keep_finding, NULL, found, &report, &err) < 0)
		fail_msg("%s", err.text);
	image = image_open(trip_image, &err);
	if (!image)
		fail_msg("%s", err.text);
	/* That it is not sealed is the one thing that may be wrong. */
	if (report.problems != !image_info(image)->sealed)
		fail_msg("%s", found);
	assert_int_equal(report.bad_chunks, 0);
	assert_int_equal(
		report.digests, image_info(image)->hashes ? IMAGE_DIGESTS_FIT : IMAGE_DIGESTS_NONE);
	good = check_good(image);
	image_close(image);
	return good;
}

const uint8_t *trip_sha256(void)
{
	static uint8_t digest[SHA256_DIGEST_LENGTH];

	return SHA256(trip_medium, sizeof(trip_medium), digest);
}

struct search {
	const char *event;
	char *line;
	size_t room;
	unsigned int n;
};

static int search_line(void *context, const char *json)
{
	struct search *search = context;
	struct json_object *line = json_read(json);

	assert_non_null(line);
	if (strcmp(json_text_of(line, "event"), search->event) == 0) {
		search->n++;
		if (search->line)
			snprintf(search->line, search->room, "%s", json);
	}
	json_object_put(line);
	return 0;
}

unsigned int trip_journal(const char *event, char *line, size_t room)
{
	struct search search = {.event = event, .line = line, .room = room};
	struct err err;
	struct image *image = image_open(trip_image, &err);

	if (!image || image_journal(image, search_line, &search, &err) < 0)
		fail_msg("%s", err.text);
	image_close(image);
	return search.n;
}
