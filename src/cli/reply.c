/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of a command: see reply.h. */
#include "cli/reply.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "scsi/effect.h"

#define OS_ERROR 50 /* sg3_utils: and errno */
#define OTHER	 99
#define A_LINE	 16

int reply_exit_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_USAGE:
		return REPLY_EXIT_USAGE;
	case ERR_NO_DEVICE:
	case ERR_GONE:
		return OS_ERROR + ENODEV;
	case ERR_PERMISSION:
		return OS_ERROR + EACCES;
	case ERR_BUSY:
		return OS_ERROR + EBUSY;
	case ERR_NO_MEMORY:
		return OS_ERROR + ENOMEM;
	case ERR_NO_MEDIUM:
		return 2;
	default:
		return OTHER;
	}
}

char *reply_hex(const uint8_t *bytes, size_t len, char *out, size_t room)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < len && used + 4 < room; i++)
		used += (size_t)snprintf(
			out + used, room - used, "%s%02x", i > 0 ? " " : "", bytes[i]);
	return out;
}

static bool reply_has_data(const struct command *command)
{
	return command->direction != TRANSFER_NONE;
}

void reply_print_line(
	FILE *out, const struct command *command, const struct reply *reply, uint64_t ns)
{
	char text[300];

	fputs(scsi_reply_text(reply, text, sizeof(text)), out);
	if (reply_has_data(command) && reply->moved == command->data_len)
		fprintf(out, ", %zu bytes %s", reply->moved,
			command->direction == TRANSFER_IN ? "in" : "out");
	else if (reply_has_data(command))
		fprintf(out, ", %zu of %zu bytes %s, residue %zu", reply->moved, command->data_len,
			command->direction == TRANSFER_IN ? "in" : "out",
			command->data_len - reply->moved);
	if (ns > 0)
		fprintf(out, ", %.3f ms", (double)ns / 1e6);
	fputc('\n', out);
}

void reply_print_sense(FILE *out, const struct reply *reply)
{
	char hex[3 * TRANSPORT_SENSE_MAX + 1];

	if (reply->outcome == OUTCOME_DONE && reply->sense_len > 0)
		fprintf(out, "sense: %s\n",
			reply_hex(reply->sense, reply->sense_len, hex, sizeof(hex)));
}

static void reply_print_dump_line(FILE *out, const uint8_t *data, size_t at, size_t len)
{
	fprintf(out, "%08zx ", at);
	for (size_t i = 0; i < A_LINE; i++) {
		if (i == A_LINE / 2)
			fputc(' ', out);
		if (i < len)
			fprintf(out, " %02x", data[i]);
		else
			fputs("   ", out);
	}
	fputs("  |", out);
	for (size_t i = 0; i < len; i++)
		fputc(data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '.', out);
	fputs("|\n", out);
}

void reply_print_dump(FILE *out, const uint8_t *data, size_t len)
{
	bool repeating = false;

	for (size_t at = 0; at < len; at += A_LINE) {
		size_t n = mem_min_u64(len - at, A_LINE);

		if (at > 0 && n == A_LINE && at + n < len &&
			memcmp(data + at, data + at - A_LINE, A_LINE) == 0) {
			if (!repeating)
				fputs("*\n", out);
			repeating = true;
			continue;
		}
		repeating = false;
		reply_print_dump_line(out, data + at, at, n);
	}
}

/* --- JSON --- */

static struct json_object *reply_sense_json(const struct reply *reply)
{
	struct sense sense = sense_parse(reply->sense, reply->sense_len);
	struct json_object *o = json_object_new_object();

	if (sense.present) {
		json_add_number(&o, "key", sense.key);
		json_add_number(&o, "asc", sense.asc);
		json_add_number(&o, "ascq", sense.ascq);
		json_add_flag(&o, "deferred", sense.deferred);
	}
	if (sense.information_valid)
		json_add_number(&o, "information", sense.information);
	json_add_bytes(&o, "bytes", reply->sense, reply->sense_len);
	return o;
}

static void reply_add(struct json_object **o, const struct command *command,
	const struct reply *reply, uint64_t ns)
{
	char text[300];

	json_add_text(o, "outcome", outcome_name(reply->outcome));
	if (reply->outcome == OUTCOME_DONE)
		json_add_number(o, "status", reply->status);
	json_add_text(o, "says", scsi_reply_text(reply, text, sizeof(text)));
	if (reply->sense_len > 0)
		json_add(o, "sense", reply_sense_json(reply));
	else
		json_add_null(o, "sense");
	json_add_number(o, "moved", reply->moved);
	json_add_number(o, "residue", command->data_len - reply->moved);
	json_add_ms(o, "ms", ns);
}

struct json_object *reply_json(
	const struct command *command, const struct reply *reply, uint64_t ns, bool with_data)
{
	static const char *const directions[] = {"none", "in", "out"};
	struct json_object *o = json_object_new_object();
	size_t len = command->data_len;
	char name[200];

	json_add_bytes(&o, "cdb", command->cdb, command->cdb_len);
	json_add_text(
		&o, "name", scsi_command_name(command->cdb, command->cdb_len, name, sizeof(name)));
	json_add_text(&o, "direction", directions[command->direction]);
	json_add_number(&o, "length", command->data_len);
	if (reply)
		reply_add(&o, command, reply, ns);
	if (reply && command->direction == TRANSFER_IN)
		len = reply->moved;
	if (with_data && reply_has_data(command) && (reply || command->direction == TRANSFER_OUT))
		json_add_bytes(&o, "data", command->data, len);
	return o;
}
