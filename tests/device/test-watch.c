/* SPDX-License-Identifier: BSD-2-Clause */
/* Who else writes to a disk, from a made-up stat file: the same disk, and one that came back. */
#include "device/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char stat_file[] = "/tmp/umsctl-watch.XXXXXX";
static char number_file[] = "/tmp/umsctl-watch.XXXXXX";
static struct device device;

FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);

FILE *__wrap_fopen64(const char *path, const char *mode)
{
	if (strcmp(path, "/sys/class/block/umsctl-test/stat") == 0)
		path = stat_file;
	else if (strcmp(path, "/sys/class/block/umsctl-test/diskseq") == 0)
		path = number_file;
	return __real_fopen64(path, mode);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The disk's number; "" for a kernel that has none. */
static void disk_is(const char *number, unsigned int written)
{
	char text[80];

	put(number_file, number);
	snprintf(text, sizeof(text), "10 0 80 1 9 0 %u 1 0 2 2\n", written);
	put(stat_file, text);
}

static void capture_begins(void)
{
	memset(&device, 0, sizeof(device));
	snprintf(device.drive.block, sizeof(device.drive.block), "/dev/umsctl-test");
	device_watch_begin(&device);
}

static void test_writer_is_seen(void **state)
{
	char what[300] = "";

	(void)state;
	disk_is("7\n", 5000);
	capture_begins();
	assert_false(device_watch_look(&device, what, sizeof(what)));
	disk_is("7\n", 5008);
	assert_true(device_watch_look(&device, what, sizeof(what)));
	assert_non_null(strstr(what, "has written 8 sectors to /dev/umsctl-test"));
}

/* The new disk has the old one's name; its count begins at 0. */
static void test_come_back_is_no_writer(void **state)
{
	char what[300] = "";

	(void)state;
	disk_is("7\n", 5000);
	capture_begins();
	disk_is("8\n", 0);
	assert_false(device_watch_look(&device, what, sizeof(what)));
	assert_string_equal(what, "");
	disk_is("8\n", 16);
	assert_true(device_watch_look(&device, what, sizeof(what)));
	assert_non_null(strstr(what, "has written 16 sectors"));
}

static void test_come_back_without_numbers(void **state)
{
	char what[300] = "";

	(void)state;
	disk_is("", 5000);
	capture_begins();
	disk_is("", 0);
	assert_false(device_watch_look(&device, what, sizeof(what)));
	disk_is("", 5008);
	assert_true(device_watch_look(&device, what, sizeof(what)));
}

static int make_files(void **state)
{
	int a = mkstemp(stat_file), b = mkstemp(number_file);

	(void)state;
	return a < 0 || b < 0 || close(a) || close(b);
}

static int remove_files(void **state)
{
	(void)state;
	return unlink(stat_file) || unlink(number_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_is_seen),
		cmocka_unit_test(test_come_back_is_no_writer),
		cmocka_unit_test(test_come_back_without_numbers),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
