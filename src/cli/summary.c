/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said at the end of a capture: see summary.h. */
#include "cli/summary.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "64.0 MiB captured; 68 sectors in 3 areas could not be read" */
static void print_state(const struct acquire_result *r, FILE *out)
{
	const unsigned int unreadable = BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED);
	uint32_t block = r->info.block_bytes;
	char have[32], all[32];

	cli_put(out, r->image);
	text_size(acquire_count(&r->counts, BLOCK_HAVE) * block, have);
	if (r->end == ACQUIRE_STOPPED) {
		fprintf(out, ": stopped early; %s of %s captured\n", have,
			text_size(acquire_count(&r->counts, BLOCK_ALL) * block, all));
		return;
	}
	fprintf(out, ": %s%s captured", r->untouched ? "nothing to do: " : "", have);
	if (acquire_count(&r->counts, unreadable) > 0)
		fprintf(out, "; %" PRIu64 " sector%s in %" PRIu64 " area%s could not be read\n",
			acquire_count(&r->counts, unreadable),
			plural(acquire_count(&r->counts, unreadable)), r->counts.areas,
			plural(r->counts.areas));
	else
		fprintf(out, ", every sector%s\n", r->whole ? "" : " that was asked for");
}

static void print_remarks(const struct acquire_result *r, FILE *out)
{
	uint64_t recovered = acquire_count(&r->counts, BLOCK_MASK(BLOCK_RECOVERED));
	uint64_t left =
		acquire_count(&r->counts, BLOCK_MASK(BLOCK_UNTRIED) | BLOCK_MASK(BLOCK_SKIPPED));

	if (left > 0 && r->end != ACQUIRE_STOPPED)
		fprintf(out,
			"left out:     %" PRIu64
			" sector%s around where the drive left; the same command reads on\n",
			left, plural(left));
	if (recovered > 0)
		fprintf(out,
			"recovered:    %" PRIu64
			" sector%s came only after the drive's own retries\n",
			recovered, plural(recovered));
	if (r->damaged > 0)
		fprintf(out,
			"damaged:      %" PRIu64 " sector%s of the image had to be read again\n",
			r->damaged, plural(r->damaged));
	if (r->capture.written_to)
		fputs("written to:   the drive was written to, or could be, while it was read: the "
		      "image\n              is of no single moment\n",
			out);
}

static void print_image(const struct acquire_result *r, FILE *out)
{
	char hex[65], size[32];

	if (!r->info.sealed)
		return;
	fprintf(out, "image:        %s\n", text_size(r->info.file_bytes, size));
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		if (cli_digest_hex(&r->info, i, hex))
			fprintf(out, "%-7s       %s\n", image_hash_name(i), hex);
	}
	if (r->info.hashes == 0)
		fputs("digests:      none: they are of a whole drive, and a part of this one was "
		      "never tried\n",
			out);
}

static void print_next(
	const struct acquire_result *r, const char *drive, const char *again, FILE *out)
{
	cleanup_free char *image = text_shell_file(r->image);
	cleanup_free char *device = text_shell_file(drive);

	if (!image || !device || strcmp(r->image, "-") == 0)
		return;
	if (r->end == ACQUIRE_STOPPED)
		fprintf(out, "to go on:     umsctl capture %s%s %s\n", again, device, image);
	else if (acquire_count(&r->counts, BLOCK_MISSING) > 0)
		fprintf(out,
			"which ones:   umsctl map --bad %s\n"
			"to try again: umsctl capture --retries 3 %s%s %s\n",
			image, again, device, image);
}

void summary_print(
	const struct acquire_result *result, const char *drive, const char *again, FILE *out)
{
	print_state(result, out);
	print_remarks(result, out);
	print_image(result, out);
	print_next(result, drive, again, out);
}

void summary_print_json(const struct acquire_result *r, int code, FILE *out)
{
	static const char *const ends[] = {
		[EXIT_COMPLETE] = "complete",
		[EXIT_USAGE] = "usage",
		[EXIT_NOT_STARTED] = "not started",
		[EXIT_UNREADABLE] = "unreadable",
		[EXIT_STOPPED] = "stopped",
		[EXIT_DAMAGED] = "damaged",
		[EXIT_WRITTEN_TO] = "written to",
	};
	struct json_object *o = json_object_new_object(), *sectors = json_object_new_object();

	for (unsigned int state = 0; state < BLOCK_STATES; state++)
		json_add_number(&sectors, block_state_name((enum block_state)state),
			r->counts.by_state[state]);
	json_add_text(&o, "event", "end");
	json_add_text(&o, "result", ends[code]);
	json_add_text(&o, "device", r->device);
	json_add_text(&o, "image", r->image);
	json_add_flag(&o, "sealed", r->info.sealed);
	json_add_flag(&o, "whole", r->whole);
	json_add_number(&o, "block_bytes", r->info.block_bytes);
	json_add(&o, "sectors", sectors);
	json_add_number(&o, "missing", acquire_count(&r->counts, BLOCK_MISSING));
	json_add_number(&o, "areas", r->counts.areas);
	json_add_number(&o, "damaged", r->damaged);
	json_add_flag(&o, "written_to", r->capture.written_to);
	json_add_number(&o, "session", r->session);
	json_add_number(&o, "read_bytes", r->capture.read_bytes);
	json_add_number(&o, "elapsed_ms", r->elapsed_ms);
	json_add_number(&o, "image_bytes", r->info.file_bytes);
	if (r->info.sealed && r->info.hashes != 0)
		json_add(&o, "digests", cli_json_digests(&r->info));
	cli_print_json(out, o, false);
}
