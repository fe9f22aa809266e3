/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl seal: ends an image whose drive is gone. */
#include <inttypes.h>
#include <stddef.h>

#include "base/text.h"
#include "cli/cli.h"
#include "base/json.h"
#include "cli/states.h"

struct values {
	bool json, no_udif;
};

static int seal_progress(void *context, uint64_t done, uint64_t all)
{
	cli_bar_update(context, done, all);
	return 0;
}

/* What is said of an image that is sealed now, or was before. */
struct sealed {
	const char *path;
	struct image_info info;
	uint64_t missing;
	char states[200];
	struct json_object *sectors; /* with --json */
	bool before;
};

static int seal_print_json(struct sealed *sealed)
{
	struct json_object *o = json_object_new_object();

	json_add(&o, "event", json_object_new_string("end"));
	json_add(&o, "result",
		json_object_new_string(sealed->missing > 0 ? "incomplete" : "complete"));
	json_add(&o, "image", json_object_new_string(sealed->path));
	json_add(&o, "sealed", json_object_new_boolean(sealed->info.sealed));
	json_add(&o, "block_bytes", cli_json_u64(sealed->info.block_bytes));
	json_add(&o, "sectors", sealed->sectors);
	json_add(&o, "missing", cli_json_u64(sealed->missing));
	json_add(&o, "image_bytes", cli_json_u64(sealed->info.file_bytes));
	if (sealed->info.hashes != 0)
		json_add(&o, "digests", cli_json_digests(&sealed->info));
	return cli_print_json(stdout, o, false);
}

static void seal_print_text(const struct sealed *sealed)
{
	char size[32], hex[65];

	cli_put(stdout, sealed->path);
	printf(": %s; sectors: %s\n", sealed->before ? "was sealed already" : "sealed",
		sealed->states);
	printf("image:        %s\n", text_size(sealed->info.file_bytes, size));
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		if (cli_digest_hex(&sealed->info, i, hex))
			printf("%-7s       %s\n", image_hash_name(i), hex);
	}
}

/* Seals it unless it is; keeps for the end what there is to say. */
static int seal_image(struct image_writer *writer, struct sealed *sealed, bool json)
{
	const struct blockmap *map = image_writer_map(writer);
	struct cli_bar bar = {.what = "reading back for the digests"};
	struct err err;
	uint64_t put_back = 0;
	struct err damage;
	int r = 0;

	sealed->before = image_writer_info(writer)->sealed;
	/* There is no drive to read damaged sectors from again: they are missing then. */
	if (!sealed->before)
		r = image_writer_check(writer, true, seal_progress, &bar, &put_back, &err);
	if (!sealed->before && r == 0)
		r = image_writer_seal(writer, true, seal_progress, &bar, &err);
	cli_bar_end(&bar);
	if (put_back > 0) {
		err_set(&damage, ERR_BAD_IMAGE,
			"%" PRIu64 " sectors are damaged in the image: they count as not tried",
			put_back);
		cli_error("seal", sealed->path, damage.text);
	}
	if (r < 0)
		cli_error("seal", sealed->path, err.text);
	sealed->info = *image_writer_info(writer);
	sealed->missing = blockmap_count(map, BLOCK_MISSING);
	states_text(map, BLOCK_ALL, sealed->states, sizeof(sealed->states));
	sealed->sectors = json ? states_json(map) : NULL;
	return r;
}

static int seal_run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct image_writer_options options = {.udif = !values->no_udif};
	struct sealed sealed = {.path = positional[0]};
	struct image_writer *writer;
	struct err err;
	int r;

	(void)n_positional;
	if (cli_is_stdout(positional[0])) {
		cli_error("seal", positional[0], CLI_STDOUT_IS_IMAGE);
		return EXIT_NOT_STARTED;
	}
	writer = image_resume(positional[0], &options, &err);
	if (!writer) {
		cli_error("seal", positional[0], err.text);
		return err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_NOT_STARTED;
	}
	r = seal_image(writer, &sealed, values->json);
	if (image_writer_close(writer, &err) < 0) {
		cli_error("seal", positional[0], err.text);
		r = -1;
	}
	if (r < 0) {
		json_object_put(sealed.sectors);
		return EXIT_STOPPED;
	}
	if (!values->json) {
		seal_print_text(&sealed);
	} else if (seal_print_json(&sealed) < 0) {
		cli_error("seal", positional[0], "it is sealed, but memory is out to say how");
		return EXIT_STOPPED;
	}
	return sealed.missing > 0 ? EXIT_UNREADABLE : EXIT_COMPLETE;
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
	.run = seal_run,
};
