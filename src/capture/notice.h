/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens in a capture, as it is told to observers: the journal, the count of progress, the
 * caller.  Notices go one way.  An observer cannot fail a capture and cannot change its course.
 */
#ifndef UMS_CAPTURE_NOTICE_H
#define UMS_CAPTURE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blockmap.h"

enum capture_pass {
	PASS_FORWARD = 1,  /* large reads, jumping ahead of trouble */
	PASS_BACKWARD = 2, /* the same from the other side */
	PASS_SWEEP = 3,	   /* everything that was skipped, slow or not */
	PASS_ISOLATE = 4,  /* failed reads down to single sectors */
	PASS_RETRY = 5,	   /* bad sectors again */
	PASS_DONE = 6,
};

const char *capture_pass_name(enum capture_pass pass);

/* Sectors of the part asked for, by what the map says of them; each sector counts once. */
struct capture_progress {
	enum capture_pass pass;
	uint64_t position;  /* LBA */
	uint64_t wanted;    /* all of the part asked for */
	uint64_t good;	    /* read, without an error */
	uint64_t recovered; /* read, after the drive's own retries */
	uint64_t bad;	    /* single sectors that the drive cannot read */
	uint64_t failed;    /* reads over them failed; which of them are bad is not known yet */
	uint64_t skipped;   /* left for a later pass */
	uint64_t untried;
	uint64_t bad_areas;	      /* runs of bad sectors that touch */
	uint64_t pass_done, pass_all; /* sectors of the pass's own work; 0 of 0: not known */
	uint64_t read_bytes;	      /* read well in this session */
	uint64_t elapsed_ms;	      /* of this session */
	uint64_t rate;		      /* bytes per second lately */
	uint32_t resets;
};

enum capture_notice_kind {
	NOTICE_BEGIN,	   /* the passes begin */
	NOTICE_PASS_BEGIN, /* pass */
	NOTICE_PASS_END,
	NOTICE_READING,	    /* a READ of N sectors at LBA is waited for, LIMIT_MS at most */
	NOTICE_READ,	    /* it has ended; BYTES of it came well */
	NOTICE_READ_FAILED, /* it failed: TEXT; which sectors are to blame is not known yet */
	NOTICE_UNREADABLE,  /* N sectors at LBA turned out to be of STATE: TEXT.  Bad ones; at the
			     * end failed ones too, of PASS_DONE when all was tried */
	NOTICE_RESET,	    /* the drive was reset */
	NOTICE_GONE,	    /* it has left the bus; waited for, LIMIT_MS at most */
	NOTICE_DEAD,	    /* it does not read any more; brought back if possible */
	NOTICE_HELP,	    /* something was done to bring it back */
	NOTICE_BACK,	    /* it is there again */
	NOTICE_CAPACITY,    /* it has fewer sectors than it claims */
	NOTICE_MEDIUM,	    /* its medium may have been changed, and was compared */
	NOTICE_WRITTEN,	    /* another program writes to it, or has mounted it read-write */
	NOTICE_PROGRESS,    /* PROGRESS: about every 100 ms, and at the end */
	NOTICE_END,
};

/* The word for what happened to the drive as a whole ("gone", "back", "revive" …), the same in
 * journal and output; NULL for all other kinds. */
const char *capture_notice_word(enum capture_notice_kind kind);

struct capture_notice {
	enum capture_notice_kind kind;
	enum capture_pass pass;
	uint64_t lba, n;
	uint64_t bytes;
	uint64_t limit_ms;
	enum block_state state;
	const char *text; /* one sentence; NULL where the kind says it all */
	const struct capture_progress *progress;
};

struct capture_observer {
	/* Called from the capture's thread; what NOTICE points to is valid during the call. */
	void (*notice)(void *context, const struct capture_notice *notice);
	void *context;
};

#endif
