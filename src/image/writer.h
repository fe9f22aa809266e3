/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of an image writer, for writer.c (the sink), slots.c (what is being filled), jobs.c
 * (what is on its way), checkpoint.c, check.c, seal.c and create.c.  Who owns what while jobs are
 * under way:
 *
 *   the caller's thread   store.map, the open slots, hash_lba, the hasher's giving end
 *   the workers           a job each, and its encoder
 *   the finishing thread  out, pending, store.index, store.refs, store.last_ckpt, n_records
 *   the syncing thread    the checkpoint that is under way
 *   the hasher's thread   the digests
 *
 * After writer_drain() what is the finishing thread's is the caller's.
 */
#ifndef UMS_IMAGE_WRITER_H
#define UMS_IMAGE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/pool.h"
#include "base/thread.h"
#include "capture/sink.h"
#include "image/codec.h"
#include "image/hasher.h"
#include "image/out.h"
#include "image/pending.h"
#include "image/store.h"

extern const struct capture_sink_ops image_writer_sink_ops;

/* The plain bytes of one slot, shared by who fills them, the jobs made from them and the hasher. */
struct slot_buffer {
	uint8_t *bytes;
	uint8_t *covered; /* for each sector, see slots.c */
	atomic_uint users;
};

/* A slot that is being filled. */
struct open_slot {
	uint64_t number;
	struct slot_buffer *buffer;
	unsigned int reserved; /* places in it */
};

struct image_writer {
	struct capture_sink sink; /* first: it is what callers hold */
	struct store store;
	struct image_writer_options options;

	struct open_slot *open; /* sorted by number; room for sink.most_open */
	unsigned int n_open;
	uint64_t newest; /* the slot in which a place was reserved last */

	struct slot_buffer *buffer;
	size_t n_buffers;
	struct queue *free_buffers;
	struct pool *jobs;
	pthread_t finisher;
	bool finisher_runs;
	struct encoder **encoder; /* one a worker */
	unsigned int n_workers;

	struct out out;
	struct pending pending;
	uint64_t n_records;    /* in the index */
	uint64_t written_back; /* the system was asked to write the file up to here */
	bool changed;	       /* since it was opened */
	bool sealed;	       /* and nothing has been added since */
	pthread_mutex_t lock;  /* of the next two */
	bool failed;
	struct err failure;

	struct pool *syncer;   /* NULL for a pipe */
	bool syncing;	       /* the syncer has a checkpoint that was not taken back */
	atomic_uint under_way; /* checkpoints asked for that have not ended */

	struct hasher *hasher;
	uint64_t hash_lba;  /* sectors before it were given to the hasher */
	uint64_t read_back; /* plain bytes read back for check and seal */

	/* What was there when the image was opened, or sealed last. */
	uint64_t began_at;  /* its length */
	uint32_t began_crc; /* of its bytes, as its own records say */
	bool was_sealed;
	struct blockmap *then; /* its map, if it was sealed */
	bool gained;	       /* something worth a new generation was added */
	bool unsound;	       /* its bytes are not those that were sealed, as far as checked */
	bool checked;	       /* what was there then was read once, if it was not written here */
	uint64_t *damaged;     /* slots with a damaged record, ascending */
	size_t n_damaged, damaged_room;
};

/* Keeps the first failure; everything that comes later is let go. */
void writer_fail(struct image_writer *writer, const struct err *failure);

/* -1 and ERR when something has failed. */
int writer_check_failure(struct image_writer *writer, struct err *err);

/* Waits until all that was submitted is in the file; -1 and ERR when something failed. */
int writer_drain(struct image_writer *writer, struct err *err);

/* Sends what stands in open slots as well, and closes them. */
int writer_settle(struct image_writer *writer, struct err *err);

/* Notes how the image stands, just opened or sealed, as that which a session can add to.  Its
 * digests begin anew. */
int writer_note_state(struct image_writer *writer, struct err *err);

/* Something worth a new generation was added: what is there is not sealed from now on. */
void writer_gain(struct image_writer *writer);

/* Appends the DATA record that ENCODED is, and notes it in index and pending. */
int writer_put_data(struct image_writer *writer, const struct encoded *encoded,
	const uint8_t *payload, struct index_entry *entry, struct err *err);

#endif
