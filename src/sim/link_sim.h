/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated USB device as a link (usb/link.h), in this process. */
#ifndef UMS_SIM_LINK_SIM_H
#define UMS_SIM_LINK_SIM_H

#include "base/err.h"
#include "sim/usb_device.h"
#include "usb/link.h"

/* DEVICE is the link's from then on.  NULL and ERR when memory is out; DEVICE is freed then. */
struct link *link_sim_new(struct usb_device *device, struct err *err);

#endif
