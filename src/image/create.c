/* SPDX-License-Identifier: BSD-2-Clause */
/* Beginning an image, going on with one, and closing it. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "image/checkpoint.h"
#include "image/image.h"
#include "image/jobs.h"
#include "image/load.h"
#include "image/recover.h"
#include "image/writer.h"

/*
 * By measurement (256 MiB of programs, ISA-L): units of 64, 128 and 1024 KiB take 90.25, 89.85
 * and 89.81 MiB, and 77, 149 and 1226 us to decode one.
 */
#define UNIT_BYTES (128u << 10)

static struct image_writer *writer_new(const struct image_writer_options *options, struct err *err)
{
	struct image_writer *writer = calloc(1, sizeof(*writer));

	if (!writer) {
		err_memory(err, "opening the image");
		return NULL;
	}
	writer->options = *options;
	writer->options.hashes |= IMAGE_HASH_SHA256;
	writer->store.fd = -1;
	pthread_mutex_init(&writer->lock, NULL);
	return writer;
}

static void writer_free(struct image_writer *writer)
{
	jobs_stop(writer);
	checkpoint_stop(writer);
	hasher_free(writer->hasher);
	jobs_free(writer);
	pending_free(&writer->pending);
	blockmap_free(writer->then);
	free(writer->damaged);
	store_clear(&writer->store);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

static void release_buffer(void *context, void *buffer)
{
	jobs_release(context, buffer);
}

/* What needs the geometry: sink, digests, threads. */
static int writer_start(struct image_writer *writer, struct err *err)
{
	struct store *store = &writer->store;

	writer->sink.ops = &image_writer_sink_ops;
	writer->sink.map = store->map;
	writer->sink.block_bytes = store->info.block_bytes;
	writer->sink.slot_blocks = store->slot_blocks;
	writer->sink.most_open = 1;
	writer->sink.in_order = writer->out.piped;
	writer->out.fd = store->fd;
	memcpy(writer->out.uuid, store->info.uuid, 16);
	if (store->info.block_bytes % 512 != 0)
		writer->options.udif = false;
	writer->hasher = hasher_new(
		writer->options.hashes, store->info.size_bytes, release_buffer, writer, err);
	if (!writer->hasher || checkpoint_start(writer, err) < 0)
		return -1;
	return jobs_start(writer, err);
}

static struct blockmap *copy_map(const struct blockmap *map)
{
	struct blockmap *copy = blockmap_new(blockmap_blocks(map));
	struct block_range range;

	for (uint64_t lba = 0; copy && blockmap_next(map, lba, BLOCK_ALL, &range);
		lba = range.lba + range.n) {
		if (blockmap_set(copy, range.lba, range.n, range.state, &range.why) < 0) {
			blockmap_free(copy);
			copy = NULL;
		}
	}
	return copy;
}

int writer_note_state(struct image_writer *writer, struct err *err)
{
	blockmap_free(writer->then);
	writer->then = NULL;
	writer->began_at = writer->out.tail;
	writer->began_crc = writer->out.crc;
	writer->was_sealed = writer->sealed = writer->store.info.sealed;
	writer->changed = writer->gained = writer->unsound = false;
	writer->n_damaged = 0;
	if (writer->was_sealed) {
		writer->then = copy_map(writer->store.map);
		if (!writer->then)
			return err_memory(err, "for the block map");
	}
	writer->hash_lba = 0;
	return hasher_restart(writer->hasher, err);
}

static int lock_file(int fd, struct err *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_BUSY, "another umsctl is writing this image");
	return err_sys(err, errno, "cannot lock the image");
}

/* A file that exists is an image's if it is empty: one that was killed before its header was there.
 */
static int open_file(const char *path, bool *made, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	struct stat st;

	*made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(err, errno, "cannot begin the image");
	} else if (lock_file(fd, err) == 0) {
		if (S_ISREG(st.st_mode) && st.st_size == 0)
			return fd;
		err_set(err, ERR_OTHER, "cannot begin the image: the file exists");
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_new(struct image_writer *writer, const char *path, bool *made, struct err *err)
{
	*made = false;
	if (strcmp(path, "-") == 0) {
		writer->out.piped = true;
		writer->store.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return writer->store.fd < 0 ? err_sys(err, errno, "cannot write the image") : 0;
	}
	writer->store.fd = open_file(path, made, err);
	return writer->store.fd < 0 ? -1 : 0;
}

static int set_geometry(struct store *store, const struct image_geometry *geometry, struct err *err)
{
	struct image_info *info = &store->info;
	uint8_t head[UMS_HEAD_SIZE];

	info->block_bytes = geometry->block_bytes;
	info->n_blocks = geometry->n_blocks;
	info->size_bytes = geometry->size_bytes;
	info->created = (uint64_t)time(NULL);
	info->run_bytes = store_run_bytes(geometry->size_bytes);
	if (geometry->block_bytes > 0)
		info->run_bytes -= info->run_bytes % geometry->block_bytes;
	info->unit_bytes = UNIT_BYTES;
	if (RAND_bytes(info->uuid, sizeof(info->uuid)) != 1)
		return err_set(err, ERR_OTHER, "no random numbers for the image's UUID");
	info->uuid[6] = (info->uuid[6] & 0x0f) | 0x40; /* RFC 4122 version 4 */
	info->uuid[8] = (info->uuid[8] & 0x3f) | 0x80;
	/* The drive's word goes through the same checks as an image's. */
	store_head_encode(info, head);
	return store_head_decode(store, head, sizeof(head), err);
}

static int begin(struct image_writer *writer, const char *path,
	const struct image_geometry *geometry, bool *made, struct err *err)
{
	struct store *store = &writer->store;
	uint8_t head[UMS_HEAD_SIZE];

	if (set_geometry(store, geometry, err) < 0 || store_prepare(store, err) < 0)
		return -1;
	store->index = index_new(store->slot_blocks);
	if (!store->index)
		return err_memory(err, "beginning the image");
	if (open_new(writer, path, made, err) < 0 || writer_start(writer, err) < 0)
		return -1;
	writer->changed = true;
	store_head_encode(&store->info, head);
	if (out_small_record(&writer->out, UMS_TYPE_HEAD, head, sizeof(head), NULL, err) < 0)
		return -1;
	/* A checkpoint makes the file durable, but not its name. */
	if (!writer->out.piped && file_sync_folder(path) < 0)
		return err_sys(err, errno, "making the folder of the image durable");
	return 0;
}

struct image_writer *image_create(const char *path, const struct image_geometry *geometry,
	const struct image_writer_options *options, struct err *err)
{
	struct image_writer *writer = writer_new(options, err);
	bool made = false;

	if (!writer)
		return NULL;
	if (begin(writer, path, geometry, &made, err) == 0)
		return writer;
	writer_free(writer);
	if (made)
		unlink(path); /* it was made just now, by O_EXCL, and holds nothing */
	return NULL;
}

/* Puts the writer's end where the last valid record ends. */
static int cut_tail(struct image_writer *writer, struct err *err)
{
	struct out *out = &writer->out;

	out->tail = writer->store.tail;
	out->crc = writer->store.tail_crc;
	if (out->tail < writer->store.info.file_bytes) {
		if (out_trim(out, err) < 0 || out_sync(out, err) < 0)
			return -1;
	}
	writer->store.info.file_bytes = out->tail;
	return 0;
}

/* Records that came behind the last checkpoint go into the next one; when a checkpoint is damaged
 * the next one says everything and begins a new chain. */
static int remember_tail(struct image_writer *writer, struct err *err)
{
	struct store *store = &writer->store;
	unsigned int states = BLOCK_HAVE;
	const struct index_entry *entry;
	struct block_range range;
	size_t n;

	if (store->chain_broken) {
		store->last_ckpt = 0;
		states = BLOCK_ALL & ~BLOCK_MASK(BLOCK_UNTRIED);
	}
	entry = index_all(store->index, &n);
	writer->n_records = n;
	for (size_t i = 0; i < n; i++) {
		if (entry[i].offset > store->last_ckpt &&
			pending_index(&writer->pending, &entry[i]) < 0)
			return err_memory(err, "opening the image");
	}
	for (size_t i = 0; i < store->refs.n; i++) {
		const struct ref *ref = &store->refs.ref[i];

		if (ref->offset > store->last_ckpt &&
			pending_ref(&writer->pending, ref->type, ref->offset) < 0)
			return err_memory(err, "opening the image");
	}
	for (uint64_t lba = 0; blockmap_next(store->map, lba, states, &range);
		lba = range.lba + range.n) {
		if (pending_map(&writer->pending, &range) < 0)
			return err_memory(err, "opening the image");
	}
	return 0;
}

/* Index, map and references.  A session before may have ended with a sync that failed: the cache
 * then shows bytes that the disk never got. */
static int load_to_write(struct image_writer *writer, struct err *err)
{
	struct store *store = &writer->store;

	if (file_forget_cache(store->fd) < 0)
		return err_sys(err, errno, "making the image durable");
	if (load_store(store, true, err) < 0)
		return -1;
	return store->chain_broken ? recover_from_seal(store, err) : 0;
}

static int resume(struct image_writer *writer, const char *path, struct err *err)
{
	writer->store.fd = open(path, O_RDWR | O_CLOEXEC);
	if (writer->store.fd < 0)
		return err_sys(err, errno, "cannot open the image for writing");
	if (lock_file(writer->store.fd, err) < 0 || load_to_write(writer, err) < 0)
		return -1;
	/* A later generation has the digests of the one before. */
	writer->options.hashes |= writer->store.info.hashes & IMAGE_HASH_ALL;
	if (writer_start(writer, err) < 0 || cut_tail(writer, err) < 0 ||
		writer_note_state(writer, err) < 0 || remember_tail(writer, err) < 0)
		return -1;
	writer->written_back = writer->out.tail;
	/* Until a checkpoint says everything, only the footer does, and it counts at the end of
	 * the file only. */
	if (!writer->was_sealed || !writer->store.chain_broken)
		return 0;
	writer->changed = true;
	return checkpoint_now(writer, err) < 0 ? -1 : out_sync(&writer->out, err);
}

struct image_writer *image_resume(
	const char *path, const struct image_writer_options *options, struct err *err)
{
	struct image_writer *writer = writer_new(options, err);

	if (!writer)
		return NULL;
	if (resume(writer, path, err) == 0)
		return writer;
	writer_free(writer);
	return NULL;
}

struct capture_sink *image_writer_sink(struct image_writer *writer)
{
	return &writer->sink;
}

const struct image_info *image_writer_info(const struct image_writer *writer)
{
	return &writer->store.info;
}

const struct blockmap *image_writer_map(const struct image_writer *writer)
{
	return writer->store.map;
}

int image_writer_blob(
	struct image_writer *writer, const char *name, void **bytes, size_t *len, struct err *err)
{
	if (writer->out.piped)
		return 0;
	if (writer_drain(writer, err) < 0)
		return -1;
	return store_blob_look(&writer->store, name, bytes, len, err);
}

int image_writer_journal(struct image_writer *writer, int (*func)(void *context, const char *json),
	void *context, struct err *err)
{
	if (writer->out.piped)
		return 0;
	if (writer_drain(writer, err) < 0)
		return -1;
	return store_journal(&writer->store, func, context, err);
}

void image_writer_keep(struct image_writer *writer)
{
	writer_gain(writer);
}

/* The image that was sealed when it was opened, as it was: nothing of it was ever written to. */
static int cut_back(struct image_writer *writer, struct err *err)
{
	writer_settle(writer, NULL);
	checkpoint_stop(writer);
	writer->out.tail = writer->began_at;
	if (out_trim(&writer->out, err) < 0)
		return -1;
	return out_sync(&writer->out, err);
}

/* What was read before a failure (a full disk) still goes into a checkpoint: room for it was kept.
 */
static int close_unsealed(struct image_writer *writer, struct err *err)
{
	struct err failure = {0};
	int r = writer_settle(writer, &failure);

	if (checkpoint_now(writer, r < 0 ? NULL : &failure) < 0)
		r = -1;
	if (out_trim(&writer->out, r < 0 ? NULL : &failure) < 0)
		r = -1;
	if (out_sync(&writer->out, r < 0 ? NULL : &failure) < 0)
		r = -1;
	if (r < 0 && err)
		*err = failure;
	return r;
}

int image_writer_close(struct image_writer *writer, struct err *err)
{
	int r = 0;

	if (!writer)
		return 0;
	if (writer->changed && !writer->sealed) {
		if (writer->was_sealed && !writer->gained)
			r = cut_back(writer, err);
		else
			r = close_unsealed(writer, err);
	}
	writer_free(writer);
	return r;
}
