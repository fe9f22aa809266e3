/* SPDX-License-Identifier: BSD-2-Clause */
/* The sectors of a simulated drive: see medium.h. */
#include "sim/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "sim/demofs.h"
#include "sim/pattern.h"

/* Sparse drives: noise at the beginning of every 64 GiB, and at the end. */
#define SPARSE_EVERY (UINT64_C(64) << 30)
#define SPARSE_DATA  (UINT64_C(64) << 10)

struct medium {
	uint64_t size_bytes;
	uint64_t seed;
	pattern_fn *pattern; /* NULL: sparse, from a file, or the demo */
	int fd;		     /* -1: no file */
	uint8_t *demo;	     /* DEMOFS_BYTES, or NULL */
};

static int medium_open_file(struct medium *medium, struct sim_settings *settings, struct err *err)
{
	struct stat st;

	medium->fd = open(settings->file, O_RDONLY | O_CLOEXEC);
	if (medium->fd < 0 || fstat(medium->fd, &st) != 0)
		return err_sys(err, errno, "%s", settings->file);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, "%s is no plain file", settings->file);
	if (settings->size_bytes == 0)
		settings->size_bytes = (uint64_t)st.st_size;
	return 0;
}

static int open_content(struct medium *medium, struct sim_settings *settings, struct err *err)
{
	static pattern_fn *const patterns[] = {
		[SIM_CONTENT_ZERO] = pattern_zero,
		[SIM_CONTENT_NOISE] = pattern_noise,
		[SIM_CONTENT_TEXT] = pattern_text,
		[SIM_CONTENT_MIXED] = pattern_mixed,
		[SIM_CONTENT_SPARSE] = NULL,
		[SIM_CONTENT_DEMO] = NULL,
	};

	medium->pattern = patterns[settings->content];
	if (settings->content != SIM_CONTENT_DEMO)
		return 0;
	if (settings->size_bytes < DEMOFS_BYTES || settings->block_bytes != DEMOFS_SECTOR)
		return err_set(err, ERR_USAGE,
			"the demo's file system needs at least size=%dM and block=%d",
			DEMOFS_BYTES >> 20, DEMOFS_SECTOR);
	medium->demo = demofs_new();
	return medium->demo ? 0 : err_memory(err, "for the demo's file system");
}

struct medium *medium_open(struct sim_settings *settings, struct err *err)
{
	struct medium *medium = calloc(1, sizeof(*medium));
	int failed;

	if (!medium) {
		err_memory(err, "for a simulated drive");
		return NULL;
	}
	medium->fd = -1;
	medium->seed = settings->seed;
	failed = settings->file ? medium_open_file(medium, settings, err)
				: open_content(medium, settings, err);
	medium->size_bytes = settings->size_bytes;
	if (!failed && (medium->size_bytes == 0 || medium->size_bytes % settings->block_bytes != 0))
		failed = err_set(err, ERR_USAGE,
			"a size of %" PRIu64 " bytes is no multiple of the %" PRIu64
			" bytes of a sector",
			medium->size_bytes, settings->block_bytes);
	if (failed) {
		medium_close(medium);
		return NULL;
	}
	return medium;
}

/* Sparse content is cut into stretches that are all noise or all zero. */
static size_t sparse_stretch(const struct medium *medium, uint64_t offset, size_t len, bool *noise)
{
	uint64_t into = offset % SPARSE_EVERY;
	uint64_t tail = medium->size_bytes - mem_min_u64(SPARSE_DATA, medium->size_bytes);
	uint64_t left;

	*noise = into < SPARSE_DATA || offset >= tail;
	if (into < SPARSE_DATA)
		left = SPARSE_DATA - into;
	else if (offset >= tail)
		left = medium->size_bytes - offset;
	else
		left = mem_min_u64(SPARSE_EVERY - into, tail - offset);
	return mem_min_u64(len, left);
}

/* OFFSET and LEN are whole units. */
static void fill_units(const struct medium *medium, uint64_t offset, uint8_t *out, size_t len)
{
	pattern_fn *pattern = medium->pattern;

	while (len > 0) {
		size_t part = len;
		bool noise;

		if (!medium->pattern) {
			part = sparse_stretch(medium, offset, len, &noise);
			pattern = noise ? pattern_noise : pattern_zero;
		}
		pattern(medium->seed, offset / PATTERN_BYTES, out, part / PATTERN_BYTES);
		offset += part;
		out += part;
		len -= part;
	}
}

/* Any offset and length: what is no whole unit goes through a unit of its own. */
static void medium_fill(const struct medium *medium, uint64_t offset, uint8_t *out, size_t len)
{
	uint8_t unit[PATTERN_BYTES];

	while (len > 0) {
		size_t into = offset % PATTERN_BYTES;
		size_t part = len / PATTERN_BYTES * PATTERN_BYTES;

		if (into != 0 || part == 0) {
			part = mem_min_u64(PATTERN_BYTES - into, len);
			fill_units(medium, offset - into, unit, PATTERN_BYTES);
			memcpy(out, unit + into, part);
		} else {
			fill_units(medium, offset, out, part);
		}
		offset += part;
		out += part;
		len -= part;
	}
}

/* Copies from the N bytes at HELD; behind them are zeros. */
static void copy_or_zero(const uint8_t *held, uint64_t n, uint64_t offset, uint8_t *out, size_t len)
{
	size_t part = offset < n ? mem_min_u64(len, n - offset) : 0;

	if (part > 0)
		memcpy(out, held + offset, part);
	memset(out + part, 0, len - part);
}

int medium_read(struct medium *medium, uint64_t offset, void *out, size_t len)
{
	ssize_t got;

	if (medium->demo) {
		copy_or_zero(medium->demo, DEMOFS_BYTES, offset, out, len);
		return 0;
	}
	if (medium->fd < 0) {
		medium_fill(medium, offset, out, len);
		return 0;
	}
	got = file_read_at(medium->fd, out, len, offset);
	if (got < 0)
		return -1;
	memset((uint8_t *)out + got, 0, len - (size_t)got);
	return 0;
}

void medium_close(struct medium *medium)
{
	if (!medium)
		return;
	if (medium->fd >= 0)
		close(medium->fd);
	free(medium->demo);
	free(medium);
}
