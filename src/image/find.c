/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding records: see find.h.  A hostile file may be full of heads each of which claims all bytes
 * up to the file's end, and a CRC over each payload would take time that grows with the square of
 * the file.  So the file's CRC is computed once, from its beginning, and noted where payloads begin
 * and end: a payload's own CRC follows from those two.
 */
#include "image/find.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/file.h"
#include "base/mem.h"

#define WINDOW (1u << 20)

/* A head that was found; its payload may still be wrong. */
struct candidate {
	struct record record;
	uint32_t before, to_end; /* CRC of the file up to the payload's begin, and to its end */
};

struct candidates {
	struct candidate *head;
	size_t n, room;
};

/* A place where the CRC so far is wanted. */
struct mark {
	uint64_t at;
	uint32_t *crc;
};

/* A head at P, which was read from OFFSET, that counts and whose payload the file has room for. */
static bool head_counts(
	const struct store *store, const uint8_t *p, uint64_t offset, struct record *record)
{
	return get_le32(p + REC_MAGIC) == UMS_RECORD_MAGIC &&
	       record_decode(p, offset, store->info.uuid, record) &&
	       record_payload(record) <= store->info.file_bytes &&
	       record->length <= store->info.file_bytes - record_payload(record);
}

static ssize_t read_window(
	const struct store *store, uint8_t *window, size_t len, uint64_t offset, struct err *err)
{
	ssize_t n = file_read_at(store->fd, window, len, offset);

	if (n < 0)
		err_sys(err, errno, "reading the image at offset %" PRIu64, offset);
	return n;
}

static int collect_heads(
	const struct store *store, uint64_t offset, struct candidates *found, struct err *err)
{
	cleanup_free uint8_t *window = malloc(WINDOW + UMS_RECORD_HEAD_SIZE);

	if (!window)
		return err_memory(err, "looking for records");
	for (; offset < store->info.file_bytes; offset += WINDOW) {
		ssize_t n = read_window(store, window, WINDOW + UMS_RECORD_HEAD_SIZE, offset, err);

		if (n < 0)
			return -1;
		for (ssize_t i = 0; i + UMS_RECORD_HEAD_SIZE <= n && i < WINDOW; i += UMS_ALIGN) {
			struct record record;

			if (!head_counts(store, window + i, offset + (uint64_t)i, &record))
				continue;
			if (mem_grow(&found->head, found->n, &found->room, sizeof(*found->head)) <
				0)
				return err_memory(err, "looking for records");
			found->head[found->n++] = (struct candidate){.record = record};
		}
	}
	return 0;
}

static int compare_marks(const void *va, const void *vb)
{
	const struct mark *a = va, *b = vb;

	return a->at < b->at ? -1 : a->at > b->at;
}

/* Writes the CRC of the file from OFFSET up to each mark to where the mark wants it. */
static int sum_to_marks(const struct store *store, uint64_t offset, const struct mark *mark,
	size_t n_marks, struct err *err)
{
	cleanup_free uint8_t *window = malloc(WINDOW);
	uint32_t crc = 0;

	if (!window)
		return err_memory(err, "looking for records");
	for (size_t m = 0; m < n_marks;) {
		ssize_t n = read_window(store, window, WINDOW, offset, err);
		size_t done = 0;

		if (n < 0)
			return -1;
		for (; m < n_marks && mark[m].at <= offset + (uint64_t)n; m++) {
			size_t to = (size_t)(mark[m].at - offset);

			crc = crc32_of(crc, window + done, to - done);
			done = to;
			*mark[m].crc = crc;
		}
		if (n == 0)
			break; /* the file became shorter: the CRCs behind here stay wrong */
		crc = crc32_of(crc, window + done, (size_t)n - done);
		offset += (uint64_t)n;
	}
	return 0;
}

static int sum_payloads(
	const struct store *store, uint64_t offset, struct candidates *found, struct err *err)
{
	cleanup_free struct mark *mark = calloc(2 * found->n + 1, sizeof(*mark));

	if (!mark)
		return err_memory(err, "looking for records");
	for (size_t i = 0; i < found->n; i++) {
		struct candidate *head = &found->head[i];
		uint64_t begin = record_payload(&head->record);

		mark[2 * i] = (struct mark){.at = begin, .crc = &head->before};
		mark[2 * i + 1] =
			(struct mark){.at = begin + head->record.length, .crc = &head->to_end};
	}
	qsort(mark, 2 * found->n, sizeof(*mark), compare_marks);
	return sum_to_marks(store, offset, mark, 2 * found->n, err);
}

static bool payload_is_right(const struct candidate *head)
{
	return crc32_join(head->before, head->record.payload_crc, head->record.length) ==
	       head->to_end;
}

int find_records(const struct store *store, uint64_t offset, struct record **found, size_t *n,
	struct err *err)
{
	struct candidates heads = {0};
	uint64_t end = offset;
	int r;

	*n = 0;
	offset = (offset + UMS_ALIGN - 1) / UMS_ALIGN * UMS_ALIGN;
	r = collect_heads(store, offset, &heads, err);
	if (r == 0)
		r = sum_payloads(store, offset, &heads, err);
	*found = r == 0 ? calloc(heads.n + 1, sizeof(**found)) : NULL;
	if (r == 0 && !*found)
		r = err_memory(err, "looking for records");
	for (size_t i = 0; r == 0 && i < heads.n; i++) {
		if (heads.head[i].record.offset < end || !payload_is_right(&heads.head[i]))
			continue;
		end = record_end(&heads.head[i].record);
		(*found)[(*n)++] = heads.head[i].record;
	}
	free(heads.head);
	return r;
}

/* Is the payload right?  What its CRC went over is taken from *BUDGET; false when that is spent. */
static bool checkpoint_counts(
	const struct store *store, const struct record *record, uint64_t *budget)
{
	uint32_t crc = 0;

	if (record->type != UMS_TYPE_CKPT || record->offset < store->begin ||
		record->length > *budget)
		return false;
	*budget -= record->length;
	return store_file_crc(store->fd, record_payload(record),
		       record_payload(record) + record->length, &crc, NULL) == 0 &&
	       crc == record->payload_crc;
}

uint64_t find_last_checkpoint(const struct store *store)
{
	uint64_t begin = store->info.file_bytes / UMS_ALIGN * UMS_ALIGN;
	uint64_t budget = 2 * store->info.file_bytes;
	cleanup_free uint8_t *window = malloc(WINDOW + UMS_RECORD_HEAD_SIZE);

	while (window && begin > 0) {
		uint64_t end = begin;
		ssize_t n;

		begin = end > WINDOW ? end - WINDOW : 0;
		n = read_window(
			store, window, (size_t)(end - begin) + UMS_RECORD_HEAD_SIZE, begin, NULL);
		if (n < UMS_RECORD_HEAD_SIZE)
			continue;
		for (size_t i = ((size_t)n - UMS_RECORD_HEAD_SIZE) / UMS_ALIGN + 1; i-- > 0;) {
			struct record record;

			if (head_counts(store, window + i * UMS_ALIGN, begin + i * UMS_ALIGN,
				    &record) &&
				checkpoint_counts(store, &record, &budget))
				return record.offset;
		}
	}
	return 0;
}
