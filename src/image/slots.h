/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots that are being filled: room for READs, what of it was committed, and when it goes on
 * its way into the file and into the digests.  All by the caller's thread.
 */
#ifndef UMS_IMAGE_SLOTS_H
#define UMS_IMAGE_SLOTS_H

#include <stdint.h>

#include "base/err.h"

struct image_writer;

/* Room for N sectors at LBA; slots that nobody fills any more go on their way first.  NULL and ERR
 * when more than sink.most_open slots would be open. */
uint8_t *slots_reserve(struct image_writer *writer, uint64_t lba, uint32_t n, struct err *err);

/* N sectors at LBA hold what the drive has.  -1 and ERR when LBA is in no open slot. */
int slots_commit(struct image_writer *writer, uint64_t lba, uint32_t n, struct err *err);

/* One place less in the slot of LBA; sends the slot when it was left. */
int slots_release(struct image_writer *writer, uint64_t lba, struct err *err);

/* N sectors at LBA, if they stand in an open slot, are not good after all. */
void slots_forget(struct image_writer *writer, uint64_t lba, uint64_t n);

/* Sends what was committed and not yet sent; the slots stay open. */
void slots_send(struct image_writer *writer);

/* Sends it and closes all slots. */
void slots_close(struct image_writer *writer);

/* Copies those of N sectors at LBA that were committed in open slots into DATA; returns how many
 * those are. */
uint32_t slots_copy(struct image_writer *writer, uint64_t lba, uint32_t n, uint8_t *data);

#endif
