/* SPDX-License-Identifier: BSD-2-Clause */
/* Images of some MB that are made to cost their reader minutes or gigabytes. */
#ifndef UMS_TESTS_AID_HOSTILE_H
#define UMS_TESTS_AID_HOSTILE_H

#include "tests/aid/forge.h"

struct hostile_image {
	const char *what;
	void (*build)(struct forged *file);
};

/* The last one has no name. */
extern const struct hostile_image hostile_images[];

#endif
