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

static void read_sectors(struct image *image)
{
	uint64_t size = image_info(image)->size_bytes;
	uint8_t plain[8192];

	for (uint64_t at = 0; at < size && at < 1u << 20; at += sizeof(plain)) {
		uint64_t left = size - at;

		image_read(image, at, left < sizeof(plain) ? (size_t)left : sizeof(plain), plain,
			NULL);
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

/* Reads what is missing as 0x5a. */
static int write_missing(struct image_writer *writer)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct block_range range;

	while (blockmap_next(image_writer_map(writer), 0, BLOCK_MISSING, &range)) {
		uint32_t left = sink->slot_blocks - (uint32_t)(range.lba % sink->slot_blocks);
		uint32_t n = range.n < left ? (uint32_t)range.n : left;
		void *p = sink->ops->reserve(sink, range.lba, n, NULL);

		if (!p)
			return -1;
		memset(p, 0x5a, (size_t)n * sink->block_bytes);
		if (sink->ops->commit(sink, range.lba, n, BLOCK_GOOD, NULL, NULL) < 0)
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
	size_t len;

	if (!writer)
		return false;
	free(image_writer_blob(writer, "identity", &len));
	if (!missing || write_missing(writer) == 0)
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
	if (small && how & IMAGE_INPUT_WRITE)
		sealed = write_all(path, how & IMAGE_INPUT_MISSING);
	aid_fail_allocation(0);
	if (sealed && !read_all(path))
		abort();
}

/* Sectors from DATA, which is repeated, until the drive is full or something fails. */
static void put_sectors(struct image_writer *writer, const uint8_t *data, size_t size)
{
	struct capture_sink *sink = image_writer_sink(writer);
	uint64_t n_blocks = image_writer_info(writer)->n_blocks, n;

	for (uint64_t lba = 0; lba < n_blocks; lba += n) {
		uint64_t left = sink->slot_blocks - lba % sink->slot_blocks;
		uint8_t *p;

		n = left < n_blocks - lba ? left : n_blocks - lba;
		p = sink->ops->reserve(sink, lba, (uint32_t)n, NULL);
		if (!p)
			return;
		for (size_t i = 0; i < n * sink->block_bytes; i++)
			p[i] = size ? data[i % size] : 0;
		if (sink->ops->commit(sink, lba, (uint32_t)n, BLOCK_GOOD, NULL, NULL) < 0)
			return;
	}
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
		put_sectors(writer, data + 20, size - 20);
		sealed = image_writer_seal(writer, true, NULL, NULL, NULL) == 0;
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
