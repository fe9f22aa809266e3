/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the journal about a session: see session.h. */
#include "acquire/session.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "capture/identity.h"

#define ROWS_MAX 256

static struct json_object *session_line(const char *event)
{
	struct json_object *line = json_object_new_object();
	char now[32];

	json_add_text(&line, "time", clock_utc(now));
	json_add_text(&line, "event", event);
	return line;
}

/* Puts LINE into SINK and frees it. */
static int session_put(struct capture_sink *sink, struct json_object *line, struct err *err)
{
	cleanup_free char *text = json_line(line);

	json_object_put(line);
	return text ? sink->ops->journal(sink, text, err) : err_memory(err, "for the journal");
}

static void add_host(struct json_object **line)
{
	struct utsname host;

	if (uname(&host) != 0)
		return;
	json_add_text(line, "host", host.nodename);
	json_add_text(line, "system", host.sysname);
	json_add_text(line, "kernel", host.release);
}

static void add_user(struct json_object **line)
{
	const struct passwd *user = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");

	json_add_number(line, "uid", getuid());
	if (user)
		json_add_text(line, "user", user->pw_name);
	if (sudo)
		json_add_text(line, "sudo_user", sudo);
}

/* The lines "key=value" of capture_identity() as members of one object. */
static void add_identity(struct json_object **line, const struct device *device)
{
	struct json_object *identity = json_object_new_object();
	char text[IDENTITY_TEXT], *rest = text, *each;

	capture_identity(device, text, sizeof(text));
	while ((each = strsep(&rest, "\n"))) {
		char *equals = strchr(each, '=');

		if (!equals || equals[1] == '\0')
			continue;
		*equals = '\0';
		json_add_text(&identity, each, equals + 1);
	}
	json_add(line, "identity", identity);
}

int session_put_begin(struct capture_sink *sink, const struct acquire_options *options,
	const struct device *device, const struct acquire_result *result, struct err *err)
{
	struct json_object *line = session_line("session");

	json_add_number(&line, "session", result->session);
	json_add_text(&line, "umsctl", UMSCTL_VERSION);
	add_host(&line);
	add_user(&line);
	if (options->command_line)
		json_add_text(&line, "command", options->command_line);
	json_add_text(&line, "device", options->device);
	add_identity(&line, device);
	json_add_flag(&line, "resumed", result->resumed);
	json_add_flag(&line, "detach", options->device_options.detach);
	/* Read while it may be written to: an image of no single moment. */
	json_add_flag(&line, "live", device->drive.mounted_rw && options->device_options.live);
	json_add_flag(&line, "same_drive", options->same_drive);
	return session_put(sink, line, err);
}

int session_put_notes(
	struct capture_sink *sink, const struct acquire_options *options, struct err *err)
{
	for (size_t i = 0; i < options->n_notes; i++) {
		const char *note = options->note[i], *equals = strchr(note, '=');
		struct json_object *line = session_line("note");

		json_add_text_len(&line, "key", note, (size_t)(equals - note));
		json_add_text(&line, "text", equals + 1);
		if (session_put(sink, line, err) < 0)
			return -1;
	}
	return 0;
}

int session_put_damage(struct capture_sink *sink, uint64_t sectors, struct err *err)
{
	struct json_object *line = session_line("damaged");

	json_add_number(&line, "sectors", sectors);
	json_add_text(&line, "text",
		"what the image had of these sectors was damaged; they are read again");
	return session_put(sink, line, err);
}

/* Every command that was sent since the drive was opened: how many of which, and a digest over all
 * their CDBs, which a transcript of the same session has as well. */
static int put_commands(struct capture_sink *sink, const struct device *device, struct err *err)
{
	struct tally_row rows[ROWS_MAX];
	struct json_object *line, *list;
	uint8_t sha256[32];
	size_t n;

	if (!device->tally)
		return 0;
	n = transport_tally_read(device->tally, rows, ROWS_MAX, sha256);
	line = session_line("commands");
	list = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_new_object();
		char opcode[8];

		snprintf(opcode, sizeof(opcode), "%02X", rows[i].opcode);
		json_add_text(&row, "opcode", opcode);
		if (rows[i].service_action)
			json_add_number(&row, "service_action", rows[i].service_action);
		json_add_number(&row, "commands", rows[i].commands);
		json_append(&list, row);
	}
	json_add(&line, "sent", list);
	json_add_bytes(&line, "cdb_sha256", sha256, sizeof(sha256));
	return session_put(sink, line, err);
}

static void add_digests(struct json_object **line, const struct image_info *info)
{
	for (unsigned int i = 0; i < IMAGE_N_HASHES; i++) {
		if (info->hashes & 1u << i)
			json_add_bytes(
				line, image_hash_name(i), info->digest[i], image_hash_length(i));
	}
}

static const char *end_word(enum acquire_end end)
{
	switch (end) {
	case ACQUIRE_COMPLETE:
		return "complete";
	case ACQUIRE_UNREADABLE:
		return "unreadable";
	case ACQUIRE_WRITTEN_TO:
		return "written to";
	case ACQUIRE_STOPPED:
		return "stopped";
	default:
		return "failed";
	}
}

int session_put_end(struct capture_sink *sink, const struct device *device,
	const struct acquire_result *result, const char *failure, struct err *err)
{
	const struct capture_result *capture = &result->capture;
	struct json_object *line;

	if (put_commands(sink, device, err) < 0)
		return -1;
	line = session_line("end");
	json_add_text(&line, "result", failure ? "failed" : end_word(result->end));
	json_add_text(&line, "pass", capture_pass_name(capture->pass));
	json_add_number(&line, "duration_ms", result->elapsed_ms);
	for (unsigned int state = 0; state < BLOCK_STATES; state++)
		json_add_number(&line, block_state_name((enum block_state)state),
			result->counts.by_state[state]);
	json_add_number(&line, "areas", result->counts.areas);
	json_add_number(&line, "failed_reads", capture->failed_reads);
	json_add_number(&line, "read_bytes", capture->read_bytes);
	json_add_number(&line, "resets", capture->resets);
	json_add_number(&line, "reconnects", capture->reconnects);
	json_add_flag(&line, "written_to", capture->written_to);
	if (!failure && result->end != ACQUIRE_STOPPED)
		add_digests(&line, &result->info);
	if (failure)
		json_add_text(&line, "text", failure);
	return session_put(sink, line, err);
}
