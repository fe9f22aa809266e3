/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the records of a slot counts where: the one that stands last in the file. */
#ifndef UMS_IMAGE_VISIBLE_H
#define UMS_IMAGE_VISIBLE_H

#include <stddef.h>
#include <stdint.h>

#include "image/index.h"

/* Sectors that one record counts for. */
struct visible {
	const struct index_entry *entry;
	uint64_t lba;
	uint32_t n;
};

/*
 * The pieces of N_BLOCKS sectors from LBA, all in one slot, that the N records ENTRY of that slot
 * (oldest first) hold, in *PIECE (freed by the caller), *N_PIECES of them; the newest record's come
 * first.  Sectors that no record has are in none.  Each sector is looked at once, however many
 * records have it.  -1 when memory is out.
 */
int visible_pieces(const struct index_entry *entry, size_t n, uint64_t lba, uint32_t n_blocks,
	struct visible **piece, size_t *n_pieces);

#endif
