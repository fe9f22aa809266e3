/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bug 9/1: digests follow the position of what is committed, whatever checkpoints do.  The writer
 * is driven directly, with several places reserved ahead, into a file and through a pipe, with a
 * checkpoint at every place of a slot, forced or not.  The digest in the seal is compared with one
 * over the medium.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "capture/sink.h"
#include "image/image.h"
#include "proto/ums.h"

#define BLOCK	8192u
#define SLOT	128u /* sectors */
#define BLOCKS	(2 * SLOT + 50)
#define PLACE	12u /* sectors of a READ; does not divide a slot */
#define AHEAD	3u
#define NOWHERE UINT64_MAX

struct course {
	bool piped;
	bool all;
	bool errors; /* some sectors are bad */
	uint64_t at; /* the checkpoint comes before this sector is committed */
};

static const struct image_geometry geometry = {BLOCK, BLOCKS, (uint64_t)BLOCKS *BLOCK};
static const struct image_writer_options options = {.udif = true, .threads = 2};
static uint8_t medium[BLOCKS * BLOCK];
static char path[64];

static bool is_bad(const struct course *course, uint64_t lba)
{
	return course->errors &&
	       (lba == 0 || lba == 37 || (lba >= SLOT - 2 && lba < SLOT + 3) || lba == BLOCKS - 1);
}

static uint32_t place_length(uint64_t lba)
{
	uint64_t slot_left = SLOT - lba % SLOT, left = BLOCKS - lba;
	uint64_t n = slot_left < PLACE ? slot_left : PLACE;

	return (uint32_t)(n < left ? n : left);
}

/* Commits what is good of a place, sector by sector, with the checkpoint where the course says. */
static void fill_place(
	struct capture_sink *sink, const struct course *course, uint64_t lba, uint8_t *p)
{
	const struct block_reason why = {.status = 2, .sense_key = 3, .asc = 0x11, .tries = 1};
	uint32_t n = place_length(lba);

	for (uint64_t at = lba; at < lba + n; at++) {
		if (at == course->at)
			assert_int_equal(sink->ops->checkpoint(sink, 1, at, course->all, NULL), 0);
		if (is_bad(course, at)) {
			assert_int_equal(sink->ops->mark(sink, at, 1, BLOCK_BAD, &why, NULL), 0);
			continue;
		}
		memcpy(p + (at - lba) * BLOCK, medium + at * BLOCK, BLOCK);
		assert_int_equal(sink->ops->commit(sink, at, 1, BLOCK_GOOD, NULL, NULL), 0);
	}
	assert_int_equal(sink->ops->release(sink, lba, n, NULL), 0);
}

static void fill(struct image_writer *writer, const struct course *course)
{
	struct capture_sink *sink = image_writer_sink(writer);
	uint64_t begin[AHEAD], next = 0;
	uint8_t *place[AHEAD];
	unsigned int n = 0;

	assert_true(sink->most_open >= 2);
	while (next < BLOCKS || n > 0) {
		if (n < AHEAD && next < BLOCKS) {
			place[n] = sink->ops->reserve(sink, next, place_length(next), NULL);
			assert_non_null(place[n]);
			/* What was there before must not pass for sectors. */
			memset(place[n], 0xee, (size_t)place_length(next) * BLOCK);
			begin[n++] = next;
			next += place_length(next);
			continue;
		}
		fill_place(sink, course, begin[0], place[0]);
		n--;
		memmove(begin, begin + 1, n * sizeof(begin[0]));
		memmove(place, place + 1, n * sizeof(place[0]));
	}
}

/* A writer on the file, or on the same file as standard output. */
static struct image_writer *begin(const struct course *course, int *stdout_before)
{
	struct image_writer *writer;
	struct err err = {0};
	int fd;

	unlink(path);
	if (course->piped) {
		fflush(stdout);
		*stdout_before = dup(STDOUT_FILENO);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
		close(fd);
	}
	writer = image_create(course->piped ? "-" : path, &geometry, &options, &err);
	if (course->piped) {
		assert_true(dup2(*stdout_before, STDOUT_FILENO) >= 0);
		close(*stdout_before);
	}
	if (!writer)
		fail_msg("%s", err.text);
	return writer;
}

static void expected_digest(const struct course *course, uint8_t out[32])
{
	static const uint8_t zeros[BLOCK];
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (uint64_t lba = 0; lba < BLOCKS; lba++)
		EVP_DigestUpdate(
			context, is_bad(course, lba) ? zeros : medium + lba * BLOCK, BLOCK);
	EVP_DigestFinal_ex(context, out, NULL);
	EVP_MD_CTX_free(context);
}

static unsigned int count_data_records(void)
{
	FILE *file = fopen(path, "rb");
	uint8_t head[UMS_RECORD_HEAD_SIZE];
	unsigned int n = 0;

	assert_non_null(file);
	while (fread(head, 1, sizeof(head), file) == sizeof(head) &&
		get_le32(head + REC_MAGIC) == UMS_RECORD_MAGIC) {
		n += get_le32(head + REC_TYPE) == UMS_TYPE_DATA;
		fseek(file,
			(long)((get_le64(head + REC_LENGTH) + UMS_ALIGN - 1) / UMS_ALIGN *
				UMS_ALIGN),
			SEEK_CUR);
	}
	fclose(file);
	return n;
}

static void found(void *context, const char *text)
{
	(void)context;
	print_error("%s\n", text);
}

/* Returns the plain bytes that were read back for the seal. */
static uint64_t check_course(const struct course *course)
{
	struct image_verify_report report;
	struct image_writer *writer;
	uint8_t want[32];
	int stdout_before = -1;
	uint64_t read_back;
	struct err err = {0};

	writer = begin(course, &stdout_before);
	fill(writer, course);
	if (image_writer_seal(writer, true, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	read_back = image_writer_read_back_bytes(writer);
	expected_digest(course, want);
	if (memcmp(image_writer_info(writer)->digest[0], want, 32) != 0)
		fail_msg("wrong digest: checkpoint%s before sector %lu%s",
			course->all ? " of all" : "", (unsigned long)course->at,
			course->piped ? ", through a pipe" : "");
	assert_int_equal(image_writer_close(writer, NULL), 0);
	assert_int_equal(image_verify(path, found, NULL, NULL, &report, &err), 0);
	assert_int_equal(report.problems, 0);
	return read_back;
}

static void test_file_without_checkpoint(void **state)
{
	const struct course course = {.at = NOWHERE};

	(void)state;
	assert_int_equal(check_course(&course), 0);
	assert_int_equal(count_data_records(), 3);
}

/* One that is not forced leaves no trace: nothing is read back, each slot is stored once. */
static void test_file_not_forced(void **state)
{
	struct course course = {.all = false};

	(void)state;
	for (course.at = SLOT - 3; course.at < 2 * SLOT + 3; course.at++) {
		assert_int_equal(check_course(&course), 0);
		assert_int_equal(count_data_records(), 3);
	}
}

/* A forced one stores its slots in pieces, which are written once more; nothing else is read. */
static void test_file_forced(void **state)
{
	struct course course = {.all = true};

	(void)state;
	for (course.at = SLOT - 3; course.at < 2 * SLOT + 3; course.at++)
		assert_true(check_course(&course) <= SLOT * BLOCK);
}

static void test_file_with_errors(void **state)
{
	struct course course = {.errors = true};

	(void)state;
	for (course.at = 0; course.at < BLOCKS; course.at += 7) {
		course.all = !course.all;
		check_course(&course);
	}
}

static void test_pipe(void **state)
{
	struct course course = {.piped = true};

	(void)state;
	for (course.at = SLOT - 3; course.at < 2 * SLOT + 3; course.at++) {
		course.all = false;
		assert_int_equal(check_course(&course), 0);
		assert_int_equal(count_data_records(), 3);
		course.all = true;
		assert_int_equal(check_course(&course), 0);
	}
}

static void test_pipe_with_errors(void **state)
{
	struct course course = {.piped = true, .errors = true};

	(void)state;
	for (course.at = 0; course.at < BLOCKS; course.at += 3) {
		course.all = !course.all;
		assert_int_equal(check_course(&course), 0);
	}
}

/* What is committed can be read back at once, sent or not, while other places are reserved. */
static void test_read_back(void **state)
{
	struct image_writer *writer;
	struct capture_sink *sink;
	static uint8_t back[20 * BLOCK];
	uint8_t *p, *q;

	(void)state;
	unlink(path);
	writer = image_create(path, &geometry, &options, NULL);
	assert_non_null(writer);
	sink = image_writer_sink(writer);
	p = sink->ops->reserve(sink, 0, 10, NULL);
	q = sink->ops->reserve(sink, 10, 10, NULL);
	memcpy(p, medium, 10 * BLOCK);
	assert_int_equal(sink->ops->commit(sink, 0, 10, BLOCK_GOOD, NULL, NULL), 0);
	assert_int_equal(sink->ops->read_back(sink, 0, 10, back, NULL), 0);
	assert_memory_equal(back, medium, 10 * BLOCK);
	assert_int_equal(sink->ops->checkpoint(sink, 1, 10, true, NULL), 0);
	memcpy(q, medium + 10 * BLOCK, 10 * BLOCK);
	assert_int_equal(sink->ops->commit(sink, 10, 10, BLOCK_GOOD, NULL, NULL), 0);
	assert_int_equal(sink->ops->release(sink, 0, 10, NULL), 0);
	assert_int_equal(sink->ops->release(sink, 10, 10, NULL), 0);
	assert_int_equal(sink->ops->read_back(sink, 0, 20, back, NULL), 0);
	assert_memory_equal(back, medium, 20 * BLOCK);
	assert_non_null(sink->ops->reserve(sink, SLOT, 1, NULL));
	assert_int_equal(sink->ops->read_back(sink, 5, 10, back, NULL), 0);
	assert_memory_equal(back, medium + 5 * BLOCK, 10 * BLOCK);
	assert_int_equal(sink->ops->release(sink, SLOT, 1, NULL), 0);
	assert_int_equal(image_writer_close(writer, NULL), 0);
}

/* More slots than the sink has room for are refused, not waited for. */
static void test_too_many_slots(void **state)
{
	static const struct image_geometry large = {BLOCK, 64 * SLOT, 64ull * SLOT * BLOCK};
	struct image_writer *writer;
	struct capture_sink *sink;
	struct err err = {0};

	(void)state;
	unlink(path);
	writer = image_create(path, &large, &options, NULL);
	assert_non_null(writer);
	sink = image_writer_sink(writer);
	for (uint64_t i = 0; i < sink->most_open; i++)
		assert_non_null(sink->ops->reserve(sink, i * SLOT, 1, &err));
	assert_null(sink->ops->reserve(sink, sink->most_open * SLOT, 1, &err));
	assert_int_equal(sink->ops->release(sink, 0, 1, &err), 0);
	assert_non_null(sink->ops->reserve(sink, sink->most_open * SLOT, 1, &err));
	assert_int_equal(image_writer_close(writer, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_without_checkpoint),
		cmocka_unit_test(test_file_not_forced),
		cmocka_unit_test(test_file_forced),
		cmocka_unit_test(test_file_with_errors),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_pipe_with_errors),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_too_many_slots),
	};
	int r;

	for (size_t i = 0; i < sizeof(medium); i++)
		medium[i] = (uint8_t)(i / BLOCK * 7 + i % 13);
	snprintf(path, sizeof(path), "/tmp/umsctl-digests-%d.ums", (int)getpid());
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return r;
}
