/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole reads and writes: see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

bool file_read_line(const char *path, char *out, size_t room)
{
	cleanup_fclose FILE *f = fopen(path, "re");

	if (!f || !fgets(out, (int)room, f))
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

bool file_read_number(const char *path, uint64_t *number)
{
	char line[64], *end;

	if (!file_read_line(path, line, sizeof(line)) || line[0] < '0' || line[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(line, &end, 10);
	return errno == 0;
}

ssize_t file_read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)bytes + done, len - done, (off_t)(offset + done));

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)done;
}

/* Steps over WRITTEN bytes; returns the first piece that is not empty, or N. */
static int skip_written(struct iovec *piece, int first, int n, size_t written)
{
	while (first < n && written >= piece[first].iov_len)
		written -= piece[first++].iov_len;
	if (first < n) {
		piece[first].iov_base = (char *)piece[first].iov_base + written;
		piece[first].iov_len -= written;
	}
	return first;
}

int file_write_all(int fd, struct iovec *piece, int n, uint64_t offset)
{
	int first = skip_written(piece, 0, n, 0);

	while (first < n) {
		ssize_t done = offset == UINT64_MAX
				       ? writev(fd, piece + first, n - first)
				       : pwritev(fd, piece + first, n - first, (off_t)offset);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (offset != UINT64_MAX)
			offset += (uint64_t)done;
		first = skip_written(piece, first, n, (size_t)done);
	}
	return 0;
}

int file_reserve(int fd, uint64_t offset, uint64_t len)
{
#ifdef FALLOC_FL_KEEP_SIZE
	int r;

	do
		r = fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == ESPIPE ? 1
											    : -1;
#else
	(void)fd, (void)offset, (void)len;
	return 1;
#endif
}

int file_sync(int fd)
{
	return fdatasync(fd);
}

void file_start_writeback(int fd, uint64_t offset, uint64_t len)
{
#ifdef SYNC_FILE_RANGE_WRITE
	(void)!sync_file_range(fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
#else
	(void)fd, (void)offset, (void)len;
#endif
}

int file_forget_cache(int fd)
{
	if (file_sync(fd) < 0)
		return -1;
#ifdef POSIX_FADV_DONTNEED
	(void)!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
#endif
	return 0;
}

int file_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = NULL;
	cleanup_close int fd = -1;

	if (slash)
		folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	else
		folder = strdup(".");
	if (!folder)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? 0 : -1; /* a folder that may be written but not read */
	if (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS)
		return 0;
	return -1;
}
