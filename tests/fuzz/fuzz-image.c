/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: images, read in every way and gone on with.  The first byte says how (below), two
 * more which allocation fails (0: none); the file follows.  mutate-image.c makes the inputs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "capture/sink.h"
#include "image/image.h"
#include "proto/ums.h"
#include "tests/fuzz/aid.h"
#include "tests/fuzz/image.h"

/* Larger drives and runs are opened, but not read or written as a whole: that takes time. */
#define MOST_BYTES (4u << 20)

static void mend_units(uint8_t *payload, uint64_t length, uint32_t unit)
{
	uint32_t body = get_le32(payload + DATA_BODY), n = get_le32(payload + DATA_N_UNITS);

	if (payload[DATA_ENCODING] != UMS_ENCODING_RAW || body > length || unit == 0)
		return;
	put_le32(payload + DATA_PLAIN_CRC, crc32_of(0, payload + body, (size_t)length - body));
	for (uint64_t i = 0; i < n && UMS_DATA_HEAD_SIZE + (i + 1) * UMS_UNIT_ENTRY_SIZE <= body;
		i++) {
		uint64_t from = body + i * unit;
		uint64_t to = from + unit < length ? from + unit : length;

		if (from < to)
			put_le32(payload + UMS_DATA_HEAD_SIZE + i * UMS_UNIT_ENTRY_SIZE + UNIT_CRC,
				crc32_of(0, payload + from, (size_t)(to - from)));
	}
}

/* What a payload says of CRCs, so that the lies in it get past them. */
static void mend_payload(uint8_t *file, size_t at, uint64_t length)
{
	uint8_t *payload = file + at + UMS_RECORD_HEAD_SIZE;

	switch (get_le32(file + at + REC_TYPE)) {
	case UMS_TYPE_DATA:
		if (length >= UMS_DATA_HEAD_SIZE)
			mend_units(payload, length,
				get_le32(file + UMS_RECORD_HEAD_SIZE + HEAD_UNIT_BYTES));
		break;
	case UMS_TYPE_CKPT:
		if (length >= UMS_CKPT_HEAD_SIZE)
			put_le32(payload + CKPT_FILE_CRC, crc32_of(0, file, at));
		break;
	case UMS_TYPE_SEAL:
		if (length >= UMS_SEAL_SIZE)
			put_le32(payload + SEAL_FILE_CRC, crc32_of(0, file, at));
		break;
	default:
		break;
	}
}

static void mend(uint8_t *file, size_t size)
{
	for (size_t at = 0; at + UMS_RECORD_HEAD_SIZE <= size; at += UMS_ALIGN) {
		uint8_t *head = file + at;
		uint64_t length;

		if (get_le32(head + REC_MAGIC) != UMS_RECORD_MAGIC)
			continue;
		length = get_le64(head + REC_LENGTH);
		put_le64(head + REC_OFFSET, at);
		memcpy(head + REC_UUID, file + REC_UUID, 16);
		if (length <= size - at - UMS_RECORD_HEAD_SIZE) {
			mend_payload(file, at, length);
			put_le32(head + REC_PAYLOAD_CRC,
				crc32_of(0, head + UMS_RECORD_HEAD_SIZE, (size_t)length));
		}
		put_le32(head + REC_HEAD_CRC, crc32_of(0, head, REC_HEAD_CRC));
	}
}

static void found(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static int take(void *context, const char *name, const void *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	return strlen(name) > 255 || len > 1u << 30;
}

static int line(void *context, const char *json)
{
	(void)context;
	(void)json;
	return 0;
}

/* What is lost is of what was read. */
static void lose(void *context, const struct image_lost *lost)
{
	const struct image_info *info = context;

	if (lost->n_blocks == 0 || lost->lba >= info->n_blocks ||
		lost->n_blocks > info->n_blocks - lost->lba)
		abort();
}

static void read_sectors(struct image *image)
{
	uint64_t size = image_info(image)->size_bytes;
	uint8_t plain[8192];

	for (uint64_t at = 0; at < size && at < 1u << 20; at += sizeof(plain)) {
		uint64_t left = size - at;

		image_read(image, at, left < sizeof(plain) ? (size_t)left : sizeof(plain), plain,
			NULL);
	}
	if (size <= MOST_BYTES) {
		struct image_info info = *image_info(image);
		uint8_t *all = malloc((size_t)size + 1);

		if (all)
			image_salvage(image, 0, (size_t)size, all, lose, &info, NULL);
		free(all);
	}
	if (image_read(image, size, 1, plain, NULL) == 0 ||
		image_read(image, UINT64_MAX, 1, plain, NULL) == 0)
		abort();
}

/* True when the drive is small enough for more. */
static bool read_all(const char *path)
{
	struct image *image = image_open(path, NULL);
	struct block_range range;
	uint64_t lba = 0, n_blocks;
	size_t len;
	bool small;

	if (!image)
		return false;
	n_blocks = image_info(image)->n_blocks;
	while (blockmap_next(image_map(image), lba, BLOCK_ALL, &range))
		lba = range.lba + range.n;
	if (lba != n_blocks || blockmap_count(image_map(image), BLOCK_ALL) != n_blocks)
		abort();
	read_sectors(image);
	image_blobs(image, take, NULL, NULL);
	image_journal(image, line, NULL, NULL);
	free(image_blob(image, "identity", &len));
	if (image_info(image)->damaged != (image_damage(image)[0] != '\0'))
		abort();
	small = image_info(image)->size_bytes <= MOST_BYTES &&
		image_info(image)->run_bytes <= MOST_BYTES;
	image_close(image);
	return small;
}

/* N sectors of one slot from DATA, which is repeated. */
static int put_piece(
	struct capture_sink *sink, uint64_t lba, uint32_t n, const uint8_t *data, size_t size)
{
	uint8_t *p = sink->ops->reserve(sink, lba, n, NULL);
	int r;

	if (!p)
		return -1;
	for (size_t i = 0; i < (size_t)n * sink->block_bytes; i++)
		p[i] = size ? data[i % size] : 0;
	r = sink->ops->commit(sink, lba, n, BLOCK_GOOD, NULL, NULL);
	return sink->ops->release(sink, lba, n, NULL) < 0 ? -1 : r;
}

/* What is missing, from DATA. */
static int write_missing(struct image_writer *writer, const uint8_t *data, size_t size)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct block_range range;
	uint64_t put_back;

	if (image_writer_check(writer, true, NULL, NULL, &put_back, NULL) < 0)
		return -1;
	while (blockmap_next(image_writer_map(writer), 0, BLOCK_MISSING, &range)) {
		uint32_t left = sink->slot_blocks - (uint32_t)(range.lba % sink->slot_blocks);
		uint32_t n = range.n < left ? (uint32_t)range.n : left;

		if (put_piece(sink, range.lba, n, data, size) < 0)
			return -1;
	}
	return 0;
}

/* True when it was sealed: then it must open. */
static bool write_all(const char *path, bool missing)
{
	static const struct image_writer_options options = {.udif = true, .threads = 1};
	struct image_writer *writer = image_resume(path, &options, NULL);
	bool sealed = false;
	void *bytes = NULL;
	size_t len;

	if (!writer)
		return false;
	if (image_writer_blob(writer, "identity", &bytes, &len, NULL) == 1)
		free(bytes);
	image_writer_journal(writer, line, NULL, NULL);
	if (!missing || write_missing(writer, (const uint8_t *)"missing", 7) == 0)
		sealed = image_writer_seal(writer, true, NULL, NULL, NULL) == 0;
	return image_writer_close(writer, NULL) == 0 && sealed;
}

static void use(const char *path, uint8_t how, unsigned int fails)
{
	struct image_verify_report report;
	bool small, sealed = false;

	aid_fail_allocation(fails);
	small = read_all(path);
	if (small)
		image_verify(path, found, NULL, NULL, &report, NULL);
	aid_fail_allocation(fails); /* of what is written, once more */
	if (small && how & IMAGE_INPUT_WRITE)
		sealed = write_all(path, how & IMAGE_INPUT_MISSING);
	aid_fail_allocation(0);
	if (sealed && !read_all(path))
		abort();
}

/* A new image of a drive whose geometry is the input's, and what is read of it. */
static void create(const char *path, const uint8_t *data, size_t size, unsigned int fails)
{
	static const struct image_writer_options options = {.udif = true, .threads = 1};
	struct image_geometry geometry = {.block_bytes = get_le32(data),
		.n_blocks = get_le64(data + 4),
		.size_bytes = get_le64(data + 12)};
	struct image_writer *writer;
	bool sealed = false;

	aid_fail_allocation(fails);
	writer = image_create(path, &geometry, &options, NULL);
	if (writer && geometry.size_bytes <= MOST_BYTES) {
		sealed = write_missing(writer, data + 20, size - 20) == 0 &&
			 image_writer_seal(writer, true, NULL, NULL, NULL) == 0;
	}
	if (writer)
		sealed = image_writer_close(writer, NULL) == 0 && sealed;
	aid_fail_allocation(0);
	if (sealed && !read_all(path))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	uint8_t *file;
	int fd;

	if (size < IMAGE_INPUT_HEAD + UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE)
		return 0;
	size -= IMAGE_INPUT_HEAD;
	file = malloc(size);
	memcpy(file, data + IMAGE_INPUT_HEAD, size);
	if (data[0] & IMAGE_INPUT_MEND)
		mend(file, size);
	fd = memfd_create("image", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (data[0] & IMAGE_INPUT_CREATE) {
		create(path, file, size, get_le16(data + 1));
	} else if (fd >= 0 && write(fd, file, size) == (ssize_t)size) {
		use(path, data[0], get_le16(data + 1));
	}
	close(fd);
	free(file);
	return 0;
}
