/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of sectors, in words and numbers that are the same everywhere (ums(5), "Sectors"):
 * each sector is in exactly one of the six states of the block map, so that all counts together are
 * the drive.  "good" does not hold "recovered"; "missing" is whatever is neither.
 */
#ifndef UMS_CLI_STATES_H
#define UMS_CLI_STATES_H

#include "base/json.h"
#include <stddef.h>

#include "base/blockmap.h"

/* "60 untried, 8 failed": how many sectors of MAP are in which of the states of MASK, those with
 * none left out; "none" when there are none at all.  Into OUT of ROOM bytes (200 is enough), which
 * it returns. */
char *states_text(const struct blockmap *map, unsigned int mask, char *out, size_t room);

/* An object with the number of sectors in each state; NULL when memory is out. */
struct json_object *states_json(const struct blockmap *map);

#endif
