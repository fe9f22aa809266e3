/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain file, or one on a file system whose server has died, that the host cannot read: what an
 * acquisition makes of the host's errors.  No sense data is invented, and only an error of the
 * medium makes a sector bad, and only when something else of the source can be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "base/errnum.h"
#include "tests/aid/simulated.h"

#define BLOCK 512u

static char folder[] = "/tmp/umsctl-host-XXXXXX";
static char source[64], image[64];

/* --- what stands between the transport and the system --- */

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset);

static dev_t dev; /* the source's */
static ino_t ino;
static int error; /* of reads of it that touch these sectors; 0: none fails */
static off_t from, to;

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset)
{
	struct stat st;

	if (error && offset < to * BLOCK && offset + (off_t)len > from * BLOCK &&
		fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino) {
		errno = error;
		return -1;
	}
	return __real_pread64(fd, bytes, len, offset);
}

/* --- acquisitions of it --- */

static void make_source(unsigned int blocks)
{
	FILE *f = fopen(source, "w");
	struct stat st;

	assert_non_null(f);
	for (unsigned int i = 0; i < blocks * BLOCK; i++)
		putc((int)(i * 7 + i / BLOCK), f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(fclose(f), 0);
	dev = st.st_dev;
	ino = st.st_ino;
	unlink(image);
}

static struct acquire_result acquire(int with, off_t first, off_t end, struct err *err)
{
	const struct acquire_observer observer = {.context = NULL};
	const struct acquire_options options = {.device = source, .image = image};
	struct acquire_result result;

	error = with;
	from = first;
	to = end;
	acquire_run(&options, &observer, &result, err);
	error = 0;
	return result;
}

static void test_some_sectors(void **state)
{
	struct acquire_result result;
	struct block_range range;
	struct image *opened;
	struct err err;

	(void)state;
	make_source(1000);
	result = acquire(EIO, 50, 53, &err);
	assert_int_equal(result.end, ACQUIRE_UNREADABLE);
	assert_int_equal(result.counts.by_state[BLOCK_BAD], 3);
	assert_true(result.info.sealed);
	opened = image_open(image, &err);
	assert_non_null(opened);
	range = blockmap_at(image_map(opened), 50);
	assert_int_equal(range.n, 3);
	assert_string_equal(errnum_name(range.why.error), "EIO");
	assert_int_equal(range.why.status, 0);
	assert_int_equal(range.why.sense_key, 0);
	assert_int_equal(range.why.asc, 0);
	image_close(opened);
}

/* Whatever its size: it does not read, no sector is to blame, and nothing is sealed. */
static void test_all_sectors(void **state)
{
	static const int errors[] = {EIO, ENOTCONN, EREMOTEIO};
	static const unsigned int sizes[] = {1, 4, 1000};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct acquire_result result;
		struct err err;

		make_source(sizes[i / 3]);
		result = acquire(errors[i % 3], 0, 1000, &err);
		assert_int_equal(result.end, ACQUIRE_STOPPED);
		assert_int_equal(err.kind, ERR_GONE);
		assert_false(result.info.sealed);
		assert_int_equal(result.counts.by_state[BLOCK_BAD], 0);
		assert_int_equal(result.counts.by_state[BLOCK_FAILED], 0);
	}
}

/* The server of its file system has died in the middle: what was read stays, the rest is not held
 * against its sectors, and the next session goes on. */
static void test_server_dies(void **state)
{
	struct acquire_result result;
	struct err err;

	(void)state;
	make_source(20000);
	result = acquire(ENOTCONN, 10000, 20000, &err);
	assert_int_equal(result.end, ACQUIRE_STOPPED);
	assert_int_equal(err.kind, ERR_GONE);
	assert_int_equal(result.counts.by_state[BLOCK_BAD], 0);
	assert_int_equal(result.counts.by_state[BLOCK_FAILED], 0);
	assert_in_range(result.counts.by_state[BLOCK_GOOD], 1, 10000);
	result = acquire(0, 0, 0, &err);
	assert_int_equal(result.end, ACQUIRE_COMPLETE);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(source, sizeof(source), "%s/x.raw", folder);
	snprintf(image, sizeof(image), "%s/x.ums", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(source);
	unlink(image);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some_sectors),
		cmocka_unit_test(test_all_sectors),
		cmocka_unit_test(test_server_dies),
	};

	simulate_time();
	return cmocka_run_group_tests_name("hosterror", tests, setup, teardown);
}
