/* SPDX-License-Identifier: BSD-2-Clause */
/* A result file that appears only when it is whole: see newfile.h. */
#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define NAME_ROOM 240 /* of the 255 bytes that a name may have: the rest marks it as temporary */

/* What a signal handler removes.  Changed only while signals are blocked. */
static struct newfile *unfinished;

static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, before);
}

static void unblock_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Signals are blocked. */
static void forget_unfinished(struct newfile *file)
{
	struct newfile **link = &unfinished;

	while (*link && *link != file)
		link = &(*link)->next;
	if (*link)
		*link = file->next;
}

/* Folder and name of PATH: the folder as realpath() has it, the caller's to free; the name is in
 * PATH.  NULL and errno when there is no such folder. */
static char *resolve_folder(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = NULL;

	*name = slash ? slash + 1 : path;
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	return folder ? realpath(folder, NULL) : NULL;
}

/* Sets path and temporary. */
static int name_newfile(struct newfile *file, const char *path, struct err *err)
{
	cleanup_free char *target = file->replace ? realpath(path, NULL) : NULL;
	cleanup_free char *folder = NULL;
	const char *name;

	folder = resolve_folder(target ? target : path, &name);
	if (!folder)
		return err_sys(err, errno, "the folder of the new file");
	if (*name == '\0')
		return err_set(err, ERR_USAGE, "that is the name of a folder");
	if (asprintf(&file->path, "%s/%s", folder, name) < 0) {
		file->path = NULL;
		return err_memory(err, "making a file");
	}
	if (asprintf(&file->temporary, "%s/.%.*s.umsctl-XXXXXX", folder, NAME_ROOM, name) < 0) {
		file->temporary = NULL;
		return err_memory(err, "making a file");
	}
	return 0;
}

/* The mode that open() would have given, or that of the file whose place it takes.  What the file
 * system does not do is not worth to fail for. */
static void set_owner_and_mode(const struct newfile *file)
{
	mode_t mask = umask(0);
	struct stat st;

	umask(mask);
	if (!file->replace || stat(file->path, &st) < 0)
		st = (struct stat){
			.st_mode = 0666 & ~mask, .st_uid = (uid_t)-1, .st_gid = (gid_t)-1};
	if (fchown(file->fd, st.st_uid, st.st_gid) < 0)
		st.st_mode &= 0700 | (0666 & ~mask);
	if (fchmod(file->fd, st.st_mode & 0777) < 0)
		return;
}

static int open_temporary(struct newfile *file)
{
	sigset_t before;

	block_signals(&before);
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	if (file->fd >= 0) {
		file->next = unfinished;
		unfinished = file;
	}
	unblock_signals(&before);
	return file->fd < 0 ? -1 : 0;
}

int newfile_begin(struct newfile *file, const char *path, bool replace, struct err *err)
{
	struct stat st;

	*file = (struct newfile){.fd = -1, .replace = replace};
	if (name_newfile(file, path, err) < 0)
		goto free_names;
	if (lstat(file->path, &st) == 0 && !replace) {
		err_sys(err, EEXIST, "cannot make it");
		goto free_names;
	}
	if (stat(file->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		err_set(err, ERR_USAGE, "that is no regular file");
		goto free_names;
	}
	if (open_temporary(file) < 0) {
		err_sys(err, errno, "cannot make a file in its folder");
		goto free_names;
	}
	set_owner_and_mode(file);
	return 0;

free_names:
	free(file->path);
	free(file->temporary);
	return -1;
}

/* Gives the file its name unless there is such a file, on file systems of any kind. */
static int rename_exclusively(const char *from, const char *to)
{
	int fd;

#ifdef RENAME_NOREPLACE
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
#endif
	if (link(from, to) == 0)
		return unlink(from);
	if (errno == EEXIST)
		return -1;
	/* No hard links either: who can make an empty file there has the name to himself. */
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -1;
	close(fd);
	return rename(from, to);
}

/* A new name is only durable when the folder is.  Not every file system can sync one, and not
 * every user may open it. */
static int sync_folder(const char *path)
{
	const char *name;
	cleanup_free char *folder = resolve_folder(path, &name);
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r;

	if (fd < 0)
		return 0;
	r = fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? -1 : 0;
	close(fd);
	return r;
}

static int give_name(struct newfile *file, struct err *err)
{
	sigset_t before;
	int r, errnum;

	block_signals(&before);
	r = file->replace ? rename(file->temporary, file->path)
			  : rename_exclusively(file->temporary, file->path);
	errnum = errno;
	if (r == 0)
		forget_unfinished(file);
	unblock_signals(&before);
	if (r < 0 && errnum == EEXIST)
		return err_sys(err, errnum, "a file of that name was made meanwhile");
	return r < 0 ? err_sys(err, errnum, "giving it its name") : 0;
}

int newfile_finish(struct newfile *file, struct err *err)
{
	int fd = file->fd, r;

	if (fsync(fd) < 0) {
		err_sys(err, errno, "writing it to the disk");
		newfile_abandon(file);
		return -1;
	}
	file->fd = -1;
	if (close(fd) < 0) {
		err_sys(err, errno, "closing it");
		newfile_abandon(file);
		return -1;
	}
	if (give_name(file, err) < 0) {
		newfile_abandon(file);
		return -1;
	}
	r = sync_folder(file->path);
	if (r < 0)
		err_sys(err, errno, "writing its folder to the disk");
	free(file->path);
	free(file->temporary);
	return r;
}

void newfile_abandon(struct newfile *file)
{
	sigset_t before;

	if (file->fd >= 0)
		close(file->fd);
	block_signals(&before);
	unlink(file->temporary);
	forget_unfinished(file);
	unblock_signals(&before);
	free(file->path);
	free(file->temporary);
}

/* The signal is blocked while this runs, and ends the program as soon as it returns. */
static void remove_unfinished(int number)
{
	for (struct newfile *file = unfinished; file; file = file->next)
		unlink(file->temporary);
	signal(number, SIG_DFL);
	raise(number);
}

void newfile_remove_on_signals(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2,
		SIGPIPE, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF};
	struct sigaction action = {.sa_handler = remove_unfinished}, before;

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(numbers[i], &action, NULL);
	}
}
