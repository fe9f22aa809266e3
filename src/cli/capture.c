/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl capture: a drive into an image, or on with one that was begun. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/drive.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "cli/summary.h"
#include "device/device.h"

#define RECONNECT_STUCK 300 /* seconds */
#define RECONNECT_MOST	(30 * 86400)

struct values {
	struct drive_values drive;
	const char *start, *size, *retries, *hash, *reconnect, *on_stuck;
	struct cli_repeats note;
	bool live, same_drive, no_udif, json, quiet;
};

/* Everything that one capture is made of. */
struct job {
	const struct values *values;
	const char *name;    /* of the drive */
	char path[PATH_MAX]; /* of the image, "-" for a pipe */
	bool resumed;
	struct device_options device_options;
	struct image_writer_options writer_options;
	struct capture_options options;
	uint64_t start, size; /* as given; bytes where they are bytes */
	struct device *device;
	struct image_writer *writer;
	struct progress_view view;
	char again[256]; /* options that going on wants, for the summary */
	FILE *out;	 /* for what is said at the end, and for NDJSON */
};

/* --- options --- */

static int parse_hashes(const char *text, unsigned int *hashes)
{
	cleanup_free char *copy = text ? strdup(text) : NULL;
	char *state = NULL;

	for (char *word = copy ? strtok_r(copy, ",", &state) : NULL; word;
		word = strtok_r(NULL, ",", &state)) {
		unsigned int i = 0;

		while (i < IMAGE_N_HASHES && strcmp(word, cli_digest_name(i)) != 0)
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

static void remember(struct job *job, const char *option, const char *value)
{
	size_t n = strlen(job->again);

	snprintf(job->again + n, sizeof(job->again) - n, "--%s%s%s ", option, value ? " " : "",
		value ? value : "");
}

/* What the user would have to say again to go on. */
static void remember_options(struct job *job)
{
	const struct values *v = job->values;

	const struct drive_values *drive = &v->drive;

	if (drive->route)
		remember(job, "route", drive->route);
	if (drive->detach)
		remember(job, "detach", NULL);
	if (v->live)
		remember(job, "live", NULL);
	if (v->start)
		remember(job, "start", v->start);
	if (v->size)
		remember(job, "size", v->size);
	if (drive->timeout)
		remember(job, "timeout", drive->timeout);
	if (drive->quirk)
		remember(job, "quirk", drive->quirk);
	if (v->reconnect)
		remember(job, "reconnect", v->reconnect);
	if (v->hash)
		remember(job, "hash", v->hash);
	if (v->no_udif)
		remember(job, "no-udif", NULL);
}

static int parse(struct job *job)
{
	const struct values *v = job->values;
	/* Whoever gives a command for a stuck drive wants to wait for what it does. */
	uint64_t retries = 0, reconnect = v->on_stuck ? RECONNECT_STUCK : 0;
	int r = drive_options("capture", &v->drive, &job->device_options);

	if (r == 0)
		r = cli_number("capture", "retries", v->retries, 1000, &retries);
	if (r == 0)
		r = cli_number("capture", "reconnect", v->reconnect, RECONNECT_MOST, &reconnect);
	if (r == 0)
		r = parse_hashes(v->hash, &job->writer_options.hashes);
	if (r == 0)
		r = parse_notes(&v->note);
	if (r != 0)
		return r;
	if (v->start && !text_number(v->start, &job->options.start_lba))
		return cli_usage("capture", "--start wants an LBA, not '%s'", v->start);
	job->device_options.live = v->live;
	job->options.timeout_ms = job->device_options.timeout_ms;
	job->options.retries = (unsigned int)retries;
	job->options.reconnect_ms = (unsigned int)reconnect * 1000;
	job->writer_options.udif = !v->no_udif;
	remember_options(job);
	return 0;
}

/* --start and --size against the drive that is there. */
static int parse_part(struct job *job)
{
	const struct capacity *capacity = &job->device->capacity;
	uint64_t bytes;

	if (job->options.start_lba >= capacity->n_blocks)
		return cli_usage("capture", "--start %" PRIu64 ": %s has %" PRIu64 " sectors",
			job->options.start_lba, job->device->name, capacity->n_blocks);
	if (!job->values->size)
		return 0;
	if (!text_bytes(job->values->size, capacity->block_bytes, &bytes) || bytes == 0 ||
		bytes % capacity->block_bytes != 0)
		return cli_usage("capture",
			"--size wants whole sectors of %u bytes (1G, 512M, 2048s), not '%s'",
			capacity->block_bytes, job->values->size);
	job->options.n_blocks = mem_min_u64(
		bytes / capacity->block_bytes, capacity->n_blocks - job->options.start_lba);
	return 0;
}

/* --- the image --- */

static void append_safe(char *path, size_t room, const char *text)
{
	size_t n = strlen(path);

	if (text[0] && n > 0 && n + 2 < room)
		path[n++] = '-';
	for (; *text && n + 6 < room; text++)
		path[n++] = isalnum((unsigned char)*text) || *text == '.' ? *text : '_';
	path[n] = '\0';
}

/* VENDOR-PRODUCT-SERIAL.ums, with nothing in it that a drive could play tricks with. */
static void default_path(struct job *job)
{
	const struct device *d = job->device;

	job->path[0] = '\0';
	append_safe(job->path, 200, d->inquiry.vendor);
	append_safe(job->path, 200, d->inquiry.product);
	append_safe(job->path, 200, d->drive.usb_serial[0] ? d->drive.usb_serial : d->unit_serial);
	if (job->path[0] == '.' || job->path[0] == '\0')
		snprintf(job->path, sizeof(job->path), "drive");
	strcat(job->path, ".ums");
}

static int same_drive(struct job *job, struct err *err)
{
	const struct image_info *info = image_writer_info(job->writer);
	const struct device *device = job->device;
	cleanup_free char *identity = NULL;
	size_t len = 0;

	if (info->n_blocks != device->capacity.n_blocks ||
		info->block_bytes != device->capacity.block_bytes)
		return err_set(err, ERR_IDENTITY,
			"the image is of a drive of %" PRIu64
			" sectors of %u bytes; this one has %" PRIu64 " of %u",
			info->n_blocks, info->block_bytes, device->capacity.n_blocks,
			device->capacity.block_bytes);
	identity = image_writer_blob(job->writer, "identity", &len);
	if (job->values->same_drive || !identity)
		return 0;
	return capture_same_drive(job->device, image_writer_sink(job->writer), identity, len, err);
}

static int begin_image(struct job *job, struct err *err)
{
	struct image_geometry geometry = {
		.block_bytes = job->device->capacity.block_bytes,
		.n_blocks = job->device->capacity.n_blocks,
		.size_bytes = job->device->size_bytes,
	};
	struct capture_sink *sink;
	char identity[4096];

	job->writer = image_create(job->path, &geometry, &job->writer_options, err);
	if (!job->writer)
		return -1;
	sink = image_writer_sink(job->writer);
	capture_identity(job->device, identity, sizeof(identity));
	if (sink->ops->blob(sink, "identity", identity, strlen(identity), err) < 0)
		return -1;
	return capture_testimony(job->device, sink, err);
}

static int open_image(struct job *job, struct err *err)
{
	struct stat st;

	/* An empty file is one whose capture was killed before its header was there. */
	job->resumed = strcmp(job->path, "-") != 0 && stat(job->path, &st) == 0 &&
		       (!S_ISREG(st.st_mode) || st.st_size > 0);
	if (!job->resumed)
		return begin_image(job, err);
	if (!S_ISREG(st.st_mode))
		return err_set(
			err, ERR_USAGE, "not a plain file: an image cannot be written there");
	job->writer = image_resume(job->path, &job->writer_options, err);
	if (!job->writer)
		return -1;
	return same_drive(job, err);
}

/* --- the journal --- */

static int put_journal(struct job *job, struct json_object *o, struct err *err)
{
	struct capture_sink *sink = image_writer_sink(job->writer);
	int r = sink->ops->journal(sink,
		json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		err);

	json_object_put(o);
	return r;
}

static void add(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

/* Who began what; what the capture itself does, it writes down itself. */
static int put_session(struct job *job, struct err *err)
{
	struct json_object *o = json_object_new_object();
	struct utsname host;
	char now[32];

	add(o, "time", clock_utc(now));
	add(o, "event", "session");
	add(o, "umsctl", UMSCTL_VERSION);
	if (uname(&host) == 0) {
		add(o, "host", host.nodename);
		add(o, "system", host.sysname);
		add(o, "kernel", host.release);
	}
	add(o, "device", job->name);
	json_object_object_add(o, "resumed", json_object_new_boolean(job->resumed));
	json_object_object_add(o, "detach", json_object_new_boolean(job->values->drive.detach));
	/* Read while it was being written to: an image of no single moment. */
	json_object_object_add(o, "live",
		json_object_new_boolean(job->device->drive.mounted_rw && job->values->live));
	json_object_object_add(o, "same_drive", json_object_new_boolean(job->values->same_drive));
	return put_journal(job, o, err);
}

static int put_notes(struct job *job, struct err *err)
{
	for (size_t i = 0; i < job->values->note.n; i++) {
		const char *note = job->values->note.value[i], *equals = strchr(note, '=');
		struct json_object *o = json_object_new_object();

		add(o, "event", "note");
		json_object_object_add(
			o, "key", json_object_new_string_len(note, (int)(equals - note)));
		add(o, "text", equals + 1);
		if (put_journal(job, o, err) < 0)
			return -1;
		image_writer_keep(job->writer);
	}
	return 0;
}

/* --- the run --- */

/* Sectors of the part asked for whose state is in MASK. */
static uint64_t count_wanted(const struct job *job, unsigned int mask)
{
	const struct blockmap *map = image_writer_sink(job->writer)->map;
	uint64_t end = job->options.n_blocks ? job->options.start_lba + job->options.n_blocks
					     : blockmap_blocks(map);
	struct block_range range;
	uint64_t n = 0;

	for (uint64_t lba = job->options.start_lba;
		blockmap_next(map, lba, mask, &range) && range.lba < end; lba = range.lba + range.n)
		n += mem_min_u64(range.n, end - range.lba);
	return n;
}

/* Is the image sealed, with nothing in it that this capture would try, and the digests wanted? */
static bool nothing_to_do(const struct job *job)
{
	const struct image_info *info = image_writer_info(job->writer);
	unsigned int untried = BLOCK_MISSING & ~BLOCK_MASK(BLOCK_BAD);
	bool part = blockmap_count(image_writer_map(job->writer), BLOCK_MASK(BLOCK_UNTRIED)) > 0;

	if (job->options.retries > 0)
		untried = BLOCK_MISSING;
	return info->sealed && job->values->note.n == 0 && count_wanted(job, untried) == 0 &&
	       (part || (job->writer_options.hashes & ~info->hashes) == 0);
}

struct seal_view {
	struct cli_bar bar;
	bool show;
	const atomic_bool *stop;
};

static int seal_progress(void *context, uint64_t done, uint64_t all)
{
	struct seal_view *view = context;

	if (view->show)
		cli_bar_update(&view->bar, done, all);
	return *view->stop;
}

static int seal(struct job *job, struct err *err)
{
	struct seal_view view = {
		.bar = {.what = "reading back for the digests"},
		.show = !job->values->quiet && !job->values->json,
		.stop = job->options.stop,
	};
	/* Of a part of a drive, a digest of the whole would be one of zeros for the most part. */
	bool whole = blockmap_count(image_writer_map(job->writer), BLOCK_MASK(BLOCK_UNTRIED)) == 0;
	int r = image_writer_seal(job->writer, whole, seal_progress, &view, err);

	cli_bar_end(&view.bar);
	return r;
}

/* Takes the writer down; the first error is the one that counts. */
static int close_image(struct job *job, int code, struct err *err)
{
	struct err failure;

	if (image_writer_close(job->writer, &failure) < 0 && code != EXIT_STOPPED) {
		code = EXIT_STOPPED;
		*err = failure;
	}
	job->writer = NULL;
	return code;
}

static int run_capture(struct job *job, struct err *err)
{
	struct capture_observer observer;
	enum capture_end end;

	job->view.on_stuck = job->values->on_stuck;
	observer = progress_view_observer(&job->view);
	err->kind = ERR_NONE;
	if (put_session(job, err) < 0 || put_notes(job, err) < 0)
		return EXIT_STOPPED;
	end = capture_run(
		job->device, image_writer_sink(job->writer), &job->options, &observer, err);
	progress_view_end(&job->view);
	if (end == CAPTURE_STOPPED || end == CAPTURE_FAILED)
		return EXIT_STOPPED;
	if (seal(job, err) < 0)
		return EXIT_STOPPED;
	return end == CAPTURE_COMPLETE ? EXIT_COMPLETE : EXIT_UNREADABLE;
}

static void fill_summary(struct job *job, struct summary *summary, int code)
{
	const struct image_info *info = image_writer_info(job->writer);
	const struct blockmap *map = image_writer_sink(job->writer)->map;

	*summary = (struct summary){
		.device = job->device->name,
		.image = job->path,
		.options = job->again,
		.code = code,
		.info = *info,
		.good = count_wanted(job, BLOCK_HAVE),
		.recovered = count_wanted(job, BLOCK_MASK(BLOCK_RECOVERED)),
		.unreadable = count_wanted(job, BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED)),
		.missing = count_wanted(job, BLOCK_MISSING),
		.areas = blockmap_areas(map, BLOCK_MASK(BLOCK_BAD) | BLOCK_MASK(BLOCK_FAILED)),
	};
}

static void say_failure(const struct job *job, const struct err *err)
{
	char name[sizeof(job->device->name) + sizeof(job->path) + 8];

	snprintf(name, sizeof(name), "%s into %s", job->device->name, job->path);
	cli_error("capture", name, err->text);
}

/* Image open: capture, seal, close, say. */
static int run_job(struct job *job)
{
	struct summary summary;
	struct err err = {0};
	int code;

	progress_view_init(&job->view, job->values->json ? job->out : NULL, job->values->quiet,
		job->device->capacity.block_bytes);
	if (nothing_to_do(job)) {
		bool all = count_wanted(job, BLOCK_MISSING) == 0;

		fill_summary(job, &summary, all ? EXIT_COMPLETE : EXIT_UNREADABLE);
		summary.untouched = true;
		image_writer_close(job->writer, NULL);
		job->writer = NULL;
		summary_print(&summary, job->values->json, job->values->quiet, job->out);
		return summary.code;
	}
	code = run_capture(job, &err);
	fill_summary(job, &summary, code);
	code = close_image(job, code, &err);
	summary.code = code;
	if (code == EXIT_STOPPED && err.kind != ERR_NONE)
		say_failure(job, &err);
	summary_print(&summary, job->values->json, job->values->quiet, job->out);
	return code;
}

static int start_job(struct job *job)
{
	struct err err = {0};
	int r;

	job->options.stop = stop_on_signals(&err);
	if (job->options.stop)
		job->device = device_open(job->name, &job->device_options, &err);
	if (!job->device) {
		cli_error("capture", NULL, err.text);
		return EXIT_NOT_STARTED;
	}
	if (*job->options.stop) {
		cli_error("capture", job->device->name, "stopped before it began");
		return EXIT_NOT_STARTED;
	}
	r = parse_part(job);
	if (r != 0)
		return r;
	if (job->path[0] == '\0')
		default_path(job);
	if (open_image(job, &err) < 0) {
		cli_error("capture", job->path, err.text);
		if (err.kind == ERR_NO_IMAGE)
			fputs("    it stays as it is; give the image another name\n", stderr);
		if (err.kind == ERR_IDENTITY)
			fputs("    another IMAGE name begins a new image; --same-drive goes on all "
			      "the same\n",
				stderr);
		return err.kind == ERR_BAD_IMAGE && job->resumed ? EXIT_DAMAGED : EXIT_NOT_STARTED;
	}
	return run_job(job);
}

static int run(const void *given, char **positional, int n_positional)
{
	struct job job = {.values = given, .name = positional[0], .out = stdout};
	int code = parse(&job);

	if (code != 0)
		return code;
	if (n_positional > 1)
		snprintf(job.path, sizeof(job.path), "%s", positional[1]);
	if (strcmp(job.path, "-") == 0) {
		if (isatty(STDOUT_FILENO))
			return cli_usage(
				"capture", "an image does not go to a terminal: use a pipe");
		job.out = stderr;
	}
	code = start_job(&job);
	if (job.writer)
		image_writer_close(job.writer, NULL);
	device_close(job.device);
	return code;
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
		"damaged.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 1,
	.max_positional = 2,
	.run = run,
};
