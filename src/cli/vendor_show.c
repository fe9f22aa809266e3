/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl vendor list, show and check. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/reply.h"
#include "cli/vendor.h"

#define NAME_ROOM (2 * VENDOR_NAME_MAX + 1)

/* --- the library, and what is wrong with it --- */

/* Says once of each file that it has mistakes. */
static void warn(void *context, const char *file, unsigned int line, const char *text)
{
	const char **last = context;

	(void)text;
	if (*last && strcmp(*last, file) == 0)
		return;
	fprintf(stderr,
		"umsctl: vendor: %s has mistakes, and is not used (line %u; umsctl vendor check "
		"%s)\n",
		file, line, file);
	*last = file;
}

struct library *vendor_library(const char *file)
{
	const char *last = NULL;
	char path[8192];
	struct err err;
	struct library *library =
		library_read(vendor_path(path, sizeof(path)), file, warn, &last, &err);

	if (!library)
		cli_error("vendor", NULL, err.text);
	return library;
}

struct check {
	const char *file;
	size_t mistakes;
};

static void count(void *context, const char *file, unsigned int line, const char *text)
{
	struct check *check = context;

	if (strcmp(check->file, file) != 0)
		return;
	printf("%s:%u: %s\n", file, line, text);
	check->mistakes++;
}

int vendor_check(const char *file)
{
	struct check check = {file, 0};
	char path[8192];
	struct err err;
	struct library *library =
		library_read(vendor_path(path, sizeof(path)), file, count, &check, &err);
	size_t n = 0;

	if (!library) {
		cli_error("vendor", NULL, err.text);
		return REPLY_EXIT_FILE;
	}
	for (size_t i = 0; library_definition(library, i); i++)
		n += strcmp(library_definition(library, i)->family->file, file) == 0;
	library_free(library);
	if (check.mistakes == 0)
		printf("%s: %zu command%s, good\n", file, n, n == 1 ? "" : "s");
	return check.mistakes == 0 ? EXIT_COMPLETE : EXIT_USAGE;
}

/* --- one as JSON --- */

static void add(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static char *id_text(const struct drive_id *id, char *out, size_t room)
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

static struct json_object *ids_json(const struct fit *fit)
{
	struct json_object *array = json_object_new_array();
	char text[40];

	for (size_t i = 0; i < fit->n_ids; i++)
		json_object_array_add(
			array, json_object_new_string(id_text(&fit->id[i], text, sizeof(text))));
	return array;
}

static const char *const type_names[] = {"number", "choice", "bytes"};

static struct json_object *arguments_json(const struct definition *definition)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < definition->n_arguments; i++) {
		const struct argument *argument = &definition->argument[i];
		struct json_object *o = json_object_new_object();

		add(o, "name", argument->name);
		add(o, "type", type_names[argument->type]);
		json_object_object_add(o, "min", cli_json_u64(argument->min));
		json_object_object_add(o, "max", cli_json_u64(argument->max));
		if (argument->optional)
			json_object_object_add(o, "default", cli_json_u64(argument->standard));
		add(o, "about", argument->about);
		json_object_array_add(array, o);
	}
	return array;
}

static const char *source_of(const struct definition *definition)
{
	return definition->source ? definition->source : definition->family->source;
}

static const char *wires_text(unsigned int wires)
{
	return wires == VENDOR_WIRE_BOT ? "bot" : wires == VENDOR_WIRE_UAS ? "uas" : "bot uas";
}

static struct json_object *definition_json(const struct definition *definition)
{
	struct json_object *o = json_object_new_object();
	char name[NAME_ROOM];

	add(o, "name", definition_name(definition, name, sizeof(name)));
	add(o, "about", definition->about);
	add(o, "safety", scsi_effect_name(definition->safety));
	add(o, "source", source_of(definition));
	add(o, "family", definition->family->title);
	add(o, "file", definition->family->file);
	add(o, "transports", wires_text(definition_wires(definition)));
	json_object_object_add(o, "drives", ids_json(definition_ids(definition)));
	json_object_object_add(o, "atomic", json_object_new_boolean(definition->atomic));
	json_object_object_add(o, "redirects", json_object_new_boolean(definition->redirects));
	add(o, "confirm", definition->confirm ? definition->confirm->name : NULL);
	json_object_object_add(o, "steps", cli_json_u64(definition->n_steps));
	json_object_object_add(o, "arguments", arguments_json(definition));
	return o;
}

/* --- list --- */

static void print_row(const struct definition *definition, const struct family **last)
{
	char name[NAME_ROOM];

	if (*last != definition->family)
		printf("%s%s\n", *last ? "\n" : "", definition->family->title);
	*last = definition->family;
	printf("  %-32s %-9s%s\n", definition_name(definition, name, sizeof(name)),
		scsi_effect_name(definition->safety), definition->about);
}

static size_t print_fitting(
	const struct library *library, const struct drive *drive, struct json_object *array)
{
	const struct family *last = NULL;
	size_t n = 0;

	for (size_t i = 0; library_definition(library, i); i++) {
		const struct definition *definition = library_definition(library, i);

		if (definition->refused || (drive && !definition_fits(definition, drive)))
			continue;
		n++;
		if (array)
			json_object_array_add(array, definition_json(definition));
		else
			print_row(definition, &last);
	}
	return n;
}

static void print_list(const struct library *library, const struct drive *drive, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	size_t n = print_fitting(library, drive, array);
	char path[8192];

	if (json)
		cli_print_json(stdout, array, true);
	else if (n == 0 && drive)
		printf("no vendor command is known for this drive (%04x:%04x, %s %s)\n", drive->vid,
			drive->pid, drive->scsi_vendor, drive->scsi_product);
	else if (n == 0)
		printf("there are no definitions in %s (UMSCTL_VENDOR_PATH names other folders)\n",
			vendor_path(path, sizeof(path)));
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
		print_list(library, device ? &device->drive : NULL, values->json);
	device_close(device);
	library_free(library);
	return r;
}

/* --- show --- */

static void print_ids(const struct fit *fit)
{
	char text[40];

	printf("drives      ");
	for (size_t i = 0; i < fit->n_ids; i++)
		printf("%s%s",
			i > 0 && i % 6 == 0 ? "\n            "
			: i > 0		    ? " "
					    : "",
			id_text(&fit->id[i], text, sizeof(text)));
	printf("\n");
}

static void print_argument(const struct argument *argument)
{
	printf("argument    %s=", argument->name);
	if (argument->type == ARGUMENT_CHOICE) {
		for (size_t i = 0; i < argument->n_choices; i++)
			printf("%s%s", i > 0 ? "|" : "", argument->choice[i].word);
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
			printf(", %s if not given", argument->choice[i].word);
			break;
		}
	}
	printf("%s%s\n", argument->about[0] ? ": " : "", argument->about);
}

static void print_steps(const char *what, const struct step *step, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%-11s %s\n", what, step[i].cdb.text);
		if (step[i].in_text)
			printf("            in %s\n", step[i].in_text);
		if (step[i].out.text)
			printf("            out %s\n", step[i].out.text);
	}
}

static void print_layout(const struct layout *layout)
{
	for (size_t i = 0; layout && i < layout->n; i++) {
		const struct item *item = &layout->item[i];

		printf("answers     %s", item->name);
		for (size_t j = 0; j < item->n_columns; j++)
			printf("%s%s", j == 0 ? ": rows of " : ", ", item->column[j].name);
		printf("%s%s\n", item->field.unit && item->field.unit[0] ? " in " : "",
			item->field.unit ? item->field.unit : "");
	}
}

static void print_definition(const struct definition *definition)
{
	const struct fit *inquiry = definition_inquiry(definition);
	char name[NAME_ROOM];

	printf("%s: %s\n", definition_name(definition, name, sizeof(name)), definition->about);
	printf("family      %s\nsafety      %s\n", definition->family->title,
		scsi_effect_name(definition->safety));
	print_ids(definition_ids(definition));
	if (inquiry->vendor)
		printf("inquiry     \"%s\" \"%s\"\n", inquiry->vendor, inquiry->product);
	if (definition->confirm)
		printf("confirm     %s.%s\n", definition->family->name, definition->confirm->name);
	printf("transports  %s\n", wires_text(definition_wires(definition)));
	if (definition->atomic || definition->redirects)
		printf("alone       %s%s: not while the kernel has the drive\n",
			definition->atomic ? "nothing may come between its steps" : "",
			definition->redirects ? definition->atomic
							? ", and it redirects other commands"
							: "it redirects other commands"
					      : "");
	for (size_t i = 0; i < definition->n_arguments; i++)
		print_argument(&definition->argument[i]);
	print_steps("sends", definition->step, definition->n_steps);
	print_steps("at the end", definition->finally, definition->n_finally);
	for (size_t i = 0; i < definition->n_steps; i++) {
		print_layout(definition->step[i].shared);
		print_layout(&definition->step[i].own);
	}
	printf("source      %s\nfile        %s:%u\n", source_of(definition),
		definition->family->file, definition->line);
}

int vendor_show(const struct vendor_values *values, const char *name)
{
	struct library *library = vendor_library(NULL);
	const struct definition *definition;
	struct err err;

	if (!library)
		return REPLY_EXIT_FILE;
	definition = library_find(library, name, &err);
	if (!definition)
		cli_error("vendor", NULL, err.text);
	else if (values->json)
		cli_print_json(stdout, definition_json(definition), true);
	else
		print_definition(definition);
	library_free(library);
	return definition ? EXIT_COMPLETE : EXIT_USAGE;
}
