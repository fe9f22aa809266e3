/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding drives, with umockdev's /sys and /dev. */
#include "device/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/aid/machine.h"

static struct drive_list list;

static int setup(void **state)
{
	struct err err;

	(void)state;
	if (drive_list_read(&list, false, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drive_list_free(&list);
	return 0;
}

static const struct drive *at(const char *port, unsigned int lun)
{
	for (size_t i = 0; i < list.n; i++) {
		if (strcmp(list.drive[i].port, port) == 0 && list.drive[i].lun == lun)
			return &list.drive[i];
	}
	fail_msg("usb:%s,lun=%u is not listed", port, lun);
	return NULL;
}

static void test_all_and_in_order(void **state)
{
	static const char *const order[] = {
		"1-1", "1-2", "1-3", "1-3", "1-4", "1-5.2", "1-5.10", "1-7", "1-8", "1-9"};

	(void)state;
	assert_int_equal(list.n, sizeof(order) / sizeof(order[0]));
	for (size_t i = 0; i < list.n; i++)
		assert_string_equal(list.drive[i].port, order[i]);
}

static void test_stick(void **state)
{
	const struct drive *drive = at("1-1", 0);

	(void)state;
	assert_int_equal(drive->bus, 1);
	assert_int_equal(drive->address, 2);
	assert_int_equal(drive->configuration, 1);
	assert_int_equal(drive->vid, 0x0951);
	assert_int_equal(drive->pid, 0x1666);
	assert_int_equal(drive->bcd_device, 0x0105);
	assert_string_equal(drive->usb_vendor, "ACME");
	assert_string_equal(drive->usb_product, "DataTraveler");
	assert_string_equal(drive->usb_serial, "AAAA1111");
	assert_string_equal(drive->scsi_vendor, "ACME");
	assert_string_equal(drive->scsi_revision, "1.0");
	assert_string_equal(drive->driver, "usb-storage");
	assert_string_equal(drive->block, "/dev/sdb");
	assert_string_equal(drive->sg, "/dev/sg1");
	assert_string_equal(drive->by_id, "/dev/disk/by-id/usb-ACME-sdb");
	assert_string_equal(drive->by_path, "/dev/disk/by-path/path-sdb");
	assert_int_equal(drive->n_blocks, 131072);
	assert_int_equal(drive->block_bytes, 512);
	assert_true(drive->offers_bot);
	assert_false(drive->offers_uas);
	assert_false(drive->read_only);
	assert_int_equal(drive->route, ROUTE_SG);
	assert_non_null(strstr(drive->why, "/dev/sg1"));
}

static void test_both_protocols_and_large_blocks(void **state)
{
	const struct drive *drive = at("1-2", 0);

	(void)state;
	assert_true(drive->offers_bot);
	assert_true(drive->offers_uas);
	assert_string_equal(drive->driver, "uas");
	assert_int_equal(drive->block_bytes, 4096);
	assert_int_equal(drive->n_blocks, 1000);
	assert_true(drive->read_only);
}

static void test_texts_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(at("1-3", 0)->usb_product, "Card \\xc3\\xa9 Reader");
	assert_string_equal(at("1-2", 0)->scsi_product, "Big \\x5c Disk");
}

static void test_card_reader_with_empty_slot(void **state)
{
	(void)state;
	assert_string_equal(at("1-3", 0)->block, "/dev/sdd");
	assert_int_equal(at("1-3", 0)->n_blocks, 4096);
	assert_string_equal(at("1-3", 1)->block, "/dev/sde");
	assert_int_equal(at("1-3", 1)->n_blocks, 0);
	assert_string_equal(at("1-3", 1)->usb_serial, "");
}

static void test_unbound(void **state)
{
	const struct drive *drive = at("1-4", 0);

	(void)state;
	assert_string_equal(drive->driver, "");
	assert_string_equal(drive->block, "");
	assert_int_equal(drive->route, ROUTE_BOT);
	assert_int_equal(drive->n_blocks, 0);
}

static void test_unbound_uas_only(void **state)
{
	const struct drive *drive = at("1-7", 0);

	(void)state;
	assert_false(drive->offers_bot);
	assert_true(drive->offers_uas);
	assert_int_equal(drive->route, ROUTE_UAS);
	assert_non_null(strstr(drive->why, "UAS over libusb"));
}

static void test_without_sg_node(void **state)
{
	const struct drive *drive = at("1-5.10", 0);

	(void)state;
	assert_string_equal(drive->sg, "");
	assert_int_equal(drive->route, ROUTE_SG);
	assert_non_null(strstr(drive->why, "SG_IO on /dev/sdg"));
}

static void test_claimed_by_a_program(void **state)
{
	(void)state;
	assert_string_equal(at("1-8", 0)->driver, "usbfs");
	assert_non_null(strstr(at("1-8", 0)->why, "claimed"));
}

static void test_enclosure_is_no_drive(void **state)
{
	(void)state;
	assert_string_equal(at("1-9", 0)->sg, "/dev/sg6");
	for (size_t i = 0; i < list.n; i++)
		assert_string_not_equal(list.drive[i].sg, "/dev/sg7");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_and_in_order),
		cmocka_unit_test(test_stick),
		cmocka_unit_test(test_both_protocols_and_large_blocks),
		cmocka_unit_test(test_texts_are_escaped),
		cmocka_unit_test(test_card_reader_with_empty_slot),
		cmocka_unit_test(test_unbound),
		cmocka_unit_test(test_unbound_uas_only),
		cmocka_unit_test(test_without_sg_node),
		cmocka_unit_test(test_claimed_by_a_program),
		cmocka_unit_test(test_enclosure_is_no_drive),
	};

	(void)argc;
	machine_enter(argv);
	return cmocka_run_group_tests(tests, setup, teardown);
}
