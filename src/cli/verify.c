/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl verify: checks every byte of an image. */
#include <inttypes.h>
#include <stddef.h>

#include "cli/cli.h"

struct values {
	bool json;
};

struct check {
	struct json_object *findings; /* NULL: text */
	struct cli_bar bar;
	const char *path;
};

static void found(void *context, const char *text)
{
	struct check *check = context;

	if (check->findings) {
		json_object_array_add(check->findings, json_object_new_string(text));
		return;
	}
	cli_bar_end(&check->bar);
	cli_put(stdout, check->path);
	fputs(": ", stdout);
	cli_put(stdout, text);
	putchar('\n');
}

static void progress(void *context, uint64_t done, uint64_t all)
{
	struct check *check = context;

	cli_bar_update(&check->bar, done, all);
}

static const char *digest_word(const struct image_verify_report *report)
{
	if (!report->digest_checked)
		return "no digest to compare with";
	return report->digest_bad ? "digests do not fit" : "digests fit";
}

static void print_json(struct check *check, const struct image_verify_report *report)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "image", json_object_new_string(check->path));
	json_object_object_add(o, "good", json_object_new_boolean(report->problems == 0));
	json_object_object_add(o, "chunks", cli_json_u64(report->chunks));
	json_object_object_add(o, "bad_chunks", cli_json_u64(report->bad_chunks));
	json_object_object_add(
		o, "digest_checked", json_object_new_boolean(report->digest_checked));
	json_object_object_add(o, "digest_bad", json_object_new_boolean(report->digest_bad));
	json_object_object_add(o, "findings", check->findings);
	cli_print_json(stdout, o, true);
}

static void verify_print_text(const struct check *check, const struct image_verify_report *report)
{
	cli_put(stdout, check->path);
	printf(": %" PRIu64 " chunks read, %" PRIu64 " damaged; %s: %s\n", report->chunks,
		report->bad_chunks, digest_word(report),
		report->problems == 0 ? "good" : "NOT GOOD");
}

static int run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct check check = {.bar = {.what = "verifying"}, .path = positional[0]};
	struct image_verify_report report;
	struct err err;
	int r;

	(void)n_positional;
	if (values->json)
		check.findings = json_object_new_array();
	r = image_verify(positional[0], found, progress, &check, &report, &err);
	cli_bar_end(&check.bar);
	if (r < 0) {
		cli_error("verify", positional[0], err.text);
		json_object_put(check.findings);
		return err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_NOT_STARTED;
	}
	if (values->json)
		print_json(&check, &report);
	else
		verify_print_text(&check, &report);
	return report.problems == 0 ? EXIT_COMPLETE : EXIT_DAMAGED;
}

static const struct cli_option options[] = {
	{"json", NULL, "the result and all findings as one object", offsetof(struct values, json),
		false},
	{0},
};

const struct cli_command command_verify = {
	.name = "verify",
	.synopsis = "IMAGE",
	.summary = "check every byte of an image",
	.help = "Each thing that is wrong is named with its place in the file and its sectors.\n"
		"Exit codes: 0 good, 2 cannot be opened, 5 damaged, cut or not sealed.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 1,
	.max_positional = 1,
	.run = run,
};
