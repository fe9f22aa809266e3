/* SPDX-License-Identifier: BSD-2-Clause */
/* An image as plain bytes, and its block map as a GNU ddrescue mapfile. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "image/image.h"
#include "image/reader.h"

#define STEP (1u << 20)
#define HOLE 4096u

struct export
{
	int fd;
	bool seekable;
	uint64_t end; /* of what has been written */
};

static int write_out(
	struct export *export, uint8_t *data, size_t len, uint64_t offset, struct err *err)
{
	struct iovec piece = {.iov_base = data, .iov_len = len};

	if (file_write_all(export->fd, &piece, 1, export->seekable ? offset : UINT64_MAX) < 0)
		return err_sys(err, errno, "writing at offset %" PRIu64, offset);
	export->end = offset + len;
	return 0;
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* Leaves out what is zero, so that it becomes a hole. */
static int write_sparse(
	struct export *export, uint8_t *data, size_t len, uint64_t offset, struct err *err)
{
	size_t from = 0;

	for (size_t at = 0; at < len;) {
		size_t part = len - at < HOLE ? len - at : HOLE;

		if (is_zero(data + at, part)) {
			if (at > from &&
				write_out(export, data + from, at - from, offset + from, err) < 0)
				return -1;
			from = at + part;
		}
		at += part;
	}
	return len > from ? write_out(export, data + from, len - from, offset + from, err) : 0;
}

int image_export(struct image *image, int fd,
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	struct err *err)
{
	struct export export = {.fd = fd, .seekable = lseek(fd, 0, SEEK_CUR) >= 0};
	uint64_t size = image_info(image)->size_bytes;
	cleanup_free uint8_t *data = malloc(STEP);

	if (!data)
		return err_memory(err, "exporting");
	for (uint64_t offset = 0; offset < size; offset += STEP) {
		size_t len = (size_t)mem_min_u64(STEP, size - offset);

		if (image_read(image, offset, len, data, err) < 0)
			return -1;
		if ((export.seekable ? write_sparse : write_out)(&export, data, len, offset, err) <
			0)
			return -1;
		if (progress)
			progress(context, offset + len, size);
	}
	if (export.seekable && export.end < size && ftruncate(fd, (off_t)size) < 0)
		return err_sys(err, errno, "setting the size to %" PRIu64, size);
	return 0;
}

/* ddrescue's word for a state (ddrescue info manual, "Mapfile structure"). */
static char mapfile_status(enum block_state state)
{
	switch (state) {
	case BLOCK_GOOD:
	case BLOCK_RECOVERED:
		return '+';
	case BLOCK_BAD:
		return '-';
	case BLOCK_FAILED:
		return '*';
	default:
		return '?';
	}
}

/* The end of the sectors from LBA on that ddrescue has one word, STATUS, for. */
static uint64_t same_status(const struct blockmap *map, uint64_t lba, char status)
{
	struct block_range range;

	while (blockmap_next(map, lba, BLOCK_ALL, &range) && mapfile_status(range.state) == status)
		lba = range.lba + range.n;
	return lba;
}

int image_export_mapfile(struct image *image, int fd, struct err *err)
{
	const struct image_info *info = image_info(image);
	const struct blockmap *map = image_map(image);
	uint64_t untried = blockmap_count(map, BLOCK_MISSING & ~BLOCK_MASK(BLOCK_BAD));
	uint64_t n_blocks = blockmap_blocks(map), end;

	if (dprintf(fd,
		    "# Mapfile. Written by umsctl %s from an image\n"
		    "# current_pos  current_status  current_pass\n0x00000000     %c               "
		    "1\n"
		    "#      pos        size  status\n",
		    UMSCTL_VERSION, untried ? '?' : '+') < 0)
		return err_sys(err, errno, "writing the mapfile");
	for (uint64_t lba = 0; lba < n_blocks; lba = end) {
		uint64_t from = lba * info->block_bytes, to;
		char status = mapfile_status(blockmap_at(map, lba).state);

		end = same_status(map, lba, status);
		to = mem_min_u64(end * info->block_bytes, info->size_bytes);
		if (dprintf(fd, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", from, to - from, status) <
			0)
			return err_sys(err, errno, "writing the mapfile");
	}
	return 0;
}
