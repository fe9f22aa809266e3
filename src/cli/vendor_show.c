/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl vendor list, show and check. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/vendor.h"

#define NAME_ROOM (2 * VENDOR_NAME_MAX + 1)

/* --- the library, and what is wrong with it --- */

/* Says once of each file that it has mistakes. */
static void vendor_warn(void *context, const char *file, unsigned int line, const char *text)
{
	const char **last = context;
	cleanup_free char *quoted = NULL, *said = NULL;

	(void)text;
	if (*last && strcmp(*last, file) == 0)
		return;
	*last = file;
	quoted = text_shell_file(file);
	if (asprintf(&said,
		    "%s has mistakes, and is not used (line %u; umsctl vendor check %s says all)",
		    file, line, quoted ? quoted : "FILE") < 0)
		said = NULL;
	cli_error("vendor", said ? NULL : file, said ? said : "has mistakes, and is not used");
}

struct library *vendor_library(const char *file)
{
	const char *last = NULL;
	char path[8192];
	struct err err;
	struct library *library =
		library_read(vendor_path(path, sizeof(path)), file, vendor_warn, &last, &err);

	if (!library)
		cli_error("vendor", NULL, err.text);
	return library;
}

struct check {
	const char *file;
	size_t mistakes;
};

static void vendor_count(void *context, const char *file, unsigned int line, const char *text)
{
	struct check *check = context;

	if (strcmp(check->file, file) != 0)
		return;
	cli_put(stdout, file);
	printf(":%u: ", line);
	cli_put(stdout, text);
	putchar('\n');
	check->mistakes++;
}

int vendor_check(const char *file)
{
	struct check check = {file, 0};
	char path[8192];
	struct err err;
	struct library *library =
		library_read(vendor_path(path, sizeof(path)), file, vendor_count, &check, &err);
	size_t n = 0;

	if (!library) {
		cli_error("vendor", NULL, err.text);
		return REPLY_EXIT_FILE;
	}
	for (size_t i = 0; library_definition(library, i); i++)
		n += strcmp(library_definition(library, i)->family->file, file) == 0;
	library_free(library);
	if (check.mistakes == 0) {
		cli_put(stdout, file);
		printf(": %zu command%s, good\n", n, n == 1 ? "" : "s");
	}
	return check.mistakes == 0 ? EXIT_COMPLETE : EXIT_USAGE;
}

/* --- one as JSON --- */

static char *vendor_id_text(const struct drive_id *id, char *out, size_t room)
{
	size_t n;

	if (id->any) {
		snprintf(out, room, "any");
		return out;
	}
	n = (size_t)snprintf(out, room, "%04x:", id->vid);
	n += (size_t)snprintf(out + n, room - n, id->any_pid ? "*" : "%04x", id->pid);
	if (id->first_bcd == id->last_bcd)
		snprintf(out + n, room - n, "@%04x", id->first_bcd);
	else if (id->first_bcd > 0 || id->last_bcd < 0xffff)
		snprintf(out + n, room - n, "@%04x-%04x", id->first_bcd, id->last_bcd);
	return out;
}

static struct json_object *vendor_ids_json(const struct fit *fit)
{
	struct json_object *array = json_object_new_array();
	char text[40];

	for (size_t i = 0; i < fit->n_ids; i++)
		json_append_text(&array, vendor_id_text(&fit->id[i], text, sizeof(text)));
	return array;
}

static void vendor_add_if_said(struct json_object **object, const char *key, const char *text)
{
	if (text)
		json_add_text(object, key, text);
}

static const char *const type_names[] = {"number", "choice", "bytes"};

static struct json_object *vendor_arguments_json(const struct definition *definition)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < definition->n_arguments; i++) {
		const struct argument *argument = &definition->argument[i];
		struct json_object *o = json_object_new_object();

		json_add_text(&o, "name", argument->name);
		json_add_text(&o, "type", type_names[argument->type]);
		json_add_number(&o, "min", argument->min);
		json_add_number(&o, "max", argument->max);
		if (argument->optional)
			json_add_number(&o, "default", argument->standard);
		vendor_add_if_said(&o, "about", argument->about);
		json_append(&array, o);
	}
	return array;
}

static const char *vendor_source_of(const struct definition *definition)
{
	return definition->source ? definition->source : definition->family->source;
}

static const char *vendor_wires_text(unsigned int wires)
{
	return wires == VENDOR_WIRE_BOT ? "bot" : wires == VENDOR_WIRE_UAS ? "uas" : "bot uas";
}

static struct json_object *vendor_definition_json(const struct definition *definition)
{
	struct json_object *o = json_object_new_object();
	char name[NAME_ROOM];

	json_add_text(&o, "name", definition_name(definition, name, sizeof(name)));
	vendor_add_if_said(&o, "about", definition->about);
	json_add_text(&o, "safety", scsi_effect_name(definition->safety));
	vendor_add_if_said(&o, "source", vendor_source_of(definition));
	vendor_add_if_said(&o, "family", definition->family->title);
	json_add_text(&o, "file", definition->family->file);
	json_add_text(&o, "transports", vendor_wires_text(definition_wires(definition)));
	json_add(&o, "drives", vendor_ids_json(definition_ids(definition)));
	json_add_flag(&o, "atomic", definition->atomic);
	json_add_flag(&o, "redirects", definition->redirects);
	vendor_add_if_said(&o, "confirm", definition->confirm ? definition->confirm->name : NULL);
	json_add_number(&o, "steps", definition->n_steps);
	json_add(&o, "arguments", vendor_arguments_json(definition));
	return o;
}

/* WHAT, which is ours, and TEXT, which is a definition's (NULL: it has none). */
static void vendor_put_word(const char *what, const char *text)
{
	fputs(what, stdout);
	cli_put(stdout, text ? text : "");
}

static void vendor_put_line(const char *what, const char *text)
{
	vendor_put_word(what, text);
	putchar('\n');
}

/* --- list --- */

static void vendor_print_row(const struct definition *definition, const struct family **last)
{
	char name[NAME_ROOM];

	if (*last != definition->family) {
		fputs(*last ? "\n" : "", stdout);
		vendor_put_line("", definition->family->title);
	}
	*last = definition->family;
	printf("  %-32s %-9s", definition_name(definition, name, sizeof(name)),
		scsi_effect_name(definition->safety));
	vendor_put_line("", definition->about);
}

static size_t vendor_print_fitting(
	const struct library *library, const struct drive *drive, struct json_object **array)
{
	const struct family *last = NULL;
	size_t n = 0;

	for (size_t i = 0; library_definition(library, i); i++) {
		const struct definition *definition = library_definition(library, i);

		if (definition->refused || (drive && !definition_fits(definition, drive)))
			continue;
		n++;
		if (array)
			json_append(array, vendor_definition_json(definition));
		else
			vendor_print_row(definition, &last);
	}
	return n;
}

static int vendor_print_list(const struct library *library, const struct drive *drive, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	size_t n = vendor_print_fitting(library, drive, json ? &array : NULL);
	char path[8192];

	if (json)
		return cli_print_json(stdout, array, true) < 0 ? REPLY_EXIT_NO_MEMORY : 0;
	if (n == 0 && drive) {
		printf("no vendor command is known for this drive (%04x:%04x, %s %s)\n", drive->vid,
			drive->pid, drive->scsi_vendor, drive->scsi_product);
	} else if (n == 0) {
		printf("there are no definitions in ");
		cli_put(stdout, vendor_path(path, sizeof(path)));
		printf(" (UMSCTL_VENDOR_PATH names other folders)\n");
	}
	return EXIT_COMPLETE;
}

int vendor_list(const struct vendor_values *values, const char *name)
{
	struct device_options options = {.ask = ASK_INQUIRY, .live = true};
	struct library *library = vendor_library(NULL);
	struct device *device = NULL;
	struct err err;
	int r;

	if (!library)
		return REPLY_EXIT_FILE;
	r = drive_options("vendor", &values->drive, &options);
	if (r == 0 && name) {
		device = device_open(name, &options, &err);
		if (!device) {
			cli_error("vendor", NULL, err.text);
			r = reply_exit_of(&err);
		}
	}
	if (r == 0)
		r = vendor_print_list(library, device ? &device->drive : NULL, values->json);
	device_close(device);
	library_free(library);
	return r;
}

/* --- show --- */

static void vendor_print_ids(const struct fit *fit)
{
	char text[40];

	printf("drives      ");
	for (size_t i = 0; i < fit->n_ids; i++)
		printf("%s%s",
			i > 0 && i % 6 == 0 ? "\n            "
			: i > 0		    ? " "
					    : "",
			vendor_id_text(&fit->id[i], text, sizeof(text)));
	printf("\n");
}

static void vendor_print_argument(const struct argument *argument)
{
	printf("argument    %s=", argument->name);
	if (argument->type == ARGUMENT_CHOICE) {
		for (size_t i = 0; i < argument->n_choices; i++)
			vendor_put_word(i > 0 ? "|" : "", argument->choice[i].word);
	} else if (argument->type == ARGUMENT_BYTES) {
		printf("HEX|@FILE of %" PRIu64 " to %" PRIu64 " bytes", argument->min,
			argument->max);
	} else {
		printf("%" PRIu64 "-%" PRIu64, argument->min, argument->max);
	}
	if (argument->optional && argument->type == ARGUMENT_NUMBER)
		printf(", %" PRIu64 " if not given", argument->standard);
	for (size_t i = 0; argument->optional && i < argument->n_choices; i++) {
		if (argument->choice[i].number == argument->standard) {
			vendor_put_word(", ", argument->choice[i].word);
			printf(" if not given");
			break;
		}
	}
	vendor_put_line(argument->about[0] ? ": " : "", argument->about);
}

static void vendor_print_steps(const char *what, const struct step *step, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%-12s", what);
		vendor_put_line("", step[i].cdb.text);
		if (step[i].in_text)
			vendor_put_line("            in ", step[i].in_text);
		if (step[i].out.text)
			vendor_put_line("            out ", step[i].out.text);
	}
}

static void vendor_print_layout(const struct layout *layout)
{
	for (size_t i = 0; layout && i < layout->n; i++) {
		const struct item *item = &layout->item[i];

		printf("answers     %s", item->name);
		for (size_t j = 0; j < item->n_columns; j++)
			printf("%s%s", j == 0 ? ": rows of " : ", ", item->column[j].name);
		vendor_put_line(
			item->field.unit && item->field.unit[0] ? " in " : "", item->field.unit);
	}
}

static void vendor_print_inquiry(const struct fit *inquiry)
{
	printf("inquiry     \"");
	cli_put(stdout, inquiry->vendor);
	printf("\" \"");
	cli_put(stdout, inquiry->product);
	printf("\"\n");
}

static void vendor_print_definition(const struct definition *definition)
{
	const struct fit *inquiry = definition_inquiry(definition);
	char name[NAME_ROOM];

	printf("%s: ", definition_name(definition, name, sizeof(name)));
	vendor_put_line("", definition->about);
	vendor_put_line("family      ", definition->family->title);
	vendor_put_line("safety      ", scsi_effect_name(definition->safety));
	vendor_print_ids(definition_ids(definition));
	if (inquiry->vendor)
		vendor_print_inquiry(inquiry);
	if (definition->confirm)
		printf("confirm     %s.%s\n", definition->family->name, definition->confirm->name);
	printf("transports  %s\n", vendor_wires_text(definition_wires(definition)));
	if (definition->atomic || definition->redirects)
		printf("alone       %s%s: not while the kernel has the drive\n",
			definition->atomic ? "nothing may come between its steps" : "",
			definition->redirects ? definition->atomic
							? ", and it redirects other commands"
							: "it redirects other commands"
					      : "");
	for (size_t i = 0; i < definition->n_arguments; i++)
		vendor_print_argument(&definition->argument[i]);
	vendor_print_steps("sends", definition->step, definition->n_steps);
	vendor_print_steps("at the end", definition->finally, definition->n_finally);
	for (size_t i = 0; i < definition->n_steps; i++) {
		vendor_print_layout(definition->step[i].shared);
		vendor_print_layout(&definition->step[i].own);
	}
	vendor_put_line("source      ", vendor_source_of(definition));
	printf("file        ");
	cli_put(stdout, definition->family->file);
	printf(":%u\n", definition->line);
}

int vendor_show(const struct vendor_values *values, const char *name)
{
	struct library *library = vendor_library(NULL);
	const struct definition *definition;
	struct err err;
	int code = EXIT_COMPLETE;

	if (!library)
		return REPLY_EXIT_FILE;
	definition = library_find(library, name, &err);
	if (!definition) {
		cli_error("vendor", NULL, err.text);
		code = EXIT_USAGE;
	} else if (!values->json) {
		vendor_print_definition(definition);
	} else if (cli_print_json(stdout, vendor_definition_json(definition), true) < 0) {
		code = REPLY_EXIT_NO_MEMORY;
	}
	library_free(library);
	return code;
}
