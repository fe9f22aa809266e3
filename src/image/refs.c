/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blobs and journal lines, as references name them: see store.h.  A reference counts once, and a
 * record ends before the next one begins; so all of them together are never longer than the file,
 * whatever it says.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "image/record.h"
#include "image/store.h"

int refs_add(struct refs *refs, uint32_t type, uint64_t offset)
{
	if (mem_grow(&refs->ref, refs->n, &refs->room, sizeof(*refs->ref)) < 0)
		return -1;
	refs->ref[refs->n++] = (struct ref){.offset = offset, .type = type};
	return 0;
}

static int compare_refs(const void *va, const void *vb)
{
	const struct ref *a = va, *b = vb;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->type < b->type ? -1 : a->type > b->type;
}

void refs_settle(struct refs *refs)
{
	size_t kept = 0;

	if (refs->n > 0)
		qsort(refs->ref, refs->n, sizeof(*refs->ref), compare_refs);
	for (size_t i = 0; i < refs->n; i++) {
		if (kept == 0 || compare_refs(&refs->ref[kept - 1], &refs->ref[i]) != 0)
			refs->ref[kept++] = refs->ref[i];
	}
	refs->n = kept;
}

/* The end of the space that reference I may take: where the next record begins. */
static uint64_t ref_limit(const struct store *store, size_t i)
{
	size_t low = i + 1, high = store->refs.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (store->refs.ref[middle].offset > store->refs.ref[i].offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low < store->refs.n ? store->refs.ref[low].offset : store->info.file_bytes;
}

/* The head of the record that reference I names. */
static int ref_head(struct store *store, size_t i, struct record *record, struct err *err)
{
	const struct ref *ref = &store->refs.ref[i];
	char name[20];

	if (record_read_head(store->fd, ref->offset, store->info.file_bytes, store->info.uuid,
		    record, err) < 0)
		return -1;
	if (record->type != ref->type)
		return err_set(err, ERR_BAD_IMAGE,
			"the record at offset %" PRIu64 " is %s, not what it should be",
			ref->offset, record_type_text(record->type, name));
	if (record_payload(record) + record->length > ref_limit(store, i))
		return err_set(err, ERR_BAD_IMAGE,
			"the record at offset %" PRIu64 " reaches into the next one", ref->offset);
	return 0;
}

uint8_t *store_ref_read(struct store *store, size_t i, uint64_t *length, struct err *err)
{
	struct record record;

	if (ref_head(store, i, &record, err) < 0)
		return NULL;
	*length = record.length;
	return record_read_payload(store->fd, &record, record.length, err);
}

/* The length of the name in LENGTH bytes of a BLOB payload; 0 when it has none. */
static size_t blob_name_length(const uint8_t *payload, uint64_t length)
{
	size_t len = length >= UMS_BLOB_HEAD_SIZE ? get_le16(payload + BLOB_NAME_LENGTH) : 0;

	return len > UMS_BLOB_NAME_MAX || UMS_BLOB_HEAD_SIZE + len > length ? 0 : len;
}

static int no_valid_name(uint64_t offset, struct err *err)
{
	return err_set(err, ERR_BAD_IMAGE,
		"the BLOB record at offset %" PRIu64 " has no valid name", offset);
}

int store_blob_name(struct store *store, size_t i, char name[256], struct err *err)
{
	uint8_t begin[UMS_BLOB_HEAD_SIZE + UMS_BLOB_NAME_MAX];
	struct record record;
	size_t len;

	if (ref_head(store, i, &record, err) < 0)
		return -1;
	len = (size_t)mem_min_u64(record.length, sizeof(begin));
	if (store_bytes(store, record_payload(&record), begin, len, err) < 0)
		return -1;
	len = blob_name_length(begin, len);
	if (len == 0)
		return no_valid_name(record.offset, err);
	memcpy(name, begin + UMS_BLOB_HEAD_SIZE, len);
	name[len] = '\0';
	return 0;
}

int store_blob_read(struct store *store, size_t i, uint8_t **payload, char name[256],
	const uint8_t **bytes, size_t *len, struct err *err)
{
	uint64_t length;
	size_t name_len;

	*payload = store_ref_read(store, i, &length, err);
	if (!*payload)
		return -1;
	name_len = blob_name_length(*payload, length);
	if (name_len == 0) {
		free(*payload);
		*payload = NULL;
		return no_valid_name(store->refs.ref[i].offset, err);
	}
	memcpy(name, *payload + UMS_BLOB_HEAD_SIZE, name_len);
	name[name_len] = '\0';
	*bytes = *payload + UMS_BLOB_HEAD_SIZE + name_len;
	*len = (size_t)length - UMS_BLOB_HEAD_SIZE - name_len;
	return 0;
}

void *store_blob_find(struct store *store, const char *name, size_t *len)
{
	for (size_t i = store->refs.n; i-- > 0;) {
		cleanup_free uint8_t *payload = NULL;
		const uint8_t *bytes;
		char found[256];
		uint8_t *copy;

		if (store->refs.ref[i].type != UMS_TYPE_BLOB ||
			store_blob_name(store, i, found, NULL) < 0 || strcmp(found, name) != 0 ||
			store_blob_read(store, i, &payload, found, &bytes, len, NULL) < 0)
			continue;
		copy = malloc(*len + 1);
		if (copy) {
			memcpy(copy, bytes, *len);
			copy[*len] = '\0';
		}
		return copy;
	}
	return NULL;
}

/* The newest reference to a blob NAME; refs.n when there is none.  -1 and ERR when the name of one
 * cannot be read. */
static int find_blob(struct store *store, const char *name, size_t *found, struct err *err)
{
	*found = store->refs.n;
	for (size_t i = store->refs.n; i-- > 0;) {
		char other[256];

		if (store->refs.ref[i].type != UMS_TYPE_BLOB)
			continue;
		if (store_blob_name(store, i, other, err) < 0)
			return -1;
		if (strcmp(other, name) != 0)
			continue;
		*found = i;
		return 0;
	}
	return 0;
}

/* That no blob has a name says something only when all of them are whole. */
static int check_blobs(struct store *store, struct err *err)
{
	for (size_t i = 0; i < store->refs.n; i++) {
		uint64_t length;
		uint8_t *payload;

		if (store->refs.ref[i].type != UMS_TYPE_BLOB)
			continue;
		payload = store_ref_read(store, i, &length, err);
		if (!payload)
			return -1;
		free(payload);
	}
	return 0;
}

int store_blob_look(
	struct store *store, const char *name, void **bytes, size_t *len, struct err *err)
{
	cleanup_free uint8_t *payload = NULL;
	const uint8_t *found;
	char other[256];
	size_t i;

	if (find_blob(store, name, &i, err) < 0)
		return -1;
	if (i == store->refs.n)
		return check_blobs(store, err);
	if (store_blob_read(store, i, &payload, other, &found, len, err) < 0)
		return -1;
	*bytes = malloc(*len + 1);
	if (!*bytes)
		return err_memory(err, "reading the image");
	memcpy(*bytes, found, *len);
	((char *)*bytes)[*len] = '\0';
	return 1;
}

int store_journal(struct store *store, int (*func)(void *context, const char *json), void *context,
	struct err *err)
{
	for (size_t i = 0; i < store->refs.n; i++) {
		cleanup_free uint8_t *payload = NULL;
		cleanup_free char *text = NULL;
		uint64_t length;
		int r;

		if (store->refs.ref[i].type != UMS_TYPE_JRNL)
			continue;
		payload = store_ref_read(store, i, &length, err);
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
