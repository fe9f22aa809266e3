/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of vendor command sets: see vendor.h. */
#include "sim/vendor.h"

#include <string.h>

static const struct vendor_set *const sets[] = {NULL};

const struct vendor_set *vendor_set(unsigned int i)
{
	return i < sizeof(sets) / sizeof(sets[0]) ? sets[i] : NULL;
}

const struct vendor_set *vendor_set_find(const char *name)
{
	for (unsigned int i = 0; vendor_set(i); i++) {
		if (strcmp(vendor_set(i)->name, name) == 0)
			return vendor_set(i);
	}
	return NULL;
}
