/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the reply to one READ means for the sectors it asked for.  Looks at the reply and at nothing
 * else: no I/O, no state, no decision what to read next.
 */
#ifndef UMS_CAPTURE_JUDGE_H
#define UMS_CAPTURE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "transport/transport.h"

enum verdict {
	VERDICT_GOOD,	   /* the first `n` sectors came and count */
	VERDICT_RECOVERED, /* all came; the drive had to correct some */
	VERDICT_MEDIUM,	   /* the drive says that it cannot read a sector of these */
	VERDICT_TROUBLE,   /* it failed, and that says nothing of the medium */
	VERDICT_AGAIN,	   /* not this command's fault: send it again, no try spent */
	VERDICT_NOT_READY, /* becoming ready: wait, then again */
	VERDICT_NOT_SENT,  /* refused on our side */
	VERDICT_NO_MEDIUM,
	VERDICT_GONE,
};

struct judged {
	enum verdict verdict;
	uint32_t n;		 /* GOOD, RECOVERED: sectors from the first on, at least 1 */
	bool named;		 /* MEDIUM, RECOVERED: the sense data names a sector of the range */
	uint64_t lba;		 /* … this one */
	bool slow;		 /* GOOD, RECOVERED: it took much longer than those before it;
				  * not judged by the reply, see pace.h */
	bool out_of_range;	 /* the drive says that it has no such LBA */
	bool by_sense;		 /* the drive itself said what is wrong, in sense data */
	struct block_reason why; /* of one failed read: tries is 1 */
};

/* Judges the REPLY to a READ of N sectors (of BLOCK_BYTES) at LBA. */
struct judged judge_read(const struct reply *reply, uint64_t lba, uint32_t n, uint32_t block_bytes);

/* True when the read failed, and again would be another try. */
static inline bool judged_failed(const struct judged *judged)
{
	return judged->verdict == VERDICT_MEDIUM || judged->verdict == VERDICT_TROUBLE;
}

#endif
