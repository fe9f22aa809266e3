/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checking an image: every record by its CRCs, every chunk by being decoded, the whole by its
 * digests and the file's CRC.  Goes on after a finding, and names where it is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/codec.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/load.h"
#include "image/reader.h"
#include "image/record.h"
#include "image/udif.h"

#define DIGEST_STEP (64u << 20) /* bytes between two looks at the progress */

struct verify {
	struct image *image;
	struct image_verify_report *report;
	void (*found)(void *context, const char *text);
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
	void *context;
	struct digest *digest; /* NULL when it is of no use any more */
	uint64_t digested;     /* sectors that went into it */
	bool out_of_memory;    /* then nothing is known, and nothing found */
};

__attribute__((format(printf, 2, 3))) static void find(
	struct verify *verify, const char *format, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	verify->report->problems++;
	verify->found(verify->context, text);
}

/* A finding, unless it was memory that failed. */
static void find_failure(struct verify *verify, const struct err *failure)
{
	if (failure->kind == ERR_NO_MEMORY)
		verify->out_of_memory = true;
	else
		find(verify, "%s", failure->text);
}

/* Each unit of a run; one finding a bad chunk.  True when all are good. */
static bool check_units(struct verify *verify, const struct index_entry *entry)
{
	struct store *store = &verify->image->store;
	uint64_t begin = entry->lba * store->info.block_bytes;
	uint64_t len = (uint64_t)entry->n_blocks * store->info.block_bytes;
	cleanup_free uint8_t *plain = malloc(store->info.unit_bytes);
	uint64_t bad_before = verify->report->bad_chunks;
	struct err err;

	if (!plain) {
		verify->out_of_memory = true;
		return false;
	}
	for (uint64_t at = 0; at < len; at += store->info.unit_bytes) {
		uint32_t part = unit_length(
			len, store->info.unit_bytes, (uint32_t)(at / store->info.unit_bytes));

		verify->report->chunks++;
		if (store_read_run(store, entry, begin + at, part, plain, &err) < 0) {
			verify->report->bad_chunks++;
			find_failure(verify, &err);
		}
	}
	return verify->report->bad_chunks == bad_before;
}

/* Does the record at OFFSET stand there whole, with the CRC of its head and its payload right? */
static bool record_is_whole(struct verify *verify, uint64_t offset)
{
	const struct store *store = &verify->image->store;
	struct record record;
	uint32_t crc = 0;
	struct err err = {0};

	if (record_read_head(store->fd, offset, store->info.file_bytes, store->info.uuid, &record,
		    &err) == 0 &&
		store_file_crc(store->fd, record_payload(&record),
			record_payload(&record) + record.length, &crc, &err) == 0)
		return crc == record.payload_crc;
	verify->out_of_memory |= err.kind == ERR_NO_MEMORY;
	return false;
}

/* The record that an index entry names: its chunks, and what is around them. */
static void check_run(struct verify *verify, const struct index_entry *entry)
{
	bool good = check_units(verify, entry);

	if (good && !record_is_whole(verify, entry->offset) && !verify->out_of_memory)
		find(verify,
			"the run at file offset %" PRIu64 " (sectors %" PRIu64 "-%" PRIu64
			") is damaged outside of its chunks",
			entry->offset, entry->lba, entry->lba + entry->n_blocks - 1);
}

static void lose_digest(struct verify *verify, const char *why)
{
	digest_free(verify->digest);
	verify->digest = NULL;
	verify->report->digests_why = why;
}

/* Zeros for the sectors up to LBA, which are in no record. */
static void digest_gap(struct verify *verify, uint64_t lba)
{
	uint32_t block = verify->image->store.info.block_bytes;

	while (verify->digest && verify->digested < lba) {
		uint64_t n = mem_min_u64(lba - verify->digested, DIGEST_STEP / block);

		if (digest_update(verify->digest, NULL, n * block, NULL) < 0)
			lose_digest(verify, "libcrypto failed");
		verify->digested += n;
		if (verify->progress)
			verify->progress(verify->context, verify->digested * block,
				verify->image->store.info.size_bytes);
	}
}

/* The drive's bytes of one slot to the digest; a slot that cannot be read spoils it. */
static void digest_slot(struct verify *verify, uint64_t slot, uint8_t *plain)
{
	struct store *store = &verify->image->store;
	uint64_t lba = slot * store->slot_blocks;
	uint32_t n = store_slot_length(store, slot);
	struct err err;

	digest_gap(verify, lba);
	if (!verify->digest)
		return;
	verify->digested = lba + n;
	if (store_read_slot(store, lba, n, plain, &err) < 0) {
		verify->out_of_memory |= err.kind == ERR_NO_MEMORY;
		lose_digest(verify, "not all chunks can be read");
	} else if (digest_update(
			   verify->digest, plain, (uint64_t)n * store->info.block_bytes, NULL) < 0)
		lose_digest(verify, "libcrypto failed");
}

static void find_unrecorded(void *context, const struct image_lost *lost)
{
	find(context, "%s", lost->text);
}

/* The records of one slot.  A false index may name one of them many times. */
static int verify_check_slot(struct verify *verify, uint64_t slot, uint8_t *plain, struct err *err)
{
	struct store *store = &verify->image->store;
	uint64_t lba = slot * store->slot_blocks;
	const struct index_entry *entry;
	size_t n;

	if (load_slot(store, slot, &entry, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || entry[i].offset != entry[i - 1].offset)
			check_run(verify, &entry[i]);
	}
	if (store_check_slot(store, lba, lba + store_slot_length(store, slot), entry, n,
		    find_unrecorded, verify, err) < 0)
		return -1;
	digest_slot(verify, slot, plain);
	return 0;
}

/* All slots that have records; those that have none cost time only for a digest. */
static int check_slots(struct verify *verify, struct err *err)
{
	struct store *store = &verify->image->store;
	cleanup_free uint8_t *plain = malloc(store->info.run_bytes);
	uint64_t n_slots = store_n_slots(store), next;
	bool found = true;

	if (!plain)
		return err_memory(err, "verifying");
	for (uint64_t slot = 0; slot < n_slots; slot = next + 1) {
		if (load_next_slot(store, slot, &next, &found, err) < 0)
			return -1;
		if (!found)
			next = n_slots;
		if (store_check_slot(store, slot * store->slot_blocks,
			    mem_min_u64(next * store->slot_blocks, store->info.n_blocks), NULL, 0,
			    find_unrecorded, verify, err) < 0 ||
			(found && verify_check_slot(verify, next, plain, err) < 0))
			return -1;
		if (verify->progress)
			verify->progress(verify->context, next * store->info.run_bytes,
				n_slots * store->info.run_bytes);
	}
	digest_gap(verify, store->info.n_blocks);
	return 0;
}

static void verify_check_digests(struct verify *verify)
{
	const struct image_info *info = image_info(verify->image);
	uint8_t result[IMAGE_N_HASHES][32] = {{0}};
	char want[65], have[65];

	if (!info->sealed || info->hashes == 0)
		return;
	if (verify->digest && digest_finish(verify->digest, result, NULL) < 0)
		lose_digest(verify, "libcrypto failed");
	if (!verify->digest) {
		verify->report->digests = IMAGE_DIGESTS_UNKNOWN;
		find(verify, "the digests were not computed: %s", verify->report->digests_why);
		return;
	}
	verify->report->digests = IMAGE_DIGESTS_FIT;
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		size_t len = image_hash_length(i);

		if (!(info->hashes & 1u << i) || memcmp(result[i], info->digest[i], len) == 0)
			continue;
		verify->report->digests = IMAGE_DIGESTS_DIFFER;
		find(verify, "%s of the content is %s; the image was sealed with %s",
			image_hash_name(i), text_hex(result[i], len, have),
			text_hex(info->digest[i], len, want));
	}
}

/* Blobs, journal: read once, their CRCs checked. */
static void check_refs(struct verify *verify)
{
	struct store *store = &verify->image->store;

	for (size_t i = 0; i < store->refs.n; i++) {
		cleanup_free uint8_t *payload = NULL;
		uint64_t length;
		struct err err;

		payload = store_ref_read(store, i, &length, &err);
		if (!payload)
			find_failure(verify, &err);
	}
}

/* The whole index in memory; NULL when it cannot be had. */
static struct index *load_index(struct store *store)
{
	struct index *all = index_new(store->slot_blocks);
	uint64_t slot = 0;
	bool found;

	while (all && load_next_slot(store, slot, &slot, &found, NULL) == 0) {
		const struct index_entry *entry;
		size_t n;
		bool good = !found || load_slot(store, slot++, &entry, &n, NULL) == 0;

		if (!found)
			return all;
		for (size_t i = 0; good && i < n; i++)
			good = index_add(all, &entry[i]) == 0;
		if (!good)
			break;
	}
	index_free(all);
	return NULL;
}

/* Is the trailer at OFFSET, of what is LEN bytes long, WANT? */
static bool trailer_is(const struct store *store, uint64_t offset, const uint8_t *want, size_t len)
{
	cleanup_free uint8_t *have = NULL;

	if (len != store->info.file_bytes - offset)
		return false;
	have = malloc(len);
	return have && store_bytes(store, offset, have, len, NULL) == 0 &&
	       memcmp(want, have, len) == 0;
}

/* No record's CRC covers the UDIF trailer; but the image says what it must be. */
static void check_udif(struct verify *verify, uint64_t fork_len, uint32_t fork_crc)
{
	struct store *store = &verify->image->store;
	cleanup_free uint8_t *want = NULL;
	struct index *all;
	size_t len = 0;
	bool good;

	errno = 0;
	all = load_index(store);
	if (all)
		want = udif_build(store, all, fork_len, fork_crc, &len);
	index_free(all);
	good = want && trailer_is(store, fork_len, want, len);
	if (good)
		return;
	if (errno == ENOMEM)
		verify->out_of_memory = true;
	else
		find(verify,
			"the UDIF trailer at offset %" PRIu64
			" is not that of this image: other readers may misread it",
			fork_len);
}

/* The file's own CRC: finds what no record's CRC covers. */
static void check_file_crc(struct verify *verify)
{
	struct store *store = &verify->image->store;
	struct seal seal;
	struct err err;
	uint32_t crc = 0;

	if (!load_find_seal(store, &seal))
		return;
	if (store_file_crc(store->fd, 0, seal.offset, &crc, &err) < 0) {
		find_failure(verify, &err);
		return;
	}
	if (crc != seal.file_crc)
		find(verify,
			"the file's bytes before the footer at offset %" PRIu64
			" are not those that were sealed",
			seal.offset);
	/* The trailer is of what was sealed: damage before it does not make it wrong. */
	crc = seal.file_crc;
	if (store->info.udif && store_file_crc(store->fd, seal.offset,
					seal.offset + UMS_SEAL_TOTAL_SIZE, &crc, &err) == 0)
		check_udif(verify, seal.offset + UMS_SEAL_TOTAL_SIZE, crc);
}

static int verify_all(struct verify *verify, struct err *err)
{
	const struct image_info *info = image_info(verify->image);

	if (info->cut)
		find(verify,
			"the image is not sealed, or cut: it ends at offset %" PRIu64
			" without its footer; what it has was checked",
			info->file_bytes);
	if (info->sealed && info->hashes != 0) {
		verify->digest = digest_new(info->hashes & IMAGE_HASH_ALL, info->size_bytes, err);
		if (!verify->digest)
			return -1;
	}
	if (check_slots(verify, err) < 0)
		return -1;
	if (info->damaged)
		find(verify, "%s; what checkpoints and records say was checked instead",
			image_damage(verify->image));
	verify_check_digests(verify);
	check_refs(verify);
	check_file_crc(verify);
	return verify->out_of_memory ? err_memory(err, "verifying") : 0;
}

int image_verify(const char *path, void (*found)(void *context, const char *text),
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	struct image_verify_report *report, struct err *err)
{
	struct verify verify = {
		.report = report, .found = found, .progress = progress, .context = context};
	int r;

	memset(report, 0, sizeof(*report));
	verify.image = image_open(path, err);
	if (!verify.image)
		return -1;
	r = verify_all(&verify, err);
	digest_free(verify.digest);
	image_close(verify.image);
	return r;
}
