/* SPDX-License-Identifier: BSD-2-Clause */
/* Is it the same drive?  And what the drive says of itself reaches the sink. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/aid/rig.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS    8192u
#define SLOT_BLOCKS 512u

/* A drive with names, captured when CAPTURED; its identity into TEXT. */
static void begin(struct rig *rig, bool captured, char *text, size_t room)
{
	rig_init(rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	snprintf(rig->device.drive.usb_serial, sizeof(rig->device.drive.usb_serial), "AB12\\x0a");
	snprintf(rig->device.drive.port, sizeof(rig->device.drive.port), "1-2.3");
	snprintf(rig->device.inquiry.vendor, sizeof(rig->device.inquiry.vendor), "Acme");
	snprintf(rig->device.inquiry.product, sizeof(rig->device.inquiry.product), "Stick 2");
	capture_identity(&rig->device, text, room);
	if (captured)
		assert_int_equal(rig_run(rig), CAPTURE_COMPLETE);
}

static int same(struct rig *rig, const char *text)
{
	rig->err = (struct err){.kind = ERR_NONE};
	return capture_same_drive(&rig->device, &rig->sink->sink, text, strlen(text), &rig->err);
}

static void assert_other(struct rig *rig, const char *text, const char *says)
{
	assert_int_equal(same(rig, text), -1);
	assert_int_equal(rig->err.kind, ERR_IDENTITY);
	if (!strstr(rig->err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", rig->err.text, says);
	assert_string_equal(rig->sink->broken, "");
}

static void test_same(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	assert_int_equal(same(&rig, text), 0);
	/* Another port is no hindrance when the serial number agrees. */
	snprintf(rig.device.drive.port, sizeof(rig.device.drive.port), "4-1");
	assert_int_equal(same(&rig, text), 0);
	/* Nor is a route over which the serial number is not known. */
	rig.device.drive.usb_serial[0] = '\0';
	assert_int_equal(same(&rig, text), 0);
	rig_free(&rig);
}

static void test_other_capacity(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	rig.device.capacity.n_blocks--;
	assert_other(&rig, text, "sectors");
	rig.device.capacity.n_blocks++;
	rig.device.size_bytes--;
	assert_other(&rig, text, "bytes");
	rig_free(&rig);
}

static void test_other_serial(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	snprintf(rig.device.drive.usb_serial, sizeof(rig.device.drive.usb_serial), "AB13");
	assert_other(&rig, text, "serial");
	rig_free(&rig);
}

static void test_other_sectors(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	rig.medium[3]++;
	assert_other(&rig, text, "sector 0");
	rig_free(&rig);
}

/* Sectors that cannot be read now, and uniform ones, say nothing. */
static void test_unreadable_sample(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM, 0, 100, 0}};
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	rig_again(&rig, bad, 1);
	/* Others can be read, so they decide. */
	rig.device.drive.usb_serial[0] = '\0';
	assert_int_equal(same(&rig, text), 0);
	rig_free(&rig);
}

static void test_tie(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, false, text, sizeof(text)); /* nothing captured, so no sectors to compare */
	rig.device.drive.usb_serial[0] = '\0';
	assert_int_equal(same(&rig, text), 0);
	snprintf(rig.device.inquiry.product, sizeof(rig.device.inquiry.product), "Stick 3");
	assert_other(&rig, text, "product");
	snprintf(rig.device.inquiry.product, sizeof(rig.device.inquiry.product), "Stick 2");
	snprintf(rig.device.drive.port, sizeof(rig.device.drive.port), "4-1");
	assert_other(&rig, text, "port");
	assert_int_equal(rig.fake.reads, 0);
	rig_free(&rig);
}

/* Of two things that must agree, one that is not known does not count as agreeing. */
static void test_not_known_is_not_the_same(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, false, text, sizeof(text));
	rig.device.drive.usb_serial[0] = '\0';
	rig.device.inquiry.product[0] = '\0';
	assert_other(&rig, text, "product");
	snprintf(rig.device.inquiry.product, sizeof(rig.device.inquiry.product), "Stick 2");
	rig.device.drive.port[0] = '\0';
	assert_other(&rig, text, "port");
	rig_free(&rig);
}

/* A drive that is all zeros has no sector that could tell it from another. */
static void test_uniform_drive(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	memset(rig.medium, 0, N_BLOCKS * RIG_BLOCK_BYTES);
	snprintf(rig.device.inquiry.product, sizeof(rig.device.inquiry.product), "Stick 2");
	snprintf(rig.device.drive.port, sizeof(rig.device.drive.port), "1-2.3");
	capture_identity(&rig.device, text, sizeof(text));
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	assert_int_equal(same(&rig, text), 0);
	snprintf(rig.device.drive.port, sizeof(rig.device.drive.port), "4-1");
	assert_other(&rig, text, "port");
	rig_free(&rig);
}

/* Each logical unit of a card reader is a drive of its own. */
static void test_other_unit(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	rig.device.drive.lun = 1;
	assert_other(&rig, text, "logical unit");
	rig_free(&rig);
}

/* The identity comes from a file: anything may be in it. */
static void test_hostile_identity(void **state)
{
	static const char *const texts[] = {"", "\n\n", "sectors", "sectors=", "sectors=x\n", "=",
		"sectors=99999999999999999999\n", "\x1b[2Jsectors=8192", "sectors=\x1b[2J\n"};
	struct rig rig;
	char text[4096], cut[40];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_other(&rig, texts[i], "sectors");
		assert_null(strchr(rig.err.text, '\x1b'));
	}
	/* A room that is too small cuts between lines. */
	assert_ptr_equal(capture_identity(&rig.device, cut, sizeof(cut)), cut);
	assert_string_equal(cut, "sectors=8192\nsector-bytes=512\n");
	rig_free(&rig);
}

static void test_drive_leaves(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	rig_again(&rig, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_GONE, 3};
	assert_int_equal(same(&rig, text), -1);
	assert_int_equal(rig.err.kind, ERR_GONE);
	rig_free(&rig);
}

static void test_testimony(void **state)
{
	static const uint8_t descriptor[18] = {18, 1}, config[9] = {9, 2};
	struct rig rig;

	(void)state;
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, false, NULL, 0);
	rig.device.device_descriptor = descriptor;
	rig.device.config_descriptor = config;
	rig.device.config_len = sizeof(config);
	rig.device.capacity.raw10_len = 8;
	assert_int_equal(capture_testimony(&rig.device, &rig.sink->sink, &rig.err), 0);
	assert_string_equal(rig.sink->broken, "");
	/* The fake drive answers no INQUIRY. */
	assert_int_equal(rig.sink->blobs, 3);
	assert_string_equal(rig.sink->last_blob, "capacity-10");
	rig_free(&rig);
}

/* A drive whose READs hang is not asked a hundred times: each may take half a minute. */
static void test_drive_hangs(void **state)
{
	struct rig rig;
	char text[4096];

	(void)state;
	begin(&rig, true, text, sizeof(text));
	rig_again(&rig, NULL, 0);
	rig.fake.event[0] = (struct fake_event){EVENT_DEAD_TIMEOUT, 1};
	assert_int_equal(same(&rig, text), 0);
	assert_in_range(rig.fake.reads, 1, 2);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_other_capacity),
		cmocka_unit_test(test_other_serial),
		cmocka_unit_test(test_other_sectors),
		cmocka_unit_test(test_unreadable_sample),
		cmocka_unit_test(test_tie),
		cmocka_unit_test(test_not_known_is_not_the_same),
		cmocka_unit_test(test_uniform_drive),
		cmocka_unit_test(test_other_unit),
		cmocka_unit_test(test_hostile_identity),
		cmocka_unit_test(test_drive_leaves),
		cmocka_unit_test(test_drive_hangs),
		cmocka_unit_test(test_testimony),
	};

	simulate_time();
	return cmocka_run_group_tests_name("capture-identity", tests, NULL, NULL);
}
