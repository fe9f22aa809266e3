/* SPDX-License-Identifier: BSD-2-Clause */
/* A small image of a known medium: see makeimage.h. */
#include "tests/aid/makeimage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/sink.h"

uint8_t made_medium[MADE_BLOCKS * 512];

static void fill_medium(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(made_medium); i++) {
		size_t kind = i / 65536 % 3;

		x = x * 1664525u + 1013904223u;
		made_medium[i] = kind == 0   ? (uint8_t) "damage "[i % 7]
				 : kind == 1 ? (uint8_t)(x >> 24)
					     : 0;
	}
}

static int put(struct capture_sink *sink, uint64_t lba, uint64_t end, struct err *err)
{
	while (lba < end) {
		uint64_t slot_end = (lba / sink->slot_blocks + 1) * sink->slot_blocks;
		uint32_t n = (uint32_t)((slot_end < end ? slot_end : end) - lba);
		void *p = sink->ops->reserve(sink, lba, n, err);

		if (!p)
			return -1;
		memcpy(p, made_medium + lba * 512, (size_t)n * 512);
		if (sink->ops->commit(sink, lba, n, BLOCK_GOOD, NULL, err) < 0 ||
			sink->ops->release(sink, lba, n, err) < 0)
			return -1;
		lba += n;
	}
	return 0;
}

static void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "makeimage: %s failed\n", what);
	abort();
}

static void fill_image(struct image_writer *writer)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct block_reason why = {.status = 2, .sense_key = 3, .asc = 0x11, .tries = 1};
	struct err err;

	require(sink->ops->blob(sink, "identity", "vendor=test\n", 12, &err) == 0, "blob");
	require(sink->ops->journal(sink, "{\"event\":\"begin\"}", &err) == 0, "journal");
	require(put(sink, 0, 1500, &err) == 0, "put");
	require(sink->ops->checkpoint(sink, 1, 1500, true, &err) == 0, "checkpoint");
	require(put(sink, 1500, MADE_BAD, &err) == 0, "put");
	require(put(sink, MADE_BAD + MADE_N_BAD, MADE_BLOCKS, &err) == 0, "put");
	require(sink->ops->mark(sink, MADE_BAD, MADE_N_BAD, BLOCK_BAD, &why, &err) == 0, "mark");
	require(sink->ops->journal(sink, "{\"event\":\"end\"}", &err) == 0, "journal");
	require(sink->ops->checkpoint(sink, 2, 0, true, &err) == 0, "checkpoint");
}

static uint8_t *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;

	require(f && fstat(fileno(f), &st) == 0, "open");
	*len = (size_t)st.st_size;
	bytes = malloc(*len);
	require(bytes && fread(bytes, 1, *len, f) == *len, "read");
	fclose(f);
	return bytes;
}

uint8_t *make_image(const char *path, bool sealed, size_t *len)
{
	static const struct image_geometry geometry = {512, MADE_BLOCKS, MADE_BLOCKS * 512u};
	static const struct image_writer_options options = {.udif = true, .threads = 1};
	struct image_writer *writer;

	fill_medium();
	unlink(path);
	writer = image_create(path, &geometry, &options, NULL);
	require(writer, "create");
	fill_image(writer);
	require(!sealed || image_writer_seal(writer, true, NULL, NULL, NULL) == 0, "seal");
	require(image_writer_close(writer, NULL) == 0, "close");
	return read_file(path, len);
}

void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	require(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0, "write");
}

int finish_image(const char *path, struct err *err)
{
	static const struct image_writer_options options = {.udif = true, .threads = 1};
	struct image_writer *writer = image_resume(path, &options, err);
	struct block_range range;
	int r = 0;

	if (!writer)
		return -1;
	while (r == 0 && blockmap_next(image_writer_map(writer), 0, BLOCK_MISSING, &range))
		r = put(image_writer_sink(writer), range.lba, range.lba + range.n, err);
	if (r == 0)
		r = image_writer_seal(writer, true, NULL, NULL, err);
	if (image_writer_close(writer, r < 0 ? NULL : err) < 0)
		r = -1;
	return r;
}

/* N sectors: as they are on the medium, or not to be read. */
static bool same_or_refused(struct image *image, uint64_t lba, uint64_t n)
{
	uint8_t sectors[128 * 512];

	if (image_read(image, lba * 512, (size_t)n * 512, sectors, NULL) == 0)
		return memcmp(sectors, made_medium + lba * 512, (size_t)n * 512) == 0;
	for (uint64_t i = lba; n > 1 && i < lba + n; i++) {
		if (!same_or_refused(image, i, 1))
			return false;
	}
	return true;
}

bool good_is_good(struct image *image)
{
	struct block_range range;

	for (uint64_t lba = 0; blockmap_next(image_map(image), lba, BLOCK_HAVE, &range);) {
		uint64_t n = range.n < 128 ? range.n : 128;

		if (!same_or_refused(image, range.lba, n))
			return false;
		lba = range.lba + n;
	}
	return true;
}
