/* SPDX-License-Identifier: BSD-2-Clause */
/* The USB transfers of one command, and how long each took. */
#ifndef UMS_CLI_PHASES_H
#define UMS_CLI_PHASES_H

#include "cli/cli.h"
#include "usb/pcap.h"

#define PHASES_MAX 16

struct phases {
	size_t n;
	uint64_t began_ns;
	struct phase {
		uint64_t id;
		bool control, ended;
		uint8_t endpoint;
		const char *what; /* "CBW", "data", "CSW", "COMMAND IU", … */
		size_t len;
		enum link_result result;
		uint64_t from_ns, ns;
	} phase[PHASES_MAX];
};

/* Before a command. */
void phases_begin(struct phases *phases);

/* A pcap_watcher; its context is a struct phases. */
pcap_watcher phases_watch;

void phases_print(FILE *out, const struct phases *phases);
/* An array; NULL when memory is out (base/json.h). */
struct json_object *phases_json(const struct phases *phases);

#endif
