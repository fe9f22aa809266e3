/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the DATA records of each slot are.  A slot is a run-sized piece of the drive; a record
 * never reaches over its end.  Within a slot the record that stands later in the file wins.  Held
 * in memory (a capture, an unsealed image), or read page by page (a sealed one).
 */
#ifndef UMS_IMAGE_INDEX_H
#define UMS_IMAGE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/ums.h"

struct index_entry {
	uint64_t lba;
	uint64_t offset; /* of the record */
	uint32_t n_blocks;
	uint32_t length; /* of the record's payload */
	uint32_t plain_crc;
	uint8_t encoding;
	uint64_t slot; /* set by the index */
};

/* Where the index of a sealed image is: one per INDX record, in order of LBA. */
struct index_page {
	uint64_t first_lba;
	uint64_t offset;
	uint32_t n_entries;
};

struct index;

void index_entry_encode(const struct index_entry *entry, uint8_t out[UMS_INDEX_ENTRY_SIZE]);
void index_entry_decode(const uint8_t in[UMS_INDEX_ENTRY_SIZE], struct index_entry *entry);

/* What index entries are held to. */
struct index_limits {
	uint32_t slot_blocks;
	uint64_t n_blocks;   /* of the drive */
	uint64_t file_bytes; /* of the image */
};

/* Does the entry lie in one slot of the drive, and its record in the file?  Every entry that comes
 * from a file is held to this before anything is done with it. */
bool index_entry_fits(const struct index_entry *entry, const struct index_limits *limits);

/* An empty index in memory; NULL when memory is out. */
struct index *index_new(uint32_t slot_blocks);

/* Are the pages in order of LBA, no slot on two of them, and is there room in the file for all? */
bool index_pages_fit(const struct index_page *pages, size_t n, const struct index_limits *limits);

/* An index that reads PAGES (N of them, which fit, owned from then on) from FD when asked. */
struct index *index_paged(const struct index_limits *limits, int fd, const uint8_t uuid[16],
	struct index_page *pages, size_t n);

void index_free(struct index *index);

/* Adds to an index in memory, in order of file offset.  -1 when memory is out. */
int index_add(struct index *index, const struct index_entry *entry);

/*
 * The records of SLOT, oldest first, in *ENTRY (the index's, until the next call), *N of them,
 * perhaps none.  -1 and ERR when a page cannot be read.
 */
int index_slot(struct index *index, uint64_t slot, const struct index_entry **entry, size_t *n,
	struct err *err);

/*
 * The first slot at or behind SLOT that has records into *NEXT, or *FOUND = false when there is
 * none.  Slots without records cost nothing, however many there are; pages are read one after the
 * other.  -1 and ERR when a page on the way cannot be read.
 */
int index_next_slot(
	struct index *index, uint64_t slot, uint64_t *next, bool *found, struct err *err);

/* All entries of an index in memory, sorted by slot, oldest first within one. */
const struct index_entry *index_all(struct index *index, size_t *n);

/*
 * Forgets, in memory, entries that are there twice.  False when two of them name records that lie
 * over each other in the file: then the index is not to be believed.
 */
bool index_settle(struct index *index);

/* Forgets, in memory, records of a slot under a later one that holds the slot as a whole. */
void index_drop_covered(struct index *index);

/* Replaces the entries of SLOT (all of them) by one, in memory. */
int index_replace(struct index *index, uint64_t slot, const struct index_entry *entry);

#endif
