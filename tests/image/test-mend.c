/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bug 9/8: damage is survived.  One byte of a sealed image is flipped, at many places; the image is
 * opened to go on with, what is damaged is put back and read from the drive again, and sealed.  A
 * session that adds nothing leaves every byte as it was.  SEED=n repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/sink.h"
#include "proto/ums.h"
#include "tests/aid/makeimage.h"

#define FLIPS 120

static const struct image_writer_options options = {.udif = true, .threads = 2};
static char path[64];

static uint8_t *read_file(const char *name, size_t *len)
{
	FILE *file = fopen(name, "rb");
	uint8_t *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*len = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*len + 1);
	assert_int_equal(fread(bytes, 1, *len, file), *len);
	fclose(file);
	return bytes;
}

static void assert_file_is(const uint8_t *bytes, size_t len, const char *when)
{
	size_t now;
	uint8_t *have = read_file(path, &now);

	if (now != len || memcmp(have, bytes, len) != 0)
		fail_msg("%s: the file is not what it was (%zu bytes, were %zu)", when, now, len);
	free(have);
}

/* Sectors LBA … END-1 as the drive has them. */
static void put(struct image_writer *writer, uint64_t lba, uint64_t end)
{
	struct capture_sink *sink = image_writer_sink(writer);

	while (lba < end) {
		uint64_t slot_end = (lba / sink->slot_blocks + 1) * sink->slot_blocks;
		uint32_t n = (uint32_t)((slot_end < end ? slot_end : end) - lba);
		void *p = sink->ops->reserve(sink, lba, n, NULL);

		assert_non_null(p);
		memcpy(p, made_medium + lba * 512, (size_t)n * 512);
		assert_int_equal(sink->ops->commit(sink, lba, n, BLOCK_GOOD, NULL, NULL), 0);
		assert_int_equal(sink->ops->release(sink, lba, n, NULL), 0);
		lba += n;
	}
}

/* As a capture does: all that is untried. */
static void put_untried(struct image_writer *writer)
{
	struct block_range range;

	while (blockmap_next(image_writer_map(writer), 0, BLOCK_MASK(BLOCK_UNTRIED), &range))
		put(writer, range.lba, range.lba + range.n);
}

static void found(void *context, const char *text)
{
	char *all = context;
	size_t n = strlen(all);

	snprintf(all + n, 2000 - n, "%s\n", text);
}

static struct image_writer *open_again(const char *when)
{
	struct err err = {0};
	struct image_writer *writer = image_resume(path, &options, &err);

	if (!writer)
		fail_msg("%s: %s", when, err.text);
	return writer;
}

/* Sealed, with everything that was there; of damage at most that of journal and blobs is left,
 * which no drive can bring back. */
static void check_whole(const char *when, bool bad_is_known)
{
	char findings[2000] = "";
	struct image_verify_report report;
	struct image *image;
	struct err err = {0};

	if (image_verify(path, found, NULL, findings, &report, &err) < 0)
		fail_msg("%s: %s", when, err.text);
	if (report.problems > 0 && !strstr(findings, "JRNL") && !strstr(findings, "BLOB") &&
		!strstr(findings, "no record of this image"))
		fail_msg("%s: %s", when, findings);
	assert_int_equal(report.bad_chunks, 0);
	assert_int_equal(report.digests, IMAGE_DIGESTS_FIT);
	image = image_open(path, &err);
	assert_non_null(image);
	assert_true(image_info(image)->sealed);
	assert_true(good_is_good(image));
	if (blockmap_count(image_map(image), BLOCK_MISSING) > MADE_N_BAD)
		fail_msg("%s: sectors were lost", when);
	if (bad_is_known && blockmap_count(image_map(image), BLOCK_MASK(BLOCK_BAD)) != MADE_N_BAD)
		fail_msg("%s: the bad sectors were lost", when);
	image_close(image);
}

/* Check, read what was put back, check again. */
static uint64_t mend(struct image_writer *writer, const char *when)
{
	uint64_t put_back, again;
	struct err err = {0};

	if (image_writer_check(writer, true, NULL, NULL, &put_back, &err) < 0)
		fail_msg("%s: %s", when, err.text);
	put_untried(writer);
	if (image_writer_check(writer, true, NULL, NULL, &again, &err) < 0)
		fail_msg("%s: %s", when, err.text);
	assert_int_equal(again, 0);
	return put_back;
}

/* Any byte but those of HEAD, without which there is no image. */
static size_t some_place(size_t whole)
{
	size_t first = UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE;

	return first + (size_t)random() % (whole - first);
}

static void test_flip_and_capture(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);
	uint64_t all_put_back = 0;

	(void)state;
	for (int i = 0; i < FLIPS; i++) {
		size_t at = some_place(whole);
		struct image_writer *writer;
		struct err err = {0};
		char when[64];

		snprintf(when, sizeof(when), "byte %zu of %zu", at, whole);
		bytes[at] ^= 0x10;
		write_file(path, bytes, whole);
		writer = open_again(when);
		all_put_back += mend(writer, when);
		if (image_writer_seal(writer, true, NULL, NULL, &err) < 0)
			fail_msg("%s: %s", when, err.text);
		assert_int_equal(image_writer_close(writer, &err), 0);
		check_whole(when, true);
		bytes[at] ^= 0x10;
	}
	assert_true(all_put_back > 0);
	free(bytes);
}

/* The same of an image that was stopped, or cut off: the bad sectors may have to be found again. */
static void test_flip_unsealed(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, false, &whole);

	(void)state;
	for (int i = 0; i < FLIPS; i++) {
		size_t at = some_place(whole);
		struct image_writer *writer;
		struct err err = {0};
		char when[64];

		snprintf(when, sizeof(when), "byte %zu of %zu, not sealed", at, whole);
		bytes[at] ^= 0x10;
		write_file(path, bytes, whole);
		writer = open_again(when);
		mend(writer, when);
		if (image_writer_seal(writer, true, NULL, NULL, &err) < 0)
			fail_msg("%s: %s", when, err.text);
		assert_int_equal(image_writer_close(writer, &err), 0);
		check_whole(when, false);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

/* The drive has gone: nothing comes back, and nothing that reads is lost. */
static void test_flip_without_a_drive(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	for (int i = 0; i < FLIPS; i++) {
		size_t at = some_place(whole);
		struct image_writer *writer;
		uint64_t put_back;
		bool was_sealed;
		struct err err = {0};
		char when[64];

		snprintf(when, sizeof(when), "byte %zu of %zu", at, whole);
		bytes[at] ^= 0x10;
		write_file(path, bytes, whole);
		writer = open_again(when);
		was_sealed = image_writer_info(writer)->sealed;
		assert_int_equal(image_writer_check(writer, true, NULL, NULL, &put_back, &err), 0);
		/* The seal may bring the index or a trailer back, but claims no lost sector. */
		if (image_writer_seal(writer, true, NULL, NULL, &err) < 0) {
			assert_int_equal(err.kind, ERR_BAD_IMAGE);
			assert_true(put_back > 0);
		}
		if (image_writer_close(writer, &err) < 0)
			fail_msg("%s: %s", when, err.text);
		if (put_back > 0 && was_sealed)
			assert_file_is(bytes, whole, when);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

/* Opened and closed, with a line of the journal as every session writes: byte for byte as it was,
 * damaged or not. */
static void test_nothing_gained(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	for (int i = 0; i < 60; i++) {
		const struct block_reason why = {.status = 2, .sense_key = 3, .tries = 2};
		size_t at = some_place(whole);
		struct image_writer *writer;
		struct capture_sink *sink;
		char when[64];

		snprintf(when, sizeof(when), "byte %zu of %zu", at, whole);
		/* Footer and trailer whole, else the image is not sealed. */
		if (i > 0 && at > whole - 4096)
			continue;
		if (i > 0)
			bytes[at] ^= 0x10;
		write_file(path, bytes, whole);
		writer = open_again(when);
		sink = image_writer_sink(writer);
		assert_int_equal(sink->ops->journal(sink, "{\"event\":\"begin\"}", NULL), 0);
		assert_int_equal(
			sink->ops->mark(sink, MADE_BAD, MADE_N_BAD, BLOCK_BAD, &why, NULL), 0);
		assert_int_equal(sink->ops->checkpoint(sink, 1, 0, true, NULL), 0);
		assert_int_equal(image_writer_close(writer, NULL), 0);
		assert_file_is(bytes, whole, when);
		if (i > 0)
			bytes[at] ^= 0x10;
	}
	free(bytes);
}

/* A note is worth a generation, and a sector; the old seal's bytes stay where they are. */
static void test_gained(void **state)
{
	size_t whole, now;
	uint8_t *bytes = make_image(path, true, &whole), *have;

	(void)state;
	for (int note = 0; note < 2; note++) {
		struct image_writer *writer;
		struct image *image;

		write_file(path, bytes, whole);
		writer = open_again("gained");
		if (note)
			image_writer_keep(writer);
		else
			put(writer, MADE_BAD, MADE_BAD + 1);
		assert_int_equal(image_writer_sink(writer)->ops->journal(
					 image_writer_sink(writer), "{\"event\":\"note\"}", NULL),
			0);
		assert_int_equal(image_writer_close(writer, NULL), 0);
		have = read_file(path, &now);
		assert_true(now > whole);
		assert_memory_equal(have, bytes, whole);
		free(have);
		image = image_open(path, NULL);
		assert_non_null(image);
		assert_false(image_info(image)->sealed);
		assert_true(good_is_good(image));
		assert_int_equal(blockmap_count(image_map(image), BLOCK_MISSING),
			MADE_N_BAD - (note ? 0 : 1));
		image_close(image);
		assert_int_equal(finish_image(path, NULL), 0);
		check_whole("gained", false);
	}
	free(bytes);
}

/* Killed at any moment of a session on a sealed image with a damaged place: what is then in the
 * file opens with all that was there. */
static void test_killed(void **state)
{
	size_t whole, end;
	uint8_t *bytes = make_image(path, true, &whole), *later;

	(void)state;
	for (int i = 0; i < 12; i++) {
		size_t at = some_place(whole - 8192);
		struct image_writer *writer;
		char when[64];

		snprintf(when, sizeof(when), "byte %zu of %zu", at, whole);
		bytes[at] ^= 0x10;
		write_file(path, bytes, whole);
		writer = open_again(when);
		put(writer, MADE_BAD, MADE_BAD + 3);
		mend(writer, when);
		assert_int_equal(image_writer_close(writer, NULL), 0);
		later = read_file(path, &end);
		assert_true(end > whole);
		for (size_t cut = whole; cut < end; cut += 1 + (size_t)random() % 4000) {
			struct image *image;
			uint64_t missing;

			write_file(path, later, cut);
			image = image_open(path, NULL);
			if (!image)
				fail_msg("%s, cut at %zu: does not open", when, cut);
			assert_true(good_is_good(image));
			missing = blockmap_count(image_map(image), BLOCK_MISSING);
			image_close(image);
			/* At most one damaged run is missing. */
			if (missing > MADE_N_BAD + 2048)
				fail_msg("%s, cut at %zu: %lu sectors missing", when, cut,
					(unsigned long)missing);
		}
		free(later);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flip_and_capture),
		cmocka_unit_test(test_flip_unsealed),
		cmocka_unit_test(test_flip_without_a_drive),
		cmocka_unit_test(test_nothing_gained),
		cmocka_unit_test(test_gained),
		cmocka_unit_test(test_killed),
	};
	const char *given = getenv("SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "# SEED=%u\n", seed);
	srandom(seed);
	snprintf(path, sizeof(path), "/tmp/umsctl-mend-%d.ums", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
