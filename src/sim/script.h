/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The script of a drive's misdeeds on the wire: which rule of its transport it breaks, at which
 * command, how often.  Only says what happens: bot_device.c and uas_device.c do it.  (Faults of the
 * medium are faults.h's.)
 *
 * In text, as the setting "fault=MISDEED[=N][:cmd=N|:lba=AREA|:op=HH][:times=N|:always]".  Without
 * a place it is the next command; without a number of times it is once.
 */
#ifndef UMS_SIM_SCRIPT_H
#define UMS_SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The order is that of the table in script.c. */
enum misdeed {
	MISDEED_NONE,

	/* --- Bulk-Only: the thirteen cases of BBB §6.7; what the device does instead of what the
	 * host has announced.  Case 1, 6 and 12 are agreement. --- */
	MISDEED_CASE_2,	 /* Hn < Di: it has data, the host wants none */
	MISDEED_CASE_3,	 /* Hn < Do */
	MISDEED_CASE_4,	 /* Hi > Dn: it has none */
	MISDEED_CASE_5,	 /* Hi > Di: it has less */
	MISDEED_CASE_7,	 /* Hi < Di: it has more */
	MISDEED_CASE_8,	 /* Hi <> Do: it wants data */
	MISDEED_CASE_9,	 /* Ho > Dn */
	MISDEED_CASE_10, /* Ho <> Di */
	MISDEED_CASE_11, /* Ho > Do */
	MISDEED_CASE_13, /* Ho < Do */

	/* --- Bulk-Only: stalls --- */
	MISDEED_STALL_CBW, /* instead of taking the CBW */
	MISDEED_STALL_BEFORE_DATA,
	MISDEED_STALL_IN_DATA,	  /* half way */
	MISDEED_STALL_AFTER_DATA, /* instead of the CSW, once: the CSW comes when it is cleared */
	MISDEED_STALL_CSW_TWICE,

	/* --- Bulk-Only: the CSW --- */
	MISDEED_CSW_SIGNATURE,
	MISDEED_CSW_TAG,
	MISDEED_CSW_STATUS,  /* a reserved value */
	MISDEED_CSW_SHORT,   /* 12 bytes */
	MISDEED_CSW_LONG,    /* 14 bytes */
	MISDEED_CSW_GARBAGE, /* 13 bytes of noise */
	MISDEED_CSW_EMPTY,   /* a packet of no bytes, then the CSW */
	MISDEED_CSW_LATE,    /* N milliseconds */
	MISDEED_CSW_MISSING, /* never, until a reset */
	MISDEED_NO_DATA,     /* the CSW at once, where data should be; status passed, residue 0 */
	MISDEED_PHASE_ERROR,
	MISDEED_RESIDUE,      /* all has come, and it says that half has not */
	MISDEED_RESIDUE_HUGE, /* more than was asked for */

	/* --- UAS --- */
	MISDEED_UAS_TAG,	/* sense IU with a tag that nobody has given */
	MISDEED_UAS_OTHER_TAG,	/* … with that of another command under way */
	MISDEED_UAS_ID,		/* an IU of an unknown id */
	MISDEED_UAS_SHORT,	/* sense IU cut to 8 bytes */
	MISDEED_UAS_LENGTH,	/* sense IU whose length field lies */
	MISDEED_UAS_GARBAGE,	/* noise on the status pipe */
	MISDEED_UAS_RESPONSE,	/* response IU with the code N where sense should be */
	MISDEED_UAS_NO_SENSE,	/* data, but no sense IU, until a reset or an abort */
	MISDEED_UAS_NO_READY,	/* no READ READY (without streams) */
	MISDEED_UAS_NO_DATA,	/* sense IU GOOD, but no data */
	MISDEED_UAS_SHORT_DATA, /* … half of it */
	MISDEED_UAS_DATA_LATE,	/* N milliseconds, though it is READY */
	MISDEED_UAS_TWICE,	/* the sense IU twice */
	MISDEED_UAS_STALL_COMMAND,
	MISDEED_UAS_STALL_STATUS,
	MISDEED_UAS_STALL_DATA,
	MISDEED_UAS_NO_ABORT, /* hangs, and ABORT TASK fails: a LOGICAL UNIT RESET is needed */
	MISDEED_UAS_NO_RESET, /* … that fails as well: a port reset is needed */

	/* --- both --- */
	MISDEED_HANG,	/* this command is never answered, until a reset (UAS: or an abort) */
	MISDEED_DEAF,	/* nor is anything else, until a port reset */
	MISDEED_DEAD,	/* not even then */
	MISDEED_DROP,	/* leaves the bus, and comes back N milliseconds later (0: never) */
	MISDEED_SHRINK, /* from now on READ CAPACITY says half, with UNIT ATTENTION 2A/09 */
	MISDEEDS
};

struct script_line {
	enum misdeed misdeed;
	uint64_t number; /* N of those that take one */
	enum script_place { SCRIPT_NEXT, SCRIPT_COMMAND, SCRIPT_LBA, SCRIPT_OPCODE } place;
	uint64_t first, last; /* command number from 1 (first), LBAs, or opcode (first) */
	uint64_t times;	      /* left; UINT64_MAX: always */
};

struct script {
	struct script_line *line; /* in the order given; the first that fits is the one */
	size_t n, room;
	uint64_t commands; /* so far, without REQUEST SENSE */
};

/* Adds the line TEXT (behind "fault="). */
int script_add(struct script *script, const char *text, struct err *err);

/* A command has come: its CDB, and for a READ its blocks (N > 0).  Returns the line that it meets,
 * whose times are one less then, or NULL.  UAS says which misdeeds can be done. */
const struct script_line *script_meet(
	struct script *script, bool uas, const uint8_t *cdb, uint64_t lba, uint64_t n);

/* The highest LBA that any line names; 0 when there is none. */
uint64_t script_highest(const struct script *script);

/* "csw-tag", …; what the number behind it is ("MS"), "" when it takes none; what it is in words. */
const char *misdeed_name(enum misdeed misdeed);
const char *misdeed_number(enum misdeed misdeed);
const char *misdeed_about(enum misdeed misdeed);

/* Can it be done over Bulk-Only, over UAS? */
bool misdeed_fits(enum misdeed misdeed, bool uas);

void script_free(struct script *script);

#endif
