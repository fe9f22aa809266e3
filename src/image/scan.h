/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What checkpoints and single records say, for images that have no (valid) footer.  Everything is
 * held to the geometry and the file's size before it is taken.
 */
#ifndef UMS_IMAGE_SCAN_H
#define UMS_IMAGE_SCAN_H

#include "base/err.h"
#include "image/store.h"

/* N map entries at P, from the record at OFFSET, into the map. */
int scan_take_map(
	struct store *store, const uint8_t *p, uint64_t n, uint64_t offset, struct err *err);

/* N references at P. */
int scan_take_refs(struct store *store, const uint8_t *p, uint64_t n, struct err *err);

/* Takes the checkpoints from the first to the one at OFFSET; sets tail to its end.  -1 when one of
 * them is damaged, or they contradict each other: then call scan_reset. */
int scan_chain(struct store *store, uint64_t offset, struct err *err);

/* Forgets what was taken. */
int scan_reset(struct store *store, struct err *err);

/* Takes every valid record from OFFSET to the end of the file, over damaged places; sets tail to
 * the end of the last one. */
int scan_records(struct store *store, uint64_t offset, struct err *err);

#endif
