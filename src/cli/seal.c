/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl seal: ends an image whose drive is gone. */
#include <inttypes.h>
#include <stddef.h>

#include "cli/cli.h"
#include "cli/summary.h"

struct values {
	bool json, no_udif;
};

static int progress(void *context, uint64_t done, uint64_t all)
{
	cli_bar_update(context, done, all);
	return 0;
}

static int seal(struct image_writer *writer, const char *path, struct summary *summary)
{
	const struct blockmap *map = image_writer_map(writer);
	struct cli_bar bar = {.what = "reading back for the digests"};
	struct err err;
	uint64_t put_back = 0;
	struct err damage;
	int r = 0;

	/* There is no drive to read damaged sectors from again: they are missing then. */
	if (image_writer_info(writer)->sealed)
		summary->untouched = true;
	else if ((r = image_writer_check(writer, true, progress, &bar, &put_back, &err)) == 0)
		r = image_writer_seal(writer, true, progress, &bar, &err);
	cli_bar_end(&bar);
	if (put_back > 0) {
		err_set(&damage, ERR_BAD_IMAGE,
			"%" PRIu64 " sectors are damaged in the image: they count as not tried",
			put_back);
		cli_error("seal", path, damage.text);
	}
	if (r < 0)
		cli_error("seal", path, err.text);
	summary->info = *image_writer_info(writer);
	summary->good = blockmap_count(map, BLOCK_HAVE);
	summary->recovered = blockmap_count(map, BLOCK_MASK(BLOCK_RECOVERED));
	summary->missing = summary->unreadable = blockmap_count(map, BLOCK_MISSING);
	summary->areas = blockmap_areas(map, BLOCK_MISSING);
	return r < 0 ? EXIT_STOPPED : summary->missing > 0 ? EXIT_UNREADABLE : EXIT_COMPLETE;
}

static int run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct image_writer_options options = {.udif = !values->no_udif};
	struct summary summary = {.device = "DEVICE", .image = positional[0], .options = ""};
	struct image_writer *writer;
	struct err err;

	(void)n_positional;
	writer = image_resume(positional[0], &options, &err);
	if (!writer) {
		cli_error("seal", positional[0], err.text);
		return err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_NOT_STARTED;
	}
	summary.code = seal(writer, positional[0], &summary);
	if (image_writer_close(writer, &err) < 0) {
		cli_error("seal", positional[0], err.text);
		return EXIT_STOPPED;
	}
	if (summary.code != EXIT_STOPPED)
		summary_print(&summary, values->json, false, stdout);
	return summary.code;
}

static const struct cli_option options[] = {
	{"no-udif", NULL, "leave out the trailer by which others read it as a .dmg",
		offsetof(struct values, no_udif), false},
	{"json", NULL, "say the result as an object", offsetof(struct values, json), false},
	{0},
};

const struct cli_command command_seal = {
	.name = "seal",
	.synopsis = "IMAGE",
	.summary = "end an image whose drive is gone",
	.help = "What was captured gets its digests, index and trailer; what is missing reads as "
		"zeros.\n"
		"If the drive comes back, capture goes on with the sealed image all the same.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 1,
	.max_positional = 1,
	.run = run,
};
