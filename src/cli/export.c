/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl export: an image as plain sectors, and its map as a mapfile beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

struct values {
	const char *mapfile;
	bool force;
};

static void progress(void *context, uint64_t done, uint64_t all)
{
	cli_bar_update(context, done, all);
}

/* Opens what is to be written; -1 when it could not, having said so.  *MADE: by us, so to be
 * removed if it is not finished. */
static int open_output(const char *path, bool force, bool *made)
{
	struct stat st;
	int fd;

	*made = false;
	if (strcmp(path, "-") == 0)
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (stat(path, &st) == 0 && S_ISBLK(st.st_mode)) {
		cli_error("export", path,
			"a block device: use export IMAGE - and a tool of your choice");
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0666);
	*made = fd >= 0;
	if (fd < 0)
		cli_error("export", path,
			errno == EEXIST ? "it exists; --force writes over it" : strerror(errno));
	return fd;
}

static int export_map(struct image *image, const struct values *values)
{
	struct err err = {0};
	bool made;
	int fd, r;

	if (!values->mapfile)
		return 0;
	fd = open_output(values->mapfile, values->force, &made);
	if (fd < 0)
		return -1;
	r = image_export_mapfile(image, fd, &err);
	if (close(fd) < 0 && r == 0)
		r = err_sys(&err, errno, "closing the mapfile");
	if (r < 0)
		cli_error("export", values->mapfile, err.text);
	return r;
}

static int export_raw(struct image *image, const char *path, bool force, int *code)
{
	struct cli_bar bar = {.what = "exporting"};
	struct err err = {0};
	bool made;
	int fd = open_output(path, force, &made), r;

	if (fd < 0) {
		*code = EXIT_NOT_STARTED;
		return -1;
	}
	r = image_export(image, fd, progress, &bar, &err);
	if (close(fd) < 0 && r == 0)
		r = err_sys(&err, errno, "closing it");
	cli_bar_end(&bar);
	if (r == 0)
		return 0;
	*code = err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_STOPPED;
	cli_error("export", path, err.text);
	if (made)
		unlink(path);
	return -1;
}

static int run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	int code = EXIT_COMPLETE;
	struct image *image;

	(void)n_positional;
	if (strcmp(positional[1], "-") == 0 && isatty(STDOUT_FILENO))
		return cli_usage("export", "sectors do not go to a terminal: use a pipe");
	image = cli_open_image("export", positional[0], &code);
	if (!image)
		return code;
	if (export_raw(image, positional[1], values->force, &code) == 0) {
		if (export_map(image, values) < 0)
			code = EXIT_STOPPED;
		else if (blockmap_count(image_map(image), BLOCK_MISSING) > 0)
			code = EXIT_UNREADABLE;
	}
	image_close(image);
	return code;
}

static const struct cli_option options[] = {
	{"mapfile", "FILE", "write the block map there, as a GNU ddrescue mapfile",
		offsetof(struct values, mapfile), false},
	{"force", NULL, "write over files that exist", offsetof(struct values, force), false},
	{0},
};

const struct cli_command command_export = {
	.name = "export",
	.synopsis = "IMAGE RAW|-",
	.summary = "write the drive's plain sectors, as a sparse file or to a pipe",
	.help = "What the image does not have is zeros.  Exit code 3 says that there is such.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 2,
	.max_positional = 2,
	.run = run,
};
