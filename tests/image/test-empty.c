/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images of very large drives of which next to nothing is known: what is empty costs nothing.  Each
 * of these would take hours if anything went through all slots; then the alarm ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/aid/handimage.h"
#include "image/image.h"
#include "image/index.h"

#define RUN_BLOCKS 2048u

static char path[64];

static const struct {
	const char *what;
	uint64_t n_blocks;
} drives[] = {
	{"64 GiB", 1ull << 27},
	{"4 TiB", 1ull << 33},
	{"8 EiB, less a sector", (1ull << 54) - 1},
};

static uint64_t places[3]; /* where the three records are */

static void make_empty(uint64_t n_blocks, bool sealed)
{
	struct block_range map[3];
	struct hand hand;

	places[0] = 3 * RUN_BLOCKS;
	places[1] = n_blocks / 2 / RUN_BLOCKS * RUN_BLOCKS;
	places[2] = (n_blocks - 1) / RUN_BLOCKS * RUN_BLOCKS;
	hand_begin(&hand, 512, n_blocks, 131072, RUN_BLOCKS * 512);
	for (size_t i = 0; i < 3; i++) {
		hand_data(&hand, places[i], 2, BLOCK_GOOD, (uint8_t)(1 - places[i]));
		map[i] = (struct block_range){.lba = places[i], .n = 2, .state = BLOCK_GOOD};
	}
	if (sealed)
		hand_seal(&hand, 1, map, 3);
	hand_write(&hand, path);
	hand_end(&hand);
}

static void check_bytes(int fd)
{
	uint8_t bytes[2 * 512 + 1];

	for (size_t i = 0; i < 3; i++) {
		assert_true(pread(fd, bytes, sizeof(bytes), (off_t)(places[i] * 512)) >= 1024);
		assert_int_equal(bytes[0], 1);
		assert_int_equal(bytes[511], 1);
		assert_int_equal(bytes[512], 2);
		assert_int_equal(pread(fd, bytes, 1, (off_t)(places[i] * 512) - 1), 1);
		assert_int_equal(bytes[0], 0);
	}
}

static void check_export(struct image *image, const char *what)
{
	static const struct image_export_options options = {.sparse = true};
	int fd = memfd_create("export", MFD_CLOEXEC);
	struct stat st;
	struct err err;

	assert_true(fd >= 0);
	if (image_export(image, fd, &options, &err) < 0)
		fail_msg("%s: %s", what, err.text);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, image_info(image)->size_bytes);
	check_bytes(fd);
	close(fd);
}

static void none_found(void *context, const char *text)
{
	if (!strstr(text, "not sealed"))
		fail_msg("%s: %s", (const char *)context, text);
}

static void test_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(drives) / sizeof(drives[0]); i++) {
		const char *what = drives[i / 2].what;
		struct image_verify_report report;
		struct image *image;
		struct err err;

		make_empty(drives[i / 2].n_blocks, i % 2);
		image = image_open(path, &err);
		if (!image)
			fail_msg("%s: %s", what, err.text);
		assert_int_equal(image_info(image)->sealed, i % 2);
		check_export(image, what);
		image_close(image);
		assert_int_equal(image_verify(path, none_found, NULL, (void *)(uintptr_t)what,
					 &report, &err),
			0);
		assert_int_equal(report.chunks, 3);
		assert_int_equal(report.digests, IMAGE_DIGESTS_NONE);
	}
}

/* The next slot by asking for each. */
static uint64_t next_by_search(struct index *index, uint64_t slot, uint64_t n_slots)
{
	const struct index_entry *entry;
	size_t n = 0;

	for (; slot < n_slots; slot++) {
		assert_int_equal(index_slot(index, slot, &entry, &n, NULL), 0);
		if (n > 0)
			break;
	}
	return slot;
}

/* In any order, so that another page is loaded each time. */
static void check_next(struct index *index, uint64_t n_slots)
{
	for (int i = 0; i < 1000; i++) {
		uint64_t slot = (uint64_t)random() % n_slots, want, next;
		bool found;

		want = next_by_search(index, slot, n_slots);
		assert_int_equal(index_next_slot(index, slot, &next, &found, NULL), 0);
		assert_int_equal(found, want < n_slots);
		if (found)
			assert_int_equal(next, want);
	}
}

static void test_next_slot(void **state)
{
	static const uint64_t slots[] = {2, 3, 4, 9, 20, 21, 40, 41, 63};
	struct index *memory = index_new(8);
	struct index_page *page = calloc(5, sizeof(*page));
	struct index *paged;
	struct hand hand;
	FILE *f;
	struct index_limits limits = {.slot_blocks = 8, .n_blocks = 64 * 8};

	(void)state;
	hand_begin(&hand, 512, 64 * 8, 4096, 4096);
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		hand_data(&hand, slots[i] * 8 + 1, 2, BLOCK_GOOD, 1);
		assert_int_equal(index_add(memory, &hand.entry[i]), 0);
	}
	check_next(memory, 64);
	for (size_t i = 0; i < 5; i++) {
		uint8_t bytes[2 * 32];
		size_t n = i < 4 ? 2 : 1;

		for (size_t k = 0; k < n; k++)
			index_entry_encode(&hand.entry[2 * i + k], bytes + 32 * k);
		page[i].first_lba = hand.entry[2 * i].lba;
		page[i].n_entries = (uint32_t)n;
		page[i].offset = hand_record(&hand, UMS_TYPE_INDX, bytes, 32 * n);
	}
	hand_write(&hand, path);
	f = fopen(path, "rb");
	assert_non_null(f);
	limits.file_bytes = hand.n;
	assert_true(index_pages_fit(page, 5, &limits));
	paged = index_paged(&limits, fileno(f), hand.bytes + REC_UUID, page, 5);
	check_next(paged, 64);
	index_free(paged);
	index_free(memory);
	fclose(f);
	hand_end(&hand);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_slot),
		cmocka_unit_test(test_empty),
	};

	alarm(600);
	snprintf(path, sizeof(path), "/tmp/umsctl-empty-XXXXXX");
	close(mkstemp(path));
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
