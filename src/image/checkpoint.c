/* SPDX-License-Identifier: BSD-2-Clause */
/* Checkpoints of a writer: see checkpoint.h. */
#include "image/checkpoint.h"

#include <stdlib.h>

#include "image/writer.h"

struct checkpoint_job {
	uint8_t *record;
	size_t len;
	uint64_t offset;
};

static bool checkpoint_work(void *context, unsigned int worker, void *argument)
{
	struct image_writer *writer = context;
	struct checkpoint_job *job = argument;
	struct err err;

	(void)worker;
	if (out_sync(&writer->out, &err) < 0 ||
		out_fill(&writer->out, job->record, job->len, job->offset, &err) < 0)
		writer_fail(writer, &err);
	free(job->record);
	checkpoint_drop(writer);
	return true;
}

void checkpoint_drop(struct image_writer *writer)
{
	atomic_fetch_sub(&writer->under_way, 1);
}

int checkpoint_start(struct image_writer *writer, struct err *err)
{
	if (writer->out.piped)
		return 0;
	writer->syncer =
		pool_new(1, 1, sizeof(struct checkpoint_job), checkpoint_work, writer, err);
	return writer->syncer ? 0 : -1;
}

/* Waits for the one that is under way, if any. */
static void checkpoint_wait(struct image_writer *writer)
{
	if (!writer->syncing)
		return;
	pool_take(writer->syncer, NULL);
	pool_done(writer->syncer);
	writer->syncing = false;
}

void checkpoint_stop(struct image_writer *writer)
{
	checkpoint_wait(writer);
	pool_free(writer->syncer);
	writer->syncer = NULL;
}

/* Composes the record and gives it its place in the file. */
static int checkpoint_place(
	struct image_writer *writer, struct checkpoint_job *job, struct err *err)
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

	if (out_align(&writer->out, err) < 0)
		return -1;
	job->offset = writer->out.tail;
	job->record = pending_record(&writer->pending, &writer->out, &checkpoint, &job->len);
	if (!job->record)
		return err_memory(err, "writing a checkpoint");
	store->last_ckpt = job->offset;
	store->n_ckpts++;
	return 0;
}

/* A pipe has nothing to make durable: the record just goes out. */
static int checkpoint_pipe(struct image_writer *writer, struct err *err)
{
	struct checkpoint_job job;
	int r = checkpoint_place(writer, &job, err);

	if (r == 0) {
		r = out_bytes(&writer->out, job.record, job.len, err);
		free(job.record);
	}
	checkpoint_drop(writer);
	return r;
}

int checkpoint_begin(struct image_writer *writer, struct err *err)
{
	struct checkpoint_job *job;

	if (writer->out.piped)
		return checkpoint_pipe(writer, err);
	checkpoint_wait(writer);
	if (out_is_lost(&writer->out, err)) {
		checkpoint_drop(writer);
		return -1;
	}
	job = pool_claim(writer->syncer);
	if (checkpoint_place(writer, job, err) < 0) {
		checkpoint_drop(writer);
		return -1;
	}
	out_leave(&writer->out, job->record, job->len);
	writer->syncing = true;
	pool_submit(writer->syncer);
	return 0;
}

int checkpoint_now(struct image_writer *writer, struct err *err)
{
	bool needed = writer->store.last_ckpt == 0 || !pending_is_empty(&writer->pending);

	if (needed) {
		atomic_fetch_add(&writer->under_way, 1);
		if (checkpoint_begin(writer, err) < 0)
			return -1;
	}
	if (writer->out.piped)
		return 0;
	checkpoint_wait(writer);
	/* If its sync failed, that is the failure to tell. */
	if (out_is_lost(&writer->out, err)) {
		writer_check_failure(writer, err);
		return -1;
	}
	return 0;
}
