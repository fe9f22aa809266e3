/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of every command that opens a drive: how it is reached, and what is kept of what
 * passes. */
#ifndef UMS_CLI_DRIVE_H
#define UMS_CLI_DRIVE_H

#include <stdbool.h>

#include "cli/cli.h"
#include "device/device.h"

/* A member of the subcommand's struct of values. */
struct drive_values {
	const char *route, *timeout, *quirk, *record, *pcap, *fault;
	bool detach, record_data;
};

/* Rows for the subcommand's table: MEMBER is where in its struct VALUES they are. */
#define DRIVE_OPTIONS(values, member)                                                              \
	{"route", "ROUTE",                                                                         \
		"auto, sg (through the kernel's driver), bot or uas\n(through libusb), or file",   \
		offsetof(values, member.route), false},                                            \
		{"detach", NULL,                                                                   \
			"may take the drive from the kernel's driver, when nothing\non it is "     \
			"mounted; it is given back at the end",                                    \
			offsetof(values, member.detach), false},                                   \
		{"timeout", "SECONDS", "wait that long for a command (default 30)",                \
			offsetof(values, member.timeout), false},                                  \
		{"quirk", "WORD[,...]", "say what is known of the drive (umsctl help quirks)",     \
			offsetof(values, member.quirk), false},                                    \
		{"record", "FILE",                                                                 \
			"write a transcript of all commands and answers, without\ndata and "       \
			"serial "                                                                  \
			"numbers; replay:FILE is a drive that answers so",                         \
			offsetof(values, member.record), false},                                   \
		{"record-data", NULL, "put data and serial numbers into the transcript as well",   \
			offsetof(values, member.record_data), false},                              \
		{"pcap", "FILE", "write the USB traffic, data included, for Wireshark",            \
			offsetof(values, member.pcap), false},                                     \
	{                                                                                          \
		"fault", "SEED",                                                                   \
			"misbehave now and then, always the same way for one SEED\n(for tests)",   \
			offsetof(values, member.fault), false                                      \
	}

/* Fills in OPTIONS; texts stay VALUES'.  0, or what to exit with. */
int drive_options(
	const char *command, const struct drive_values *values, struct device_options *options);

/* A number of at most MOST; *VALUE stays when TEXT is NULL. */
int cli_number(
	const char *command, const char *option, const char *text, uint64_t most, uint64_t *value);

#endif
