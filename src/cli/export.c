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

/* A file to write into.  Nothing of what was there is touched before all of them are open. */
struct output {
	const char *path;
	int fd;	      /* -1: none */
	bool created; /* was not there before */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Says why PATH is not to be written to, or returns NULL. */
static const char *refusal(const char *path, const char *image)
{
	struct stat st, image_st;

	if (stat(path, &st) != 0)
		return NULL;
	if (S_ISBLK(st.st_mode))
		return "a block device: use export IMAGE - and a tool of your choice";
	if (stat(image, &image_st) == 0 && same_file(&st, &image_st))
		return "that is the image itself";
	return NULL;
}

/* -1 when it could not be opened, having said so. */
static int open_output(struct output *out, const char *path, const char *image, bool force)
{
	const char *why;
	struct stat st;

	*out = (struct output){.path = path, .fd = -1};
	if (!path)
		return 0;
	if (strcmp(path, "-") == 0) {
		out->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		why = out->fd < 0 ? strerror(errno) : NULL;
	} else {
		why = refusal(path, image);
		out->created = lstat(path, &st) != 0;
		if (!why)
			out->fd = open(
				path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? 0 : O_EXCL), 0666);
		if (!why && out->fd < 0)
			why = errno == EEXIST ? "it exists; --force writes over it"
					      : strerror(errno);
	}
	if (why)
		cli_error("export", path, why);
	return why ? -1 : 0;
}

/* A part of it would be taken for the whole.  Never removes a device, a pipe or a link to one. */
static void discard(const struct output *out)
{
	struct stat st;

	if (out->fd >= 0 && strcmp(out->path, "-") != 0 && lstat(out->path, &st) == 0 &&
		S_ISREG(st.st_mode))
		unlink(out->path);
}

/* Opens both, or none. */
static int open_outputs(struct output *raw, struct output *map, const struct values *values,
	char *const *positional)
{
	struct stat raw_st, map_st;

	if (open_output(raw, positional[1], positional[0], values->force) < 0)
		return -1;
	if (open_output(map, values->mapfile, positional[0], values->force) == 0) {
		if (map->fd < 0 || fstat(raw->fd, &raw_st) < 0 || fstat(map->fd, &map_st) < 0 ||
			!same_file(&raw_st, &map_st))
			return 0;
		cli_error("export", map->path, "sectors and mapfile cannot be one file");
	}
	if (raw->created)
		discard(raw);
	return -1;
}

/* WRITE puts its part of the image into OUT; says so when it could not. */
static int fill_output(struct image *image, const struct output *out,
	int (*write_out)(struct image *image, int fd, struct err *err), int *code)
{
	struct err err = {0};
	struct stat st;
	int r = 0;

	if (fstat(out->fd, &st) == 0 && S_ISREG(st.st_mode) && strcmp(out->path, "-") != 0 &&
		ftruncate(out->fd, 0) < 0)
		r = err_sys(&err, errno, "emptying it");
	if (r == 0)
		r = write_out(image, out->fd, &err);
	if (close(out->fd) < 0 && r == 0)
		r = err_sys(&err, errno, "closing it");
	if (r == 0)
		return 0;
	*code = err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_STOPPED;
	cli_error("export", out->path, err.text);
	discard(out);
	return -1;
}

static int write_raw(struct image *image, int fd, struct err *err)
{
	struct cli_bar bar = {.what = "exporting"};
	int r = image_export(image, fd, progress, &bar, err);

	cli_bar_end(&bar);
	return r;
}

/* The exit code. */
static int fill_outputs(struct image *image, const struct output *raw, const struct output *map)
{
	int code = EXIT_COMPLETE;

	if (fill_output(image, raw, write_raw, &code) < 0) {
		if (map->created)
			discard(map);
		return code;
	}
	if (map->fd >= 0 && fill_output(image, map, image_export_mapfile, &code) < 0)
		return code;
	return blockmap_count(image_map(image), BLOCK_MISSING) > 0 ? EXIT_UNREADABLE : code;
}

static int run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	int code = EXIT_COMPLETE;
	struct output raw, map;
	struct image *image;

	(void)n_positional;
	if (strcmp(positional[1], "-") == 0 && isatty(STDOUT_FILENO))
		return cli_usage("export", "sectors do not go to a terminal: use a pipe");
	image = cli_open_image("export", positional[0], &code);
	if (!image)
		return code;
	if (open_outputs(&raw, &map, values, positional) < 0)
		code = EXIT_NOT_STARTED;
	else
		code = fill_outputs(image, &raw, &map);
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
