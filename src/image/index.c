/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the DATA records of each slot are: see index.h. */
#include "image/index.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "image/record.h"

struct index {
	uint32_t slot_blocks;

	/* What is in memory: everything, or the page read last. */
	struct index_entry *entry;
	size_t n, room;
	size_t n_dead; /* of these, entries that were replaced: no blocks, last in their slot */
	bool sorted;

	/* A sealed image's. */
	struct index_page *page;
	size_t n_pages, loaded; /* loaded: number of the page in memory, n_pages: none */
	int fd;
	struct index_limits limits;
	uint8_t uuid[16];
};

static int index_compare(const void *va, const void *vb)
{
	const struct index_entry *a = va, *b = vb;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void sort(struct index *index)
{
	if (!index->sorted && index->n > 0)
		qsort(index->entry, index->n, sizeof(*index->entry), index_compare);
	index->sorted = true;
}

static bool is_double(const struct index_entry *a, const struct index_entry *b)
{
	return a->offset == b->offset && a->lba == b->lba && a->n_blocks == b->n_blocks &&
	       a->length == b->length && a->plain_crc == b->plain_crc && a->encoding == b->encoding;
}

/* One record counts once, however often the sorted index names it. */
static void drop_doubles(struct index *index)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->n; i++) {
		if (kept == 0 || !is_double(&index->entry[kept - 1], &index->entry[i]))
			index->entry[kept++] = index->entry[i];
	}
	index->n = kept;
}

/* The first entry of SLOT or behind it. */
static size_t lower_bound(const struct index *index, uint64_t slot)
{
	size_t low = 0, high = index->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->entry[middle].slot < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t page_slot(const struct index *index, size_t number)
{
	return index->page[number].first_lba / index->slot_blocks;
}

/* A slot that stands on a page where nobody looks for it is a contradiction. */
static bool is_of_page(const struct index *index, size_t number, uint64_t slot)
{
	return slot >= page_slot(index, number) &&
	       (number + 1 == index->n_pages || slot < page_slot(index, number + 1));
}

static int load_page(struct index *index, size_t number, struct err *err)
{
	const struct index_page *page = &index->page[number];
	cleanup_free uint8_t *payload = NULL;
	struct index_entry *entry;
	struct record record;

	if (record_read_head(index->fd, page->offset, index->limits.file_bytes, index->uuid,
		    &record, err) < 0)
		return err_prefix(err, "index: ");
	if (record.type != UMS_TYPE_INDX ||
		record.length != (uint64_t)page->n_entries * UMS_INDEX_ENTRY_SIZE)
		return err_set(err, ERR_BAD_IMAGE,
			"index: the record at offset %" PRIu64 " is not the page it should be",
			page->offset);
	payload = record_read_payload(index->fd, &record, record.length, err);
	if (!payload)
		return err_prefix(err, "index: ");
	entry = reallocarray(index->entry, (size_t)page->n_entries + 1, sizeof(*entry));
	if (!entry)
		return err_memory(err, "reading the index");
	index->entry = entry;
	index->n = 0;
	index->loaded = index->n_pages;
	for (size_t i = 0; i < page->n_entries; i++) {
		index_entry_decode(payload + i * UMS_INDEX_ENTRY_SIZE, &entry[i]);
		entry[i].slot = entry[i].lba / index->slot_blocks;
		if (!index_entry_fits(&entry[i], &index->limits) ||
			!is_of_page(index, number, entry[i].slot))
			return err_set(err, ERR_BAD_IMAGE,
				"index: the page at offset %" PRIu64
				" names a run that is not of this drive, file or page",
				page->offset);
	}
	index->n = page->n_entries;
	/* The page's word is not taken for its order. */
	index->sorted = false;
	sort(index);
	drop_doubles(index);
	index->loaded = number;
	return 0;
}

/* Loads the page that SLOT would be in: a slot never stands in two.  For a slot before all pages
 * that is the first one. */
static int find_page(struct index *index, uint64_t slot, struct err *err)
{
	size_t low = 0, high = index->n_pages;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (page_slot(index, middle) <= slot)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		low--;
	return low == index->loaded ? 0 : load_page(index, low, err);
}

bool index_entry_fits(const struct index_entry *entry, const struct index_limits *limits)
{
	uint64_t end, file_end;

	return entry->n_blocks > 0 && mem_add_u64(entry->lba, entry->n_blocks, &end) &&
	       end <= limits->n_blocks &&
	       entry->lba / limits->slot_blocks == (end - 1) / limits->slot_blocks &&
	       entry->length >= UMS_DATA_HEAD_SIZE &&
	       mem_add_u64(
		       entry->offset, UMS_RECORD_HEAD_SIZE + (uint64_t)entry->length, &file_end) &&
	       file_end <= limits->file_bytes;
}

void index_entry_encode(const struct index_entry *entry, uint8_t out[UMS_INDEX_ENTRY_SIZE])
{
	memset(out, 0, UMS_INDEX_ENTRY_SIZE);
	put_le64(out + INDEX_LBA, entry->lba);
	put_le64(out + INDEX_OFFSET, entry->offset);
	put_le32(out + INDEX_N_BLOCKS, entry->n_blocks);
	put_le32(out + INDEX_LENGTH, entry->length);
	put_le32(out + INDEX_PLAIN_CRC, entry->plain_crc);
	out[INDEX_ENCODING] = entry->encoding;
}

void index_entry_decode(const uint8_t in[UMS_INDEX_ENTRY_SIZE], struct index_entry *entry)
{
	entry->lba = get_le64(in + INDEX_LBA);
	entry->offset = get_le64(in + INDEX_OFFSET);
	entry->n_blocks = get_le32(in + INDEX_N_BLOCKS);
	entry->length = get_le32(in + INDEX_LENGTH);
	entry->plain_crc = get_le32(in + INDEX_PLAIN_CRC);
	entry->encoding = in[INDEX_ENCODING];
}

struct index *index_new(uint32_t slot_blocks)
{
	struct index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	index->slot_blocks = slot_blocks;
	index->sorted = true;
	return index;
}

struct index *index_paged(const struct index_limits *limits, int fd, const uint8_t uuid[16],
	struct index_page *pages, size_t n)
{
	struct index *index = index_new(limits->slot_blocks);

	if (!index)
		return NULL;
	index->page = pages;
	index->n_pages = index->loaded = n;
	index->fd = fd;
	index->limits = *limits;
	memcpy(index->uuid, uuid, 16);
	return index;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	free(index->entry);
	free(index->page);
	free(index);
}

int index_add(struct index *index, const struct index_entry *entry)
{
	struct index_entry *last;

	if (mem_grow(&index->entry, index->n, &index->room, sizeof(*entry)) < 0)
		return -1;
	last = &index->entry[index->n];
	*last = *entry;
	last->slot = entry->lba / index->slot_blocks;
	index->sorted = index->sorted && (index->n == 0 || index_compare(last - 1, last) < 0);
	index->n++;
	return 0;
}

int index_slot(struct index *index, uint64_t slot, const struct index_entry **entry, size_t *n,
	struct err *err)
{
	size_t first, end;

	if (index->n_pages > 0 && find_page(index, slot, err) < 0)
		return -1;
	sort(index);
	first = end = lower_bound(index, slot);
	while (end < index->n && index->entry[end].slot == slot && index->entry[end].n_blocks > 0)
		end++;
	*entry = end > first ? index->entry + first : NULL;
	*n = end - first;
	return 0;
}

/* As index_next_slot(), in what is in memory. */
static bool next_in_memory(struct index *index, uint64_t slot, uint64_t *next)
{
	size_t i;

	sort(index);
	i = lower_bound(index, slot);
	while (i < index->n && index->entry[i].n_blocks == 0)
		i++; /* replaced */
	if (i == index->n)
		return false;
	*next = index->entry[i].slot;
	return true;
}

int index_next_slot(
	struct index *index, uint64_t slot, uint64_t *next, bool *found, struct err *err)
{
	*found = false;
	if (index->n_pages > 0 && find_page(index, slot, err) < 0)
		return -1;
	while (!(*found = next_in_memory(index, slot, next))) {
		if (index->n_pages == 0 || index->loaded + 1 >= index->n_pages)
			return 0;
		if (load_page(index, index->loaded + 1, err) < 0)
			return -1;
	}
	return 0;
}

/* Forgets the dead for good: all at once, for many slots may have been replaced. */
static void bury_dead(struct index *index)
{
	size_t kept = 0;

	for (size_t i = 0; index->n_dead > 0 && i < index->n; i++) {
		if (index->entry[i].n_blocks > 0)
			index->entry[kept++] = index->entry[i];
	}
	if (index->n_dead > 0)
		index->n = kept;
	index->n_dead = 0;
}

const struct index_entry *index_all(struct index *index, size_t *n)
{
	bury_dead(index);
	sort(index);
	*n = index->n;
	return index->entry;
}

bool index_pages_fit(const struct index_page *pages, size_t n, const struct index_limits *limits)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		bytes += UMS_RECORD_HEAD_SIZE + (uint64_t)pages[i].n_entries * UMS_INDEX_ENTRY_SIZE;
		if (bytes > limits->file_bytes)
			return false;
		if (i > 0 && pages[i].first_lba / limits->slot_blocks <=
				     pages[i - 1].first_lba / limits->slot_blocks)
			return false;
	}
	return true;
}

static int compare_offsets(const void *va, const void *vb)
{
	const struct index_entry *a = va, *b = vb;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

bool index_settle(struct index *index)
{
	uint64_t end = 0;

	bury_dead(index);
	if (index->n == 0)
		return true;
	qsort(index->entry, index->n, sizeof(*index->entry), compare_offsets);
	drop_doubles(index);
	index->sorted = false;
	for (size_t i = 0; i < index->n; i++) {
		if (index->entry[i].offset < end)
			return false;
		end = index->entry[i].offset + UMS_RECORD_HEAD_SIZE + index->entry[i].length;
	}
	return true;
}

/* Of the entries FIRST … END-1 of one slot: the last one that holds all that any of them holds, or
 * FIRST. */
static size_t last_whole(const struct index *index, size_t first, size_t end)
{
	uint64_t from = UINT64_MAX, to = 0;

	for (size_t i = first; i < end; i++) {
		from = mem_min_u64(from, index->entry[i].lba);
		to = mem_max_u64(to, index->entry[i].lba + index->entry[i].n_blocks);
	}
	for (size_t i = end; i-- > first;) {
		if (index->entry[i].lba == from &&
			index->entry[i].lba + index->entry[i].n_blocks == to)
			return i;
	}
	return first;
}

void index_drop_covered(struct index *index)
{
	size_t kept = 0, end;

	bury_dead(index);
	sort(index);
	for (size_t i = 0; i < index->n; i = end) {
		for (end = i; end < index->n && index->entry[end].slot == index->entry[i].slot;
			end++)
			;
		i = last_whole(index, i, end);
		memmove(index->entry + kept, index->entry + i, (end - i) * sizeof(*index->entry));
		kept += end - i;
	}
	index->n = kept;
}

int index_replace(struct index *index, uint64_t slot, const struct index_entry *entry)
{
	size_t first;

	sort(index);
	first = lower_bound(index, slot);
	if (first == index->n || index->entry[first].slot != slot)
		return index_add(index, entry);
	index->entry[first] = *entry;
	index->entry[first].slot = slot;
	for (size_t i = first + 1; i < index->n && index->entry[i].slot == slot; i++) {
		index->n_dead += index->entry[i].n_blocks > 0;
		index->entry[i].n_blocks = 0;
		index->entry[i].offset = UINT64_MAX;
	}
	return 0;
}
