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
#include "image/load.h"
#include "image/reader.h"

#define HOLE  4096u
#define ZEROS (1u << 20)

struct export
{
	struct image *image;
	int fd;
	const struct image_export_options *options;
	uint8_t *plain; /* of one slot */
	uint8_t *zeros; /* ZEROS of them; NULL when they become holes */
};

/* LEN bytes that belong at OFFSET of the drive. */
static int export_bytes(
	const struct export *export, uint8_t *data, size_t len, uint64_t offset, struct err *err)
{
	struct iovec piece = {.iov_base = data, .iov_len = len};

	if (file_write_all(export->fd, &piece, 1, export->options->sparse ? offset : UINT64_MAX) <
		0)
		return err_sys(err, errno, "writing at offset %" PRIu64, offset);
	return 0;
}

/* Leaves out what is zero, so that it becomes a hole. */
static int export_sparse(
	const struct export *export, uint8_t *data, size_t len, uint64_t offset, struct err *err)
{
	size_t from = 0, part;

	for (size_t at = 0; at < len; at += part) {
		part = len - at < HOLE ? len - at : HOLE;
		if (!mem_is_zero(data + at, part))
			continue;
		if (at > from &&
			export_bytes(export, data + from, at - from, offset + from, err) < 0)
			return -1;
		from = at + part;
	}
	return len > from ? export_bytes(export, data + from, len - from, offset + from, err) : 0;
}

static void export_progress(const struct export *export, uint64_t done)
{
	if (export->options->progress)
		export->options->progress(
			export->options->context, done, image_info(export->image)->size_bytes);
}

/* Bytes FROM … TO-1, whole slots without a record, or the last one. */
static int export_gap(const struct export *export, uint64_t from, uint64_t to, struct err *err)
{
	uint32_t block = image_info(export->image)->block_bytes;

	if (reader_check_unrecorded(export->image, from / block, (to + block - 1) / block,
		    export->options->lose, export->options->context, err) < 0)
		return -1;
	while (export->zeros && from < to) {
		size_t part = (size_t)mem_min_u64(ZEROS, to - from);

		if (export_bytes(export, export->zeros, part, from, err) < 0)
			return -1;
		from += part;
		export_progress(export, from);
	}
	return 0;
}

/* The bytes of a slot with records; the drive may end in it. */
static int export_slot(const struct export *export, uint64_t offset, size_t len, struct err *err)
{
	if (reader_read(export->image, offset, len, export->plain, export->options->lose,
		    export->options->context, err) < 0)
		return -1;
	return (export->options->sparse ? export_sparse : export_bytes)(
		export, export->plain, len, offset, err);
}

static int export_slots(const struct export *export, struct err *err)
{
	struct store *store = &export->image->store;
	uint64_t run = store->info.run_bytes, size = store->info.size_bytes, at = 0;
	uint64_t next;
	bool found;

	while (at < size) {
		size_t part;

		if (load_next_slot(store, at / run, &next, &found, err) < 0)
			return -1;
		next = found ? next * run : size;
		if (next > at && export_gap(export, at, mem_min_u64(next, size), err) < 0)
			return -1;
		at = mem_min_u64(next, size);
		part = (size_t)mem_min_u64(run, size - at);
		if (part > 0 && export_slot(export, at, part, err) < 0)
			return -1;
		at += part;
		export_progress(export, at);
	}
	return 0;
}

int image_export(
	struct image *image, int fd, const struct image_export_options *options, struct err *err)
{
	uint64_t size = image_info(image)->size_bytes;
	struct export export = {.image = image, .fd = fd, .options = options};
	int r = 0;

	export.plain = malloc(image_info(image)->run_bytes);
	if (!options->sparse)
		export.zeros = calloc(1, ZEROS);
	if (!export.plain || (!options->sparse && !export.zeros))
		r = err_memory(err, "exporting");
	/* First of all, so that a file system that cannot hold it says so before the work. */
	else if (options->sparse && ftruncate(fd, (off_t)size) < 0)
		r = err_sys(err, errno, "setting the size to %" PRIu64 " bytes", size);
	else
		r = export_slots(&export, err);
	free(export.plain);
	free(export.zeros);
	return r;
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
