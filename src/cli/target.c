/* SPDX-License-Identifier: BSD-2-Clause */
/* What an export writes into: see target.h. */
#include "cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file or block device, by whatever names.  To write into a character device twice does no
 * harm: /dev/null. */
static bool same_place(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode))
		return a->st_rdev == b->st_rdev;
	return !S_ISCHR(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int refuse_image(const struct stat *st, const char *image, struct err *err)
{
	struct stat image_st;

	if (stat(image, &image_st) == 0 && same_place(st, &image_st))
		return err_set(err, ERR_USAGE, "that is the image itself");
	return 0;
}

static int target_open_stdout(struct target *target, const char *image, struct err *err)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0)
		return err_sys(err, errno, "standard output");
	if (refuse_image(&st, image, err) < 0)
		return -1;
	target->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return target->fd < 0 ? err_sys(err, errno, "standard output") : 0;
}

/* A pipe or a character device. */
static int target_open_special(struct target *target, struct err *err)
{
	target->fd = open(target->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return target->fd < 0 ? err_sys(err, errno, "cannot open it") : 0;
}

static int target_open_named(struct target *target, const char *image, bool force, struct err *err)
{
	struct stat st;

	if (stat(target->name, &st) == 0) {
		if (S_ISBLK(st.st_mode))
			return err_set(err, ERR_USAGE,
				"a block device: to write over what is on it, 'umsctl export IMAGE "
				"- >DEVICE'");
		if (S_ISDIR(st.st_mode))
			return err_set(err, ERR_USAGE, "that is a folder");
		if (refuse_image(&st, image, err) < 0)
			return -1;
		if (!S_ISREG(st.st_mode))
			return target_open_special(target, err);
	}
	if (!force && lstat(target->name, &st) == 0)
		return err_set(err, ERR_USAGE, "it exists; --force writes over it");
	target->is_new = true;
	return newfile_begin(&target->file, target->name, force, err);
}

int target_open(
	struct target *target, const char *name, const char *image, bool force, struct err *err)
{
	int r;

	*target = (struct target){.name = name, .fd = -1};
	r = strcmp(name, "-") == 0 ? target_open_stdout(target, image, err)
				   : target_open_named(target, image, force, err);
	if (r < 0)
		target->name = NULL;
	return r;
}

/* What is at the place where TARGET will be; false when there is nothing yet. */
static bool target_place(const struct target *target, struct stat *st)
{
	return target->is_new ? stat(target->file.path, st) == 0 : fstat(target->fd, st) == 0;
}

bool target_is_same(const struct target *a, const struct target *b)
{
	struct stat a_st, b_st;

	if (a->is_new && b->is_new && strcmp(a->file.path, b->file.path) == 0)
		return true;
	return target_place(a, &a_st) && target_place(b, &b_st) && same_place(&a_st, &b_st);
}

int target_has_room(const struct target *target, uint64_t size, struct err *err)
{
	struct stat st;
	off_t at, end;

	if (target->is_new || fstat(target->fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	at = lseek(target->fd, 0, SEEK_CUR);
	end = lseek(target->fd, 0, SEEK_END);
	if (at < 0 || end < 0 || lseek(target->fd, at, SEEK_SET) < 0)
		return err_sys(err, errno, "asking for its size");
	if (end >= at && (uint64_t)(end - at) >= size)
		return 0;
	return err_set(err, ERR_NO_SPACE,
		"the drive in the image has %" PRIu64 " bytes, and there is room for %" PRIu64
		" only",
		size, end > at ? (uint64_t)(end - at) : 0);
}

bool target_is_new(const struct target *target)
{
	return target->is_new;
}

int target_fd(const struct target *target)
{
	return target->is_new ? target->file.fd : target->fd;
}

/* A device may say only now that it could not keep what it took.  Pipes know nothing of that. */
static int sync_if_possible(int fd)
{
	return fsync(fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP ? -1 : 0;
}

int target_finish(struct target *target, struct err *err)
{
	int fd = target->fd, r = 0;

	if (target->is_new) {
		target->is_new = false;
		return newfile_finish(&target->file, err);
	}
	if (sync_if_possible(fd) < 0)
		r = err_sys(err, errno, "writing it to the disk");
	target->fd = -1;
	if (close(fd) < 0 && r == 0)
		r = err_sys(err, errno, "closing it");
	return r;
}

void target_abandon(struct target *target)
{
	if (!target->name)
		return;
	if (target->is_new)
		newfile_abandon(&target->file);
	else if (target->fd >= 0)
		close(target->fd);
	target->is_new = false;
	target->fd = -1;
}
