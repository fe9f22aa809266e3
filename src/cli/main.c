/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands' table, and what is asked of the program as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sim/sim.h"
#include "usb/quirk.h"

const struct cli_command *const cli_commands[] = {
	&command_list,
	&command_capture,
	&command_seal,
	&command_info,
	&command_map,
	&command_verify,
	&command_export,
	&command_cdb,
	&command_usb,
	&command_vendor,
	&command_sim,
	&command_completion,
	NULL,
};

static void main_print_overview(FILE *out)
{
	fputs("umsctl: captures USB drives into images, and sends them SCSI and vendor "
	      "commands.\n\n"
	      "usage: umsctl COMMAND [OPTION...] [ARGUMENT...]\n\n",
		out);
	for (size_t i = 0; cli_commands[i]; i++)
		fprintf(out, "  %-11s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
	fputs("\n"
	      "  umsctl COMMAND --help says more; --version says which umsctl this is.\n"
	      "  umsctl help sim says which simulated drives there are, help quirks what --quirk "
	      "knows.\n"
	      "  No drive at hand?  umsctl capture sim:demo demo.ums\n\n"
	      "Exit codes: 0 complete, 1 usage, 2 could not start (nothing was done), 3 complete "
	      "but\n"
	      "with unreadable sectors, 4 stopped early (can be gone on with), 5 image damaged.\n"
	      "cdb, usb and vendor have sg3_utils' instead.\n",
		out);
}

static const struct cli_command *main_find_command(const char *name)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		if (strcmp(cli_commands[i]->name, name) == 0)
			return cli_commands[i];
	}
	return NULL;
}

static int main_help(int argc, char **argv)
{
	const struct cli_command *command;

	if (argc < 3) {
		main_print_overview(stdout);
		return EXIT_COMPLETE;
	}
	if (strcmp(argv[2], "sim") == 0 || strcmp(argv[2], "quirks") == 0) {
		fputs(strcmp(argv[2], "sim") == 0 ? sim_help() : quirk_help(), stdout);
		return EXIT_COMPLETE;
	}
	command = main_find_command(argv[2]);
	if (!command)
		return cli_usage(NULL, "there is no command '%s'", argv[2]);
	cli_print_help(command, stdout);
	return EXIT_COMPLETE;
}

/* Started with 0, 1 or 2 closed (2>&-), the next file opened would take that number: an image, into
 * which messages are then written.  Each gets a file that refuses what it is used for. */
static bool main_fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode) != fd)
			return false;
	}
	return true;
}

/* What was printed to a full disk or a closed pipe was not printed. */
static int main_finish_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	cli_error(NULL, NULL, "cannot write to standard output");
	return code == EXIT_COMPLETE ? EXIT_STOPPED : code;
}

int main(int argc, char **argv)
{
	const struct cli_command *command;

	if (!main_fill_descriptors())
		return EXIT_NOT_STARTED;
	signal(SIGPIPE, SIG_IGN);
	cli_keep_command_line(argc, argv);
	if (argc < 2) {
		main_print_overview(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0)
		return main_finish_output(main_help(argc, argv));
	if (strcmp(argv[1], "--version") == 0) {
		printf("umsctl %s\n", UMSCTL_VERSION);
		return main_finish_output(EXIT_COMPLETE);
	}
	command = main_find_command(argv[1]);
	if (!command)
		return cli_usage(NULL, "there is no command '%s'", argv[1]);
	return main_finish_output(cli_run(command, argc - 2, argv + 2));
}
