/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl export: an image as plain sectors, and its map as a mapfile beside it. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/newfile.h"
#include "cli/cli.h"
#include "cli/target.h"
#include "cli/states.h"

struct values {
	const char *mapfile;
	bool force, salvage;
};

struct export
{
	struct image *image;
	const char *path; /* of the image */
	bool salvage;
	struct cli_bar bar;
	uint64_t lost_areas, lost_sectors;
};

static void show_export_progress(void *context, uint64_t done, uint64_t all)
{
	struct export *export = context;

	cli_bar_update(&export->bar, done, all);
}

static void export_lose(void *context, const struct image_lost *lost)
{
	struct export *export = context;
	char text[1200];

	cli_bar_end(&export->bar);
	snprintf(text, sizeof(text), "%s: written as zeros", lost->text);
	cli_error("export", export->path, text);
	export->lost_areas++;
	export->lost_sectors += lost->n_blocks;
}

static int export_raw(struct export *export, struct target *out, struct err *err)
{
	struct image_export_options options = {
		.sparse = target_is_new(out),
		.lose = export->salvage ? export_lose : NULL,
		.progress = show_export_progress,
		.context = export,
	};
	int r = image_export(export->image, target_fd(out), &options, err);

	cli_bar_end(&export->bar);
	if (r < 0 && err->kind == ERR_BAD_IMAGE && !export->salvage) {
		size_t n = strlen(err->text);

		snprintf(err->text + n, sizeof(err->text) - n,
			"; export --salvage goes on, with zeros there");
	}
	return r;
}

static int export_mapfile(struct export *export, struct target *out, struct err *err)
{
	return image_export_mapfile(export->image, target_fd(out), err);
}

/* WRITE puts its part of the image into OUT, whole or not at all.  The exit code. */
static int export_output(struct export *export, struct target *out,
	int (*write_out)(struct export *export, struct target *out, struct err *err))
{
	struct err err = {0};

	if (write_out(export, out, &err) < 0)
		target_abandon(out);
	else if (target_finish(out, &err) == 0)
		return EXIT_COMPLETE;
	cli_error("export", err.kind == ERR_BAD_IMAGE ? export->path : out->name, err.text);
	return err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_STOPPED;
}

/* What the sectors do not say of themselves.  The exit code. */
static int export_result(const struct export *export)
{
	const struct blockmap *map = image_map(export->image);
	char text[1200], states[200];

	if (image_info(export->image)->damaged) {
		snprintf(text, sizeof(text), "%s; exported by checkpoints and records",
			image_damage(export->image));
		cli_error("export", export->path, text);
	}
	if (export->lost_sectors > 0) {
		snprintf(text, sizeof(text),
			"the image is damaged: %" PRIu64 " sector%s in %" PRIu64
			" area%s, lost and zeros in the export",
			export->lost_sectors, export->lost_sectors == 1 ? "" : "s",
			export->lost_areas, export->lost_areas == 1 ? "" : "s");
		cli_error("export", export->path, text);
		return EXIT_DAMAGED;
	}
	if (blockmap_count(map, BLOCK_MISSING) == 0)
		return EXIT_COMPLETE;
	snprintf(text, sizeof(text), "sectors that it does not have are zeros in the export: %s",
		states_text(map, BLOCK_MISSING, states, sizeof(states)));
	cli_error("export", export->path, text);
	return EXIT_UNREADABLE;
}

static int export_outputs(struct export *export, struct target *raw, struct target *map)
{
	int code = export_output(export, raw, export_raw);

	if (code != EXIT_COMPLETE) {
		target_abandon(map);
		return code;
	}
	if (map->name)
		code = export_output(export, map, export_mapfile);
	return code == EXIT_COMPLETE ? export_result(export) : code;
}

/* Opens both, or none. */
static int export_open(const struct export *export, struct target *raw, struct target *map,
	const char *raw_name, const struct values *values)
{
	uint64_t size = image_info(export->image)->size_bytes;
	struct err err;

	if (target_open(raw, raw_name, export->path, values->force, &err) < 0) {
		cli_error("export", raw_name, err.text);
		return -1;
	}
	if (target_has_room(raw, size, &err) < 0) {
		cli_error("export", raw_name, err.text);
		target_abandon(raw);
		return -1;
	}
	if (!values->mapfile)
		return 0;
	if (target_open(map, values->mapfile, export->path, values->force, &err) == 0) {
		if (!target_is_same(raw, map))
			return 0;
		err_set(&err, ERR_USAGE, "sectors and mapfile cannot be one file");
		target_abandon(map);
	}
	cli_error("export", values->mapfile, err.text);
	target_abandon(raw);
	return -1;
}

static int export_run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct export export = {
		.path = positional[0], .salvage = values->salvage, .bar = {.what = "exporting"}};
	struct target raw = {0}, map = {0};
	int code = EXIT_COMPLETE;

	(void)n_positional;
	if (strcmp(positional[1], "-") == 0 && isatty(STDOUT_FILENO))
		return cli_usage("export", "sectors do not go to a terminal: use a pipe");
	export.image = cli_open_image("export", positional[0], &code);
	if (!export.image)
		return code;
	newfile_remove_on_signals();
	if (export_open(&export, &raw, &map, positional[1], values) < 0)
		code = EXIT_NOT_STARTED;
	else
		code = export_outputs(&export, &raw, &map);
	image_close(export.image);
	return code;
}

static const struct cli_option options[] = {
	{"mapfile", "FILE", "write the block map there, as a GNU ddrescue mapfile",
		offsetof(struct values, mapfile), false},
	{"salvage", NULL, "go on where the image is damaged: zeros there, each place named",
		offsetof(struct values, salvage), false},
	{"force", NULL, "write over files that exist", offsetof(struct values, force), false},
	{0},
};

const struct cli_command command_export = {
	.name = "export",
	.synopsis = "IMAGE RAW|-",
	.summary = "write the drive's plain sectors, as a sparse file or to a pipe",
	.help = "What the image does not have is zeros.  Exit code 3 says that there is such, exit "
		"code 5\nthat the image is damaged.\n"
		"RAW appears only when it is complete.  To '-' all of it is written in order, "
		"zeros "
		"too,\nso it may be a device (>/dev/sdX).\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 2,
	.max_positional = 2,
	.run = export_run,
};
