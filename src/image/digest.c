/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests by libcrypto: see digest.h. */
#include "image/digest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct digest {
	EVP_MD_CTX *context[IMAGE_N_HASHES];
	uint64_t left; /* bytes of the drive not yet given */
};

static const struct {
	const char *name;
	size_t length;
} hashes_table[IMAGE_N_HASHES] = {{"sha256", 32}, {"md5", 16}, {"sha1", 20}};

size_t image_hash_length(unsigned int i)
{
	return hashes_table[i].length;
}

const char *image_hash_name(unsigned int i)
{
	return hashes_table[i].name;
}

struct digest *digest_new(unsigned int hashes, uint64_t size_bytes, struct err *err)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest) {
		err_memory(err, "preparing the digests");
		return NULL;
	}
	digest->left = size_bytes;
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		const EVP_MD *md = EVP_get_digestbyname(hashes_table[i].name);

		if (!(hashes & 1u << i))
			continue;
		digest->context[i] = EVP_MD_CTX_new();
		if (!md || !digest->context[i] ||
			EVP_DigestInit_ex(digest->context[i], md, NULL) != 1) {
			err_set(err, ERR_OTHER, "libcrypto does not offer %s here",
				hashes_table[i].name);
			digest_free(digest);
			return NULL;
		}
	}
	return digest;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++)
		EVP_MD_CTX_free(digest->context[i]);
	free(digest);
}

int digest_update(struct digest *digest, const void *bytes, uint64_t len, struct err *err)
{
	static const uint8_t zeros[1u << 16];

	len = mem_min_u64(len, digest->left);
	digest->left -= len;
	while (len > 0) {
		size_t part = (size_t)(bytes ? len : mem_min_u64(len, sizeof(zeros)));

		for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
			if (digest->context[i] && EVP_DigestUpdate(digest->context[i],
							  bytes ? bytes : zeros, part) != 1)
				return err_set(err, ERR_OTHER, "libcrypto failed to go on with %s",
					hashes_table[i].name);
		}
		len -= part;
	}
	return 0;
}

int digest_finish(struct digest *digest, uint8_t out[IMAGE_N_HASHES][32], struct err *err)
{
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		unsigned int len = 0;

		if (digest->context[i] && EVP_DigestFinal_ex(digest->context[i], out[i], &len) != 1)
			return err_set(
				err, ERR_OTHER, "libcrypto failed to end %s", hashes_table[i].name);
	}
	return 0;
}

int digest_so_far(const struct digest *digest, uint8_t out[IMAGE_N_HASHES][32], struct err *err)
{
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		EVP_MD_CTX *copy;
		unsigned int len = 0;
		bool good;

		if (!digest->context[i])
			continue;
		copy = EVP_MD_CTX_new();
		good = copy && EVP_MD_CTX_copy_ex(copy, digest->context[i]) == 1 &&
		       EVP_DigestFinal_ex(copy, out[i], &len) == 1;
		EVP_MD_CTX_free(copy);
		if (!good)
			return err_set(err, ERR_OTHER, "libcrypto failed to copy %s",
				hashes_table[i].name);
	}
	return 0;
}
