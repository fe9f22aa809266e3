/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vendor commands as data: reading definitions (proto/vendor/README.md), finding those that fit a
 * drive, sending one, and understanding what it answers.
 *
 *	definition.h  what a definition is, once read
 *	read.c        lines and sections of a file        keys.c      each key's value
 *	scan.c        numbers, names, words of a value    argument.c  what a user may say
 *	pattern.c     bytes to be sent                    values.c    what a user has said
 *	field.c       fields and tables, their words      decode.c    … of an answer
 *	check.c       what only the whole file shows      library.c   all files together
 *	fit.c         does it fit the drive               run.c       sending it
 */
#ifndef UMS_VENDOR_VENDOR_H
#define UMS_VENDOR_VENDOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "device/device.h"
#include "vendor/definition.h"

/* --- the library --- */

struct library;

/* A mistake at LINE of FILE (0: of the file as a whole). */
typedef void vendor_complaint(void *context, const char *file, unsigned int line, const char *text);

/* The folders that are searched: UMSCTL_VENDOR_PATH or the usual ones, with colons, into OUT;
 * returns OUT. */
char *vendor_path(char *out, size_t room);

/*
 * Reads all *.conf files of the folders of PATH, and FILE (may be NULL) beside them.  Mistakes are
 * said to COMPLAIN (may be NULL); commands of a file that has one are there, but refused.  NULL and
 * ERR only when FILE cannot be read or memory is out; a folder that is not there is passed over.
 */
struct library *library_read(const char *path, const char *file, vendor_complaint *complain,
	void *context, struct err *err);

void library_free(struct library *library);

/* Definition number I of all, in the order of their names; NULL behind the last. */
const struct definition *library_definition(const struct library *library, size_t i);

/* The one called "FAMILY.NAME".  NULL and ERR (ERR_USAGE) when there is none, or it is refused. */
const struct definition *library_find(
	const struct library *library, const char *name, struct err *err);

/* --- a definition --- */

/* What holds for DEFINITION: its own or its family's. */
const struct fit *definition_ids(const struct definition *definition);
const struct fit *definition_inquiry(const struct definition *definition);
unsigned int definition_wires(const struct definition *definition);

/* "sunplus.status" into OUT; returns OUT. */
char *definition_name(const struct definition *definition, char *out, size_t room);

/* Does it fit DRIVE by USB ids and INQUIRY texts?  Nothing is sent. */
bool definition_fits(const struct definition *definition, const struct drive *drive);

/* True where DEFINITION, which fits the drive, knows better than a standard what CDB does: vendors'
 * operation codes, and the few standard ones that drives which it names use otherwise. */
bool definition_vouches(const struct definition *definition, const uint8_t *cdb, size_t len);

/* --- arguments --- */

struct argument_value {
	bool given;
	uint64_t number;
	uint8_t *bytes; /* the value's */
	size_t len;
};

/* Values for DEFINITION from N texts "NAME=VALUE"; defaults where nothing is said.  NULL and ERR
 * (ERR_USAGE) when one is unknown, given twice, out of its range or missing. */
struct argument_value *arguments_read(
	const struct definition *definition, char *const *text, size_t n, struct err *err);
void arguments_free(const struct definition *definition, struct argument_value *values);

/* --- the answer --- */

struct value {
	const struct item *item;
	const struct field *field; /* of the item, or of its table */
	size_t row;		   /* of a table, from 0 */
	bool missing;		   /* the answer ends before it */
	bool negative;
	unsigned __int128 number; /* of FIELD_NUMBER and FIELD_REGISTER, without its sign */
	const char *word;	  /* what the number means, or NULL */
	const char *text; /* escaped text, or hexadecimal digits, during the call; or NULL */
};

typedef void value_sink(void *context, const struct value *value);

/* Registers of an ATA command as SAT returns them in sense data (SAT-4 §12.2.2.6, §12.2.2.7). */
struct ata_registers {
	bool there;
	uint8_t error, device, status;
	uint16_t count;
	uint64_t lba;
};

/* Decodes LEN bytes of an answer by LAYOUT; returns how many fields are missing (of a table with as
 * many rows as there are: none). */
size_t layout_decode(const struct layout *layout, const uint8_t *data, size_t len,
	const struct ata_registers *registers, value_sink *sink, void *context);

struct ata_registers ata_registers_parse(const uint8_t *sense, size_t len);

/* --- sending --- */

struct run_options {
	bool force;		 /* commands that change or destroy */
	bool allow_mounted;	 /* … on a drive whose file systems are mounted */
	bool any_drive;		 /* … that it is not known to fit */
	unsigned int timeout_ms; /* for a step; 0: as the definition has it */
	const atomic_bool *stop; /* ends it between steps; may be NULL */

	/* Told of each step, sent or (dry) to be sent; DATA holds its answer. */
	void (*step)(void *context, const struct definition *definition, const struct step *step,
		const struct command *command, const struct reply *reply, uint64_t ns);
	value_sink *value;
	void *context;
};

/* What run() came to. */
struct run_result {
	struct reply reply; /* of the last step that was sent */
	bool sent;	    /* at least one step was */
	size_t missing;	    /* fields that the answers did not reach */
};

/*
 * Sends DEFINITION's steps to DEVICE: after it was seen to fit and its confirm command had the
 * expected answer, and when OPTIONS let it.  -1 and ERR when it may not be sent, or a step did not
 * end as it has to; RESULT says what the drive said.
 */
int vendor_run(struct device *device, const struct definition *definition,
	const struct argument_value *values, const struct run_options *options,
	struct run_result *result, struct err *err);

/* Shows what vendor_run() would send: OPTIONS' step is called with reply NULL. */
int vendor_dry_run(const struct definition *definition, const struct argument_value *values,
	const struct run_options *options, struct err *err);

/* May a command with EFFECT be sent to DRIVE?  -1 and ERR (ERR_USAGE) say which option is wanted;
 * KNOWN: a definition that fits the drive vouches for an effect that the CDB does not tell. */
int vendor_may_send(const struct drive *drive, enum scsi_effect effect, bool known, bool force,
	bool allow_mounted, struct err *err);

#endif
