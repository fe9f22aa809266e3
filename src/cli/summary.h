/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said at the end of a capture. */
#ifndef UMS_CLI_SUMMARY_H
#define UMS_CLI_SUMMARY_H

#include "cli/cli.h"

struct summary {
	const char *device, *image; /* names */
	const char *options;	    /* that going on wants, each with a space behind it */
	int code;		    /* EXIT_… */
	bool untouched;		    /* there was nothing to do */
	struct image_info info;
	/* Sectors of the part asked for. */
	uint64_t good, recovered, unreadable, missing, areas;
};

void summary_print(const struct summary *summary, bool json, bool quiet, FILE *out);

#endif
