/* SPDX-License-Identifier: BSD-2-Clause */
/* Is it still the same medium: see medium.h. */
#include "capture/medium.h"

#include "capture/identity.h"
#include "base/mem.h"
#include "capture/plain.h"
#include "scsi/scsi.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A drive that says at each command that its medium has changed is not compared for ever. */
#define ROUNDS 5

static uint64_t words_heard(const struct source *source)
{
	const struct device *device = source->device;

	return device->tally
		       ? transport_tally_medium_words(device->tally, device->inquiry.removable)
		       : 0;
}

void medium_begin(struct medium *medium, struct source *source)
{
	*medium = (struct medium){.source = source, .heard = words_heard(source)};
}

void medium_end(struct medium *medium)
{
	for (unsigned int i = 0; i < medium->n; i++)
		free(medium->bytes[i]);
}

/* The first ones, then each twice as far from the beginning: few, but from all over what has
 * passed. */
void medium_remember(struct medium *medium, uint64_t lba, uint32_t n, const uint8_t *data)
{
	size_t block = medium->source->block_bytes;
	uint64_t after = medium->n < 4 ? 0 : medium->lba[medium->n - 1] * 2;
	uint8_t *copy;

	if (!medium->source->sink->in_order || medium->n == MEDIUM_SAMPLES)
		return;
	for (uint32_t i = 0; i < n; i++, data += block) {
		if (lba + i <= after || mem_is_uniform(data, block))
			continue;
		copy = malloc(block);
		if (!copy)
			return;
		memcpy(copy, data, block);
		medium->lba[medium->n] = lba + i;
		medium->bytes[medium->n++] = copy;
		return;
	}
}

void medium_recognised(struct medium *medium)
{
	medium->heard = words_heard(medium->source);
}

int medium_check_capacity(const struct source *source)
{
	const struct capacity *then = &source->device->capacity;
	struct capacity now;

	if (scsi_capacity(source->device->transport, &now, NULL, NULL) != 0 ||
		(now.n_blocks == then->n_blocks && now.block_bytes == then->block_bytes))
		return 0;
	return err_set(source->err, ERR_IDENTITY,
		"the capacity of %s has changed from %" PRIu64 " sectors of %u bytes to %" PRIu64
		" of %u: another medium is in it, or it has broken",
		source->device->name, then->n_blocks, then->block_bytes, now.n_blocks,
		now.block_bytes);
}

/* With the sectors that were kept of a pipe.  One that cannot be read now says nothing. */
static int compare_kept(const struct medium *medium)
{
	const struct source *source = medium->source;

	for (unsigned int i = 0; i < medium->n; i++) {
		enum outcome outcome;
		bool came = plain_read(source->device, medium->lba[i], source->timeout_ms,
			source->block, &outcome);

		if (!came && outcome == OUTCOME_GONE)
			return err_set(
				source->err, ERR_GONE, "%s left the bus", source->device->name);
		if (came && memcmp(source->block, medium->bytes[i], source->block_bytes) != 0)
			return err_set(source->err, ERR_IDENTITY,
				"sector %" PRIu64 " of %s is not what it was before",
				medium->lba[i], source->device->name);
	}
	return 0;
}

static int compare_medium(const struct medium *medium)
{
	const struct source *source = medium->source;
	unsigned int compared;
	int r;

	if (medium_check_capacity(source) < 0)
		return -1;
	/* A file system that is mounted read-write may have changed what was read. */
	if (source->device->drive.mounted_rw)
		return 0;
	r = source->sink->in_order
		    ? compare_kept(medium)
		    : identity_sample(source->device, source->sink, &compared, source->err);
	if (r < 0)
		return err_prefix(source->err, "the drive said that its medium may have changed: ");
	return 0;
}

bool medium_is_in_doubt(const struct medium *medium)
{
	return words_heard(medium->source) != medium->heard;
}

int medium_check(struct medium *medium, uint64_t lba)
{
	struct source *source = medium->source;

	for (int i = 0; i < ROUNDS && medium_is_in_doubt(medium); i++) {
		medium->heard = words_heard(source);
		if (compare_medium(medium) < 0) {
			if (source->err->kind != ERR_GONE)
				return source_end(source, CAPTURE_FAILED);
			*source->err = (struct err){.kind = ERR_NONE};
			return 1;
		}
		source_say(source, NOTICE_MEDIUM, lba,
			"the drive said that it was not ready or that its medium may have changed: "
			"what could be compared is as before");
	}
	return 0;
}
