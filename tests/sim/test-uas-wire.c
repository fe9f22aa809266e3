/* SPDX-License-Identifier: BSD-2-Clause */
/* A well-behaved simulated UAS drive on the wire, with streams and without. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tests/aid/simulated.h"
#include "tests/aid/uaswire.h"
#include "tests/aid/wire.h"

#define SUPER "content=noise,size=4M,uas,speed=super"
#define HIGH  "content=noise,size=4M,uas,speed=high"

#define COMMAND	 ENDPOINT_UAS_COMMAND
#define STATUS	 ENDPOINT_UAS_STATUS
#define DATA_IN	 ENDPOINT_UAS_DATA_IN
#define DATA_OUT ENDPOINT_UAS_DATA_OUT

static const uint8_t ready[6] = {0};
static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};

static size_t data_in(struct uaswire *wire, uint16_t tag, void *data, size_t len)
{
	size_t moved;

	assert_int_equal(
		uaswire_move(wire, DATA_IN, tag, data, len, UASWIRE_PATIENCE_MS, &moved), LINK_OK);
	return moved;
}

/* What BLOCKS hold, over Bulk-Only. */
static void expected(uint64_t lba, uint32_t n, uint8_t *data)
{
	struct link *link = wire_open("blank,content=noise,size=4M");
	struct wire_reply reply = wire_read(link, lba, n, data, n * 512);

	assert_int_equal(reply.status, 0);
	wire_close(link);
}

static void test_with_streams(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t data[64 * 512], wanted[64 * 512];

	(void)state;
	assert_true(wire.streams);
	uaswire_assert_works(&wire, 1);
	uaswire_assert_works(&wire, 16);
	uaswire_command(&wire, 3, 0, ready, 6);
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	uaswire_read(&wire, 2, 100, 64);
	uaswire_assert_silent(&wire, 2); /* its data comes first */
	assert_int_equal(data_in(&wire, 2, data, sizeof(data)), sizeof(data));
	assert_int_equal(uaswire_assert_sense(&wire, 2, 0), 0);
	expected(100, 64, wanted);
	assert_memory_equal(data, wanted, sizeof(data));
	uaswire_close(&wire);
}

/* At high speed data belongs to whom READ READY has named, one after the other. */
static void test_without_streams(void **state)
{
	struct uaswire wire = uaswire_open(HIGH);
	uint8_t data[8 * 512], wanted[8 * 512];
	size_t moved;

	(void)state;
	assert_false(wire.streams);
	uaswire_assert_works(&wire, 7);
	uaswire_read(&wire, 1, 8, 8);
	uaswire_read(&wire, 2, 800, 8);
	assert_int_equal(uaswire_move(&wire, DATA_IN, 0, data, 512, UASWIRE_SILENCE_MS, &moved),
		LINK_TIMEOUT);
	uaswire_assert_ready(&wire, 1, IU_ID_READ_READY);
	uaswire_assert_silent(&wire, 0);
	assert_int_equal(data_in(&wire, 1, data, sizeof(data)), sizeof(data));
	expected(8, 8, wanted);
	assert_memory_equal(data, wanted, sizeof(data));
	assert_int_equal(uaswire_assert_sense(&wire, 1, 0), 0);
	uaswire_assert_ready(&wire, 2, IU_ID_READ_READY);
	assert_int_equal(data_in(&wire, 2, data, sizeof(data)), sizeof(data));
	expected(800, 8, wanted);
	assert_memory_equal(data, wanted, sizeof(data));
	assert_int_equal(uaswire_assert_sense(&wire, 2, 0), 0);
	assert_int_equal(usb_device_most_at_once(wire.device), 2);
	uaswire_close(&wire);
}

/* One command's data may take several transfers; one that ends within a packet is babble. */
static void test_data_in_parts(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t data[8 * 512], wanted[8 * 512];
	size_t moved;

	(void)state;
	expected(0, 8, wanted);
	uaswire_read(&wire, 1, 0, 8);
	assert_int_equal(data_in(&wire, 1, data, 3072), 3072);
	assert_int_equal(data_in(&wire, 1, data + 3072, 1024), 1024);
	assert_memory_equal(data, wanted, sizeof(data));
	assert_int_equal(uaswire_assert_sense(&wire, 1, 0), 0);
	uaswire_read(&wire, 1, 0, 8);
	assert_int_equal(uaswire_move(&wire, DATA_IN, 1, data, 1500, UASWIRE_PATIENCE_MS, &moved),
		LINK_OVERFLOW);
	uaswire_close(&wire);
}

static void test_failing_read(void **state)
{
	struct uaswire wire = uaswire_open(SUPER ",bad=1000,bad=2000:descriptor:nodata");
	uint8_t data[8 * 512], iu[IU_SENSE_MAX];

	(void)state;
	uaswire_read(&wire, 4, 998, 8);
	uaswire_read(&wire, 5, 2000, 8);
	assert_int_equal(data_in(&wire, 4, data, sizeof(data)), 1024);
	assert_int_equal(uaswire_status(&wire, 4, iu), 16 + 18);
	assert_int_equal(iu[6], 2);
	assert_int_equal(iu[16], 0xf0);
	assert_int_equal(iu[16 + 2], 3);
	assert_int_equal(get_be32(iu + 16 + 3), 1000);
	/* The sense data of one command is not that of another. */
	assert_int_equal(uaswire_status(&wire, 5, iu), 16 + 20);
	assert_int_equal(iu[16], 0x72);
	assert_int_equal(get_be64(iu + 16 + 12), 2000);
	uaswire_assert_works(&wire, 5);
	uaswire_close(&wire);
}

/* A command that takes long is overtaken. */
static void test_out_of_order(void **state)
{
	struct uaswire wire = uaswire_open(SUPER ",slow=100:500");
	uint8_t data[2][512], iu[2][IU_SENSE_MAX];
	struct link_transfer transfer[4], *reaped;

	(void)state;
	for (uint16_t i = 0; i < 2; i++) {
		transfer[i] = (struct link_transfer){
			.endpoint = DATA_IN, .stream = i + 1, .data = data[i], .len = 512};
		transfer[2 + i] = (struct link_transfer){
			.endpoint = STATUS, .stream = i + 1, .data = iu[i], .len = IU_SENSE_MAX};
		wire.link->ops->submit(wire.link, &transfer[i]);
		wire.link->ops->submit(wire.link, &transfer[2 + i]);
	}
	uaswire_read(&wire, 1, 100, 1);
	uaswire_read(&wire, 2, 200, 1);
	for (int i = 0; i < 4; i++) {
		static const int order[4] = {1, 3, 0, 2};

		reaped = wire.link->ops->reap(wire.link, deadline_in_ms(UASWIRE_PATIENCE_MS));
		assert_ptr_equal(reaped, &transfer[order[i]]);
		assert_int_equal(reaped->result, LINK_OK);
	}
	assert_int_equal(usb_device_most_at_once(wire.device), 2);
	uaswire_close(&wire);
}

/* Without streams too: the READ READY of the quicker one comes first. */
static void test_out_of_order_without_streams(void **state)
{
	struct uaswire wire = uaswire_open(HIGH ",slow=100:500");
	uint8_t data[512];

	(void)state;
	uaswire_read(&wire, 1, 100, 1);
	uaswire_read(&wire, 2, 200, 1);
	for (uint16_t tag = 2; tag >= 1; tag--) {
		uaswire_assert_ready(&wire, tag, IU_ID_READ_READY);
		assert_int_equal(data_in(&wire, tag, data, 512), 512);
		assert_int_equal(uaswire_assert_sense(&wire, tag, 0), 0);
	}
	uaswire_close(&wire);
}

static void test_logical_units(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[IU_COMMAND_LEN + 252];
	size_t n = uaswire_command_iu(iu, 1, 0, ready, 6);

	(void)state;
	uaswire_command(&wire, 1, 1, ready, 6);
	assert_int_equal(uaswire_assert_sense(&wire, 1, 2), 0x052500);
	iu[8] = 0xc1; /* a well-known logical unit (SAM-5 §4.7.7.5.1) */
	iu[9] = 0x01;
	assert_int_equal(uaswire_send(&wire, iu, n), LINK_OK);
	assert_int_equal(uaswire_assert_sense(&wire, 1, 2), 0x052500);
	uaswire_close(&wire);
}

static void test_long_cdb(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[IU_COMMAND_LEN + 252], cdb[32] = {0x7f, 0, 0, 0, 0, 0, 0, 24};
	size_t n;

	(void)state;
	uaswire_command(&wire, 1, 0, cdb, sizeof(cdb));
	assert_int_equal(uaswire_assert_sense(&wire, 1, 2), 0x052000);
	n = uaswire_command_iu(iu, 2, 0, cdb, sizeof(cdb));
	assert_int_equal(n, 48);
	assert_int_equal(uaswire_send(&wire, iu, n - 4), LINK_OK);
	uaswire_assert_response(&wire, 2, UAS_RC_INVALID_IU);
	/* as long as it can be */
	iu[6] = 0xfc;
	assert_int_equal(uaswire_send(&wire, iu, IU_COMMAND_LEN + 252), LINK_OK);
	assert_int_equal(uaswire_assert_sense(&wire, 2, 2), 0x052000);
	uaswire_close(&wire);
}

static void test_invalid_ius(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[IU_COMMAND_LEN + 252];
	size_t n = uaswire_command_iu(iu, 5, 0, inquiry, 6);

	(void)state;
	assert_int_equal(uaswire_send(&wire, iu, n - 1), LINK_OK);
	uaswire_assert_response(&wire, 5, UAS_RC_INVALID_IU);
	assert_int_equal(uaswire_send(&wire, iu, n + 1), LINK_OK);
	uaswire_assert_response(&wire, 5, UAS_RC_INVALID_IU);
	iu[0] = 0x03;
	assert_int_equal(uaswire_send(&wire, iu, n), LINK_OK);
	uaswire_assert_response(&wire, 5, UAS_RC_INVALID_IU);
	iu[0] = 0x05;
	assert_int_equal(uaswire_send(&wire, iu, n), LINK_OK);
	uaswire_assert_response(&wire, 5, UAS_RC_INVALID_IU);
	assert_int_equal(uaswire_send(&wire, iu, 3), LINK_STALL);
	assert_int_equal(uaswire_send(&wire, iu, n), LINK_STALL);
	assert_int_equal(wire.link->ops->clear_halt(wire.link, COMMAND), LINK_OK);
	uaswire_assert_works(&wire, 5);
	uaswire_close(&wire);
}

static void test_short_status_transfer(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[8];
	size_t moved;

	(void)state;
	uaswire_command(&wire, 1, 0, ready, 6);
	assert_int_equal(
		uaswire_move(&wire, STATUS, 1, iu, sizeof(iu), UASWIRE_PATIENCE_MS, &moved),
		LINK_OVERFLOW);
	assert_int_equal(moved, 8);
	uaswire_close(&wire);
}

static void check_abort(const char *settings)
{
	struct uaswire wire = uaswire_open(settings);

	uaswire_read(&wire, 1, 50, 1);
	uaswire_assert_silent(&wire, 1);
	uaswire_assert_works(&wire, 2); /* the others go on */
	uaswire_manage(&wire, 3, UAS_TMF_ABORT_TASK, 1, 0);
	uaswire_assert_response(&wire, 3, UAS_RC_TMF_COMPLETE);
	uaswire_assert_silent(&wire, 1);
	uaswire_assert_works(&wire, 1);
	/* There is no such task: that is as well. */
	uaswire_manage(&wire, 3, UAS_TMF_ABORT_TASK, 9, 0);
	uaswire_assert_response(&wire, 3, UAS_RC_TMF_COMPLETE);
	uaswire_close(&wire);
}

static void test_abort_task(void **state)
{
	(void)state;
	check_abort(SUPER ",hang=50");
	check_abort(HIGH ",hang=50");
}

/* Data that nobody fetches keeps the pipe of a drive without streams, until an abort. */
static void test_abort_in_data(void **state)
{
	struct uaswire wire = uaswire_open(HIGH);

	(void)state;
	uaswire_read(&wire, 1, 0, 8);
	uaswire_assert_ready(&wire, 1, IU_ID_READ_READY);
	uaswire_manage(&wire, 2, UAS_TMF_ABORT_TASK, 1, 0);
	uaswire_assert_response(&wire, 2, UAS_RC_TMF_COMPLETE);
	uaswire_assert_works(&wire, 3);
	uaswire_close(&wire);
}

static void test_lun_reset(void **state)
{
	struct uaswire wire = uaswire_open(SUPER ",hang=50,hang=60,unit-attention=1");

	(void)state;
	uaswire_command(&wire, 1, 0, ready, 6);
	assert_int_equal(uaswire_assert_sense(&wire, 1, 2), 0x062900);
	uaswire_read(&wire, 1, 50, 1);
	uaswire_read(&wire, 2, 60, 1);
	uaswire_manage(&wire, 3, UAS_TMF_LOGICAL_UNIT_RESET, 0, 0);
	uaswire_assert_response(&wire, 3, UAS_RC_TMF_COMPLETE);
	uaswire_assert_silent(&wire, 1);
	uaswire_command(&wire, 2, 0, ready, 6);
	assert_int_equal(uaswire_assert_sense(&wire, 2, 2), 0x062900);
	uaswire_assert_works(&wire, 1);
	uaswire_close(&wire);
}

static void test_other_task_management(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);

	(void)state;
	uaswire_manage(&wire, 1, UAS_TMF_LOGICAL_UNIT_RESET, 0, 7);
	uaswire_assert_response(&wire, 1, UAS_RC_INCORRECT_LUN);
	uaswire_manage(&wire, 1, 0x02, 0, 0);
	uaswire_assert_response(&wire, 1, UAS_RC_TMF_NOT_SUPPORTED);
	uaswire_close(&wire);
}

static void test_overlapped_tag(void **state)
{
	struct uaswire wire = uaswire_open(SUPER ",hang=50");

	(void)state;
	uaswire_read(&wire, 1, 50, 1);
	uaswire_command(&wire, 1, 0, ready, 6);
	uaswire_assert_response(&wire, 1, UAS_RC_OVERLAPPED_TAG);
	uaswire_assert_silent(&wire, 1);
	uaswire_read(&wire, 1, 50, 1);
	uaswire_manage(&wire, 1, UAS_TMF_ABORT_TASK, 1, 0);
	uaswire_assert_response(&wire, 1, UAS_RC_OVERLAPPED_TAG);
	uaswire_assert_works(&wire, 1);
	uaswire_close(&wire);
}

/* Sixteen commands are taken unless a setting says otherwise. */
static void test_queue_full(void **state)
{
	struct uaswire wire = uaswire_open(HIGH ",hang=50");

	(void)state;
	for (uint16_t tag = 1; tag <= 16; tag++)
		uaswire_read(&wire, tag, 50, 1);
	uaswire_command(&wire, 17, 0, ready, 6);
	assert_int_equal(uaswire_assert_sense(&wire, 17, 0x28), 0);
	uaswire_manage(&wire, 18, UAS_TMF_ABORT_TASK, 4, 0);
	uaswire_assert_response(&wire, 18, UAS_RC_TMF_COMPLETE);
	uaswire_assert_works(&wire, 17);
	assert_int_equal(usb_device_most_at_once(wire.device), 16);
	uaswire_close(&wire);
}

#define TEST(name) cmocka_unit_test(test_##name)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(with_streams),
		TEST(without_streams),
		TEST(data_in_parts),
		TEST(failing_read),
		TEST(out_of_order),
		TEST(out_of_order_without_streams),
		TEST(logical_units),
		TEST(long_cdb),
		TEST(invalid_ius),
		TEST(short_status_transfer),
		TEST(abort_task),
		TEST(abort_in_data),
		TEST(lun_reset),
		TEST(other_task_management),
		TEST(overlapped_tag),
		TEST(queue_full),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
