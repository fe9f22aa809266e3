/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block map: what is known of every sector of a drive, as contiguous ranges that cover it
 * from LBA 0 to the last.  Neighbours that say the same are one range.  At most some 64 bytes a
 * range. Not for storing data, and not thread-safe: one owner at a time.
 */
#ifndef UMS_BASE_BLOCKMAP_H
#define UMS_BASE_BLOCKMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of the image format (proto/IMAGE.md, "Block map"). */
enum block_state {
	BLOCK_UNTRIED = 0,
	BLOCK_SKIPPED = 1, /* left for later: slow, or behind an error */
	BLOCK_FAILED = 2,  /* a read over it failed; the bad sectors in it are not isolated */
	BLOCK_BAD = 3,	   /* a sector that the drive says it cannot read */
	BLOCK_GOOD = 4,
	BLOCK_RECOVERED = 5, /* good, with an error that the drive recovered from */
	BLOCK_STATES = 6,
};

/* Sets of states. */
#define BLOCK_MASK(state) (1u << (state))
#define BLOCK_ALL	  ((1u << BLOCK_STATES) - 1)
#define BLOCK_HAVE	  (BLOCK_MASK(BLOCK_GOOD) | BLOCK_MASK(BLOCK_RECOVERED))
#define BLOCK_MISSING	  (BLOCK_ALL & ~BLOCK_HAVE)

/* How the exchange that led to a state ended; the numbers are those of the image format. */
enum block_outcome {
	BLOCK_OUTCOME_NONE = 0,	   /* nothing failed, or the SCSI status and sense say it */
	BLOCK_OUTCOME_TIMEOUT = 1, /* no answer in time */
	BLOCK_OUTCOME_BROKEN = 2,  /* the transport broke: phase error, stall, wrong CSW */
	BLOCK_OUTCOME_ABORTED = 3, /* ended by a reset that was not its own */
	BLOCK_OUTCOME_GONE = 4,	   /* the drive left the bus */
	BLOCK_OUTCOME_SLOW = 5,	   /* skipped because its neighbours were slow */
};

struct block_reason {
	uint8_t outcome;   /* enum block_outcome */
	uint8_t status;	   /* SCSI status */
	uint8_t sense_key; /* with asc and ascq: 0 when there was no sense data */
	uint8_t asc;
	uint8_t ascq;
	uint8_t tries; /* reads of that place that failed, 255 = that many or more */
	uint8_t error; /* of the host's own reading, by base/errnum.h; 0: none */
};

struct block_range {
	uint64_t lba;
	uint64_t n;
	enum block_state state;
	struct block_reason why;
};

struct blockmap;

/* A map of N_BLOCKS untried sectors; NULL when memory is out. */
struct blockmap *blockmap_new(uint64_t n_blocks);
void blockmap_free(struct blockmap *map);

/* Says STATE and WHY (NULL: no reason) of N sectors from LBA, whatever was said of them before;
 * what lies behind the end of the map is left out.  -1 when memory is out (the map stays as it
 * was). */
int blockmap_set(struct blockmap *map, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why);

/* The whole range that LBA lies in.  LBA must lie in the map. */
struct block_range blockmap_at(const struct blockmap *map, uint64_t lba);

/* The first part of a range at or behind LBA whose state is in MASK: begins at LBA or later, ends
 * where its range ends.  False when there is none. */
bool blockmap_next(
	const struct blockmap *map, uint64_t lba, unsigned int mask, struct block_range *range);

/* The last part of a range before LBA (exclusive) whose state is in MASK: ends at LBA or earlier.
 */
bool blockmap_prev(
	const struct blockmap *map, uint64_t lba, unsigned int mask, struct block_range *range);

/* Sectors whose state is in MASK. */
uint64_t blockmap_count(const struct blockmap *map, unsigned int mask);

/* Areas: runs of sectors in MASK that touch, whatever their reasons. */
uint64_t blockmap_areas(const struct blockmap *map, unsigned int mask);

uint64_t blockmap_blocks(const struct blockmap *map);
size_t blockmap_ranges(const struct blockmap *map);

/* "untried", "skipped", … ; "unknown" for numbers that are no state. */
const char *block_state_name(enum block_state state);
const char *block_outcome_name(enum block_outcome outcome);

#endif
