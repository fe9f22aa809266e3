/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a capture: what the files of this room share.  Not for callers of the room.
 *
 *     capture.c     the run: passes in order, begin and end
 *     passes.c      forward, backward, sweep, in order: which sectors next
 *     isolate.c     failed reads down to single sectors, retries
 *     read.c        one READ: into the sink, judged, committed, marked
 *     ahead.c       READs under way before they are asked for
 *     lost.c        a drive that has gone, or died, and comes back
 *     health.c      is it these sectors, or has the drive died?
 *     progress.c    numbers for the observer, checkpoints
 *     journal.c     lines for the image's journal
 *
 * Functions return 0 to go on and -1 when the session ends; session_end() has said how then.
 */
#ifndef UMS_CAPTURE_SESSION_H
#define UMS_CAPTURE_SESSION_H

#include "base/blockmap.h"
#include "capture/ahead.h"
#include "capture/capture.h"
#include "capture/judge.h"

#define PROGRESS_SAMPLES 32
#define REASON_TEXT	 160
#define READ_PLAIN_MS	 30000
#define IDENTITY_TEXT	 4096

/* The newest samples of progress, for the rate. */
struct progress {
	uint64_t began_ns, told_ns, checkpoint_ns;
	struct {
		uint64_t ns, bytes;
	} sample[PROGRESS_SAMPLES];
	unsigned int n_samples; /* taken so far; the newest PROGRESS_SAMPLES are there */
};

/* Failures since the last read that went well, and what the map said before them. */
struct health {
	unsigned int failures;
	unsigned int checks;
	struct block_range *before;
	size_t n_before, room_before;
};

/* Errors that lie close together make one line of the journal. */
struct error_area {
	uint64_t first, last;
	uint64_t reads;
	char text[REASON_TEXT];
};

struct journal {
	unsigned int lines; /* of errors, this session */
	uint64_t errors;    /* failed reads, this session */
	struct error_area area;
};

/* How fast reads that went well were, lately. */
struct pace {
	double bytes, ns;
};

struct session {
	struct device *device;
	struct capture_sink *sink;
	const struct capture_options *options;
	const struct capture_observer *observer; /* may be NULL, and its functions too */
	struct err *err;
	enum capture_end ended; /* valid once something returned -1 */

	uint64_t begin, end; /* LBAs of the part asked for */
	uint32_t block_bytes;
	uint32_t max_blocks; /* of one READ */
	unsigned int timeout_ms;
	uint8_t *block; /* room for one sector that is not for the sink */

	enum capture_pass pass;
	uint64_t position;
	uint64_t read_bytes;
	uint32_t resets, reconnects;
	bool told_out_of_range;

	struct ahead *ahead;	      /* NULL: reads are not ahead */
	unsigned int good_in_a_row;   /* reads */
	char identity[IDENTITY_TEXT]; /* of the drive as it was at the beginning */

	struct progress progress;
	struct health health;
	struct journal journal;
	struct pace pace;
};

/* --- capture.c --- */

/* The session ends as ENDED; returns -1. */
int session_end(struct session *s, enum capture_end ended);

/* Has the user asked to stop? */
static inline bool session_stopped(const struct session *s)
{
	return s->options->stop && *s->options->stop;
}

/* How a message about a lost drive ends. */
static inline const char *session_advice(const struct session *s)
{
	return s->sink->in_order ? "" : "; running the same command again goes on from here";
}

/* The first (last) range at or behind (before) LBA in the part asked for with a state in MASK. */
bool session_next(
	const struct session *s, uint64_t lba, unsigned int mask, struct block_range *range);
bool session_prev(
	const struct session *s, uint64_t lba, unsigned int mask, struct block_range *range);

/* Tells the observer one sentence. */
void session_event(const struct session *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- passes.c --- */

int pass_forward(struct session *s);
int pass_backward(struct session *s);
int pass_sweep(struct session *s);
int pass_in_order(struct session *s);

/* --- isolate.c --- */

int pass_isolate(struct session *s);
int pass_retry(struct session *s);

/* Tells good and bad sectors of a range apart; FIRST (may be NULL) is how a read over all of it
 * failed. */
int isolate_span(struct session *s, uint64_t lba, uint64_t n, const struct judged *first);

/* --- read.c --- */

/* The most sectors from LBA (ending before END) that one READ into the sink may have. */
uint32_t read_clip(const struct session *s, uint64_t lba, uint64_t n);
uint32_t read_clip_back(const struct session *s, uint64_t end, uint64_t n);

/*
 * Reads N sectors at LBA into the sink.  The verdict is GOOD or RECOVERED (the first judged->n are
 * committed; 0 when the read must be asked again, smaller), MEDIUM or TROUBLE (nothing is; the
 * caller marks them).  *TOOK_NS (may be NULL) is how long the READ took.
 */
int session_read(
	struct session *s, uint64_t lba, uint32_t n, struct judged *judged, uint64_t *took_ns);

/* The pass will read on from LBA to END if all goes well: what may be read ahead is. */
void session_ahead(struct session *s, uint64_t lba, uint64_t end);

/* Marks sectors, so that it can be taken back as long as the drive's health is in doubt. */
int session_mark(struct session *s, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why);

/* One sector into DATA, past unit attentions and the like.  True when it came. */
bool read_plain(struct device *device, uint64_t lba, unsigned int timeout_ms, void *data,
	enum outcome *outcome);

/* --- health.c --- */

/* A read went well: what was marked stands. */
void health_good(struct session *s);

/* A read at LBA failed.  -1 when the drive does not read any more; the marks in doubt are taken
 * back then. */
int health_failed(struct session *s, uint64_t lba, const struct judged *judged, const char *text);

/* Remembers what the map says of a range that is about to be marked. */
int health_remember(struct session *s, uint64_t lba, uint64_t n);

/* Takes back the marks that are in doubt. */
int health_take_back(struct session *s);

/* --- lost.c --- */

/* The drive has left the bus at LBA: 0 when it is back. */
int session_gone(struct session *s, uint64_t lba);

/* It is there, but does not read any more: 0 when it does. */
int session_dead(struct session *s, const char *why);

/* --- progress.c --- */

void progress_begin(struct session *s);

/* Tells the observer when 100 ms have passed (or ALWAYS), makes a checkpoint after 2 s. */
int progress_tick(struct session *s, bool always);

struct capture_progress progress_now(const struct session *s);

/* --- journal.c --- */

int journal_begin(struct session *s);
int journal_pass(struct session *s, const char *event);
int journal_note(struct session *s, const char *event, const char *text);
int journal_error(struct session *s, uint64_t lba, uint32_t n, const char *text);

/* How it ended; TEXT may be NULL. */
int journal_end(struct session *s, enum capture_end end, const char *text);

/* --- identity.c --- */

/* Compares non-uniform sectors that SINK has with the drive's.  -1 with ERR when one differs or the
 * drive is gone; *COMPARED is how many agreed. */
int identity_sample(
	struct device *device, struct capture_sink *sink, unsigned int *compared, struct err *err);

#endif
