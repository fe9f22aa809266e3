/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of an image opened for reading, for the other files of this room. */
#ifndef UMS_IMAGE_READER_H
#define UMS_IMAGE_READER_H

#include "image/store.h"

struct image {
	struct store store;
};

/* Reads as image_salvage(), or as image_read() where LOSE is NULL; up to the end of the last
 * sector. */
int reader_read(struct image *image, uint64_t offset, size_t len, void *data, image_lose *lose,
	void *context, struct err *err);

/* The same of sectors LBA … END-1, which are in no record: zeros, unless the map calls one good. */
int reader_check_unrecorded(struct image *image, uint64_t lba, uint64_t end, image_lose *lose,
	void *context, struct err *err);

#endif
