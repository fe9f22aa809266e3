/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole way of a simulated drive: device_open(), BOT, sense data in its forms, into a sink.
 * What is bad on the drive is what the map says, for every form that the drive can fail in.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/aid/memsink.h"
#include "capture/capture.h"
#include "tests/aid/simulated.h"

#define SLOT_BLOCKS 2048u
#define N_BLOCKS    16384u /* 8 MiB */

/* The bytes of the drive without its bad sectors. */
static struct memsink *capture(const char *name, bool in_order, enum capture_end want)
{
	struct capture_result result;
	static const struct capture_options options;
	const struct device_options how = {.timeout_ms = 0};
	struct err err = {.kind = ERR_NONE};
	struct device *device = device_open(name, &how, &err);
	struct memsink *sink;

	if (!device)
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(device->capacity.n_blocks, N_BLOCKS);
	sink = memsink_new(N_BLOCKS, device->capacity.block_bytes, SLOT_BLOCKS, in_order);
	assert_int_equal(capture_testimony(device, &sink->sink, &err), 0);
	assert_in_range(sink->blobs, 3, 30);
	assert_int_equal(capture_run(device, &sink->sink, &options, NULL, &result, &err), want);
	assert_string_equal(sink->broken, "");
	device_close(device);
	return sink;
}

static void assert_bad(const struct memsink *sink, uint64_t first, uint64_t last)
{
	struct block_range range = blockmap_at(sink->map, first);

	assert_int_equal(range.state, BLOCK_BAD);
	assert_int_equal(range.lba, first);
	assert_int_equal(range.n, last - first + 1);
	assert_int_equal(range.why.sense_key, SENSE_MEDIUM_ERROR);
}

static void check_form(const struct memsink *clean, const char *form, bool in_order)
{
	char name[200];
	struct memsink *sink;
	struct block_range have;

	snprintf(name, sizeof(name), "sim:blank,size=8M,content=noise,bad=5000%s,bad=9000-9009%s",
		form, form);
	sink = capture(name, in_order, CAPTURE_UNREADABLE);
	print_message("# %s\n", name);
	assert_bad(sink, 5000, 5000);
	assert_bad(sink, 9000, 9009);
	assert_int_equal(blockmap_count(sink->map, BLOCK_HAVE), N_BLOCKS - 11);
	for (uint64_t lba = 0; blockmap_next(sink->map, lba, BLOCK_HAVE, &have);
		lba = have.lba + have.n)
		assert_memory_equal(
			sink->bytes + have.lba * 512, clean->bytes + have.lba * 512, have.n * 512);
	memsink_free(sink);
}

static void test_forms_of_failure(void **state)
{
	static const char *const forms[] = {"", ":nolba", ":nodata", ":junk", ":descriptor",
		":nolba:nodata", ":nolba:junk", ":descriptor:nodata"};
	struct memsink *clean = capture("sim:blank,size=8M,content=noise", false, CAPTURE_COMPLETE);

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		check_form(clean, forms[i], false);
		check_form(clean, forms[i], true);
	}
	memsink_free(clean);
}

/* A drive that dies in the middle: nothing of it is called bad. */
static void test_death(void **state)
{
	static const char *const ways[] = {"hardware", "medium", "gone"};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char name[200];
		struct memsink *sink;
		const unsigned int blamed = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);

		snprintf(name, sizeof(name), "sim:blank,size=8M,content=noise,dies=12:%s", ways[i]);
		print_message("# %s\n", name);
		sink = capture(name, false, CAPTURE_FAILED);
		assert_in_range(blockmap_count(sink->map, BLOCK_HAVE), 1, N_BLOCKS - 1);
		assert_int_equal(blockmap_count(sink->map, blamed), 0);
		memsink_free(sink);
	}
}

/* A plain file whose last sector is not whole. */
static void test_odd_file(void **state)
{
	struct capture_result result;
	static const struct capture_options options;
	const struct device_options how = {.timeout_ms = 0};
	char path[] = "/tmp/umsctl-test-XXXXXX";
	int fd = mkstemp(path);
	struct err err = {.kind = ERR_NONE};
	struct device *device;
	struct memsink *sink;

	(void)state;
	assert_true(fd >= 0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "seven\n!", 7), 7);
	close(fd);
	device = device_open(path, &how, &err);
	unlink(path);
	if (!device)
		fail_msg("%s", err.text);
	assert_int_equal(device->capacity.n_blocks, 14);
	assert_int_equal(device->size_bytes, 7000);
	sink = memsink_new(14, 512, 8, false);
	assert_int_equal(
		capture_run(device, &sink->sink, &options, NULL, &result, &err), CAPTURE_COMPLETE);
	assert_string_equal(sink->broken, "");
	assert_memory_equal(sink->bytes + 6993, "seven\n!\0\0", 9);
	memsink_free(sink);
	device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms_of_failure),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_odd_file),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-sim", tests, NULL, NULL);
}
