/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guardian, with a folder in the place of /sys/bus/usb and a plain file in that of the usbfs
 * node: its ioctls fail there, as they do when the drive has been enumerated anew, so binding goes
 * by drivers_probe.  That the ioctls reset and bind a real drive is shown in tests/vm.
 */
#include "device/guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/umsctl-guardian.XXXXXX";
static char driver[64], probe[64];
static struct ward ward = {.interface = 0, .name = "1-2:1.0", .usb_sysfs = root};

static int setup(void **state)
{
	char path[64];

	(void)state;
	/* Orphans become ours: their end can be waited for. */
	if (!mkdtemp(root) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -1;
	snprintf(path, sizeof(path), "%s/devices", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/devices/1-2:1.0", root);
	mkdir(path, 0755);
	snprintf(driver, sizeof(driver), "%s/devices/1-2:1.0/driver", root);
	snprintf(probe, sizeof(probe), "%s/drivers_probe", root);
	snprintf(ward.node, sizeof(ward.node), "%s/node", root);
	close(open(ward.node, O_CREAT | O_WRONLY, 0644));
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* A driver of NAME is bound, NULL: none; nothing has been written to drivers_probe. */
static int bind_to(const char *name)
{
	char target[64];

	unlink(driver);
	close(open(probe, O_CREAT | O_WRONLY | O_TRUNC, 0644));
	snprintf(target, sizeof(target), "../../drivers/%s", name ? name : "");
	return name ? symlink(target, driver) : 0;
}

static bool probed(void)
{
	char text[64] = "";
	FILE *f = fopen(probe, "r");

	assert_non_null(f);
	if (fgets(text, sizeof(text), f))
		assert_string_equal(text, "1-2:1.0");
	fclose(f);
	return text[0];
}

/* A guardian that never comes is a failure, not a wait. */
#define HUNG_S 300

static void wait_for_probe(void)
{
	alarm(HUNG_S);
	while (!probed())
		poll(NULL, 0, 10);
	alarm(0);
}

/* A process that takes the drive and is ended by END; its guardian's process. */
static pid_t die_holding(void (*end)(void))
{
	int said[2];
	pid_t parent, orphan = 0;
	int status;

	assert_int_equal(pipe(said), 0);
	parent = fork();
	if (parent == 0) {
		setpgid(0, 0);
		/* The guardian must not keep our end open: the read below waits for its end. */
		if (guardian_start(&ward, NULL)) {
			bind_to("usbfs");
			end();
		}
		_exit(1);
	}
	close(said[1]);
	assert_int_equal(read(said[0], &status, 1), 0);
	close(said[0]);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	/* The claim ends with its process. */
	if (readlink(driver, (char[64]){0}, 63) > 0)
		unlink(driver);
	wait_for_probe();
	assert_int_equal(bind_to("usb-storage"), 0);
	orphan = waitpid(-1, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return orphan;
}

static void end_by_sigkill(void)
{
	kill(getpid(), SIGKILL);
}

static void end_by_exit(void)
{
	_exit(3);
}

/* The shell's "kill -9 %1". */
static void end_by_killing_the_group(void)
{
	kill(0, SIGKILL);
}

/* What a terminal or a service manager sends to every process that it sees. */
static void end_after_signals_to_the_guardian(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &pid) != 1)
		_exit(1);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(pid, signals[i]);
	_exit(3);
}

static void test_sigkill(void **state)
{
	(void)state;
	bind_to("usb-storage");
	assert_true(die_holding(end_by_sigkill) > 0);
}

static void test_exit_without_giving_back(void **state)
{
	(void)state;
	bind_to("usb-storage");
	assert_true(die_holding(end_by_exit) > 0);
}

static void test_group_killed(void **state)
{
	(void)state;
	bind_to("usb-storage");
	assert_true(die_holding(end_by_killing_the_group) > 0);
}

static void test_signals_to_the_guardian(void **state)
{
	(void)state;
	if (access("/proc/thread-self/children", R_OK))
		skip(); /* a kernel without CONFIG_PROC_CHILDREN */
	bind_to("usb-storage");
	assert_true(die_holding(end_after_signals_to_the_guardian) > 0);
}

static void test_proper_end(void **state)
{
	struct guardian *guardian;

	(void)state;
	bind_to("usb-storage");
	guardian = guardian_start(&ward, NULL);
	assert_non_null(guardian);
	assert_true(guardian_end(guardian));
	assert_false(probed());
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_proper_end_but_not_bound(void **state)
{
	struct guardian *guardian;

	(void)state;
	bind_to("usb-storage");
	guardian = guardian_start(&ward, NULL);
	assert_non_null(guardian);
	bind_to(NULL);
	assert_false(guardian_end(guardian));
	assert_true(probed());
}

/* Dead before anything was taken: nothing is to be done. */
static void test_death_while_bound(void **state)
{
	int status;
	pid_t parent;

	(void)state;
	bind_to("usb-storage");
	parent = fork();
	if (parent == 0) {
		guardian_start(&ward, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(status, 0);
	assert_false(probed());
}

static void test_no_node(void **state)
{
	struct ward wrong = ward;
	struct err err;

	(void)state;
	strcpy(wrong.node, "/nowhere/at/all");
	assert_null(guardian_start(&wrong, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_true(guardian_end(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sigkill),
		cmocka_unit_test(test_exit_without_giving_back),
		cmocka_unit_test(test_group_killed),
		cmocka_unit_test(test_signals_to_the_guardian),
		cmocka_unit_test(test_proper_end),
		cmocka_unit_test(test_proper_end_but_not_bound),
		cmocka_unit_test(test_death_while_bound),
		cmocka_unit_test(test_no_node),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
