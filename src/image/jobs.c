/* SPDX-License-Identifier: BSD-2-Clause */
/* The jobs of a writer: see jobs.h. */
#include "image/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "image/checkpoint.h"
#include "image/writer.h"

#define SEAL_SPARE     (256u << 10)
#define MOST_OPEN      8u
#define WRITEBACK_STEP (8u << 20)

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

static bool job_work(void *context, unsigned int number, void *argument)
{
	struct image_writer *writer = context;
	struct job *job = argument;

	if (job->kind == JOB_DATA)
		encoder_run(writer->encoder[number], job->range.lba, (uint32_t)job->range.n,
			writer->sink.block_bytes, (uint8_t)job->range.state, job->plain, job->out,
			&job->encoded);
	return true;
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

/* What the disk writes now, the next checkpoint need not wait for. */
static void write_back_early(struct image_writer *writer)
{
	uint64_t from = writer->written_back;

	if (writer->out.piped || writer->out.tail - from < WRITEBACK_STEP)
		return;
	file_start_writeback(writer->out.fd, from, writer->out.tail - from);
	writer->written_back = writer->out.tail;
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
	write_back_early(writer);
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
		return checkpoint_begin(writer, err);
	}
	return 0;
}

/* After a failure jobs are let go: what they say is not in the file, so it must not be in its map.
 */
static void job_finish(struct image_writer *writer, struct job *job)
{
	struct err err;

	if (writer_check_failure(writer, NULL) < 0) {
		if (job->kind == JOB_CHECKPOINT)
			checkpoint_drop(writer);
	} else if (finish(writer, job, &err) < 0) {
		writer_fail(writer, &err);
	}
	if (job->kind == JOB_DATA)
		jobs_release(writer, job->buffer);
	free(job->payload);
	job->payload = NULL;
}

static void *jobs_finish_main(void *argument)
{
	struct image_writer *writer = argument;
	struct job *job;

	while ((job = pool_take(writer->jobs, NULL)) != NULL) {
		job_finish(writer, job);
		pool_done(writer->jobs);
	}
	return NULL;
}

static struct job *claim(struct image_writer *writer, enum job_kind kind)
{
	struct job *job = pool_claim(writer->jobs);

	job->kind = kind;
	job->map_ranges = blockmap_ranges(writer->store.map);
	writer->changed = true;
	writer->sealed = false;
	return job;
}

void jobs_submit_data(struct image_writer *writer, struct slot_buffer *buffer,
	const struct block_range *range, const uint8_t *plain)
{
	struct job *job = claim(writer, JOB_DATA);

	job->range = *range;
	job->buffer = buffer;
	job->plain = plain;
	atomic_fetch_add(&buffer->users, 1);
	pool_submit(writer->jobs);
}

void jobs_submit_mark(struct image_writer *writer, const struct block_range *range)
{
	struct job *job = claim(writer, JOB_MARK);

	job->range = *range;
	pool_submit(writer->jobs);
}

void jobs_submit_record(struct image_writer *writer, uint32_t type, uint8_t *payload, size_t len)
{
	struct job *job = claim(writer, JOB_RECORD);

	job->type = type;
	job->payload = payload;
	job->len = len;
	pool_submit(writer->jobs);
}

void jobs_submit_checkpoint(struct image_writer *writer, uint32_t pass, uint64_t position)
{
	struct job *job = claim(writer, JOB_CHECKPOINT);

	job->pass = pass;
	job->position = position;
	pool_submit(writer->jobs);
}

static uint64_t share_bytes(const struct jobs_share *share, uint64_t run_bytes, uint64_t room)
{
	return share->buffers * run_bytes + share->jobs * room;
}

static void share_set(struct jobs_share *share, uint64_t run_bytes, uint64_t room)
{
	share->buffers = share->most_open + share->workers + 1;
	share->jobs = share->workers + 1;
	share->bytes = share_bytes(share, run_bytes, room);
}

/* Two open slots let a READ be under way in the next one; beyond that workers are worth more. */
struct jobs_share jobs_share(uint64_t run_bytes, uint64_t room, unsigned int workers)
{
	struct jobs_share share = {.workers = workers, .most_open = MOST_OPEN};

	share_set(&share, run_bytes, room);
	while (share.bytes > JOBS_MEMORY_BUDGET && share.workers + share.most_open > 2) {
		if (share.most_open > 2 || share.workers == 1)
			share.most_open--;
		else
			share.workers--;
		share_set(&share, run_bytes, room);
	}
	return share;
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
	writer->buffer = calloc(writer->n_buffers, sizeof(*writer->buffer));
	writer->free_buffers = queue_new(writer->n_buffers);
	writer->open = calloc(writer->sink.most_open, sizeof(*writer->open));
	if (!writer->buffer || !writer->free_buffers || !writer->open)
		return err_memory(err, "starting the writer");
	for (size_t i = 0; i < writer->n_buffers; i++) {
		writer->buffer[i].bytes = mem_page_alloc(writer->store.info.run_bytes);
		writer->buffer[i].covered = malloc(writer->store.slot_blocks);
		if (!writer->buffer[i].bytes || !writer->buffer[i].covered)
			return err_memory(err, "starting the writer");
		queue_put(writer->free_buffers, &writer->buffer[i]);
	}
	return 0;
}

static int make_encoders(struct image_writer *writer, struct err *err)
{
	writer->encoder = calloc(writer->n_workers, sizeof(struct encoder *));
	for (unsigned int i = 0; writer->encoder && i < writer->n_workers; i++) {
		writer->encoder[i] = encoder_new(writer->store.info.unit_bytes);
		if (!writer->encoder[i])
			return err_memory(err, "starting the writer");
	}
	return writer->encoder ? 0 : err_memory(err, "starting the writer");
}

int jobs_start(struct image_writer *writer, struct err *err)
{
	struct allotment allotment = {
		.room = encoder_room(writer->store.info.run_bytes, writer->store.info.unit_bytes),
	};
	struct jobs_share share = jobs_share(writer->store.info.run_bytes, allotment.room,
		writer->options.threads ? writer->options.threads : thread_processors());

	writer->n_workers = share.workers;
	writer->n_buffers = share.buffers;
	writer->sink.most_open = share.most_open;
	if (make_buffers(writer, err) < 0 || make_encoders(writer, err) < 0)
		return -1;
	writer->jobs =
		pool_new(share.workers, share.jobs, sizeof(struct job), job_work, writer, err);
	if (!writer->jobs)
		return -1;
	pool_each(writer->jobs, give_out, &allotment);
	if (allotment.failed)
		return err_memory(err, "starting the writer");
	if (thread_start(&writer->finisher, jobs_finish_main, writer, err) < 0)
		return -1;
	writer->finisher_runs = true;
	return 0;
}

void jobs_stop(struct image_writer *writer)
{
	if (writer->finisher_runs) {
		pool_end(writer->jobs);
		pthread_join(writer->finisher, NULL);
	}
	writer->finisher_runs = false;
}

void jobs_free(struct image_writer *writer)
{
	if (writer->jobs)
		pool_each(writer->jobs, take_out, NULL);
	pool_free(writer->jobs);
	for (unsigned int i = 0; writer->encoder && i < writer->n_workers; i++)
		encoder_free(writer->encoder[i]);
	for (size_t i = 0; writer->buffer && i < writer->n_buffers; i++) {
		free(writer->buffer[i].bytes);
		free(writer->buffer[i].covered);
	}
	free(writer->encoder);
	free(writer->buffer);
	free(writer->open);
	queue_free(writer->free_buffers);
}
