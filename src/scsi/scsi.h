/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CDB says: building the commands that a capture needs and understanding their answers.
 * Clauses are of SPC-5, SBC-4 and SAT-4.  Answers are the drive's word and checked here.
 */
#ifndef UMS_SCSI_SCSI_H
#define UMS_SCSI_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"
#include "transport/transport.h"

/* --- sense data, fixed and descriptor form (SPC-5 §4.4) --- */

struct sense {
	bool present;  /* there was sense data that could be read */
	bool deferred; /* speaks of an earlier command */
	uint8_t key;   /* sense key, 0 … 15 */
	uint8_t asc;
	uint8_t ascq;
	bool information_valid;
	uint64_t information; /* for a READ: LBA of the first block in error */
};

enum {
	SENSE_NO_SENSE = 0x0,
	SENSE_RECOVERED_ERROR = 0x1,
	SENSE_NOT_READY = 0x2,
	SENSE_MEDIUM_ERROR = 0x3,
	SENSE_HARDWARE_ERROR = 0x4,
	SENSE_ILLEGAL_REQUEST = 0x5,
	SENSE_UNIT_ATTENTION = 0x6,
	SENSE_DATA_PROTECT = 0x7,
	SENSE_BLANK_CHECK = 0x8,
	SENSE_ABORTED_COMMAND = 0xb,
};

/* Never fails: what cannot be read is not present. */
struct sense sense_parse(const uint8_t *sense, size_t len);

/* One line of words for status and sense ("MEDIUM ERROR: Unrecovered read error [3/11/00]"), from
 * libsgutils2's tables, into OUT; returns OUT. */
char *scsi_reply_text(const struct reply *reply, char *out, size_t room);

#define SCSI_REASON_TEXT 200 /* room that is enough for scsi_reason_text() */

/* One line of words for why sectors are not good: status and sense as the drive said them, else how
 * the READ ended; empty when nothing failed.  Into OUT; returns OUT. */
char *scsi_reason_text(const struct block_reason *why, char *out, size_t room);

/* What sg3_utils' programs exit with after such a reply: 0 good, 2 not ready, 3 medium error, 5
 * illegal request, 6 unit attention, 9 invalid operation code, 33 timed out … (sg_lib.h). */
int scsi_reply_category(const struct reply *reply);

/* --- commands --- */

/*
 * Carries a command, again (up to 5 times) after UNIT ATTENTION, BUSY, TASK SET FULL, an abort by
 * another's reset, or an exchange that broke.  Returns 0 when the device answered (look at
 * reply->status), -1 otherwise.
 */
int scsi_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err);

struct inquiry {
	uint8_t device_type; /* peripheral device type, 0 = direct access */
	uint8_t qualifier;   /* peripheral qualifier, 0 = connected */
	bool removable;
	uint8_t version;	/* 0x05 = SPC-3, … */
	char vendor[9 * 4 + 1]; /* escaped, trailing spaces cut */
	char product[17 * 4 + 1];
	char revision[5 * 4 + 1];
	uint8_t raw[36];
	size_t raw_len;
};

/* INQUIRY of exactly 36 bytes (SPC-5 §6.7), as Linux and Windows ask. */
int scsi_inquiry(struct transport *transport, struct inquiry *inquiry, struct err *err);

/* Waits until TEST UNIT READY is good: over unit attentions and "becoming ready", at most until
 * DEADLINE.  ERR_NO_MEDIUM when the drive says so (SPC-5 §6.50; ASC 3A). */
int scsi_wait_ready(struct transport *transport, struct deadline deadline, struct err *err);

struct capacity {
	uint64_t n_blocks;
	uint32_t block_bytes;
	uint8_t raw10[8]; /* READ CAPACITY (10) as it came */
	size_t raw10_len;
	uint8_t raw16[32]; /* READ CAPACITY (16), if it was asked */
	size_t raw16_len;
};

/*
 * READ CAPACITY (10), and (16) only when the drive is too large for (10) (SBC-4 §5.15, §5.16).
 * A capacity that is one too large is found by reading the last block: ILLEGAL REQUEST there and a
 * good block before it make it one less (*CORRECTED, may be NULL, says so).
 */
int scsi_capacity(
	struct transport *transport, struct capacity *capacity, bool *corrected, struct err *err);

/* READ (10), or (16) past 2 TiB, of N blocks into DATA (N × block_bytes bytes).  One exchange, no
 * retry: what it says is in REPLY.  Returns as transport_exec. */
int scsi_read(struct transport *transport, uint64_t lba, uint32_t n, uint32_t block_bytes,
	void *data, struct deadline deadline, struct reply *reply, struct err *err);

/* What the drive says of itself, piece by piece: NAME ("inquiry", "vpd-80", "capacity-10",
 * "mode-6-3f", …) and raw bytes that are valid during the call.  Returns 0 to go on. */
struct testimony {
	int (*put)(void *context, const char *name, const void *bytes, size_t len, struct err *err);
	void *context;
};

/*
 * Asks what Linux and Windows ask every stick, in the same form; VPD pages only when the drive
 * claims SPC-3 or later, the rest only when it claims to support them.  What the drive refuses is
 * left out. -1 only when TAKE failed or the drive is gone.
 */
int scsi_testify(struct transport *transport, const struct testimony *testimony, struct err *err);

/* The unit serial number (VPD page 80h) escaped into OUT; empty when the drive has none or is too
 * old to be asked (below SPC-3). */
char *scsi_unit_serial(
	struct transport *transport, const struct inquiry *inquiry, char *out, size_t room);

#endif
