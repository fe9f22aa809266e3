/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of a file that has no index of them, or whose index is not believed.  Not for what
 * they say: that is scan.h's.
 */
#ifndef UMS_IMAGE_FIND_H
#define UMS_IMAGE_FIND_H

#include <stddef.h>

#include "base/err.h"
#include "image/record.h"
#include "image/store.h"

/*
 * All records of the file from OFFSET on whose heads and payloads are right, in order, in *FOUND
 * (freed by the caller), *N of them.  Of records that lie over each other the first one counts, and
 * the next is looked for behind its end.  The file is read twice, however many false heads are in
 * it.  -1 and ERR when memory is out or the file cannot be read.
 */
int find_records(const struct store *store, uint64_t offset, struct record **found, size_t *n,
	struct err *err);

/* The offset of the last checkpoint of the file whose payload is right; 0 when there is none, or
 * when so many false ones stand behind it that the records tell more cheaply what it says. */
uint64_t find_last_checkpoint(const struct store *store);

#endif
