/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of an image writer, for writer.c (the sink) and seal.c.  Who owns what while jobs are
 * under way:
 *
 *   the caller's thread   store.map, the open slot, hash_slot
 *   the workers           a job each, and its encoder
 *   the writer thread     out, pending, store.index, store.refs, store.last_ckpt, n_records
 *   the hasher            digest
 *
 * After writer_drain() everything but the digest is the caller's; after writer_stop_hasher() that
 * too.
 */
#ifndef UMS_IMAGE_WRITER_H
#define UMS_IMAGE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/thread.h"
#include "capture/sink.h"
#include "image/codec.h"
#include "image/digest.h"
#include "image/out.h"
#include "image/pending.h"
#include "image/pipeline.h"
#include "image/store.h"

#define HASH_ROOM 64

extern const struct capture_sink_ops image_writer_sink_ops;

/* The plain bytes of one slot, shared by the jobs made from it and the hasher. */
struct slot_buffer {
	uint8_t *bytes;
	atomic_uint users;
	uint64_t zeros_before; /* for the hasher */
	size_t hash_len;
};

struct image_writer {
	struct capture_sink sink; /* first: it is what callers hold */
	struct store store;
	struct image_writer_options options;

	/* The slot being filled. */
	struct slot_buffer *open; /* NULL: none */
	uint64_t slot;
	uint8_t *covered; /* for each of its sectors: committed in this session */

	struct slot_buffer *buffer;
	size_t n_buffers;
	struct queue *free_buffers;
	struct pipeline *pipeline;
	struct encoder **encoder; /* one a worker */
	unsigned int n_workers;

	struct out out;
	struct pending pending;
	uint64_t n_records;   /* in the index */
	bool changed;	      /* since it was opened */
	bool sealed;	      /* and nothing has been added since */
	pthread_mutex_t lock; /* of the next two */
	bool failed;
	struct err failure;

	struct digest *digest;
	struct queue *to_hash;
	pthread_t hasher;
	bool hasher_running;
	bool hash_failed;
	uint64_t hash_slot; /* slots given to the digest, in order */
};

/* Sends the open slot on its way. */
int writer_flush(struct image_writer *writer, struct err *err);

/* Waits for all jobs; -1 and ERR when one failed. */
int writer_drain(struct image_writer *writer, struct err *err);

/* Lets the hasher end; the digest then stands at hash_slot. */
void writer_stop_hasher(struct image_writer *writer);

/* A checkpoint now, on the caller's thread; only when drained. */
int writer_checkpoint_now(struct image_writer *writer, struct err *err);

/* Appends the DATA record that ENCODED is, and notes it in index and pending. */
int writer_put_data(struct image_writer *writer, const struct encoded *encoded,
	const uint8_t *payload, struct index_entry *entry, struct err *err);

#endif
