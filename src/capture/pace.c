/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast READs were lately: see pace.h. */
#include "capture/pace.h"

#define SLOW_NS	    1e9
#define SLOW_FACTOR 10
#define SPAN_NS	    10e9

bool pace_is_slow(struct pace *pace, uint64_t bytes, uint64_t took_ns)
{
	double b = (double)bytes, ns = (double)took_ns;

	if (bytes == 0)
		return false;
	if (ns > SLOW_NS && pace->ns > 0 && b * pace->ns * SLOW_FACTOR < pace->bytes * ns)
		return true;
	pace->bytes += b;
	pace->ns += ns;
	if (pace->ns > SPAN_NS) {
		pace->bytes /= 2;
		pace->ns /= 2;
	}
	return false;
}
