/* SPDX-License-Identifier: BSD-2-Clause */
/* What the simulated drive answers to SCSI commands. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tests/aid/wire.h"

static uint8_t data[4096];
static uint8_t sense[32];

/* The command fails with this key << 16 | ASC << 8 | ASCQ. */
static void assert_fails(
	struct link *link, uint8_t lun, const uint8_t *cdb, uint8_t cdb_len, uint32_t expected)
{
	assert_int_equal(wire_exec(link, lun, cdb, cdb_len, data, sizeof(data)).status, 1);
	assert_int_equal(wire_sense(link, lun, sense), expected);
	/* Sense data is given once. */
	assert_int_equal(wire_sense(link, lun, sense), 0);
}

/* The command succeeds with N bytes of data. */
static void assert_gives(struct link *link, const uint8_t *cdb, uint8_t cdb_len, size_t n)
{
	struct wire_reply reply = wire_exec(link, 0, cdb, cdb_len, data, sizeof(data));

	assert_int_equal(reply.status, 0);
	assert_int_equal(reply.moved, n);
	assert_int_equal(reply.residue, sizeof(data) - n);
}

static void test_inquiry(void **state)
{
	struct link *link = wire_open("blank,spc=0");

	(void)state;
	assert_gives(link, (const uint8_t[6]){0x12, [4] = 96}, 6, 36);
	assert_memory_equal(data, "\x00\x80\x00\x02\x1f\0\0\0umsctl  Simulated drive 0001", 36);
	assert_gives(link, (const uint8_t[6]){0x12, [4] = 5}, 6, 5);
	assert_fails(link, 0, (const uint8_t[6]){0x12, 1, 0x80, [4] = 255}, 6, 0x052400);
	assert_fails(link, 0, (const uint8_t[6]){0x12, 0, 0x80, [4] = 255}, 6, 0x052400);
	wire_close(link);
	link = wire_open("blank,spc=3");
	assert_gives(link, (const uint8_t[6]){0x12, [4] = 36}, 6, 36);
	assert_int_equal(data[2], 5);
	wire_close(link);
}

static void test_vital_product_data(void **state)
{
	struct link *link = wire_open("blank,spc=3,serial=XYZ-1");

	(void)state;
	assert_gives(link, (const uint8_t[6]){0x12, 1, 0x00, [4] = 255}, 6, 8);
	assert_memory_equal(data, "\0\0\0\x04\0\x80\x83\xb0", 8);
	assert_gives(link, (const uint8_t[6]){0x12, 1, 0x80, [4] = 255}, 6, 9);
	assert_memory_equal(data, "\0\x80\0\x05XYZ-1", 9);
	assert_gives(link, (const uint8_t[6]){0x12, 1, 0x83, [4] = 255}, 6, 4 + 17 + 12);
	assert_memory_equal(data, "\0\x83\0\x1d\x02\x01\0\x0dumsctl  XYZ-1\x01\x03\0\x08", 25);
	assert_int_equal(data[25] >> 4, 3);
	assert_gives(link, (const uint8_t[6]){0x12, 1, 0xb0, [4] = 255}, 6, 64);
	assert_int_equal(get_be32(data + 12), 256);
	assert_fails(link, 0, (const uint8_t[6]){0x12, 1, 0xb1, [4] = 255}, 6, 0x052400);
	wire_close(link);
}

static void test_capacity(void **state)
{
	const uint8_t capacity10[10] = {0x25};
	const uint8_t capacity16[16] = {0x9e, 0x10, [13] = 32};
	struct link *link = wire_open("4k");

	(void)state;
	assert_gives(link, capacity10, 10, 8);
	assert_int_equal(get_be32(data), 65535);
	assert_int_equal(get_be32(data + 4), 4096);
	wire_close(link);
	link = wire_open("big");
	assert_gives(link, capacity10, 10, 8);
	assert_int_equal(get_be32(data), UINT32_MAX);
	assert_gives(link, capacity16, 16, 32);
	assert_int_equal(get_be64(data), (UINT64_C(1) << 33) - 1);
	assert_int_equal(get_be32(data + 8), 512);
	assert_fails(link, 0, (const uint8_t[16]){0x9e, 0x12, [13] = 32}, 16, 0x052400);
	wire_close(link);
	link = wire_open("big,no-cap16");
	assert_fails(link, 0, capacity16, 16, 0x052000);
	wire_close(link);
	link = wire_open("blank,size=1M,capacity-plus-one");
	assert_gives(link, capacity10, 10, 8);
	assert_int_equal(get_be32(data), 2048);
	assert_gives(link, (const uint8_t[10]){0x28, [4] = 0x07, [5] = 0xff, [8] = 1}, 10, 512);
	assert_fails(link, 0, (const uint8_t[10]){0x28, [4] = 0x08, [8] = 1}, 10, 0x052100);
	wire_close(link);
}

/* The same eight sectors by all four commands. */
static void test_reads(void **state)
{
	struct link *link = wire_open("noise");
	uint8_t first[4096];

	(void)state;
	assert_gives(link, (const uint8_t[6]){0x08, 0x01, 0x02, 0x03, 8}, 6, 4096);
	memcpy(first, data, sizeof(first));
	assert_gives(link, (const uint8_t[10]){0x28, 0, 0, 1, 2, 3, 0, 0, 8}, 10, 4096);
	assert_memory_equal(data, first, sizeof(first));
	assert_gives(link, (const uint8_t[12]){0xa8, 0, 0, 1, 2, 3, 0, 0, 0, 8}, 12, 4096);
	assert_memory_equal(data, first, sizeof(first));
	assert_int_equal(wire_read(link, 0x10203, 8, data, 4096).status, 0);
	assert_memory_equal(data, first, sizeof(first));
	assert_gives(link, (const uint8_t[10]){0x28, 0, 0, 1, 2, 4, 0, 0, 1}, 10, 512);
	assert_memory_equal(data, first + 512, 512);
	/* No blocks is no error, except in READ (6), where it is 256. */
	assert_gives(link, (const uint8_t[10]){0x28}, 10, 0);
	assert_int_equal(wire_exec(link, 0, (const uint8_t[6]){0x08}, 6, data, 4096).status, 2);
	wire_close(link);
}

static void test_reads_that_make_no_sense(void **state)
{
	struct link *link = wire_open("blank,size=1M");

	(void)state;
	assert_fails(link, 0, (const uint8_t[10]){0x28, [4] = 8, [8] = 1}, 10, 0x052100);
	assert_fails(
		link, 0, (const uint8_t[10]){0x28, [4] = 7, [8] = 0xff, [7] = 1}, 10, 0x052100);
	assert_fails(link, 0, (const uint8_t[10]){0x28, 0x20, [8] = 1}, 10, 0x052400);
	assert_fails(link, 0, (const uint8_t[10]){0x28, [8] = 1}, 6, 0x052400);
	assert_int_equal(wire_read(link, UINT64_MAX, UINT32_MAX, data, 512).status, 1);
	assert_int_equal(wire_sense(link, 0, sense), 0x052100);
	wire_close(link);
}

static void test_mode_sense(void **state)
{
	struct link *link = wire_open("blank,ro");

	(void)state;
	assert_gives(link, (const uint8_t[6]){0x1a, 0, 0x3f, 0, 192}, 6, 4 + 12 + 20 + 12);
	assert_int_equal(data[0], 47);
	assert_int_equal(data[2], 0x80);
	assert_int_equal(data[4], 0x01);
	assert_int_equal(data[7], 3);
	assert_gives(link, (const uint8_t[6]){0x1a, 0, 0x08, 0, 192}, 6, 24);
	assert_int_equal(data[4], 0x08);
	assert_gives(link, (const uint8_t[6]){0x1a, 0, 0x41, 0, 192}, 6, 16);
	assert_int_equal(data[7], 0);
	assert_gives(link, (const uint8_t[10]){0x5a, 0, 0x3f, [7] = 1}, 10, 8 + 44);
	assert_int_equal(get_be16(data), 50);
	assert_int_equal(data[3], 0x80);
	assert_fails(link, 0, (const uint8_t[6]){0x1a, 0, 0x0a, 0, 192}, 6, 0x052400);
	assert_fails(link, 0, (const uint8_t[6]){0x1a, 0, 0xff, 0, 192}, 6, 0x053900);
	wire_close(link);
	link = wire_open("blank");
	assert_gives(link, (const uint8_t[6]){0x1a, 0, 0x3f, 0, 4}, 6, 4);
	assert_int_equal(data[2], 0);
	wire_close(link);
	link = wire_open("blank,no-mode-sense");
	assert_fails(link, 0, (const uint8_t[6]){0x1a, 0, 0x3f, 0, 192}, 6, 0x052000);
	wire_close(link);
}

static void test_logical_units(void **state)
{
	struct link *link = wire_open("blank,luns=2,empty-luns");
	const uint8_t inquiry[6] = {0x12, [4] = 36};

	(void)state;
	assert_gives(link, (const uint8_t[12]){0xa0, [9] = 64}, 12, 24);
	assert_int_equal(get_be32(data), 16);
	assert_int_equal(data[17], 1);
	assert_fails(link, 1, (const uint8_t[6]){0}, 6, 0x023a00);
	assert_fails(link, 2, (const uint8_t[6]){0}, 6, 0x052500);
	wire_exec(link, 1, inquiry, 6, data, 36);
	assert_int_equal(data[0], 0);
	wire_exec(link, 2, inquiry, 6, data, 36);
	assert_int_equal(data[0], 0x7f);
	/* Sense data is the unit's that failed. */
	wire_exec(link, 1, (const uint8_t[6]){0}, 6, NULL, 0);
	assert_int_equal(wire_sense(link, 0, sense), 0);
	wire_close(link);
}

/* Each unit has a medium of its own: of the same kind, with other bytes. */
static void test_units_with_media(void **state)
{
	static const char *const names[] = {"noise,luns=3", "text,luns=3", "demo,luns=3"};
	const uint8_t read[10] = {0x28, [5] = 9, [8] = 1}, capacity[10] = {0x25};
	uint8_t unit[3][512];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct link *link = wire_open(names[i]);
		uint32_t last;

		wire_exec(link, 0, capacity, 10, data, 8);
		last = get_be32(data);
		for (uint8_t lun = 0; lun < 3; lun++) {
			assert_int_equal(wire_exec(link, lun, read, 10, unit[lun], 512).status, 0);
			assert_int_equal(wire_exec(link, lun, capacity, 10, data, 8).status, 0);
			assert_int_equal(get_be32(data), last);
		}
		assert_memory_not_equal(unit[0], unit[1], 512);
		assert_memory_not_equal(unit[1], unit[2], 512);
		assert_fails(link, 3, read, 10, 0x052500);
		wire_close(link);
	}
}

/* hostile: texts that nobody should print, and lengths that lie; the drive can be read for all
 * that. */
static void test_hostile(void **state)
{
	struct link *link = wire_open("noise,hostile,spc=4");
	static const uint8_t bytes[] = {0x1b, '\n', 0x7f, 0, 0x9b};
	uint8_t serial[300];
	size_t n;

	(void)state;
	assert_gives(link, (const uint8_t[6]){0x12, [4] = 96}, 6, 36);
	assert_int_equal(data[4], 0xff);
	assert_memory_equal(data + 8, "\033[31m\a\r\n", 8);
	n = wire_exec(link, 0, (const uint8_t[6]){0x12, 1, 0x80, [4] = 255}, 6, serial, 300).moved;
	assert_int_equal(get_be16(serial + 2), 0xffff);
	assert_in_range(n, 10, 254);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_non_null(memchr(serial + 4, bytes[i], n - 4));
	assert_non_null(memmem(serial + 4, n - 4, "../../", 6));
	n = wire_exec(link, 0, (const uint8_t[6]){0x12, 1, 0x83, [4] = 255}, 6, data, 4096).moved;
	assert_int_equal(get_be16(data + 2), 0xffff);
	assert_in_range(n, 10, 254);
	assert_gives(link, (const uint8_t[6]){0x1a, 0, 0x3f, 0, 192}, 6, 4 + 12 + 20 + 12);
	assert_memory_equal(data, "\xff\xff\xff\xff", 4);
	assert_gives(link, (const uint8_t[10]){0x5a, 0, 0x3f, [7] = 1}, 10, 8 + 44);
	assert_memory_equal(data, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	assert_int_equal(wire_read(link, 0, 8, data, 4096).status, 0);
	wire_close(link);
}

static void test_states_of_the_unit(void **state)
{
	const uint8_t ready[6] = {0};
	struct link *link = wire_open("blank,unit-attention=2");

	(void)state;
	/* INQUIRY does not take the unit attention away. */
	assert_gives(link, (const uint8_t[6]){0x12, [4] = 36}, 6, 36);
	assert_fails(link, 0, ready, 6, 0x062900);
	assert_fails(link, 0, ready, 6, 0x062900);
	assert_gives(link, ready, 6, 0);
	link->ops->reset(link);
	assert_fails(link, 0, ready, 6, 0x062900);
	wire_close(link);
	link = wire_open("blank,becoming-ready");
	assert_fails(link, 0, ready, 6, 0x020401);
	assert_gives(link, ready, 6, 0);
	wire_close(link);
	link = wire_open("blank,no-medium");
	assert_fails(link, 0, ready, 6, 0x023a00);
	assert_fails(link, 0, (const uint8_t[10]){0x25}, 10, 0x023a00);
	assert_fails(link, 0, (const uint8_t[10]){0x28, [8] = 1}, 10, 0x023a00);
	assert_gives(link, (const uint8_t[6]){0x1b, [4] = 1}, 6, 0);
	wire_close(link);
}

static void test_refused(void **state)
{
	static const uint8_t writes[] = {0x0a, 0x2a, 0xaa, 0x8a};
	static const uint8_t unknown[] = {0x04, 0x2f, 0x3b, 0x42, 0x85, 0xa1, 0xff};
	struct link *link = wire_open("blank");
	uint8_t cdb[16] = {[4] = 1, [8] = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(writes); i++) {
		cdb[0] = writes[i];
		assert_fails(link, 0, cdb, 16, 0x072700);
	}
	for (size_t i = 0; i < sizeof(unknown); i++) {
		cdb[0] = unknown[i];
		assert_fails(link, 0, cdb, 16, 0x052000);
	}
	wire_close(link);
}

static void test_sense_is_gone_with_the_next_command(void **state)
{
	struct link *link = wire_open("blank");
	const uint8_t bad[6] = {0xff};

	(void)state;
	wire_exec(link, 0, bad, 6, NULL, 0);
	wire_exec(link, 0, (const uint8_t[6]){0}, 6, NULL, 0);
	assert_int_equal(wire_sense(link, 0, sense), 0);
	/* The DESC bit asks for the other form. */
	wire_exec(link, 0, bad, 6, NULL, 0);
	wire_exec(link, 0, (const uint8_t[6]){3, 1, 0, 0, 18}, 6, sense, 18);
	assert_memory_equal(sense, "\x72\x05\x20\0\0\0\0\0", 8);
	wire_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inquiry),
		cmocka_unit_test(test_vital_product_data),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_that_make_no_sense),
		cmocka_unit_test(test_mode_sense),
		cmocka_unit_test(test_logical_units),
		cmocka_unit_test(test_units_with_media),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_states_of_the_unit),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sense_is_gone_with_the_next_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
