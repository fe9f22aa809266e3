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

int image_read(struct image *image, uint64_t offset, size_t len, void *data, struct err *err)
{
	uint64_t end;

	if (!mem_add_u64(offset, len, &end) || end > image->store.info.size_bytes)
		return err_set(err, ERR_USAGE, "a read past the end of the drive");
	return store_read(&image->store, offset, len, data, err);
}

/* Is there a blob NAME behind reference I? */
static bool replaced(struct store *store, size_t i, const char *name)
{
	for (size_t j = i + 1; j < store->refs.n; j++) {
		cleanup_free uint8_t *payload = NULL;
		const uint8_t *bytes;
		char other[256];
		size_t len;

		if (store->refs.ref[j].type == UMS_TYPE_BLOB &&
			store_blob_read(store, store->refs.ref[j].offset, &payload, other, &bytes,
				&len, NULL) == 0 &&
			strcmp(name, other) == 0)
			return true;
	}
	return false;
}

int image_blobs(struct image *image,
	int (*func)(void *context, const char *name, const void *bytes, size_t len), void *context,
	struct err *err)
{
	struct store *store = &image->store;

	for (size_t i = 0; i < store->refs.n; i++) {
		cleanup_free uint8_t *payload = NULL;
		const uint8_t *bytes;
		char name[256];
		size_t len;
		int r;

		if (store->refs.ref[i].type != UMS_TYPE_BLOB)
			continue;
		if (store_blob_read(store, store->refs.ref[i].offset, &payload, name, &bytes, &len,
			    err) < 0)
			return -1;
		if (replaced(store, i, name))
			continue;
		r = func(context, name, bytes, len);
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
	struct store *store = &image->store;

	for (size_t i = 0; i < store->refs.n; i++) {
		cleanup_free uint8_t *payload = NULL;
		cleanup_free char *text = NULL;
		uint64_t length;
		int r;

		if (store->refs.ref[i].type != UMS_TYPE_JRNL)
			continue;
		payload = store_record_read(
			store, store->refs.ref[i].offset, UMS_TYPE_JRNL, &length, err);
		if (!payload)
			return -1;
		text = strndup((const char *)payload, (size_t)length);
		if (!text)
			return err_memory(err, "reading the journal");
		r = func(context, text);
		if (r != 0)
			return r;
	}
	return 0;
}
