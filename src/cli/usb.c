/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl usb: control requests to a drive, over the routes that have the USB interface. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/drive.h"
#include "cli/reply.h"
#include "proto/bot.h"
#include "proto/usb.h"
#include "usb/link.h"

#define MOST	   4096
#define REQUEST_MS 5000

struct values {
	struct drive_values drive;
	const char *data;
	bool raw, json, force;
};

struct request {
	uint8_t type, request;
	uint16_t value, index, len;
	uint8_t data[MOST];
};

/* Requests that have a name (BOT 1.0 §3.1, §3.2; USB 2.0 §9.4). */
static const struct named_request {
	const char *name;
	uint8_t type, request;
	uint16_t value, len;
	bool to_interface; /* wIndex is the interface's number */
	bool harms;	   /* ends what is under way */
} names[] = {
	{"get-max-lun", 0xa1, BOT_REQ_GET_MAX_LUN, 0, 1, true, false},
	{"bot-reset", 0x21, BOT_REQ_RESET, 0, 0, true, true},
	{"get-status", 0x80, 0, 0, 2, false, false},
	{"get-configuration", 0x80, 8, 0, 1, false, false},
	{"get-interface", 0x81, 10, 0, 1, true, false},
	{"device-descriptor", 0x80, 6, 0x0100, 18, false, false},
	{"config-descriptor", 0x80, 6, 0x0200, 1024, false, false},
	{"bos-descriptor", 0x80, 6, 0x0f00, 1024, false, false},
};

static int usb_take_number(const char *what, const char *text, uint64_t most, uint64_t *number)
{
	if (text_number(text, number) && *number <= most)
		return 0;
	return cli_usage("usb", "%s is a number up to %#" PRIx64 ", not '%s'", what, most, text);
}

static int usb_take_data(const char *text, struct request *request)
{
	size_t digits = text ? strlen(text) : 0;

	if (digits > 2 * MOST || !text_unhex(text ? text : "", digits, request->data))
		return cli_usage(
			"usb", "--data wants two hexadecimal digits a byte, up to %d bytes", MOST);
	request->len = (uint16_t)(digits / 2);
	return 0;
}

/* control TYPE REQUEST VALUE INDEX [LENGTH] */
static int usb_take_control(
	const struct values *values, char *const *text, int n, struct request *request)
{
	uint64_t type, code, value, index, len = 0;
	int r;

	if (n < 4 || n > 5)
		return cli_usage("usb", "control wants bmRequestType bRequest wValue wIndex "
					"[wLength]");
	r = usb_take_number("bmRequestType", text[0], 0xff, &type);
	if (r == 0)
		r = usb_take_number("bRequest", text[1], 0xff, &code);
	if (r == 0)
		r = usb_take_number("wValue", text[2], 0xffff, &value);
	if (r == 0)
		r = usb_take_number("wIndex", text[3], 0xffff, &index);
	if (r == 0 && n == 5)
		r = usb_take_number("wLength", text[4], MOST, &len);
	if (r != 0)
		return r;
	*request = (struct request){.type = (uint8_t)type,
		.request = (uint8_t)code,
		.value = (uint16_t)value,
		.index = (uint16_t)index,
		.len = (uint16_t)len};
	if (type & USB_ENDPOINT_IN)
		return values->data ? cli_usage("usb", "a request that reads has no --data") : 0;
	if (n == 5)
		return cli_usage("usb", "the length of a request that writes is that of --data");
	return usb_take_data(values->data, request);
}

static const struct named_request *usb_find_request(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	}
	return NULL;
}

static int usb_take_request(const struct values *values, char *const *text, int n,
	struct request *request, const struct named_request **named)
{
	*named = usb_find_request(text[0]);
	if (!*named && strcmp(text[0], "control") != 0)
		return cli_usage("usb", "there is no request '%s'", text[0]);
	if (!*named)
		return usb_take_control(values, text + 1, n - 1, request);
	if (n > 1)
		return cli_usage("usb", "%s takes no arguments", text[0]);
	if (values->data)
		return cli_usage("usb", "--data goes with control");
	*request = (struct request){.type = (*named)->type,
		.request = (*named)->request,
		.value = (*named)->value,
		.len = (*named)->len};
	return 0;
}

static int usb_print_json(const struct device *device, const struct request *request,
	enum link_result result, size_t moved)
{
	struct json_object *o = json_object_new_object();

	json_add_text(&o, "device", device->name);
	json_add_number(&o, "request_type", request->type);
	json_add_number(&o, "request", request->request);
	json_add_number(&o, "value", request->value);
	json_add_number(&o, "index", request->index);
	json_add_text(&o, "result", result == LINK_OK ? "ok" : link_result_name(result));
	json_add_number(&o, "moved", moved);
	if (request->type & USB_ENDPOINT_IN)
		json_add_bytes(&o, "data", request->data, moved);
	return cli_print_json(stdout, o, true);
}

static void usb_print_text(const struct values *values, const struct request *request, double ms,
	enum link_result result, size_t moved)
{
	FILE *out = values->raw ? stderr : stdout;

	fprintf(out, "%02x %02x %04x %04x: %s, %zu of %u bytes, %.3f ms\n", request->type,
		request->request, request->value, request->index,
		result == LINK_OK ? "done" : link_result_name(result), moved, request->len, ms);
	if (!(request->type & USB_ENDPOINT_IN))
		return;
	if (values->raw)
		fwrite(request->data, 1, moved, stdout);
	else
		reply_print_dump(stdout, request->data, moved);
}

static int usb_send_request(
	const struct values *values, struct device *device, struct request *request)
{
	struct link *link = device_link(device);
	uint64_t began = clock_now_ns();
	enum link_result result;
	size_t moved = 0;

	result = link->ops->control(link, request->type, request->request, request->value,
		request->index, request->data, request->len, deadline_in_ms(REQUEST_MS), &moved);
	moved = mem_min_u64(moved, request->len);
	if (!values->json)
		usb_print_text(
			values, request, (double)(clock_now_ns() - began) / 1e6, result, moved);
	else if (usb_print_json(device, request, result, moved) < 0)
		return REPLY_EXIT_NO_MEMORY;
	switch (result) {
	case LINK_OK:
		return EXIT_COMPLETE;
	case LINK_STALL:
		return 5; /* as ILLEGAL REQUEST */
	case LINK_TIMEOUT:
		return 33;
	default:
		return 35;
	}
}

static int usb_open_and_send(const struct values *values, const char *name, struct request *request,
	const struct named_request *named)
{
	struct device_options options = {.ask = ASK_NOTHING, .live = true, .any_command = true};
	struct device *device;
	struct err err;
	int r = drive_options("usb", &values->drive, &options);

	if (r != 0)
		return r;
	device = device_open(name, &options, &err);
	if (!device) {
		cli_error("usb", NULL, err.text);
		return reply_exit_of(&err);
	}
	if (!device_link(device)) {
		cli_error("usb", name,
			"the kernel's driver has its USB interface: --route bot "
			"--detach (or uas) takes it, when nothing on the drive is "
			"mounted, and gives it back");
		r = REPLY_EXIT_USAGE;
	} else {
		if (named && named->to_interface)
			request->index = device_link(device)->interface;
		r = usb_send_request(values, device, request);
	}
	device_close(device);
	return r;
}

static int usb_run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	const struct named_request *named = NULL;
	struct request request;
	int r = usb_take_request(values, positional + 1, n_positional - 1, &request, &named);
	bool harms = named ? named->harms : !(request.type & USB_ENDPOINT_IN);

	if (r != 0)
		return r;
	if (values->raw && values->json)
		return cli_usage("usb", "the answer comes as --raw or --json, one of them");
	if (harms && !values->force)
		return cli_usage("usb", "this request writes to the drive or resets it: --force "
					"sends it");
	return usb_open_and_send(values, positional[0], &request, named);
}

static const struct cli_option options[] = {
	{"data", "HEX", "what a control request sends", offsetof(struct values, data), false},
	{"raw", NULL, "the answer's bytes alone on standard output", offsetof(struct values, raw),
		false},
	{"json", NULL, "everything as one object", offsetof(struct values, json), false},
	{"force", NULL, "send what writes, or resets", offsetof(struct values, force), false},
	DRIVE_OPTIONS(struct values, drive),
	{0},
};

const struct cli_command command_usb = {
	.name = "usb",
	.synopsis = "DEVICE REQUEST...",
	.summary = "send a USB control request",
	.help = "REQUEST  get-max-lun, bot-reset, get-status, get-configuration, get-interface,\n"
		"         device-descriptor, config-descriptor, bos-descriptor, or\n"
		"         control TYPE REQUEST VALUE INDEX [LENGTH], numbers as in C\n\n"
		"Only on the routes that have the interface (bot, uas): a drive that the kernel's\n"
		"driver has is not touched, unless --detach may take it.\n"
		"Exit codes: 0 good, 1 usage, 5 refused (stall), 33 timed out, 35 transport,\n"
		"50 and errno, 99 other.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_positional = 2,
	.max_positional = 8,
	.run = usb_run,
};
