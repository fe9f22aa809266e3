/* SPDX-License-Identifier: BSD-2-Clause */
/* The UDIF trailer, by which hdiutil, QEMU, dmg2img and 7-Zip read an image as a `.dmg`. */
#ifndef UMS_IMAGE_UDIF_H
#define UMS_IMAGE_UDIF_H

#include "image/store.h"

/*
 * The trailer (property list and `koly`) of an image whose data fork has FORK_LEN bytes with
 * FORK_CRC, freed by the caller; NULL when memory is out or records lie over each other.  INDEX is
 * in memory, the sector size is a multiple of 512.  The same image always has the same trailer.
 */
uint8_t *udif_build(const struct store *store, struct index *index, uint64_t fork_len,
	uint32_t fork_crc, size_t *len);

#endif
