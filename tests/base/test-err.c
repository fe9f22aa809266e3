/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors with context: kinds, texts, and what does not fit. */
#include <stdarg.h>
#include <setjmp.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"

static void test_set_and_prefix(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, ERR_BUSY, "%s is %d", "it", 7), -1);
	assert_int_equal(err.kind, ERR_BUSY);
	assert_string_equal(err.text, "it is 7");
	assert_int_equal(err_prefix(&err, "reading LBA %d: ", 12), -1);
	assert_int_equal(err.kind, ERR_BUSY);
	assert_string_equal(err.text, "reading LBA 12: it is 7");
	assert_int_equal(err_memory(&err, "for a map"), -1);
	assert_int_equal(err.kind, ERR_NO_MEMORY);
	assert_string_equal(err.text, "out of memory for a map");
}

static void test_kinds_of_errno(void **state)
{
	static const struct {
		int errnum;
		enum err_kind kind;
	} table[] = {
		{ENOENT, ERR_NO_DEVICE},
		{EACCES, ERR_PERMISSION},
		{EPERM, ERR_PERMISSION},
		{EBUSY, ERR_BUSY},
		{ENOMEDIUM, ERR_NO_MEDIUM},
		{ENODEV, ERR_GONE},
		{ENOSPC, ERR_NO_SPACE},
		{EDQUOT, ERR_NO_SPACE},
		{ENOMEM, ERR_NO_MEMORY},
		{EIO, ERR_OTHER},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(err_sys(&err, table[i].errnum, "opening %s", "x"), -1);
		assert_int_equal(err.kind, table[i].kind);
	}
	err_sys(&err, ENOENT, "opening %s", "x");
	assert_string_equal(err.text, "opening x: No such file or directory");
}

static void test_nobody_wants_to_know(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_BUSY, "x"), -1);
	assert_int_equal(err_sys(NULL, EIO, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
	assert_int_equal(err_memory(NULL, "x"), -1);
}

/* What does not fit is cut, and ends in NUL. */
static void test_long_texts(void **state)
{
	struct err err;
	char text[3 * sizeof(err.text)];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_OTHER, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_sys(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_prefix(&err, "a: ");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(strncmp(err.text, "a: xxx", 6), 0);
	err_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_prefix),
		cmocka_unit_test(test_kinds_of_errno),
		cmocka_unit_test(test_nobody_wants_to_know),
		cmocka_unit_test(test_long_texts),
	};

	return cmocka_run_group_tests_name("base-err", tests, NULL, NULL);
}
