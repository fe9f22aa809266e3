/* SPDX-License-Identifier: BSD-2-Clause */
/* The jobs of a writer's pipeline: see jobs.h and pipeline.h. */
#include "image/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/mem.h"
#include "image/writer.h"

#define MEMORY_BUDGET (256u << 20) /* for compressing at once */
#define SEAL_SPARE    (256u << 10)

enum job_kind { JOB_DATA, JOB_MARK, JOB_RECORD, JOB_CHECKPOINT };

struct job {
	enum job_kind kind;
	struct block_range range;
	uint64_t map_ranges; /* when it was submitted */

	/* DATA */
	struct slot_buffer *buffer;
	const uint8_t *plain;
	uint8_t *out; /* kept from job to job */
	struct encoded encoded;

	/* RECORD */
	uint32_t type;
	uint8_t *payload;
	size_t len;

	/* CHECKPOINT */
	uint32_t pass;
	uint64_t position;
};

void jobs_release(struct image_writer *writer, struct slot_buffer *buffer)
{
	if (atomic_fetch_sub(&buffer->users, 1) == 1)
		queue_put(writer->free_buffers, buffer);
}

static void job_work(void *context, unsigned int number, void *argument)
{
	struct image_writer *writer = context;
	struct job *job = argument;

	if (job->kind == JOB_DATA)
		encoder_run(writer->encoder[number], job->range.lba, (uint32_t)job->range.n,
			writer->sink.block_bytes, (uint8_t)job->range.state, job->plain, job->out,
			&job->encoded);
}

/* Room that the seal may take: index, map, property list, references; and for an image that was
 * sealed before, the runs that have to be written anew because recovered sectors lie over them. */
static uint64_t seal_spare(const struct image_writer *writer, const struct job *job)
{
	uint64_t spare = SEAL_SPARE + writer->n_records * 128 + job->map_ranges * 64 +
			 writer->store.refs.n * 64 + pending_bytes(&writer->pending);

	if (writer->store.info.generation > 0)
		spare += (writer->pending.index.n / UMS_INDEX_ENTRY_SIZE + 1) *
			 writer->store.info.run_bytes;
	return spare;
}

int writer_put_data(struct image_writer *writer, const struct encoded *encoded,
	const uint8_t *payload, struct index_entry *entry, struct err *err)
{
	const struct data_head *head = &encoded->head;
	struct iovec piece[2] = {
		{.iov_base = (void *)(uintptr_t)payload, .iov_len = encoded->head_bytes},
		{.iov_base = (void *)(uintptr_t)encoded->body, .iov_len = head->body_bytes},
	};

	*entry = (struct index_entry){
		.lba = head->lba,
		.n_blocks = head->n_blocks,
		.length = encoded->head_bytes + head->body_bytes,
		.plain_crc = head->plain_crc,
		.encoding = head->encoding,
	};
	if (out_record(&writer->out, UMS_TYPE_DATA, piece, 2, encoded->payload_crc, &entry->offset,
		    err) < 0)
		return -1;
	writer->store.info.stored_bytes += head->body_bytes;
	if (pending_index(&writer->pending, entry) < 0)
		return err_memory(err, "for the index");
	return 0;
}

static int finish_data(struct image_writer *writer, struct job *job, struct err *err)
{
	struct index_entry entry;

	if (out_reserve(&writer->out, job->encoded.head_bytes + job->encoded.head.body_bytes,
		    seal_spare(writer, job), err) < 0)
		return -1;
	if (writer_put_data(writer, &job->encoded, job->out, &entry, err) < 0)
		return -1;
	if (index_add(writer->store.index, &entry) < 0 ||
		pending_map(&writer->pending, &job->range) < 0)
		return err_memory(err, "for the index");
	writer->n_records++;
	return 0;
}

static int finish_record(struct image_writer *writer, struct job *job, struct err *err)
{
	uint64_t offset;

	if (out_small_record(&writer->out, job->type, job->payload, job->len, &offset, err) < 0)
		return -1;
	if (refs_add(&writer->store.refs, job->type, offset) < 0 ||
		pending_ref(&writer->pending, job->type, offset) < 0)
		return err_memory(err, "for the index");
	return 0;
}

static int put_checkpoint(struct image_writer *writer, struct err *err)
{
	struct store *store = &writer->store;
	struct checkpoint checkpoint = {
		.previous = store->last_ckpt,
		.number = store->n_ckpts + 1,
		.pass = store->info.pass,
		.position = store->info.position,
		.stored = store->info.stored_bytes,
		.seal = store->last_seal,
		.generation = store->info.generation,
	};
	uint64_t offset;

	if (pending_write(&writer->pending, &writer->out, &checkpoint, &offset, err) < 0)
		return -1;
	store->last_ckpt = offset;
	store->n_ckpts++;
	return 0;
}

int writer_checkpoint_now(struct image_writer *writer, struct err *err)
{
	if (put_checkpoint(writer, err) < 0)
		return -1;
	return out_sync(&writer->out, err);
}

static int finish(struct image_writer *writer, struct job *job, struct err *err)
{
	switch (job->kind) {
	case JOB_DATA:
		return finish_data(writer, job, err);
	case JOB_MARK:
		if (pending_map(&writer->pending, &job->range) < 0)
			return err_memory(err, "for the block map");
		return 0;
	case JOB_RECORD:
		return finish_record(writer, job, err);
	case JOB_CHECKPOINT:
		writer->store.info.pass = job->pass;
		writer->store.info.position = job->position;
		return put_checkpoint(writer, err);
	}
	return 0;
}

/* After a failure jobs are let go: what they say is not in the file, so it must not be in its map.
 */
static void job_finish(void *context, void *argument)
{
	struct image_writer *writer = context;
	struct job *job = argument;
	struct err err;

	if (!writer->failed && finish(writer, job, &err) < 0) {
		pthread_mutex_lock(&writer->lock);
		writer->failed = true;
		writer->failure = err;
		pthread_mutex_unlock(&writer->lock);
	}
	if (job->kind == JOB_DATA)
		jobs_release(writer, job->buffer);
	free(job->payload);
	job->payload = NULL;
}

static struct job *claim(struct image_writer *writer, enum job_kind kind)
{
	struct job *job = pipeline_claim(writer->pipeline);

	job->kind = kind;
	job->map_ranges = blockmap_ranges(writer->store.map);
	writer->changed = true;
	writer->sealed = false;
	return job;
}

void jobs_submit_data(
	struct image_writer *writer, const struct block_range *range, const uint8_t *plain)
{
	struct job *job = claim(writer, JOB_DATA);

	job->range = *range;
	job->buffer = writer->open;
	job->plain = plain;
	atomic_fetch_add(&writer->open->users, 1);
	pipeline_submit(writer->pipeline);
}

void jobs_submit_mark(struct image_writer *writer, const struct block_range *range)
{
	struct job *job = claim(writer, JOB_MARK);

	job->range = *range;
	pipeline_submit(writer->pipeline);
}

void jobs_submit_record(struct image_writer *writer, uint32_t type, uint8_t *payload, size_t len)
{
	struct job *job = claim(writer, JOB_RECORD);

	job->type = type;
	job->payload = payload;
	job->len = len;
	pipeline_submit(writer->pipeline);
}

void jobs_submit_checkpoint(struct image_writer *writer, uint32_t pass, uint64_t position)
{
	struct job *job = claim(writer, JOB_CHECKPOINT);

	job->pass = pass;
	job->position = position;
	pipeline_submit(writer->pipeline);
}

static void *hasher_main(void *argument)
{
	struct image_writer *writer = argument;
	struct slot_buffer *buffer;

	while ((buffer = queue_take(writer->to_hash)) != NULL) {
		if (digest_update(writer->digest, NULL, buffer->zeros_before, NULL) < 0 ||
			digest_update(writer->digest, buffer->bytes, buffer->hash_len, NULL) < 0)
			writer->hash_failed = true;
		jobs_release(writer, buffer);
	}
	return NULL;
}

void writer_stop_hasher(struct image_writer *writer)
{
	if (!writer->hasher_running)
		return;
	queue_put(writer->to_hash, NULL);
	pthread_join(writer->hasher, NULL);
	writer->hasher_running = false;
}

struct allotment {
	size_t room; /* of each job's output */
	bool failed;
};

static void give_out(void *context, void *argument)
{
	struct allotment *allotment = context;
	struct job *job = argument;

	job->out = malloc(allotment->room);
	allotment->failed = allotment->failed || !job->out;
}

static void take_out(void *context, void *argument)
{
	struct job *job = argument;

	(void)context;
	free(job->out);
}

static int make_buffers(struct image_writer *writer, struct err *err)
{
	writer->n_buffers = writer->n_workers + 3;
	writer->buffer = calloc(writer->n_buffers, sizeof(*writer->buffer));
	writer->free_buffers = queue_new(writer->n_buffers);
	writer->to_hash = queue_new(HASH_ROOM);
	writer->covered = calloc(1, writer->sink.slot_blocks);
	writer->encoder = calloc(writer->n_workers, sizeof(struct encoder *));
	if (!writer->buffer || !writer->free_buffers || !writer->to_hash || !writer->covered ||
		!writer->encoder)
		return err_memory(err, "starting the writer");
	for (size_t i = 0; i < writer->n_buffers; i++) {
		writer->buffer[i].bytes = mem_page_alloc(writer->store.info.run_bytes);
		if (!writer->buffer[i].bytes)
			return err_memory(err, "starting the writer");
		queue_put(writer->free_buffers, &writer->buffer[i]);
	}
	for (unsigned int i = 0; i < writer->n_workers; i++) {
		writer->encoder[i] = encoder_new(writer->store.info.unit_bytes);
		if (!writer->encoder[i])
			return err_memory(err, "starting the writer");
	}
	return 0;
}

int jobs_start(struct image_writer *writer, struct err *err)
{
	static const struct pipeline_ops ops = {.work = job_work, .finish = job_finish};
	struct allotment allotment = {
		.room = encoder_room(writer->store.info.run_bytes, writer->store.info.unit_bytes),
	};
	unsigned int most = MEMORY_BUDGET / writer->store.info.run_bytes;

	writer->n_workers = writer->options.threads ? writer->options.threads : thread_processors();
	if (writer->n_workers > most)
		writer->n_workers = most;
	if (make_buffers(writer, err) < 0)
		return -1;
	writer->pipeline = pipeline_new(
		&ops, writer, writer->n_workers, writer->n_workers + 2, sizeof(struct job), err);
	if (!writer->pipeline)
		return -1;
	pipeline_each(writer->pipeline, give_out, &allotment);
	if (allotment.failed)
		return err_memory(err, "starting the writer");
	if (thread_start(&writer->hasher, hasher_main, writer, err) < 0)
		return -1;
	writer->hasher_running = true;
	return 0;
}

void jobs_stop(struct image_writer *writer)
{
	writer_stop_hasher(writer);
	if (writer->pipeline) {
		pipeline_drain(writer->pipeline);
		pipeline_each(writer->pipeline, take_out, NULL);
		pipeline_free(writer->pipeline);
	}
	for (unsigned int i = 0; writer->encoder && i < writer->n_workers; i++)
		encoder_free(writer->encoder[i]);
	for (size_t i = 0; writer->buffer && i < writer->n_buffers; i++)
		free(writer->buffer[i].bytes);
	free(writer->encoder);
	free(writer->buffer);
	free(writer->covered);
	queue_free(writer->free_buffers);
	queue_free(writer->to_hash);
}
