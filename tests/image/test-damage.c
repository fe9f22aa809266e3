/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged images: cut at any length, bits flipped anywhere, headers that lie.  An image opens as
 * far as it goes or is refused; what it gives out as good is good; verify names what is wrong.
 * SEED=n repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "tests/aid/makeimage.h"
#include "proto/ums.h"

static char path[64];

struct findings {
	unsigned int n;
	char all[4096];
};

static void found(void *context, const char *text)
{
	struct findings *findings = context;
	size_t n = strlen(findings->all);

	findings->n++;
	snprintf(findings->all + n, sizeof(findings->all) - n, "%s\n", text);
}

/* Cut at LEN: opens and is right as far as it goes, can be gone on with; or is no image yet. */
static void check_cut(const uint8_t *bytes, size_t len, size_t whole, uint64_t *good)
{
	struct image_verify_report report;
	struct findings findings = {0};
	struct image *image;
	struct err err = {0};

	write_file(path, bytes, len);
	image = image_open(path, &err);
	if (!image) {
		assert_true(len < UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE);
		assert_true(err.kind == ERR_NO_IMAGE || err.kind == ERR_BAD_IMAGE);
		return;
	}
	assert_true(good_is_good(image));
	*good = blockmap_count(image_map(image), BLOCK_HAVE);
	image_close(image);
	if (len < whole) {
		assert_int_equal(image_verify(path, found, NULL, &findings, &report, &err), 0);
		assert_true(findings.n >= 1);
		assert_non_null(strstr(findings.all, "not sealed, or cut"));
	}
	if (finish_image(path, &err) < 0)
		fail_msg("cut at %zu: %s", len, err.text);
	memset(&findings, 0, sizeof(findings));
	assert_int_equal(image_verify(path, found, NULL, &findings, &report, &err), 0);
	if (findings.n > 0)
		fail_msg("cut at %zu: %s", len, findings.all);
	image = image_open(path, &err);
	assert_true(good_is_good(image));
	assert_int_equal(blockmap_count(image_map(image), BLOCK_HAVE), MADE_BLOCKS);
	image_close(image);
}

/* Every byte at the begin and the end, and around each record; else in steps. */
static bool interesting(const uint8_t *bytes, size_t whole, size_t len)
{
	if (len < 200 || len % 40009 == 0)
		return true;
	for (size_t at = len > 3 ? len - 3 : 0; at < len + 3 && at + 4 <= whole; at++) {
		if (at % UMS_ALIGN == 0 && get_le32(bytes + at) == UMS_RECORD_MAGIC)
			return true;
	}
	return len + 20 > whole;
}

static void check_all_cuts(bool sealed)
{
	size_t whole;
	uint8_t *bytes = make_image(path, sealed, &whole);
	uint64_t good = 0, most = 0;

	for (size_t len = 0; len < whole; len++) {
		if (!interesting(bytes, whole, len))
			continue;
		check_cut(bytes, len, whole, &good);
		/* A longer piece never knows less. */
		assert_true(good >= most);
		most = good;
	}
	assert_int_equal(most, MADE_BLOCKS - MADE_N_BAD);
	free(bytes);
}

static void test_cut_unsealed(void **state)
{
	(void)state;
	check_all_cuts(false);
}

static void test_cut_sealed(void **state)
{
	(void)state;
	check_all_cuts(true);
}

/* Is there a later DATA record of the same slot?  Then this one is not read any more. */
static bool superseded(const uint8_t *bytes, size_t whole, size_t record)
{
	uint64_t slot = get_le64(bytes + record + UMS_RECORD_HEAD_SIZE + DATA_LBA) / 2048;

	for (size_t r = record + UMS_ALIGN; r + 128 < whole; r += UMS_ALIGN) {
		if (get_le32(bytes + r) == UMS_RECORD_MAGIC &&
			get_le32(bytes + r + REC_TYPE) == UMS_TYPE_DATA &&
			get_le64(bytes + r + REC_OFFSET) == r &&
			get_le64(bytes + r + UMS_RECORD_HEAD_SIZE + DATA_LBA) / 2048 == slot)
			return true;
	}
	return false;
}

/* The DATA record that the byte at AT lies in the stored chunks of; false when it is elsewhere. */
static bool in_chunks(const uint8_t *bytes, size_t whole, size_t at, uint64_t *lba, uint64_t *n)
{
	for (size_t r = at / UMS_ALIGN * UMS_ALIGN + UMS_ALIGN; r-- > 0;) {
		const uint8_t *payload = bytes + r + UMS_RECORD_HEAD_SIZE;
		size_t body;

		if (r % UMS_ALIGN != 0 || get_le32(bytes + r) != UMS_RECORD_MAGIC ||
			get_le64(bytes + r + REC_OFFSET) != r)
			continue;
		if (get_le32(bytes + r + REC_TYPE) != UMS_TYPE_DATA || superseded(bytes, whole, r))
			return false;
		body = r + UMS_RECORD_HEAD_SIZE + get_le32(payload + DATA_BODY);
		*lba = get_le64(payload + DATA_LBA);
		*n = get_le32(payload + DATA_N_BLOCKS);
		return at >= body && at < body + get_le32(payload + DATA_BODY_BYTES);
	}
	return false;
}

/* Any one bit of a sealed image: verify says so, and in data it names sectors of that run; what is
 * read all the same is right. */
static void test_flip(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	for (int i = 0; i < 400; i++) {
		size_t at = i < 100 ? (size_t)random() % 200 : (size_t)random() % whole;
		struct image_verify_report report;
		struct findings findings = {0};
		uint64_t lba = 0, n = 0, first, last;
		struct image *image;
		struct err err = {0};
		const char *named;
		int bit = (int)(random() % 8), r;

		bytes[at] ^= (uint8_t)(1 << bit);
		write_file(path, bytes, whole);
		r = image_verify(path, found, NULL, &findings, &report, &err);
		if (r == 0 && findings.n == 0)
			fail_msg("bit %d of byte %zu of %zu: not found", bit, at, whole);
		named = strstr(findings.all, "sectors ");
		if (in_chunks(bytes, whole, at, &lba, &n) && r == 0 && named &&
			sscanf(named, "sectors %lu-%lu", &first, &last) == 2) {
			if (first < lba || last >= lba + n ||
				(last - first > 256 &&
					!strstr(findings.all, "outside of its chunks")))
				fail_msg("bit %d of byte %zu, in sectors %lu + %lu: %s", bit, at,
					lba, n, findings.all);
		}
		image = image_open(path, NULL);
		if (image) {
			assert_true(good_is_good(image));
			image_close(image);
		}
		bytes[at] ^= (uint8_t)(1 << bit);
	}
	free(bytes);
}

/* A flipped bit in a chunk is always named, with sectors. */
static void test_flip_in_data(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);
	int n_seen = 0;

	(void)state;
	while (n_seen < 50) {
		size_t at = (size_t)random() % whole;
		struct image_verify_report report;
		struct findings findings = {0};
		uint64_t lba, n, first, last;
		const char *named;

		if (!in_chunks(bytes, whole, at, &lba, &n))
			continue;
		n_seen++;
		bytes[at] ^= 0x10;
		write_file(path, bytes, whole);
		assert_int_equal(image_verify(path, found, NULL, &findings, &report, NULL), 0);
		named = strstr(findings.all, "sectors ");
		/* Stream head and end belong to no chunk: then the run is named. */
		assert_non_null(named);
		assert_int_equal(sscanf(named, "sectors %lu-%lu", &first, &last), 2);
		assert_true(first >= lba && last < lba + n);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

/* The last record of TYPE in the file. */
static size_t last_record(const uint8_t *bytes, size_t whole, uint32_t type)
{
	for (size_t at = whole / UMS_ALIGN * UMS_ALIGN; at > 0; at -= UMS_ALIGN) {
		if (at + UMS_RECORD_HEAD_SIZE <= whole &&
			get_le32(bytes + at) == UMS_RECORD_MAGIC &&
			get_le32(bytes + at + REC_TYPE) == type)
			return at;
	}
	fail_msg("no record of type 0x%x", type);
	return 0;
}

static int count_name(void *context, const char *name, const void *bytes, size_t len)
{
	(void)name, (void)bytes, (void)len;
	++*(unsigned int *)context;
	return 0;
}

static int count_line(void *context, const char *json)
{
	(void)json;
	++*(unsigned int *)context;
	return 0;
}

/* All that the image holds is there, and it does not say that it is whole. */
static void check_opens_by_records(const char *what, bool footer)
{
	struct image_verify_report report;
	struct findings findings = {0};
	unsigned int blobs = 0, lines = 0;
	struct err err = {0};
	struct image *image = image_open(path, &err);

	if (!image)
		fail_msg("%s: %s", what, err.text);
	assert_true(good_is_good(image));
	assert_int_equal(blockmap_count(image_map(image), BLOCK_HAVE), MADE_BLOCKS - MADE_N_BAD);
	assert_int_equal(blockmap_count(image_map(image), BLOCK_MASK(BLOCK_BAD)), MADE_N_BAD);
	assert_int_equal(image_blobs(image, count_name, &blobs, NULL), 0);
	assert_int_equal(image_journal(image, count_line, &lines, NULL), 0);
	if (blobs != 1 || lines != 2)
		fail_msg("%s: %u blobs, %u lines", what, blobs, lines);
	if (footer ? image_info(image)->sealed || !image_info(image)->cut
		   : !image_info(image)->damaged || !*image_damage(image))
		fail_msg("%s: said to be whole", what);
	image_close(image);
	assert_int_equal(image_verify(path, found, NULL, &findings, &report, NULL), 0);
	if (findings.n == 0)
		fail_msg("%s: verify found nothing", what);
}

static void test_damaged_index(void **state)
{
	static const struct {
		const char *what;
		uint32_t type[3];
		bool footer;
	} rows[] = {
		{"map", {UMS_TYPE_MAPS}, false},
		{"root", {UMS_TYPE_ROOT}, false},
		{"page", {UMS_TYPE_INDX}, false},
		{"root and map", {UMS_TYPE_ROOT, UMS_TYPE_MAPS}, false},
		{"page and map", {UMS_TYPE_INDX, UMS_TYPE_MAPS}, false},
		{"page and footer", {UMS_TYPE_INDX, UMS_TYPE_SEAL}, true},
		{"all", {UMS_TYPE_ROOT, UMS_TYPE_MAPS, UMS_TYPE_SEAL}, true},
	};
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t part = 0; part < 2 * UMS_RECORD_HEAD_SIZE;
			part += UMS_RECORD_HEAD_SIZE) {
			/* In the head, then in the payload. */
			for (size_t t = 0; t < 3 && rows[i].type[t]; t++)
				bytes[last_record(bytes, whole, rows[i].type[t]) + part + 8] ^= 1;
			write_file(path, bytes, whole);
			check_opens_by_records(rows[i].what, rows[i].footer);
			for (size_t t = 0; t < 3 && rows[i].type[t]; t++)
				bytes[last_record(bytes, whole, rows[i].type[t]) + part + 8] ^= 1;
		}
	}
	free(bytes);
}

/* The koly block does not lead to the footer any more. */
static void test_damaged_trailer(void **state)
{
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	memset(bytes + whole - 512, 0, 512);
	write_file(path, bytes, whole);
	check_opens_by_records("trailer", true);
	free(bytes);
}

/* Puts the CRCs of the record at offset 0 right, so that only the content lies. */
static void mend_head(uint8_t *bytes)
{
	put_le32(bytes + REC_PAYLOAD_CRC, crc32_of(0, bytes + UMS_RECORD_HEAD_SIZE, UMS_HEAD_SIZE));
	put_le32(bytes + REC_HEAD_CRC, crc32_of(0, bytes, REC_HEAD_CRC));
}

static void test_absurd_headers(void **state)
{
	static const struct {
		const char *what;
		unsigned int field, width;
		uint64_t value;
		const char *said;
	} rows[] = {
		{"no sectors", HEAD_N_BLOCKS, 8, 0, "impossible geometry"},
		{"2^63 sectors", HEAD_N_BLOCKS, 8, 1ull << 63, "impossible geometry"},
		{"all ones", HEAD_N_BLOCKS, 8, UINT64_MAX, "impossible geometry"},
		{"sectors of 0 bytes", HEAD_BLOCK_BYTES, 4, 0, "impossible geometry"},
		{"sectors of 4 GiB", HEAD_BLOCK_BYTES, 4, UINT32_MAX, "impossible geometry"},
		{"runs of 4 GiB", HEAD_RUN_BYTES, 4, UINT32_MAX, "impossible geometry"},
		{"runs of 0", HEAD_RUN_BYTES, 4, 0, "impossible geometry"},
		{"runs of half a sector", HEAD_RUN_BYTES, 4, (1 << 20) + 256,
			"impossible geometry"},
		{"units of 0", HEAD_UNIT_BYTES, 4, 0, "impossible geometry"},
		{"units of 4 GiB", HEAD_UNIT_BYTES, 4, UINT32_MAX, "impossible geometry"},
		{"more bytes than sectors", HEAD_SIZE_BYTES, 8, 1ull << 40, "impossible geometry"},
		{"far fewer bytes", HEAD_SIZE_BYTES, 8, 1, "impossible geometry"},
		{"another version", HEAD_MAJOR, 2, 9, "format version 9"},
		{"an unknown feature", HEAD_INCOMPATIBLE, 4, 0x40, "features 0x40"},
	};
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);
	uint8_t before[UMS_HEAD_SIZE];

	(void)state;
	memcpy(before, bytes + UMS_RECORD_HEAD_SIZE, sizeof(before));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t value[8];
		struct err err = {0};

		put_le64(value, rows[i].value);
		memcpy(bytes + UMS_RECORD_HEAD_SIZE + rows[i].field, value, rows[i].width);
		mend_head(bytes);
		write_file(path, bytes, whole);
		if (image_open(path, &err))
			fail_msg("%s: opened", rows[i].what);
		if (!strstr(err.text, rows[i].said))
			fail_msg("%s: %s", rows[i].what, err.text);
		memcpy(bytes + UMS_RECORD_HEAD_SIZE, before, sizeof(before));
	}
	/* A drive of many TiB is possible, and costs nothing before it is read. */
	put_le64(bytes + UMS_RECORD_HEAD_SIZE + HEAD_N_BLOCKS, 1ull << 45);
	put_le64(bytes + UMS_RECORD_HEAD_SIZE + HEAD_SIZE_BYTES, 1ull << 54);
	mend_head(bytes);
	write_file(path, bytes, UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE);
	{
		struct image *image = image_open(path, NULL);

		assert_non_null(image);
		assert_int_equal(blockmap_count(image_map(image), BLOCK_MISSING), 1ull << 45);
		image_close(image);
	}
	free(bytes);
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
		cmocka_unit_test(test_cut_unsealed),
		cmocka_unit_test(test_cut_sealed),
		cmocka_unit_test(test_flip),
		cmocka_unit_test(test_flip_in_data),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_damaged_trailer),
		cmocka_unit_test(test_absurd_headers),
	};
	const char *given = getenv("SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "# SEED=%u\n", seed);
	srandom(seed);
	snprintf(path, sizeof(path), "/tmp/umsctl-damage-XXXXXX");
	close(mkstemp(path));
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
