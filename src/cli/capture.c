/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl capture: a drive into an image, or on with one that was begun.  The work is
 * acquire_run()'s; here are its options and what is shown of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/drive.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "cli/stuck.h"
#include "cli/summary.h"

#define RECONNECT_STUCK 300 /* seconds */
#define RECONNECT_MOST	(30 * 86400)
#define CHECKPOINT_MOST 3600

struct values {
	struct drive_values drive;
	const char *start, *size, *retries, *hash, *reconnect, *on_stuck, *checkpoint;
	struct cli_repeats note;
	bool live, same_drive, no_udif, json, quiet;
};

/* --- options --- */

static int parse_hashes(const char *text, unsigned int *hashes)
{
	cleanup_free char *copy = text ? strdup(text) : NULL;
	char *state = NULL;

	for (char *word = copy ? strtok_r(copy, ",", &state) : NULL; word;
		word = strtok_r(NULL, ",", &state)) {
		unsigned int i = 0;

		while (i < IMAGE_N_HASHES && strcmp(word, image_hash_name(i)) != 0)
			i++;
		if (i == IMAGE_N_HASHES)
			return cli_usage(
				"capture", "--hash knows sha256, md5 and sha1, not '%s'", word);
		*hashes |= 1u << i;
	}
	return 0;
}

static int parse_notes(const struct cli_repeats *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		if (!strchr(notes->value[i], '=') || notes->value[i][0] == '=')
			return cli_usage(
				"capture", "--note wants KEY=TEXT, not '%s'", notes->value[i]);
	}
	return 0;
}

/* Bytes, or sectors with an s behind them: how many bytes those are only the drive says. */
static int parse_size(const char *text, struct acquire_options *options)
{
	size_t len = text ? strlen(text) : 0;
	bool sectors = len > 0 && text[len - 1] == 's';
	uint64_t *value = sectors ? &options->n_blocks : &options->n_bytes;

	if (!text || (text_bytes(text, sectors ? 1 : 0, value) && *value > 0))
		return 0;
	return cli_usage(
		"capture", "--size wants bytes or sectors (1G, 512M, 2048s), not '%s'", text);
}

/* Seconds with a fraction: 2, 0.5, 0.01. */
static int parse_checkpoint(const char *text, unsigned int *ms)
{
	char *end = NULL;
	double seconds = text ? strtod(text, &end) : 0;

	if (!text)
		return 0;
	if (end == text || *end != '\0' || !(seconds >= 0.001) || seconds > CHECKPOINT_MOST)
		return cli_usage("capture", "--checkpoint wants seconds from 0.001 to %d, not '%s'",
			CHECKPOINT_MOST, text);
	*ms = (unsigned int)(seconds * 1000 + 0.5);
	return 0;
}

static int parse_numbers(const struct values *v, struct acquire_options *options)
{
	/* Whoever gives a command for a stuck drive wants to wait for what it does. */
	uint64_t retries = 0, reconnect = v->on_stuck ? RECONNECT_STUCK : 0;
	int r = cli_number("capture", "retries", v->retries, 1000, &retries);

	if (r == 0)
		r = cli_number("capture", "reconnect", v->reconnect, RECONNECT_MOST, &reconnect);
	if (r == 0)
		r = parse_checkpoint(v->checkpoint, &options->checkpoint_ms);
	if (r == 0)
		r = parse_size(v->size, options);
	if (r == 0 && v->start && !text_number(v->start, &options->start_lba))
		r = cli_usage("capture", "--start wants an LBA, not '%s'", v->start);
	options->retries = (unsigned int)retries;
	options->reconnect_ms = (unsigned int)reconnect * 1000;
	return r;
}

static void run_on_stuck(void *context, const struct device *device)
{
	stuck_run(context, device);
}

static int parse_options(const struct values *v, struct acquire_options *options)
{
	int r = drive_options("capture", &v->drive, &options->device_options);

	if (r == 0)
		r = parse_numbers(v, options);
	if (r == 0)
		r = parse_hashes(v->hash, &options->hashes);
	if (r == 0)
		r = parse_notes(&v->note);
	options->device_options.live = v->live;
	options->no_udif = v->no_udif;
	options->same_drive = v->same_drive;
	options->note = v->note.value;
	options->n_notes = v->note.n;
	options->command_line = cli_command_line();
	if (v->on_stuck) {
		options->rescue = run_on_stuck;
		options->rescue_context = (void *)(uintptr_t)v->on_stuck;
	}
	return r;
}

/* --- what the user would have to say again to go on --- */

struct again {
	char text[1024];
};

static void remember(struct again *again, const char *option, const char *value)
{
	cleanup_free char *word = value ? text_shell_quote(value) : NULL;
	size_t n = strlen(again->text);

	snprintf(again->text + n, sizeof(again->text) - n, "--%s%s%s ", option, word ? " " : "",
		word ? word : "");
}

static void remember_options(struct again *again, const struct values *v)
{
	const struct {
		const char *option, *value;
		bool given; /* without a value */
	} all[] = {
		{"route", v->drive.route, false},
		{"detach", NULL, v->drive.detach},
		{"live", NULL, v->live},
		{"start", v->start, false},
		{"size", v->size, false},
		{"timeout", v->drive.timeout, false},
		{"quirk", v->drive.quirk, false},
		{"reconnect", v->reconnect, false},
		{"on-stuck", v->on_stuck, false},
		{"hash", v->hash, false},
		{"checkpoint", v->checkpoint, false},
		{"same-drive", NULL, v->same_drive},
		{"no-udif", NULL, v->no_udif},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].value || all[i].given)
			remember(again, all[i].option, all[i].value);
	}
}

/* --- the run --- */

static int capture_exit_code(enum acquire_end end)
{
	switch (end) {
	case ACQUIRE_COMPLETE:
		return EXIT_COMPLETE;
	case ACQUIRE_UNREADABLE:
		return EXIT_UNREADABLE;
	case ACQUIRE_WRITTEN_TO:
		return EXIT_WRITTEN_TO;
	case ACQUIRE_STOPPED:
		return EXIT_STOPPED;
	case ACQUIRE_USAGE:
		return EXIT_USAGE;
	case ACQUIRE_DAMAGED:
		return EXIT_DAMAGED;
	default:
		return EXIT_NOT_STARTED;
	}
}

static void advise(const struct err *err)
{
	if (err->kind == ERR_NO_IMAGE)
		fputs("    it stays as it is; give the image another name\n", stderr);
	if (err->kind == ERR_IDENTITY)
		fputs("    another IMAGE name begins a new image; --same-drive goes on all the "
		      "same\n",
			stderr);
}

static bool has_begun(enum acquire_end end)
{
	return end != ACQUIRE_USAGE && end != ACQUIRE_NOT_STARTED && end != ACQUIRE_DAMAGED;
}

static int capture_with_view(const struct values *v, const struct acquire_options *options,
	struct progress_view *view, FILE *out)
{
	const struct acquire_observer observer = progress_view_observer(view);
	struct again again = {""};
	struct acquire_result result;
	struct err err;
	int code;

	code = capture_exit_code(acquire_run(options, &observer, &result, &err));
	progress_view_finish(view, &result);
	if (err.kind != ERR_NONE)
		cli_error("capture", NULL, err.text);
	if (!has_begun(result.end)) {
		advise(&err);
		return code;
	}
	remember_options(&again, v);
	if (v->json)
		summary_print_json(&result, code, out);
	else if (!v->quiet)
		summary_print(&result, options->device, again.text, out);
	return code;
}

static int capture_start(const struct values *v, struct acquire_options *options)
{
	/* Standard output may be the image. */
	bool piped = options->image && strcmp(options->image, "-") == 0;
	FILE *out = piped ? stderr : stdout;
	struct progress_view *view = NULL;
	struct err err;
	int code;

	if (piped && isatty(STDOUT_FILENO))
		return cli_usage("capture", "an image does not go to a terminal: use a pipe");
	options->stop = stop_on_signals(&err);
	if (options->stop)
		view = progress_view_new(v->json ? out : NULL, v->quiet, &err);
	if (!view) {
		cli_error("capture", NULL, err.text);
		return EXIT_NOT_STARTED;
	}
	code = capture_with_view(v, options, view, out);
	progress_view_free(view);
	return code;
}

static int capture_main(const void *given, char **positional, int n_positional)
{
	struct acquire_options options = {
		.device = positional[0],
		.image = n_positional > 1 ? positional[1] : NULL,
	};
	int code = parse_options(given, &options);

	return code != 0 ? code : capture_start(given, &options);
}

#define AT(member) offsetof(struct values, member)

static const struct cli_option options[] = {
	{"live", NULL, "read a drive that is mounted read-write, or swapped on", AT(live), false},
	{"start", "LBA", "begin at this sector", AT(start), false},
	{"size", "SIZE", "as much of it: bytes with K, M, G, T, or sectors with s", AT(size),
		false},
	{"retries", "N", "try bad sectors N times more (default 0)", AT(retries), false},
	{"reconnect", "SECONDS",
		"wait that long for a drive that has left the bus, and go\non with it wherever it "
		"comes back (default: do not)",
		AT(reconnect), false},
	{"on-stuck", "COMMAND",
		"run this with the shell when the drive does not answer any\nmore and nothing else "
		"helps; implies --reconnect 300",
		AT(on_stuck), false},
	{"hash", "LIST", "sha256 is always taken; also md5, sha1", AT(hash), false},
	{"note", "KEY=TEXT", "put this into the journal; may be given several times", AT(note),
		true},
	{"same-drive", NULL, "go on with an image although the drive looks like another",
		AT(same_drive), false},
	{"checkpoint", "SECONDS", "make durable what was read that often (default 2)",
		AT(checkpoint), false},
	{"no-udif", NULL, "leave out the trailer by which others read it as a .dmg", AT(no_udif),
		false},
	{"json", NULL, "say what happens as NDJSON on standard output", AT(json), false},
	{"quiet", NULL, "no progress and no summary", AT(quiet), false},
	DRIVE_OPTIONS(struct values, drive),
	{0},
};

const struct cli_command command_capture = {
	.name = "capture",
	.synopsis = "DEVICE [IMAGE|-]",
	.summary = "capture a drive into an image, or go on with one",
	.help = "DEVICE  /dev/sdX, /dev/sgN, a link to one, usb:VID:PID[:SERIAL][,lun=N],\n"
		"        usb:BUS-PORT[.PORT...][,lun=N], sim:NAME, replay:FILE, a block device or "
		"a\n"
		"        plain file\n"
		"IMAGE   the image; '-' writes it to a pipe; default: VENDOR-PRODUCT-SERIAL.ums "
		"here\n\n"
		"Running it again goes on where it was stopped; with --retries it tries bad "
		"sectors\n"
		"again.  The drive is never written to.  Exit codes: 0 all sectors were read, 1 "
		"usage,\n"
		"2 could not start (nothing was written), 3 all was tried but some sectors could "
		"not be\n"
		"read, 4 stopped early (run it again to go on), 5 the image to go on with is "
		"damaged,\n6 as 0 or 3, but the drive was written to meanwhile.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 1,
	.max_positional = 2,
	.run = capture_main,
};
