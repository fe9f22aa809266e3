/* SPDX-License-Identifier: BSD-2-Clause */
/* How the subcommands speak: errors, JSON, digests, a bar for work on an image. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "base/json.h"

#define BAR_NS 200000000u

void cli_put(FILE *out, const char *text)
{
	size_t len = strlen(text);
	char one[16];

	while (len > 0) {
		size_t n = text_show_next(text, len, one);

		fputs(one, out);
		text += n;
		len -= n;
	}
}

void cli_error(const char *command, const char *name, const char *text)
{
	fputs("umsctl: ", stderr);
	if (command)
		fprintf(stderr, "%s: ", command);
	if (name) {
		cli_put(stderr, name);
		fputs(": ", stderr);
	}
	cli_put(stderr, text);
	fputc('\n', stderr);
}

bool cli_is_stdout(const char *path)
{
	struct stat file, out;

	return stat(path, &file) == 0 && fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) &&
	       file.st_dev == out.st_dev && file.st_ino == out.st_ino;
}

struct image *cli_open_image(const char *command, const char *path, int *code)
{
	struct image *image = NULL;
	struct err err;

	if (cli_is_stdout(path))
		err_set(&err, ERR_USAGE, CLI_STDOUT_IS_IMAGE);
	else
		image = image_open(path, &err);
	if (!image) {
		*code = err.kind == ERR_BAD_IMAGE ? EXIT_DAMAGED : EXIT_NOT_STARTED;
		cli_error(command, path, err.text);
	}
	return image;
}

int cli_print_json(FILE *out, struct json_object *object, bool pretty)
{
	if (!object) {
		cli_error(
			NULL, NULL, "there was no memory for all of the JSON, so none is printed");
		return -1;
	}
	/* An OUT that takes no more is main()'s to tell of. */
	json_write(out, object, pretty);
	fputc('\n', out);
	fflush(out);
	json_object_put(object);
	return 0;
}

struct json_object *cli_json_u64(uint64_t value)
{
	return json_object_new_uint64(value);
}

struct json_object *cli_json_ms(uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)ns / 1e6);
	return json_object_new_double_s((double)ns / 1e6, text);
}

static const size_t digest_bytes[IMAGE_N_HASHES] = {32, 16, 20};

const char *cli_digest_hex(const struct image_info *info, unsigned int i, char out[65])
{
	if (!(info->hashes & 1u << i))
		return NULL;
	return text_hex(info->digest[i], digest_bytes[i], out);
}

struct json_object *cli_json_digests(const struct image_info *info)
{
	struct json_object *object = NULL;
	char hex[65];

	if (info->hashes & IMAGE_HASH_ALL)
		object = json_object_new_object();
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		if (cli_digest_hex(info, i, hex))
			json_add(&object, image_hash_name(i), json_object_new_string(hex));
	}
	return object;
}

int cli_terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

void cli_bar_update(struct cli_bar *bar, uint64_t done_bytes, uint64_t all_bytes)
{
	uint64_t now = clock_now_ns();
	char done[32], all[32], text[160];

	if (!isatty(STDERR_FILENO) || all_bytes == 0 ||
		(bar->shown_ns != 0 && now - bar->shown_ns < BAR_NS))
		return;
	/* Work that is over at once needs no bar. */
	if (bar->shown_ns == 0) {
		bar->shown_ns = now;
		return;
	}
	bar->shown_ns = now;
	bar->shown = true;
	snprintf(text, sizeof(text), "%s %3.0f %%  %s of %s", bar->what,
		100.0 * (double)done_bytes / (double)all_bytes, text_size(done_bytes, done),
		text_size(all_bytes, all));
	fprintf(stderr, "\r\033[K%.*s", cli_terminal_columns() - 1, text);
}

void cli_bar_end(struct cli_bar *bar)
{
	if (bar->shown)
		fputs("\r\033[K", stderr);
	bar->shown = false;
}
