/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of an image: scattered runs are written once more as one, the digests are completed, then
 * come the last checkpoint, the index in pages, the map, the footer and the UDIF trailer.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "image/udif.h"
#include "image/writer.h"

#define PAGE_ENTRIES 2048 /* 64 KiB */

struct progress {
	int (*call)(void *context, uint64_t done_bytes, uint64_t all_bytes);
	void *context;
};

/* SLOT as one record, what is missing as zeros. */
static int rewrite_slot(struct image_writer *writer, uint64_t slot, uint8_t *plain,
	uint8_t *payload, struct err *err)
{
	struct store *store = &writer->store;
	uint64_t lba = slot * store->slot_blocks;
	uint32_t n = store_slot_length(store, slot);
	struct index_entry entry;
	struct encoded encoded;

	if (store_read_slot(store, lba, n, plain, err) < 0)
		return err_prefix(err, "reading back: ");
	encoder_run(
		writer->encoder[0], lba, n, store->info.block_bytes, 0, plain, payload, &encoded);
	if (writer_put_data(writer, &encoded, payload, &entry, err) < 0)
		return -1;
	store->info.file_bytes = writer->out.tail;
	if (index_replace(store->index, slot, &entry) < 0)
		return err_memory(err, "for the index");
	return 0;
}

static bool overlap(const struct index_entry *entry, size_t n)
{
	uint64_t first = entry[0].lba, end = entry[0].lba;

	for (size_t i = 0; i < n; i++) {
		first = mem_min_u64(first, entry[i].lba);
		end = mem_max_u64(end, entry[i].lba + entry[i].n_blocks);
	}
	for (size_t i = 0; i < n; i++)
		first += entry[i].n_blocks;
	return first > end;
}

/*
 * A slot in one piece is what random reads and the UDIF table want.  A full disk may prevent that
 * for pieces that lie side by side, which then stay as they are; not for such that lie over each
 * other.
 */
static int rewrite_scattered(struct image_writer *writer, struct err *err)
{
	struct store *store = &writer->store;
	cleanup_free uint8_t *plain = malloc(store->info.run_bytes);
	cleanup_free uint8_t *payload =
		malloc(encoder_room(store->info.run_bytes, store->info.unit_bytes));
	uint64_t slot = 0, n_slots = store_n_slots(store);

	if (!plain || !payload)
		return err_memory(err, "sealing the image");
	for (slot = 0; slot < n_slots; slot++) {
		const struct index_entry *entry;
		struct err failure;
		size_t n;

		if (index_slot(store->index, slot, &entry, &n, err) < 0)
			return -1;
		if (n < 2)
			continue;
		if (rewrite_slot(writer, slot, plain, payload, &failure) == 0)
			continue;
		if (failure.kind == ERR_NO_SPACE && !overlap(entry, n))
			return 0;
		if (err)
			*err = failure;
		return -1;
	}
	return 0;
}

/* The digest goes on where the hasher could not: reads back from there. */
static int complete_digest(
	struct image_writer *writer, const struct progress *progress, struct err *err)
{
	struct store *store = &writer->store;
	cleanup_free uint8_t *plain = malloc(store->info.run_bytes);
	uint64_t n_slots = store_n_slots(store);

	writer_stop_hasher(writer);
	if (!plain)
		return err_memory(err, "sealing the image");
	if (writer->hash_failed)
		return err_set(err, ERR_OTHER, "libcrypto failed to go on with a digest");
	if (writer->out.piped)
		return digest_update(writer->digest, NULL,
			(n_slots - writer->hash_slot) * store->info.run_bytes, err);
	for (; writer->hash_slot < n_slots; writer->hash_slot++) {
		uint32_t n = store_slot_length(store, writer->hash_slot);
		uint64_t lba = writer->hash_slot * store->slot_blocks;

		if (store_read_slot(store, lba, n, plain, err) < 0)
			return err_prefix(err, "reading back for the digest: ");
		if (digest_update(
			    writer->digest, plain, (uint64_t)n * store->info.block_bytes, err) < 0)
			return -1;
		if (progress->call &&
			progress->call(progress->context, lba * store->info.block_bytes,
				store->info.size_bytes) != 0)
			return err_set(
				err, ERR_OTHER, "stopped while reading back for the digests");
	}
	return 0;
}

/* One INDX record of N entries; its line of the root into ROOT. */
static int put_page(struct image_writer *writer, const struct index_entry *entry, size_t n,
	uint8_t *root, struct err *err)
{
	cleanup_free uint8_t *payload = malloc(n * UMS_INDEX_ENTRY_SIZE);
	uint64_t offset;

	if (!payload)
		return err_memory(err, "writing the index");
	for (size_t i = 0; i < n; i++)
		index_entry_encode(&entry[i], payload + i * UMS_INDEX_ENTRY_SIZE);
	if (out_small_record(&writer->out, UMS_TYPE_INDX, payload, n * UMS_INDEX_ENTRY_SIZE,
		    &offset, err) < 0)
		return -1;
	memset(root, 0, UMS_ROOT_PAGE_SIZE);
	put_le64(root + PAGE_FIRST_LBA, entry[0].lba);
	put_le64(root + PAGE_OFFSET, offset);
	put_le32(root + PAGE_N_ENTRIES, (uint32_t)n);
	return 0;
}

/* How many of the N entries go onto the next page: a slot never stands on two. */
static size_t page_length(const struct store *store, const struct index_entry *entry, size_t n)
{
	size_t take = n < PAGE_ENTRIES ? n : PAGE_ENTRIES;

	while (take < n &&
		entry[take].lba / store->slot_blocks == entry[take - 1].lba / store->slot_blocks)
		take++;
	return take;
}

static int put_index(struct image_writer *writer, uint64_t *offset, struct err *err)
{
	const struct refs *refs = &writer->store.refs;
	const struct index_entry *entry;
	cleanup_free uint8_t *root = NULL;
	uint8_t *p;
	uint32_t n_pages = 0;
	size_t n, done = 0;

	entry = index_all(writer->store.index, &n);
	root = calloc(1, UMS_ROOT_HEAD_SIZE + (n / PAGE_ENTRIES + 1) * UMS_ROOT_PAGE_SIZE +
				 refs->n * UMS_REF_SIZE);
	if (!root)
		return err_memory(err, "writing the index");
	for (p = root + UMS_ROOT_HEAD_SIZE; done < n; p += UMS_ROOT_PAGE_SIZE, n_pages++) {
		size_t take = page_length(&writer->store, entry + done, n - done);

		if (put_page(writer, entry + done, take, p, err) < 0)
			return -1;
		done += take;
	}
	for (size_t i = 0; i < refs->n; i++, p += UMS_REF_SIZE) {
		put_le64(p + REF_OFFSET, refs->ref[i].offset);
		put_le32(p + REF_TYPE, refs->ref[i].type);
	}
	put_le32(root + ROOT_N_PAGES, n_pages);
	put_le32(root + ROOT_N_REFS, (uint32_t)refs->n);
	return out_small_record(&writer->out, UMS_TYPE_ROOT, root, (size_t)(p - root), offset, err);
}

static int put_map(struct image_writer *writer, uint64_t *offset, struct err *err)
{
	const struct blockmap *map = writer->store.map;
	size_t n = blockmap_ranges(map), i = 0;
	cleanup_free uint8_t *payload = malloc(n * UMS_MAP_ENTRY_SIZE);
	struct block_range range;

	if (!payload)
		return err_memory(err, "writing the block map");
	for (uint64_t lba = 0; blockmap_next(map, lba, BLOCK_ALL, &range);
		lba = range.lba + range.n)
		map_entry_encode(&range, payload + i++ * UMS_MAP_ENTRY_SIZE);
	return out_small_record(
		&writer->out, UMS_TYPE_MAPS, payload, i * UMS_MAP_ENTRY_SIZE, offset, err);
}

/* The footer; ROOT and MAP are where those records are. */
static int put_seal(struct image_writer *writer, uint64_t root, uint64_t map, struct err *err)
{
	struct store *store = &writer->store;
	struct image_info *info = &store->info;
	uint8_t seal[UMS_SEAL_SIZE] = {0};
	uint64_t offset;

	info->hashes = writer->options.hashes;
	memset(info->digest, 0, sizeof(info->digest));
	if (info->hashes != 0 && digest_finish(writer->digest, info->digest, err) < 0)
		return -1;
	info->udif = writer->options.udif;
	put_le32(seal + SEAL_GENERATION, info->generation + 1);
	put_le32(seal + SEAL_FLAGS, info->udif ? UMS_SEAL_FLAG_UDIF : 0);
	put_le64(seal + SEAL_ROOT, root);
	put_le64(seal + SEAL_MAP, map);
	put_le64(seal + SEAL_CKPT, store->last_ckpt);
	put_le64(seal + SEAL_TIME, (uint64_t)time(NULL));
	put_le32(seal + SEAL_FILE_CRC, writer->out.crc);
	put_le32(seal + SEAL_HASHES, info->hashes);
	memcpy(seal + SEAL_SHA256, info->digest[0], 32);
	memcpy(seal + SEAL_MD5, info->digest[1], 16);
	memcpy(seal + SEAL_SHA1, info->digest[2], 20);
	for (unsigned int s = 0; s < BLOCK_STATES; s++)
		put_le64(seal + SEAL_COUNTS + 8 * s, blockmap_count(store->map, BLOCK_MASK(s)));
	put_le64(seal + SEAL_STORED, info->stored_bytes);
	put_le64(seal + SEAL_PREVIOUS, store->last_seal);
	if (out_small_record(&writer->out, UMS_TYPE_SEAL, seal, sizeof(seal), &offset, err) < 0)
		return -1;
	info->generation++;
	info->sealed = true;
	store->last_seal = offset;
	return 0;
}

static int put_trailer(struct image_writer *writer, struct err *err)
{
	cleanup_free uint8_t *trailer = NULL;
	size_t len;

	trailer = udif_build(
		&writer->store, writer->store.index, writer->out.tail, writer->out.crc, &len);
	if (!trailer)
		return err_memory(err, "writing the UDIF trailer");
	return out_bytes(&writer->out, trailer, len, err);
}

static int seal_all(struct image_writer *writer, const struct progress *progress, struct err *err)
{
	uint64_t root, map;

	if (writer_drain(writer, err) < 0)
		return -1;
	if (!writer->out.piped && rewrite_scattered(writer, err) < 0)
		return -1;
	if (writer->options.hashes != 0 && complete_digest(writer, progress, err) < 0)
		return -1;
	if (writer_checkpoint_now(writer, err) < 0 || put_index(writer, &root, err) < 0 ||
		put_map(writer, &map, err) < 0)
		return -1;
	/* A footer that is there must mean that all before it is. */
	if (out_sync(&writer->out, err) < 0 || put_seal(writer, root, map, err) < 0)
		return -1;
	if (writer->options.udif && put_trailer(writer, err) < 0)
		return -1;
	if (out_trim(&writer->out, err) < 0)
		return -1;
	return out_sync(&writer->out, err);
}

int image_writer_seal(struct image_writer *writer, bool digests,
	int (*call)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	struct err *err)
{
	struct progress progress = {call, context};

	if (!digests) {
		writer_stop_hasher(writer);
		writer->options.hashes = 0;
	}
	if (seal_all(writer, &progress, err) < 0)
		return err_prefix(err, "sealing the image: ");
	writer->sealed = true;
	writer->store.info.cut = false;
	writer->store.info.file_bytes = writer->out.tail;
	return 0;
}
