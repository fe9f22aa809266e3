/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said at the end of a capture. */
#ifndef UMS_CLI_SUMMARY_H
#define UMS_CLI_SUMMARY_H

#include "acquire/acquire.h"
#include "cli/cli.h"

/* RESULT in words on OUT.  DRIVE is the drive as the user named it, AGAIN the options that going on
 * wants, each with a space behind it. */
void summary_print(
	const struct acquire_result *result, const char *drive, const char *again, FILE *out);

/* The same as one JSON object; CODE is the exit code. */
void summary_print_json(const struct acquire_result *result, int code, FILE *out);

#endif
