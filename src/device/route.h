/* SPDX-License-Identifier: BSD-2-Clause */
/* The route rule: never take what the kernel is using.  Decides only; nothing is opened here. */
#ifndef UMS_DEVICE_ROUTE_H
#define UMS_DEVICE_ROUTE_H

#include "base/err.h"
#include "device/device.h"
#include "device/name.h"

/* Sets route and why of a DRIVE of which all else is known. */
void route_explain(struct drive *drive);

/* The route that OPTIONS get to what NAMED is.  -1 and ERR, without the name, when they may not
 * have it. */
int route_choose(const struct named *named, const struct device_options *options, enum route *route,
	struct err *err);

#endif
