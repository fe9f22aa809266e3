/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deflate behind four functions: ISA-L where it was built in, zlib always.  What either writes,
 * both read.  Not for framing: a unit here is a bare deflate stream that ends at a full-flush
 * point.
 */
#ifndef UMS_IMAGE_DEFLATE_H
#define UMS_IMAGE_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deflater;
struct inflater;

/* NULL when memory is out. */
struct deflater *deflater_new(void);
void deflater_free(struct deflater *deflater);

/* Compresses LEN bytes, ending in a full flush (RFC 1951 blocks, none of them final, byte-aligned).
 * Returns the bytes written, or 0 when they do not fit ROOM. */
size_t deflater_unit(
	struct deflater *deflater, const void *plain, size_t len, uint8_t *out, size_t room);

struct inflater *inflater_new(void);
void inflater_free(struct inflater *inflater);

/* Undoes it: exactly LEN bytes into PLAIN, or false. */
bool inflater_unit(struct inflater *inflater, const uint8_t *stored, size_t stored_len, void *plain,
	size_t len);

/* Adler-32 (RFC 1950), 1 at the beginning. */
uint32_t adler32_of(uint32_t adler, const void *bytes, size_t len);

#endif
