/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts.  The writes of a capture of two generations are logged; then the log is cut at random
 * places, and of what had not been made durable by then each write is kept, dropped or torn.
 * Whatever file that leaves must open, call nothing good that is not, and be gone on with to a
 * whole image. SEED=n repeats a run; the links are in the Makefile (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "capture/sink.h"
#include "image/image.h"

#define BLOCKS	   9000u /* 4.4 MiB: five slots */
#define BAD	   4990u
#define N_BAD	   10u
#define CUTS	   300
#define MOST_STEPS 4000

static const struct image_geometry geometry = {512, BLOCKS, BLOCKS * 512u};
static const struct image_writer_options options = {.udif = true, .threads = 2};
static uint8_t medium[BLOCKS * 512];
static char path[64];

/* --- the log --- */

struct step {
	enum { STEP_WRITE, STEP_CUT, STEP_SYNC } kind;
	uint64_t offset; /* CUT: the new size */
	size_t len;
	uint8_t *bytes;
};

static struct step steps[MOST_STEPS];
static size_t n_steps;
static bool logging;

static struct step *log_step(void)
{
	assert_true(n_steps < MOST_STEPS);
	return &steps[n_steps++];
}

ssize_t __real_pwritev64(int fd, const struct iovec *piece, int n, off_t offset);
ssize_t __wrap_pwritev64(int fd, const struct iovec *piece, int n, off_t offset);
int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pwritev64(int fd, const struct iovec *piece, int n, off_t offset)
{
	ssize_t done = __real_pwritev64(fd, piece, n, offset);

	if (logging && done > 0) {
		struct step *step = log_step();
		size_t left = (size_t)done;

		step->kind = STEP_WRITE;
		step->offset = (uint64_t)offset;
		step->bytes = malloc(left);
		for (int i = 0; i < n && left > 0; i++) {
			size_t part = piece[i].iov_len < left ? piece[i].iov_len : left;

			if (part > 0)
				memcpy(step->bytes + step->len, piece[i].iov_base, part);
			step->len += part;
			left -= part;
		}
	}
	return done;
}

int __wrap_ftruncate64(int fd, off_t size)
{
	if (logging)
		*log_step() = (struct step){.kind = STEP_CUT, .offset = (uint64_t)size};
	return __real_ftruncate64(fd, size);
}

int __wrap_fdatasync(int fd)
{
	if (logging)
		log_step()->kind = STEP_SYNC;
	return __real_fdatasync(fd);
}

/* --- a capture --- */

static void put(struct image_writer *writer, uint64_t lba, uint64_t end)
{
	struct capture_sink *sink = image_writer_sink(writer);

	while (lba < end) {
		uint64_t slot_end = (lba / sink->slot_blocks + 1) * sink->slot_blocks;
		uint32_t n = (uint32_t)((slot_end < end ? slot_end : end) - lba);
		void *p = sink->ops->reserve(sink, lba, n, NULL);

		assert_non_null(p);
		memcpy(p, medium + lba * 512, (size_t)n * 512);
		assert_int_equal(sink->ops->commit(sink, lba, n, BLOCK_GOOD, NULL, NULL), 0);
		assert_int_equal(sink->ops->release(sink, lba, n, NULL), 0);
		lba += n;
	}
}

static void mark_bad(struct image_writer *writer)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct block_reason why = {.status = 2, .sense_key = 3, .asc = 0x11, .tries = 1};

	assert_int_equal(sink->ops->mark(sink, BAD, N_BAD, BLOCK_BAD, &why, NULL), 0);
}

static void checkpoint(struct image_writer *writer, uint64_t position)
{
	struct capture_sink *sink = image_writer_sink(writer);

	assert_int_equal(sink->ops->checkpoint(sink, 1, position, true, NULL), 0);
}

static void seal_and_close(struct image_writer *writer)
{
	struct err err = {0};

	if (image_writer_seal(writer, true, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(image_writer_close(writer, NULL), 0);
}

/* Two generations: pieces, marks, checkpoints, a stop, a seal; then the bad sectors after all. */
static void log_capture(void)
{
	struct image_writer *writer;
	struct capture_sink *sink;

	logging = true;
	writer = image_create(path, &geometry, &options, NULL);
	assert_non_null(writer);
	sink = image_writer_sink(writer);
	assert_int_equal(sink->ops->blob(sink, "identity", "a=b\n", 4, NULL), 0);
	put(writer, 0, 2500);
	checkpoint(writer, 2500);
	put(writer, 7000, BLOCKS);
	put(writer, 2500, 2600);
	checkpoint(writer, 2600);
	assert_int_equal(image_writer_close(writer, NULL), 0);

	writer = image_resume(path, &options, NULL);
	assert_non_null(writer);
	put(writer, 2600, BAD);
	put(writer, BAD + N_BAD, 7000);
	mark_bad(writer);
	checkpoint(writer, 7000);
	seal_and_close(writer);

	writer = image_resume(path, &options, NULL);
	assert_non_null(writer);
	put(writer, BAD, BAD + 4);
	checkpoint(writer, BAD + 4);
	put(writer, BAD + 4, BAD + N_BAD);
	seal_and_close(writer);
	logging = false;
}

/* --- a power cut --- */

static void apply(int fd, const struct step *step)
{
	if (step->kind == STEP_WRITE)
		assert_int_equal(pwrite(fd, step->bytes, step->len, (off_t)step->offset),
			(ssize_t)step->len);
	else if (step->kind == STEP_CUT)
		assert_int_equal(__real_ftruncate64(fd, (off_t)step->offset), 0);
}

/* Not yet durable: there, not there, or there in part, by sectors of the disk or to a byte. */
static void apply_perhaps(int fd, const struct step *step)
{
	struct step part = *step;

	switch (random() % 4) {
	case 0:
		return;
	case 1:
		apply(fd, step);
		return;
	case 2:
		if (part.len > 0)
			part.len = (size_t)random() % part.len;
		apply(fd, &part);
		return;
	default:
		for (size_t at = 0; step->kind == STEP_WRITE && at < step->len; at += 512) {
			part.offset = step->offset + at;
			part.bytes = step->bytes + at;
			part.len = step->len - at < 512 ? step->len - at : 512;
			if (random() % 2)
				apply(fd, &part);
		}
	}
}

/* The file as a power cut behind step N may leave it. */
static void rebuild(size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	size_t durable = 0;

	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		if (steps[i].kind == STEP_SYNC)
			durable = i;
	}
	for (size_t i = 0; i < durable; i++)
		apply(fd, &steps[i]);
	for (size_t i = durable; i < n; i++)
		apply_perhaps(fd, &steps[i]);
	close(fd);
}

/* What the image calls good must be; returns the number of good sectors. */
static uint64_t check_good(struct image *image)
{
	static uint8_t plain[BLOCKS * 512];
	struct err err = {0};

	if (image_read(image, 0, sizeof(plain), plain, &err) < 0)
		fail_msg("%s", err.text);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		if (BLOCK_MASK(blockmap_at(image_map(image), i).state) & BLOCK_HAVE)
			assert_memory_equal(plain + i * 512, medium + i * 512, 512);
	}
	return blockmap_count(image_map(image), BLOCK_HAVE);
}

static void finish(void)
{
	struct err err = {0};
	struct image_writer *writer = image_resume(path, &options, &err);
	struct block_range range;

	if (!writer)
		fail_msg("%s", err.text);
	while (blockmap_next(image_writer_map(writer), 0, BLOCK_MISSING, &range))
		put(writer, range.lba, range.lba + range.n);
	seal_and_close(writer);
}

static void found(void *context, const char *text)
{
	(void)context;
	print_error("%s\n", text);
}

static void check_whole(void)
{
	struct image_verify_report report;
	struct image *image = image_open(path, NULL);

	assert_non_null(image);
	assert_true(image_info(image)->sealed);
	assert_int_equal(check_good(image), BLOCKS);
	image_close(image);
	assert_int_equal(image_verify(path, found, NULL, NULL, &report, NULL), 0);
	assert_int_equal(report.problems, 0);
}

/* Steps up to the first checkpoint's barrier; before it an image may have nothing yet. */
static size_t first_barrier(void)
{
	size_t i = 0;

	while (steps[i].kind != STEP_SYNC)
		i++;
	return i + 1;
}

static void test_cuts(void **state)
{
	size_t first = first_barrier();
	uint64_t most = 0;

	(void)state;
	for (int i = 0; i < CUTS; i++) {
		size_t n = first + (size_t)random() % (n_steps - first + 1);
		struct image *image;
		struct err err = {0};

		rebuild(n);
		image = image_open(path, &err);
		if (!image)
			fail_msg("cut %d behind step %zu: %s", i, n, err.text);
		most = check_good(image) > most ? check_good(image) : most;
		image_close(image);
		finish();
		check_whole();
	}
	assert_true(most > BLOCKS / 2);
}

/* What a checkpoint has said must be there after every cut behind it. */
static void test_nothing_durable_is_lost(void **state)
{
	size_t syncs[MOST_STEPS], n_syncs = 0;
	uint64_t before = 0;

	(void)state;
	for (size_t i = 0; i < n_steps; i++) {
		if (steps[i].kind == STEP_SYNC)
			syncs[n_syncs++] = i + 1;
	}
	/* Up to the seal of the first generation the good sectors can only grow. */
	for (size_t i = 0; i < n_syncs; i++) {
		struct image *image;
		uint64_t good;

		rebuild(syncs[i]);
		image = image_open(path, NULL);
		assert_non_null(image);
		good = check_good(image);
		assert_true(good >= before);
		before = good;
		image_close(image);
	}
	assert_int_equal(before, BLOCKS);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	for (size_t i = 0; i < n_steps; i++)
		free(steps[i].bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_durable_is_lost),
		cmocka_unit_test(test_cuts),
	};
	const char *given = getenv("SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "# SEED=%u\n", seed);
	srandom(seed);
	for (size_t i = 0; i < sizeof(medium); i++)
		medium[i] = (uint8_t)(i / 51200 % 3 == 0   ? "power "[i % 6]
				      : i / 51200 % 3 == 1 ? random()
							   : 0);
	snprintf(path, sizeof(path), "/tmp/umsctl-powercut-XXXXXX");
	close(mkstemp(path));
	unlink(path);
	log_capture();
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
