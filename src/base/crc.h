/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 (the one of zlib, gzip and UDIF), with ISA-L where it was built in. */
#ifndef UMS_BASE_CRC_H
#define UMS_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from CRC (0 at the beginning) over LEN bytes. */
uint32_t crc32_of(uint32_t crc, const void *bytes, size_t len);

/* The CRC of two pieces one behind the other, from theirs and the second's length. */
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_len);

/* The CRC of LEN zero bytes, at most INT64_MAX. */
uint32_t crc32_zeros(uint64_t len);

#endif
