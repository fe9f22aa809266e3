/* SPDX-License-Identifier: BSD-2-Clause */
/* The UDIF trailer, by which hdiutil, QEMU, dmg2img and 7-Zip read an image as a `.dmg`. */
#ifndef UMS_IMAGE_UDIF_H
#define UMS_IMAGE_UDIF_H

#include "base/err.h"
#include "image/out.h"
#include "image/store.h"

/* Appends property list and `koly` to OUT, whose tail is then the end of the data fork.  STORE's
 * index is in memory, its records do not lie over each other, its sector size is a multiple of 512.
 */
int udif_write(struct store *store, struct out *out, struct err *err);

#endif
