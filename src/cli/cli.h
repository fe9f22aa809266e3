/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands share: their table, their options, exit codes, and how they speak. */
#ifndef UMS_CLI_CLI_H
#define UMS_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "image/image.h"

/* Exit codes, the same for every subcommand. */
enum {
	EXIT_COMPLETE = 0,
	EXIT_USAGE = 1,
	EXIT_NOT_STARTED = 2, /* nothing was done */
	EXIT_UNREADABLE = 3,  /* all was tried; some sectors could not be read */
	EXIT_STOPPED = 4,     /* stopped early; what there is stays, and can be gone on with */
	EXIT_DAMAGED = 5,     /* the image is damaged */
	EXIT_WRITTEN_TO = 6,  /* as 0 or 3, but the drive was written to while it was read */
};

#define CLI_MAX_POSITIONAL 300
#define CLI_MAX_REPEATS	   32

/* An option that may be given several times. */
struct cli_repeats {
	const char *value[CLI_MAX_REPEATS];
	size_t n;
};

struct cli_option {
	const char *name;     /* without the dashes; NULL ends the table */
	const char *argument; /* "LBA", or NULL for a flag */
	const char *help;     /* lines after the first are put in line below it */
	size_t offset; /* in the subcommand's struct: bool, const char * or struct cli_repeats */
	bool repeats;
};

struct cli_command {
	const char *name;
	const char *synopsis; /* of the positional arguments: "DEVICE [IMAGE|-]" */
	const char *summary;
	const char *help; /* paragraphs below the options; may be NULL */
	const struct cli_option *options;
	size_t values_size; /* of the subcommand's struct */
	int min_positional, max_positional;
	int (*run)(const void *values, char **positional, int n_positional);
};

extern const struct cli_command command_cdb, command_usb, command_vendor;
extern const struct cli_command command_list, command_capture, command_seal, command_info,
	command_map, command_verify, command_export, command_completion, command_sim;

/* The table of subcommands, ending in NULL (main.c). */
extern const struct cli_command *const cli_commands[];

/* The command line that the program was started with, as a shell would take it; NULL before
 * cli_keep_command_line(), which main() calls, or when there was no memory for it. */
const char *cli_command_line(void);
void cli_keep_command_line(int argc, char **argv);

/* Parses ARGV (behind the subcommand's name) by its table and runs it. */
int cli_run(const struct cli_command *command, int argc, char **argv);

/* The --help of one subcommand. */
void cli_print_help(const struct cli_command *command, FILE *out);

/* TEXT as text_show() (base/text.h) has it: what is from outside goes to a terminal or a log this
 * way, once. */
void cli_put(FILE *out, const char *text);

/* "umsctl: capture: NAME: text" on standard error; NAME and TEXT as they came. */
void cli_error(const char *command, const char *name, const char *text);

/* A question of usage, in one line; what is put into FORMAT may be from outside.  Returns
 * EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Would what is printed go into the file at PATH, and destroy an image there? */
bool cli_is_stdout(const char *path);
#define CLI_STDOUT_IS_IMAGE "standard output would go into the image itself"

/* Opens an image for reading, or says why not and returns NULL; *CODE is what to exit with then. */
struct image *cli_open_image(const char *command, const char *path, int *code);

/*
 * One object on one line (NDJSON), or pretty; frees it.  -1 when OBJECT is NULL, because memory
 * ended while it was built (base/json.h): then this says so, and nothing goes to OUT.
 */
int cli_print_json(FILE *out, struct json_object *object, bool pretty);

/* A number that may be larger than json-c's int64. */
struct json_object *cli_json_u64(uint64_t value);

/* NS as milliseconds with three digits behind the point. */
struct json_object *cli_json_ms(uint64_t ns);

/* SHA-256 and the other digests of IMAGE's INFO as an object, or NULL when there is none, or when
 * memory is out. */
struct json_object *cli_json_digests(const struct image_info *info);

/* Digest number I ("sha256") as hex into OUT of 65 bytes; NULL when the image has none. */
const char *cli_digest_hex(const struct image_info *info, unsigned int i, char out[65]);

/* Columns of the terminal that standard error is. */
int cli_terminal_columns(void);

/* A simple bar for work on an image (reading back, verify, export) when standard error is a
 * terminal. */
struct cli_bar {
	const char *what;
	uint64_t shown_ns;
	bool shown;
};
void cli_bar_update(struct cli_bar *bar, uint64_t done_bytes, uint64_t all_bytes);
void cli_bar_end(struct cli_bar *bar);

#endif
