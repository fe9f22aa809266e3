/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form of a transcript: text, one line a command, written by record.c and read by replay.c.
 *
 *	umsctl-transcript 1
 *	device 1209:0001 by route bot
 *	limits transfer=122880 cdb=16 depth=1
 *	cdb=120000002400 dir=in len=36 outcome=done status=00 moved=36 epoch=0 us=214 sense=
 *data=0080…
 *
 * Data is hex; "-" where it was left out (READ without --record-data), which is replayed as zeros.
 * Lines that begin with # are comments.  man/ums-transcript.5 says it all.
 */
#ifndef UMS_TRANSPORT_TRANSCRIPT_H
#define UMS_TRANSPORT_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "transport/transport.h"

#define TRANSCRIPT_HEAD "umsctl-transcript 1"

/* One command and what came of it. */
struct transcript_entry {
	uint8_t cdb[TRANSPORT_CDB_MAX];
	size_t cdb_len;
	enum transfer_direction direction;
	size_t data_len;
	struct reply reply;
	uint8_t *data; /* reply.moved bytes of an IN transfer, the entry's; NULL: left out */
};

/* The words for outcomes. */
#define TRANSCRIPT_OUTCOMES (OUTCOME_HOST_ERROR + 1)
extern const char *const transcript_outcome[TRANSCRIPT_OUTCOMES];

/* Takes LINE (without its end) to its parts.  -1 and ERR, with nothing to free, when it is none. */
int transcript_parse(char *line, struct transcript_entry *entry, struct err *err);

#endif
