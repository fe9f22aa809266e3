/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing end of an image file: appends, the running CRC of the file, and room kept for the
 * seal. */
#ifndef UMS_IMAGE_OUT_H
#define UMS_IMAGE_OUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

#define OUT_PIECES 4

struct out {
	int fd;
	bool piped; /* cannot seek, cannot be read back */
	uint8_t uuid[16];
	uint64_t tail;	   /* where the next byte goes */
	uint32_t crc;	   /* of all bytes before it */
	uint64_t reserved; /* the file system has room up to here */
	bool no_reserve;   /* it cannot keep room */
	atomic_bool lost;  /* it is not known what of it is on the medium */
};

/* Appends a record whose payload is PIECE[0 … N-1] (N ≤ OUT_PIECES), padded; *OFFSET (may be NULL):
 * where. On failure the tail stays: what was written behind it is overwritten by the next one. */
int out_record(struct out *out, uint32_t type, const struct iovec *piece, int n,
	uint32_t payload_crc, uint64_t *offset, struct err *err);

/* A record of one piece, its CRC computed here. */
int out_small_record(struct out *out, uint32_t type, const void *payload, size_t len,
	uint64_t *offset, struct err *err);

/* Zeros up to the next place where a record may begin: a property list ends anywhere.  Whoever
 * takes the CRC of all bytes before a record does this first; out_record() does it by itself. */
int out_align(struct out *out, struct err *err);

/* Appends bytes that are no record. */
int out_bytes(struct out *out, const void *bytes, size_t len, struct err *err);

/* Makes sure of room for LEN more bytes and SPARE behind them.  ERR_NO_SPACE when there is none. */
int out_reserve(struct out *out, uint64_t len, uint64_t spare, struct err *err);

/* Leaves LEN bytes out at the tail, to be filled in later with BYTES; CRC and tail count them. */
void out_leave(struct out *out, const void *bytes, size_t len);

/* Fills them in at OFFSET.  In any thread; when it fails the file is lost, as with out_sync(). */
int out_fill(struct out *out, const void *bytes, size_t len, uint64_t offset, struct err *err);

/*
 * All that was written before the call to the medium; nothing to do on a pipe.  In any thread.
 * After a failure nobody knows what of the file is on the medium, and the system would call it
 * durable if it was asked again: the file is lost from then on, and every later call fails.
 */
int out_sync(struct out *out, struct err *err);

/* True, with ERR, when a sync has failed: nothing may be claimed of the file any more. */
bool out_is_lost(const struct out *out, struct err *err);

/* Cuts the file at the tail and gives back what was reserved. */
int out_trim(struct out *out, struct err *err);

#endif
