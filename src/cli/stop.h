/* SPDX-License-Identifier: BSD-2-Clause */
/* Ctrl-C and its like as a flag.  The signals are blocked in every thread that does I/O, because an
 * interrupted SG_IO orphans its command; one thread of its own waits for them. */
#ifndef UMS_CLI_STOP_H
#define UMS_CLI_STOP_H

#include <stdatomic.h>

#include "base/err.h"

/* Before other threads are started.  The flag becomes true at SIGINT, SIGTERM or SIGHUP; a second
 * SIGINT says that the end is near. */
const atomic_bool *stop_on_signals(struct err *err);

#endif
