/* SPDX-License-Identifier: BSD-2-Clause */
/* Ctrl-C as a flag: see stop.h. */
#include "cli/stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/thread.h"

static atomic_bool stopped;
static sigset_t signals;

static void stop_say(const char *text, size_t len)
{
	if (isatty(STDERR_FILENO) && write(STDERR_FILENO, text, len) < 0)
		return;
}

static void *wait_for_signals(void *argument)
{
	static const char first[] =
		"\r\033[Kstopping after this read; the image can be gone on with\n";
	static const char again[] = "\r\033[Kstill waiting for the drive to answer\n";
	int number;

	(void)argument;
	while (sigwait(&signals, &number) == 0) {
		bool before = atomic_exchange(&stopped, true);

		stop_say(before ? again : first, before ? sizeof(again) - 1 : sizeof(first) - 1);
	}
	return NULL;
}

const atomic_bool *stop_on_signals(struct err *err)
{
	pthread_t thread;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (thread_start(&thread, wait_for_signals, NULL, err) < 0)
		return NULL;
	pthread_detach(thread);
	return &stopped;
}
