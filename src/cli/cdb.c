/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl cdb: sends the bytes of one command, and says what became of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/drive.h"
#include "cli/phases.h"
#include "cli/reply.h"
#include "cli/stop.h"
#include "scsi/effect.h"
#include "vendor/vendor.h"

#define DATA_MOST   (16u << 20)
#define REPEAT_MOST 1000000000

struct values {
	struct drive_values drive;
	const char *in, *out, *out_length, *repeat;
	bool no_data, raw, hex, json, force, allow_mounted;
};

/* What is to be sent, and what it came to. */
struct job {
	const struct values *values;
	const char *name;
	struct device *device;
	uint8_t cdb[TRANSPORT_CDB_MAX];
	struct command command;
	struct reply reply;
	struct phases phases;
	uint64_t repeat, done;
	uint64_t ns, least_ns, most_ns, sum_ns;
};

/* --- the bytes --- */

/* "12", "0x12", "0", or several bytes in one word: "1200000024". */
static int cdb_take_word(struct job *job, const char *word, size_t len)
{
	char padded[3] = "0";

	if (len > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		word += 2;
		len -= 2;
	}
	if (len == 1) {
		padded[1] = word[0];
		word = padded;
		len = 2;
	}
	if (job->command.cdb_len + len / 2 > sizeof(job->cdb))
		return cli_usage("cdb", "a CDB has at most %d bytes", TRANSPORT_CDB_MAX);
	if (!text_unhex(word, len, job->cdb + job->command.cdb_len))
		return cli_usage(
			"cdb", "'%.*s' is not hexadecimal bytes", (int)mem_min_u64(len, 60), word);
	job->command.cdb_len += len / 2;
	return 0;
}

static int cdb_take_bytes(struct job *job, char *const *text, int n)
{
	int r = 0;

	for (int i = 0; i < n; i++) {
		for (const char *at = text[i]; *at && r == 0;) {
			size_t len = strcspn(at, " ,:-");

			if (len > 0)
				r = cdb_take_word(job, at, len);
			at += len + (at[len] != '\0');
		}
	}
	if (r == 0 && job->command.cdb_len == 0)
		return cli_usage("cdb", "there are no bytes");
	job->command.cdb = job->cdb;
	return r;
}

/* A standard command of another length is a slip of the pen, and some drives hang on it. */
static int cdb_check_length(const struct job *job)
{
	size_t wanted = scsi_cdb_length(job->cdb, job->command.cdb_len);
	char name[200];

	if (wanted == 0 || wanted == job->command.cdb_len || job->values->force ||
		scsi_effect(job->cdb, job->command.cdb_len) == EFFECT_UNKNOWN)
		return 0;
	return cli_usage("cdb",
		"%s has %zu bytes, and these are %zu: --force sends them all the same",
		scsi_command_name(job->cdb, job->command.cdb_len, name, sizeof(name)), wanted,
		job->command.cdb_len);
}

/* --- data --- */

static int read_whole(int fd, uint8_t *data, size_t room, size_t *len)
{
	*len = 0;
	while (*len < room) {
		ssize_t n = read(fd, data + *len, room - *len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		if (n > 0)
			*len += (size_t)n;
	}
	return 0;
}

static int file_trouble(const char *path, const char *text)
{
	cli_error("cdb", path, text);
	return REPLY_EXIT_FILE;
}

static int cdb_take_out(struct job *job)
{
	const char *path = job->values->out;
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	uint64_t wanted = 0;
	size_t len = 0;
	int r = cli_number("cdb", "out-length", job->values->out_length, DATA_MOST, &wanted);

	if (r != 0)
		return r;
	if (fd < 0)
		return file_trouble(path, strerror(errno));
	job->command.data = malloc(DATA_MOST + 1);
	if (!job->command.data)
		return file_trouble(path, "no memory for its data");
	r = read_whole(fd, job->command.data, wanted ? wanted : DATA_MOST + 1, &len);
	if (!is_stdin)
		close(fd);
	if (r < 0)
		return file_trouble(path, strerror(errno));
	if (wanted && len < wanted) {
		char text[100];

		snprintf(text, sizeof(text), "has %zu bytes, and --out-length says %" PRIu64, len,
			wanted);
		return file_trouble(path, text);
	}
	if (len == 0 || len > DATA_MOST)
		return file_trouble(path,
			len == 0 ? "there is nothing in it to send" : "is longer than 16 MiB");
	job->command.direction = TRANSFER_OUT;
	job->command.data_len = len;
	return 0;
}

static int cdb_take_data(struct job *job)
{
	const struct values *v = job->values;
	uint64_t in = 0;
	int r = cli_number("cdb", "in", v->in, DATA_MOST, &in);

	if (r != 0)
		return r;
	if ((v->in && v->out) || (v->no_data && (v->in || v->out)))
		return cli_usage("cdb", "a command has --in, --out or --no-data, one of them");
	if (v->out_length && !v->out)
		return cli_usage("cdb", "--out-length says how much of --out FILE");
	if (v->out)
		return cdb_take_out(job);
	if (in == 0)
		return 0;
	job->command.direction = TRANSFER_IN;
	job->command.data_len = in;
	job->command.data = calloc(1, in);
	return job->command.data ? 0 : file_trouble(NULL, "no memory for the data");
}

/* --- sending --- */

static int cdb_send_once(struct job *job, struct err *err)
{
	uint64_t began = clock_now_ns();
	int r;

	phases_begin(&job->phases);
	if (job->command.direction == TRANSFER_IN)
		memset(job->command.data, 0, job->command.data_len);
	r = transport_exec(job->device->transport, &job->command, &job->reply, err);
	job->ns = clock_now_ns() - began;
	job->sum_ns += job->ns;
	job->most_ns = mem_max_u64(job->most_ns, job->ns);
	job->least_ns = job->done == 0 ? job->ns : mem_min_u64(job->least_ns, job->ns);
	job->done++;
	return r;
}

static void cdb_print_text(const struct job *job)
{
	const struct values *v = job->values;
	FILE *out = v->raw || v->hex ? stderr : stdout;
	char name[200];

	fprintf(out, "%s: ", scsi_command_name(job->cdb, job->command.cdb_len, name, sizeof(name)));
	reply_print_line(out, &job->command, &job->reply, job->ns);
	reply_print_sense(out, &job->reply);
	if (job->done > 1)
		fprintf(out, "%" PRIu64 " times: %.3f ms least, %.3f ms mean, %.3f ms most\n",
			job->done, (double)job->least_ns / 1e6,
			(double)job->sum_ns / (double)job->done / 1e6, (double)job->most_ns / 1e6);
	phases_print(out, &job->phases);
}

static void cdb_print_data(const struct job *job)
{
	const struct values *v = job->values;
	const uint8_t *data = job->command.data;

	if (job->command.direction != TRANSFER_IN)
		return;
	if (v->raw) {
		fwrite(data, 1, job->reply.moved, stdout);
	} else if (v->hex) {
		for (size_t i = 0; i < job->reply.moved; i++)
			printf("%02x%s", data[i],
				(i + 1) % 16 == 0 || i + 1 == job->reply.moved ? "\n" : " ");
	} else {
		reply_print_dump(stdout, data, job->reply.moved);
	}
}

static int cdb_print_json(const struct job *job)
{
	struct json_object *o = reply_json(&job->command, &job->reply, job->ns, true);

	json_add_text(&o, "device", job->device->name);
	json_add_text(&o, "route", route_name(job->device->route));
	if (job->done > 1) {
		struct json_object *ms = json_object_new_object();

		json_add_number(&o, "times", job->done);
		json_add_ms(&ms, "least", job->least_ns);
		json_add_ms(&ms, "mean", job->sum_ns / job->done);
		json_add_ms(&ms, "most", job->most_ns);
		json_add(&o, "ms_of_all", ms);
	}
	json_add(&o, "phases", phases_json(&job->phases));
	return cli_print_json(stdout, o, true);
}

static int cdb_send_all(struct job *job, unsigned int timeout_ms)
{
	struct err err;
	const atomic_bool *stop = stop_on_signals(&err);
	int r = 0;

	while (stop && r == 0 && job->done < job->repeat && !atomic_load(stop)) {
		job->command.deadline = deadline_in_ms(timeout_ms);
		r = cdb_send_once(job, &err);
		if (r == 0 && job->reply.status != SCSI_STATUS_GOOD)
			break;
	}
	if (!stop || (r < 0 && job->reply.outcome == OUTCOME_NOT_SENT)) {
		cli_error("cdb", job->device->name, err.text);
		return reply_exit_of(&err);
	}
	if (r < 0)
		cli_error("cdb", job->device->name, err.text);
	if (!job->values->json) {
		cdb_print_text(job);
		cdb_print_data(job);
	} else if (cdb_print_json(job) < 0) {
		return REPLY_EXIT_NO_MEMORY;
	}
	return scsi_reply_category(&job->reply);
}

static int cdb_check_safe(const struct job *job)
{
	const char *quirk = scsi_quirk_against(job->device->quirks, job->cdb, job->command.cdb_len);
	struct err err;

	if (quirk) {
		err_set(&err, ERR_USAGE,
			"the drive is known to take this command badly (%s): --quirk no-%s sends "
			"it all the same",
			quirk, quirk);
		cli_error("cdb", job->device->name, err.text);
		return REPLY_EXIT_USAGE;
	}
	if (vendor_may_send(&job->device->drive, scsi_effect(job->cdb, job->command.cdb_len), false,
		    job->values->force, job->values->allow_mounted, &err) == 0)
		return 0;
	cli_error("cdb", job->device->name, err.text);
	return REPLY_EXIT_USAGE;
}

static int cdb_open_and_send(struct job *job)
{
	struct device_options options = {.any_command = true,
		.ask = ASK_NOTHING,
		.live = true,
		.watch = phases_watch,
		.watch_context = &job->phases};
	struct err err;
	int r = drive_options("cdb", &job->values->drive, &options);

	if (r != 0)
		return r;
	job->device = device_open(job->name, &options, &err);
	if (!job->device) {
		cli_error("cdb", NULL, err.text);
		return reply_exit_of(&err);
	}
	r = cdb_check_safe(job);
	if (r == 0)
		r = cdb_send_all(job, options.timeout_ms ? options.timeout_ms : 30000);
	device_close(job->device);
	return r;
}

static int cdb_run(const void *given, char **positional, int n_positional)
{
	struct job job = {.values = given, .name = positional[0], .repeat = 1};
	const struct values *v = given;
	int r = cdb_take_bytes(&job, positional + 1, n_positional - 1);

	if (r == 0 && v->raw + v->hex + v->json > 1)
		r = cli_usage("cdb", "the answer comes as --raw, --hex or --json, one of them");
	if (r == 0)
		r = cdb_check_length(&job);
	if (r == 0)
		r = cli_number("cdb", "repeat", v->repeat, REPEAT_MOST, &job.repeat);
	if (r == 0 && job.repeat == 0)
		r = cli_usage("cdb", "--repeat 0 sends nothing");
	if (r == 0)
		r = cdb_take_data(&job);
	if (r == 0)
		r = cdb_open_and_send(&job);
	free(job.command.data);
	return r;
}

static const struct cli_option options[] = {
	{"in", "BYTES", "how many bytes the drive is to answer", offsetof(struct values, in),
		false},
	{"out", "FILE", "send what is in FILE (- is standard input)", offsetof(struct values, out),
		false},
	{"out-length", "BYTES", "exactly so much of it; a shorter FILE is refused",
		offsetof(struct values, out_length), false},
	{"no-data", NULL, "no data either way (as without --in and --out)",
		offsetof(struct values, no_data), false},
	{"repeat", "N", "send it N times, as long as it goes well", offsetof(struct values, repeat),
		false},
	{"raw", NULL, "the answer's bytes alone on standard output", offsetof(struct values, raw),
		false},
	{"hex", NULL, "the same as hexadecimal digits", offsetof(struct values, hex), false},
	{"json", NULL, "everything as one object", offsetof(struct values, json), false},
	{"force", NULL, "send what changes or destroys, or has an unusual length",
		offsetof(struct values, force), false},
	{"allow-mounted", NULL,
		"send it though the drive is in use, when it is not known to be\nharmless",
		offsetof(struct values, allow_mounted), false},
	DRIVE_OPTIONS(struct values, drive),
	{0},
};

const struct cli_command command_cdb = {
	.name = "cdb",
	.synopsis = "DEVICE BYTE...",
	.summary = "send one SCSI command as bytes",
	.help = "BYTE    hexadecimal, in words of any length: 12 00 00 00 24 00, or "
		"120000002400\n\n"
		"  umsctl cdb /dev/sdb 12 00 00 00 24 00 --in 36\n\n"
		"Nothing else is sent: neither does it wait for the drive, nor ask who it is.  "
		"The\n"
		"kernel's driver stays, and what is mounted stays mounted (route sg).\n"
		"Exit codes are sg3_utils': 0 good, 1 usage, 2 not ready, 3 medium error, 5 "
		"illegal\n"
		"request, 6 unit attention, 9 unknown operation code, 15 file, 33 timed out,\n"
		"35 transport, 50 and errno, 99 other.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 2,
	.max_positional = CLI_MAX_POSITIONAL,
	.run = cdb_run,
};
