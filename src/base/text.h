/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from outside made fit to print, and numbers made fit to read. */
#ifndef UMS_BASE_TEXT_H
#define UMS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies LEN bytes that came from a drive or a file to OUT (ROOM bytes, always ends in NUL):
 * printable ASCII as it is, everything else (and backslash) as \xNN.  Trailing spaces and NULs are
 * left out.  What does not fit is cut.  Returns OUT.
 */
char *text_escape(const void *bytes, size_t len, char *out, size_t room);

/* "64 MiB", "3.7 GiB", "512 bytes" into OUT of 32 bytes; returns OUT. */
char *text_size(uint64_t bytes, char out[32]);

/* "1:02:03" or "4:05" into OUT of 32 bytes; returns OUT. */
char *text_duration(uint64_t seconds, char out[32]);

/* Reads a whole non-negative number, decimal or 0x hex, and nothing behind it. */
bool text_number(const char *text, uint64_t *value);

/* As text_number, with an optional suffix K M G T (powers of 1024; also KiB …, kB … as powers of
 * 1000) and s (sectors of SECTOR_BYTES, where that is not 0): bytes. */
bool text_bytes(const char *text, uint32_t sector_bytes, uint64_t *bytes);

/* 2 × LEN lower-case hex digits and a NUL into OUT; returns OUT. */
char *text_hex(const uint8_t *bytes, size_t len, char *out);

/* The bytes of LEN hexadecimal digits into OUT (LEN / 2 bytes); false when they are none, or odd.
 */
bool text_unhex(const char *text, size_t len, uint8_t *out);

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" into OUT of 37 bytes; returns OUT. */
char *text_uuid(const uint8_t uuid[16], char out[37]);

#endif
