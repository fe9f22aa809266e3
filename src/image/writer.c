/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image writer as a sink: sectors come in by slots, leave as records in the order in which they
 * came. Opening and closing are in create.c, the end of an image in seal.c.
 */
#include "image/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "image/jobs.h"
#include "image/slots.h"

static struct image_writer *writer_of(struct capture_sink *sink)
{
	return (struct image_writer *)sink;
}

void writer_fail(struct image_writer *writer, const struct err *failure)
{
	pthread_mutex_lock(&writer->lock);
	if (!writer->failed)
		writer->failure = *failure;
	writer->failed = true;
	pthread_mutex_unlock(&writer->lock);
}

int writer_check_failure(struct image_writer *writer, struct err *err)
{
	bool failed;

	pthread_mutex_lock(&writer->lock);
	failed = writer->failed;
	if (failed && err)
		*err = writer->failure;
	pthread_mutex_unlock(&writer->lock);
	return failed ? -1 : 0;
}

int writer_drain(struct image_writer *writer, struct err *err)
{
	pool_drain(writer->jobs);
	writer->store.info.file_bytes = writer->out.tail;
	return writer_check_failure(writer, err);
}

int writer_settle(struct image_writer *writer, struct err *err)
{
	slots_close(writer);
	return writer_drain(writer, err);
}

void writer_gain(struct image_writer *writer)
{
	writer->gained = true;
	writer->store.info.sealed = false;
}

static void *writer_reserve(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	if (writer_check_failure(writer_of(sink), err) < 0)
		return NULL;
	return slots_reserve(writer_of(sink), lba, n, err);
}

/* What the digests have of sectors from LBA on is no longer what the image holds. */
static int digests_lose(struct image_writer *writer, uint64_t lba, struct err *err)
{
	if (lba >= writer->hash_lba)
		return 0;
	if (writer->sink.in_order)
		return err_set(err, ERR_OTHER, "sectors came out of order through a pipe");
	writer->hash_lba = 0;
	return hasher_restart(writer->hasher, err);
}

static int writer_commit(struct capture_sink *sink, uint64_t lba, uint32_t n,
	enum block_state state, const struct block_reason *why, struct err *err)
{
	struct image_writer *writer = writer_of(sink);

	if (digests_lose(writer, lba, err) < 0 || slots_commit(writer, lba, n, err) < 0)
		return -1;
	writer->changed = true;
	writer->sealed = false;
	writer_gain(writer);
	if (blockmap_set(writer->store.map, lba, n, state, why) < 0)
		return err_memory(err, "for the block map");
	return 0;
}

static int writer_release(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	(void)n;
	if (slots_release(writer_of(sink), lba, err) < 0)
		return -1;
	return writer_check_failure(writer_of(sink), err);
}

/* One more sector that is known to be bad is worth a generation too; tries and guesses are not. */
static bool mark_gains(
	const struct image_writer *writer, uint64_t lba, uint64_t n, enum block_state state)
{
	struct block_range range;
	unsigned int less = BLOCK_MISSING & ~BLOCK_MASK(BLOCK_BAD);

	return !writer->then ||
	       (state == BLOCK_BAD && blockmap_next(writer->then, lba, less, &range) &&
		       range.lba < lba + n);
}

static int writer_mark(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	struct image_writer *writer = writer_of(sink);
	struct block_range range = {.lba = lba, .n = n, .state = state};

	if (why)
		range.why = *why;
	/* Through a pipe what was passed stays as it went out. */
	if (!sink->in_order && digests_lose(writer, lba, err) < 0)
		return -1;
	slots_forget(writer, lba, n);
	if (mark_gains(writer, lba, n, state))
		writer_gain(writer);
	if (blockmap_set(writer->store.map, lba, n, state, why) < 0)
		return err_memory(err, "for the block map");
	jobs_submit_mark(writer, &range);
	return writer_check_failure(writer, err);
}

static int writer_journal(struct capture_sink *sink, const char *json, struct err *err)
{
	size_t len = strlen(json);
	uint8_t *payload = malloc(len + 1);

	if (!payload)
		return err_memory(err, "for the journal");
	memcpy(payload, json, len + 1);
	jobs_submit_record(writer_of(sink), UMS_TYPE_JRNL, payload, len);
	return writer_check_failure(writer_of(sink), err);
}

static int writer_blob(
	struct capture_sink *sink, const char *name, const void *bytes, size_t len, struct err *err)
{
	size_t name_len = strlen(name);
	uint8_t *payload;

	if (name_len == 0 || name_len > UMS_BLOB_NAME_MAX)
		return err_set(
			err, ERR_OTHER, "a blob's name must have 1 to %d bytes", UMS_BLOB_NAME_MAX);
	payload = calloc(1, UMS_BLOB_HEAD_SIZE + name_len + len);
	if (!payload)
		return err_memory(err, "for what the drive says of itself");
	put_le16(payload + BLOB_NAME_LENGTH, (uint16_t)name_len);
	memcpy(payload + UMS_BLOB_HEAD_SIZE, name, name_len);
	if (len > 0)
		memcpy(payload + UMS_BLOB_HEAD_SIZE + name_len, bytes, len);
	jobs_submit_record(
		writer_of(sink), UMS_TYPE_BLOB, payload, UMS_BLOB_HEAD_SIZE + name_len + len);
	return writer_check_failure(writer_of(sink), err);
}

static int writer_checkpoint(
	struct capture_sink *sink, uint32_t pass, uint64_t position, bool all, struct err *err)
{
	struct image_writer *writer = writer_of(sink);

	if (all)
		slots_send(writer);
	else if (atomic_load(&writer->under_way) > 0)
		return writer_check_failure(writer, err);
	atomic_fetch_add(&writer->under_way, 1);
	jobs_submit_checkpoint(writer, pass, position);
	return writer_check_failure(writer, err);
}

static bool writer_under_way(struct capture_sink *sink)
{
	return atomic_load(&writer_of(sink)->under_way) > 0;
}

/* What stands in open slots lies over what is in the file. */
static int writer_read_back(
	struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err)
{
	struct image_writer *writer = writer_of(sink);

	if (sink->in_order)
		return err_set(err, ERR_OTHER, "a pipe cannot be read back");
	if (writer_check_failure(writer, err) < 0)
		return -1;
	if (slots_copy(writer, lba, n, data) == n)
		return 0;
	if (writer_drain(writer, err) < 0 || store_read_slot(&writer->store, lba, n, data, err) < 0)
		return -1;
	slots_copy(writer, lba, n, data);
	return 0;
}

const struct capture_sink_ops image_writer_sink_ops = {
	.reserve = writer_reserve,
	.commit = writer_commit,
	.release = writer_release,
	.mark = writer_mark,
	.journal = writer_journal,
	.blob = writer_blob,
	.checkpoint = writer_checkpoint,
	.under_way = writer_under_way,
	.read_back = writer_read_back,
};
