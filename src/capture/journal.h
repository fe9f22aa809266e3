/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened in the passes of a capture, as lines of the image's journal: one JSON object each.
 * An observer, so it cannot stop the capture: when the sink does not take a line, the sink fails at
 * the next call by itself, and when memory has ended, journal_end() says so.
 *
 * The number of lines about bad areas and about resets is bounded, so that a drive with millions of
 * them does not fill the image; the map has every bad sector.  What happened to the drive as a
 * whole (gone, back, dead, helped) is always written down.
 */
#ifndef UMS_CAPTURE_JOURNAL_H
#define UMS_CAPTURE_JOURNAL_H

#include "capture/source.h"

struct journal {
	const struct source *source;
	enum capture_pass pass;
	unsigned int error_lines, reset_lines; /* in this session */
	bool left_out;			       /* some had no room */

	bool failed;
	struct err err;
};

struct capture_observer journal_begin(struct journal *journal, const struct source *source);

/* Says when lines were left out.  -1 and ERR when a line of this session could not be written. */
int journal_end(struct journal *journal, struct err *err);

#endif
