/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `.ums` image, for readers and for who begins, resumes and seals one.  The format is in
 * proto/IMAGE.md.  Nothing here knows that drives exist.
 */
#ifndef UMS_IMAGE_IMAGE_H
#define UMS_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"

/* --- reading --- */

struct image;

/* Name ("sha256") and length in bytes of digest number I < IMAGE_N_HASHES. */
const char *image_hash_name(unsigned int i);
size_t image_hash_length(unsigned int i);

#define IMAGE_HASH_SHA256 1u
#define IMAGE_HASH_MD5	  2u
#define IMAGE_HASH_SHA1	  4u
#define IMAGE_HASH_ALL	  7u
#define IMAGE_N_HASHES	  3

struct image_info {
	uint16_t version;
	uint8_t uuid[16];
	uint32_t block_bytes;
	uint64_t n_blocks;
	uint64_t size_bytes; /* of the drive; n_blocks × block_bytes, or less for a plain file */
	uint32_t unit_bytes;
	uint32_t run_bytes;
	uint64_t created; /* seconds since 1970, UTC */
	uint64_t file_bytes;
	uint64_t stored_bytes; /* data as stored, without heads */
	bool sealed;
	uint32_t generation; /* of the seal, from 1 */
	bool udif;	     /* has a UDIF trailer */
	bool cut;	     /* not sealed, or what was behind the last seal is torn */
	bool damaged;  /* sealed, but block map or index had to be put together from the records */
	uint32_t pass; /* of the last checkpoint */
	uint64_t position;
	unsigned int hashes;		    /* IMAGE_HASH_… present */
	uint8_t digest[IMAGE_N_HASHES][32]; /* in order of the bits; 32, 16, 20 bytes */
};

/*
 * Opens PATH for reading; sealed, unsealed or cut.  NULL and ERR when nothing can be read of it.  A
 * sealed image whose map or index is damaged opens by its checkpoints and records, and its info
 * says `damaged` from then on: at once, or when a damaged page of the index is met by image_read.
 */
struct image *image_open(const char *path, struct err *err);
void image_close(struct image *image);
const struct image_info *image_info(const struct image *image);
const struct blockmap *image_map(const struct image *image);

/* What is damaged of the map or index, as a sentence for the user; "" when info is not `damaged`.
 */
const char *image_damage(const struct image *image);

/* LEN plain bytes at OFFSET (bytes of the drive) into DATA; what the image does not have reads as
 * zero. Not thread-safe.  -1 with ERR naming file offset and sectors when a chunk is damaged, or
 * when the map calls sectors good that no record holds. */
int image_read(struct image *image, uint64_t offset, size_t len, void *data, struct err *err);

/* Sectors that the drive gave, and that the image has lost again. */
struct image_lost {
	uint64_t lba, n_blocks;
	const char *text; /* a sentence that names sectors and file offset; as long as the call */
};
typedef void image_lose(void *context, const struct image_lost *lost);

/*
 * As image_read(), of whole sectors (up to the end of the drive) of an image that is damaged: those
 * that cannot be had any more are zeros in DATA, LOSE is called for each piece of them that lies
 * together in one record, and from then on image_map() calls those of them untried that were good.
 * -1 and ERR when the file's index cannot be read in any way, or memory is out.
 */
int image_salvage(struct image *image, uint64_t offset, size_t len, void *data, image_lose *lose,
	void *context, struct err *err);

/* Calls FUNC for each blob (newest of a name) or journal line (in order); stops and returns what
 * FUNC returned when that is not 0. */
int image_blobs(struct image *image,
	int (*func)(void *context, const char *name, const void *bytes, size_t len), void *context,
	struct err *err);
int image_journal(struct image *image, int (*func)(void *context, const char *json), void *context,
	struct err *err);

/* The bytes of blob NAME (freed by the caller), or NULL when there is none. */
void *image_blob(struct image *image, const char *name, size_t *len);

/* --- checking --- */

enum image_digests {
	IMAGE_DIGESTS_NONE,    /* the image has none: not sealed, or sealed without */
	IMAGE_DIGESTS_FIT,     /* computed, and they are those of the seal */
	IMAGE_DIGESTS_DIFFER,  /* computed, and one is another one */
	IMAGE_DIGESTS_UNKNOWN, /* not computed, so nothing can be said of them */
};

struct image_verify_report {
	uint64_t chunks, bad_chunks;
	enum image_digests digests;
	const char *digests_why; /* why they are unknown; NULL when they are not */
	uint64_t problems;	 /* all findings */
};

/*
 * Reads everything and checks every CRC and the digests.  FOUND is called with one sentence for
 * each thing that is wrong, naming the file offset and the sectors.  The time is in proportion to
 * the file; only the digests of a sealed image cost a pass over the whole drive, because they are
 * of its missing sectors as zeros too.  0 when the check could be done (look at the report), -1
 * when not.
 */
int image_verify(const char *path, void (*found)(void *context, const char *text),
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	struct image_verify_report *report, struct err *err);

/* --- writing --- */

struct capture_sink;
struct image_writer;

struct image_geometry {
	uint32_t block_bytes;
	uint64_t n_blocks;
	uint64_t size_bytes;
};

struct image_writer_options {
	unsigned int hashes;  /* IMAGE_HASH_…; SHA-256 is always taken */
	bool udif;	      /* write the UDIF trailer */
	unsigned int threads; /* compressors; 0 = one a processor */
};

/* Begins a new image.  PATH must not exist, or be empty; "-" writes to standard output (a pipe). */
struct image_writer *image_create(const char *path, const struct image_geometry *geometry,
	const struct image_writer_options *options, struct err *err);

/*
 * Opens an image to go on with: cuts a torn tail, loads map and index.  What lies behind the last
 * checkpoint is believed only as far as its records' CRCs hold when they are read from the disk,
 * past the system's cache.  Of a sealed image whose checkpoints are damaged the footer's map and
 * index count as far as they can be read, then what the records themselves say.
 */
struct image_writer *image_resume(
	const char *path, const struct image_writer_options *options, struct err *err);

/* The writer as a sink. */
struct capture_sink *image_writer_sink(struct image_writer *writer);
const struct image_info *image_writer_info(const struct image_writer *writer);
const struct blockmap *image_writer_map(const struct image_writer *writer);

/* The newest blob NAME into *BYTES (freed by the caller) and *LEN.  1: found, 0: the image has none
 * of that name, -1 and ERR: it cannot be told, because a blob of the image is damaged. */
int image_writer_blob(
	struct image_writer *writer, const char *name, void **bytes, size_t *len, struct err *err);

/* As image_journal(), of an image that is being written. */
int image_writer_journal(struct image_writer *writer, int (*func)(void *context, const char *json),
	void *context, struct err *err);

/* What was added is worth a new generation even if no sector was gained: a user's note.  See
 * image_writer_close(). */
void image_writer_keep(struct image_writer *writer);

/*
 * After the passes, before the seal: reads back what this session has not written itself, and with
 * DIGESTS what they have not seen.  Sectors that the map calls good and that do not read are put
 * back to untried, *PUT_BACK of them: the caller reads those from the drive and checks again.
 * Damage does not make it fail.  No room may be reserved.  PROGRESS as with the seal.  Of a pipe
 * nothing can be read back; its digests are completed by zeros for what is missing.
 */
int image_writer_check(struct image_writer *writer, bool digests,
	int (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	uint64_t *put_back, struct err *err);

/*
 * The digests that a seal would have now, after a check with DIGESTS that put nothing back:
 * *HASHES (IMAGE_HASH_…) says which OUT has, in order of the bits; 0 when they have not seen the
 * whole drive.
 */
int image_writer_digests(struct image_writer *writer, unsigned int *hashes,
	uint8_t out[IMAGE_N_HASHES][32], struct err *err);

/* Plain bytes that check and seal have read back so far: 0 after an uninterrupted capture without
 * errors. */
uint64_t image_writer_read_back_bytes(const struct image_writer *writer);

/*
 * Ends the capture: checks (see above; only what was not checked before is read), rewrites
 * scattered runs, takes the digests (if DIGESTS: they cost a pass over what did not come in one
 * piece from the beginning, zeros for what is missing), writes index, footer and trailer.
 * Sectors that turn out to be damaged end it with ERR_BAD_IMAGE.  PROGRESS (may be NULL) is called
 * while data is read back; when it returns other than 0, the seal is given up.  When it fails the
 * image stays unsealed, to be gone on with.
 */
int image_writer_seal(struct image_writer *writer, bool digests,
	int (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes), void *context,
	struct err *err);

/*
 * Writes out what is pending with a last checkpoint unless sealed, and frees the writer.  -1 and
 * ERR when that failed; freed all the same.  An image that was sealed when it was opened, and to
 * which nothing was added that is worth a new generation (a sector, one more that is known to be
 * bad, image_writer_keep()), is cut back to what it was, sealed, byte for byte; so is its seal when
 * image_writer_seal() would say nothing new.  After a failed sync nothing is claimed any more: no
 * checkpoint is written.  NULL is allowed.
 */
int image_writer_close(struct image_writer *writer, struct err *err);

/* --- conversions --- */

struct image_export_options {
	/* FD is a regular file of the caller's, open for writing and empty: what is zero becomes
	 * holes.  Without it all is written, in order, from where FD stands: nothing of what was
	 * there before may show through. */
	bool sparse;
	image_lose *lose; /* as with image_salvage(); NULL: damage ends the export */
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes); /* may be NULL */
	void *context;								  /* of both */
};

/*
 * Writes the plain bytes of the whole drive to FD.  Where the image has nothing, a sparse export
 * costs nothing.  -1 and ERR (ERR_BAD_IMAGE for damage) with a part of it written.
 */
int image_export(
	struct image *image, int fd, const struct image_export_options *options, struct err *err);

/* The block map as a GNU ddrescue mapfile to FD. */
int image_export_mapfile(struct image *image, int fd, struct err *err);

#endif
