/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines that an acquisition writes into the image's journal about itself: who captured what,
 * with which command, and how it ended.  The passes write their own (capture/journal.h). */
#ifndef UMS_ACQUIRE_SESSION_H
#define UMS_ACQUIRE_SESSION_H

#include "acquire/acquire.h"

struct capture_sink;

/* A session begins with DEVICE: host, user, command line, identity of the drive. */
int session_put_begin(struct capture_sink *sink, const struct acquire_options *options,
	const struct device *device, const struct acquire_result *result, struct err *err);

/* The user's notes. */
int session_put_notes(
	struct capture_sink *sink, const struct acquire_options *options, struct err *err);

/* Sectors that the image had were damaged in it, and are read again. */
int session_put_damage(struct capture_sink *sink, uint64_t sectors, struct err *err);

/* How the session ended: what was sent to the drive, the state of its sectors, digests where they
 * are known.  FAILURE (may be NULL) is why it failed. */
int session_put_end(struct capture_sink *sink, const struct device *device,
	const struct acquire_result *result, const char *failure, struct err *err);

#endif
