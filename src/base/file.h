/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole reads and writes at a place of a file, and room kept on its file system. */
#ifndef UMS_BASE_FILE_H
#define UMS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Reads until LEN bytes are there or the file ends; -1 and errno on an error. */
ssize_t file_read_at(int fd, void *bytes, size_t len, uint64_t offset);

/* Writes all N pieces (their iovecs are used up), at OFFSET, or where the file stands when OFFSET
 * is UINT64_MAX (a pipe).  -1 and errno on an error; some of it may be written then. */
int file_write_all(int fd, struct iovec *piece, int n, uint64_t offset);

/* Allocates LEN bytes at OFFSET without changing the file's size.  0; 1 when the file system cannot
 * do that; -1 and errno (ENOSPC) when there is no room. */
int file_reserve(int fd, uint64_t offset, uint64_t len);

/* The first line of a small file of text (sysfs, proc) into OUT of ROOM bytes, without its newline;
 * false when there is none, or it cannot be read. */
bool file_read_line(const char *path, char *out, size_t room);

/* The decimal number that such a file begins with; false when there is none, or one of more than 64
 * bits. */
bool file_read_number(const char *path, uint64_t *number);

/* Data and size to the medium.  After a failure the system may have dropped what it could not write
 * and call it written: a second call that succeeds proves nothing. */
int file_sync(int fd);

/* Asks the system to begin writing LEN bytes at OFFSET to the medium, so that a later file_sync()
 * is short.  Promises nothing, and does nothing where the system has no such call. */
void file_start_writeback(int fd, uint64_t offset, uint64_t len);

/* What is read from then on comes from the medium and not from the system's cache, which may show
 * bytes that the medium never got.  Syncs first, because only clean pages can be dropped.  -1 and
 * errno when that failed.  Where the system offers no way to drop pages the cache stays. */
int file_forget_cache(int fd);

/* Makes the name of a new or renamed file durable: syncs the folder that PATH lies in.  0 also
 * where the file system cannot sync folders; -1 and errno. */
int file_sync_folder(const char *path);

#endif
