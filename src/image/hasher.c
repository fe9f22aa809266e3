/* SPDX-License-Identifier: BSD-2-Clause */
/* The digests in a thread of their own: see hasher.h.  The giver also takes the jobs back: when all
 * places are used, the oldest one. */
#include "image/hasher.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/pool.h"
#include "image/digest.h"

#define HASHER_JOBS 32

struct hasher_job {
	uint64_t zeros;
	const void *bytes;
	uint64_t len;
	void *owner;
};

struct hasher {
	unsigned int hashes;
	uint64_t size_bytes;
	void (*release)(void *context, void *owner);
	void *context;
	struct digest *digest;
	struct pool *pool;
	unsigned int given; /* jobs that were not taken back yet */
	atomic_bool failed;
};

static bool hasher_work(void *context, unsigned int worker, void *argument)
{
	struct hasher *hasher = context;
	struct hasher_job *job = argument;

	(void)worker;
	if (digest_update(hasher->digest, NULL, job->zeros, NULL) < 0 ||
		digest_update(hasher->digest, job->bytes, job->len, NULL) < 0)
		atomic_store(&hasher->failed, true);
	hasher->release(hasher->context, job->owner);
	return true;
}

struct hasher *hasher_new(unsigned int hashes, uint64_t size_bytes,
	void (*release)(void *context, void *owner), void *context, struct err *err)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher) {
		err_memory(err, "preparing the digests");
		return NULL;
	}
	hasher->hashes = hashes;
	hasher->size_bytes = size_bytes;
	hasher->release = release;
	hasher->context = context;
	hasher->digest = digest_new(hashes, size_bytes, err);
	if (hasher->digest)
		hasher->pool = pool_new(
			1, HASHER_JOBS, sizeof(struct hasher_job), hasher_work, hasher, err);
	if (hasher->pool)
		return hasher;
	hasher_free(hasher);
	return NULL;
}

static void hasher_take_back(struct hasher *hasher)
{
	pool_take(hasher->pool, NULL);
	pool_done(hasher->pool);
	hasher->given--;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	while (hasher->given > 0)
		hasher_take_back(hasher);
	pool_free(hasher->pool);
	digest_free(hasher->digest);
	free(hasher);
}

void hasher_give(
	struct hasher *hasher, uint64_t zeros, const void *bytes, uint64_t len, void *owner)
{
	struct hasher_job *job;

	if (hasher->given == HASHER_JOBS)
		hasher_take_back(hasher);
	job = pool_claim(hasher->pool);
	*job = (struct hasher_job){zeros, bytes, len, owner};
	hasher->given++;
	pool_submit(hasher->pool);
}

int hasher_take_now(
	struct hasher *hasher, uint64_t zeros, const void *bytes, uint64_t len, struct err *err)
{
	if (hasher_drain(hasher, err) < 0 || digest_update(hasher->digest, NULL, zeros, err) < 0)
		return -1;
	return digest_update(hasher->digest, bytes, len, err);
}

int hasher_drain(struct hasher *hasher, struct err *err)
{
	while (hasher->given > 0)
		hasher_take_back(hasher);
	if (atomic_load(&hasher->failed))
		return err_set(err, ERR_OTHER, "libcrypto failed to go on with a digest");
	return 0;
}

int hasher_restart(struct hasher *hasher, struct err *err)
{
	struct digest *digest;

	if (hasher_drain(hasher, err) < 0)
		return -1;
	digest = digest_new(hasher->hashes, hasher->size_bytes, err);
	if (!digest)
		return -1;
	digest_free(hasher->digest);
	hasher->digest = digest;
	return 0;
}

int hasher_finish(struct hasher *hasher, uint8_t out[IMAGE_N_HASHES][32], struct err *err)
{
	return hasher_drain(hasher, err) < 0 ? -1 : digest_finish(hasher->digest, out, err);
}

int hasher_so_far(struct hasher *hasher, uint8_t out[IMAGE_N_HASHES][32], struct err *err)
{
	return hasher_drain(hasher, err) < 0 ? -1 : digest_so_far(hasher->digest, out, err);
}
