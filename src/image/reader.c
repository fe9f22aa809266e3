/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading an image: see image.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/image.h"
#include "image/load.h"
#include "image/reader.h"

struct image *image_open(const char *path, struct err *err)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image) {
		err_memory(err, "opening the image");
		return NULL;
	}
	image->store.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->store.fd < 0)
		err_sys(err, errno, "cannot open the image");
	else if (load_store(&image->store, false, err) == 0)
		return image;
	image_close(image);
	return NULL;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	store_clear(&image->store);
	free(image);
}

const struct image_info *image_info(const struct image *image)
{
	return &image->store.info;
}

const struct blockmap *image_map(const struct image *image)
{
	return image->store.map;
}

const char *image_damage(const struct image *image)
{
	return image->store.info.damaged ? image->store.damage.text : "";
}

/* Sectors that were lost go into the image's own map, and on to the caller. */
struct reader_loss {
	struct blockmap *map;
	image_lose *lose;
	void *context;
	bool out_of_memory;
};

static void reader_lose(void *context, const struct image_lost *lost)
{
	struct reader_loss *loss = context;
	uint64_t end = lost->lba + lost->n_blocks;
	struct block_range range;

	for (uint64_t lba = lost->lba;
		blockmap_next(loss->map, lba, BLOCK_HAVE, &range) && range.lba < end;
		lba = range.lba + range.n) {
		range.n = mem_min_u64(range.n, end - range.lba);
		if (blockmap_set(loss->map, range.lba, range.n, BLOCK_UNTRIED, NULL) < 0) {
			loss->out_of_memory = true;
			return;
		}
	}
	loss->lose(loss->context, lost);
}

int reader_read(struct image *image, uint64_t offset, size_t len, void *data, image_lose *lose,
	void *context, struct err *err)
{
	struct reader_loss loss = {.map = image->store.map, .lose = lose, .context = context};

	if (store_read_checked(
		    &image->store, offset, len, data, lose ? reader_lose : NULL, &loss, err) < 0)
		return -1;
	return loss.out_of_memory ? err_memory(err, "reading the image") : 0;
}

int reader_check_unrecorded(struct image *image, uint64_t lba, uint64_t end, image_lose *lose,
	void *context, struct err *err)
{
	struct reader_loss loss = {.map = image->store.map, .lose = lose, .context = context};

	if (store_check_slot(
		    &image->store, lba, end, NULL, 0, lose ? reader_lose : NULL, &loss, err) < 0)
		return -1;
	return loss.out_of_memory ? err_memory(err, "reading the image") : 0;
}

/* Bytes of the drive only: what is behind them in its last sector belongs to nobody. */
static int check_bounds(const struct image *image, uint64_t offset, size_t len, struct err *err)
{
	uint64_t end;

	if (!mem_add_u64(offset, len, &end) || end > image->store.info.size_bytes)
		return err_set(err, ERR_USAGE, "a read past the end of the drive");
	return 0;
}

int image_read(struct image *image, uint64_t offset, size_t len, void *data, struct err *err)
{
	if (check_bounds(image, offset, len, err) < 0)
		return -1;
	return reader_read(image, offset, len, data, NULL, NULL, err);
}

int image_salvage(struct image *image, uint64_t offset, size_t len, void *data, image_lose *lose,
	void *context, struct err *err)
{
	uint32_t block = image->store.info.block_bytes;
	uint64_t end = offset + len;

	if (check_bounds(image, offset, len, err) < 0)
		return -1;
	if (offset % block != 0 || (end % block != 0 && end != image->store.info.size_bytes))
		return err_set(err, ERR_USAGE, "salvage of a part of a sector");
	return reader_read(image, offset, len, data, lose, context, err);
}

struct named {
	char *name;
	size_t ref;
};

static int compare_named(const void *va, const void *vb)
{
	const struct named *a = va, *b = vb;
	int order = strcmp(a->name, b->name);

	return order ? order : a->ref < b->ref ? -1 : a->ref > b->ref;
}

/* Calls FUNC for reference I, which is the newest blob of its name. */
static int give_blob(struct store *store, size_t i,
	int (*func)(void *context, const char *name, const void *bytes, size_t len), void *context,
	struct err *err)
{
	cleanup_free uint8_t *payload = NULL;
	const uint8_t *bytes;
	char name[256];
	size_t len;

	if (store_blob_read(store, i, &payload, name, &bytes, &len, err) < 0)
		return -1;
	return func(context, name, bytes, len);
}

/* Sets NEWEST[i] for each reference that is the newest blob of its name. */
static int find_newest(struct store *store, bool *newest, struct err *err)
{
	struct named *named = calloc(store->refs.n + 1, sizeof(*named));
	size_t n = 0;
	int r = named ? 0 : err_memory(err, "reading the blobs");

	for (size_t i = 0; r == 0 && i < store->refs.n; i++) {
		char name[256];

		if (store->refs.ref[i].type != UMS_TYPE_BLOB)
			continue;
		r = store_blob_name(store, i, name, err);
		if (r < 0)
			break;
		named[n] = (struct named){.name = strdup(name), .ref = i};
		if (!named[n++].name)
			r = err_memory(err, "reading the blobs");
	}
	if (r == 0 && n > 0)
		qsort(named, n, sizeof(*named), compare_named);
	for (size_t i = 0; i < n; i++)
		newest[named[i].ref] =
			r == 0 && (i + 1 == n || strcmp(named[i].name, named[i + 1].name) != 0);
	for (size_t i = 0; i < n; i++)
		free(named[i].name);
	free(named);
	return r;
}

int image_blobs(struct image *image,
	int (*func)(void *context, const char *name, const void *bytes, size_t len), void *context,
	struct err *err)
{
	struct store *store = &image->store;
	cleanup_free bool *newest = calloc(store->refs.n + 1, sizeof(*newest));

	if (!newest)
		return err_memory(err, "reading the blobs");
	if (find_newest(store, newest, err) < 0)
		return -1;
	for (size_t i = 0; i < store->refs.n; i++) {
		int r = newest[i] ? give_blob(store, i, func, context, err) : 0;

		if (r != 0)
			return r;
	}
	return 0;
}

void *image_blob(struct image *image, const char *name, size_t *len)
{
	return store_blob_find(&image->store, name, len);
}

int image_journal(struct image *image, int (*func)(void *context, const char *json), void *context,
	struct err *err)
{
	return store_journal(&image->store, func, context, err);
}
