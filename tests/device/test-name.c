/* SPDX-License-Identifier: BSD-2-Clause */
/* What names mean, with umockdev's /sys and /dev. */
#include "device/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/aid/machine.h"

static struct named named;
static struct err err;

static void resolve(const char *name)
{
	if (name_resolve(name, &named, &err))
		fail_msg("%s: %s", name, err.text);
}

/* NAME is refused with KIND, and the message has PART. */
static void refuse(const char *name, enum err_kind kind, const char *part)
{
	err = (struct err){.kind = ERR_NONE};
	assert_int_equal(name_resolve(name, &named, &err), -1);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static void test_usb_parts(void **state)
{
	struct usb_name parts;

	(void)state;
	assert_int_equal(name_parse_usb("usb:0951:1666", &parts, &err), 0);
	assert_string_equal(parts.port, "");
	assert_int_equal(parts.vid, 0x0951);
	assert_int_equal(parts.pid, 0x1666);
	assert_string_equal(parts.serial, "");
	assert_int_equal(parts.lun, -1);
	assert_int_equal(name_parse_usb("usb:ABCD:ef01:S:1,2,lun=3", &parts, &err), 0);
	assert_int_equal(parts.vid, 0xabcd);
	assert_int_equal(parts.pid, 0xef01);
	assert_string_equal(parts.serial, "S:1,2");
	assert_int_equal(parts.lun, 3);
	assert_int_equal(name_parse_usb("usb:12-3.4.10,lun=0", &parts, &err), 0);
	assert_string_equal(parts.port, "12-3.4.10");
	assert_int_equal(parts.lun, 0);
}

static void test_usb_nonsense(void **state)
{
	static const char *const nonsense[] = {"usb:", "usb:1", "usb:1-", "usb:-1", "usb:1-2.",
		"usb:1-2..3", "usb:1-2x", "usb:951:1666", "usb:0951:166",
		"usb:0951:1666:", "usb:0951:16660", "usb:0x51:1666",
		"usb:1-2,lun=", "usb:1-2,lun=256", "usb:1-2,lun=-1", "usb:1-2,lun=1x",
		"usb:1-2,LUN=1", "usb:1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"};
	struct usb_name parts;
	char long_serial[300] = "usb:0951:1666:";

	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		err = (struct err){.kind = ERR_NONE};
		if (name_parse_usb(nonsense[i], &parts, &err) != -1 || err.kind != ERR_USAGE)
			fail_msg("%s is taken", nonsense[i]);
	}
	/* one more than fits, and more than any name */
	memset(long_serial + 14, 'x', 128);
	assert_int_equal(name_parse_usb(long_serial, &parts, &err), -1);
	long_serial[14 + 127] = '\0';
	assert_int_equal(name_parse_usb(long_serial, &parts, &err), 0);
	memset(long_serial + 14, 'x', 285);
	assert_int_equal(name_parse_usb(long_serial, &parts, &err), -1);
}

static void test_by_id_and_port(void **state)
{
	(void)state;
	resolve("usb:0951:1666");
	assert_int_equal(named.kind, NAME_DRIVE);
	assert_string_equal(named.drive.block, "/dev/sdb");
	assert_string_equal(named.label, "/dev/sdb");
	resolve("usb:1-2");
	assert_string_equal(named.drive.block, "/dev/sdc");
	resolve("usb:090c:1000:LOOSE:4");
	assert_string_equal(named.drive.port, "1-4");
	assert_string_equal(named.label, "usb:1-4");
}

static void test_units(void **state)
{
	(void)state;
	resolve("usb:1-3,lun=1");
	assert_string_equal(named.drive.block, "/dev/sde");
	refuse("usb:1-3", ERR_USAGE, "usb:1-3,lun=0");
	refuse("usb:1-3", ERR_USAGE, "lun=1 (Card \\xc3\\xa9 Reader, /dev/sde)");
	refuse("usb:1-3,lun=2", ERR_NO_DEVICE, "no logical unit 2");
	/* Without a driver only the drive itself can tell. */
	resolve("usb:1-4,lun=2");
	assert_int_equal(named.drive.lun, 2);
	assert_string_equal(named.label, "usb:1-4,lun=2");
}

static void test_ambiguous(void **state)
{
	(void)state;
	refuse("usb:1209:0001", ERR_USAGE, "usb:1-5.2,lun=0");
	refuse("usb:1209:0001:SAME", ERR_USAGE, "usb:1-5.10,lun=0 (Twin SAME, /dev/sdg)");
	resolve("usb:1-5.10");
	assert_string_equal(named.drive.block, "/dev/sdg");
}

static void test_not_there(void **state)
{
	(void)state;
	refuse("usb:1-77", ERR_NO_DEVICE, "no such USB drive");
	refuse("usb:0951:1666:OTHER", ERR_NO_DEVICE, "no such USB drive");
	refuse("usb:ffff:0001", ERR_NO_DEVICE, "no such USB drive");
	refuse("/dev/sdz", ERR_NO_DEVICE, "no such device or file");
	refuse("Makefile/x", ERR_NO_DEVICE, "no such device or file");
}

static void test_no_mass_storage(void **state)
{
	(void)state;
	refuse("usb:046d:c31c", ERR_NO_DEVICE, "\"USB Keyboard\" at usb:1-6 has no mass-storage");
	refuse("usb:1-6", ERR_NO_DEVICE, "no mass-storage interface");
}

/* umockdev knows the number of a node, not that of a link to it. */
static void number_link(const char *link, const char *number)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/dev/.node/%s", getenv("UMOCKDEV_DIR"), link);
	assert_int_equal(symlink(number, path), 0);
}

static void test_nodes(void **state)
{
	(void)state;
	resolve("/dev/sdb");
	assert_int_equal(named.kind, NAME_DRIVE);
	assert_string_equal(named.drive.port, "1-1");
	assert_string_equal(named.drive.sg, "/dev/sg1");
	resolve("/dev/sg3");
	assert_string_equal(named.drive.block, "/dev/sdd");
	assert_string_equal(named.label, "/dev/sg3");
	number_link("disk_by-id_wwn-sdc", "8:32");
	resolve("/dev/disk/by-id/wwn-sdc");
	assert_string_equal(named.label, "/dev/sdc");
	assert_string_equal(named.drive.port, "1-2");
	/* An enclosure is no drive of the list, but may be named by its node. */
	resolve("/dev/sg7");
	assert_int_equal(named.drive.lun, 1);
}

static void test_not_on_usb(void **state)
{
	(void)state;
	resolve("/dev/sda");
	assert_int_equal(named.kind, NAME_DRIVE);
	assert_string_equal(named.drive.port, "");
	assert_int_equal(named.drive.route, ROUTE_SG);
	resolve("/dev/sda1");
	assert_int_equal(named.kind, NAME_BLOCK);
	assert_string_equal(named.drive.block, "/dev/sda1");
	resolve("/dev/loop0");
	assert_int_equal(named.kind, NAME_BLOCK);
	refuse("/dev/null", ERR_USAGE, "no SCSI generic one");
}

static void test_files(void **state)
{
	(void)state;
	resolve("Makefile");
	assert_int_equal(named.kind, NAME_FILE);
	assert_string_equal(named.path, "Makefile");
	refuse("src", ERR_USAGE, "neither a device nor a plain file");
}

static void test_sim(void **state)
{
	(void)state;
	resolve("sim:demo,size=1M,lun=1");
	assert_int_equal(named.kind, NAME_SIM);
	assert_string_equal(named.path, "demo,size=1M");
	assert_int_equal(named.drive.lun, 1);
	assert_string_equal(named.label, "sim:demo,size=1M,lun=1");
	refuse("sim:demo,lun=x", ERR_USAGE, ",lun=");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usb_parts),
		cmocka_unit_test(test_usb_nonsense),
		cmocka_unit_test(test_by_id_and_port),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_no_mass_storage),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_not_on_usb),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_sim),
	};

	(void)argc;
	machine_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
