/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading what is left of a damaged image: which record gives a sector, which sectors a damaged
 * unit takes along, and that nothing is good that no record has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/aid/handimage.h"
#include "image/image.h"

static char path[64];

struct losses {
	unsigned int n;
	bool lost[64]; /* by sector */
	char last[1200];
};

static void lose(void *context, const struct image_lost *lost)
{
	struct losses *losses = context;

	losses->n++;
	snprintf(losses->last, sizeof(losses->last), "%s", lost->text);
	for (uint64_t i = 0; i < lost->n_blocks; i++)
		losses->lost[lost->lba + i] = true;
}

static struct image *open_hand(const struct hand *hand)
{
	struct image *image;
	struct err err;

	hand_write(hand, path);
	image = image_open(path, &err);
	if (!image)
		fail_msg("%s", err.text);
	return image;
}

/* Every sector FIRST … LAST reads as FILL says, or as zeros where it must be LOST. */
static void check_sectors(struct image *image, uint32_t block, uint64_t first, uint64_t last,
	uint8_t fill, const bool *lost)
{
	uint8_t sector[4096];

	for (uint64_t lba = first; lba <= last; lba++) {
		struct losses losses = {0};
		uint8_t want = lost[lba] ? 0 : (uint8_t)(fill + lba);

		assert_int_equal(
			image_salvage(image, lba * block, block, sector, lose, &losses, NULL), 0);
		if (losses.lost[lba] != lost[lba])
			fail_msg("sector %lu is %slost", lba, lost[lba] ? "not " : "");
		for (uint32_t i = 0; i < block; i++)
			assert_int_equal(sector[i], want);
	}
}

/* A damaged old record under a new one does no harm; the new one counts even in parts. */
static void test_newest_counts(void **state)
{
	static const bool none[64];
	struct image *image;
	uint8_t plain[32 * 512];
	struct hand hand;

	(void)state;
	hand_begin(&hand, 512, 64, 4096, 32768);
	hand_data(&hand, 0, 32, BLOCK_GOOD, 100);
	hand_data(&hand, 4, 16, BLOCK_GOOD, 7);
	hand_data(&hand, 8, 2, BLOCK_GOOD, 7);
	hand_checkpoint(&hand, &(struct block_range){.lba = 0, .n = 32, .state = BLOCK_GOOD}, 1);
	/* The first record's unit of sectors 8 to 15 is needed for none of them. */
	hand.bytes[hand_body(&hand, 0) + 8 * 512] ^= 1;
	image = open_hand(&hand);
	assert_int_equal(image_read(image, 0, sizeof(plain), plain, NULL), 0);
	check_sectors(image, 512, 0, 3, 100, none);
	check_sectors(image, 512, 4, 19, 7, none);
	check_sectors(image, 512, 20, 31, 100, none);
	image_close(image);
	hand_end(&hand);
}

/* What the newest record has lost is lost: an older one may have other bytes. */
static void test_old_data_is_not_taken(void **state)
{
	bool lost[64] = {false};
	struct image *image;
	struct hand hand;

	(void)state;
	hand_begin(&hand, 512, 64, 4096, 32768);
	hand_data(&hand, 0, 32, BLOCK_GOOD, 100);
	hand_data(&hand, 0, 16, BLOCK_GOOD, 7);
	hand_checkpoint(&hand, &(struct block_range){.lba = 0, .n = 32, .state = BLOCK_GOOD}, 1);
	hand.bytes[hand_body(&hand, 1) + 5] ^= 1;
	image = open_hand(&hand);
	for (size_t i = 0; i < 8; i++)
		lost[i] = true;
	check_sectors(image, 512, 0, 15, 7, lost);
	check_sectors(image, 512, 16, 31, 100, lost);
	assert_int_equal(blockmap_count(image_map(image), BLOCK_MASK(BLOCK_GOOD)), 24);
	image_close(image);
	hand_end(&hand);
}

/* Units that do not end with a sector: the sectors that begin or end in the damaged one are lost as
 * a whole, however the read is cut. */
static void test_units_across_sectors(void **state)
{
	static uint8_t plain[40 * 520], part[40 * 520];
	struct losses losses = {0};
	bool lost[64] = {false};
	struct image *image;
	struct hand hand;

	(void)state;
	hand_begin(&hand, 520, 40, 4096, 40 * 520);
	hand_data(&hand, 0, 40, BLOCK_GOOD, 1);
	hand_checkpoint(&hand, &(struct block_range){.lba = 0, .n = 40, .state = BLOCK_GOOD}, 1);
	hand.bytes[hand_body(&hand, 0) + 6000] ^= 1; /* bytes 4096 to 8191: sectors 7 to 15 */
	image = open_hand(&hand);
	assert_int_equal(image_read(image, 0, sizeof(plain), plain, NULL), -1);
	assert_int_equal(image_salvage(image, 0, sizeof(plain), plain, lose, &losses, NULL), 0);
	assert_int_equal(losses.n, 1);
	assert_non_null(strstr(losses.last, "sectors 7-15"));
	for (size_t i = 7; i <= 15; i++)
		lost[i] = true;
	check_sectors(image, 520, 0, 39, 1, lost);
	for (size_t from = 0; from < sizeof(plain); from += 3 * 520) {
		size_t len = sizeof(plain) - from < 5200 ? sizeof(plain) - from : 5200;

		assert_int_equal(image_salvage(image, from, len, part, lose, &losses, NULL), 0);
		assert_memory_equal(part, plain + from, len);
	}
	assert_memory_equal(losses.lost, lost, sizeof(lost));
	image_close(image);
	hand_end(&hand);
}

/* A record whose head is gone takes all its sectors along; bad ones among them stay bad. */
static void test_lost_record(void **state)
{
	static const struct block_range map[] = {
		{.lba = 0, .n = 10, .state = BLOCK_GOOD},
		{.lba = 10, .n = 2, .state = BLOCK_BAD},
		{.lba = 12, .n = 4, .state = BLOCK_RECOVERED},
		{.lba = 16, .n = 16, .state = BLOCK_GOOD},
	};
	bool lost[64] = {false};
	struct image *image;
	struct hand hand;

	(void)state;
	hand_begin(&hand, 512, 64, 4096, 32768);
	hand_data(&hand, 0, 16, 0, 1);
	hand_data(&hand, 16, 16, 0, 1);
	hand_checkpoint(&hand, map, 4);
	hand.bytes[hand.entry[0].offset + 8] ^= 1;
	image = open_hand(&hand);
	for (size_t i = 0; i < 16; i++)
		lost[i] = true;
	check_sectors(image, 512, 0, 31, 1, lost);
	assert_int_equal(blockmap_count(image_map(image), BLOCK_MASK(BLOCK_BAD)), 2);
	assert_int_equal(blockmap_count(image_map(image), BLOCK_MASK(BLOCK_RECOVERED)), 0);
	assert_int_equal(blockmap_count(image_map(image), BLOCK_MASK(BLOCK_GOOD)), 16);
	image_close(image);
	hand_end(&hand);
}

static void found(void *context, const char *text)
{
	unsigned int *n = context;

	*n += strstr(text, "no record has them") != NULL;
}

/* Sectors that the map calls good and that no record has are not zeros that were read. */
static void test_good_without_record(void **state)
{
	static const struct block_range map[] = {
		{.lba = 0, .n = 20, .state = BLOCK_GOOD},
		{.lba = 64, .n = 3, .state = BLOCK_GOOD},
	};
	struct image_verify_report report;
	unsigned int n_found = 0;
	bool lost[128] = {false};
	struct losses losses = {0};
	uint8_t sector[512];
	struct image *image;
	struct hand hand;
	struct err err;

	(void)state;
	hand_begin(&hand, 512, 128, 4096, 32768);
	hand_data(&hand, 0, 16, BLOCK_GOOD, 1);
	hand_checkpoint(&hand, map, 2);
	image = open_hand(&hand);
	assert_int_equal(image_read(image, 0, 512, sector, &err), 0);
	assert_int_equal(image_read(image, 20 * 512, 512, sector, &err), 0);
	assert_int_equal(image_read(image, 19 * 512, 512, sector, &err), -1);
	assert_int_equal(err.kind, ERR_BAD_IMAGE);
	assert_int_equal(image_read(image, 66 * 512, 512, sector, &err), -1);
	for (size_t i = 16; i < 20; i++)
		lost[i] = true;
	check_sectors(image, 512, 0, 19, 1, lost);
	assert_int_equal(image_salvage(image, 19 * 512, 512, sector, lose, &losses, NULL), 0);
	assert_int_equal(losses.n, 0); /* it is untried now */
	image_close(image);
	assert_int_equal(image_verify(path, found, NULL, &n_found, &report, NULL), 0);
	assert_int_equal(n_found, 2);
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
		cmocka_unit_test(test_newest_counts),
		cmocka_unit_test(test_old_data_is_not_taken),
		cmocka_unit_test(test_units_across_sectors),
		cmocka_unit_test(test_lost_record),
		cmocka_unit_test(test_good_without_record),
	};

	snprintf(path, sizeof(path), "/tmp/umsctl-salvage-XXXXXX");
	close(mkstemp(path));
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
