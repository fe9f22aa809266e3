/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots that are being filled: see slots.h.
 *
 * A slot may be sent in several pieces, when a checkpoint wants all that is there.  So each sector
 * has a mark of its own: not committed, committed, sent.  The digests do not depend on when a piece
 * is sent: they go on from `hash_lba` over all sectors that were committed without a gap.  Through
 * a pipe nothing comes later for a place that was passed, so there a gap counts as zeros as soon as
 * a sector behind it is committed.
 */
#include "image/slots.h"

#include <string.h>

#include "base/mem.h"
#include "image/jobs.h"
#include "image/writer.h"

enum slot_mark { SLOT_EMPTY = 0, SLOT_COMMITTED = 1, SLOT_SENT = 2 };

static uint64_t slot_begin(const struct image_writer *writer, const struct open_slot *slot)
{
	return slot->number * writer->store.slot_blocks;
}

/* The open slot NUMBER; NULL when it is not open. */
static struct open_slot *slot_find(struct image_writer *writer, uint64_t number)
{
	for (unsigned int i = 0; i < writer->n_open; i++) {
		if (writer->open[i].number == number)
			return &writer->open[i];
	}
	return NULL;
}

/* The first sector of SLOT from index I on that is marked, or the slot's length. */
static uint32_t slot_next_marked(
	const struct image_writer *writer, const struct open_slot *slot, uint32_t i)
{
	uint32_t length = store_slot_length(&writer->store, slot->number);

	while (i < length && slot->buffer->covered[i] == SLOT_EMPTY)
		i++;
	return i;
}

static uint32_t slot_end_of_marked(
	const struct image_writer *writer, const struct open_slot *slot, uint32_t i)
{
	uint32_t length = store_slot_length(&writer->store, slot->number);
	const uint8_t *end = memchr(slot->buffer->covered + i, SLOT_EMPTY, length - i);

	return end ? (uint32_t)(end - slot->buffer->covered) : length;
}

/* Gives SLOT's sectors to the hasher as far as the order of the digests allows. */
static void slot_hash(struct image_writer *writer, struct open_slot *slot)
{
	uint64_t begin = slot_begin(writer, slot), block = writer->sink.block_bytes;
	uint32_t length = store_slot_length(&writer->store, slot->number);

	while (writer->hash_lba < begin + length) {
		uint64_t from = mem_max_u64(writer->hash_lba, begin);
		uint32_t first = slot_next_marked(writer, slot, (uint32_t)(from - begin)), end;

		if (first == length || (begin + first > writer->hash_lba && !writer->sink.in_order))
			return;
		end = slot_end_of_marked(writer, slot, first);
		atomic_fetch_add(&slot->buffer->users, 1);
		hasher_give(writer->hasher, (begin + first - writer->hash_lba) * block,
			slot->buffer->bytes + first * block, (end - first) * block, slot->buffer);
		writer->hash_lba = begin + end;
	}
}

/* One job for each run of sectors that were committed, not yet sent, and have one state. */
static void slot_send(struct image_writer *writer, struct open_slot *slot)
{
	uint64_t begin = slot_begin(writer, slot);
	uint32_t length = store_slot_length(&writer->store, slot->number);
	uint8_t *covered = slot->buffer->covered;
	uint32_t i = 0;

	while (i < length) {
		struct block_range range;
		uint32_t first = i;
		uint64_t end;

		if (covered[i] != SLOT_COMMITTED) {
			i++;
			continue;
		}
		range = blockmap_at(writer->store.map, begin + i);
		end = mem_min_u64(range.lba + range.n, begin + length);
		while (begin + i < end && covered[i] == SLOT_COMMITTED)
			covered[i++] = SLOT_SENT;
		range.lba = begin + first;
		range.n = i - first;
		jobs_submit_data(writer, slot->buffer, &range,
			slot->buffer->bytes + (size_t)first * writer->sink.block_bytes);
	}
}

void slots_send(struct image_writer *writer)
{
	for (unsigned int i = 0; i < writer->n_open; i++) {
		slot_hash(writer, &writer->open[i]);
		slot_send(writer, &writer->open[i]);
	}
}

/* Sends slot number I of those that are open, and closes it.  Through a pipe those before it go
 * first, and for the digests too: they are open because of room that nobody will commit. */
static void slot_close(struct image_writer *writer, unsigned int i)
{
	for (unsigned int j = 0; j <= i; j++)
		slot_hash(writer, &writer->open[j]);
	for (unsigned int j = writer->sink.in_order ? 0 : i; j <= i; j++)
		slot_send(writer, &writer->open[j]);
	jobs_release(writer, writer->open[i].buffer);
	writer->n_open--;
	memmove(writer->open + i, writer->open + i + 1,
		(writer->n_open - i) * sizeof(*writer->open));
}

void slots_close(struct image_writer *writer)
{
	while (writer->n_open > 0)
		slot_close(writer, 0);
}

/* Those in which nothing is reserved while a place in another one was reserved later. */
static void slots_close_left(struct image_writer *writer)
{
	for (unsigned int i = 0; i < writer->n_open;) {
		if (writer->open[i].reserved == 0 && writer->open[i].number != writer->newest)
			slot_close(writer, i);
		else
			i++;
	}
}

static struct open_slot *slot_open(struct image_writer *writer, uint64_t number)
{
	unsigned int i = writer->n_open;
	struct open_slot *slot;

	while (i > 0 && writer->open[i - 1].number > number)
		i--;
	memmove(writer->open + i + 1, writer->open + i,
		(writer->n_open - i) * sizeof(*writer->open));
	writer->n_open++;
	slot = &writer->open[i];
	*slot = (struct open_slot){.number = number, .buffer = queue_take(writer->free_buffers)};
	atomic_store(&slot->buffer->users, 1);
	memset(slot->buffer->covered, SLOT_EMPTY, writer->store.slot_blocks);
	return slot;
}

/* Lie all N sectors in the slot that LBA lies in? */
static bool slot_holds(const struct image_writer *writer, uint64_t lba, uint32_t n)
{
	uint64_t number = lba / writer->store.slot_blocks;

	return n > 0 && lba < writer->store.info.n_blocks &&
	       lba - number * writer->store.slot_blocks + n <=
		       store_slot_length(&writer->store, number);
}

uint8_t *slots_reserve(struct image_writer *writer, uint64_t lba, uint32_t n, struct err *err)
{
	uint64_t number = lba / writer->store.slot_blocks;
	struct open_slot *slot;

	if (!slot_holds(writer, lba, n)) {
		err_set(err, ERR_OTHER, "room was reserved that does not lie in one slot");
		return NULL;
	}
	writer->newest = number;
	slots_close_left(writer);
	slot = slot_find(writer, number);
	if (!slot && writer->n_open == writer->sink.most_open) {
		err_set(err, ERR_OTHER, "room in more than %u slots was reserved at once",
			writer->sink.most_open);
		return NULL;
	}
	if (!slot)
		slot = slot_open(writer, number);
	slot->reserved++;
	return slot->buffer->bytes +
	       (size_t)(lba - slot_begin(writer, slot)) * writer->sink.block_bytes;
}

int slots_commit(struct image_writer *writer, uint64_t lba, uint32_t n, struct err *err)
{
	struct open_slot *slot = slot_find(writer, lba / writer->store.slot_blocks);

	if (!slot || slot->reserved == 0 || !slot_holds(writer, lba, n))
		return err_set(err, ERR_OTHER, "sectors were committed that were not reserved");
	memset(slot->buffer->covered + (lba - slot_begin(writer, slot)), SLOT_COMMITTED, n);
	return 0;
}

int slots_release(struct image_writer *writer, uint64_t lba, struct err *err)
{
	struct open_slot *slot = slot_find(writer, lba / writer->store.slot_blocks);

	if (!slot || slot->reserved == 0)
		return err_set(err, ERR_OTHER, "room was released that was not reserved");
	slot->reserved--;
	slots_close_left(writer);
	return 0;
}

void slots_forget(struct image_writer *writer, uint64_t lba, uint64_t n)
{
	for (unsigned int i = 0; i < writer->n_open; i++) {
		uint64_t begin = slot_begin(writer, &writer->open[i]);
		uint64_t from = mem_max_u64(lba, begin);
		uint64_t to = mem_min_u64(lba + n, begin + writer->store.slot_blocks);

		if (from < to)
			memset(writer->open[i].buffer->covered + (from - begin), SLOT_EMPTY,
				(size_t)(to - from));
	}
}

uint32_t slots_copy(struct image_writer *writer, uint64_t lba, uint32_t n, uint8_t *data)
{
	size_t block = writer->sink.block_bytes;
	uint32_t copied = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct open_slot *slot = slot_find(writer, (lba + i) / writer->store.slot_blocks);
		size_t at;

		if (!slot)
			continue;
		at = (size_t)(lba + i - slot_begin(writer, slot));
		if (slot->buffer->covered[at] == SLOT_EMPTY)
			continue;
		memcpy(data + i * block, slot->buffer->bytes + at * block, block);
		copied++;
	}
	return copied;
}
