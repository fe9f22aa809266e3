/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad, healing, recovered and dying: what a READ meets, and what the sense data says of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tests/aid/wire.h"

#define UNRECOVERED 0x031100

static uint8_t data[16 * 512], good[16 * 512];
static uint8_t sense[32];

static void test_fixed_sense_with_lba(void **state)
{
	struct link *link = wire_open("noise,bad=70000-70003,bad=5");
	struct wire_reply reply = wire_read(link, 69990, 16, data, sizeof(data));

	(void)state;
	assert_int_equal(reply.status, 1);
	assert_int_equal(reply.moved, 10 * 512);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(sense[0], 0xf0);
	assert_int_equal(get_be32(sense + 3), 70000);
	/* The first bad one counts, from wherever the READ begins. */
	wire_read(link, 70002, 16, data, sizeof(data));
	wire_sense(link, 0, sense);
	assert_int_equal(get_be32(sense + 3), 70002);
	assert_int_equal(wire_read(link, 70004, 16, data, sizeof(data)).status, 0);
	assert_int_equal(wire_read(link, 69999, 1, data, 512).status, 0);
	assert_int_equal(wire_read(link, 5, 1, data, 512).status, 1);
	wire_close(link);
}

/* What arrives before the bad sector is right. */
static void test_data_before_the_bad_sector(void **state)
{
	struct link *link = wire_open("noise,bad=104");

	(void)state;
	wire_read(link, 100, 4, good, 2048);
	assert_int_equal(wire_read(link, 100, 8, data, 4096).moved, 2048);
	assert_memory_equal(data, good, 2048);
	wire_close(link);
	link = wire_open("noise,bad=104:nodata");
	assert_int_equal(wire_read(link, 100, 8, data, 4096).moved, 0);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(get_be32(sense + 3), 104);
	wire_close(link);
}

static void test_no_lba(void **state)
{
	struct link *link = wire_open("noise,bad=104:nolba");

	(void)state;
	wire_read(link, 100, 8, data, 4096);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(sense[0], 0x70);
	assert_int_equal(get_be32(sense + 3), 0);
	wire_close(link);
	link = wire_open("noise,bad=104:nolba:descriptor");
	wire_read(link, 100, 8, data, 4096);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(sense[0], 0x72);
	assert_int_equal(sense[7], 0);
	wire_close(link);
}

static void test_descriptor_sense(void **state)
{
	struct link *link = wire_open("noise,bad=104:descriptor");

	(void)state;
	wire_read(link, 100, 8, data, 4096);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(sense[7], 12);
	assert_memory_equal(sense + 8, "\x00\x0a\x80\x00", 4);
	assert_int_equal(get_be64(sense + 12), 104);
	wire_close(link);
}

/* Past 2 TiB the LBA fits into descriptor sense only. */
static void test_far_away(void **state)
{
	const uint64_t far = UINT64_C(6000000000);
	struct link *link = wire_open("big,bad=6000000000");

	(void)state;
	assert_int_equal(wire_read(link, far - 2, 4, data, 2048).moved, 1024);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(sense[0], 0x70);
	wire_close(link);
	link = wire_open("big,bad=6000000000:descriptor");
	wire_read(link, far - 2, 4, data, 2048);
	wire_sense(link, 0, sense);
	assert_int_equal(get_be64(sense + 12), far);
	wire_close(link);
}

/* A bridge that sends everything it was asked for, and means none of it. */
static void test_junk(void **state)
{
	struct link *link = wire_open("noise,bad=104:junk");
	struct wire_reply reply = wire_read(link, 100, 8, data, 4096);

	(void)state;
	assert_int_equal(reply.moved, 4096);
	assert_int_equal(reply.residue, 0);
	assert_int_equal(reply.status, 1);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	wire_read(link, 100, 4, good, 2048);
	assert_memory_not_equal(data, good, 512);
	wire_close(link);
}

static void test_recovered(void **state)
{
	struct link *link = wire_open("noise,recovered=104,bad=108");
	struct wire_reply reply;

	(void)state;
	wire_read(link, 101, 3, good, 3 * 512);
	reply = wire_read(link, 101, 5, data, 5 * 512);
	assert_int_equal(reply.status, 1);
	assert_int_equal(reply.moved, 5 * 512);
	assert_int_equal(reply.residue, 0);
	assert_int_equal(wire_sense(link, 0, sense), 0x011701);
	assert_int_equal(get_be32(sense + 3), 104);
	assert_memory_equal(data, good, 3 * 512);
	/* A bad sector in the same READ matters more. */
	wire_read(link, 101, 8, data, 4096);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	wire_close(link);
}

static void test_healing(void **state)
{
	struct link *link = wire_open("noise,healing=104:2");

	(void)state;
	assert_int_equal(wire_read(link, 100, 8, data, 4096).status, 1);
	assert_int_equal(wire_read(link, 90, 8, data, 4096).status, 0);
	assert_int_equal(wire_read(link, 104, 1, data, 512).status, 1);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(wire_read(link, 104, 1, data, 512).status, 0);
	assert_int_equal(wire_read(link, 100, 8, data, 4096).status, 0);
	wire_close(link);
}

static void test_dying(void **state)
{
	struct link *link = wire_open("noise,dies=1");

	(void)state;
	assert_int_equal(wire_read(link, 100, 8, data, 4096).status, 0);
	assert_int_equal(wire_read(link, 100, 8, data, 4096).status, 1);
	assert_int_equal(wire_sense(link, 0, sense), 0x044400);
	assert_int_equal(wire_read(link, 0, 1, data, 512).status, 1);
	wire_close(link);
	link = wire_open("noise,dies=1:medium");
	assert_int_equal(wire_read(link, 100, 8, data, 4096).status, 0);
	assert_int_equal(wire_read(link, 100, 8, data, 4096).status, 1);
	assert_int_equal(wire_sense(link, 0, sense), UNRECOVERED);
	assert_int_equal(get_be32(sense + 3), 100);
	wire_close(link);
}

static void test_forgotten(void **state)
{
	struct link *link = wire_open("noise,bad=7,bad=none,bad=9");

	(void)state;
	assert_int_equal(wire_read(link, 7, 1, data, 512).status, 0);
	assert_int_equal(wire_read(link, 9, 1, data, 512).status, 1);
	wire_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_sense_with_lba),
		cmocka_unit_test(test_data_before_the_bad_sector),
		cmocka_unit_test(test_no_lba),
		cmocka_unit_test(test_descriptor_sense),
		cmocka_unit_test(test_far_away),
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_recovered),
		cmocka_unit_test(test_healing),
		cmocka_unit_test(test_dying),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
