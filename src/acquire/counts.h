/* SPDX-License-Identifier: BSD-2-Clause */
/* Sectors by their state. */
#ifndef UMS_ACQUIRE_COUNTS_H
#define UMS_ACQUIRE_COUNTS_H

#include "acquire/acquire.h"

/* Counts the sectors of MAP from BEGIN up to END (LBAs). */
void counts_read(
	struct acquire_counts *counts, const struct blockmap *map, uint64_t begin, uint64_t end);

#endif
