/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading back: see check.h.  Three walks: over the file as it was when it was opened (its own CRC,
 * and the payload CRC of each record), over the good sectors of the map (each must be in a record
 * that reads), and over the drive's bytes that the digests have not seen.
 */
#include "image/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/mem.h"
#include "image/image.h"
#include "image/jobs.h"
#include "image/record.h"
#include "image/slots.h"
#include "image/writer.h"

struct check {
	struct image_writer *writer;
	const struct check_progress *progress;
	uint64_t done, all; /* bytes, for the progress */
	uint8_t *plain;	    /* of one slot */
	uint8_t *reads;	    /* for each of its sectors */
	uint64_t put_back;
};

static int check_tell(struct check *check, uint64_t more, struct err *err)
{
	const struct check_progress *progress = check->progress;

	check->done += more;
	if (progress->call && progress->call(progress->context, check->done, check->all) != 0)
		return err_set(err, ERR_OTHER, "stopped while reading the image back");
	return 0;
}

/* --- the file as it was --- */

static int check_add_damaged(struct image_writer *writer, uint64_t slot, struct err *err)
{
	if (mem_grow(&writer->damaged, writer->n_damaged, &writer->damaged_room,
		    sizeof(*writer->damaged)) < 0)
		return err_memory(err, "checking the image");
	writer->damaged[writer->n_damaged++] = slot;
	return 0;
}

static int check_compare_slots(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

bool check_is_damaged(const struct image_writer *writer, uint64_t slot)
{
	return writer->n_damaged > 0 && bsearch(&slot, writer->damaged, writer->n_damaged,
						sizeof(slot), check_compare_slots) != NULL;
}

/* The record of ENTRY, its payload added to the CRC of the file; *AT goes behind it. */
static int check_record(struct image_writer *writer, const struct index_entry *entry, uint64_t *at,
	uint32_t *crc, struct err *err)
{
	struct store *store = &writer->store;
	struct record record;
	uint32_t payload_crc = 0;

	if (entry->offset < *at || entry->offset > writer->began_at ||
		record_read_head(store->fd, entry->offset, writer->began_at, store->info.uuid,
			&record, NULL) < 0 ||
		record.type != UMS_TYPE_DATA || record.length != entry->length)
		return check_add_damaged(writer, entry->slot, err);
	if (store_file_crc(store->fd, *at, record_payload(&record), crc, err) < 0)
		return -1;
	*at = record_payload(&record) + record.length;
	if (store_file_crc(store->fd, record_payload(&record), *at, &payload_crc, err) < 0)
		return -1;
	*crc = crc32_join(*crc, payload_crc, record.length);
	if (payload_crc != record.payload_crc)
		return check_add_damaged(writer, entry->slot, err);
	return 0;
}

static int check_compare_offsets(const void *va, const void *vb)
{
	const struct index_entry *a = va, *b = vb;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The records that were there when the image was opened, in order of their offsets; *N of them,
 * freed by the caller.  NULL when memory is out. */
static struct index_entry *check_old_records(struct image_writer *writer, size_t *n)
{
	size_t n_all;
	const struct index_entry *all = index_all(writer->store.index, &n_all);
	struct index_entry *old = calloc(n_all + 1, sizeof(*old));

	*n = 0;
	for (size_t i = 0; old && i < n_all; i++) {
		if (all[i].offset < writer->began_at)
			old[(*n)++] = all[i];
	}
	if (old)
		qsort(old, *n, sizeof(*old), check_compare_offsets);
	return old;
}

/*
 * The CRC of the file goes on from what its records said of the bytes before.  Where some of those
 * are damaged, the next seal must be of the bytes that are there now: what CRC-32 makes of two
 * files that differ only at their beginning differs by what it makes of that difference.
 */
static void check_mend_crc(struct image_writer *writer, uint32_t crc)
{
	writer->unsound = writer->began_crc != crc;
	writer->out.crc ^=
		crc32_join(writer->began_crc ^ crc, 0, writer->out.tail - writer->began_at);
	writer->began_crc = crc;
}

static int check_file(struct check *check, struct err *err)
{
	struct image_writer *writer = check->writer;
	cleanup_free struct index_entry *old = NULL;
	uint64_t at = 0;
	uint32_t crc = 0;
	size_t n = 0;

	old = check_old_records(writer, &n);
	if (!old)
		return err_memory(err, "checking the image");
	writer->n_damaged = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t before = at;

		/* One that is referred to twice was looked at. */
		if (i > 0 && old[i].offset == old[i - 1].offset)
			continue;
		if (check_record(writer, &old[i], &at, &crc, err) < 0 ||
			check_tell(check, at - before, err) < 0)
			return -1;
	}
	if (store_file_crc(writer->store.fd, at, writer->began_at, &crc, err) < 0)
		return -1;
	check_mend_crc(writer, crc);
	if (writer->n_damaged > 0)
		qsort(writer->damaged, writer->n_damaged, sizeof(*writer->damaged),
			check_compare_slots);
	return check_tell(check, writer->began_at - at, err);
}

/* --- sectors --- */

/* One unit of a record did not read: nor do the sectors that it has a part of. */
static void check_lose_unit(struct image_writer *writer, uint64_t from, uint64_t to,
	uint64_t slot_lba, uint8_t *plain, uint8_t *reads)
{
	uint32_t block = writer->sink.block_bytes;

	for (uint64_t lba = from / block; lba * block < to; lba++) {
		reads[lba - slot_lba] = 0;
		memset(plain + (lba - slot_lba) * block, 0, block);
	}
}

static int check_read_record(struct image_writer *writer, const struct index_entry *entry,
	uint64_t slot_lba, uint8_t *plain, uint8_t *reads, struct err *err)
{
	struct store *store = &writer->store;
	uint32_t block = store->info.block_bytes;
	uint64_t begin = entry->lba * block, len = (uint64_t)entry->n_blocks * block;

	memset(reads + (entry->lba - slot_lba), 1, entry->n_blocks);
	for (uint64_t at = 0; at < len; at += store->info.unit_bytes) {
		size_t part = (size_t)mem_min_u64(len - at, store->info.unit_bytes);
		struct err failure;

		if (store_read_run(store, entry, begin + at, part,
			    plain + (begin + at - slot_lba * block), &failure) == 0)
			continue;
		if (failure.kind == ERR_NO_MEMORY) {
			if (err)
				*err = failure;
			return -1;
		}
		check_lose_unit(writer, begin + at, begin + at + part, slot_lba, plain, reads);
	}
	/* A sector that lies in two units was perhaps written after its first half was lost. */
	for (uint32_t i = 0; i < entry->n_blocks; i++) {
		size_t sector = (size_t)(entry->lba - slot_lba) + i;

		if (!reads[sector])
			memset(plain + sector * block, 0, block);
	}
	return 0;
}

int check_read_slot(
	struct image_writer *writer, uint64_t slot, uint8_t *plain, uint8_t *reads, struct err *err)
{
	struct store *store = &writer->store;
	uint32_t length = store_slot_length(store, slot);
	const struct index_entry *entry;
	size_t n;

	if (index_slot(store->index, slot, &entry, &n, err) < 0)
		return -1;
	memset(plain, 0, (size_t)length * store->info.block_bytes);
	memset(reads, 0, length);
	for (size_t i = 0; i < n; i++) {
		if (check_read_record(
			    writer, &entry[i], slot * store->slot_blocks, plain, reads, err) < 0)
			return -1;
	}
	writer->read_back += (uint64_t)length * store->info.block_bytes;
	return 0;
}

/* --- the good sectors of the map --- */

static int check_put_back(struct check *check, uint64_t lba, uint64_t n, struct err *err)
{
	struct image_writer *writer = check->writer;
	struct block_range range = {.lba = lba, .n = n, .state = BLOCK_UNTRIED};

	if (blockmap_set(writer->store.map, lba, n, BLOCK_UNTRIED, NULL) < 0)
		return err_memory(err, "for the block map");
	jobs_submit_mark(writer, &range);
	check->put_back += n;
	return 0;
}

/* Puts back the good sectors of the slot that begins at LBA which do not read. */
static int check_slot_reads(struct check *check, uint64_t lba, uint32_t length, struct err *err)
{
	struct blockmap *map = check->writer->store.map;
	struct block_range range;

	for (uint64_t at = lba;
		blockmap_next(map, at, BLOCK_HAVE, &range) && range.lba < lba + length;) {
		uint64_t end = mem_min_u64(range.lba + range.n, lba + length), from = range.lba;

		while (from < end && check->reads[from - lba])
			from++;
		at = from;
		while (at < end && !check->reads[at - lba])
			at++;
		if (from < at && check_put_back(check, from, at - from, err) < 0)
			return -1;
	}
	return 0;
}

/* Index entries FIRST to END-1 are those of one slot. */
static int check_slot(
	struct check *check, const struct index_entry *entry, size_t n, struct err *err)
{
	struct image_writer *writer = check->writer;
	uint64_t slot = entry->slot, lba = slot * writer->store.slot_blocks;
	uint32_t length = store_slot_length(&writer->store, slot);

	if (check_is_damaged(writer, slot)) {
		if (check_read_slot(writer, slot, check->plain, check->reads, err) < 0)
			return -1;
	} else {
		memset(check->reads, 0, length);
		for (size_t i = 0; i < n; i++)
			memset(check->reads + (entry[i].lba - lba), 1, entry[i].n_blocks);
	}
	return check_slot_reads(check, lba, length, err);
}

/* Good sectors of FROM … TO-1 are in no record at all. */
static int check_gap(struct check *check, uint64_t from, uint64_t to, struct err *err)
{
	struct block_range range;

	while (blockmap_next(check->writer->store.map, from, BLOCK_HAVE, &range) &&
		range.lba < to) {
		from = mem_min_u64(range.lba + range.n, to);
		if (check_put_back(check, range.lba, from - range.lba, err) < 0)
			return -1;
	}
	return 0;
}

static size_t same_slot(const struct index_entry *entry, size_t n)
{
	size_t end = 1;

	while (end < n && entry[end].slot == entry->slot)
		end++;
	return end;
}

static int check_map(struct check *check, struct err *err)
{
	struct store *store = &check->writer->store;
	uint64_t lba = 0;
	size_t n, group;
	const struct index_entry *entry = index_all(store->index, &n);

	for (size_t i = 0; i < n; i += group) {
		uint64_t begin = entry[i].slot * store->slot_blocks;

		group = same_slot(entry + i, n - i);
		if (check_gap(check, lba, begin, err) < 0 ||
			check_slot(check, entry + i, group, err) < 0)
			return -1;
		lba = begin + store_slot_length(store, entry[i].slot);
	}
	return check_gap(check, lba, store->info.n_blocks, err);
}

/* --- the digests --- */

/* The slot's part that the digests have not seen, and zeros up to it. */
static int check_hash_slot(struct check *check, uint64_t slot, struct err *err)
{
	struct image_writer *writer = check->writer;
	uint64_t begin = slot * writer->store.slot_blocks;
	uint32_t length = store_slot_length(&writer->store, slot), block = writer->sink.block_bytes;
	uint64_t from = mem_max_u64(begin, writer->hash_lba);
	uint64_t unseen = (begin + length - writer->hash_lba) * block;

	if (check_read_slot(writer, slot, check->plain, check->reads, err) < 0 ||
		check_slot_reads(check, begin, length, err) < 0 ||
		hasher_take_now(writer->hasher, (from - writer->hash_lba) * block,
			check->plain + (from - begin) * block, (begin + length - from) * block,
			err) < 0)
		return -1;
	writer->hash_lba = begin + length;
	return check_tell(check, unseen, err);
}

static int check_digests(struct check *check, struct err *err)
{
	struct image_writer *writer = check->writer;
	struct store *store = &writer->store;
	uint64_t zeros;
	size_t n;
	const struct index_entry *entry = index_all(store->index, &n);

	for (size_t i = 0; i < n; i += same_slot(entry + i, n - i)) {
		uint64_t end = entry[i].slot * store->slot_blocks +
			       store_slot_length(store, entry[i].slot);

		if (end > writer->hash_lba && check_hash_slot(check, entry[i].slot, err) < 0)
			return -1;
	}
	zeros = (store->info.n_blocks - writer->hash_lba) * store->info.block_bytes;
	writer->hash_lba = store->info.n_blocks;
	return hasher_take_now(writer->hasher, zeros, NULL, 0, err);
}

static int check_walks(struct check *check, bool digests, struct err *err)
{
	struct image_writer *writer = check->writer;

	if (!writer->checked && writer->began_at > 0 && check_file(check, err) < 0)
		return -1;
	writer->checked = true;
	if (check_map(check, err) < 0)
		return -1;
	if (digests && check->put_back == 0 && check_digests(check, err) < 0)
		return -1;
	if (check->put_back == 0)
		return 0;
	/* They will come from the drive: the digests must see them then. */
	writer->hash_lba = 0;
	return hasher_restart(writer->hasher, err);
}

int check_all(struct image_writer *writer, bool digests, const struct check_progress *progress,
	uint64_t *put_back, struct err *err)
{
	struct store *store = &writer->store;
	/* No slot is open now: one of their buffers has just the room. */
	struct slot_buffer *buffer = queue_take(writer->free_buffers);
	struct check check = {
		.writer = writer,
		.progress = progress,
		.all = writer->checked ? 0 : writer->began_at,
		.plain = buffer->bytes,
		.reads = buffer->covered,
	};
	int r;

	if (digests)
		check.all += (store->info.n_blocks - writer->hash_lba) * store->info.block_bytes;
	r = check_walks(&check, digests, err);
	queue_put(writer->free_buffers, buffer);
	*put_back = check.put_back;
	return r;
}

/* What is missing at the end of a pipe counts as zeros, as what was passed over before. */
int check_complete_pipe(struct image_writer *writer, struct err *err)
{
	const struct image_info *info = &writer->store.info;
	uint64_t left = (info->n_blocks - writer->hash_lba) * info->block_bytes;

	writer->hash_lba = info->n_blocks;
	return left > 0 ? hasher_take_now(writer->hasher, left, NULL, 0, err) : 0;
}

int image_writer_check(struct image_writer *writer, bool digests,
	int (*call)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	uint64_t *put_back, struct err *err)
{
	struct check_progress progress = {call, context};

	*put_back = 0;
	if (writer_settle(writer, err) < 0)
		return -1;
	if (writer->sink.in_order)
		return digests ? check_complete_pipe(writer, err) : 0;
	if (check_all(writer, digests && writer->options.hashes != 0, &progress, put_back, err) < 0)
		return err_prefix(err, "checking the image: ");
	return writer_drain(writer, err);
}

int image_writer_digests(struct image_writer *writer, unsigned int *hashes,
	uint8_t out[IMAGE_N_HASHES][32], struct err *err)
{
	*hashes = 0;
	if (writer->hash_lba < writer->store.info.n_blocks)
		return 0;
	if (hasher_so_far(writer->hasher, out, err) < 0)
		return -1;
	*hashes = writer->options.hashes;
	return 0;
}

uint64_t image_writer_read_back_bytes(const struct image_writer *writer)
{
	return writer->read_back;
}
