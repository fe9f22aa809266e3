/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transport that answers READ from an array, with faults at exactly chosen sectors and commands,
 * and counts what it is asked.  Its depth is 0: a test may set it.  For tests that must know every
 * reply; sim/ is the drive for all others.
 */
#ifndef UMS_TESTS_AID_FAKETRANSPORT_H
#define UMS_TESTS_AID_FAKETRANSPORT_H

#include <stdatomic.h>

#include "transport/transport.h"

/* What happens to a READ that touches a sector of a fault. */
enum fake_kind {
	FAKE_END = 0,	    /* ends a list of faults */
	FAKE_MEDIUM,	    /* MEDIUM ERROR, no LBA in the sense data */
	FAKE_MEDIUM_LBA,    /* … naming the first bad sector of the read, no data */
	FAKE_MEDIUM_DATA,   /* … naming it, with garbage where the sectors before it should be */
	FAKE_NAMES_FIRST,   /* … naming the first sector of the read, which may be good */
	FAKE_NAMES_LAST,    /* … naming the last */
	FAKE_NAMES_OUTSIDE, /* … naming a sector that was not asked for */
	FAKE_BLANK,	    /* BLANK CHECK */
	FAKE_POSITIONING,   /* HARDWARE ERROR, 15/00 random positioning error */
	FAKE_HARDWARE,	    /* HARDWARE ERROR, 44/00 internal target failure */
	FAKE_ABORTED,	    /* ABORTED COMMAND */
	FAKE_RANGE,	    /* ILLEGAL REQUEST, 21/00 LBA out of range */
	FAKE_TIMEOUT,
	FAKE_BROKEN,
	FAKE_GONE,	    /* leaves the bus */
	FAKE_HOST_EIO,	    /* the host's own read fails, as that of a plain file does */
	FAKE_SHORT,	    /* GOOD, but only the sectors before it come; it comes when first */
	FAKE_NOTHING,	    /* GOOD, but only the sectors before it come; never it */
	FAKE_RECOVERED,	    /* RECOVERED ERROR and all data */
	FAKE_RECOVERED_LBA, /* … naming the first such sector */
	FAKE_SLOW,	    /* takes 1.1 s */
};

struct fake_fault {
	enum fake_kind kind;
	uint64_t first, last;
	unsigned int times; /* READs that it happens to; 0: all */
};

/* What happens to the READ with this number (from 1), whatever it asks for. */
enum fake_event_kind {
	EVENT_NONE,
	EVENT_UNIT_ATTENTION, /* 29/00 reset */
	EVENT_MEDIUM_CHANGED, /* UNIT ATTENTION 28/00 */
	EVENT_BUSY,
	EVENT_VICTIM,	      /* ended by another's reset */
	EVENT_DEFERRED,	      /* deferred MEDIUM ERROR */
	EVENT_BECOMING_READY, /* … and where there is another medium, TEST UNIT READY hears of it */
	EVENT_STOP,	      /* sets *stop, and answers */
	/* and from this READ on: */
	EVENT_GONE,
	EVENT_NO_MEDIUM,
	EVENT_DEAD_TIMEOUT,
	EVENT_DEAD_MEDIUM,
	EVENT_ALWAYS_ATTENTION,
};

struct fake_event {
	enum fake_event_kind kind;
	unsigned int read;
};

#define FAKE_FAULTS_MOST 1300

struct faketransport {
	struct transport transport;
	const uint8_t *medium;
	const uint8_t *next_medium; /* put in with the next event, once; NULL: none */
	bool attention;		    /* 28/00 is the answer to the next command */
	uint64_t n_blocks;
	uint64_t claims; /* what it says to READ CAPACITY; 0: n_blocks */
	uint32_t block_bytes;
	const struct fake_fault *fault;
	size_t n_faults;
	struct fake_event event[8];
	atomic_bool *stop;
	unsigned int read_ms; /* that each READ takes, by the clock of the program */
	uint32_t largest;     /* sectors of a READ that it can send; 0: no limit */

	unsigned int happened[FAKE_FAULTS_MOST]; /* of each fault */
	unsigned int reads, failed_reads, refused;
	uint64_t lowest, highest; /* LBAs that READs touched */
	uint32_t resets;
};

/* MEDIUM and FAULTS (at most FAKE_FAULTS_MOST) are the caller's. */
void faketransport_init(struct faketransport *fake, const uint8_t *medium, uint64_t n_blocks,
	uint32_t block_bytes, const struct fake_fault *faults, size_t n_faults);

#endif
