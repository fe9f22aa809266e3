/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's command for a drive that does not answer any more: a relay, a hub's port power. */
#ifndef UMS_CLI_STUCK_H
#define UMS_CLI_STUCK_H

#include "device/device.h"

/* Runs COMMAND with the shell and waits for it, at most two minutes (it is killed then).  In its
 * environment: UMSCTL_DEVICE, UMSCTL_PORT ("1-2.3"), UMSCTL_SERIAL, UMSCTL_ID ("0bc2:331a").  What
 * it prints goes to standard error.  Says on standard error when it fails. */
void stuck_run(const char *command, const struct device *device);

#endif
