/* SPDX-License-Identifier: BSD-2-Clause */
/* The bad areas of a GNU ddrescue mapfile, as those of a simulated drive. */
#ifndef UMS_SIM_MAPFILE_H
#define UMS_SIM_MAPFILE_H

#include <stdint.h>

#include "base/err.h"
#include "sim/faults.h"

/*
 * Adds what the mapfile PATH says of a drive of SIZE_BYTES in sectors of BLOCK_BYTES: areas that
 * are bad there ('-'), not trimmed ('*') or not scraped ('/') cannot be read; untried ('?') and
 * finished
 * ('+') ones can.  A sector that is only partly in a bad area is bad.  -1 and ERR, which names the
 * file and the line, when it is no mapfile or says something of sectors that the drive has not.
 */
int mapfile_read(const char *path, uint64_t size_bytes, uint64_t block_bytes, struct faults *faults,
	struct err *err);

#endif
