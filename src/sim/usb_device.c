/* SPDX-License-Identifier: BSD-2-Clause */
/* The USB device around a simulated drive: see usb_device.h.  Sections are of USB 2.0. */
#include "sim/usb_device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/bot.h"
#include "proto/usb.h"
#include "sim/bot_device.h"

#define MAX_PACKET	      512 /* of a bulk pipe at high speed (§5.8.3) */
#define USB_DEVICE_BULK_IN    0x81
#define USB_DEVICE_BULK_OUT   0x02
#define USB_DEVICE_CONFIG_LEN 32

struct usb_device {
	struct sim_settings settings;
	struct medium *medium;
	struct target *target;
	struct bot_device *bot;
	uint8_t device_descriptor[18];
	uint8_t config_descriptor[USB_DEVICE_CONFIG_LEN];
};

enum {
	STRING_LANGUAGES,
	STRING_VENDOR,
	STRING_PRODUCT,
	STRING_SERIAL,
	STRINGS,
};

static void fill_descriptors(struct usb_device *device)
{
	static const uint8_t config[USB_DEVICE_CONFIG_LEN] = {
		/* configuration 1: one interface, bus powered, 200 mA (§9.6.3) */
		9, USB_DT_CONFIG, USB_DEVICE_CONFIG_LEN, 0, 1, 1, 0, 0x80, 100,
		/* interface 0: SCSI over Bulk-Only (§9.6.5) */
		9, USB_DT_INTERFACE, 0, 0, 2, USB_CLASS_MASS_STORAGE, USB_SUBCLASS_SCSI,
		USB_PROTOCOL_BOT, 0,
		/* its bulk endpoints: IN (§9.6.6) */
		7, USB_DT_ENDPOINT, USB_DEVICE_BULK_IN, 2, MAX_PACKET & 0xff, MAX_PACKET >> 8, 0,
		/* and OUT */
		7, USB_DT_ENDPOINT, USB_DEVICE_BULK_OUT, 2, MAX_PACKET & 0xff, MAX_PACKET >> 8, 0};
	uint8_t *p = device->device_descriptor;

	p[0] = sizeof(device->device_descriptor);
	p[1] = USB_DT_DEVICE;
	put_le16(p + 2, 0x0200); /* USB 2.0; the class is the interface's (§9.6.1) */
	p[7] = 64;
	put_le16(p + USB_DEVICE_ID_VENDOR, (uint16_t)device->settings.vid);
	put_le16(p + USB_DEVICE_ID_PRODUCT, (uint16_t)device->settings.pid);
	put_le16(p + USB_DEVICE_BCD_DEVICE, 0x0100);
	p[USB_DEVICE_MANUFACTURER] = STRING_VENDOR;
	p[USB_DEVICE_PRODUCT] = STRING_PRODUCT;
	p[USB_DEVICE_SERIAL_NUMBER] = device->settings.serial[0] ? STRING_SERIAL : 0;
	p[17] = 1;
	memcpy(device->config_descriptor, config, sizeof(config));
}

static enum device_answer give(const struct usb_setup *setup, const uint8_t *bytes, size_t len,
	uint8_t *data, size_t *moved)
{
	*moved = mem_min_u64(setup->len, len);
	if (*moved > 0)
		memcpy(data, bytes, *moved);
	return DEVICE_DONE;
}

/* §9.6.7: UTF-16, and string 0 lists the languages. */
static enum device_answer give_string(const struct usb_device *device,
	const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	const char *const strings[STRINGS] = {[STRING_VENDOR] = "umsctl",
		[STRING_PRODUCT] = "Simulated drive",
		[STRING_SERIAL] = device->settings.serial};
	uint8_t descriptor[2 + 2 * SIM_TEXT_MAX];
	uint8_t index = (uint8_t)setup->value;
	size_t n;

	if (index >= STRINGS)
		return DEVICE_STALLS;
	if (index == STRING_LANGUAGES)
		return give(setup, (const uint8_t[]){4, USB_DT_STRING, 0x09, 0x04}, 4, data, moved);
	n = strlen(strings[index]);
	descriptor[0] = (uint8_t)(2 + 2 * n);
	descriptor[1] = USB_DT_STRING;
	for (size_t i = 0; i < n; i++)
		put_le16(descriptor + 2 + 2 * i, (uint8_t)strings[index][i]);
	return give(setup, descriptor, descriptor[0], data, moved);
}

static enum device_answer get_descriptor(const struct usb_device *device,
	const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	switch (setup->value >> 8) {
	case USB_DT_DEVICE:
		return give(setup, device->device_descriptor, sizeof(device->device_descriptor),
			data, moved);
	case USB_DT_CONFIG:
		if ((setup->value & 0xff) != 0)
			return DEVICE_STALLS;
		return give(setup, device->config_descriptor, USB_DEVICE_CONFIG_LEN, data, moved);
	case USB_DT_STRING:
		return give_string(device, setup, data, moved);
	default:
		return DEVICE_STALLS;
	}
}

static enum device_answer endpoint_status(
	struct usb_device *device, const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	bool in = setup->index == USB_DEVICE_BULK_IN;
	uint8_t status[2] = {0, 0};

	if (!in && setup->index != USB_DEVICE_BULK_OUT)
		return DEVICE_STALLS;
	status[0] = bot_device_halted(device->bot, in);
	return give(setup, status, sizeof(status), data, moved);
}

static enum device_answer clear_feature(struct usb_device *device, const struct usb_setup *setup)
{
	bool in = setup->index == USB_DEVICE_BULK_IN;

	if (setup->value != USB_FEATURE_ENDPOINT_HALT ||
		(!in && setup->index != USB_DEVICE_BULK_OUT))
		return DEVICE_STALLS;
	bot_device_clear_halt(device->bot, in);
	return DEVICE_DONE;
}

/* REQUEST_TYPE and REQUEST in one number, as §9.4 lists them. */
#define SETUP(type, request) ((type) << 8 | (request))

static enum device_answer class_reset(struct usb_device *device, const struct usb_setup *setup)
{
	if (setup->value != 0 || setup->index != 0 || setup->len != 0)
		return DEVICE_STALLS;
	bot_device_class_reset(device->bot);
	return DEVICE_DONE;
}

enum device_answer usb_device_control(
	struct usb_device *device, const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	const uint8_t max_lun = (uint8_t)(device->settings.luns - 1);
	enum device_answer mood = bot_device_mood(device->bot);

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	switch (SETUP(setup->request_type, setup->request)) {
	case SETUP(0x80, USB_REQ_GET_DESCRIPTOR):
		return get_descriptor(device, setup, data, moved);
	case SETUP(0x80, USB_REQ_GET_STATUS):
	case SETUP(0x81, USB_REQ_GET_STATUS):
		return give(setup, (const uint8_t[]){0, 0}, 2, data, moved);
	case SETUP(0x82, USB_REQ_GET_STATUS):
		return endpoint_status(device, setup, data, moved);
	case SETUP(0x80, USB_REQ_GET_CONFIGURATION):
		return give(setup, (const uint8_t[]){1}, 1, data, moved);
	case SETUP(0x81, USB_REQ_GET_INTERFACE):
		return give(setup, (const uint8_t[]){0}, 1, data, moved);
	case SETUP(0x00, USB_REQ_SET_CONFIGURATION):
		return setup->value == 1 ? DEVICE_DONE : DEVICE_STALLS;
	case SETUP(0x01, USB_REQ_SET_INTERFACE):
		return setup->value == 0 && setup->index == 0 ? DEVICE_DONE : DEVICE_STALLS;
	case SETUP(0x02, USB_REQ_CLEAR_FEATURE):
		return clear_feature(device, setup);
	case SETUP(0xa1, BOT_REQ_GET_MAX_LUN):
		return give(setup, &max_lun, 1, data, moved);
	case SETUP(0x21, BOT_REQ_RESET):
		return class_reset(device, setup);
	default:
		return DEVICE_STALLS;
	}
}

/* Areas must lie on the drive, or a mistyped number would go unseen. */
static int check_areas(const struct sim_settings *settings, struct err *err)
{
	uint64_t n_blocks = settings->size_bytes / settings->block_bytes;
	uint64_t highest;

	if (!faults_highest(&settings->faults, &highest) || highest < n_blocks)
		return 0;
	return err_set(err, ERR_USAGE,
		"an area reaches to sector %" PRIu64 ", the drive has %" PRIu64 " sectors", highest,
		n_blocks);
}

struct usb_device *usb_device_new(struct sim_settings *settings, struct err *err)
{
	struct usb_device *device = calloc(1, sizeof(*device));

	if (!device) {
		settings_free(settings);
		err_memory(err, "for a simulated drive");
		return NULL;
	}
	device->settings = *settings;
	device->medium = medium_open(&device->settings, err);
	if (!device->medium || check_areas(&device->settings, err) != 0)
		goto free_device;
	device->target = target_new(&device->settings, device->medium);
	if (device->target)
		device->bot = bot_device_new(device->target, &device->settings, MAX_PACKET);
	if (!device->bot) {
		err_memory(err, "for a simulated drive");
		goto free_device;
	}
	fill_descriptors(device);
	return device;

free_device:
	usb_device_free(device);
	return NULL;
}

void usb_device_free(struct usb_device *device)
{
	if (!device)
		return;
	bot_device_free(device->bot);
	target_free(device->target);
	medium_close(device->medium);
	settings_free(&device->settings);
	free(device);
}

const uint8_t *usb_device_descriptor(const struct usb_device *device)
{
	return device->device_descriptor;
}

const uint8_t *usb_device_config(const struct usb_device *device, size_t *len)
{
	*len = USB_DEVICE_CONFIG_LEN;
	return device->config_descriptor;
}

enum link_speed usb_device_speed(const struct usb_device *device)
{
	(void)device;
	return LINK_SPEED_HIGH;
}

enum device_answer usb_device_bulk(struct usb_device *device, uint8_t endpoint, uint16_t stream,
	void *data, size_t len, size_t *moved)
{
	(void)stream;
	*moved = 0;
	if (endpoint == USB_DEVICE_BULK_OUT)
		return bot_device_out(device->bot, data, len, moved);
	if (endpoint == USB_DEVICE_BULK_IN)
		return bot_device_in(device->bot, data, len, moved);
	return DEVICE_STALLS;
}

uint64_t usb_device_ready_ns(const struct usb_device *device, uint8_t endpoint, uint16_t stream)
{
	(void)endpoint, (void)stream;
	return bot_device_ready_ns(device->bot);
}

unsigned int usb_device_max_streams(const struct usb_device *device)
{
	(void)device;
	return 0;
}

void usb_device_port_reset(struct usb_device *device)
{
	bot_device_port_reset(device->bot);
}

enum device_answer usb_device_mood(const struct usb_device *device)
{
	return bot_device_mood(device->bot);
}

uint64_t usb_device_returns_ns(const struct usb_device *device)
{
	(void)device;
	return UINT64_MAX;
}

void usb_device_plug(struct usb_device *device)
{
	(void)device;
}

unsigned int usb_device_most_at_once(const struct usb_device *device)
{
	(void)device;
	return 0;
}
