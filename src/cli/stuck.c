/* SPDX-License-Identifier: BSD-2-Clause */
/* Running the user's command for a stuck drive: see stuck.h. */
#include "cli/stuck.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define PATIENCE_MS 120000
#define LOOK_MS	    50

static _Noreturn void stuck_become(const char *command, const struct device *device)
{
	char id[16];
	sigset_t none;

	snprintf(id, sizeof(id), "%04x:%04x", device->drive.vid, device->drive.pid);
	setenv("UMSCTL_DEVICE", device->name, 1);
	setenv("UMSCTL_PORT", device->drive.port, 1);
	setenv("UMSCTL_SERIAL", device->drive.usb_serial, 1);
	setenv("UMSCTL_ID", id, 1);
	/* Standard output may be the image, or NDJSON. */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* A group of its own, so that all of it can be ended. */
	setpgid(0, 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Its wait status; killed when it takes too long. */
static int stuck_wait(pid_t pid)
{
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (deadline_left_ms(deadline) == 0)
			kill(-pid, SIGKILL);
		clock_sleep_ms(LOOK_MS);
	}
	return status;
}

void stuck_run(const char *command, const struct device *device)
{
	char text[100];
	int status;
	pid_t pid = fork();

	if (pid == 0)
		stuck_become(command, device);
	if (pid < 0) {
		cli_error("capture", "--on-stuck", strerror(errno));
		return;
	}
	status = stuck_wait(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status))
		snprintf(
			text, sizeof(text), "the command was ended by signal %d", WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "the command failed with exit code %d",
			WEXITSTATUS(status));
	cli_error("capture", "--on-stuck", text);
}
