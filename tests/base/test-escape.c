/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from outside where it is shown: on a terminal, in a command to copy, in a file's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

static void test_show(void **state)
{
	static const struct {
		const char *text, *shown;
	} table[] = {
		{"", ""},
		{"plain \\x1b", "plain \\x1b"}, /* escaped once already, or meant so */
		{"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x92\xbe",
			"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x92\xbe"},
		{"a\nb\x1b[2J\x7f", "a\\x0ab\\x1b[2J\\x7f"},
		{"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u{80}\\u{9b}\\u{9f}\xc2\xa0"},
		{"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f",
			"\\u{202e}\\u{2066}\\u{61c}\\u{200f}"},
		{"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\x8b\xef\xbb\xbf",
			"\\u{2028}\\u{2029}\\u{200b}\\u{feff}"},
		{"\xf3\xa0\x81\x81", "\\u{e0041}"},
		{"\xff\x80", "\\xff\\x80"},
		{"\xc0\xaf\xc1\x81", "\\xc0\\xaf\\xc1\\x81"},
		{"\xe0\x80\xaf\xf0\x80\x80\xaf", "\\xe0\\x80\\xaf\\xf0\\x80\\x80\\xaf"},
		{"\xed\xa0\x80\xed\xbf\xbf", "\\xed\\xa0\\x80\\xed\\xbf\\xbf"},
		{"\xf4\x90\x80\x80\xf5\x80", "\\xf4\\x90\\x80\\x80\\xf5\\x80"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"\xe2\x82z", "\\xe2\\x82z"},
	};
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_ptr_equal(text_show(table[i].text, out, sizeof(out)), out);
		assert_string_equal(out, table[i].shown);
		/* Shown once more, it stays the same: nothing is escaped twice. */
		assert_string_equal(text_show(table[i].shown, out, sizeof(out)), table[i].shown);
	}
}

/* Every text fits into what TEXT_SHOWN() says; what does not fit is cut before an escape. */
static void test_show_room(void **state)
{
	const char *worst[] = {"\x01\x02", "\xc2\x80", "\xe2\x80\xa8", "\xf3\xa0\x81\x81"};
	char out[TEXT_SHOWN(4)];

	(void)state;
	for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
		text_show(worst[i], out, TEXT_SHOWN(strlen(worst[i])));
		assert_int_equal(out[strlen(out) - 1], i == 0 ? '2' : '}');
	}
	assert_string_equal(text_show("ab\x01", out, 6), "ab");
	assert_string_equal(text_show("a\xc3\xbc", out, 3), "a");
	memset(out, '#', sizeof(out));
	text_show("abc", out, 0);
	assert_int_equal(out[0], '#');
}

static void test_utf8_every_character(void **state)
{
	(void)state;
	for (uint32_t code = 1; code < 0x110000; code++) {
		uint8_t b[4];
		size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		uint32_t got = 0;
		bool surrogate = code >= 0xd800 && code < 0xe000;

		for (size_t i = n; i-- > 1;)
			b[i] = (uint8_t)(0x80 | (code >> 6 * (n - 1 - i) & 0x3f));
		b[0] = (uint8_t)(n == 1	  ? code
				 : n == 2 ? 0xc0 | code >> 6
				 : n == 3 ? 0xe0 | code >> 12
					  : 0xf0 | code >> 18);
		assert_int_equal(utf8_decode(b, n, &got), surrogate ? 0 : n);
		assert_true(surrogate || got == code);
		/* Cut short it is nothing. */
		assert_int_equal(utf8_decode(b, n - 1, &got), 0);
	}
}

static void test_shell_quote(void **state)
{
	static const struct {
		const char *text, *quoted;
	} table[] = {
		{"", "''"},
		{"/dev/sdb", "/dev/sdb"},
		{"sim:demo,size=64M", "sim:demo,size=64M"},
		{"my drive.ums", "'my drive.ums'"},
		{"it's", "'it'\\''s'"},
		{"$(rm)`x`\"\\", "'$(rm)`x`\"\\'"},
		{"~", "'~'"},
		{"=x", "'=x'"},
		{"gr\xc3\xbc", "'gr\xc3\xbc'"},
		{"a\nb", "$'a\\012b'"},
		{"it's\t1\\", "$'it\\047s\\0111\\134'"},
		{"\xe2\x80\xae", "$'\\342\\200\\256'"},
		{"\xff", "$'\\377'"},
		{"-x", "-x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cleanup_free char *quoted = text_shell_quote(table[i].text);

		assert_string_equal(quoted, table[i].quoted);
	}
}

static void test_shell_file(void **state)
{
	static const struct {
		const char *text, *quoted;
	} table[] = {
		{"-", "-"},
		{"-x.ums", "./-x.ums"},
		{"--live x", "'./--live x'"},
		{"-\n", "$'./-\\012'"},
		{"x-.ums", "x-.ums"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cleanup_free char *quoted = text_shell_file(table[i].text);

		assert_string_equal(quoted, table[i].quoted);
	}
}

/* What bash makes of the quoted word is the text again, whatever bytes are in it. */
static void test_shell_reads_it_back(void **state)
{
	(void)state;
	assert_int_equal(system("bash -c :"), 0);
	for (int i = 1; i < 256; i++) {
		char text[] = {'a', (char)i, '1', '\0'}, command[100], got[10] = "";
		cleanup_free char *quoted = text_shell_quote(text);
		FILE *p;

		if (i >= 'b' && i <= 'z')
			continue;
		setenv("WORD", quoted, 1);
		snprintf(command, sizeof(command), "bash -c 'eval \"printf %%s $WORD\"'");
		p = popen(command, "re");
		assert_non_null(p);
		assert_int_equal(fread(got, 1, sizeof(got), p), 3);
		assert_int_equal(pclose(p), 0);
		assert_string_equal(got, text);
	}
}

static void test_file_name(void **state)
{
	static const struct {
		const char *text, *name;
	} table[] = {
		{"SanDisk-1.27", "SanDisk-1.27"},
		{"a/b\nc d", "a_b_c_d"},
		{"..", "_."},
		{"-rf", "_rf"},
		{"\xc3\xbc\xff", "___"},
		{"", ""},
	};
	char out[20];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(text_file_name(table[i].text, out, sizeof(out)), table[i].name);
	assert_string_equal(text_file_name("abcdef", out, 4), "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_show_room),
		cmocka_unit_test(test_utf8_every_character),
		cmocka_unit_test(test_shell_quote),
		cmocka_unit_test(test_shell_file),
		cmocka_unit_test(test_shell_reads_it_back),
		cmocka_unit_test(test_file_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
