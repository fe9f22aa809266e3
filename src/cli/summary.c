/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said at the end of a capture: see summary.h. */
#include "cli/summary.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static void print_json(const struct summary *s, FILE *out)
{
	static const char *const ends[] = {
		"complete", "usage", "not started", "unreadable", "stopped", "damaged"};
	struct json_object *o = json_object_new_object();
	struct json_object *digests = s->info.sealed ? cli_json_digests(&s->info) : NULL;

	json_object_object_add(o, "event", json_object_new_string("end"));
	json_object_object_add(o, "result", json_object_new_string(ends[s->code]));
	json_object_object_add(o, "device", json_object_new_string(s->device));
	json_object_object_add(o, "image", json_object_new_string(s->image));
	json_object_object_add(o, "sealed", json_object_new_boolean(s->info.sealed));
	json_object_object_add(o, "block_bytes", cli_json_u64(s->info.block_bytes));
	json_object_object_add(o, "good", cli_json_u64(s->good));
	json_object_object_add(o, "recovered", cli_json_u64(s->recovered));
	json_object_object_add(o, "unreadable", cli_json_u64(s->unreadable));
	json_object_object_add(o, "missing", cli_json_u64(s->missing));
	json_object_object_add(o, "image_bytes", cli_json_u64(s->info.file_bytes));
	if (digests)
		json_object_object_add(o, "digests", digests);
	cli_print_json(out, o, false);
}

static void print_state(const struct summary *s, FILE *out)
{
	char good[32], size[32];

	if (s->code == EXIT_STOPPED) {
		fprintf(out, "%s: stopped early; %s of %s captured\n", s->image,
			text_size(s->good * s->info.block_bytes, good),
			text_size((s->good + s->missing) * s->info.block_bytes, size));
		return;
	}
	if (s->missing == 0)
		fprintf(out, "%s: %s%s captured, every sector\n", s->image,
			s->untouched ? "nothing to do: " : "",
			text_size(s->good * s->info.block_bytes, good));
	else
		fprintf(out,
			"%s: %s%s captured; %" PRIu64 " sector%s in %" PRIu64
			" area%s could not be read\n",
			s->image, s->untouched ? "nothing to do: " : "",
			text_size(s->good * s->info.block_bytes, good), s->missing,
			s->missing == 1 ? "" : "s", s->areas, s->areas == 1 ? "" : "s");
}

static void print_next(const struct summary *s, FILE *out)
{
	if (strcmp(s->image, "-") == 0)
		return;
	if (s->code == EXIT_STOPPED)
		fprintf(out, "to go on:     umsctl capture %s%s %s\n", s->options, s->device,
			s->image);
	else if (s->missing > 0)
		fprintf(out,
			"which ones:   umsctl map %s\n"
			"to try again: umsctl capture --retries 3 %s%s %s\n",
			s->image, s->options, s->device, s->image);
}

void summary_print(const struct summary *s, bool json, bool quiet, FILE *out)
{
	char hex[65], size[32];

	if (json) {
		print_json(s, out);
		return;
	}
	if (quiet)
		return;
	print_state(s, out);
	if (s->recovered > 0)
		fprintf(out,
			"recovered:    %" PRIu64
			" sector%s came only after the drive's own retries\n",
			s->recovered, s->recovered == 1 ? "" : "s");
	if (s->info.sealed) {
		fprintf(out, "image:        %s\n", text_size(s->info.file_bytes, size));
		for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
			if (cli_digest_hex(&s->info, i, hex))
				fprintf(out, "%-7s       %s\n", cli_digest_name(i), hex);
		}
	}
	print_next(s, out);
}
