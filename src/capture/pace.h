/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast READs that went well were lately, so that one that is much slower shows. */
#ifndef UMS_CAPTURE_PACE_H
#define UMS_CAPTURE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	double bytes, ns;
};

/* A READ of BYTES took TOOK_NS.  True when that was much slower than the ones before it, which it
 * then does not count among. */
bool pace_is_slow(struct pace *pace, uint64_t bytes, uint64_t took_ns);

#endif
