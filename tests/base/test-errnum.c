/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of the host by number and name: there and back, and what is not in the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/errnum.h"
#include "proto/ums.h"

static void test_there_and_back(void **state)
{
	unsigned int known = 0;

	(void)state;
	for (int host = 1; host < 200; host++) {
		uint8_t number = errnum_of_host(host);

		assert_int_not_equal(number, 0);
		assert_non_null(errnum_name(number));
		if (number == UMS_ERROR_OTHER)
			continue;
		known++;
		assert_int_equal(errnum_host_of_name(errnum_name(number)), host);
		/* The names are those of the system. */
		assert_string_equal(errnum_name(number), strerrorname_np(host));
	}
	assert_int_equal(known, UMS_ERROR_ENOLINK);
}

static void test_what_is_not_in_the_table(void **state)
{
	(void)state;
	assert_int_equal(errnum_of_host(0), 0);
	assert_null(errnum_name(0));
	assert_null(errnum_name(200));
	assert_int_equal(errnum_of_host(ENAMETOOLONG), UMS_ERROR_OTHER);
	assert_int_equal(errnum_of_host(-1), UMS_ERROR_OTHER);
	assert_string_equal(errnum_name(UMS_ERROR_OTHER), "EOTHER");
	assert_int_equal(errnum_of_host(errnum_host_of_name("EOTHER")), UMS_ERROR_OTHER);
	assert_int_equal(errnum_host_of_name("ENONSENSE"), 0);
	assert_int_equal(errnum_host_of_name(""), 0);
}

/* An error that is not known does not make a sector bad. */
static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(errnum_kind(EIO), ERRNUM_MEDIUM);
	assert_int_equal(errnum_kind(ENODATA), ERRNUM_MEDIUM);
	assert_int_equal(errnum_kind(ENOTCONN), ERRNUM_GONE);
	assert_int_equal(errnum_kind(ENODEV), ERRNUM_GONE);
	assert_int_equal(errnum_kind(EINVAL), ERRNUM_HOST);
	assert_int_equal(errnum_kind(ENOMEM), ERRNUM_HOST);
	assert_int_equal(errnum_kind(ENAMETOOLONG), ERRNUM_HOST);
	assert_int_equal(errnum_kind(ERRNUM_HOST_OTHER), ERRNUM_HOST);
	assert_int_equal(errnum_kind(0), ERRNUM_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_is_not_in_the_table),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("base-errnum", tests, NULL, NULL);
}
