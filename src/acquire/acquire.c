/* SPDX-License-Identifier: BSD-2-Clause */
/* An acquisition from the drive's name to the sealed image: see acquire.h. */
#include "acquire/acquire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "acquire/counts.h"
#include "acquire/opening.h"
#include "acquire/session.h"
#include "base/clock.h"
#include "base/mem.h"

/* How often damage that is found in the image is mended from the drive before the session ends: a
 * disk under the image that damages what is written to it would never come to an end. */
#define MEND_ROUNDS 3

struct acquisition {
	const struct acquire_options *options;
	const struct acquire_observer *observer;
	struct acquire_result *result;
	struct err *err; /* never NULL */
	struct device *device;
	struct image_writer *writer;
	struct capture_options capture; /* the part within the drive, and so on */
	uint64_t began_ns;
	bool recorded; /* the session stands in the journal */
	bool given_up; /* the user stopped it while the image was read back */
};

static struct capture_sink *sink_of(const struct acquisition *a)
{
	return image_writer_sink(a->writer);
}

static bool user_stopped(const struct acquisition *a)
{
	return a->options->stop && *a->options->stop;
}

/* --- the part of the drive --- */

static int choose_part(struct acquisition *a)
{
	const struct acquire_options *options = a->options;
	const struct capacity *capacity = &a->device->capacity;
	uint64_t n = options->n_blocks;

	if (options->start_lba >= capacity->n_blocks)
		return err_set(a->err, ERR_USAGE,
			"%s: the start lies behind its end: it has %" PRIu64 " sectors",
			a->device->name, capacity->n_blocks);
	if (options->n_bytes % capacity->block_bytes != 0)
		return err_set(a->err, ERR_USAGE,
			"%s: the size is not a number of whole sectors, which have %u bytes",
			a->device->name, capacity->block_bytes);
	if (options->n_bytes > 0)
		n = options->n_bytes / capacity->block_bytes;
	a->capture.start_lba = options->start_lba;
	a->capture.n_blocks = mem_min_u64(n, capacity->n_blocks - options->start_lba);
	a->result->whole =
		options->start_lba == 0 && (n == 0 || a->capture.n_blocks == capacity->n_blocks);
	return 0;
}

static uint64_t part_end(const struct acquisition *a)
{
	return a->capture.n_blocks ? a->capture.start_lba + a->capture.n_blocks
				   : a->device->capacity.n_blocks;
}

static void count_part(const struct acquisition *a, struct acquire_counts *counts)
{
	counts_read(counts, sink_of(a)->map, a->capture.start_lba, part_end(a));
}

/* --- what is left to do --- */

/* Is there a sector that the passes would read? */
static bool sectors_are_left(const struct acquisition *a)
{
	unsigned int mask = BLOCK_MISSING;

	if (a->options->retries == 0)
		mask &= ~BLOCK_MASK(BLOCK_BAD);
	count_part(a, &a->result->counts);
	return acquire_count(&a->result->counts, mask) > 0;
}

/* A digest of a drive that was captured only in part would be one of zeros for the most part. */
static bool digests_are_due(const struct acquisition *a)
{
	return blockmap_count(sink_of(a)->map, BLOCK_MASK(BLOCK_UNTRIED)) == 0;
}

/* Is the image sealed, with nothing in it that this capture would add to? */
static bool nothing_is_left(const struct acquisition *a)
{
	const struct image_info *info = image_writer_info(a->writer);
	unsigned int hashes = a->options->hashes | IMAGE_HASH_SHA256;

	return info->sealed && a->options->n_notes == 0 && !sectors_are_left(a) &&
	       (!digests_are_due(a) || (hashes & ~info->hashes) == 0);
}

/* --- the passes, and mending what is damaged --- */

static int begin_session(struct acquisition *a)
{
	if (a->recorded)
		return 0;
	a->recorded = true;
	if (session_put_begin(sink_of(a), a->options, a->device, a->result, a->err) < 0)
		return -1;
	if (a->options->n_notes > 0)
		image_writer_keep(a->writer);
	if (session_put_notes(sink_of(a), a->options, a->err) < 0)
		return -1;
	/* Of an image that seemed to be finished that is known before the session begins. */
	if (a->result->damaged == 0)
		return 0;
	return session_put_damage(sink_of(a), a->result->damaged, a->err);
}

/* The numbers of all rounds of passes add up, in what is told of progress too. */
static void pass_on(void *context, const struct capture_notice *notice)
{
	const struct acquisition *a = context;
	const struct capture_result *before = &a->result->capture;
	struct capture_notice now = *notice;
	struct capture_progress progress;

	if (!a->observer->notice)
		return;
	if (notice->progress) {
		progress = *notice->progress;
		progress.read_bytes += before->read_bytes;
		progress.elapsed_ms += before->elapsed_ms;
		progress.resets += before->resets;
		now.progress = &progress;
	}
	a->observer->notice(a->observer->context, &now);
}

static enum capture_end acquire_passes(struct acquisition *a)
{
	const struct capture_observer observer = {.notice = pass_on, .context = a};
	struct capture_result *sum = &a->result->capture, now;

	capture_run(a->device, sink_of(a), &a->capture, &observer, &now, a->err);
	now.failed_reads += sum->failed_reads;
	now.read_bytes += sum->read_bytes;
	now.elapsed_ms += sum->elapsed_ms;
	now.resets += sum->resets;
	now.reconnects += sum->reconnects;
	now.written_to |= sum->written_to;
	*sum = now;
	return now.end;
}

static int tell_reading_back(void *context, uint64_t done, uint64_t all)
{
	struct acquisition *a = context;

	if (a->observer->reading_back)
		a->observer->reading_back(a->observer->context, done, all);
	a->given_up |= user_stopped(a);
	return a->given_up;
}

/* Reads back what was not written in this session, and what the digests have not seen.  *PUT_BACK
 * is how many sectors were damaged in the image, and are untried now. */
static int check_image(struct acquisition *a, uint64_t *put_back)
{
	if (image_writer_check(
		    a->writer, digests_are_due(a), tell_reading_back, a, put_back, a->err) < 0) {
		/* A wish is no error. */
		if (a->given_up)
			*a->err = (struct err){.kind = ERR_NONE};
		return -1;
	}
	a->result->damaged += *put_back;
	return 0;
}

/* Passes, and once more for what turns out to be damaged in the image, until the image is what it
 * says. */
static enum capture_end capture_until_sound(struct acquisition *a)
{
	for (int round = 0;; round++) {
		enum capture_end end;
		uint64_t put_back;

		if (begin_session(a) < 0)
			return CAPTURE_FAILED;
		end = acquire_passes(a);
		if (end == CAPTURE_STOPPED || end == CAPTURE_FAILED)
			return end;
		if (check_image(a, &put_back) < 0)
			return a->given_up ? CAPTURE_STOPPED : CAPTURE_FAILED;
		if (put_back == 0)
			return end;
		if (round == MEND_ROUNDS) {
			err_set(a->err, ERR_BAD_IMAGE,
				"what is written to the image is damaged again and again (%" PRIu64
				" sectors this time): its disk is not to be trusted",
				put_back);
			return CAPTURE_FAILED;
		}
		if (session_put_damage(sink_of(a), put_back, a->err) < 0)
			return CAPTURE_FAILED;
	}
}

static enum acquire_end end_of(const struct acquisition *a, enum capture_end end)
{
	if (end == CAPTURE_STOPPED || end == CAPTURE_FAILED)
		return ACQUIRE_STOPPED;
	if (a->result->capture.written_to)
		return ACQUIRE_WRITTEN_TO;
	return end == CAPTURE_COMPLETE ? ACQUIRE_COMPLETE : ACQUIRE_UNREADABLE;
}

static void finish_result(struct acquisition *a, enum acquire_end end)
{
	a->result->end = end;
	a->result->elapsed_ms = (clock_now_ns() - a->began_ns) / 1000000;
	count_part(a, &a->result->counts);
	a->result->info = *image_writer_info(a->writer);
}

/* The digests of what is sealed next, for the journal: after the seal nothing can be written. */
static int know_digests(struct acquisition *a)
{
	struct image_info *info = &a->result->info;

	info->hashes = 0;
	if (!digests_are_due(a))
		return 0;
	return image_writer_digests(a->writer, &info->hashes, info->digest, a->err);
}

/* The session is over: its last line, and the seal if it came to its end. */
static void end_session(struct acquisition *a, enum capture_end end)
{
	const char *failure = end == CAPTURE_FAILED ? a->err->text : NULL;
	struct err last = {.kind = ERR_NONE};
	int r;

	finish_result(a, end_of(a, end));
	if (a->result->end != ACQUIRE_STOPPED && know_digests(a) < 0)
		a->result->info.hashes = 0;
	r = session_put_end(sink_of(a), a->device, a->result, failure, &last);
	if (r == 0 && a->result->end != ACQUIRE_STOPPED)
		r = image_writer_seal(a->writer, digests_are_due(a), tell_reading_back, a, &last);
	if (r < 0) {
		/* When the image has failed before, that is what is told. */
		if (a->err->kind == ERR_NONE && !a->given_up)
			*a->err = last;
		a->result->end = ACQUIRE_STOPPED;
	}
	a->result->info = *image_writer_info(a->writer);
}

/* --- the whole --- */

static void tell_start(const struct acquisition *a)
{
	struct acquire_start start = {
		.device = a->device,
		.image = a->result->image,
		.resumed = a->result->resumed,
		.session = a->result->session,
	};

	count_part(a, &a->result->counts);
	start.wanted = acquire_count(&a->result->counts, BLOCK_ALL);
	start.have = acquire_count(&a->result->counts, BLOCK_HAVE);
	if (a->observer->started)
		a->observer->started(a->observer->context, &start);
}

/* Nothing is left to do, if what the image has is what it says: 1 when that is so, -1 when it could
 * not be checked; the result is known then.  0: there is something to do after all. */
static int check_finished(struct acquisition *a)
{
	uint64_t put_back;

	int r = check_image(a, &put_back);

	if (r == 0 && put_back > 0)
		return 0;
	a->result->session = 0;
	if (r < 0) {
		finish_result(a, ACQUIRE_STOPPED);
		return -1;
	}
	a->result->untouched = true;
	finish_result(a, acquire_count(&a->result->counts, BLOCK_MISSING) > 0 ? ACQUIRE_UNREADABLE
									      : ACQUIRE_COMPLETE);
	return 1;
}

static void run_open(struct acquisition *a)
{
	int finished = 0;

	tell_start(a);
	if (nothing_is_left(a))
		finished = check_finished(a);
	if (finished == 0)
		end_session(a, capture_until_sound(a));
}

/* The first error is the one that counts. */
static void close_image(struct acquisition *a)
{
	struct acquire_result *result = a->result;
	struct err failure;

	if (image_writer_close(a->writer, &failure) == 0 || result->end == ACQUIRE_STOPPED)
		return;
	result->end = ACQUIRE_STOPPED;
	*a->err = failure;
	err_prefix(a->err, "%s: ", result->image);
}

/* A message about the run names both: either may be at fault. */
static void about_both(const struct acquisition *a)
{
	if (a->err->kind != ERR_NONE)
		err_prefix(a->err, "%s into %s: ", a->device->name, a->result->image);
}

static enum acquire_end not_started(const struct acquisition *a)
{
	if (a->result->end == ACQUIRE_USAGE)
		return ACQUIRE_USAGE;
	return a->err->kind == ERR_BAD_IMAGE && a->result->resumed ? ACQUIRE_DAMAGED
								   : ACQUIRE_NOT_STARTED;
}

static int open_both(struct acquisition *a)
{
	a->device = device_open(a->options->device, &a->options->device_options, a->err);
	if (!a->device)
		return -1;
	snprintf(a->result->device, sizeof(a->result->device), "%s", a->device->name);
	if (user_stopped(a))
		return err_set(a->err, ERR_OTHER, "%s: stopped before it began", a->device->name);
	if (choose_part(a) < 0) {
		a->result->end = ACQUIRE_USAGE;
		return -1;
	}
	return opening_image(a->options, a->device, a->result, &a->writer, a->err);
}

static void set_capture(struct acquisition *a)
{
	const struct acquire_options *options = a->options;

	a->capture = (struct capture_options){
		.retries = options->retries,
		.timeout_ms = options->device_options.timeout_ms,
		.reconnect_ms = options->reconnect_ms,
		.checkpoint_ms = options->checkpoint_ms,
		.stop = options->stop,
		.rescue = options->rescue,
		.rescue_context = options->rescue_context,
	};
}

enum acquire_end acquire_run(const struct acquire_options *options,
	const struct acquire_observer *observer, struct acquire_result *result, struct err *err)
{
	struct err failure = {.kind = ERR_NONE};
	struct acquisition a = {
		.options = options,
		.observer = observer,
		.result = result,
		.err = &failure,
		.began_ns = clock_now_ns(),
	};

	memset(result, 0, sizeof(*result));
	set_capture(&a);
	if (open_both(&a) < 0) {
		result->end = not_started(&a);
		image_writer_close(a.writer, NULL);
	} else {
		run_open(&a);
		about_both(&a);
		close_image(&a);
	}
	device_close(a.device);
	if (err)
		*err = failure;
	return result->end;
}
