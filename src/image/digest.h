/* SPDX-License-Identifier: BSD-2-Clause */
/* The digests of the whole drive, taken in its own thread as the plain bytes pass in order. */
#ifndef UMS_IMAGE_DIGEST_H
#define UMS_IMAGE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/image.h"

struct digest;

/* HASHES: IMAGE_HASH_…; SIZE_BYTES: what is given beyond that is left out.  NULL and ERR. */
struct digest *digest_new(unsigned int hashes, uint64_t size_bytes, struct err *err);
void digest_free(struct digest *digest);

/* The next LEN bytes; BYTES NULL: zeros. */
int digest_update(struct digest *digest, const void *bytes, uint64_t len, struct err *err);

/* The results as if it ended here, in order of the bits; it goes on. */
int digest_so_far(const struct digest *digest, uint8_t out[IMAGE_N_HASHES][32], struct err *err);

/* The results in order of the bits, and ends. */
int digest_finish(struct digest *digest, uint8_t out[IMAGE_N_HASHES][32], struct err *err);

#endif
