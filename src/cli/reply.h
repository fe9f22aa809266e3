/* SPDX-License-Identifier: BSD-2-Clause */
/* One command and what became of it, as text and as JSON. */
#ifndef UMS_CLI_REPLY_H
#define UMS_CLI_REPLY_H

#include "cli/cli.h"
#include "scsi/scsi.h"

/* Exit codes of the commands that send one: sg3_utils' (scsi_reply_category), and of what went
 * wrong before anything was sent. */
enum {
	REPLY_EXIT_USAGE = 1,
	REPLY_EXIT_FILE = 15,
	REPLY_EXIT_NO_MEMORY = 62,
	REPLY_EXIT_MALFORMED = 97, /* the answer is not what it should be */
};
int reply_exit_of(const struct err *err);

/* "GOOD, 36 of 96 bytes, residue 60, 0.412 ms"; NS 0: no time. */
void reply_print_line(
	FILE *out, const struct command *command, const struct reply *reply, uint64_t ns);

/* Sense data in words and bytes; nothing when there is none. */
void reply_print_sense(FILE *out, const struct reply *reply);

/* Offset, bytes and characters, 16 a line; lines that repeat are one "*". */
void reply_print_dump(FILE *out, const uint8_t *data, size_t len);

/* "12 00 00 00 24 00" into OUT; returns OUT. */
char *reply_hex(const uint8_t *bytes, size_t len, char *out, size_t room);

/* CDB, direction, status, sense, residue, time, and data if WITH_DATA.  REPLY may be NULL: it was
 * not sent.  NULL when memory is out (base/json.h). */
struct json_object *reply_json(
	const struct command *command, const struct reply *reply, uint64_t ns, bool with_data);

#endif
