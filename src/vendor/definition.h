/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vendor command definition, as read from a file (proto/vendor/README.md has the grammar).  All
 * of it belongs to the library that it was read into and stays as long as that.
 */
#ifndef UMS_VENDOR_DEFINITION_H
#define UMS_VENDOR_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scsi/effect.h"
#include "transport/transport.h"

#define VENDOR_NAME_MAX	 32	    /* with its NUL */
#define VENDOR_DATA_MAX	 (1u << 20) /* bytes of one step, either way */
#define VENDOR_WIRE_BOT	 1u
#define VENDOR_WIRE_UAS	 2u
#define VENDOR_FIELD_END SIZE_MAX /* "*": as far as the answer goes */

/* --- arguments --- */

enum argument_type { ARGUMENT_NUMBER, ARGUMENT_CHOICE, ARGUMENT_BYTES };

struct choice {
	const char *word;
	uint64_t number;
};

struct argument {
	const char *name;
	unsigned int line;
	enum argument_type type;
	uint64_t min, max; /* number, of CHOICE the smallest and largest; BYTES: how many */
	bool optional;	   /* has a default */
	uint64_t standard; /* the default */
	struct choice *choice;
	size_t n_choices;
	const char *about; /* "" when nothing is said */
	bool used;
};

/* --- templates --- */

enum term_kind { TERM_NUMBER, TERM_ARGUMENT, TERM_IN, TERM_OUT };

struct term {
	enum term_kind kind;
	uint64_t number;
	const char *name; /* ARGUMENT */
	size_t argument;  /* its index in the command's */
	int shift;	  /* > 0: <<, < 0: >> */
	uint64_t mask;
};

struct expression {
	struct term *term;
	size_t n;
};

enum piece_kind { PIECE_BYTES, PIECE_NUMBER, PIECE_ARGUMENT };

struct piece {
	enum piece_kind kind;
	const uint8_t *bytes; /* BYTES */
	size_t len;	      /* BYTES, NUMBER */
	bool little;	      /* NUMBER */
	struct expression expression;
	const char *name; /* ARGUMENT */
	size_t argument;
	unsigned int line;
};

struct pattern {
	struct piece *piece;
	size_t n;
	size_t min, max; /* its length in bytes */
	unsigned int line;
	const char *text; /* as it was written */
};

/* --- answers --- */

struct match {
	size_t offset;
	const uint8_t *bytes;
	size_t len;
};

struct word {
	uint64_t number;
	const char *text;
};

enum field_type { FIELD_NUMBER, FIELD_ASCII, FIELD_ATA_TEXT, FIELD_HEX, FIELD_REGISTER };

enum ata_register { ATA_ERROR, ATA_COUNT, ATA_LBA, ATA_DEVICE, ATA_STATUS };

struct field {
	const char *name;
	unsigned int line;
	enum field_type type;
	size_t offset;
	size_t len; /* bytes, or VENDOR_FIELD_END */
	bool little, is_signed, has_bits;
	unsigned int high, low;
	enum ata_register ata;
	uint64_t times; /* 1: as it is */
	uint64_t minus;
	const char *unit; /* "" when there is none */
	struct word *word;
	size_t n_words;
};

struct table {
	size_t offset;
	size_t count;		      /* VENDOR_FIELD_END: as many as there are */
	size_t size;		      /* of a row; at least, when SIZE_LEN > 0 */
	size_t size_offset, size_len; /* … and the number in it that says how many more */
	bool size_little;
	struct match unless; /* LEN 0: none */
};

/* A field by itself, or a table and its fields. */
struct item {
	const char *name;
	unsigned int line;
	bool is_table;
	struct field field;
	struct table table;
	struct field *column;
	size_t n_columns;
};

struct layout {
	const char *name; /* "" for a step's own */
	const char *file;
	unsigned int line;
	struct item *item;
	size_t n;
	size_t length_offset, length_len; /* the number that says how long it is; LEN 0: none */
	bool length_little;
	uint64_t length_plus;
};

/* --- commands --- */

struct step {
	unsigned int line; /* of its cdb */
	struct pattern cdb, out;
	struct expression in;
	unsigned int in_line;
	const char *in_text;
	size_t in_max;
	enum transfer_direction direction;
	enum { STEP_GOOD, STEP_CHECK, STEP_ANY } status;
	bool has_sense;
	uint8_t key, asc, ascq;
	struct match *expect;
	size_t n_expects;
	struct match until; /* LEN 0: sent once */
	uint64_t every_ms, tries, delay_ms, timeout_s;
	const char *layout_name; /* NULL: none */
	unsigned int layout_line;
	const struct layout *shared;
	struct layout own;
};

/* Which drives something fits; a member that is not given counts as fitting. */
struct drive_id {
	bool any, any_pid;
	uint16_t vid, pid, first_bcd, last_bcd;
};

struct fit {
	struct drive_id *id;
	size_t n_ids;
	const char *vendor, *product; /* patterns, NULL: not said */
	unsigned int wires;	      /* VENDOR_WIRE_…; 0: not said */
	const char *confirm;	      /* NULL: not said; "none" */
	unsigned int confirm_line;
};

struct family;

struct definition {
	const struct family *family;
	const char *name; /* without the family's */
	unsigned int line;
	const char *about, *source;
	bool has_safety;
	enum scsi_effect safety;
	struct fit fit;
	bool atomic, redirects;
	struct argument *argument;
	size_t n_arguments;
	struct step *step;
	size_t n_steps;
	struct step *finally;
	size_t n_finally;
	const struct definition *confirm; /* NULL: none */
	bool refused;			  /* its file has mistakes, or another has its name */
};

struct family {
	const char *name, *title, *source;
	const char *file;
	unsigned int line;
	struct fit fit;
	struct definition *definition;
	size_t n;
	struct layout *layout;
	size_t n_layouts;
};

#endif
