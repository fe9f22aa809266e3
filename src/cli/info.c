/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl info: what an image is, and what the drive said of itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "base/json.h"
#include "cli/states.h"
#include "proto/ums.h"

struct values {
	bool json, journal;
	const char *blob;
};

#define COLUMN "%-14s "

static void when(uint64_t seconds, char out[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	snprintf(out, 32, "unknown");
	if (gmtime_r(&t, &tm))
		strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static void print_states(const struct image *image)
{
	for (unsigned int s = BLOCK_STATES; s-- > 0;) {
		uint64_t n = blockmap_count(image_map(image), BLOCK_MASK(s));
		char size[32];

		if (n > 0)
			printf(COLUMN "%" PRIu64 " sector%s (%s)\n", block_state_name(s), n,
				n == 1 ? "" : "s",
				text_size(n * image_info(image)->block_bytes, size));
	}
}

/* LEN bytes at TEXT in the column behind KEY. */
static void print_column(const char *key, const char *text, size_t len)
{
	cleanup_free char *value = strndup(text, len);

	printf(COLUMN, key);
	cli_put(stdout, value ? value : "?");
	putchar('\n');
}

/* A line of the blob "identity".  Only keys that umsctl knows are shown: whoever made the image
 * could have called one "sha256". */
static void print_identity(const char *text, size_t len)
{
	static const char *const keys[] = {"sectors", "sector-bytes", "bytes", "usb-serial",
		"unit-serial", "usb-id", "vendor", "product", "revision", "port", "lun"};
	const char *equals = memchr(text, '=', len);
	size_t key = equals ? (size_t)(equals - text) : 0;

	/* What is not known of the drive is kept as an empty value. */
	if (!equals || key + 1 == len)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i]) == key && memcmp(keys[i], text, key) == 0)
			print_column(keys[i], equals + 1, len - key - 1);
	}
}

/* Blobs and journal come from a file: nothing of them is printed as it is. */
static int print_blob(void *context, const char *name, const void *bytes, size_t len)
{
	const char *text = bytes, *end = text + len;
	char shown[TEXT_SHOWN(UMS_BLOB_NAME_MAX)];

	(void)context;
	if (strcmp(name, "identity") != 0) {
		printf(COLUMN "%zu bytes\n", text_show(name, shown, sizeof(shown)), len);
		return 0;
	}
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = stop ? (size_t)(stop - text) : (size_t)(end - text);

		print_identity(text, n);
		text += n + (stop != NULL);
	}
	return 0;
}

/* A line of the journal if it is a note of the user's, freed by the caller; else NULL. */
static struct json_object *parse_note(const char *json)
{
	struct json_object *o = json_read(json);

	if (strcmp(json_text_of(o, "event"), "note") == 0)
		return o;
	json_object_put(o);
	return NULL;
}

/* A note says what a user thought, whatever its key is: it never stands where a fact would. */
static int print_note(void *context, const char *json)
{
	struct json_object *o = parse_note(json);

	(void)context;
	if (o) {
		printf(COLUMN, "note");
		cli_put(stdout, json_text_of(o, "key"));
		fputs(": ", stdout);
		cli_put(stdout, json_text_of(o, "text"));
		putchar('\n');
	}
	json_object_put(o);
	return 0;
}

/* What is no JSON becomes a text of it.  CONTEXT is the struct err of who asked. */
static int print_journal_line(void *context, const char *json)
{
	struct json_object *o = json_read(json);

	if (cli_print_json(stdout, o ? o : json_object_new_string(json), false) < 0)
		return err_memory(context, "printing the journal");
	return 0;
}

static void print_file(const struct image *image)
{
	const struct image_info *info = image_info(image);
	char text[64], size[32];

	printf(COLUMN "%s\n", "uuid", text_uuid(info->uuid, text));
	when(info->created, text);
	printf(COLUMN "%s\n", "begun", text);
	printf(COLUMN "%s (%" PRIu64 " bytes, %" PRIu64 " sectors of %u)\n", "drive",
		text_size(info->size_bytes, size), info->size_bytes, info->n_blocks,
		info->block_bytes);
	printf(COLUMN "%s, runs of %u KiB, units of %u KiB\n", "file",
		text_size(info->file_bytes, size), info->run_bytes / 1024, info->unit_bytes / 1024);
	if (info->sealed)
		printf(COLUMN "sealed, generation %u%s\n", "state", info->generation,
			info->udif ? ", opens as a .dmg too" : "");
	else
		printf(COLUMN "not sealed (in progress, stopped or cut)\n", "state");
	if (info->damaged)
		printf(COLUMN "%s; read by checkpoints and records\n", "damage",
			image_damage(image));
}

static int info_print_text(struct image *image, struct err *err)
{
	char hex[65];

	print_file(image);
	print_states(image);
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		if (image_info(image)->sealed && cli_digest_hex(image_info(image), i, hex))
			printf(COLUMN "%s\n", image_hash_name(i), hex);
	}
	if (image_journal(image, print_note, NULL, err) < 0)
		return -1;
	return image_blobs(image, print_blob, NULL, err);
}

/* Lines of ASCII, as we write them? */
static bool is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((bytes[i] < 0x20 && bytes[i] != '\n') || bytes[i] > 0x7e)
			return false;
	}
	return true;
}

static struct json_object *blob_json(const char *name, const void *bytes, size_t len)
{
	cleanup_free char *hex = NULL;

	if (strcmp(name, "identity") == 0 && is_text(bytes, len))
		return json_object_new_string_len(bytes, (int)len);
	hex = malloc(2 * len + 1);
	return hex ? json_object_new_string(text_hex(bytes, len, hex)) : NULL;
}

static int add_blob(void *context, const char *name, const void *bytes, size_t len)
{
	json_add(context, name, blob_json(name, bytes, len));
	return 0;
}

static int add_info_line(void *context, const char *json)
{
	struct json_object *o = json_read(json);

	json_append(context, o ? o : json_object_new_string(json));
	return 0;
}

static int add_note(void *context, const char *json)
{
	struct json_object *o = parse_note(json), *note = NULL;

	if (!o)
		return 0;
	note = json_object_new_object();
	json_add_text(&note, "key", json_text_of(o, "key"));
	json_add_text(&note, "text", json_text_of(o, "text"));
	json_append(context, note);
	json_object_put(o);
	return 0;
}

static struct json_object *geometry_json(const struct image_info *info)
{
	struct json_object *o = json_object_new_object();
	char text[64];

	json_add(&o, "uuid", json_object_new_string(text_uuid(info->uuid, text)));
	json_add(&o, "version", cli_json_u64(info->version));
	json_add(&o, "created", cli_json_u64(info->created));
	json_add(&o, "bytes", cli_json_u64(info->size_bytes));
	json_add(&o, "blocks", cli_json_u64(info->n_blocks));
	json_add(&o, "block_bytes", cli_json_u64(info->block_bytes));
	json_add(&o, "run_bytes", cli_json_u64(info->run_bytes));
	json_add(&o, "unit_bytes", cli_json_u64(info->unit_bytes));
	json_add(&o, "file_bytes", cli_json_u64(info->file_bytes));
	json_add(&o, "sealed", json_object_new_boolean(info->sealed));
	json_add(&o, "generation", cli_json_u64(info->generation));
	json_add(&o, "udif", json_object_new_boolean(info->udif));
	return o;
}

static int info_print_json(struct image *image, struct err *err)
{
	const struct image_info *info = image_info(image);
	struct json_object *o = geometry_json(info);
	struct json_object *blobs = json_object_new_object();
	struct json_object *journal = json_object_new_array(), *notes = json_object_new_array();
	int r = image_blobs(image, add_blob, &blobs, err);

	if (r == 0)
		r = image_journal(image, add_info_line, &journal, err);
	if (r == 0)
		r = image_journal(image, add_note, &notes, err);
	if (info->damaged)
		json_add(&o, "damage", json_object_new_string(image_damage(image)));
	json_add(&o, "sectors", states_json(image_map(image)));
	if (info->sealed && info->hashes != 0)
		json_add(&o, "digests", cli_json_digests(info));
	json_add(&o, "notes", notes);
	json_add(&o, "blobs", blobs);
	json_add(&o, "journal", journal);
	if (cli_print_json(stdout, o, true) < 0)
		return err_memory(err, "printing it");
	return r;
}

/* The bytes of one blob as they are: for other programs. */
static int info_print_raw(struct image *image, const char *name, struct err *err)
{
	size_t len;
	cleanup_free void *bytes = image_blob(image, name, &len);

	if (!bytes)
		return err_set(err, ERR_USAGE, "there is no '%s' in it", name);
	fwrite(bytes, 1, len, stdout);
	return 0;
}

static int info_show(struct image *image, const struct values *values, struct err *err)
{
	if (values->blob)
		return info_print_raw(image, values->blob, err);
	if (values->journal)
		return image_journal(image, print_journal_line, err, err);
	return values->json ? info_print_json(image, err) : info_print_text(image, err);
}

static int info_exit_code(const struct err *err)
{
	switch (err->kind) {
	case ERR_BAD_IMAGE:
		return EXIT_DAMAGED;
	case ERR_USAGE:
		return EXIT_USAGE;
	default:
		return EXIT_STOPPED;
	}
}

static int info_run(const void *given, char **positional, int n_positional)
{
	int code = EXIT_COMPLETE;
	struct image *image = cli_open_image("info", positional[0], &code);
	struct err err;

	(void)n_positional;
	if (!image)
		return code;
	if (info_show(image, given, &err) < 0) {
		cli_error("info", positional[0], err.text);
		code = info_exit_code(&err);
	}
	image_close(image);
	return code;
}

static const struct cli_option options[] = {
	{"json", NULL, "all of it as one object, blobs as hex", offsetof(struct values, json),
		false},
	{"journal", NULL, "the journal, a JSON object a line", offsetof(struct values, journal),
		false},
	{"blob", "NAME", "the raw bytes of what the drive said: inquiry, …",
		offsetof(struct values, blob), false},
	{0},
};

const struct cli_command command_info = {
	.name = "info",
	.synopsis = "IMAGE",
	.summary = "say what an image is, and what the drive said of itself",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 1,
	.max_positional = 1,
	.run = info_run,
};
