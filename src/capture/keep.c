/* SPDX-License-Identifier: BSD-2-Clause */
/* When things are made durable, and who else writes to the drive: see keep.h. */
#include "capture/keep.h"

#include "base/clock.h"
#include "base/mem.h"
#include "device/watch.h"

#define MS_NS	    1000000ull
#define PATIENCE_NS (30 * 1000 * MS_NS)

void keep_begin(struct keep *keep, struct source *source)
{
	unsigned int ms = source->options->checkpoint_ms;
	uint64_t now = clock_now_ns();

	*keep = (struct keep){
		.source = source,
		.interval_ns = (ms ? ms : CAPTURE_CHECKPOINT_MS) * MS_NS,
		.last_ns = now,
		.slot_ns = now,
		.pass = PASS_FORWARD,
	};
	device_watch_begin(source->device);
}

void keep_good(struct keep *keep, uint64_t bytes)
{
	const struct capture_sink *sink = keep->source->sink;

	keep->slot_bytes += bytes;
	if (keep->slot_bytes < (uint64_t)sink->slot_blocks * sink->block_bytes)
		return;
	keep->slot_bytes = 0;
	keep->slot_ns = clock_now_ns();
}

void keep_trouble(struct keep *keep)
{
	keep->trouble = true;
}

static void look_for_writers(struct keep *keep)
{
	const struct source *source = keep->source;
	char what[400];

	if (!device_watch_look(source->device, what, sizeof(what)))
		return;
	source_say(source, NOTICE_WRITTEN, keep->position,
		"%s: what was read before and after that may not fit together", what);
}

static int make(struct keep *keep, bool all)
{
	struct source *source = keep->source;
	struct capture_sink *sink = source->sink;
	int r;

	look_for_writers(keep);
	r = sink->ops->checkpoint(sink, (uint32_t)keep->pass, keep->position, all, source->err);
	keep->last_ns = clock_now_ns();
	if (r < 0)
		return source_end(source, CAPTURE_FAILED);
	if (all) {
		keep->trouble = false;
		keep->slot_bytes = 0;
		keep->slot_ns = keep->last_ns;
	}
	return 0;
}

int keep_tick(struct keep *keep)
{
	struct capture_sink *sink = keep->source->sink;
	uint64_t now = clock_now_ns();

	/* The interval begins when the one before has ended: a slow disk is not kept syncing. */
	if (sink->ops->under_way(sink))
		keep->last_ns = now;
	if (now - keep->last_ns < keep->interval_ns)
		return 0;
	return make(keep, keep->trouble || now - keep->slot_ns >= PATIENCE_NS);
}

int keep_now(struct keep *keep)
{
	return make(keep, true);
}
