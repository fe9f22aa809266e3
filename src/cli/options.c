/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing by a subcommand's table, and the --help that the same table gives. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"

#define HELP_COLUMN 26

int cli_usage(const char *command, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	fprintf(stderr, "umsctl: %s%s", command ? command : "", command ? ": " : "");
	cli_put(stderr, text ? text : "out of memory");
	fprintf(stderr, " (see umsctl %s%s--help)\n", command ? command : "", command ? " " : "");
	return EXIT_USAGE;
}

static void options_print(const struct cli_option *option, FILE *out)
{
	const char *help = option->help;
	int column;

	column = fprintf(out, "  --%s%s%s", option->name, option->argument ? " " : "",
		option->argument ? option->argument : "");
	if (column > HELP_COLUMN - 2) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - column, "");
	for (; *help; help++) {
		fputc(*help, out);
		if (*help == '\n')
			fprintf(out, "%*s", HELP_COLUMN, "");
	}
	fputc('\n', out);
}

void cli_print_help(const struct cli_command *command, FILE *out)
{
	static const struct cli_option help_option = {"help", NULL, "say this", 0, false};

	fprintf(out, "usage: umsctl %s [OPTION...]%s%s\n\n%s\n\n", command->name,
		*command->synopsis ? " " : "", command->synopsis, command->summary);
	for (const struct cli_option *o = command->options; o->name; o++)
		options_print(o, out);
	options_print(&help_option, out);
	if (command->help)
		fprintf(out, "\n%s", command->help);
}

static const struct cli_option *options_find(
	const struct cli_command *command, const char *name, size_t len)
{
	for (const struct cli_option *o = command->options; o->name; o++) {
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

/* One option at ARGV[*I]; steps over its value. */
static int options_take(
	const struct cli_command *command, int argc, char **argv, int *i, char *values)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_option *option = options_find(command, name, len);
	const char *value = equals ? equals + 1 : NULL;

	if (argv[*i][1] != '-' || !option)
		return cli_usage(command->name, "there is no option '%s'", argv[*i]);
	if (!option->argument) {
		if (value)
			return cli_usage(command->name, "--%s takes no value", option->name);
		*(bool *)(values + option->offset) = true;
		return 0;
	}
	if (!value) {
		if (*i + 1 >= argc)
			return cli_usage(command->name, "--%s wants a value: %s", option->name,
				option->argument);
		value = argv[++*i];
	}
	if (option->repeats) {
		struct cli_repeats *repeats =
			(struct cli_repeats *)(void *)(values + option->offset);

		if (repeats->n == CLI_MAX_REPEATS)
			return cli_usage(command->name, "--%s was given more than %d times",
				option->name, CLI_MAX_REPEATS);
		repeats->value[repeats->n++] = value;
	} else {
		memcpy(values + option->offset, &value, sizeof(value));
	}
	return 0;
}

int cli_run(const struct cli_command *command, int argc, char **argv)
{
	cleanup_free char *values = calloc(1, command->values_size + 1);
	char *positional[CLI_MAX_POSITIONAL];
	bool only_positional = false;
	int n = 0;

	if (!values) {
		cli_error(command->name, NULL, "out of memory");
		return EXIT_NOT_STARTED;
	}
	for (int i = 0; i < argc; i++) {
		if (only_positional || argv[i][0] != '-' || argv[i][1] == '\0') {
			if (n == command->max_positional)
				return cli_usage(
					command->name, "'%s' is one argument too many", argv[i]);
			positional[n++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			only_positional = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			cli_print_help(command, stdout);
			return EXIT_COMPLETE;
		} else if (options_take(command, argc, argv, &i, values) != 0) {
			return EXIT_USAGE;
		}
	}
	if (n < command->min_positional)
		return cli_usage(command->name, "wants %s", command->synopsis);
	return command->run(values, positional, n);
}
