/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture on a bench: see rig.h. */
#include "tests/aid/rig.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"

static void fill_medium(uint8_t *medium, uint64_t n_blocks)
{
	uint64_t x = 88172645463325252ull;

	for (uint64_t lba = 0; lba < n_blocks; lba++) {
		for (size_t i = 0; i < RIG_BLOCK_BYTES; i += 8) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			put_le64(medium + lba * RIG_BLOCK_BYTES + i, lba % 64 == 63 ? 0 : x);
		}
	}
}

static void note_notice(void *context, const struct capture_notice *notice)
{
	struct rig *rig = context;

	if (notice->progress) {
		rig->last = *notice->progress;
		rig->told++;
	}
	if (!notice->text)
		return;
	assert_true(notice->text[0] != '\0');
	rig->events += notice->kind != NOTICE_READ_FAILED;
}

void rig_again(struct rig *rig, const struct fake_fault *faults, size_t n_faults)
{
	faketransport_init(
		&rig->fake, rig->medium, rig->n_blocks, RIG_BLOCK_BYTES, faults, n_faults);
	rig->fake.stop = &rig->stop;
	rig->stop = false;
}

void rig_init(struct rig *rig, uint64_t n_blocks, uint32_t slot_blocks, bool in_order,
	const struct fake_fault *faults, size_t n_faults)
{
	memset(rig, 0, sizeof(*rig));
	rig->n_blocks = n_blocks;
	rig->medium = malloc(n_blocks * RIG_BLOCK_BYTES);
	assert_non_null(rig->medium);
	fill_medium(rig->medium, n_blocks);
	rig_again(rig, faults, n_faults);
	rig->sink = memsink_new(n_blocks, RIG_BLOCK_BYTES, slot_blocks, in_order);
	rig->device.tally = transport_tally_new(&rig->fake.transport, NULL);
	assert_non_null(rig->device.tally);
	rig->device.transport = rig->device.tally;
	rig->device.route = ROUTE_SG;
	rig->device.capacity.n_blocks = n_blocks;
	rig->device.capacity.block_bytes = RIG_BLOCK_BYTES;
	rig->device.size_bytes = n_blocks * RIG_BLOCK_BYTES;
	snprintf(rig->device.name, sizeof(rig->device.name), "fake");
	rig->options.stop = &rig->stop;
}

void rig_free(struct rig *rig)
{
	memsink_free(rig->sink);
	transport_close(rig->device.tally);
	free(rig->medium);
}

enum capture_end rig_run(struct rig *rig)
{
	const struct capture_observer observer = {.notice = note_notice, .context = rig};

	return capture_run(
		&rig->device, &rig->sink->sink, &rig->options, &observer, &rig->result, &rig->err);
}

static void check_progress(const struct rig *rig)
{
	const struct blockmap *map = rig->sink->map;

	if (rig->last.wanted != rig->n_blocks)
		return;
	assert_int_equal(rig->last.good, blockmap_count(map, BLOCK_MASK(BLOCK_GOOD)));
	assert_int_equal(rig->last.recovered, blockmap_count(map, BLOCK_MASK(BLOCK_RECOVERED)));
	assert_int_equal(rig->last.bad, blockmap_count(map, BLOCK_MASK(BLOCK_BAD)));
	assert_int_equal(rig->last.failed, blockmap_count(map, BLOCK_MASK(BLOCK_FAILED)));
	assert_int_equal(rig->last.skipped, blockmap_count(map, BLOCK_MASK(BLOCK_SKIPPED)));
	assert_int_equal(rig->last.untried, blockmap_count(map, BLOCK_MASK(BLOCK_UNTRIED)));
	assert_int_equal(rig->last.bad_areas, blockmap_areas(map, BLOCK_MASK(BLOCK_BAD)));
}

void rig_check(const struct rig *rig)
{
	struct block_range have;

	assert_string_equal(rig->sink->broken, "");
	for (uint64_t lba = 0; blockmap_next(rig->sink->map, lba, BLOCK_HAVE, &have);
		lba = have.lba + have.n)
		assert_memory_equal(rig->sink->bytes + have.lba * RIG_BLOCK_BYTES,
			rig->medium + have.lba * RIG_BLOCK_BYTES, have.n * RIG_BLOCK_BYTES);
	check_progress(rig);
}

char *rig_states(const struct rig *rig, char *text, size_t room)
{
	struct block_range range;
	size_t n = 0;

	text[0] = '\0';
	for (uint64_t lba = 0; blockmap_next(rig->sink->map, lba, BLOCK_ALL, &range);) {
		unsigned int mask = BLOCK_MASK(range.state);
		uint64_t end = range.lba + range.n;

		/* The same state may stand for several reasons. */
		while (blockmap_next(rig->sink->map, end, BLOCK_ALL, &range) &&
			BLOCK_MASK(range.state) == mask)
			end = range.lba + range.n;
		range = blockmap_at(rig->sink->map, lba);
		n += (size_t)snprintf(text + n, n < room ? room - n : 0, "%s%s*%lu", n ? " " : "",
			block_state_name(range.state), (unsigned long)(end - lba));
		lba = end;
	}
	assert_true(n < room);
	return text;
}
