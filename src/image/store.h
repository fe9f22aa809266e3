/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image as it lies in its file: header, index, block map, references; and reading sectors from
 * it. Readers and writers both stand on it.
 */
#ifndef UMS_IMAGE_STORE_H
#define UMS_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blockmap.h"
#include "base/err.h"
#include "image/image.h"
#include "image/index.h"

struct inflater;

/* A BLOB or JRNL record. */
struct ref {
	uint64_t offset;
	uint32_t type;
};

struct refs {
	struct ref *ref;
	size_t n, room;
};

/* -1 when memory is out. */
int refs_add(struct refs *refs, uint32_t type, uint64_t offset);

/* Puts them in the order in which they stand in the file, which is the one in which they were
 * written, and forgets those that are there twice. */
void refs_settle(struct refs *refs);

struct store {
	int fd;
	struct image_info info; /* with file_bytes: the size of what is read */
	uint64_t begin;		/* where the first record behind HEAD, which may be long, can be */
	uint32_t slot_blocks;
	struct blockmap *map;
	struct index *index;
	struct refs refs;
	struct err damage; /* of the map or index of a sealed image, where info.damaged says so */

	/* For who goes on writing. */
	uint64_t tail;	    /* where the next record goes */
	uint32_t tail_crc;  /* of all bytes before it */
	uint64_t last_ckpt; /* 0: none */
	uint32_t n_ckpts;
	uint64_t last_seal; /* 0: none */
	bool chain_broken;  /* a checkpoint is damaged; the records were taken one by one */

	/* The run that was read last. */
	struct inflater *inflater;
	uint8_t *run_payload;
	size_t run_room;
	uint64_t run_offset; /* of its record, UINT64_MAX: none */
	uint8_t *unit;	     /* one plain unit */
	uint64_t unit_of;    /* record offset and number of the unit in it */
	uint32_t unit_number;
};

/* Sets geometry from a HEAD payload, held to the format's limits. */
int store_head_decode(
	struct store *store, const uint8_t *payload, uint64_t length, struct err *err);
void store_head_encode(const struct image_info *info, uint8_t payload[UMS_HEAD_SIZE]);

/* Run length in bytes for a drive of SIZE_BYTES: a property list of QEMU's limit must hold the
 * runs. */
uint32_t store_run_bytes(uint64_t size_bytes);

/* Map, caches; after the geometry is known. */
int store_prepare(struct store *store, struct err *err);

/* Frees everything and closes FD. */
void store_clear(struct store *store);

/* What index entries of this image are held to. */
struct index_limits store_limits(const struct store *store);

/* Blocks of SLOT (the last one may be shorter). */
uint32_t store_slot_length(const struct store *store, uint64_t slot);
uint64_t store_n_slots(const struct store *store);

/* LEN bytes of the file at OFFSET. */
int store_bytes(
	const struct store *store, uint64_t offset, void *bytes, size_t len, struct err *err);

/* --- sectors (sectors.c) --- */

/* The part of one run that lies in LEN bytes at OFFSET (of the drive) into DATA, which begins at
 * OFFSET. */
int store_read_run(struct store *store, const struct index_entry *entry, uint64_t offset,
	size_t len, uint8_t *data, struct err *err);

/* Plain bytes of N sectors, all in one slot; what there is not is zero. */
int store_read_slot(struct store *store, uint64_t lba, uint32_t n, uint8_t *data, struct err *err);

/*
 * Any range of plain bytes of the drive (up to n_blocks × block_bytes).  Each sector is taken from
 * the newest record that has it, so damage in older ones does no harm; what is in no record is
 * zero.
 */
int store_read(struct store *store, uint64_t offset, size_t len, uint8_t *data, struct err *err);

/*
 * The same for who gives the sectors away: those that the map calls good while no record has them
 * are damage too.  With LOSE, damage does not end the read: what is lost is zero in DATA, and LOSE
 * is called for each piece of it; -1 and ERR then only when memory is out or the index cannot be
 * read.
 */
int store_read_checked(struct store *store, uint64_t offset, size_t len, uint8_t *data,
	image_lose *lose, void *context, struct err *err);

/* Sectors LBA … END-1, of which ENTRY (N of them, perhaps none) are all the records: those that the
 * map calls good while no record has them are damage, as with store_read_checked(). */
int store_check_slot(struct store *store, uint64_t lba, uint64_t end,
	const struct index_entry *entry, size_t n, image_lose *lose, void *context,
	struct err *err);

/* The payload of the record that reference I names, freed by the caller; NULL and ERR when it is
 * damaged, of another type, or reaches into the record of the next reference. */
uint8_t *store_ref_read(struct store *store, size_t i, uint64_t *length, struct err *err);

/* The name of the BLOB record that reference I names; its payload's CRC is not looked at. */
int store_blob_name(struct store *store, size_t i, char name[256], struct err *err);

/* The name and bytes of the BLOB record that reference I names; *PAYLOAD is freed by the caller. */
int store_blob_read(struct store *store, size_t i, uint8_t **payload, char name[256],
	const uint8_t **bytes, size_t *len, struct err *err);

/* The newest blob NAME, freed by the caller; NULL when there is none or it is damaged. */
void *store_blob_find(struct store *store, const char *name, size_t *len);

/* The newest blob NAME into *BYTES (freed by the caller).  1: found, 0: there is none, -1 and ERR:
 * it cannot be told, because a blob is damaged. */
int store_blob_look(
	struct store *store, const char *name, void **bytes, size_t *len, struct err *err);

/* Calls FUNC for each line of the journal, in order; stops and returns what FUNC returned when that
 * is not 0. */
int store_journal(struct store *store, int (*func)(void *context, const char *json), void *context,
	struct err *err);

/* A record of TYPE at OFFSET, whole; freed by the caller. */
uint8_t *store_record_read(
	struct store *store, uint64_t offset, uint32_t type, uint64_t *length, struct err *err);

/* The file's CRC from OFFSET on to END, going on from CRC. */
int store_file_crc(int fd, uint64_t offset, uint64_t end, uint32_t *crc, struct err *err);

#endif
