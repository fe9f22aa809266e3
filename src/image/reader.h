/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of an image opened for reading, for the other files of this room. */
#ifndef UMS_IMAGE_READER_H
#define UMS_IMAGE_READER_H

#include "image/store.h"

struct image {
	struct store store;
};

#endif
