/* SPDX-License-Identifier: BSD-2-Clause */
/* What a seal still says of an image whose checkpoints are damaged: see recover.h. */
#include "image/recover.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "image/load.h"
#include "image/record.h"
#include "image/scan.h"

/* The map of the seal, if it can be read and fits the drive. */
static int recover_map(struct store *store, uint64_t offset, struct err *err)
{
	cleanup_free uint8_t *payload = NULL;
	struct blockmap *before = store->map;
	struct err failure = {0};
	uint64_t length;

	payload = store_record_read(store, offset, UMS_TYPE_MAPS, &length, NULL);
	if (!payload || length % UMS_MAP_ENTRY_SIZE != 0)
		return 0;
	store->map = blockmap_new(store->info.n_blocks);
	if (store->map &&
		scan_take_map(store, payload, length / UMS_MAP_ENTRY_SIZE, offset, &failure) == 0) {
		blockmap_free(before);
		return 0;
	}
	blockmap_free(store->map);
	store->map = before;
	return failure.kind == ERR_BAD_IMAGE ? 0 : err_memory(err, "opening the image");
}

/* The page's records into INDEX; false when it cannot be read or contradicts itself. */
static bool recover_page(
	struct store *store, struct index *index, const uint8_t *page, struct err *err)
{
	struct index_limits limits = store_limits(store);
	cleanup_free uint8_t *payload = NULL;
	uint32_t n = get_le32(page + PAGE_N_ENTRIES);
	struct index_entry entry;
	uint64_t length;

	payload = store_record_read(
		store, get_le64(page + PAGE_OFFSET), UMS_TYPE_INDX, &length, NULL);
	if (!payload || n == 0 || length != (uint64_t)n * UMS_INDEX_ENTRY_SIZE)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		index_entry_decode(payload + (size_t)i * UMS_INDEX_ENTRY_SIZE, &entry);
		if (!index_entry_fits(&entry, &limits))
			return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		index_entry_decode(payload + (size_t)i * UMS_INDEX_ENTRY_SIZE, &entry);
		if (index_add(index, &entry) < 0) {
			err_memory(err, "opening the image");
			return false;
		}
	}
	return true;
}

/* Those of the records found one by one whose slots lie in FIRST … END-1, which no page tells of.
 */
static int recover_found(
	struct store *store, struct index *index, uint64_t first, uint64_t end, struct err *err)
{
	size_t n;
	const struct index_entry *entry = index_all(store->index, &n);

	for (size_t i = 0; i < n; i++) {
		if (entry[i].slot >= first && entry[i].slot < end &&
			index_add(index, &entry[i]) < 0)
			return err_memory(err, "opening the image");
	}
	return 0;
}

/* Page after page, which are in order; for what lies between two that can be read, what was found.
 */
static int recover_pages(
	struct store *store, struct index *index, const uint8_t *page, uint64_t n, struct err *err)
{
	uint64_t missing_from = 0;

	for (uint64_t i = 0; i < n; i++, page += UMS_ROOT_PAGE_SIZE) {
		uint64_t first = get_le64(page + PAGE_FIRST_LBA) / store->slot_blocks;
		uint64_t end = i + 1 < n ? get_le64(page + UMS_ROOT_PAGE_SIZE + PAGE_FIRST_LBA) /
						   store->slot_blocks
					 : UINT64_MAX;
		struct err failure = {0};

		if (!recover_page(store, index, page, &failure)) {
			if (failure.kind == ERR_NO_MEMORY)
				return err_memory(err, "opening the image");
			continue;
		}
		if (recover_found(store, index, missing_from, first, err) < 0)
			return -1;
		missing_from = end;
	}
	return recover_found(store, index, missing_from, UINT64_MAX, err);
}

static int recover_refs(struct store *store, const uint8_t *p, uint64_t n, struct err *err)
{
	store->refs.n = 0;
	if (scan_take_refs(store, p, n, err) < 0)
		return -1;
	refs_settle(&store->refs);
	return 0;
}

/* Are the N pages at P in order, and no more than the file can hold?  -1 when memory is out. */
static int pages_fit(const struct store *store, const uint8_t *p, uint64_t n)
{
	struct index_limits limits = store_limits(store);
	cleanup_free struct index_page *page = calloc(n + 1, sizeof(*page));

	if (!page)
		return -1;
	for (uint64_t i = 0; i < n; i++, p += UMS_ROOT_PAGE_SIZE) {
		page[i].first_lba = get_le64(p + PAGE_FIRST_LBA);
		page[i].offset = get_le64(p + PAGE_OFFSET);
		page[i].n_entries = get_le32(p + PAGE_N_ENTRIES);
	}
	return index_pages_fit(page, n, &limits);
}

static int recover_root(struct store *store, uint64_t offset, struct err *err)
{
	cleanup_free uint8_t *root = NULL;
	uint64_t length, pages, refs;
	struct index *index;
	int fit;

	root = store_record_read(store, offset, UMS_TYPE_ROOT, &length, NULL);
	if (!root || length < UMS_ROOT_HEAD_SIZE)
		return 0;
	pages = get_le32(root + ROOT_N_PAGES);
	refs = get_le32(root + ROOT_N_REFS);
	if (length != UMS_ROOT_HEAD_SIZE + pages * UMS_ROOT_PAGE_SIZE + refs * UMS_REF_SIZE)
		return 0;
	fit = pages_fit(store, root + UMS_ROOT_HEAD_SIZE, pages);
	if (fit <= 0)
		return fit == 0 ? 0 : err_memory(err, "opening the image");
	index = index_new(store->slot_blocks);
	if (!index)
		return err_memory(err, "opening the image");
	if (recover_pages(store, index, root + UMS_ROOT_HEAD_SIZE, pages, err) < 0) {
		index_free(index);
		return -1;
	}
	index_free(store->index);
	store->index = index;
	return recover_refs(
		store, root + UMS_ROOT_HEAD_SIZE + pages * UMS_ROOT_PAGE_SIZE, refs, err);
}

int recover_from_seal(struct store *store, struct err *err)
{
	struct seal seal;

	if (!load_find_seal(store, &seal))
		return 0;
	if (recover_map(store, seal.map, err) < 0)
		return -1;
	return recover_root(store, seal.root, err);
}
