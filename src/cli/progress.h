/* SPDX-License-Identifier: BSD-2-Clause */
/* How a capture shows that it goes on: a bar on a terminal, now and then a line elsewhere, or
 * NDJSON. */
#ifndef UMS_CLI_PROGRESS_H
#define UMS_CLI_PROGRESS_H

#include "capture/capture.h"
#include "cli/cli.h"

struct progress_view {
	FILE *json; /* NDJSON goes there; NULL: text on standard error */
	bool quiet;
	bool terminal; /* standard error is one */
	uint32_t block_bytes;
	uint64_t shown_ns;
	bool bar_shown;
	const char *on_stuck; /* the user's command for a stuck drive; NULL: none */
};

void progress_view_init(struct progress_view *view, FILE *json, bool quiet, uint32_t block_bytes);

/* An observer (capture.h) that shows what it is told on VIEW. */
struct capture_observer progress_view_observer(struct progress_view *view);

/* Takes the bar off the terminal. */
void progress_view_end(struct progress_view *view);

/* One sentence, above the bar. */
void progress_view_say(struct progress_view *view, const char *text);

#endif
