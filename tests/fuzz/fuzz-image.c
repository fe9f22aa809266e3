/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target: the image reader.  The first byte says what to do with the record heads: with 1
 * their CRCs and the payloads' are put right, so that the fuzzer gets past them to what they guard.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "image/image.h"
#include "proto/ums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		if (length <= size - at - UMS_RECORD_HEAD_SIZE)
			put_le32(head + REC_PAYLOAD_CRC,
				crc32_of(0, head + UMS_RECORD_HEAD_SIZE, (size_t)length));
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

static void read_all(const char *path)
{
	struct image_verify_report report;
	struct image *image = image_open(path, NULL);
	uint8_t plain[8192];

	if (!image)
		return;
	for (uint64_t at = 0; at < image_info(image)->size_bytes && at < 1u << 20;
		at += sizeof(plain)) {
		uint64_t left = image_info(image)->size_bytes - at;

		image_read(image, at, left < sizeof(plain) ? (size_t)left : sizeof(plain), plain,
			NULL);
	}
	image_blobs(image, take, NULL, NULL);
	image_journal(image, line, NULL, NULL);
	if (image_info(image)->size_bytes < 16u << 20) {
		image_close(image);
		image_verify(path, found, NULL, NULL, &report, NULL);
		return;
	}
	image_close(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	uint8_t *file;
	int fd;

	if (size < 1 + UMS_RECORD_HEAD_SIZE)
		return 0;
	file = malloc(size - 1);
	memcpy(file, data + 1, size - 1);
	if (data[0] & 1)
		mend(file, size - 1);
	fd = memfd_create("image", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, file, size - 1) == (ssize_t)(size - 1)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		read_all(path);
	}
	close(fd);
	free(file);
	return 0;
}
