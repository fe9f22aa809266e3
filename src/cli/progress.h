/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a capture shows that it goes on: a bar on a terminal, now and then a line elsewhere, or
 * NDJSON.  A thread of its own redraws it every second, so that it moves and says what it waits for
 * while the drive hangs.
 */
#ifndef UMS_CLI_PROGRESS_H
#define UMS_CLI_PROGRESS_H

#include "acquire/acquire.h"
#include "cli/cli.h"

struct progress_view;

/* NDJSON goes to JSON; NULL: text goes to standard error, or with QUIET nothing.  NULL and ERR when
 * there is no memory or no thread. */
struct progress_view *progress_view_new(FILE *json, bool quiet, struct err *err);

/* Takes the bar off the terminal, and ends.  NULL is allowed. */
void progress_view_free(struct progress_view *view);

/* An observer that shows what it is told on VIEW. */
struct acquire_observer progress_view_observer(struct progress_view *view);

/* How long it took and how fast it was, when something was read. */
void progress_view_finish(struct progress_view *view, const struct acquire_result *result);

#endif
