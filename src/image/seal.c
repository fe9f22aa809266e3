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
#include "image/check.h"
#include "image/checkpoint.h"
#include "image/udif.h"
#include "image/writer.h"

#define PAGE_ENTRIES 2048 /* 64 KiB */

/* What a slot is written anew with. */
struct rewrite {
	uint8_t *plain;	  /* a run */
	uint8_t *payload; /* and encoded */
	uint8_t *reads;	  /* for each sector: it reads well */
};

/* A sector that is good and does not read must not become zeros in passing. */
static int check_good_reads(struct image_writer *writer, uint64_t lba, uint32_t n,
	const uint8_t *reads, struct err *err)
{
	struct block_range range;

	for (uint64_t at = lba;
		blockmap_next(writer->store.map, at, BLOCK_HAVE, &range) && range.lba < lba + n;
		at = range.lba + range.n) {
		uint64_t end = mem_min_u64(range.lba + range.n, lba + n);

		if (memchr(reads + (range.lba - lba), 0, (size_t)(end - range.lba)))
			return err_set(err, ERR_BAD_IMAGE,
				"sectors %" PRIu64 "-%" PRIu64
				" are damaged in the image and must be read from the drive again",
				range.lba, end - 1);
	}
	return 0;
}

/* SLOT as one record of what reads well, the rest as zeros. */
static int rewrite_slot(
	struct image_writer *writer, uint64_t slot, const struct rewrite *rewrite, struct err *err)
{
	struct store *store = &writer->store;
	uint64_t lba = slot * store->slot_blocks;
	uint32_t n = store_slot_length(store, slot);
	struct index_entry entry;
	struct encoded encoded;

	if (check_read_slot(writer, slot, rewrite->plain, rewrite->reads, err) < 0 ||
		check_good_reads(writer, lba, n, rewrite->reads, err) < 0)
		return err_prefix(err, "reading back: ");
	encoder_run(writer->encoder[0], lba, n, store->info.block_bytes, 0, rewrite->plain,
		rewrite->payload, &encoded);
	if (writer_put_data(writer, &encoded, rewrite->payload, &entry, err) < 0)
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

/* Slots in pieces, and such with a damaged record; the index shrinks on the way. */
static int rewrite_slots(
	struct image_writer *writer, const struct rewrite *rewrite, struct err *err)
{
	struct index *index = writer->store.index;
	const struct index_entry *entry;
	size_t n, group;

	for (size_t i = 0; entry = index_all(index, &n), i < n; i += group) {
		uint64_t slot = entry[i].slot;
		bool damaged = check_is_damaged(writer, slot);
		struct err failure;

		for (group = 1; i + group < n && entry[i + group].slot == slot; group++)
			;
		if (group < 2 && !damaged)
			continue;
		if (rewrite_slot(writer, slot, rewrite, &failure) == 0) {
			group = 1;
			continue;
		}
		if (failure.kind == ERR_NO_SPACE && !damaged && !overlap(entry + i, group))
			return 0;
		if (err)
			*err = failure;
		return -1;
	}
	return 0;
}

/*
 * A slot in one piece is what random reads and the UDIF table want.  A full disk may prevent that
 * for pieces that lie side by side, which then stay as they are; not for such that lie over each
 * other or are damaged.
 */
static int rewrite_scattered(struct image_writer *writer, struct err *err)
{
	struct store *store = &writer->store;
	cleanup_free uint8_t *payload =
		malloc(encoder_room(store->info.run_bytes, store->info.unit_bytes));
	/* No slot is open now: one of their buffers has just the room. */
	struct slot_buffer *buffer = queue_take(writer->free_buffers);
	struct rewrite rewrite = {buffer->bytes, payload, buffer->covered};
	int r;

	r = payload ? rewrite_slots(writer, &rewrite, err) : err_memory(err, "sealing the image");
	queue_put(writer->free_buffers, buffer);
	return r;
}

static int err_damaged(uint64_t sectors, struct err *err)
{
	return err_set(err, ERR_BAD_IMAGE,
		"%" PRIu64
		" sectors are damaged in the image and must be read from the drive again",
		sectors);
}

/* Everything must read, and the digests must have seen everything. */
static int seal_check(
	struct image_writer *writer, const struct check_progress *progress, struct err *err)
{
	uint64_t put_back;

	if (writer->out.piped)
		return check_complete_pipe(writer, err);
	if (check_all(writer, writer->options.hashes != 0, progress, &put_back, err) < 0)
		return -1;
	if (writer_drain(writer, err) < 0)
		return -1;
	return put_back > 0 ? err_damaged(put_back, err) : 0;
}

/* One INDX record of N entries; its line of the root into ROOT. */
static int seal_put_page(struct image_writer *writer, const struct index_entry *entry, size_t n,
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

		if (seal_put_page(writer, entry + done, take, p, err) < 0)
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
	if (info->hashes != 0 && hasher_finish(writer->hasher, info->digest, err) < 0)
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

/* The seal and what stands behind it; durable when it returns 0. */
static int put_end(struct image_writer *writer, uint64_t root, uint64_t map, struct err *err)
{
	if (put_seal(writer, root, map, err) < 0)
		return -1;
	if (writer->options.udif && put_trailer(writer, err) < 0)
		return -1;
	if (out_trim(&writer->out, err) < 0)
		return -1;
	return out_sync(&writer->out, err);
}

/* As put_end(), but a seal whose end could not be written, or not be made durable, is taken out of
 * the file again: it would claim what is not so. */
static int put_end_or_nothing(
	struct image_writer *writer, uint64_t root, uint64_t map, struct err *err)
{
	struct image_info info = writer->store.info;
	uint64_t tail = writer->out.tail, last_seal = writer->store.last_seal;
	uint32_t crc = writer->out.crc;

	if (put_end(writer, root, map, err) == 0)
		return 0;
	if (writer->out.piped)
		return -1;
	writer->out.tail = tail;
	writer->out.crc = crc;
	writer->store.info = info;
	writer->store.last_seal = last_seal;
	out_trim(&writer->out, NULL);
	return -1;
}

static int seal_all(
	struct image_writer *writer, const struct check_progress *progress, struct err *err)
{
	uint64_t root, map;

	if (writer_settle(writer, err) < 0 || seal_check(writer, progress, err) < 0)
		return -1;
	if (!writer->out.piped && rewrite_scattered(writer, err) < 0)
		return -1;
	if (checkpoint_now(writer, err) < 0 || put_index(writer, &root, err) < 0 ||
		put_map(writer, &map, err) < 0)
		return -1;
	/* A footer that is there must mean that all before it is. */
	if (out_sync(&writer->out, err) < 0)
		return -1;
	return put_end_or_nothing(writer, root, map, err);
}

/* Stands the trailer of the last seal there as it was written?  No record's CRC covers it. */
static bool old_trailer_is_right(struct image_writer *writer)
{
	struct store *store = &writer->store;
	uint64_t fork = store->last_seal + UMS_SEAL_TOTAL_SIZE;
	cleanup_free uint8_t *want = NULL, *have = NULL;
	uint32_t crc;
	uint8_t seal_crc[4];
	size_t len;

	if (!store->info.udif)
		return writer->began_at == fork;
	if (store_bytes(store, store->last_seal + UMS_RECORD_HEAD_SIZE + SEAL_FILE_CRC, seal_crc,
		    sizeof(seal_crc), NULL) < 0)
		return false;
	crc = get_le32(seal_crc);
	if (store_file_crc(store->fd, store->last_seal, fork, &crc, NULL) < 0)
		return false;
	want = udif_build(store, store->index, fork, crc, &len);
	if (!want || fork + len != writer->began_at || !(have = malloc(len)))
		return false;
	return store_bytes(store, fork, have, len, NULL) == 0 && memcmp(want, have, len) == 0;
}

/* Sectors that the image had when it was opened, and has no more. */
static uint64_t count_lost(const struct image_writer *writer)
{
	struct block_range had, missing;
	uint64_t lost = 0;

	for (uint64_t lba = 0; blockmap_next(writer->then, lba, BLOCK_HAVE, &had);
		lba = had.lba + had.n) {
		uint64_t end = had.lba + had.n;

		for (uint64_t at = had.lba;
			blockmap_next(writer->store.map, at, BLOCK_MISSING, &missing) &&
			missing.lba < end;
			at = missing.lba + missing.n)
			lost += mem_min_u64(missing.lba + missing.n, end) - missing.lba;
	}
	return lost;
}

/* Would a new seal say what the old one says?  1: yes, and the old one is whole; -1 and ERR when it
 * would say less, because sectors are damaged. */
static int seal_says_nothing_new(
	struct image_writer *writer, const struct check_progress *progress, struct err *err)
{
	const struct image_info *info = &writer->store.info;
	unsigned int hashes = writer->options.hashes;
	uint64_t lost;
	int r;

	if (!writer->was_sealed || writer->gained)
		return 0;
	if (writer_settle(writer, err) < 0)
		return -1;
	writer->options.hashes = 0;
	r = seal_check(writer, progress, err);
	writer->options.hashes = hashes;
	if (r < 0)
		return -1;
	lost = count_lost(writer);
	if (lost > 0)
		return err_damaged(lost, err);
	return info->udif == writer->options.udif && (hashes & ~info->hashes) == 0 &&
	       !writer->unsound && old_trailer_is_right(writer);
}

int image_writer_seal(struct image_writer *writer, bool digests,
	int (*call)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	struct err *err)
{
	struct check_progress progress = {call, context};
	int r;

	if (!digests)
		writer->options.hashes = 0;
	r = seal_says_nothing_new(writer, &progress, err);
	if (r > 0)
		return 0;
	if (r < 0 || seal_all(writer, &progress, err) < 0)
		return err_prefix(err, "sealing the image: ");
	writer->sealed = true;
	writer->store.info.cut = false;
	writer->store.info.file_bytes = writer->out.tail;
	return writer_note_state(writer, err);
}
