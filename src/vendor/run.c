/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending a command's steps, in order, and what has to be done at the end. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "vendor/reading.h"

#define ATTEMPTS 5
#define PAUSE_MS 100

/* One command on its way. */
struct run {
	struct device *device; /* NULL: dry */
	const struct definition *definition;
	const struct argument_value *values;
	const struct run_options *options;
	struct run_result *result;
	bool silent; /* a confirm command: nobody is told of it */
};

/* --- may it be sent? --- */

/* What the drive is spoken to in; 0 where it is neither. */
static unsigned int wire_of(const struct device *device)
{
	if (device->route == ROUTE_BOT)
		return VENDOR_WIRE_BOT;
	if (device->route == ROUTE_UAS)
		return VENDOR_WIRE_UAS;
	if (strcmp(device->drive.driver, "usb-storage") == 0)
		return VENDOR_WIRE_BOT;
	return strcmp(device->drive.driver, "uas") == 0 ? VENDOR_WIRE_UAS : 0;
}

static const char *wire_name(unsigned int wire)
{
	return wire == VENDOR_WIRE_BOT ? "Bulk-Only" : "UAS";
}

static int check_wire(const struct run *run, struct err *err)
{
	unsigned int wires = definition_wires(run->definition), wire = wire_of(run->device);

	if (wire == 0 || wires & wire)
		return 0;
	if (run->device->route == ROUTE_SG)
		return err_set(err, ERR_USAGE,
			"this command works over %s, and the kernel's driver %s speaks %s to the "
			"drive: --route %s --detach takes it from the kernel, when nothing on it "
			"is mounted, and gives it back",
			wire_name(wires), run->device->drive.driver, wire_name(wire),
			wires == VENDOR_WIRE_BOT ? "bot" : "uas");
	return err_set(err, ERR_USAGE, "this command works over %s: --route %s", wire_name(wires),
		wires == VENDOR_WIRE_BOT ? "bot" : "uas");
}

static int check_alone(const struct run *run, struct err *err)
{
	if (run->device->route != ROUTE_SG)
		return 0;
	if (run->definition->atomic)
		return err_set(err, ERR_USAGE,
			"nothing may come between its steps, and the kernel's driver puts its own "
			"commands there: --route bot --detach (or uas) takes the drive from the "
			"kernel, when nothing on it is mounted, and gives it back");
	if (run->definition->redirects)
		return err_set(err, ERR_USAGE,
			"it redirects the drive's other commands, and the kernel's driver would "
			"send some: --route bot --detach (or uas) takes the drive from the kernel, "
			"when nothing on it is mounted, and gives it back");
	return 0;
}

static int check_fits(const struct run *run, struct err *err)
{
	const struct drive *drive = &run->device->drive;

	if (run->options->any_drive || definition_fits(run->definition, drive))
		return 0;
	return err_set(err, ERR_USAGE,
		"it is not for this drive (%04x:%04x, %s %s): the same bytes may do harm here; "
		"--any-drive sends them all the same",
		drive->vid, drive->pid, drive->scsi_vendor, drive->scsi_product);
}

/* The rendered CDB against the definition's word, and against what is known of the drive. */
static int check_cdb(const struct run *run, const uint8_t *cdb, size_t len, struct err *err)
{
	bool vouches = definition_vouches(run->definition, cdb, len);
	enum scsi_effect effect = vouches ? EFFECT_UNKNOWN : scsi_effect(cdb, len);
	const char *quirk = run->device ? scsi_quirk_against(run->device->quirks, cdb, len) : NULL;
	char name[200];

	if (!vouches && effect > run->definition->safety)
		return err_set(err, ERR_USAGE, "it is said to be one that %s, but %s %s: not sent",
			scsi_effect_name(run->definition->safety),
			scsi_command_name(cdb, len, name, sizeof(name)), scsi_effect_name(effect));
	if (quirk)
		return err_set(err, ERR_USAGE,
			"the drive is known to take this command badly (%s): --quirk no-%s sends "
			"it all the same",
			quirk, quirk);
	return 0;
}

/* --- one step --- */

/* The command of STEP in CDB and DATA, which are large enough. */
static int render(const struct run *run, const struct step *step, uint8_t *cdb, uint8_t *data,
	struct command *command, struct err *err)
{
	size_t out_len = pattern_length(&step->out, run->values);
	uint64_t in_len = step->in.n ? expression_value(&step->in, run->values, 0, out_len) : 0;

	if (step->in.n > 0 && (in_len == 0 || in_len > step->in_max))
		return err_set(err, ERR_USAGE, "%llu bytes are no length of an answer",
			(unsigned long long)in_len);
	*command = (struct command){
		.cdb = cdb,
		.cdb_len = pattern_render(&step->cdb, run->values, in_len, out_len, cdb),
		.direction = step->direction,
		.data = data,
		.data_len = step->in.n ? (size_t)in_len : out_len,
	};
	if (step->out.n > 0)
		pattern_render(&step->out, run->values, in_len, out_len, data);
	return check_cdb(run, cdb, command->cdb_len, err);
}

static bool matches(const struct match *match, const uint8_t *data, size_t len)
{
	return match->len <= len && match->offset <= len - match->len &&
	       memcmp(data + match->offset, match->bytes, match->len) == 0;
}

static int check_status(const struct step *step, const struct reply *reply, struct err *err)
{
	struct sense sense = sense_parse(reply->sense, reply->sense_len);
	bool check = reply->status == SCSI_STATUS_CHECK_CONDITION;
	char text[200];

	if (step->has_sense && check && sense.present && sense.key == step->key &&
		sense.asc == step->asc && sense.ascq == step->ascq)
		return 0;
	if (!step->has_sense &&
		(step->status == STEP_ANY ||
			(step->status == STEP_CHECK ? check : reply->status == SCSI_STATUS_GOOD)))
		return 0;
	return err_set(
		err, ERR_IDENTITY, "the drive says %s", scsi_reply_text(reply, text, sizeof(text)));
}

static int check_answer(const struct step *step, const uint8_t *data, size_t len, struct err *err)
{
	for (size_t i = 0; i < step->n_expects; i++) {
		if (!matches(&step->expect[i], data, len))
			return err_set(err, ERR_IDENTITY,
				"the answer is not the expected one at byte %zu",
				step->expect[i].offset);
	}
	return 0;
}

static void tell(const struct run *run, const struct step *step, const struct command *command,
	const struct reply *reply, uint64_t ns)
{
	if (!run->silent && run->options->step)
		run->options->step(
			run->options->context, run->definition, step, command, reply, ns);
}

static void decode(const struct run *run, const struct step *step, const uint8_t *data,
	const struct reply *reply)
{
	struct ata_registers registers = ata_registers_parse(reply->sense, reply->sense_len);
	size_t len = step->in.n > 0 ? reply->moved : 0;

	if (run->silent || !run->options->value)
		return;
	if (step->shared)
		run->result->missing += layout_decode(step->shared, data, len, &registers,
			run->options->value, run->options->context);
	run->result->missing += layout_decode(
		&step->own, data, len, &registers, run->options->value, run->options->context);
}

/* The drive has not begun it, and will not say so for ever. */
static bool was_put_off(const struct run *run, const struct step *step, const struct reply *reply)
{
	struct sense sense = sense_parse(reply->sense, reply->sense_len);

	if (reply->outcome != OUTCOME_DONE)
		return false;
	if (reply->status == SCSI_STATUS_BUSY || reply->status == SCSI_STATUS_TASK_SET_FULL)
		return true;
	/* In the midst of a sequence it means that the drive has forgotten the steps before. */
	return reply->status == SCSI_STATUS_CHECK_CONDITION && sense.present &&
	       sense.key == SENSE_UNIT_ATTENTION &&
	       (!run->definition->atomic || step == run->definition->step);
}

/* As scsi_exec, but never twice what may have been done once. */
static int exec(const struct run *run, const struct step *step, const struct command *command,
	struct err *err)
{
	struct reply *reply = &run->result->reply;
	int r = -1;

	for (int i = 0; i < ATTEMPTS; i++) {
		r = transport_exec(run->device->transport, command, reply, err);
		if (!was_put_off(run, step, reply) || deadline_left_ms(command->deadline) == 0)
			break;
		if (reply->status != SCSI_STATUS_CHECK_CONDITION)
			clock_sleep_ms(PAUSE_MS);
	}
	return r;
}

/* Sends it once.  0; 1 when it is to be sent again; -1 and ERR. */
static int send_once(
	const struct run *run, const struct step *step, struct command *command, struct err *err)
{
	struct reply *reply = &run->result->reply;
	uint64_t began;
	int r;

	command->deadline = deadline_in_ms(
		run->options->timeout_ms ? run->options->timeout_ms : step->timeout_s * 1000);
	began = clock_now_ns();
	run->result->sent = true;
	r = exec(run, step, command, err);
	/* What did not come is not in the buffer either. */
	if (command->direction == TRANSFER_IN)
		memset((uint8_t *)command->data + reply->moved, 0,
			command->data_len - reply->moved);
	tell(run, step, command, reply, clock_now_ns() - began);
	if (r < 0 || check_status(step, reply, err) < 0 ||
		check_answer(step, command->data, reply->moved, err) < 0)
		return -1;
	if (step->until.len > 0 && !matches(&step->until, command->data, reply->moved))
		return 1;
	decode(run, step, command->data, reply);
	return 0;
}

static bool stopped(const struct run *run)
{
	return run->options->stop && atomic_load(run->options->stop);
}

static int send_until(
	const struct run *run, const struct step *step, struct command *command, struct err *err)
{
	int r = 1;

	if (step->delay_ms > 0)
		clock_sleep_ms((unsigned int)step->delay_ms);
	for (uint64_t i = 0; i < step->tries && r > 0; i++) {
		if (stopped(run))
			return err_set(err, ERR_OTHER, "interrupted");
		if (i > 0)
			clock_sleep_ms((unsigned int)step->every_ms);
		r = send_once(run, step, command, err);
	}
	return r <= 0 ? r
		      : err_set(err, ERR_OTHER, "what it waits for did not come in %llu tries",
				(unsigned long long)step->tries);
}

static int do_step(const struct run *run, const struct step *step, struct err *err)
{
	cleanup_free uint8_t *data = calloc(1, mem_max_u64(step->in_max, step->out.max) + 1);
	uint8_t cdb[TRANSPORT_CDB_MAX];
	struct command command;

	if (!data)
		return err_memory(err, "for a command's data");
	if (render(run, step, cdb, data, &command, err) < 0)
		return -1;
	if (run->device)
		return send_until(run, step, &command, err);
	tell(run, step, &command, NULL, 0);
	return 0;
}

/* --- all steps --- */

static int do_steps(const struct run *run, const struct step *steps, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (do_step(run, &steps[i], err) < 0)
			return n > 1 ? err_prefix(err, "step %zu of %zu: ", i + 1, n) : -1;
	}
	return 0;
}

/* Each of them, whatever the others came to; the first that failed is the one that is told. */
static int do_finally(const struct run *run, struct err *err)
{
	const struct definition *definition = run->definition;
	struct run_options patient = *run->options;
	struct run last = *run;
	struct run_result ignored = {0};
	struct err failed;
	int r = 0;

	/* Not even Ctrl-C leaves the drive half-way; the result stays that of the steps. */
	patient.stop = NULL;
	last.options = &patient;
	last.result = run->device ? &ignored : run->result;
	for (size_t i = 0; i < definition->n_finally; i++) {
		if (do_step(&last, &definition->finally[i], &failed) < 0 && r == 0) {
			r = err_set(err, failed.kind, "at the end: %.900s", failed.text);
		}
	}
	return r;
}

static int do_all(const struct run *run, struct err *err)
{
	const struct definition *definition = run->definition;
	struct err last;
	int r = do_steps(run, definition->step, definition->n_steps, err);

	if ((run->device && !run->result->sent) || definition->n_finally == 0)
		return r;
	if (do_finally(run, &last) < 0) {
		if (r < 0)
			return err_prefix(err, "%.400s; and ", last.text);
		return err_set(err, last.kind, "%s", last.text);
	}
	return r;
}

/* --- confirm --- */

static int confirm(const struct run *run, struct err *err)
{
	const struct definition *asked = run->definition->confirm;
	struct argument_value *values;
	struct run_result result = {0};
	struct run question = *run;
	struct err why;
	int r;

	if (!asked || run->options->any_drive)
		return 0;
	values = arguments_read(asked, NULL, 0, err);
	if (!values)
		return -1;
	question.definition = asked;
	question.values = values;
	question.result = &result;
	question.silent = true;
	r = do_all(&question, &why);
	arguments_free(asked, values);
	if (r == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		"the drive has the USB ids, but does not answer %s as one that knows this command "
		"does (%.400s); --any-drive sends it all the same",
		asked->name, why.text);
}

static int named(const struct definition *definition, int r, struct err *err)
{
	char name[2 * VENDOR_NAME_MAX + 1];

	return r < 0 ? err_prefix(err, "%s: ", definition_name(definition, name, sizeof(name))) : r;
}

int vendor_run(struct device *device, const struct definition *definition,
	const struct argument_value *values, const struct run_options *options,
	struct run_result *result, struct err *err)
{
	const struct run run = {device, definition, values, options, result, false};
	int r;

	*result = (struct run_result){0};
	r = check_fits(&run, err);
	if (r == 0)
		r = vendor_may_send(&device->drive, definition->safety, true, options->force,
			options->allow_mounted, err);
	if (r == 0)
		r = check_wire(&run, err);
	if (r == 0)
		r = check_alone(&run, err);
	if (r == 0)
		r = confirm(&run, err);
	if (r == 0)
		r = do_all(&run, err);
	return named(definition, r, err);
}

int vendor_dry_run(const struct definition *definition, const struct argument_value *values,
	const struct run_options *options, struct err *err)
{
	struct run_result result = {0};
	const struct run run = {NULL, definition, values, options, &result, false};

	return named(definition, do_all(&run, err), err);
}
