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

static struct image_writer *writer_of(struct capture_sink *sink)
{
	return (struct image_writer *)sink;
}

/* What the writer thread has run into, if anything. */
static int check_failure(struct image_writer *writer, struct err *err)
{
	bool failed;

	pthread_mutex_lock(&writer->lock);
	failed = writer->failed;
	if (failed && err)
		*err = writer->failure;
	pthread_mutex_unlock(&writer->lock);
	return failed ? -1 : 0;
}

static uint64_t slot_begin(const struct image_writer *writer)
{
	return writer->slot * writer->store.slot_blocks;
}

/* One job for each run of sectors that were read in this session and have one state. */
static void submit_pieces(struct image_writer *writer)
{
	uint64_t begin = slot_begin(writer);
	uint32_t length = store_slot_length(&writer->store, writer->slot);
	uint32_t i = 0;

	while (i < length) {
		struct block_range range;
		uint64_t end;

		if (!writer->covered[i]) {
			i++;
			continue;
		}
		range = blockmap_at(writer->store.map, begin + i);
		end = mem_min_u64(range.lba + range.n, begin + length);
		range.lba = begin + i;
		for (range.n = 0; range.lba + range.n < end && writer->covered[i]; range.n++)
			i++;
		jobs_submit_data(writer, &range,
			writer->open->bytes + (range.lba - begin) * writer->sink.block_bytes);
	}
}

/* Gives the open slot to the hasher when it is the next in order and whole; a pipe's slots are
 * never made whole later, so there what is missing counts as zeros at once. */
static void submit_hash(struct image_writer *writer)
{
	uint32_t length = store_slot_length(&writer->store, writer->slot);
	struct slot_buffer *buffer = writer->open;
	uint32_t block = writer->sink.block_bytes;

	if (!writer->hasher_running || writer->slot < writer->hash_slot)
		return;
	if (writer->sink.in_order) {
		for (uint32_t i = 0; i < length; i++) {
			if (!writer->covered[i])
				memset(buffer->bytes + (size_t)i * block, 0, block);
		}
	} else if (writer->slot != writer->hash_slot || memchr(writer->covered, 0, length)) {
		return;
	}
	buffer->zeros_before = (writer->slot - writer->hash_slot) * writer->store.info.run_bytes;
	buffer->hash_len = (size_t)length * block;
	writer->hash_slot = writer->slot + 1;
	atomic_fetch_add(&buffer->users, 1);
	queue_put(writer->to_hash, buffer);
}

int writer_flush(struct image_writer *writer, struct err *err)
{
	if (!writer->open)
		return check_failure(writer, err);
	submit_hash(writer);
	submit_pieces(writer);
	jobs_release(writer, writer->open);
	writer->open = NULL;
	return check_failure(writer, err);
}

int writer_drain(struct image_writer *writer, struct err *err)
{
	int r = writer_flush(writer, err);

	pipeline_drain(writer->pipeline);
	writer->store.info.file_bytes = writer->out.tail;
	return r < 0 ? r : check_failure(writer, err);
}

static void *writer_reserve(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	struct image_writer *writer = writer_of(sink);
	uint64_t slot = lba / sink->slot_blocks;

	(void)n;
	if (writer->open && writer->slot == slot)
		return check_failure(writer, err) < 0
			       ? NULL
			       : writer->open->bytes +
					 (lba - slot_begin(writer)) * sink->block_bytes;
	if (writer_flush(writer, err) < 0)
		return NULL;
	writer->open = queue_take(writer->free_buffers);
	atomic_store(&writer->open->users, 1);
	writer->slot = slot;
	memset(writer->covered, 0, sink->slot_blocks);
	return writer->open->bytes + (lba - slot_begin(writer)) * sink->block_bytes;
}

static int writer_commit(struct capture_sink *sink, uint64_t lba, uint32_t n,
	enum block_state state, const struct block_reason *why, struct err *err)
{
	struct image_writer *writer = writer_of(sink);

	writer->changed = true;
	writer->sealed = false;
	memset(writer->covered + (lba - slot_begin(writer)), 1, n);
	if (blockmap_set(writer->store.map, lba, n, state, why) < 0)
		return err_memory(err, "for the block map");
	return 0;
}

static int writer_release(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	(void)lba, (void)n;
	return check_failure(writer_of(sink), err);
}

static int writer_mark(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	struct image_writer *writer = writer_of(sink);
	struct block_range range = {.lba = lba, .n = n, .state = state};

	if (why)
		range.why = *why;
	if (blockmap_set(writer->store.map, lba, n, state, why) < 0)
		return err_memory(err, "for the block map");
	jobs_submit_mark(writer, &range);
	return check_failure(writer, err);
}

static int writer_journal(struct capture_sink *sink, const char *json, struct err *err)
{
	size_t len = strlen(json);
	uint8_t *payload = malloc(len + 1);

	if (!payload)
		return err_memory(err, "for the journal");
	memcpy(payload, json, len + 1);
	jobs_submit_record(writer_of(sink), UMS_TYPE_JRNL, payload, len);
	return check_failure(writer_of(sink), err);
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
	return check_failure(writer_of(sink), err);
}

static int writer_checkpoint(
	struct capture_sink *sink, uint32_t pass, uint64_t position, bool all, struct err *err)
{
	struct image_writer *writer = writer_of(sink);

	(void)all;
	/* The open slot goes first: what the map says by then must be in the file. */
	if (writer_flush(writer, err) < 0)
		return -1;
	jobs_submit_checkpoint(writer, pass, position);
	return 0;
}

static bool writer_under_way(struct capture_sink *sink)
{
	(void)sink;
	return false;
}

static int writer_read_back(
	struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err)
{
	struct image_writer *writer = writer_of(sink);

	if (sink->in_order)
		return err_set(err, ERR_OTHER, "a pipe cannot be read back");
	if (writer_drain(writer, err) < 0)
		return -1;
	return store_read_slot(&writer->store, lba, n, data, err);
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
