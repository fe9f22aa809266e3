/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl verify: checks every byte of an image. */
#include <inttypes.h>
#include <stddef.h>

#include "cli/cli.h"
#include "base/json.h"

struct values {
	bool json;
};

struct check {
	bool json;
	struct json_object *findings; /* with json */
	struct cli_bar bar;
	const char *path;
};

static void verify_found(void *context, const char *text)
{
	struct check *check = context;

	if (check->json) {
		json_append(&check->findings, json_object_new_string(text));
		return;
	}
	cli_bar_end(&check->bar);
	cli_put(stdout, check->path);
	fputs(": ", stdout);
	cli_put(stdout, text);
	putchar('\n');
}

static void verify_progress(void *context, uint64_t done, uint64_t all)
{
	struct check *check = context;

	cli_bar_update(&check->bar, done, all);
}

/* One of three answers, or that there is no question. */
static const char *digest_word(enum image_digests digests)
{
	switch (digests) {
	case IMAGE_DIGESTS_FIT:
		return "fit";
	case IMAGE_DIGESTS_DIFFER:
		return "do not fit";
	case IMAGE_DIGESTS_UNKNOWN:
		return "not computed";
	default:
		return "none";
	}
}

static int verify_print_json(struct check *check, const struct image_verify_report *report)
{
	struct json_object *o = json_object_new_object();

	json_add(&o, "image", json_object_new_string(check->path));
	json_add(&o, "good", json_object_new_boolean(report->problems == 0));
	json_add(&o, "chunks", cli_json_u64(report->chunks));
	json_add(&o, "bad_chunks", cli_json_u64(report->bad_chunks));
	json_add(&o, "digests", json_object_new_string(digest_word(report->digests)));
	if (report->digests_why)
		json_add(&o, "digests_why", json_object_new_string(report->digests_why));
	json_add(&o, "digest_checked",
		json_object_new_boolean(report->digests == IMAGE_DIGESTS_FIT ||
					report->digests == IMAGE_DIGESTS_DIFFER));
	json_add(
		&o, "digest_bad", json_object_new_boolean(report->digests == IMAGE_DIGESTS_DIFFER));
	json_add(&o, "findings", check->findings);
	return cli_print_json(stdout, o, true);
}

static void verify_print_text(const struct check *check, const struct image_verify_report *report)
{
	cli_put(stdout, check->path);
	printf(": %" PRIu64 " chunks read, %" PRIu64 " damaged; ", report->chunks,
		report->bad_chunks);
	if (report->digests == IMAGE_DIGESTS_NONE)
		printf("no digests to compare with");
	else
		printf("digests %s", digest_word(report->digests));
	if (report->digests_why)
		printf(", because %s", report->digests_why);
	printf(": %s\n", report->problems == 0 ? "good" : "NOT GOOD");
}

/* The exit code. */
static int print_report(struct check *check, const struct image_verify_report *report)
{
	if (!check->json) {
		verify_print_text(check, report);
	} else if (verify_print_json(check, report) < 0) {
		cli_error("verify", check->path, "out of memory while printing the result");
		return EXIT_STOPPED;
	}
	return report->problems == 0 ? EXIT_COMPLETE : EXIT_DAMAGED;
}

/* Memory may end in the middle: then the image was neither found good nor damaged. */
static int failure_code(const struct err *err)
{
	if (err->kind == ERR_BAD_IMAGE)
		return EXIT_DAMAGED;
	return err->kind == ERR_NO_MEMORY ? EXIT_STOPPED : EXIT_NOT_STARTED;
}

static int verify_run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct check check = {
		.json = values->json, .bar = {.what = "verifying"}, .path = positional[0]};
	struct image_verify_report report;
	struct err err;
	int r;

	(void)n_positional;
	if (cli_is_stdout(positional[0])) {
		cli_error("verify", positional[0], CLI_STDOUT_IS_IMAGE);
		return EXIT_NOT_STARTED;
	}
	if (values->json)
		check.findings = json_object_new_array();
	r = image_verify(positional[0], verify_found, verify_progress, &check, &report, &err);
	cli_bar_end(&check.bar);
	if (r == 0)
		return print_report(&check, &report);
	cli_error("verify", positional[0], err.text);
	json_object_put(check.findings);
	return failure_code(&err);
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
	.run = verify_run,
};
