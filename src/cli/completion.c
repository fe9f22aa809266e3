/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl completion: shell completion from the same tables that parse and help. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "vendor/vendor.h"

static void completion_print_words(void)
{
	for (size_t i = 0; cli_commands[i]; i++)
		printf("%s ", cli_commands[i]->name);
	printf("help --help --version");
}

static void completion_print_options(const struct cli_command *command)
{
	for (const struct cli_option *o = command->options; o->name; o++)
		printf("--%s%s ", o->name, o->argument ? "=" : "");
	printf("--help");
}

static void completion_print_bash(void)
{
	printf("# bash completion of umsctl %s, made by: umsctl completion bash\n"
	       "_umsctl() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
	       "\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\twords='",
		UMSCTL_VERSION);
	completion_print_words();
	printf("'\n"
	       "\telse\n"
	       "\t\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; cli_commands[i]; i++) {
		printf("\t\t%s) words='", cli_commands[i]->name);
		completion_print_options(cli_commands[i]);
		printf("' ;;\n");
	}
	printf("\t\tesac\n"
	       "\t\tif [ \"${COMP_WORDS[1]}\" = vendor ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
	       "\t\t\twords='list show run check'\n"
	       "\t\telif [ \"${COMP_WORDS[1]}:${COMP_WORDS[2]}:$COMP_CWORD\" = vendor:show:3 ] ||\n"
	       "\t\t\t[ \"${COMP_WORDS[1]}:${COMP_WORDS[2]}:$COMP_CWORD\" = vendor:run:4 ]; then\n"
	       "\t\t\twords=$(umsctl completion vendor)\n"
	       "\t\telif [ \"${COMP_WORDS[1]}:${COMP_WORDS[2]}\" = vendor:run ] &&\n"
	       "\t\t\t[ \"$COMP_CWORD\" -gt 4 ] && [[ $word != -* ]]; then\n"
	       "\t\t\twords=$(umsctl completion vendor \"${COMP_WORDS[4]}\")\n"
	       "\t\telse\n"
	       "\t\tcase $word in\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n"
	       "\t\tesac\n"
	       "\t\tfi\n"
	       "\tfi\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	       "\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
	       "}\n"
	       "complete -o filenames -F _umsctl umsctl\n");
}

static void completion_print_arguments(const struct definition *definition)
{
	for (size_t i = 0; i < definition->n_arguments; i++) {
		const struct argument *argument = &definition->argument[i];

		if (argument->type != ARGUMENT_CHOICE)
			printf("%s=\n", argument->name);
		for (size_t j = 0; j < argument->n_choices; j++)
			printf("%s=%s\n", argument->name, argument->choice[j].word);
	}
}

/* The names of vendor commands, or the arguments of the one called NAME. */
static int completion_print_vendor(const char *name)
{
	char path[8192], known[2 * VENDOR_NAME_MAX + 1];
	struct library *library =
		library_read(vendor_path(path, sizeof(path)), NULL, NULL, NULL, NULL);
	const struct definition *definition;

	for (size_t i = 0; library && (definition = library_definition(library, i)); i++) {
		definition_name(definition, known, sizeof(known));
		if (!name)
			printf("%s\n", known);
		else if (strcmp(known, name) == 0)
			completion_print_arguments(definition);
	}
	library_free(library);
	return EXIT_COMPLETE;
}

static int completion_run(const void *given, char **positional, int n_positional)
{
	(void)given;
	if (strcmp(positional[0], "vendor") == 0)
		return completion_print_vendor(n_positional > 1 ? positional[1] : NULL);
	if (n_positional > 1)
		return cli_usage("completion", "'%s' is one argument too many", positional[1]);
	if (strcmp(positional[0], "bash") != 0)
		return cli_usage("completion", "no completion for '%s': bash is the one there is",
			positional[0]);
	completion_print_bash();
	return EXIT_COMPLETE;
}

static const struct cli_option options[] = {{0}};

const struct cli_command command_completion = {
	.name = "completion",
	.synopsis = "bash | vendor [NAME]",
	.summary = "print the completion script of a shell",
	.help = "vendor  what the script asks: the names of vendor commands, or the arguments of "
		"NAME\n",
	.options = options,
	.min_positional = 1,
	.max_positional = 2,
	.run = completion_run,
};
