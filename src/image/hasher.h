/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The digests of the whole drive, taken in a thread of their own while its bytes pass in order of
 * their position.  Who gives the bytes keeps count of how far they reach.
 */
#ifndef UMS_IMAGE_HASHER_H
#define UMS_IMAGE_HASHER_H

#include <stdint.h>

#include "base/err.h"
#include "image/image.h"

struct hasher;

/* HASHES: IMAGE_HASH_…; SIZE_BYTES: what is given beyond that is left out.  RELEASE is called with
 * CONTEXT and the OWNER of some bytes when they are not needed any more, in the hasher's thread.
 * NULL and ERR. */
struct hasher *hasher_new(unsigned int hashes, uint64_t size_bytes,
	void (*release)(void *context, void *owner), void *context, struct err *err);
void hasher_free(struct hasher *hasher);

/* The next ZEROS zero bytes and behind them LEN bytes at BYTES, which stay until OWNER is released.
 * Waits while too much is under way. */
void hasher_give(
	struct hasher *hasher, uint64_t zeros, const void *bytes, uint64_t len, void *owner);

/* The same with bytes that the caller keeps: they are in the digests when it returns. */
int hasher_take_now(
	struct hasher *hasher, uint64_t zeros, const void *bytes, uint64_t len, struct err *err);

/* Waits until all that was given is in the digests; -1 and ERR when libcrypto failed. */
int hasher_drain(struct hasher *hasher, struct err *err);

/* Drains and begins anew, at the first byte. */
int hasher_restart(struct hasher *hasher, struct err *err);

/* Drains: the results as if it ended here. */
int hasher_so_far(struct hasher *hasher, uint8_t out[IMAGE_N_HASHES][32], struct err *err);

/* Drains and ends: the results in order of the bits. */
int hasher_finish(struct hasher *hasher, uint8_t out[IMAGE_N_HASHES][32], struct err *err);

#endif
