/* SPDX-License-Identifier: BSD-2-Clause */
/* What is on a simulated medium: always the same bytes, however they are read. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sim/medium.h"
#include "sim/sim.h"
#include "tests/aid/wire.h"

#define PART ((size_t)1 << 20)

static struct medium *open_medium(const char *text)
{
	struct sim_settings settings;
	struct medium *medium;
	struct err err;

	settings_init(&settings);
	assert_int_equal(settings_parse(&settings, text, &err), 0);
	medium = medium_open(&settings, &err);
	settings_free(&settings);
	assert_non_null(medium);
	return medium;
}

/* How many bytes zlib makes of the first PART. */
static size_t compressed(const char *text)
{
	struct medium *medium = open_medium(text);
	cleanup_free uint8_t *plain = malloc(PART);
	uLongf len = compressBound(PART);
	cleanup_free uint8_t *packed = malloc(len);

	assert_int_equal(medium_read(medium, 0, plain, PART), 0);
	assert_int_equal(compress2(packed, &len, plain, PART, 1), Z_OK);
	medium_close(medium);
	return len;
}

static void test_kinds(void **state)
{
	(void)state;
	assert_true(compressed("content=zero") < PART / 100);
	assert_true(compressed("content=noise") >= PART);
	assert_in_range(compressed("content=text"), PART / 20, PART / 2);
	assert_in_range(compressed("content=mixed"), PART / 10, PART * 9 / 10);
}

static void test_any_offset_and_length(void **state)
{
	static const char *const kinds[] = {"content=noise", "content=text", "content=mixed",
		"content=sparse,size=64G", "content=demo", "content=zero"};
	static uint8_t whole[200000], piece[200000];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct medium *medium = open_medium(kinds[i]);

		medium_read(medium, 0, whole, sizeof(whole));
		for (size_t at = 1; at < sizeof(whole) - 70000; at = at * 3 + 7) {
			size_t len = at * 31 % 66000;

			memset(piece, 0x77, sizeof(piece));
			assert_int_equal(medium_read(medium, at, piece, len), 0);
			assert_memory_equal(piece, whole + at, len);
			assert_int_equal(piece[len], 0x77);
		}
		medium_close(medium);
	}
}

/* What an image of a simulated drive holds must not change with the program's version. */
static void test_bytes_stay_the_same(void **state)
{
	static const struct {
		const char *settings;
		unsigned long crc;
	} expected[] = {
		{"content=noise", 0x7a54df84},
		{"content=text", 0x9ec24425},
		{"content=mixed", 0x6f79fcd3},
		{"content=noise,seed=1", 0x18d55052},
	};
	cleanup_free uint8_t *bytes = malloc(PART);

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct medium *medium = open_medium(expected[i].settings);

		medium_read(medium, PART, bytes, PART);
		medium_close(medium);
		assert_int_equal(crc32(0, bytes, PART), expected[i].crc);
	}
}

static bool is_zero(struct medium *medium, uint64_t offset)
{
	static const uint8_t zeros[512];
	uint8_t bytes[512];

	assert_int_equal(medium_read(medium, offset, bytes, 512), 0);
	return memcmp(bytes, zeros, 512) == 0;
}

static void test_sparse(void **state)
{
	const uint64_t size = UINT64_C(4) << 40, step = UINT64_C(64) << 30;
	struct medium *medium = open_medium("content=sparse,size=4T");
	uint8_t bytes[1024], again[1024];

	(void)state;
	assert_false(is_zero(medium, 0));
	assert_false(is_zero(medium, 65536 - 512));
	assert_true(is_zero(medium, 65536));
	assert_true(is_zero(medium, step - 512));
	assert_false(is_zero(medium, step));
	assert_true(is_zero(medium, size - 65536 - 512));
	assert_false(is_zero(medium, size - 65536));
	assert_false(is_zero(medium, size - 512));
	/* Across an edge. */
	medium_read(medium, step - 512, bytes, 1024);
	medium_read(medium, step, again, 512);
	assert_memory_equal(bytes + 512, again, 512);
	medium_close(medium);
}

static void test_file(void **state)
{
	char path[] = "/tmp/test-medium.XXXXXX", name[200];
	int fd = mkstemp(path);
	uint8_t data[1024];
	struct wire_reply reply;
	struct link *link;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "first", 5, 0), 5);
	assert_int_equal(pwrite(fd, "second", 6, 512), 6);
	assert_int_equal(ftruncate(fd, 2048), 0);
	snprintf(name, sizeof(name), "blank,file=%s,bad=3", path);
	link = wire_open(name);
	assert_int_equal(wire_read(link, 0, 2, data, 1024).status, 0);
	assert_memory_equal(data, "first", 6);
	assert_memory_equal(data + 512, "second", 7);
	reply = wire_read(link, 3, 1, data, 512);
	assert_int_equal(reply.status, 1);
	assert_int_equal(wire_read(link, 4, 1, data, 512).status, 1);
	wire_close(link);

	/* A drive larger than its file has zeros behind it. */
	snprintf(name, sizeof(name), "blank,file=%s,size=1M", path);
	link = wire_open(name);
	memset(data, 0x77, sizeof(data));
	assert_int_equal(wire_read(link, 2047, 1, data, 512).status, 0);
	assert_int_equal(data[0], 0);
	assert_int_equal(data[511], 0);
	wire_close(link);

	assert_int_equal(ftruncate(fd, 2049), 0);
	snprintf(name, sizeof(name), "blank,file=%s", path);
	assert_null(sim_open(name, NULL));
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_any_offset_and_length),
		cmocka_unit_test(test_bytes_stay_the_same),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
