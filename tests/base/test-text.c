/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from outside, and numbers: tables of what goes in and what comes out. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static void test_escape(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} table[] = {
		{"", 0, ""},
		{"USB Flash", 9, "USB Flash"},
		{"pad   \0\0 ", 9, "pad"},
		{"  lead", 6, "  lead"},
		{"a\0b", 3, "a\\x00b"},
		{"\x1b[2J", 4, "\\x1b[2J"},
		{"back\\slash", 10, "back\\x5cslash"},
		{"\xc3\xa4\x7f", 3, "\\xc3\\xa4\\x7f"},
		{"   ", 3, ""},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_ptr_equal(text_escape(table[i].in, table[i].len, out, sizeof(out)), out);
		assert_string_equal(out, table[i].out);
	}
}

/* An escape is never cut in two, and the room never overrun. */
static void test_escape_room(void **state)
{
	char out[8];

	(void)state;
	memset(out, '#', sizeof(out));
	assert_string_equal(text_escape("ab\x01zz", 5, out, 5), "ab");
	assert_int_equal(out[5], '#');
	assert_string_equal(text_escape("a\x01z", 3, out, 6), "a\\x01");
	assert_string_equal(text_escape("abcdef", 6, out, 4), "abc");
	assert_string_equal(text_escape("abc", 3, out, 1), "");
	out[0] = '#';
	text_escape("abc", 3, out, 0);
	assert_int_equal(out[0], '#');
}

static void test_size(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} table[] = {
		{0, "0 bytes"},
		{512, "512 bytes"},
		{1023, "1023 bytes"},
		{1024, "1 KiB"},
		{1536, "1.5 KiB"},
		{64ull << 20, "64 MiB"},
		{4000000000ull, "3.7 GiB"},
		{4000787030016ull, "3.6 TiB"},
		{(1ull << 20) - 1, "1023.9 KiB"},
		{(1ull << 30) - 1, "1023.9 MiB"},
		{(64ull << 20) - 1, "63.9 MiB"},
		{UINT64_MAX, "16 EiB"},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(text_size(table[i].bytes, out), table[i].text);
}

static void test_duration(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(text_duration(0, out), "0:00");
	assert_string_equal(text_duration(245, out), "4:05");
	assert_string_equal(text_duration(3599, out), "59:59");
	assert_string_equal(text_duration(3723, out), "1:02:03");
	assert_string_equal(text_duration(360000, out), "100:00:00");
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} table[] = {
		{"0", true, 0},
		{"0123", true, 123},
		{"18446744073709551615", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
		{"0x1F", true, 31},
		{"0X10", true, 16},
		{"0x", false, 0},
		{"0xg", false, 0},
		{"", false, 0},
		{"-1", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1x", false, 0},
		{"x1", false, 0},
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(text_number(table[i].text, &value), table[i].ok);
		if (table[i].ok)
			assert_int_equal(value, table[i].value);
	}
}

static void test_bytes(void **state)
{
	static const struct {
		const char *text;
		uint32_t sector;
		bool ok;
		uint64_t bytes;
	} table[] = {
		{"100", 512, true, 100},
		{"100B", 512, true, 100},
		{"4s", 512, true, 2048},
		{"4s", 0, false, 0},
		{"1K", 512, true, 1024},
		{"1KiB", 512, true, 1024},
		{"1kB", 512, true, 1000},
		{"64M", 512, true, 64ull << 20},
		{"2GB", 512, true, 2000000000},
		{"3TiB", 512, true, 3ull << 40},
		{"0x10K", 512, true, 16384},
		{"16777216T", 512, false, 0},
		{"16777215T", 512, true, 16777215ull << 40},
		{"1 K", 512, false, 0},
		{"1KB", 512, false, 0},
		{"K", 512, false, 0},
		{"-1K", 512, false, 0},
		{"", 512, false, 0},
	};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(text_bytes(table[i].text, table[i].sector, &bytes), table[i].ok);
		if (table[i].ok)
			assert_int_equal(bytes, table[i].bytes);
	}
}

static void test_hex_and_uuid(void **state)
{
	static const uint8_t bytes[16] = {
		0, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 9, 10, 11, 12, 13, 14, 255};
	char out[37];

	(void)state;
	assert_string_equal(text_hex(bytes, 4, out), "00012345");
	assert_string_equal(text_hex(bytes, 0, out), "");
	assert_string_equal(text_uuid(bytes, out), "00012345-6789-abcd-ef09-0a0b0c0d0eff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_room),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_hex_and_uuid),
	};

	return cmocka_run_group_tests_name("base-text", tests, NULL, NULL);
}
