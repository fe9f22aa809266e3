/* SPDX-License-Identifier: BSD-2-Clause */
/* The run of a capture: what is asked for, the passes in order, how it ends. */
#include "capture/capture.h"

#include "base/mem.h"
#include "capture/session.h"

#include <stdarg.h>
#include <stdio.h>

#define READ_BYTES	(1024 * 1024)
#define READ_BYTES_FILE (4 * 1024 * 1024)
#define TIMEOUT_MS	30000
#define EVENT_TEXT	600

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

int session_end(struct session *s, enum capture_end ended)
{
	s->ended = ended;
	return -1;
}

bool session_next(
	const struct session *s, uint64_t lba, unsigned int mask, struct block_range *range)
{
	if (!blockmap_next(s->sink->map, mem_max_u64(lba, s->begin), mask, range) ||
		range->lba >= s->end)
		return false;
	range->n = mem_min_u64(range->n, s->end - range->lba);
	return true;
}

bool session_prev(
	const struct session *s, uint64_t lba, unsigned int mask, struct block_range *range)
{
	uint64_t end;

	if (!blockmap_prev(s->sink->map, mem_min_u64(lba, s->end), mask, range))
		return false;
	end = range->lba + range->n;
	if (end <= s->begin)
		return false;
	range->lba = mem_max_u64(range->lba, s->begin);
	range->n = end - range->lba;
	return true;
}

void session_event(const struct session *s, const char *format, ...)
{
	char text[EVENT_TEXT];
	va_list ap;

	if (!s->observer || !s->observer->event)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	s->observer->event(s->observer->context, text);
}

/* The part asked for, within the drive. */
static int set_part(struct session *s)
{
	uint64_t all = blockmap_blocks(s->sink->map);

	if (s->block_bytes == 0 || s->block_bytes != s->sink->block_bytes ||
		all != s->device->capacity.n_blocks || s->sink->slot_blocks == 0)
		return err_set(s->err, ERR_IDENTITY, "the image is not of a drive of this size");
	if (s->options->start_lba >= all)
		return err_set(s->err, ERR_USAGE, "the start lies behind the end of the drive");
	s->begin = s->options->start_lba;
	s->end = all;
	if (s->options->n_blocks > 0 && s->options->n_blocks < all - s->begin)
		s->end = s->begin + s->options->n_blocks;
	return 0;
}

static int session_begin(struct session *s)
{
	uint64_t most = s->device->route == ROUTE_FILE ? READ_BYTES_FILE : READ_BYTES;

	s->block_bytes = s->device->capacity.block_bytes;
	if (set_part(s) < 0)
		return session_end(s, CAPTURE_FAILED);
	most = mem_min_u64(most, s->device->transport->max_transfer_bytes);
	s->max_blocks = (uint32_t)mem_max_u64(most / s->block_bytes, 1);
	s->timeout_ms = s->options->timeout_ms ? s->options->timeout_ms : TIMEOUT_MS;
	s->block = mem_page_alloc(s->block_bytes);
	if (!s->block) {
		err_memory(s->err, "for a sector");
		return session_end(s, CAPTURE_FAILED);
	}
	if (s->device->transport->depth > 0) {
		s->ahead = ahead_new(
			s->device->transport, s->max_blocks, s->block_bytes, s->timeout_ms, s->err);
		if (!s->ahead)
			return session_end(s, CAPTURE_FAILED);
	}
	capture_identity(s->device, s->identity, sizeof(s->identity));
	progress_begin(s);
	return journal_begin(s);
}

/* A pass that finds nothing to do leaves no trace. */
static int run_pass(struct session *s, enum capture_pass pass, unsigned int mask,
	int (*func)(struct session *s))
{
	struct block_range range;

	if (!session_next(s, s->begin, mask, &range))
		return 0;
	s->pass = pass;
	s->position = range.lba;
	if (journal_pass(s, "pass-begin") < 0 || func(s) < 0)
		return -1;
	return journal_pass(s, "pass-end");
}

static int run_passes(struct session *s)
{
	static const struct {
		enum capture_pass pass;
		unsigned int mask; /* what it treats */
		int (*func)(struct session *s);
	} table[] = {
		{PASS_FORWARD, BLOCK_MASK(BLOCK_UNTRIED), pass_forward},
		{PASS_BACKWARD, BLOCK_MASK(BLOCK_SKIPPED), pass_backward},
		{PASS_SWEEP, BLOCK_MASK(BLOCK_SKIPPED) | BLOCK_MASK(BLOCK_UNTRIED), pass_sweep},
		{PASS_ISOLATE, BLOCK_MASK(BLOCK_FAILED), pass_isolate},
	};

	if (s->sink->in_order)
		return run_pass(s, PASS_FORWARD, BLOCK_MISSING, pass_in_order);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (run_pass(s, table[i].pass, table[i].mask, table[i].func) < 0)
			return -1;
	}
	if (s->options->retries == 0)
		return 0;
	return run_pass(
		s, PASS_RETRY, BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED), pass_retry);
}

static enum capture_end outcome_of_passes(struct session *s)
{
	struct block_range range;

	if (run_passes(s) < 0)
		return s->ended;
	s->pass = PASS_DONE;
	s->position = s->end;
	return session_next(s, s->begin, BLOCK_MISSING, &range) ? CAPTURE_UNREADABLE
								: CAPTURE_COMPLETE;
}

/* Last line and checkpoint.  When the sink failed these fail as well: the first error is told. */
static enum capture_end conclude(struct session *s, enum capture_end end, struct err *err)
{
	struct err last = {.kind = ERR_NONE};
	const char *text = end == CAPTURE_FAILED && err ? err->text : NULL;

	ahead_drain(s->ahead);
	s->err = &last;
	if (journal_end(s, end, text) < 0 || s->sink->ops->checkpoint(s->sink, (uint32_t)s->pass,
						     s->position, true, &last) < 0) {
		if (err && end != CAPTURE_FAILED)
			*err = last;
		end = CAPTURE_FAILED;
	}
	s->progress.checkpoint_ns = clock_now_ns();
	progress_tick(s, true);
	return end;
}

enum capture_end capture_run(struct device *device, struct capture_sink *sink,
	const struct capture_options *options, const struct capture_observer *observer,
	struct err *err)
{
	struct session s = {
		.device = device,
		.sink = sink,
		.options = options,
		.observer = observer,
		.err = err,
		.pass = PASS_FORWARD,
	};
	enum capture_end end;

	if (session_begin(&s) < 0) {
		end = s.ended;
	} else {
		end = outcome_of_passes(&s);
		end = conclude(&s, end, err);
	}
	ahead_free(s.ahead);
	free(s.block);
	free(s.health.before);
	return end;
}
