/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl sim: what simulated drives there are, and some of them shown to a kernel over USB/IP. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/stop.h"
#include "sim/sim.h"
#include "sim/usbip.h"

#define ADDRESS	   "127.0.0.1:3240"
#define DRIVES_MAX 4

struct values {
	bool usbip;
	const char *listen;
};

static void sim_say(const char *text)
{
	cli_put(stdout, text);
	putchar('\n');
	fflush(stdout);
}

static int serve(const char *address, char **names, size_t n, struct usb_device **drives)
{
	const atomic_bool *stop;
	struct err err = {0};
	int listener, status;

	for (size_t i = 0; i < n; i++) {
		const char *name = strncmp(names[i], "sim:", 4) == 0 ? names[i] + 4 : names[i];

		drives[i] = sim_device(name, &err);
		if (!drives[i]) {
			cli_error("sim", names[i], err.text);
			return EXIT_NOT_STARTED;
		}
	}
	stop = stop_on_signals(&err);
	listener = stop ? usbip_listen(address, &err) : -1;
	if (listener < 0) {
		cli_error("sim", NULL, err.text);
		return EXIT_NOT_STARTED;
	}
	for (size_t i = 0; i < n; i++) {
		char line[600];

		snprintf(line, sizeof(line), "sim:%s is 1-%zu at %s", names[i], i + 1, address);
		sim_say(line);
	}
	sim_say("modprobe vhci-hcd; usbip attach -r 127.0.0.1 -b 1-1   makes it a drive of this "
		"machine; "
		"Ctrl-C ends");
	status = usbip_serve(listener, drives, n, stop, sim_say, &err);
	close(listener);
	if (status == 0)
		return EXIT_COMPLETE;
	cli_error("sim", NULL, err.text);
	return EXIT_STOPPED;
}

static int run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct usb_device *drives[DRIVES_MAX] = {NULL};
	int code;

	if (!values->usbip && (n_positional > 0 || values->listen))
		return cli_usage("sim", "--usbip shows drives; without it there is only the list");
	if (!values->usbip) {
		fputs(sim_help(), stdout);
		return EXIT_COMPLETE;
	}
	if (n_positional == 0)
		return cli_usage("sim", "--usbip wants the NAME of a drive");
	code = serve(values->listen ? values->listen : ADDRESS, positional, (size_t)n_positional,
		drives);
	for (int i = 0; i < n_positional; i++)
		usb_device_free(drives[i]);
	return code;
}

static const struct cli_option options[] = {
	{"usbip", NULL, "show the drives to kernels that attach them over USB/IP",
		offsetof(struct values, usbip), false},
	{"listen", "ADDRESS:PORT", "where (default " ADDRESS ")", offsetof(struct values, listen),
		false},
	{0},
};

const struct cli_command command_sim = {
	.name = "sim",
	.synopsis = "[NAME...]",
	.summary = "list simulated drives, or show some to a kernel",
	.help = "NAME    a drive and its settings, as behind sim: (demo,ro,bad=7)\n\n"
		"The first drive is bus id 1-1, the second 1-2.  Whoever may connect may read "
		"them:\n"
		"by default that is this machine.  A drive that leaves the bus (fault=drop=MS) can "
		"be\nattached again when it is back.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 0,
	.max_positional = DRIVES_MAX,
	.run = run,
};
