/* SPDX-License-Identifier: BSD-2-Clause */
/* The script of misdeeds: which line a command meets, how often; what is no line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sim/script.h"

#define READ16 0x88
#define READY  0x00
#define SENSE  0x03

static struct script script_of(const char *first, const char *second)
{
	struct script script = {0};
	struct err err = {0};

	if (script_add(&script, first, &err) != 0 ||
		(second && script_add(&script, second, &err) != 0))
		fail_msg("%s", err.text);
	return script;
}

/* The misdeed that a Bulk-Only drive does at a command; of a READ, with its blocks. */
static enum misdeed meet(struct script *script, uint8_t opcode, uint64_t lba, uint64_t n)
{
	const uint8_t cdb[16] = {opcode};
	const struct script_line *line = script_meet(script, false, cdb, lba, n);

	return line ? line->misdeed : MISDEED_NONE;
}

static void test_the_next_command_once(void **state)
{
	struct script script = script_of("csw-tag", NULL);

	(void)state;
	/* REQUEST SENSE belongs to the command before it. */
	assert_int_equal(meet(&script, SENSE, 0, 0), MISDEED_NONE);
	assert_int_equal(script.commands, 0);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_CSW_TAG);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_NONE);
	assert_int_equal(script.commands, 2);
	script_free(&script);
	assert_int_equal(script.n, 0);
}

static void test_times(void **state)
{
	struct script script = script_of("csw-tag:times=3", NULL);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(meet(&script, READY, 0, 0), MISDEED_CSW_TAG);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_NONE);
	script_free(&script);
	script = script_of("csw-tag:always", NULL);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(meet(&script, READY, 0, 0), MISDEED_CSW_TAG);
	script_free(&script);
}

static void test_at_a_command(void **state)
{
	struct script script = script_of("hang:cmd=3:times=2", NULL);

	(void)state;
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_NONE);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_NONE);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_HANG);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_HANG);
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_NONE);
	script_free(&script);
}

static void test_at_an_opcode(void **state)
{
	struct script script = script_of("hang:op=8A", NULL);

	(void)state;
	assert_int_equal(meet(&script, READ16, 0, 8), MISDEED_NONE);
	assert_int_equal(meet(&script, 0x8a, 0, 0), MISDEED_HANG);
	script_free(&script);
}

static void test_at_an_area(void **state)
{
	static const struct {
		uint64_t lba, n;
		bool meets;
	} reads[] = {
		{100, 1, true},
		{109, 1, true},
		{99, 1, false},
		{110, 1, false},
		{0, 100, false},
		{0, 101, true},
		{109, 100, true},
		{0, UINT32_MAX, true},
		{105, 0, false},	      /* reads nothing */
		{UINT64_MAX - 5, 200, false}, /* does not wrap around */
		{UINT64_MAX, UINT64_MAX, false},
	};
	struct script script = script_of("hang:lba=100-109:always", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		bool meets = meet(&script, READ16, reads[i].lba, reads[i].n) == MISDEED_HANG;

		if (meets != reads[i].meets)
			fail_msg("%zu: %d", i, meets);
	}
	script_free(&script);
	script = script_of("hang:lba=18446744073709551615", NULL);
	assert_int_equal(meet(&script, READ16, UINT64_MAX - 5, 200), MISDEED_HANG);
	script_free(&script);
}

/* The first line that fits is the one, and those that do not keep their times. */
static void test_order(void **state)
{
	struct script script = script_of("csw-tag:op=28", "csw-short:times=2");

	(void)state;
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_CSW_SHORT);
	assert_int_equal(meet(&script, 0x28, 0, 1), MISDEED_CSW_TAG);
	assert_int_equal(meet(&script, 0x28, 0, 1), MISDEED_CSW_SHORT);
	assert_int_equal(meet(&script, 0x28, 0, 1), MISDEED_NONE);
	script_free(&script);
}

/* A misdeed waits for a transport on which it can be done. */
static void test_transports(void **state)
{
	struct script script = script_of("uas-response=9", "csw-tag");
	const uint8_t cdb[16] = {READY};
	const struct script_line *line;

	(void)state;
	assert_int_equal(meet(&script, READY, 0, 0), MISDEED_CSW_TAG);
	line = script_meet(&script, true, cdb, 0, 0);
	assert_non_null(line);
	assert_int_equal(line->misdeed, MISDEED_UAS_RESPONSE);
	assert_int_equal(line->number, 9);
	script_free(&script);
	assert_true(misdeed_fits(MISDEED_DROP, true) && misdeed_fits(MISDEED_DROP, false));
	assert_false(misdeed_fits(MISDEED_NONE, true) || misdeed_fits(MISDEED_NONE, false));
}

/* The table has a line for each, with a name of its own that can be parsed. */
static void test_table(void **state)
{
	(void)state;
	for (int m = MISDEED_NONE + 1; m < MISDEEDS; m++) {
		enum misdeed misdeed = (enum misdeed)m;
		struct script script = {0};
		char text[50];

		assert_non_null(misdeed_name(misdeed));
		assert_true(misdeed_about(misdeed)[0] != '\0');
		assert_true(misdeed_fits(misdeed, true) || misdeed_fits(misdeed, false));
		snprintf(text, sizeof(text), "%s%s", misdeed_name(misdeed),
			misdeed_number(misdeed)[0] ? "=7" : "");
		assert_int_equal(script_add(&script, text, NULL), 0);
		assert_int_equal(script.line[0].misdeed, misdeed);
		assert_int_equal(script.line[0].number, misdeed_number(misdeed)[0] ? 7 : 0);
		script_free(&script);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"", "\"\" is no misdeed (umsctl help sim lists them)"},
		{"csw-tga", "\"csw-tga\" is no misdeed"},
		{"none", "\"none\" is no misdeed"},
		{"CSW-TAG", "\"CSW-TAG\" is no misdeed"},
		{"csw-tag=4", "csw-tag takes no number"},
		{"drop", "drop needs a number: drop=MS"},
		{"drop=", "drop: \"\" is no number from 0 to 86400000"},
		{"drop=-1", "\"-1\" is no number"},
		{"drop=18446744073709551616", "is no number"},
		{"csw-late=86400001", "\"86400001\" is no number from 0 to 86400000"},
		{"uas-response=256", "\"256\" is no number from 0 to 255"},
		{"hang:", "\"\" is none of: cmd=N, lba=N"},
		{"hang:always=1", "\"always=1\" is none of"},
		{"hang:lba", "\"lba\" is none of"},
		{"hang:lba=", "\"\" is no area: a block number or FIRST-LAST"},
		{"hang:lba=5-", "\"\" is no area"},
		{"hang:lba=9-5", "the area 9-5 ends before it begins"},
		{"hang:op=2", "\"2\" is no opcode of two hex digits"},
		{"hang:op=0x28", "\"0x28\" is no opcode"},
		{"hang:op=2g", "\"2g\" is no opcode"},
		{"hang:cmd=0", "\"0\" is no number from 1 on"},
		{"hang:times=0", "\"0\" is no number from 1 on"},
		{"hang:times=x", "\"x\" is no number from 1 on"},
		{"hang:cmd=3:op=28", "only one of cmd, lba and op can be said"},
		{"hang:lba=3:lba=4", "only one of cmd, lba and op can be said"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct script script = {0};
		struct err err = {0};

		if (script_add(&script, wrong[i].text, &err) == 0)
			fail_msg("\"%s\" was taken", wrong[i].text);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", wrong[i].text, err.text,
				wrong[i].says);
		assert_int_equal(script.n, 0);
		script_free(&script);
	}
}

static void test_highest(void **state)
{
	struct script script = script_of("hang:lba=7-900", "hang:op=ff");

	(void)state;
	assert_int_equal(script_highest(&script), 900);
	script_free(&script);
	assert_int_equal(script_highest(&script), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_next_command_once),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_at_a_command),
		cmocka_unit_test(test_at_an_opcode),
		cmocka_unit_test(test_at_an_area),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_transports),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_highest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
