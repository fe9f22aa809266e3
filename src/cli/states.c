/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of sectors, in words and numbers: see states.h. */
#include "cli/states.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

char *states_text(const struct blockmap *map, unsigned int mask, char *out, size_t room)
{
	size_t n = 0;

	snprintf(out, room, "none");
	for (unsigned int s = 0; s < BLOCK_STATES; s++) {
		uint64_t count = blockmap_count(map, mask & BLOCK_MASK(s));

		if (count > 0 && n < room)
			n += (size_t)snprintf(out + n, room - n, "%s%" PRIu64 " %s",
				n > 0 ? ", " : "", count, block_state_name(s));
	}
	return out;
}

struct json_object *states_json(const struct blockmap *map)
{
	struct json_object *states = json_object_new_object();

	for (unsigned int s = 0; s < BLOCK_STATES; s++)
		json_add(&states, block_state_name(s),
			json_object_new_uint64(blockmap_count(map, BLOCK_MASK(s))));
	return states;
}
