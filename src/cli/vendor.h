/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `umsctl vendor` share. */
#ifndef UMS_CLI_VENDOR_H
#define UMS_CLI_VENDOR_H

#include "cli/cli.h"
#include "cli/drive.h"
#include "vendor/vendor.h"

struct vendor_values {
	struct drive_values drive;
	bool dry_run, json, hex, raw, force, allow_mounted, any_drive;
};

/* All definitions, FILE's (may be NULL) beside them; says which files have mistakes.  NULL when
 * there is no memory, or FILE cannot be read. */
struct library *vendor_library(const char *file);

int vendor_list(const struct vendor_values *values, const char *device);
int vendor_show(const struct vendor_values *values, const char *name);
int vendor_check(const char *file);
int vendor_send(const struct vendor_values *values, const char *device, const char *name,
	char *const *arguments, size_t n);

/* --- decoded values --- */

/* Values as they come, to be shown when all are there. */
struct shown {
	struct shown_value {
		const struct item *item;
		const struct field *field;
		size_t row;
		char *text;
	} * value;
	size_t n, room;
	size_t n_taken;		  /* also those that there was no memory for */
	struct json_object *json; /* an object; NULL when there was no memory (base/json.h) */
	bool no_memory;
};

value_sink shown_take; /* its context is a struct shown */

/* -1 when there was no memory to show all of it, which this says. */
int shown_print(const struct shown *shown);
void shown_free(struct shown *shown);

#endif
