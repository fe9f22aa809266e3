/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing end of an image file: see out.h. */
#include "image/out.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/record.h"

#define RESERVE_STEP (32u << 20)

#define UNCERTAIN                                                                                  \
	"what was written since the last checkpoint may be missing; the image is kept "            \
	"as far as that; look after the disk that it is on, then run the command again to go on"

static const uint8_t zeros[UMS_ALIGN];

static int write_pieces(struct out *out, struct iovec *piece, int n, struct err *err)
{
	if (file_write_all(out->fd, piece, n, out->piped ? UINT64_MAX : out->tail) < 0)
		return err_sys(err, errno, "writing the image at offset %" PRIu64, out->tail);
	return 0;
}

int out_bytes(struct out *out, const void *bytes, size_t len, struct err *err)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};

	if (write_pieces(out, &piece, 1, err) < 0)
		return -1;
	out->crc = crc32_of(out->crc, bytes, len);
	out->tail += len;
	return 0;
}

int out_align(struct out *out, struct err *err)
{
	uint32_t padding = record_padding(out->tail);

	return padding ? out_bytes(out, zeros, padding, err) : 0;
}

int out_record(struct out *out, uint32_t type, const struct iovec *piece, int n,
	uint32_t payload_crc, uint64_t *offset, struct err *err)
{
	struct record record = {.type = type, .payload_crc = payload_crc};
	uint8_t head[UMS_RECORD_HEAD_SIZE];
	struct iovec all[OUT_PIECES + 2];
	uint32_t padding;

	if (out_align(out, err) < 0)
		return -1;
	record.offset = out->tail;
	for (int i = 0; i < n; i++) {
		record.length += piece[i].iov_len;
		all[i + 1] = piece[i];
	}
	padding = record_padding(record.length);
	record_encode(&record, out->uuid, head);
	all[0] = (struct iovec){.iov_base = head, .iov_len = sizeof(head)};
	all[n + 1] = (struct iovec){.iov_base = (void *)(uintptr_t)zeros, .iov_len = padding};
	if (write_pieces(out, all, n + 2, err) < 0)
		return -1;
	out->crc = crc32_of(out->crc, head, sizeof(head));
	out->crc = crc32_join(out->crc, payload_crc, record.length);
	out->crc = crc32_of(out->crc, zeros, padding);
	out->tail = record_end(&record);
	if (offset)
		*offset = record.offset;
	return 0;
}

int out_small_record(struct out *out, uint32_t type, const void *payload, size_t len,
	uint64_t *offset, struct err *err)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)payload, .iov_len = len};

	return out_record(out, type, &piece, 1, crc32_of(0, payload, len), offset, err);
}

int out_reserve(struct out *out, uint64_t len, uint64_t spare, struct err *err)
{
	uint64_t want = out->tail + len + UMS_RECORD_HEAD_SIZE + UMS_ALIGN + spare;
	uint64_t from = mem_max_u64(out->reserved, out->tail);
	int r;

	if (out->piped || out->no_reserve || want <= out->reserved)
		return 0;
	r = file_reserve(out->fd, from, want - from + RESERVE_STEP);
	if (r == 0) {
		out->reserved = want + RESERVE_STEP;
		return 0;
	}
	if (r < 0)
		r = file_reserve(out->fd, from, want - from);
	if (r < 0)
		return err_sys(err, errno, "no room for the image at offset %" PRIu64, out->tail);
	out->no_reserve = r == 1;
	out->reserved = want;
	return 0;
}

void out_leave(struct out *out, const void *bytes, size_t len)
{
	out->crc = crc32_of(out->crc, bytes, len);
	out->tail += len;
}

int out_fill(struct out *out, const void *bytes, size_t len, uint64_t offset, struct err *err)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};

	if (file_write_all(out->fd, &piece, 1, offset) == 0)
		return 0;
	atomic_store(&out->lost, true);
	return err_sys(err, errno, "writing the image at offset %" PRIu64, offset);
}

bool out_is_lost(const struct out *out, struct err *err)
{
	if (!atomic_load(&out->lost))
		return false;
	err_set(err, ERR_OTHER,
		"an earlier write to the image failed on its way to the disk: " UNCERTAIN);
	return true;
}

int out_sync(struct out *out, struct err *err)
{
	int errnum;

	if (out->piped)
		return 0;
	if (out_is_lost(out, err))
		return -1;
	if (file_sync(out->fd) == 0)
		return 0;
	errnum = errno;
	atomic_store(&out->lost, true);
	return err_set(err, errnum == ENOSPC ? ERR_NO_SPACE : ERR_OTHER,
		"making the image durable: %s: " UNCERTAIN, strerror(errnum));
}

int out_trim(struct out *out, struct err *err)
{
	if (out->piped)
		return 0;
	if (ftruncate(out->fd, (off_t)out->tail) < 0)
		return err_sys(err, errno, "ending the image at offset %" PRIu64, out->tail);
	out->reserved = 0;
	return 0;
}
