/* SPDX-License-Identifier: BSD-2-Clause */
/* A drive with the defects that a ddrescue mapfile tells of, and mapfiles that are none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "sim/sim.h"
#include "tests/aid/simulated.h"
#include "tests/aid/wire.h"

#define MANY 5000u

static char path[] = "/tmp/umsctl-mapfile-XXXXXX";
static char name[200];

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	snprintf(name, sizeof(name), "noise,size=8M,defects=%s", path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static bool is_bad(struct link *link, uint64_t lba)
{
	uint8_t data[512], sense[32];
	struct wire_reply reply = wire_read(link, (uint32_t)lba, 1, data, 512);

	if (reply.status == 0)
		return false;
	assert_int_equal(wire_sense(link, 0, sense), 0x031100);
	assert_int_equal(get_be32(sense + 3), lba);
	return true;
}

static void test_what_is_bad(void **state)
{
	static const struct {
		uint64_t lba;
		bool bad;
	} rows[] = {
		{0, false},
		{7, false},
		{8, true},
		{9, true},
		{10, false}, /* - */
		{15, false},
		{16, true},
		{17, false}, /* * */
		{32, true},
		{33, false}, /* / */
		{63, false},
		{64, true},
		{65, true},
		{66, false},  /* parts of both */
		{100, false}, /* ? */
		{16383, true},
	};
	struct link *link;

	(void)state;
	put("# Mapfile. Created by GNU ddrescue version 1.27\n"
	    "# Command line: ddrescue /dev/sdb x x.map\n"
	    "\n"
	    "# current_pos  current_status  current_pass\n"
	    "0x00000000     +               1\n"
	    "#      pos        size  status\n"
	    "0x00000000  0x00001000  +\n"
	    "0x00001000  0x00000400  -\n"
	    "0x00001400  0x00000C00  +\n"
	    "8192 512 *\n"
	    "8704\t7680\t+\n"
	    "0x00004000  0x00000200  /\n"
	    "0x00004200  0x00003EFF  +\n"
	    "0x000080FF  0x00000102  -\n"
	    "0x0000C000  0x00004000  ?\n"
	    "0x7ffe00  0x200  -\n");
	link = wire_open(name);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (is_bad(link, rows[i].lba) != rows[i].bad)
			fail_msg("sector %u is %s", (unsigned int)rows[i].lba,
				rows[i].bad ? "good" : "bad");
	}
	wire_close(link);
}

/* Beside those of the command line, whichever comes first. */
static void test_with_other_areas(void **state)
{
	uint8_t data[16 * 512], sense[32];
	struct link *link;
	char both[250];

	(void)state;
	put("0 + 1\n0 512 +\n512 512 -\n5120 512 -\n");
	snprintf(both, sizeof(both), "%s,bad=5,healing=10:1", name);
	link = wire_open(both);
	assert_int_equal(wire_read(link, 2, 16, data, sizeof(data)).moved, 3 * 512);
	wire_sense(link, 0, sense);
	assert_int_equal(get_be32(sense + 3), 5);
	assert_int_equal(wire_read(link, 0, 16, data, sizeof(data)).moved, 512);
	assert_true(is_bad(link, 1));
	assert_true(is_bad(link, 10));
	assert_true(is_bad(link, 10));
	wire_close(link);
}

/* More than fit on a command line. */
static void test_many_areas(void **state)
{
	char *text = malloc(MANY * 40), *at = text;
	struct link *link;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "0 ?\n");
	for (unsigned int i = 0; i < MANY; i++)
		at += sprintf(at, "%u 512 -\n", i * 1536);
	put(text);
	free(text);
	link = wire_open(name);
	for (unsigned int lba = 0; lba < 3 * MANY; lba += 100)
		assert_int_equal(is_bad(link, lba), lba % 3 == 0);
	assert_false(is_bad(link, 3 * MANY));
	wire_close(link);
}

static void test_sectors_of_4096_bytes(void **state)
{
	uint8_t data[4096];
	struct link *link;
	char large[250];

	(void)state;
	put("0 +\n0 4096 +\n4096 1 -\n");
	snprintf(large, sizeof(large), "%s,block=4096", name);
	link = wire_open(large);
	assert_int_equal(wire_read(link, 0, 1, data, sizeof(data)).status, 0);
	assert_int_equal(wire_read(link, 1, 1, data, sizeof(data)).status, 1);
	assert_int_equal(wire_read(link, 2, 1, data, sizeof(data)).status, 0);
	wire_close(link);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"", "is no ddrescue mapfile: it has no areas"},
		{"# nothing\n", "it has no areas"},
		{"hello world\n", "line 1: it is no ddrescue mapfile"},
		{"# a\n0x00 x\n", "line 2: it is no ddrescue mapfile"},
		{"\0ELF", "no ddrescue mapfile"},
		{"0 +\n0 512\n", "line 2: an area is a position, a size and a status"},
		{"0 +\n0 512 - 7\n", "line 2: an area is"},
		{"0 +\n0 512 bad\n", "line 2: its status is none of"},
		{"0 +\n0 512 x\n", "its status is none of"},
		{"0 +\n-1 512 -\n", "line 2: its position or its size is no number"},
		{"0 +\n0 0xfffffffffffffffff -\n", "is no number of bytes"},
		{"0 +\n1 0xffffffffffffffff -\n", "is no number of bytes"},
		{"0 +\n0 1024 -\n512 512 +\n", "line 3: the area begins before"},
		{"0 +\n0x800000 512 -\n", "line 2: a bad area ends at byte 8389120, the drive has "
					  "8388608 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = {0};

		put(wrong[i].text);
		assert_null(sim_open(name, &err));
		if (!strstr(err.text, wrong[i].says) || !strstr(err.text, path))
			fail_msg("row %zu: %s", i, err.text);
	}
	/* What is not bad may lie anywhere. */
	put("0 +\n0x800000 512 ?\n0x900000 512 +\n");
	wire_close(wire_open(name));
}

static void test_no_such_file(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(sim_open("noise,size=8M,defects=/no/such/file", &err));
	assert_non_null(strstr(err.text, "the setting defects: "));
	assert_non_null(strstr(err.text, "/no/such/file"));
	assert_null(sim_open("noise,size=8M,defects=/tmp", &err));
	assert_non_null(strstr(err.text, "/tmp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_bad),
		cmocka_unit_test(test_with_other_areas),
		cmocka_unit_test(test_many_areas),
		cmocka_unit_test(test_sectors_of_4096_bytes),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_no_such_file),
	};

	simulate_time();
	return cmocka_run_group_tests_name("sim-mapfile", tests, make_file, remove_file);
}
