/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an export writes into: a new file, which appears only when it is complete (base/newfile.h),
 * or something that is there and is written in order as it stands: standard output, a pipe, a
 * character device.  Never the image itself, and no block device by its name.
 */
#ifndef UMS_CLI_TARGET_H
#define UMS_CLI_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/newfile.h"

struct target {
	const char *name; /* as the user gave it; NULL: none was asked for */
	bool is_new;
	struct newfile file; /* if it is */
	int fd;		     /* if not */
};

/*
 * Opens NAME ("-" is standard output) and changes nothing yet.  FORCE: a regular file of that name
 * is replaced.  -1 and ERR when it cannot be written to, or must not be, because it is the image at
 * path IMAGE or a block device.  NAME is kept.
 */
int target_open(
	struct target *target, const char *name, const char *image, bool force, struct err *err);

/* Do both end in the same file? */
bool target_is_same(const struct target *a, const struct target *b);

/* A block device (behind standard output) has a size: -1 and ERR when SIZE bytes do not fit behind
 * where it stands. */
int target_has_room(const struct target *target, uint64_t size, struct err *err);

/* Is it an empty regular file of our own, which may have holes? */
bool target_is_new(const struct target *target);

int target_fd(const struct target *target);

/* All was written: makes it durable where that can be, and gives it its name.  -1 and ERR when that
 * failed.  Closes it either way. */
int target_finish(struct target *target, struct err *err);

/* Closes it, and leaves no new file.  Does nothing to a target that was never opened. */
void target_abandon(struct target *target);

#endif
