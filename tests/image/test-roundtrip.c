/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes into an image comes out again: sealed, unsealed, resumed, in pieces, over a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/sink.h"
#include "image/image.h"

#define BLOCKS 9000u /* 4.4 MiB: five slots, the last one short */

static const struct image_geometry geometry = {512, BLOCKS, BLOCKS * 512u};
static const struct image_writer_options options = {.udif = true, .threads = 2};
static uint8_t medium[BLOCKS * 512];
static char path[] = "/tmp/umsctl-test-XXXXXX";

/* A third text, a third noise, a third zero, changing every 100 sectors. */
static void fill_medium(void)
{
	srand(7);
	for (size_t i = 0; i < sizeof(medium); i++) {
		size_t kind = i / 51200 % 3;

		medium[i] = (uint8_t)(kind == 0 ? "capture "[i % 8] : kind == 1 ? rand() : 0);
	}
}

static void put(struct image_writer *writer, uint64_t lba, uint32_t n)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct err err;

	while (n > 0) {
		uint64_t end = (lba / sink->slot_blocks + 1) * sink->slot_blocks;
		uint32_t part = (uint32_t)(end - lba < n ? end - lba : n);
		void *p = sink->ops->reserve(sink, lba, part, &err);

		assert_non_null(p);
		memcpy(p, medium + lba * 512, (size_t)part * 512);
		assert_int_equal(sink->ops->commit(sink, lba, part, BLOCK_GOOD, NULL, &err), 0);
		assert_int_equal(sink->ops->release(sink, lba, part, &err), 0);
		lba += part;
		n -= part;
	}
}

static void mark(struct image_writer *writer, uint64_t lba, uint64_t n, enum block_state state)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct block_reason why = {.status = 2, .sense_key = 3, .asc = 0x11, .tries = 1};

	assert_int_equal(sink->ops->mark(sink, lba, n, state, &why, NULL), 0);
}

static struct image_writer *begin(void)
{
	struct image_writer *writer;
	struct err err = {0};

	snprintf(path, sizeof(path), "/tmp/umsctl-test-XXXXXX");
	close(mkstemp(path));
	unlink(path);
	writer = image_create(path, &geometry, &options, &err);
	if (!writer)
		print_error("%s\n", err.text);
	assert_non_null(writer);
	return writer;
}

static struct image_writer *again(void)
{
	struct err err = {0};
	struct image_writer *writer = image_resume(path, &options, &err);

	if (!writer)
		print_error("%s\n", err.text);
	assert_non_null(writer);
	return writer;
}

static void found(void *context, const char *text)
{
	(void)context;
	print_error("%s\n", text);
}

/* Reads all back, with sectors BAD … BAD+N_BAD-1 zero, and verifies. */
static void check(bool sealed, uint64_t bad, uint64_t n_bad)
{
	struct image_verify_report report;
	struct err err = {0};
	struct image *image = image_open(path, &err);
	uint8_t *plain = malloc(sizeof(medium));

	if (!image)
		print_error("%s\n", err.text);
	assert_non_null(image);
	assert_int_equal(image_info(image)->sealed, sealed);
	assert_int_equal(image_read(image, 0, sizeof(medium), plain, &err), 0);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		if (i >= bad && i < bad + n_bad)
			assert_int_not_equal(blockmap_at(image_map(image), i).state, BLOCK_GOOD);
		else
			assert_memory_equal(plain + i * 512, medium + i * 512, 512);
	}
	assert_int_equal(blockmap_count(image_map(image), BLOCK_HAVE), BLOCKS - n_bad);
	image_close(image);
	free(plain);
	assert_int_equal(image_verify(path, found, NULL, NULL, &report, &err), 0);
	assert_int_equal(report.problems, sealed ? 0 : 1);
	assert_true(report.chunks > 30);
}

static void test_whole(void **state)
{
	struct image_writer *writer = begin();

	(void)state;
	put(writer, 0, BLOCKS);
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(true, 0, 0);
	unlink(path);
}

static void test_unsealed(void **state)
{
	struct image_writer *writer = begin();

	(void)state;
	put(writer, 0, BLOCKS);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(false, 0, 0);
	writer = again();
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(true, 0, 0);
	unlink(path);
}

/* Backwards, in uneven pieces, with a checkpoint and a bad area; then the bad area in a second
 * generation. */
static void test_pieces(void **state)
{
	struct image_writer *writer = begin();
	struct capture_sink *sink = image_writer_sink(writer);

	(void)state;
	put(writer, 5000, 4000);
	put(writer, 3000, 1990);
	assert_int_equal(sink->ops->checkpoint(sink, 1, 3000, true, NULL), 0);
	put(writer, 0, 17);
	put(writer, 19, 2981);
	put(writer, 17, 2);
	mark(writer, 4990, 10, BLOCK_BAD);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(false, 4990, 10);

	writer = again();
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(true, 4990, 10);

	writer = again();
	assert_int_equal(image_writer_info(writer)->generation, 1);
	put(writer, 4990, 5);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(false, 4995, 5);
	writer = again();
	put(writer, 4995, 5);
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	assert_int_equal(image_writer_info(writer)->generation, 2);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(true, 0, 0);
	unlink(path);
}

/* Opened for writing and closed again, a sealed image is the same file. */
static void test_untouched(void **state)
{
	struct image_writer *writer = begin();
	uint64_t before;

	(void)state;
	put(writer, 0, BLOCKS);
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	before = image_writer_info(writer)->file_bytes;
	assert_int_equal(image_writer_close(writer, NULL), 0);
	writer = again();
	assert_int_equal(image_writer_info(writer)->file_bytes, before);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	check(true, 0, 0);
	unlink(path);
}

static int count_blob(void *context, const char *name, const void *bytes, size_t len)
{
	assert_string_equal(name, "inquiry");
	assert_int_equal(len, 5);
	assert_memory_equal(bytes, "newer", 5);
	++*(int *)context;
	return 0;
}

static int count_line(void *context, const char *json)
{
	char want[32];

	snprintf(want, sizeof(want), "{\"n\":%d}", ++*(int *)context);
	assert_string_equal(json, want);
	return 0;
}

static void test_blobs(void **state)
{
	struct image_writer *writer = begin();
	struct capture_sink *sink = image_writer_sink(writer);
	struct image *image;
	int n = 0;

	(void)state;
	assert_int_equal(sink->ops->blob(sink, "inquiry", "older", 5, NULL), 0);
	assert_int_equal(sink->ops->journal(sink, "{\"n\":1}", NULL), 0);
	put(writer, 0, BLOCKS);
	assert_int_equal(sink->ops->blob(sink, "inquiry", "newer", 5, NULL), 0);
	assert_int_equal(sink->ops->journal(sink, "{\"n\":2}", NULL), 0);
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	image = image_open(path, NULL);
	assert_non_null(image);
	assert_int_equal(image_blobs(image, count_blob, &n, NULL), 0);
	assert_int_equal(n, 1);
	n = 0;
	assert_int_equal(image_journal(image, count_line, &n, NULL), 0);
	assert_int_equal(n, 2);
	image_close(image);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_unsealed),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_blobs),
	};

	fill_medium();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
