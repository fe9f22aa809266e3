/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of commands that open a drive: see drive.h. */
#include "cli/drive.h"

#include <inttypes.h>

#include "base/text.h"
#include "usb/quirk.h"

#define TIMEOUT_MOST 86400

int cli_number(
	const char *command, const char *option, const char *text, uint64_t most, uint64_t *value)
{
	uint64_t number;

	if (!text)
		return 0;
	if (!text_number(text, &number) || number > most)
		return cli_usage(
			command, "--%s %s is not a number up to %" PRIu64, option, text, most);
	*value = number;
	return 0;
}

static int check_quirk(const char *command, const char *text)
{
	uint32_t flags = 0;
	struct err err;

	if (!text || quirk_parse(text, &flags, &err) == 0)
		return 0;
	return cli_usage(command, "--quirk: %s", err.text);
}

int drive_options(
	const char *command, const struct drive_values *values, struct device_options *options)
{
	uint64_t seconds = 0;
	int r;

	if (values->route && !route_parse(values->route, &options->route))
		return cli_usage(command, "--route knows auto, sg, bot, uas and file, not '%s'",
			values->route);
	r = cli_number(command, "timeout", values->timeout, TIMEOUT_MOST, &seconds);
	if (r == 0)
		r = cli_number(command, "fault", values->fault, UINT64_MAX, &options->fault_seed);
	if (r == 0)
		r = check_quirk(command, values->quirk);
	if (r != 0)
		return r;
	if (values->timeout && seconds == 0)
		return cli_usage(command, "--timeout 0 would let no command end");
	if (values->fault && options->fault_seed == 0)
		return cli_usage(command, "--fault wants a seed from 1 on");
	if (values->record_data && !values->record)
		return cli_usage(command, "--record-data says what goes into --record FILE");
	options->timeout_ms = (unsigned int)seconds * 1000;
	options->detach = values->detach;
	options->quirks = values->quirk;
	options->record = values->record;
	options->record_data = values->record_data;
	options->pcap = values->pcap;
	return 0;
}
