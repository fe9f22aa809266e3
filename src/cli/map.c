/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl map: the block map of an image. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "base/errnum.h"
#include "base/json.h"
#include "scsi/scsi.h"

struct values {
	bool json, mapfile, bad;
};

static void map_print_text(const struct blockmap *map, unsigned int mask)
{
	struct block_range range;
	char why[200];

	printf("%-14s %-14s %-10s %s\n", "LBA", "SECTORS", "STATE", "REASON");
	for (uint64_t lba = 0; blockmap_next(map, lba, mask, &range); lba = range.lba + range.n)
		printf("%-14" PRIu64 " %-14" PRIu64 " %-10s %s%s\n", range.lba, range.n,
			block_state_name(range.state),
			scsi_reason_text(&range.why, why, sizeof(why)),
			range.why.tries > 1 ? ", more than once" : "");
}

static struct json_object *map_range_json(const struct block_range *range)
{
	struct json_object *o = json_object_new_object();
	const char *error = errnum_name(range->why.error);
	char why[200];

	json_add(&o, "lba", cli_json_u64(range->lba));
	json_add(&o, "blocks", cli_json_u64(range->n));
	json_add(&o, "state", json_object_new_string(block_state_name(range->state)));
	if (*scsi_reason_text(&range->why, why, sizeof(why)) == '\0')
		return o;
	json_add(&o, "reason", json_object_new_string(why));
	json_add(&o, "outcome", json_object_new_string(block_outcome_name(range->why.outcome)));
	/* Where the host failed, the drive gave no status and no sense data: they are 0. */
	if (range->why.error)
		json_add(&o, "error",
			error ? json_object_new_string(error) : cli_json_u64(range->why.error));
	json_add(&o, "status", cli_json_u64(range->why.status));
	json_add(&o, "sense_key", cli_json_u64(range->why.sense_key));
	json_add(&o, "asc", cli_json_u64(range->why.asc));
	json_add(&o, "ascq", cli_json_u64(range->why.ascq));
	json_add(&o, "tries", cli_json_u64(range->why.tries));
	return o;
}

static int map_print_json(const struct image *image, unsigned int mask, struct err *err)
{
	const struct blockmap *map = image_map(image);
	struct json_object *o = json_object_new_object(), *ranges = json_object_new_array();
	struct block_range range;

	json_add(&o, "block_bytes", cli_json_u64(image_info(image)->block_bytes));
	json_add(&o, "blocks", cli_json_u64(blockmap_blocks(map)));
	for (uint64_t lba = 0; ranges && blockmap_next(map, lba, mask, &range);
		lba = range.lba + range.n)
		json_append(&ranges, map_range_json(&range));
	json_add(&o, "ranges", ranges);
	return cli_print_json(stdout, o, true) < 0 ? err_memory(err, "printing it") : 0;
}

static int map_run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	unsigned int mask = values->bad ? BLOCK_MISSING : BLOCK_ALL;
	int code = EXIT_COMPLETE;
	struct image *image;
	struct err err;
	int r = 0;

	(void)n_positional;
	if (values->mapfile && (values->json || values->bad))
		return cli_usage("map", "--mapfile goes with no other form");
	image = cli_open_image("map", positional[0], &code);
	if (!image)
		return code;
	if (values->json)
		r = map_print_json(image, mask, &err);
	else if (values->mapfile)
		r = image_export_mapfile(image, STDOUT_FILENO, &err);
	else
		map_print_text(image_map(image), mask);
	if (r < 0) {
		cli_error("map", positional[0], err.text);
		code = EXIT_STOPPED;
	}
	image_close(image);
	return code;
}

static const struct cli_option options[] = {
	{"bad", NULL, "only what is missing", offsetof(struct values, bad), false},
	{"json", NULL, "an object with an array of ranges", offsetof(struct values, json), false},
	{"mapfile", NULL, "as a GNU ddrescue mapfile", offsetof(struct values, mapfile), false},
	{0},
};

const struct cli_command command_map = {
	.name = "map",
	.synopsis = "IMAGE",
	.summary = "show which sectors are good, bad or missing, and why",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 1,
	.max_positional = 1,
	.run = map_run,
};
