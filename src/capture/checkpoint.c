/* SPDX-License-Identifier: BSD-2-Clause */
/* When things are made durable, and who else writes to the drive: see checkpoint.h. */
#include "capture/checkpoint.h"

#include "base/clock.h"
#include "base/mem.h"
#include "device/watch.h"

#define MS_NS	    1000000ull
#define PATIENCE_NS (30 * 1000 * MS_NS)

int checkpoint_begin(struct checkpoint *checkpoint, struct source *source)
{
	unsigned int ms = source->options->checkpoint_ms;
	uint64_t now = clock_now_ns();

	*checkpoint = (struct checkpoint){
		.source = source,
		.interval_ns = (ms ? ms : CAPTURE_CHECKPOINT_MS) * MS_NS,
		.last_ns = now,
		.slot_ns = now,
		.pass = PASS_FORWARD,
	};
	checkpoint->watch = device_watch_begin(source->device, source->err);
	return checkpoint->watch ? 0 : source_end(source, CAPTURE_FAILED);
}

void checkpoint_end(struct checkpoint *checkpoint)
{
	device_watch_end(checkpoint->watch);
	checkpoint->watch = NULL;
}

void checkpoint_good(struct checkpoint *checkpoint, uint64_t bytes)
{
	const struct capture_sink *sink = checkpoint->source->sink;

	checkpoint->slot_bytes += bytes;
	if (checkpoint->slot_bytes < (uint64_t)sink->slot_blocks * sink->block_bytes)
		return;
	checkpoint->slot_bytes = 0;
	checkpoint->slot_ns = clock_now_ns();
}

void checkpoint_trouble(struct checkpoint *checkpoint)
{
	checkpoint->trouble = true;
}

/* Once is enough: from then on the image is one of no single moment. */
static void look_for_writers(struct checkpoint *checkpoint)
{
	const struct source *source = checkpoint->source;
	char what[400];

	if (checkpoint->written_to || !device_watch_look(checkpoint->watch, what, sizeof(what)))
		return;
	checkpoint->written_to = true;
	source_say(source, NOTICE_WRITTEN, checkpoint->position,
		"%s: what was read before and after that may not fit together", what);
}

static int make(struct checkpoint *checkpoint, bool all)
{
	struct source *source = checkpoint->source;
	struct capture_sink *sink = source->sink;
	int r;

	look_for_writers(checkpoint);
	r = sink->ops->checkpoint(
		sink, (uint32_t)checkpoint->pass, checkpoint->position, all, source->err);
	checkpoint->last_ns = clock_now_ns();
	if (r < 0)
		return source_end(source, CAPTURE_FAILED);
	if (all) {
		checkpoint->trouble = false;
		checkpoint->slot_bytes = 0;
		checkpoint->slot_ns = checkpoint->last_ns;
	}
	return 0;
}

int checkpoint_tick(struct checkpoint *checkpoint)
{
	struct capture_sink *sink = checkpoint->source->sink;
	uint64_t now = clock_now_ns();

	/* The interval begins when the one before has ended: a slow disk is not kept syncing. */
	if (sink->ops->under_way(sink))
		checkpoint->last_ns = now;
	if (now - checkpoint->last_ns < checkpoint->interval_ns)
		return 0;
	return make(checkpoint, checkpoint->trouble || now - checkpoint->slot_ns >= PATIENCE_NS);
}

int checkpoint_now(struct checkpoint *checkpoint)
{
	return make(checkpoint, true);
}
