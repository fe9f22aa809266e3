/* SPDX-License-Identifier: BSD-2-Clause */
/* Quirks: the table is in order, facts that are public are found, and words are understood. */
#include "usb/quirk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "usb/quirk_table.h"

static void test_table_is_in_order(void **state)
{
	(void)state;
	assert_in_range(n_quirk_rows, 100, 1000);
	for (size_t i = 0; i < n_quirk_rows; i++) {
		const struct quirk_row *row = &quirk_table[i], *next = row + 1;

		assert_true(row->flags != 0);
		assert_true(row->bcd_first <= row->bcd_last);
		assert_non_null(quirk_sources[row->source]);
		if (i + 1 == n_quirk_rows)
			break;
		assert_true(
			row->vid < next->vid || (row->vid == next->vid && row->pid <= next->pid));
	}
}

/* Rows of Linux's tables, each looked up there by hand. */
static void test_facts(void **state)
{
	static const struct {
		uint16_t vid, pid, bcd;
		uint32_t flags;
	} facts[] = {
		{0x03eb, 0x2002, 0x0100, QUIRK_IGNORE_RESIDUE},
		{0x03eb, 0x2002, 0x0101, 0},
		{0x03f0, 0x070c, 0x0000, QUIRK_SANE_SENSE},
		{0x0781, 0x55e8, 0x1234, QUIRK_IGNORE_UAS},
		{0x0984, 0x0301, 0x0128, QUIRK_IGNORE_UAS},
		{0x0984, 0x0301, 0x0129, 0},
		{0x2537, 0x1068, 0x0000, QUIRK_IGNORE_UAS},
		{0x0bc2, 0x1234, 0x0000, QUIRK_NO_ATA_1X},
		{0x0421, 0xffff, 0x0000, QUIRK_CAPACITY_HEURISTICS},
		{0x1209, 0x0001, 0x0100, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const char *source = "?";
		uint32_t flags = quirk_lookup(facts[i].vid, facts[i].pid, facts[i].bcd, &source);

		if (flags != facts[i].flags)
			fail_msg("%04x:%04x: %08x", facts[i].vid, facts[i].pid, flags);
		assert_int_equal(source != NULL, flags != 0);
	}
}

/* uas-detect.h: ASM1051 (32 streams, or no SuperSpeed) has broken UAS, ASM1153 (no bMaxPower) is
 * well. */
static void test_bridges(void **state)
{
	(void)state;
	assert_int_equal(quirk_of_bridge(0x174c, 0x55aa, true, 5, 36), QUIRK_IGNORE_UAS);
	assert_int_equal(quirk_of_bridge(0x174c, 0x55aa, false, 0, 36), QUIRK_IGNORE_UAS);
	assert_int_equal(quirk_of_bridge(0x174c, 0x5106, true, 4, 36), QUIRK_MAX_SECTORS_240);
	assert_int_equal(quirk_of_bridge(0x174c, 0x55aa, true, 5, 0), 0);
	assert_int_equal(quirk_of_bridge(0x174c, 0x1234, true, 5, 36), 0);
}

static void test_kernels_setting(void **state)
{
	uint32_t flags = QUIRK_SANE_SENSE;

	(void)state;
	assert_true(quirk_from_kernel("1209:0001:ru\n", 0x1209, 1, &flags));
	assert_int_equal(flags, QUIRK_IGNORE_RESIDUE | QUIRK_IGNORE_UAS);
	assert_true(quirk_from_kernel("0bc2:331a:u,1209:0001:,152d:0578:x", 0x1209, 1, &flags));
	assert_int_equal(flags, 0);
	assert_true(quirk_from_kernel("0BC2:331A:tzq?", 0x0bc2, 0x331a, &flags));
	assert_int_equal(flags, QUIRK_NO_ATA_1X);
	flags = 7;
	assert_false(quirk_from_kernel("", 0x1209, 1, &flags));
	assert_false(quirk_from_kernel("\n", 0x1209, 1, &flags));
	assert_false(quirk_from_kernel("1209:0002:u,,,:::,12,1209:", 0x1209, 1, &flags));
	assert_int_equal(flags, 7);
}

static void test_words(void **state)
{
	char text[400];
	struct err err;
	uint32_t flags = QUIRK_IGNORE_UAS, all = 0;

	(void)state;
	assert_int_equal(
		quirk_parse("ignore-residue,no-ignore-uas,max-sectors-64", &flags, &err), 0);
	assert_int_equal(flags, QUIRK_IGNORE_RESIDUE | QUIRK_MAX_SECTORS_64);
	assert_string_equal(
		quirk_names(flags, text, sizeof(text)), "ignore-residue, max-sectors-64");
	assert_int_equal(
		quirk_parse("no-report-luns,no-no-report-luns,none,single-lun", &flags, &err), 0);
	assert_int_equal(flags, QUIRK_SINGLE_LUN);
	assert_int_equal(quirk_parse("ignore-everything", &flags, &err), -1);
	assert_non_null(strstr(err.text, "ignore-everything"));
	assert_int_equal(quirk_parse("", &flags, &err), -1);
	/* Every flag has a word, and the help says it. */
	for (uint32_t flag = 1; flag && flag <= QUIRK_NO_REPORT_OPCODES; flag <<= 1) {
		assert_string_not_equal(quirk_names(flag, text, sizeof(text)), "");
		assert_non_null(strstr(quirk_help(), text));
		assert_int_equal(quirk_parse(text, &all, &err), 0);
		assert_true(all & flag);
	}
	quirk_names(all, text, 20);
	assert_true(strlen(text) < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_in_order),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_bridges),
		cmocka_unit_test(test_kernels_setting),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("usb-quirk", tests, NULL, NULL);
}
