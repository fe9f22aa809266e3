/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON: valid whatever the texts are, read strictly, and whole or said not to be when memory ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

/* --- memory that ends: every allocation of the program, json-c's too, comes by here --- */

/* AddressSanitizer has an allocator of its own. */
#ifndef __SANITIZE_ADDRESS__
static size_t allocations_left = SIZE_MAX;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool memory_ends(void)
{
	if (allocations_left == SIZE_MAX || allocations_left-- > 0)
		return false;
	allocations_left = 0;
	return true;
}

void *malloc(size_t size)
{
	return memory_ends() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return memory_ends() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return memory_ends() ? NULL : __libc_realloc(old, size);
}
#endif

static struct json_object *sample(void)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct json_object *inner = json_object_new_object();

	json_add_text(&o, "name", "a longer text than json-c keeps inside of its own objects");
	json_add_text(&o, "none", NULL);
	json_add_flag(&o, "yes", true);
	json_add_number(&o, "most", UINT64_MAX);
	json_add_ms(&o, "ms", 1234567);
	json_add_bytes(&o, "bytes", (const uint8_t *)"\x00\xff", 2);
	json_add_null(&inner, "null");
	json_append(&list, inner);
	json_append_text(&list, "two");
	json_add(&o, "list", list);
	json_add(&o, "empty", json_object_new_array());
	return o;
}

static const char sample_line[] =
	"{\"name\":\"a longer text than json-c keeps inside of its own objects\",\"none\":null,"
	"\"yes\":true,\"most\":18446744073709551615,\"ms\":1.235,\"bytes\":\"00ff\","
	"\"list\":[{\"null\":null},\"two\"],\"empty\":[]}";

static void test_line(void **state)
{
	struct json_object *o = sample();
	cleanup_free char *line = json_line(o);

	(void)state;
	assert_string_equal(line, sample_line);
	json_object_put(o);
}

static void test_pretty(void **state)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	cleanup_free char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	json_add_number(&o, "a", 1);
	json_append_text(&list, "b");
	json_add(&o, "list", list);
	assert_int_equal(json_write(out, o, true), 0);
	fclose(out);
	assert_string_equal(text, "{\n  \"a\": 1,\n  \"list\": [\n    \"b\"\n  ]\n}");
	json_object_put(o);
}

#ifndef __SANITIZE_ADDRESS__
/* Whichever allocation fails, the line is whole or there is none. */
static void test_memory_ends(void **state)
{
	bool whole = false;

	(void)state;
	for (size_t n = 0; !whole; n++) {
		struct json_object *o;
		char *line;

		allocations_left = n;
		o = sample();
		line = json_line(o);
		allocations_left = SIZE_MAX;
		whole = line != NULL;
		assert_true(!line || strcmp(line, sample_line) == 0);
		assert_true(n < 1000);
		json_object_put(o);
		free(line);
	}
}
#endif

static void test_texts(void **state)
{
	static const struct {
		const char *text, *json;
	} table[] = {
		{"plain", "plain"},
		{"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x92\xbe",
			"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x92\xbe"},
		{"a\"b\\c/d", "a\\\"b\\\\c/d"},
		{"\b\t\n\f\r\x01\x1b\x7f", "\\b\\t\\n\\f\\r\\u0001\\u001b\\u007f"},
		{"\xc2\x80\xc2\x9b", "\\u0080\\u009b"},
		{"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", "\\u202e\\u2066\\u061c"},
		{"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\x8b", "\\u2028\\u2029\\u200b"},
		{"\xf3\xa0\x81\x81", "\\udb40\\udc41"},
		{"\xff", "\xef\xbf\xbd"
			 "ff"},
		{"\xc0\xaf", "\xef\xbf\xbd"
			     "c0\xef\xbf\xbd"
			     "af"},
		{"\xed\xa0\x80", "\xef\xbf\xbd"
				 "ed\xef\xbf\xbd"
				 "a0\xef\xbf\xbd"
				 "80"},
		{"\xef\xbf\xbd", "\xef\xbf\xbd"
				 "ef\xef\xbf\xbd"
				 "bf\xef\xbf\xbd"
				 "bd"},
		{"cut\xe2\x82", "cut\xef\xbf\xbd"
				"e2\xef\xbf\xbd"
				"82"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_object *o = json_object_new_object();
		cleanup_free char *line = NULL;
		char wanted[200];

		json_add_text(&o, "t", table[i].text);
		line = json_line(o);
		snprintf(wanted, sizeof(wanted), "{\"t\":\"%s\"}", table[i].json);
		assert_string_equal(line, wanted);
		json_object_put(o);
	}
}

static void test_nul_inside(void **state)
{
	struct json_object *o = json_object_new_object();
	cleanup_free char *line = NULL;

	(void)state;
	json_add_text_len(&o, "t", "a\0b", 3);
	line = json_line(o);
	assert_string_equal(line, "{\"t\":\"a\\u0000b\"}");
	json_object_put(o);
}

static void test_read_refuses(void **state)
{
	static const char *const table[] = {"", "{", "{\"a\":1", "{\"a\":NaN}", "[Infinity]",
		"[-Infinity]", "{\"a\":1} x", "[1,]", "[\"\xff\"]", "[-]", "[.5]", "[+1]", "[0x10]",
		"nul", "/* */ 1", "tRUE", "[1e999]"};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_object *o = json_read(table[i]);

		if (o)
			print_error("%s was read\n", table[i]);
		assert_null(o);
	}
}

/* What was read and is written is the same. */
static void test_read(void **state)
{
	static const char *const table[] = {
		"{\"a\":null,\"b\":[1,-2,0.5,1e3,true],\"c\":\"\\u0000\"}",
		"[18446744073709551615,-9223372036854775808]", "\"x\"", "12", "{}", "[]"};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_object *o = json_read(table[i]);
		cleanup_free char *line = NULL;

		if (!o)
			print_error("%s was not read\n", table[i]);
		assert_non_null(o);
		line = json_line(o);
		assert_string_equal(line, table[i]);
		json_object_put(o);
	}
}

/* What json-c reads although JSON has it not is right when it is written. */
static void test_read_mends(void **state)
{
	static const char *const table[][2] = {
		{"{'a':1}", "{\"a\":1}"},
		{"[\"a\nb\x1b\"]", "[\"a\\nb\\u001b\"]"},
		{"[1.]", "[1]"},
		{"[-00.5]", "[-0.5]"},
		{"[1e]", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_object *o = json_read(table[i][0]);
		cleanup_free char *line = o ? json_line(o) : NULL;

		/* A json-c that is stricter is right as well. */
		assert_true(!line || (table[i][1] && strcmp(line, table[i][1]) == 0));
		json_object_put(o);
	}
}

static void test_text_of(void **state)
{
	struct json_object *o = json_read("{\"a\":\"x\",\"b\":null,\"c\":1}");

	(void)state;
	assert_string_equal(json_text_of(o, "a"), "x");
	assert_string_equal(json_text_of(o, "b"), "");
	assert_string_equal(json_text_of(o, "c"), "");
	assert_string_equal(json_text_of(o, "d"), "");
	assert_string_equal(json_text_of(NULL, "a"), "");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_pretty),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_memory_ends),
#endif
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_nul_inside),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_mends),
		cmocka_unit_test(test_text_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
