/* SPDX-License-Identifier: BSD-2-Clause */
/* Failed reads down to single sectors, and bad sectors once more. */
#ifndef UMS_CAPTURE_ISOLATE_H
#define UMS_CAPTURE_ISOLATE_H

#include "capture/reading.h"

/* Every failed range of the part asked for: PASS_ISOLATE. */
int pass_isolate(struct reading *r);

/* Bad and failed sectors as often as the options say: PASS_RETRY. */
int pass_retry(struct reading *r);

/* Tells good and bad sectors of N at LBA apart; FIRST is how a READ over all of them failed. */
int isolate_span(struct reading *r, uint64_t lba, uint32_t n, const struct judged *first);

#endif
