/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening an image: see load.h. */
#include "image/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/find.h"
#include "image/record.h"
#include "image/scan.h"
#include "proto/udif.h"

static bool seal_at(const struct store *store, uint64_t offset, bool udif, struct seal *seal)
{
	cleanup_free uint8_t *p = NULL;
	struct record record;

	if (record_read_head(store->fd, offset, store->info.file_bytes, store->info.uuid, &record,
		    NULL) < 0 ||
		record.type != UMS_TYPE_SEAL || record.length != UMS_SEAL_SIZE)
		return false;
	p = record_read_payload(store->fd, &record, UMS_SEAL_SIZE, NULL);
	if (!p || udif != ((get_le32(p + SEAL_FLAGS) & UMS_SEAL_FLAG_UDIF) != 0))
		return false;
	seal->offset = offset;
	seal->generation = get_le32(p + SEAL_GENERATION);
	seal->flags = get_le32(p + SEAL_FLAGS);
	seal->root = get_le64(p + SEAL_ROOT);
	seal->map = get_le64(p + SEAL_MAP);
	seal->ckpt = get_le64(p + SEAL_CKPT);
	seal->file_crc = get_le32(p + SEAL_FILE_CRC);
	seal->hashes = get_le32(p + SEAL_HASHES);
	memcpy(seal->sha256, p + SEAL_SHA256, sizeof(seal->sha256));
	memcpy(seal->md5, p + SEAL_MD5, sizeof(seal->md5));
	memcpy(seal->sha1, p + SEAL_SHA1, sizeof(seal->sha1));
	for (size_t i = 0; i < BLOCK_STATES; i++)
		seal->counts[i] = get_le64(p + SEAL_COUNTS + 8 * i);
	seal->stored = get_le64(p + SEAL_STORED);
	return true;
}

bool load_find_seal(const struct store *store, struct seal *seal)
{
	uint64_t end = store->info.file_bytes;
	uint8_t koly[UDIF_KOLY_SIZE];

	if (end < UMS_SEAL_TOTAL_SIZE)
		return false;
	if (file_read_at(store->fd, koly, sizeof(koly), end - sizeof(koly)) == sizeof(koly) &&
		memcmp(koly + KOLY_MAGIC, "koly", 4) == 0) {
		uint64_t xml = get_be64(koly + KOLY_XML_OFFSET);

		return xml >= UMS_SEAL_TOTAL_SIZE && xml <= end &&
		       seal_at(store, xml - UMS_SEAL_TOTAL_SIZE, true, seal);
	}
	return seal_at(store, end - UMS_SEAL_TOTAL_SIZE, false, seal);
}

static void load_take_seal(struct store *store, const struct seal *seal)
{
	struct image_info *info = &store->info;

	info->sealed = true;
	info->generation = seal->generation;
	info->udif = seal->flags & UMS_SEAL_FLAG_UDIF;
	info->hashes = seal->hashes;
	info->stored_bytes = seal->stored;
	memcpy(info->digest[0], seal->sha256, sizeof(seal->sha256));
	memcpy(info->digest[1], seal->md5, sizeof(seal->md5));
	memcpy(info->digest[2], seal->sha1, sizeof(seal->sha1));
	store->last_seal = seal->offset;
}

/* The map of a sealed image. */
static int load_map(struct store *store, uint64_t offset, struct err *err)
{
	cleanup_free uint8_t *payload = NULL;
	uint64_t length;

	payload = store_record_read(store, offset, UMS_TYPE_MAPS, &length, err);
	if (!payload)
		return err_prefix(err, "block map: ");
	if (length % UMS_MAP_ENTRY_SIZE != 0)
		return err_set(
			err, ERR_BAD_IMAGE, "the block map at offset %" PRIu64 " is cut", offset);
	return scan_take_map(store, payload, length / UMS_MAP_ENTRY_SIZE, offset, err);
}

static int take_pages(struct store *store, const uint8_t *p, uint32_t n, struct err *err)
{
	struct index_limits limits = store_limits(store);
	struct index_page *page = calloc((size_t)n + 1, sizeof(*page));

	if (!page)
		return err_memory(err, "opening the image");
	for (uint32_t i = 0; i < n; i++, p += UMS_ROOT_PAGE_SIZE) {
		page[i].first_lba = get_le64(p + PAGE_FIRST_LBA);
		page[i].offset = get_le64(p + PAGE_OFFSET);
		page[i].n_entries = get_le32(p + PAGE_N_ENTRIES);
	}
	if (!index_pages_fit(page, n, &limits)) {
		free(page);
		return err_set(err, ERR_BAD_IMAGE,
			"the index root's pages are not in order, or more than the file holds");
	}
	store->index = index_paged(&limits, store->fd, store->info.uuid, page, n);
	if (!store->index) {
		free(page);
		return err_memory(err, "opening the image");
	}
	return 0;
}

/* The pages of the index and the references of a sealed image. */
static int load_root(struct store *store, uint64_t offset, struct err *err)
{
	cleanup_free uint8_t *p = NULL;
	uint64_t length, pages, refs;

	p = store_record_read(store, offset, UMS_TYPE_ROOT, &length, err);
	if (!p)
		return err_prefix(err, "index root: ");
	if (length < UMS_ROOT_HEAD_SIZE)
		return err_set(
			err, ERR_BAD_IMAGE, "the index root at offset %" PRIu64 " is cut", offset);
	pages = get_le32(p + ROOT_N_PAGES);
	refs = get_le32(p + ROOT_N_REFS);
	if (length != UMS_ROOT_HEAD_SIZE + pages * UMS_ROOT_PAGE_SIZE + refs * UMS_REF_SIZE)
		return err_set(err, ERR_BAD_IMAGE,
			"the index root at offset %" PRIu64 " contradicts itself", offset);
	if (scan_take_refs(store, p + UMS_ROOT_HEAD_SIZE + pages * UMS_ROOT_PAGE_SIZE, refs, err) <
		0)
		return -1;
	refs_settle(&store->refs);
	return take_pages(store, p + UMS_ROOT_HEAD_SIZE, (uint32_t)pages, err);
}

static int load_head(struct store *store, struct err *err)
{
	cleanup_free uint8_t *payload = NULL;
	uint8_t head[UMS_RECORD_HEAD_SIZE];
	struct record record;

	if (file_read_at(store->fd, head, sizeof(head), 0) != sizeof(head) ||
		get_le32(head + REC_MAGIC) != UMS_RECORD_MAGIC ||
		get_le32(head + REC_TYPE) != UMS_TYPE_HEAD)
		return err_set(err, ERR_NO_IMAGE, "not a umsctl image");
	memcpy(store->info.uuid, head + REC_UUID, 16);
	if (record_read_head(store->fd, 0, store->info.file_bytes, NULL, &record, err) < 0)
		return err_prefix(err, "the image's header is damaged or cut: ");
	payload = record_read_payload(store->fd, &record, 1u << 20, err);
	if (!payload)
		return -1;
	store->begin = record_end(&record);
	return store_head_decode(store, payload, record.length, err);
}

/* Index and map of an unsealed image, or of one to be written to. */
static int load_records(struct store *store, uint64_t last_ckpt, struct err *err)
{
	if (last_ckpt == 0)
		last_ckpt = find_last_checkpoint(store);
	if (last_ckpt != 0 && scan_chain(store, last_ckpt, NULL) == 0)
		return scan_records(store, store->tail, err);
	/* No checkpoint, or a broken chain: every record speaks for itself. */
	store->chain_broken = true;
	if (scan_reset(store, err) < 0)
		return -1;
	return scan_records(store, store->begin, err);
}

/* The first damage that is met is the one to tell; lack of memory is none. */
static bool load_note_damage(struct store *store, const struct err *failure, struct err *err)
{
	if (failure->kind == ERR_NO_MEMORY) {
		if (err)
			*err = *failure;
		return false;
	}
	if (!store->info.damaged)
		store->damage = *failure;
	store->info.damaged = true;
	return true;
}

/* The same image as checkpoints and records tell it; SEAL names the last checkpoint. */
static int load_aside(
	struct store *aside, const struct store *store, const struct seal *seal, struct err *err)
{
	*aside = (struct store){.fd = store->fd,
		.info = store->info,
		.begin = store->begin,
		.slot_blocks = store->slot_blocks};
	if (scan_reset(aside, err) < 0 || load_records(aside, seal->ckpt, err) < 0)
		return -1;
	refs_settle(&aside->refs);
	index_drop_covered(aside->index);
	return 0;
}

static void free_aside(struct store *aside)
{
	blockmap_free(aside->map);
	index_free(aside->index);
	free(aside->refs.ref);
}

static void take_aside_index(struct store *store, struct store *aside)
{
	index_free(store->index);
	store->index = aside->index;
	aside->index = NULL;
}

/* Instead of a damaged ROOT: index and references.  Instead of a damaged MAPS: the map. */
static int load_instead(
	struct store *store, const struct seal *seal, bool root, bool map, struct err *err)
{
	struct store aside;
	int r = load_aside(&aside, store, seal, err);

	if (r == 0 && root) {
		struct refs refs = store->refs;

		take_aside_index(store, &aside);
		store->refs = aside.refs;
		aside.refs = refs;
	}
	if (r == 0 && map) {
		struct blockmap *damaged = store->map;

		store->map = aside.map;
		aside.map = damaged;
	}
	free_aside(&aside);
	return r;
}

static int load_for_reading(struct store *store, const struct seal *seal, struct err *err)
{
	struct err failure;
	bool root, map;

	load_take_seal(store, seal);
	root = load_root(store, seal->root, &failure) == 0;
	if (!root && !load_note_damage(store, &failure, err))
		return -1;
	map = load_map(store, seal->map, &failure) == 0;
	if (!map && !load_note_damage(store, &failure, err))
		return -1;
	return root && map ? 0 : load_instead(store, seal, !root, !map, err);
}

/* Instead of an index of which a page is damaged, as FAILURE says. */
static int load_index_instead(struct store *store, const struct err *failure, struct err *err)
{
	struct store aside;
	struct seal seal;
	int r;

	if (!load_note_damage(store, failure, err))
		return -1;
	if (!load_find_seal(store, &seal))
		return err_set(err, ERR_BAD_IMAGE, "the image's footer is gone");
	r = load_aside(&aside, store, &seal, err);
	/* Only the index: others may hold on to the map, which is good. */
	if (r == 0)
		take_aside_index(store, &aside);
	free_aside(&aside);
	return r;
}

int load_slot(struct store *store, uint64_t slot, const struct index_entry **entry, size_t *n,
	struct err *err)
{
	struct err failure;

	if (index_slot(store->index, slot, entry, n, &failure) == 0)
		return 0;
	if (load_index_instead(store, &failure, err) < 0)
		return -1;
	return index_slot(store->index, slot, entry, n, err);
}

int load_next_slot(struct store *store, uint64_t slot, uint64_t *next, bool *found, struct err *err)
{
	struct err failure;

	if (index_next_slot(store->index, slot, next, found, &failure) < 0 &&
		(load_index_instead(store, &failure, err) < 0 ||
			index_next_slot(store->index, slot, next, found, err) < 0))
		return -1;
	*found = *found && *next < store_n_slots(store);
	return 0;
}

int load_store(struct store *store, bool for_writing, struct err *err)
{
	struct stat st;
	struct seal seal;
	bool sealed;

	if (fstat(store->fd, &st) < 0)
		return err_sys(err, errno, "cannot look at the image");
	store->info.file_bytes = (uint64_t)st.st_size;
	if (load_head(store, err) < 0 || store_prepare(store, err) < 0)
		return -1;
	sealed = load_find_seal(store, &seal);
	if (sealed && !for_writing)
		return load_for_reading(store, &seal, err);
	store->info.cut = !sealed;
	store->index = index_new(store->slot_blocks);
	if (!store->index)
		return err_memory(err, "opening the image");
	if (load_records(store, sealed ? seal.ckpt : 0, err) < 0)
		return -1;
	refs_settle(&store->refs);
	/* What a seal wrote once more as a whole is not scattered any more. */
	index_drop_covered(store->index);
	if (!for_writing)
		return 0;
	if (!sealed)
		return store_file_crc(
			store->fd, store->last_ckpt, store->tail, &store->tail_crc, err);
	load_take_seal(store, &seal);
	store->tail = store->info.file_bytes;
	store->tail_crc = seal.file_crc;
	return store_file_crc(store->fd, seal.offset, store->tail, &store->tail_crc, err);
}
