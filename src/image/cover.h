/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sectors of a range are still to be read, while the records of a slot are gone through from
 * the newest to the oldest: a sector is taken from the first record that has it.  The cost is in
 * proportion to the sectors and the records, however they lie over each other.
 */
#ifndef UMS_IMAGE_COVER_H
#define UMS_IMAGE_COVER_H

#include <stdbool.h>
#include <stdint.h>

struct cover {
	uint64_t first;
	uint32_t n;
	uint32_t *
		next; /* of each sector, and one: the first at or behind it that nobody has taken */
};

/* N sectors from FIRST on, none of them taken.  -1 when memory is out. */
int cover_begin(struct cover *cover, uint64_t first, uint32_t n);
void cover_end(struct cover *cover);

/* Takes the first piece of LBA … END-1 that nobody has taken yet: *PIECE and *PIECE_N sectors of
 * it.  False when there is none (any more). */
bool cover_take(
	struct cover *cover, uint64_t lba, uint64_t end, uint64_t *piece, uint32_t *piece_n);

#endif
