/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from outside made fit to be shown, and numbers made fit to read. */
#ifndef UMS_BASE_TEXT_H
#define UMS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How text from outside is shown.
 *
 * File names, arguments, mount points, lines of a journal, strings of a definition: inside the
 * program they are the bytes as they came.  So is every text made of them: a `struct err`, a
 * message, what uses a drive.  They are made safe once, where they leave the program, by the one
 * function for that border:
 *
 *	a terminal, a log     text_show(), or cli_put() straight to a FILE (cli/cli.h)
 *	a comment in a file   text_show(): it leaves no newline
 *	JSON                  json_write() and json_line() (base/json.h)
 *	a command to copy     text_shell_quote(), text_shell_file()
 *	a name for a file     text_file_name()
 *
 * What a drive says of itself is an exception, because it is fixed bytes and not text.  Where it is
 * decoded (INQUIRY, USB strings, serial numbers, values of vendor commands) text_escape() makes it
 * plain ASCII for good.  That form is compared, typed by users (usb:VID:PID:SERIAL), and kept in
 * images.  text_show() leaves backslashes as they are, so that nothing is escaped twice: the price
 * is that a terminal cannot tell an escape from a name in which somebody wrote one.  JSON can.
 */

/*
 * Copies LEN bytes that a drive gave to OUT (ROOM bytes, always ends in NUL): printable ASCII as it
 * is, everything else (and backslash) as \xNN.  Trailing spaces and NULs are left out.  What does
 * not fit is cut.  Returns OUT.
 */
char *text_escape(const void *bytes, size_t len, char *out, size_t room);

/* Room that text_show() needs for LEN bytes, with its NUL. */
#define TEXT_SHOWN(len) (4 * (len) + 1)

/*
 * TEXT for a terminal, into OUT (ROOM bytes, always ends in NUL; what does not fit is cut before an
 * escape, never in it).  Characters that utf8_is_harmless() lets pass stay as they are, and so do
 * backslashes; other characters below U+0080 and bytes that are no UTF-8 become \xNN, the rest
 * \u{N...}.  Returns OUT.
 */
char *text_show(const char *text, char *out, size_t room);

/*
 * The same in pieces of any length, for writers of their own: makes the first character (or byte)
 * of LEN bytes fit to be shown, in OUT.  Returns how many bytes it was, 0 when LEN is 0.
 */
size_t text_show_next(const char *bytes, size_t len, char out[16]);

/*
 * TEXT as one word of a command line: as it is where no shell sees anything special in it, else in
 * '...', or in $'...' with octal escapes (bash, zsh, ksh) when there is something in it that is not
 * to be shown.  The caller's, to free(); NULL when memory is out.
 */
char *text_shell_quote(const char *text);

/* The same for the name of a file or a drive: one that would be taken for an option ("-x") gets
 * "./" before it.  "-" alone stays, it means a pipe. */
char *text_shell_file(const char *text);

/*
 * TEXT as part of the name of a new file, into OUT (ROOM bytes, cut where it does not fit): ASCII
 * letters, digits, '-' and '.' as they are, all else '_'; neither a dot nor a dash comes first.
 * Returns OUT.
 */
char *text_file_name(const char *text, char *out, size_t room);

/* "64 MiB", "3.7 GiB", "512 bytes" into OUT of 32 bytes, rounded down; returns OUT. */
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
