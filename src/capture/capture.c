/* SPDX-License-Identifier: BSD-2-Clause */
/* The run of a capture: what is asked for, the passes in order, how it ends. */
#include "capture/capture.h"

#include "base/mem.h"
#include "capture/failure.h"
#include "capture/isolate.h"
#include "capture/journal.h"
#include "capture/passes.h"
#include "capture/progress.h"
#include "capture/reading.h"
#include "scsi/scsi.h"

#define TIMEOUT_MS 30000

struct run {
	struct source source;
	struct journal journal;
	struct progress progress;
	struct keep keep;
	struct reading reading;
	struct err err;
};

const char *capture_pass_name(enum capture_pass pass)
{
	static const char *const names[] = {
		[PASS_FORWARD] = "forward",
		[PASS_BACKWARD] = "backward",
		[PASS_SWEEP] = "sweep",
		[PASS_ISOLATE] = "isolate",
		[PASS_RETRY] = "retry",
		[PASS_DONE] = "done",
	};

	return pass >= PASS_FORWARD && pass <= PASS_DONE ? names[pass] : "unknown";
}

const char *capture_notice_word(enum capture_notice_kind kind)
{
	switch (kind) {
	case NOTICE_GONE:
		return "gone";
	case NOTICE_DEAD:
		return "dead";
	case NOTICE_HELP:
		return "revive";
	case NOTICE_BACK:
		return "back";
	case NOTICE_CAPACITY:
		return "capacity";
	case NOTICE_MEDIUM:
		return "medium";
	case NOTICE_WRITTEN:
		return "written";
	case NOTICE_RESET:
		return "reset";
	default:
		return NULL;
	}
}

/* The part asked for, within the drive. */
static int run_set_part(struct source *source)
{
	uint64_t all = blockmap_blocks(source->sink->map);
	const struct capture_options *options = source->options;

	if (source->block_bytes == 0 || source->block_bytes != source->sink->block_bytes ||
		all != source->device->capacity.n_blocks || source->sink->slot_blocks == 0)
		return err_set(
			source->err, ERR_IDENTITY, "the image is not of a drive of this size");
	if (options->start_lba >= all)
		return err_set(
			source->err, ERR_USAGE, "the start lies behind the end of the drive");
	source->begin = options->start_lba;
	source->end = all;
	if (options->n_blocks > 0 && options->n_blocks < all - source->begin)
		source->end = source->begin + options->n_blocks;
	return 0;
}

/* Who is told, in this order: what the journal says stands before what the user sees. */
static void set_observers(struct run *run, const struct capture_observer *observer)
{
	struct source *source = &run->source;

	source->observer[source->n_observers++] = journal_begin(&run->journal, source);
	source->observer[source->n_observers++] = progress_begin(&run->progress, source, observer);
	if (observer && observer->notice)
		source->observer[source->n_observers++] = *observer;
}

static int run_begin(struct run *run, const struct capture_observer *observer)
{
	struct source *source = &run->source;

	if (run_set_part(source) < 0)
		return source_end(source, CAPTURE_FAILED);
	source->block = mem_page_alloc(source->block_bytes);
	if (!source->block) {
		err_memory(source->err, "for a sector");
		return source_end(source, CAPTURE_FAILED);
	}
	set_observers(run, observer);
	keep_begin(&run->keep, source);
	if (reading_begin(&run->reading, source, &run->keep) < 0)
		return -1;
	source_tell(source, &(struct capture_notice){.kind = NOTICE_BEGIN});
	return 0;
}

/* A pass that finds nothing to do leaves no trace. */
static int run_pass(struct run *run, enum capture_pass pass, unsigned int mask,
	int (*func)(struct reading *reading))
{
	struct source *source = &run->source;
	struct capture_notice notice = {.kind = NOTICE_PASS_BEGIN, .pass = pass};
	struct block_range range;

	if (!source_next(source, source->begin, mask, &range))
		return 0;
	run->keep.pass = pass;
	run->keep.position = range.lba;
	source_tell(source, &notice);
	if (func(&run->reading) < 0)
		return -1;
	health_tell(&run->reading.health);
	notice.kind = NOTICE_PASS_END;
	source_tell(source, &notice);
	return 0;
}

/*
 * When a drive leaves, what failed shortly before is taken back, and then lies behind the pass.  No
 * later pass treats it, so this one comes again, as long as that leaves fewer sectors.
 */
static int run_pass_to_end(struct run *run, enum capture_pass pass, unsigned int mask,
	int (*func)(struct reading *reading))
{
	const struct source *source = &run->source;

	for (;;) {
		uint32_t reconnects = run->reading.lost.reconnects;
		uint64_t left = source_count(source, mask);

		if (run_pass(run, pass, mask, func) < 0)
			return -1;
		if (run->reading.lost.reconnects == reconnects ||
			source_count(source, mask) >= left)
			return 0;
	}
}

static int run_passes(struct run *run)
{
	const unsigned int untried = BLOCK_MASK(BLOCK_UNTRIED), skipped = BLOCK_MASK(BLOCK_SKIPPED);

	if (run->source.sink->in_order)
		return run_pass(run, PASS_FORWARD, BLOCK_MISSING, pass_in_order);
	if (run_pass(run, PASS_FORWARD, untried, pass_forward) < 0 ||
		run_pass(run, PASS_BACKWARD, skipped, pass_backward) < 0 ||
		run_pass_to_end(run, PASS_SWEEP, untried | skipped, pass_sweep) < 0 ||
		run_pass_to_end(run, PASS_ISOLATE, BLOCK_MASK(BLOCK_FAILED), pass_isolate) < 0)
		return -1;
	if (run->source.options->retries == 0)
		return 0;
	return run_pass(
		run, PASS_RETRY, BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED), pass_retry);
}

static enum capture_end outcome_of_passes(struct run *run)
{
	struct source *source = &run->source;
	struct block_range range;

	if (run_passes(run) < 0 || failure_settle(&run->reading) < 0)
		return source->ended;
	run->keep.pass = PASS_DONE;
	run->keep.position = source->end;
	return source_next(source, source->begin, BLOCK_MISSING, &range) ? CAPTURE_UNREADABLE
									 : CAPTURE_COMPLETE;
}

/* What failed and was not taken apart.  When all was tried, that is what became of those sectors;
 * otherwise a later session finds out. */
static void tell_failed(const struct source *source, bool all_tried)
{
	struct block_range range;

	for (uint64_t lba = source->begin;
		source_next(source, lba, BLOCK_MASK(BLOCK_FAILED), &range);
		lba = range.lba + range.n) {
		char text[SCSI_REASON_TEXT];
		struct capture_notice notice = {
			.kind = NOTICE_UNREADABLE,
			.pass = all_tried ? PASS_DONE : 0,
			.lba = range.lba,
			.n = range.n,
			.state = BLOCK_FAILED,
			.text = scsi_reason_text(&range.why, text, sizeof(text)),
		};

		source_tell(source, &notice);
	}
}

/* Last lines and checkpoint.  When the sink has failed these fail as well: the first error is the
 * one that is told. */
static enum capture_end run_conclude(struct run *run, enum capture_end end)
{
	struct source *source = &run->source;
	struct err last = {.kind = ERR_NONE}, later, *first = source->err;
	int r;

	source->err = &last;
	r = ahead_drain(run->reading.ahead, &last);
	if (end == CAPTURE_STOPPED && r == 0)
		r = health_leave(&run->reading.health);
	health_good(&run->reading.health);
	health_tell(&run->reading.health);
	tell_failed(source, run->keep.pass == PASS_DONE);
	if (journal_end(&run->journal, r == 0 ? &last : NULL) < 0)
		r = -1;
	source->err = r == 0 ? &last : &later;
	if (keep_now(&run->keep) < 0)
		r = -1;
	source_tell(source, &(struct capture_notice){.kind = NOTICE_END});
	source->err = first;
	if (r == 0)
		return end;
	if (end != CAPTURE_FAILED)
		*first = last;
	return CAPTURE_FAILED;
}

static void fill_result(const struct run *run, struct capture_result *result)
{
	result->pass = run->keep.pass;
	result->failed_reads = run->reading.failed_reads;
	result->read_bytes = run->reading.read_bytes;
	result->elapsed_ms = progress_elapsed_ms(&run->progress);
	result->resets = run->reading.resets;
	result->reconnects = run->reading.lost.reconnects;
	result->written_to = run->source.device->watch.seen;
}

enum capture_end capture_run(struct device *device, struct capture_sink *sink,
	const struct capture_options *options, const struct capture_observer *observer,
	struct capture_result *result, struct err *err)
{
	struct run run = {
		.source =
			{
				.device = device,
				.sink = sink,
				.options = options,
				.block_bytes = device->capacity.block_bytes,
				.timeout_ms =
					options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
			},
	};

	run.source.err = &run.err;
	*result = (struct capture_result){.pass = PASS_FORWARD};
	if (run_begin(&run, observer) < 0) {
		result->end = run.source.ended;
	} else {
		result->end = run_conclude(&run, outcome_of_passes(&run));
		fill_result(&run, result);
	}
	if (err)
		*err = run.err;
	reading_end(&run.reading);
	free(run.source.block);
	return result->end;
}
