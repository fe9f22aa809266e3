/* SPDX-License-Identifier: BSD-2-Clause */
/* What a simulated drive's sectors hold: computed, from a file, or the demo's file system. */
#ifndef UMS_SIM_MEDIUM_H
#define UMS_SIM_MEDIUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sim/settings.h"

struct medium;

/* The medium that SETTINGS describe; their size_bytes, if 0, becomes the file's. */
struct medium *medium_open(struct sim_settings *settings, struct err *err);

/* LEN bytes from OFFSET, all inside the medium.  -1 when its file cannot be read. */
int medium_read(struct medium *medium, uint64_t offset, void *out, size_t len);

/* NULL is allowed. */
void medium_close(struct medium *medium);

#endif
