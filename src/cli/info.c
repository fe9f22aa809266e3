/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl info: what an image is, and what the drive said of itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

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

static uint64_t count(const struct image *image, unsigned int mask)
{
	return blockmap_count(image_map(image), mask);
}

static void print_states(const struct image *image)
{
	for (unsigned int s = BLOCK_STATES; s-- > 0;) {
		uint64_t n = count(image, BLOCK_MASK(s));
		char size[32];

		if (n > 0)
			printf(COLUMN "%" PRIu64 " sector%s (%s)\n", block_state_name(s), n,
				n == 1 ? "" : "s",
				text_size(n * image_info(image)->block_bytes, size));
	}
}

/* Blobs and journal come from a file: nothing of them is printed as it is. */
static int print_blob(void *context, const char *name, const void *bytes, size_t len)
{
	char shown[300], line[300];
	const char *text = bytes, *end = text + len;

	(void)context;
	text_escape(name, strlen(name), shown, sizeof(shown));
	if (strcmp(name, "identity") != 0) {
		printf(COLUMN "%zu bytes\n", shown, len);
		return 0;
	}
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = stop ? (size_t)(stop - text) : (size_t)(end - text);
		const char *equals = memchr(text, '=', n);

		/* What is not known of the drive is kept as an empty value. */
		if (equals && equals + 1 < text + n) {
			printf(COLUMN "%s\n",
				text_escape(text, (size_t)(equals - text), shown, sizeof(shown)),
				text_escape(equals + 1, n - (size_t)(equals - text) - 1, line,
					sizeof(line)));
		}
		text += n + (stop != NULL);
	}
	return 0;
}

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : "";
}

static void print_note(struct json_object *o)
{
	char key[100], text[1000];

	printf(COLUMN "%s\n",
		text_escape(member(o, "key"), strlen(member(o, "key")), key, sizeof(key)),
		text_escape(member(o, "text"), strlen(member(o, "text")), text, sizeof(text)));
}

static int print_case(void *context, const char *json)
{
	struct json_object *o = json_tokener_parse(json);

	(void)context;
	if (o && strcmp(member(o, "event"), "note") == 0)
		print_note(o);
	json_object_put(o);
	return 0;
}

static int print_journal_line(void *context, const char *json)
{
	(void)context;
	for (const char *p = json; *p; p++)
		putchar((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
	putchar('\n');
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

static int print_text(struct image *image, struct err *err)
{
	char hex[65];

	print_file(image);
	print_states(image);
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		if (image_info(image)->sealed && cli_digest_hex(image_info(image), i, hex))
			printf(COLUMN "%s\n", cli_digest_name(i), hex);
	}
	if (image_journal(image, print_case, NULL, err) < 0)
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

static int add_blob(void *context, const char *name, const void *bytes, size_t len)
{
	struct json_object *blobs = context;
	char shown[4 * 256];
	char *hex;

	text_escape(name, strlen(name), shown, sizeof(shown));
	if (strcmp(name, "identity") == 0 && is_text(bytes, len)) {
		json_object_object_add(blobs, shown, json_object_new_string_len(bytes, (int)len));
		return 0;
	}
	hex = malloc(2 * len + 1);
	if (hex)
		json_object_object_add(
			blobs, shown, json_object_new_string(text_hex(bytes, len, hex)));
	free(hex);
	return 0;
}

static int add_line(void *context, const char *json)
{
	struct json_object *o = json_tokener_parse(json);

	json_object_array_add(context, o ? o : json_object_new_string(json));
	return 0;
}

static void add_geometry(struct json_object *o, const struct image_info *info)
{
	char text[64];

	json_object_object_add(o, "uuid", json_object_new_string(text_uuid(info->uuid, text)));
	json_object_object_add(o, "version", cli_json_u64(info->version));
	json_object_object_add(o, "created", cli_json_u64(info->created));
	json_object_object_add(o, "bytes", cli_json_u64(info->size_bytes));
	json_object_object_add(o, "blocks", cli_json_u64(info->n_blocks));
	json_object_object_add(o, "block_bytes", cli_json_u64(info->block_bytes));
	json_object_object_add(o, "run_bytes", cli_json_u64(info->run_bytes));
	json_object_object_add(o, "unit_bytes", cli_json_u64(info->unit_bytes));
	json_object_object_add(o, "file_bytes", cli_json_u64(info->file_bytes));
	json_object_object_add(o, "sealed", json_object_new_boolean(info->sealed));
	json_object_object_add(o, "generation", cli_json_u64(info->generation));
	json_object_object_add(o, "udif", json_object_new_boolean(info->udif));
}

static int print_json(struct image *image, struct err *err)
{
	struct json_object *o = json_object_new_object(), *states = json_object_new_object();
	struct json_object *blobs = json_object_new_object(), *journal = json_object_new_array();
	struct json_object *digests = cli_json_digests(image_info(image));
	int r;

	add_geometry(o, image_info(image));
	if (image_info(image)->damaged)
		json_object_object_add(o, "damage", json_object_new_string(image_damage(image)));
	for (unsigned int s = 0; s < BLOCK_STATES; s++)
		json_object_object_add(
			states, block_state_name(s), cli_json_u64(count(image, BLOCK_MASK(s))));
	json_object_object_add(o, "sectors", states);
	if (digests)
		json_object_object_add(o, "digests", digests);
	json_object_object_add(o, "blobs", blobs);
	json_object_object_add(o, "journal", journal);
	r = image_blobs(image, add_blob, blobs, err);
	if (r == 0)
		r = image_journal(image, add_line, journal, err);
	cli_print_json(stdout, o, true);
	return r;
}

/* The bytes of one blob as they are: for other programs. */
static int print_raw(struct image *image, const char *name, struct err *err)
{
	size_t len;
	cleanup_free void *bytes = image_blob(image, name, &len);

	if (!bytes)
		return err_set(err, ERR_USAGE, "there is no '%s' in it", name);
	fwrite(bytes, 1, len, stdout);
	return 0;
}

static int show(struct image *image, const struct values *values, struct err *err)
{
	if (values->blob)
		return print_raw(image, values->blob, err);
	if (values->journal)
		return image_journal(image, print_journal_line, NULL, err);
	return values->json ? print_json(image, err) : print_text(image, err);
}

static int run(const void *given, char **positional, int n_positional)
{
	int code = EXIT_COMPLETE;
	struct image *image = cli_open_image("info", positional[0], &code);
	struct err err;

	(void)n_positional;
	if (!image)
		return code;
	if (show(image, given, &err) < 0) {
		cli_error("info", positional[0], err.text);
		code = err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_USAGE;
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
	.run = run,
};
