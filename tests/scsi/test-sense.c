/* SPDX-License-Identifier: BSD-2-Clause */
/* Sense data: fixed and descriptor, whole and cut, honest and not; and its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scsi/scsi.h"

static const struct {
	const char *name;
	uint8_t bytes[40];
	size_t len;
	struct sense want;
} rows[] = {
	{"nothing", {0}, 0, {0}},
	{"fixed, with LBA", {0xf0, 0, 3, 0, 0, 0x12, 0x34, 10, 0, 0, 0, 0, 0x11, 0}, 18,
		{true, false, 3, 0x11, 0, true, 0x1234}},
	{"fixed, LBA not valid", {0x70, 0, 3, 0, 0, 0x12, 0x34, 10, 0, 0, 0, 0, 0x11, 4}, 18,
		{true, false, 3, 0x11, 4, false, 0x1234}},
	{"fixed, filemark bits in the key's byte", {0x70, 0, 0xe3, 0, 0, 0, 0, 10}, 18,
		{true, false, 3, 0, 0, false, 0}},
	{"fixed, deferred", {0x71, 0, 3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11}, 18,
		{true, true, 3, 0x11, 0, false, 0}},
	{"fixed, says that it is shorter", {0x70, 0, 6, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x28, 1}, 18,
		{true, false, 6, 0, 0, false, 0}},
	{"fixed, cut before the LBA", {0xf0, 0, 3, 0, 0}, 5, {true, false, 3, 0, 0, false, 0}},
	{"fixed, cut before the key", {0x70, 0}, 2, {0}},
	{"descriptor, with LBA",
		{0x72, 3, 0x11, 0, 0, 0, 0, 12, 0, 10, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 5}, 20,
		{true, false, 3, 0x11, 0, true, 0x100000005}},
	{"descriptor, LBA behind another one",
		{0x72, 3, 0x11, 0, 0, 0, 0, 16, 2, 2, 0, 0, 0, 10, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 9},
		24, {true, false, 3, 0x11, 0, true, 9}},
	{"descriptor, LBA not valid",
		{0x72, 3, 0x11, 0, 0, 0, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, 20,
		{true, false, 3, 0x11, 0, false, 5}},
	{"descriptor, cut", {0x72, 3, 0x11, 0, 0, 0, 0, 12, 0, 10, 0x80, 0}, 12,
		{true, false, 3, 0x11, 0, false, 0}},
	{"descriptor that claims more than is there", {0x72, 3, 0x11, 0, 0, 0, 0, 255, 9, 255, 0},
		11, {true, false, 3, 0x11, 0, false, 0}},
	{"descriptor, deferred", {0x73, 4, 0x44, 0, 0, 0, 0, 0}, 8,
		{true, true, 4, 0x44, 0, false, 0}},
	{"another response code", {0x7f, 1, 2, 3}, 18, {0}},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sense got = sense_parse(rows[i].bytes, rows[i].len);
		const struct sense *want = &rows[i].want;

		if (got.present != want->present || got.deferred != want->deferred ||
			got.key != want->key || got.asc != want->asc || got.ascq != want->ascq ||
			got.information_valid != want->information_valid ||
			(got.information_valid && got.information != want->information))
			fail_msg("%s: %d %d %x/%02x/%02x %d %lu", rows[i].name, got.present,
				got.deferred, got.key, got.asc, got.ascq, got.information_valid,
				got.information);
	}
}

/* Cut at every length, in memory of exactly that length. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t len = 0; len <= sizeof(rows[i].bytes); len++) {
			uint8_t *copy = malloc(len ? len : 1);

			memcpy(copy, rows[i].bytes, len);
			sense_parse(copy, len);
			free(copy);
		}
	}
}

static void test_words(void **state)
{
	struct reply reply = {.outcome = OUTCOME_DONE, .status = SCSI_STATUS_CHECK_CONDITION};
	char text[200], narrow[12];

	(void)state;
	memcpy(reply.sense, rows[1].bytes, 18);
	reply.sense_len = 18;
	scsi_reply_text(&reply, text, sizeof(text));
	assert_string_equal(text, "Medium Error: Unrecovered read error [3/11/00]");
	scsi_reply_text(&reply, narrow, sizeof(narrow));
	assert_string_equal(narrow, "Medium Erro");
	reply.sense_len = 0;
	scsi_reply_text(&reply, text, sizeof(text));
	assert_non_null(strstr(text, "without sense data"));
	reply.outcome = OUTCOME_TIMED_OUT;
	assert_string_equal(scsi_reply_text(&reply, text, sizeof(text)), "timed out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
