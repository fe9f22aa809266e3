/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl completion: shell completion from the same tables that parse and help. */
#include <string.h>

#include "cli/cli.h"

static void print_words(void)
{
	for (size_t i = 0; cli_commands[i]; i++)
		printf("%s ", cli_commands[i]->name);
	printf("help --help --version");
}

static void print_options(const struct cli_command *command)
{
	for (const struct cli_option *o = command->options; o->name; o++)
		printf("--%s%s ", o->name, o->argument ? "=" : "");
	printf("--help");
}

static void print_bash(void)
{
	printf("# bash completion of umsctl %s, made by: umsctl completion bash\n"
	       "_umsctl() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
	       "\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\twords='",
		UMSCTL_VERSION);
	print_words();
	printf("'\n"
	       "\telse\n"
	       "\t\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; cli_commands[i]; i++) {
		printf("\t\t%s) words='", cli_commands[i]->name);
		print_options(cli_commands[i]);
		printf("' ;;\n");
	}
	printf("\t\tesac\n"
	       "\t\tcase $word in\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n"
	       "\t\tesac\n"
	       "\tfi\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	       "\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
	       "}\n"
	       "complete -o filenames -F _umsctl umsctl\n");
}

static int run(const void *given, char **positional, int n_positional)
{
	(void)given;
	(void)n_positional;
	if (strcmp(positional[0], "bash") != 0)
		return cli_usage("completion", "no completion for '%s': bash is the one there is",
			positional[0]);
	print_bash();
	return EXIT_COMPLETE;
}

static const struct cli_option options[] = {{0}};

const struct cli_command command_completion = {
	.name = "completion",
	.synopsis = "bash",
	.summary = "print the completion script of a shell",
	.options = options,
	.min_positional = 1,
	.max_positional = 1,
	.run = run,
};
