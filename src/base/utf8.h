/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 as RFC 3629 has it, and which characters may be shown to a person. */
#ifndef UMS_BASE_UTF8_H
#define UMS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the character at the front of LEN bytes into *CODE.  Returns how many bytes it takes, or 0
 * when there is none: an overlong form, a surrogate, more than U+10FFFF, a byte that begins
 * nothing, or a character that is cut short by the end (or by a NUL).
 */
size_t utf8_decode(const uint8_t *bytes, size_t len, uint32_t *code);

/*
 * True when a terminal shows CODE as itself and it changes nothing around it.  False for control
 * characters (C0, DEL, C1), those that turn the direction of text around, those that nobody sees
 * (zero-width, fillers, tags), line and paragraph separators, and what is no character.
 */
bool utf8_is_harmless(uint32_t code);

#endif
