/* SPDX-License-Identifier: BSD-2-Clause */
/* What uses a disk, from made-up proc files and a made-up /sys/class/block. */
#include "device/use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/umsctl-use.XXXXXX";
static char mountinfo[64], first_mountinfo[64], swaps[64], class_block[64], btrfs[64];
static const struct use_sources sources = {.mountinfo = mountinfo,
	.first_mountinfo = first_mountinfo,
	.swaps = swaps,
	.class_block = class_block,
	.btrfs = btrfs};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A block device; ATTRIBUTE (of value 1) may be NULL. */
static void add(const char *name, const char *number, const char *attribute)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", class_block, name);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/holders", class_block, name);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/dev", class_block, name);
	put(path, number);
	if (attribute) {
		snprintf(path, sizeof(path), "%s/%s/%s", class_block, name, attribute);
		put(path, "1\n");
	}
}

static void put_attribute(const char *name, const char *attribute, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", class_block, name, attribute);
	put(path, text);
}

static void add_folder(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", class_block, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

/*
 * sdb    sdb1 sdb2    sdb2 -> dm-0 -> dm-1    (and sdc1 -> dm-0: one volume on two disks)
 * sdc    sdc1         loop0 on sdc1
 * sdd    free
 */
static int setup(void **state)
{
	char path[256];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", root);
	snprintf(swaps, sizeof(swaps), "%s/swaps", root);
	snprintf(class_block, sizeof(class_block), "%s/block", root);
	snprintf(first_mountinfo, sizeof(first_mountinfo), "%s/first", root);
	snprintf(btrfs, sizeof(btrfs), "%s/btrfs", root);
	mkdir(class_block, 0755);
	mkdir(btrfs, 0755);
	put(first_mountinfo, "");
	add("sdb", "8:16\n", NULL);
	add("sdb1", "8:17\n", "partition");
	add("sdb2", "8:18\n", "partition");
	add("sdc", "8:32\n", NULL);
	add("sdc1", "8:33\n", "partition");
	add("sdd", "8:48\n", NULL);
	add("dm-0", "253:0\n", NULL);
	add("dm-1", "253:1\n", NULL);
	add("loop0", "7:0\n", NULL);
	add_folder("sdb/sdb1");
	add_folder("sdb/sdb2");
	add_folder("sdc/sdc1");
	add_folder("sdb2/holders/dm-0");
	add_folder("sdc1/holders/dm-0");
	add_folder("dm-0/holders/dm-1");
	add_folder("dm-1/holders/dm-0"); /* never happens; must not hang */
	add_folder("loop0/loop");
	snprintf(path, sizeof(path), "%s/loop0/loop/backing_file", class_block);
	put(path, "/dev/sdc1\n");
	return 0;
}

static void remove_made(const char *folder, const char *name)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -r %s/%s", folder, name);
	assert_int_equal(system(command), 0);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static struct use look(const char *node, const char *mounts, const char *swap_lines)
{
	put(mountinfo, mounts);
	put(swaps, swap_lines);
	return use_read(node, &sources);
}

static void test_unused_disk(void **state)
{
	struct use use = look("/dev/sdd", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n",
		"Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");

	(void)state;
	assert_string_equal(use.text, "");
	assert_false(use.rw);
}

static void test_read_only_mount_of_a_partition(void **state)
{
	struct use use = look("/dev/sdb",
		"40 22 8:33 / /c rw,relatime - ext4 /dev/sdc1 rw\n"
		"41 22 8:17 / /mnt/a\\040b ro,relatime master:1 shared:2 - vfat /dev/sdb1 "
		"ro,uid=0\n",
		"");

	(void)state;
	assert_non_null(strstr(use.text, "mounted read-only on /mnt/a b (/dev/sdb1)"));
	assert_null(strstr(use.text, "/c"));
	assert_false(use.rw);
}

static void test_read_write_behind_a_read_only_bind_mount(void **state)
{
	struct use use =
		look("/dev/sdb", "41 22 8:16 /x /mnt ro - ext4 /dev/sdb rw,errors=continue\n", "");

	(void)state;
	assert_non_null(strstr(use.text, "mounted read-write on /mnt (/dev/sdb)"));
	assert_true(use.rw);
}

static void test_writable_in_one_place_is_writable(void **state)
{
	(void)state;
	assert_true(look("/dev/sdb",
		"41 22 8:17 / /m rw - ext4 /dev/sdb1 rw\n42 22 8:18 / /n ro - ext4 /dev/sdb2 ro\n",
		"")
			    .rw);
}

static void test_partition_alone(void **state)
{
	const char *mounts = "41 22 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n";

	(void)state;
	assert_true(look("/dev/sdb1", mounts, "").rw);
	assert_false(look("/dev/sdb2", mounts, "").rw);
}

static void test_stacks(void **state)
{
	const char *mounts = "41 22 253:1 / /vol rw - xfs /dev/mapper/vol rw\n";
	struct use b = look("/dev/sdb", mounts, ""), c = look("/dev/sdc", mounts, "");

	(void)state;
	assert_non_null(strstr(b.text, "held by /dev/dm-0 (/dev/sdb2)"));
	assert_non_null(strstr(b.text, "held by /dev/dm-1 (/dev/dm-0)"));
	assert_non_null(strstr(b.text, "mounted read-write on /vol (/dev/dm-1)"));
	assert_true(b.rw);
	assert_true(c.rw);
}

static void test_loop_on_a_partition(void **state)
{
	struct use use = look("/dev/sdc", "41 22 7:0 / /l ro - iso9660 /dev/loop0 ro\n", "");

	(void)state;
	assert_non_null(strstr(use.text, "held by /dev/loop0 (/dev/sdc1)"));
	assert_non_null(strstr(use.text, "mounted read-only on /l (/dev/loop0)"));
	assert_false(use.rw);
}

/* Btrfs mounts under a number that is no device's. */
static void test_mount_without_a_device_number(void **state)
{
	struct use use = look("/dev/sdb",
		"41 22 0:44 / /b rw - btrfs /dev/sdb1 rw,subvol=/\n"
		"42 22 0:45 / /t rw - tmpfs tmpfs rw\n"
		"43 22 0:46 / /o rw - btrfs /dev/sdd rw\n",
		"");

	(void)state;
	assert_string_equal(strrchr(use.text, ';'), "; mounted read-write on /b (/dev/sdb1)");
	assert_true(use.rw);
}

static void test_swap(void **state)
{
	struct use use = look("/dev/sdb", "",
		"Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/sdb1                               partition\t1\t\t0\t\t-2\n");

	(void)state;
	assert_non_null(strstr(use.text, "swap on /dev/sdb1"));
	assert_true(use.rw);
}

/* Who shows the text makes it safe: see base/text.h. */
static void test_mount_point_as_it_is_called(void **state)
{
	struct use use = look("/dev/sdd", "41 22 8:48 / /m\\033[2J rw - ext4 /dev/sdd rw\n", "");

	(void)state;
	assert_string_equal(use.text, "mounted read-write on /m\x1b[2J (/dev/sdd)");
}

/* Process 1's mounts count as ours do; what both have is said once. */
static void test_mounts_of_another_namespace(void **state)
{
	const char *both = "41 22 8:17 / /mnt ro - vfat /dev/sdb1 ro\n";
	struct use use;

	(void)state;
	put(first_mountinfo, "41 22 8:17 / /mnt ro - vfat /dev/sdb1 ro\n"
			     "42 22 8:48 / /there rw - ext4 /dev/sdd rw\n");
	use = look("/dev/sdd", both, "");
	assert_string_equal(use.text, "mounted read-write on /there (/dev/sdd)");
	assert_true(use.rw);
	use = look("/dev/sdb1", both, "");
	put(first_mountinfo, "");
	assert_string_equal(use.text, "mounted read-only on /mnt (/dev/sdb1)");
	assert_false(use.rw);
}

/* bug 13: a mount names one device of a file system that lies on several. */
static void test_btrfs_on_two_devices(void **state)
{
	const char *mounts = "41 22 0:44 / /b ro - btrfs /dev/sdb1 ro,subvol=/\n";

	(void)state;
	add_folder("../btrfs/1234");
	add_folder("../btrfs/1234/devices");
	add_folder("../btrfs/1234/devices/sdb1");
	add_folder("../btrfs/1234/devices/sdd");
	add_folder("../btrfs/features");
	assert_string_equal(
		look("/dev/sdd", mounts, "").text, "mounted read-only on /b (/dev/sdd)");
	assert_false(look("/dev/sdd", mounts, "").rw);
	assert_non_null(
		strstr(look("/dev/sdb", mounts, "").text, "mounted read-only on /b (/dev/sdb1)"));
	/* Mounted where nobody sees it, it may be written to. */
	assert_string_equal(look("/dev/sdd", "", "").text,
		"part of a btrfs file system that is mounted, out of sight (/dev/sdd)");
	assert_true(look("/dev/sdd", "", "").rw);
	put_attribute("sdd", "ro", "1\n");
	assert_false(look("/dev/sdd", "", "").rw);
	assert_null(strstr(look("/dev/sdc1", "", "").text, "btrfs"));
	remove_made(btrfs, "1234");
	remove_made(class_block, "sdd/ro");
}

static void test_lines_that_are_none(void **state)
{
	static const char *const lines[] = {"\n", " - \n", "41\n", "41 22 8:48\n",
		"41 22 8:48 / /m rw\n", "41 22 8:48 / /m rw - ext4\n", "41 22 8 / /m rw - a b rw\n",
		"41 22 8:48 - ext4 /dev/sdd rw"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(look("/dev/sdd", lines[i], lines[i]).text, "");
}

static void test_many_mounts_are_cut(void **state)
{
	char mounts[100 * 64] = "";
	struct use use;

	(void)state;
	for (int i = 0; i < 90; i++)
		sprintf(mounts + strlen(mounts),
			"41 22 8:48 / /some/where/long%d ro - ext4 /dev/sdd ro\n", i);
	strcat(mounts, "41 22 8:48 / /some/where/long rw - ext4 /dev/sdd rw\n");
	use = look("/dev/sdd", mounts, "");
	assert_int_equal(strlen(use.text), sizeof(use.text) - 1);
	assert_true(use.rw);
}

static void test_no_sources(void **state)
{
	const struct use_sources none = {"/nowhere", "/nowhere", "/nowhere"};

	(void)state;
	assert_string_equal(use_read("/dev/sdb", &none).text, "");
	assert_string_equal(use_read("sdb", &sources).text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unused_disk),
		cmocka_unit_test(test_read_only_mount_of_a_partition),
		cmocka_unit_test(test_read_write_behind_a_read_only_bind_mount),
		cmocka_unit_test(test_writable_in_one_place_is_writable),
		cmocka_unit_test(test_partition_alone),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_loop_on_a_partition),
		cmocka_unit_test(test_mount_without_a_device_number),
		cmocka_unit_test(test_swap),
		cmocka_unit_test(test_mount_point_as_it_is_called),
		cmocka_unit_test(test_mounts_of_another_namespace),
		cmocka_unit_test(test_btrfs_on_two_devices),
		cmocka_unit_test(test_lines_that_are_none),
		cmocka_unit_test(test_many_mounts_are_cut),
		cmocka_unit_test(test_no_sources),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
