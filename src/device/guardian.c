/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guardian: see guardian.h.
 *
 *	parent                          guardian (own session, deaf to the terminal's signals)
 *	open usbfs, pidfd of itself
 *	fork ------------------------->  keeps usbfs, pidfd and its end of the pair, closes the rest
 *	waits           <--- ready ---   waits for the pair and the pidfd
 *	takes the interface, works,
 *	gives it back   ---- done --->   driver bound?  if not, binds it; exits
 *	or dies         ---- pidfd -->   resets the port, binds the driver; exits
 *
 * Between fork and exit the child is a copy of one thread of many: it calls nothing that takes a
 * lock (no malloc, no stdio).
 */
#include "device/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/mem.h"

#define RETRY_MS 100

/* How often binding is tried.  After a death the drive may have to come back from a reset first;
 * after a proper end it is there, or has been pulled. */
enum {
	TRIES_DEATH = 150,
	TRIES_END = 20,
};

enum message {
	MESSAGE_READY = 'r',
	MESSAGE_DONE = 'd',
};

struct guardian {
	pid_t pid;
	int pair; /* our end */
};

/* The child's. */
struct watch {
	int usbfs, pidfd, pair;
	unsigned int interface;
	char name[64];
	char driver[PATH_MAX]; /* the link that is there while a driver is bound */
	char probe[PATH_MAX];  /* a name written there makes the kernel look for a driver */
};

/* --- in the guardian --- */

/* A program's claim looks like a driver of the name usbfs. */
static bool is_bound(const struct watch *watch)
{
	static const char usbfs[] = "/usbfs";
	char target[PATH_MAX];
	ssize_t n = readlink(watch->driver, target, sizeof(target));
	size_t len = sizeof(usbfs) - 1;

	if (n < 0)
		return false;
	return (size_t)n < len || memcmp(target + n - len, usbfs, len) != 0;
}

static void bind_driver(const struct watch *watch)
{
	struct usbdevfs_ioctl connect = {
		.ifno = (int)watch->interface,
		.ioctl_code = USBDEVFS_CONNECT,
	};
	int fd;

	if (ioctl(watch->usbfs, USBDEVFS_IOCTL, &connect) > 0)
		return;
	/* Our descriptor is of the device as it was: after a reset it may have been enumerated
	 * anew. */
	fd = open(watch->probe, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, watch->name, strlen(watch->name)) < 0)
		(void)errno; /* not there now: the next try sees */
	close(fd);
}

static bool bind_again(const struct watch *watch, int tries)
{
	for (int i = 0; i < tries; i++) {
		if (is_bound(watch))
			return true;
		bind_driver(watch);
		if (is_bound(watch))
			return true;
		poll(NULL, 0, RETRY_MS);
	}
	return false;
}

/* Waits for word from the parent or for its end: true when it said that all is done. */
static bool wait_for_parent(const struct watch *watch)
{
	struct pollfd fds[] = {
		{.fd = watch->pair, .events = POLLIN},
		{.fd = watch->pidfd, .events = POLLIN},
	};

	for (;;) {
		char message = 0;

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents && recv(watch->pair, &message, 1, MSG_DONTWAIT) == 1 &&
			message == MESSAGE_DONE)
			return true;
		if (fds[1].revents)
			return false;
		/* Its end of the pair closed: it is dying.  The claim is gone when the pidfd says
		 * so. */
		if (fds[0].revents)
			fds[0].fd = -1;
	}
}

static void deafen(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2, SIGALRM};
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Closes every descriptor but the three: a pipe that we kept open would hang its reader, a file
 * would keep its file system busy. */
static void close_others(const struct watch *watch)
{
	int keep[] = {watch->usbfs, watch->pidfd, watch->pair};
	unsigned int from = 0;

	for (int i = 0; i < 3; i++) {
		for (int j = i + 1; j < 3; j++) {
			if (keep[j] < keep[i]) {
				int lower = keep[j];

				keep[j] = keep[i];
				keep[i] = lower;
			}
		}
		if ((unsigned int)keep[i] > from)
			close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	close_range(from, UINT_MAX, 0);
}

static _Noreturn void guard(const struct watch *watch)
{
	char ready = MESSAGE_READY;

	deafen();
	setsid();
	prctl(PR_SET_NAME, "umsctl-guardian");
	if (chdir("/"))
		_exit(1);
	close_others(watch);
	if (send(watch->pair, &ready, 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	if (wait_for_parent(watch))
		_exit(bind_again(watch, TRIES_END) ? 0 : 1);
	/* The drive may be in the middle of a transfer that nobody will end. */
	if (!is_bound(watch))
		ioctl(watch->usbfs, USBDEVFS_RESET, NULL);
	_exit(bind_again(watch, TRIES_DEATH) ? 0 : 1);
}

/* --- in the parent --- */

static int prepare(const struct ward *ward, struct watch *watch, struct err *err)
{
	watch->interface = ward->interface;
	memcpy(watch->name, ward->name, sizeof(watch->name));
	if (snprintf(watch->driver, sizeof(watch->driver), "%s/devices/%s/driver", ward->usb_sysfs,
		    ward->name) >= (int)sizeof(watch->driver) ||
		snprintf(watch->probe, sizeof(watch->probe), "%s/drivers_probe", ward->usb_sysfs) >=
			(int)sizeof(watch->probe))
		return err_set(err, ERR_OTHER, "name too long");
	watch->usbfs = open(ward->node, O_RDWR | O_CLOEXEC);
	if (watch->usbfs < 0)
		return err_sys(err, errno, "%s", ward->node);
	watch->pidfd = pidfd_open(getpid(), 0);
	if (watch->pidfd < 0)
		return err_sys(err, errno, "pidfd_open");
	return 0;
}

/* True when the guardian in the child process has said that it is ready. */
static bool is_ready(int pair)
{
	char message = 0;
	ssize_t n;

	do {
		n = recv(pair, &message, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1 && message == MESSAGE_READY;
}

static struct guardian *fork_guardian(struct watch *watch, int pair, struct err *err)
{
	struct guardian *guardian = calloc(1, sizeof(*guardian));

	if (!guardian) {
		err_memory(err, "starting the guardian");
		return NULL;
	}
	guardian->pid = fork();
	if (guardian->pid == 0)
		guard(watch);
	if (guardian->pid < 0) {
		err_sys(err, errno, "starting the guardian");
		free(guardian);
		return NULL;
	}
	guardian->pair = pair;
	return guardian;
}

struct guardian *guardian_start(const struct ward *ward, struct err *err)
{
	struct watch watch = {.usbfs = -1, .pidfd = -1, .pair = -1};
	struct guardian *guardian = NULL;
	int pair[2] = {-1, -1};

	if (prepare(ward, &watch, err))
		goto close_watch;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err_sys(err, errno, "starting the guardian");
		goto close_watch;
	}
	watch.pair = pair[1];
	guardian = fork_guardian(&watch, pair[0], err);
	close(pair[1]);
	if (!guardian) {
		close(pair[0]);
	} else if (!is_ready(pair[0])) {
		err_set(err, ERR_OTHER, "the guardian did not start");
		guardian_end(guardian);
		guardian = NULL;
	}
close_watch:
	if (watch.usbfs >= 0)
		close(watch.usbfs);
	if (watch.pidfd >= 0)
		close(watch.pidfd);
	return guardian;
}

bool guardian_end(struct guardian *guardian)
{
	char done = MESSAGE_DONE;
	int status = 0;
	pid_t pid;

	if (!guardian)
		return true;
	/* It fails when the guardian is gone; its status says so too. */
	(void)!send(guardian->pair, &done, 1, MSG_NOSIGNAL);
	do {
		pid = waitpid(guardian->pid, &status, 0);
	} while (pid < 0 && errno == EINTR);
	close(guardian->pair);
	free(guardian);
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
