/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl vendor: commands that are defined as data; this file sends them. */
#include "cli/vendor.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/reply.h"
#include "cli/stop.h"

/* What is kept of the steps, for the end. */
struct job {
	const struct vendor_values *values;
	struct shown shown;
	struct json_object *steps;
	uint8_t *answer; /* of the last step with one */
	size_t answer_len;
	unsigned int n_steps;
	bool dry;
};

static void vendor_print_step(
	struct job *job, const struct command *command, const struct reply *reply, uint64_t ns)
{
	char hex[3 * TRANSPORT_CDB_MAX + 1];
	FILE *out = job->values->raw ? stderr : stdout;

	fprintf(out, "step %u: %s", job->n_steps,
		reply_hex(command->cdb, command->cdb_len, hex, sizeof(hex)));
	if (job->dry && command->direction != TRANSFER_NONE)
		fprintf(out, "  %zu bytes %s", command->data_len,
			command->direction == TRANSFER_IN ? "in" : "out");
	fputc('\n', out);
	if (reply) {
		reply_print_line(out, command, reply, ns);
		reply_print_sense(out, reply);
	}
	if (command->direction == TRANSFER_OUT)
		reply_print_dump(out, command->data, command->data_len);
	else if (reply && job->values->hex)
		reply_print_dump(out, command->data, reply->moved);
}

static void vendor_keep_answer(
	struct job *job, const struct command *command, const struct reply *reply)
{
	if (!reply || command->direction != TRANSFER_IN)
		return;
	free(job->answer);
	job->answer = malloc(reply->moved + 1);
	job->answer_len = job->answer ? reply->moved : 0;
	if (job->answer)
		memcpy(job->answer, command->data, job->answer_len);
}

static void vendor_take_step(void *context, const struct definition *definition,
	const struct step *step, const struct command *command, const struct reply *reply,
	uint64_t ns)
{
	struct job *job = context;

	(void)definition, (void)step;
	job->n_steps++;
	vendor_keep_answer(job, command, reply);
	if (job->values->json)
		json_append(
			&job->steps, reply_json(command, reply, ns, job->values->hex || job->dry));
	else if (job->dry || job->values->hex)
		vendor_print_step(job, command, reply, ns);
}

static void vendor_take_value(void *context, const struct value *value)
{
	shown_take(&((struct job *)context)->shown, value);
}

static int vendor_print_json(struct job *job, const char *name, const struct device *device, int r,
	const struct err *err)
{
	struct json_object *o = json_object_new_object();

	json_add_text(&o, "command", name);
	if (device) {
		json_add_text(&o, "device", device->name);
		json_add_text(&o, "route", route_name(device->route));
	}
	json_add_flag(&o, "good", r == 0);
	if (r < 0)
		json_add_text(&o, "error", err->text);
	json_add(&o, "steps", job->steps);
	job->steps = NULL;
	if (job->shown.n_taken > 0)
		json_add(&o, "values", json_object_get(job->shown.json));
	return cli_print_json(stdout, o, true);
}

/* -1 when not all of it could be shown. */
static int vendor_print_result(struct job *job, const char *name, const struct device *device,
	int r, const struct err *err)
{
	if (r < 0)
		cli_error("vendor", device ? device->name : NULL, err->text);
	if (job->values->json)
		return vendor_print_json(job, name, device, r, err);
	if (job->values->raw && r == 0)
		fwrite(job->answer, 1, job->answer_len, stdout);
	else if (!job->values->raw && job->shown.n == 0 && r == 0 && !job->dry)
		printf("%s: the answer is the expected one\n", name);
	else if (!job->values->raw)
		return shown_print(&job->shown);
	return 0;
}

static int vendor_exit_of(const struct run_result *result, int r, const struct err *err)
{
	int category;

	if (r == 0)
		return result->missing > 0 ? REPLY_EXIT_MALFORMED : EXIT_COMPLETE;
	if (!result->sent)
		return reply_exit_of(err);
	category = scsi_reply_category(&result->reply);
	if (category)
		return category;
	return err->kind == ERR_IDENTITY ? REPLY_EXIT_MALFORMED : reply_exit_of(err);
}

static int vendor_send_on(struct job *job, struct device *device,
	const struct definition *definition, const struct argument_value *arguments,
	const char *name, unsigned int timeout_ms)
{
	const struct vendor_values *v = job->values;
	struct run_options options = {
		.force = v->force,
		.allow_mounted = v->allow_mounted,
		.any_drive = v->any_drive,
		.timeout_ms = timeout_ms,
		.step = vendor_take_step,
		.value = vendor_take_value,
		.context = job,
	};
	struct run_result result = {0};
	struct err err = {0};
	int r;

	job->steps = json_object_new_array();
	if (!device) {
		job->dry = true;
		r = vendor_dry_run(definition, arguments, &options, &err);
	} else {
		options.stop = stop_on_signals(&err);
		r = options.stop
			    ? vendor_run(device, definition, arguments, &options, &result, &err)
			    : -1;
	}
	if (vendor_print_result(job, name, device, r, &err) < 0)
		return REPLY_EXIT_NO_MEMORY;
	return vendor_exit_of(&result, r, &err);
}

static int vendor_open_and_send(struct job *job, const char *device_name,
	const struct definition *definition, const struct argument_value *arguments,
	const char *name)
{
	unsigned int wires = definition_wires(definition);
	struct device_options options = {
		.any_command = true,
		.ask = ASK_INQUIRY,
		.live = true,
		.prefer = wires == VENDOR_WIRE_BOT   ? ROUTE_BOT
			  : wires == VENDOR_WIRE_UAS ? ROUTE_UAS
						     : ROUTE_AUTO,
	};
	struct device *device;
	struct err err;
	int r = drive_options("vendor", &job->values->drive, &options);

	if (r != 0)
		return r;
	if (job->values->dry_run)
		return vendor_send_on(job, NULL, definition, arguments, name, 0);
	device = device_open(device_name, &options, &err);
	if (!device) {
		cli_error("vendor", NULL, err.text);
		return reply_exit_of(&err);
	}
	r = vendor_send_on(job, device, definition, arguments, name, options.timeout_ms);
	device_close(device);
	return r;
}

int vendor_send(const struct vendor_values *values, const char *device, const char *name,
	char *const *text, size_t n)
{
	struct job job = {.values = values};
	struct library *library = vendor_library(NULL);
	const struct definition *definition;
	struct argument_value *arguments;
	struct err err;
	int r = REPLY_EXIT_USAGE;

	definition = library ? library_find(library, name, &err) : NULL;
	arguments = definition ? arguments_read(definition, text, n, &err) : NULL;
	if (arguments)
		r = vendor_open_and_send(&job, device, definition, arguments, name);
	else if (library)
		cli_error("vendor", definition ? name : NULL, err.text);
	if (definition)
		arguments_free(definition, arguments);
	library_free(library);
	shown_free(&job.shown);
	json_object_put(job.steps);
	free(job.answer);
	return r;
}

/* --- the subcommand --- */

static int vendor_main(const void *given, char **positional, int n)
{
	const struct vendor_values *values = given;
	const char *what = positional[0];

	if (values->raw + values->hex + values->json > 1 && !(values->hex && values->json))
		return cli_usage("vendor", "--raw goes with neither --hex nor --json");
	if (strcmp(what, "list") == 0 && n <= 2)
		return vendor_list(values, n == 2 ? positional[1] : NULL);
	if (strcmp(what, "show") == 0 && n == 2)
		return vendor_show(values, positional[1]);
	if (strcmp(what, "check") == 0 && n == 2)
		return vendor_check(positional[1]);
	if (strcmp(what, "run") == 0 && n >= 3)
		return vendor_send(
			values, positional[1], positional[2], positional + 3, (size_t)(n - 3));
	return cli_usage("vendor", "wants list [DEVICE], show NAME, run DEVICE NAME [ARG=VALUE...] "
				   "or check FILE");
}

static const struct cli_option options[] = {
	{"dry-run", NULL, "run: show the bytes, send nothing",
		offsetof(struct vendor_values, dry_run), false},
	{"json", NULL, "everything as one object", offsetof(struct vendor_values, json), false},
	{"hex", NULL, "run: the bytes of each step as well", offsetof(struct vendor_values, hex),
		false},
	{"raw", NULL, "run: the last answer's bytes alone on standard output",
		offsetof(struct vendor_values, raw), false},
	{"force", NULL, "run: send what changes or destroys", offsetof(struct vendor_values, force),
		false},
	{"allow-mounted", NULL, "run: … though the drive is in use",
		offsetof(struct vendor_values, allow_mounted), false},
	{"any-drive", NULL, "run: send it to a drive that it is not known to fit",
		offsetof(struct vendor_values, any_drive), false},
	DRIVE_OPTIONS(struct vendor_values, drive),
	{0},
};

const struct cli_command command_vendor = {
	.name = "vendor",
	.synopsis = "list [DEVICE] | show NAME | run DEVICE NAME [ARG=VALUE...] | check FILE",
	.summary = "send vendor commands by name",
	.help = "list     the commands there are, or those that fit DEVICE\n"
		"show     what NAME sends, to which drives, and where that is known from\n"
		"run      sends NAME to DEVICE and says what the answer means\n"
		"check    says every mistake in a file of definitions\n\n"
		"  umsctl vendor run /dev/sdb sat.identify\n\n"
		"The kernel's driver stays, and what is mounted stays mounted (route sg).\n"
		"Exit codes are sg3_utils': 0 good, 1 usage, 2 not ready, 3 medium error, 5 "
		"illegal\n"
		"request, 6 unit attention, 9 unknown operation code, 15 file, 33 timed out,\n"
		"35 transport, 50 and errno, 97 an answer that is not the expected one, 99 "
		"other.\n",
	.options = options,
	.values_size = sizeof(struct vendor_values),
	.min_positional = 1,
	.max_positional = CLI_MAX_POSITIONAL,
	.run = vendor_main,
};
