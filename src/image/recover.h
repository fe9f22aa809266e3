/* SPDX-License-Identifier: BSD-2-Clause */
/* A sealed image whose checkpoints are damaged, opened to be gone on with. */
#ifndef UMS_IMAGE_RECOVER_H
#define UMS_IMAGE_RECOVER_H

#include "base/err.h"
#include "image/store.h"

/*
 * STORE was loaded for writing from its records, because a checkpoint is damaged.  If the file ends
 * with a seal, what its map, its references and the pages of its index say takes the place of that,
 * each as far as it can be read.  -1 and ERR only when memory is out.
 */
int recover_from_seal(struct store *store, struct err *err);

#endif
