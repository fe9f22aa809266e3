/* SPDX-License-Identifier: BSD-2-Clause */
/* The USB device around a simulated drive: see usb_device.h.  Sections are of USB 2.0. */
#include "sim/usb_device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/bot.h"
#include "proto/uas.h"
#include "proto/usb.h"
#include "sim/bot_device.h"
#include "sim/descriptors.h"
#include "sim/mapfile.h"
#include "sim/target.h"
#include "sim/uas_device.h"

#define USB_DT_BOS 0x0f

struct usb_device {
	struct sim_settings settings;
	struct medium *medium[TARGET_UNITS_MAX];
	struct target *target;
	struct bot_device *bot;
	struct uas_device *uas;
	uint8_t alternate; /* the present setting */
	uint8_t device_descriptor[18];
	uint8_t config_descriptor[DESCRIPTORS_CONFIG_MAX];
	size_t config_len;
};

static bool speaks_uas(const struct usb_device *device)
{
	return device->settings.only_uas || device->alternate == 1;
}

/* The pipe of an endpoint in the present setting: of Bulk-Only 1 is IN and 2 OUT, of UAS as its
 * usage says.  0: there is none. */
static uint8_t pipe_of(const struct usb_device *device, uint8_t endpoint)
{
	if (!speaks_uas(device))
		return endpoint == ENDPOINT_BOT_IN ? 1 : endpoint == ENDPOINT_BOT_OUT ? 2 : 0;
	switch (endpoint) {
	case ENDPOINT_UAS_COMMAND:
		return UAS_PIPE_COMMAND;
	case ENDPOINT_UAS_STATUS:
		return UAS_PIPE_STATUS;
	case ENDPOINT_UAS_DATA_IN:
		return UAS_PIPE_DATA_IN;
	case ENDPOINT_UAS_DATA_OUT:
		return UAS_PIPE_DATA_OUT;
	default:
		return 0;
	}
}

/* --- control requests --- */

static enum device_answer usb_device_give(const struct usb_setup *setup, const uint8_t *bytes,
	size_t len, uint8_t *data, size_t *moved)
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
	const char *text;
	size_t n;

	if (index >= STRINGS)
		return DEVICE_STALLS;
	if (index == STRING_LANGUAGES)
		return usb_device_give(
			setup, (const uint8_t[]){4, USB_DT_STRING, 0x09, 0x04}, 4, data, moved);
	text = device->settings.hostile ? SIM_HOSTILE_TEXT : strings[index];
	n = device->settings.hostile ? SIM_HOSTILE_LEN : strlen(text);
	descriptor[0] = (uint8_t)(2 + 2 * n);
	descriptor[1] = USB_DT_STRING;
	for (size_t i = 0; i < n; i++)
		put_le16(descriptor + 2 + 2 * i, (uint8_t)text[i]);
	return usb_device_give(setup, descriptor, descriptor[0], data, moved);
}

static enum device_answer usb_device_get_descriptor(const struct usb_device *device,
	const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	uint8_t bos[DESCRIPTORS_BOS_LEN];

	switch (setup->value >> 8) {
	case USB_DT_DEVICE:
		return usb_device_give(setup, device->device_descriptor,
			sizeof(device->device_descriptor), data, moved);
	case USB_DT_CONFIG:
		if ((setup->value & 0xff) != 0)
			return DEVICE_STALLS;
		return usb_device_give(
			setup, device->config_descriptor, device->config_len, data, moved);
	case USB_DT_STRING:
		return give_string(device, setup, data, moved);
	case USB_DT_BOS:
		if (device->settings.speed != SIM_SPEED_SUPER)
			return DEVICE_STALLS;
		descriptors_bos(bos);
		return usb_device_give(setup, bos, sizeof(bos), data, moved);
	default:
		return DEVICE_STALLS;
	}
}

static enum device_answer endpoint_status(
	struct usb_device *device, const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	uint8_t pipe = pipe_of(device, (uint8_t)setup->index);
	uint8_t status[2] = {0, 0};

	if (pipe == 0)
		return DEVICE_STALLS;
	status[0] = speaks_uas(device) ? uas_device_halted(device->uas, pipe)
				       : bot_device_halted(device->bot, pipe == 1);
	return usb_device_give(setup, status, sizeof(status), data, moved);
}

static enum device_answer clear_feature(struct usb_device *device, const struct usb_setup *setup)
{
	uint8_t pipe = pipe_of(device, (uint8_t)setup->index);

	if (setup->value != USB_FEATURE_ENDPOINT_HALT || pipe == 0)
		return DEVICE_STALLS;
	if (speaks_uas(device))
		uas_device_clear_halt(device->uas, pipe);
	else
		bot_device_clear_halt(device->bot, pipe == 1);
	return DEVICE_DONE;
}

static void reset_interface(struct usb_device *device)
{
	bot_device_reset(device->bot);
	uas_device_reset(device->uas);
}

static enum device_answer set_interface(struct usb_device *device, const struct usb_setup *setup)
{
	bool offered = setup->value == 0 ||
		       (setup->value == 1 && device->settings.uas && !device->settings.only_uas);

	if (!offered || setup->index != 0)
		return DEVICE_STALLS;
	device->alternate = (uint8_t)setup->value;
	reset_interface(device);
	return DEVICE_DONE;
}

static enum device_answer set_configuration(
	struct usb_device *device, const struct usb_setup *setup)
{
	if (setup->value != 1)
		return DEVICE_STALLS;
	device->alternate = 0;
	reset_interface(device);
	return DEVICE_DONE;
}

static enum device_answer usb_device_class_reset(
	struct usb_device *device, const struct usb_setup *setup)
{
	if (setup->value != 0 || setup->index != 0 || setup->len != 0 || speaks_uas(device))
		return DEVICE_STALLS;
	bot_device_class_reset(device->bot);
	return DEVICE_DONE;
}

static enum device_answer max_lun(const struct usb_device *device, const struct usb_setup *setup,
	uint8_t *data, size_t *moved)
{
	const uint8_t last = (uint8_t)(device->settings.luns - 1);

	return speaks_uas(device) ? DEVICE_STALLS : usb_device_give(setup, &last, 1, data, moved);
}

/* REQUEST_TYPE and REQUEST in one number, as §9.4 lists them. */
#define SETUP(type, request) ((type) << 8 | (request))

enum device_answer usb_device_control(
	struct usb_device *device, const struct usb_setup *setup, uint8_t *data, size_t *moved)
{
	enum device_answer mood = target_mood(device->target);

	*moved = 0;
	if (mood != DEVICE_DONE)
		return mood;
	switch (SETUP(setup->request_type, setup->request)) {
	case SETUP(0x80, USB_REQ_GET_DESCRIPTOR):
		return usb_device_get_descriptor(device, setup, data, moved);
	case SETUP(0x80, USB_REQ_GET_STATUS):
	case SETUP(0x81, USB_REQ_GET_STATUS):
		return usb_device_give(setup, (const uint8_t[]){0, 0}, 2, data, moved);
	case SETUP(0x82, USB_REQ_GET_STATUS):
		return endpoint_status(device, setup, data, moved);
	case SETUP(0x80, USB_REQ_GET_CONFIGURATION):
		return usb_device_give(setup, (const uint8_t[]){1}, 1, data, moved);
	case SETUP(0x81, USB_REQ_GET_INTERFACE):
		return usb_device_give(setup, &device->alternate, 1, data, moved);
	case SETUP(0x00, USB_REQ_SET_CONFIGURATION):
		return set_configuration(device, setup);
	case SETUP(0x01, USB_REQ_SET_INTERFACE):
		return set_interface(device, setup);
	case SETUP(0x02, USB_REQ_CLEAR_FEATURE):
		return clear_feature(device, setup);
	case SETUP(0x00, USB_REQ_SET_SEL):
	case SETUP(0x00, USB_REQ_SET_ISOCH_DELAY):
	case SETUP(0x00, USB_REQ_SET_FEATURE):
	case SETUP(0x00, USB_REQ_CLEAR_FEATURE):
	case SETUP(0x01, USB_REQ_SET_FEATURE):
		return DEVICE_DONE; /* power management of SuperSpeed: nothing to do here */
	case SETUP(0xa1, BOT_REQ_GET_MAX_LUN):
		return max_lun(device, setup, data, moved);
	case SETUP(0x21, BOT_REQ_RESET):
		return usb_device_class_reset(device, setup);
	default:
		return DEVICE_STALLS;
	}
}

/* --- bulk transfers --- */

static enum device_answer uas_bulk(struct usb_device *device, uint8_t pipe, uint16_t stream,
	void *data, size_t len, size_t *moved)
{
	switch (pipe) {
	case UAS_PIPE_COMMAND:
		return uas_device_command(device->uas, data, len, moved);
	case UAS_PIPE_STATUS:
		return uas_device_status(device->uas, stream, data, len, moved);
	case UAS_PIPE_DATA_IN:
		return uas_device_in(device->uas, stream, data, len, moved);
	default:
		return uas_device_out(device->uas, stream, data, len, moved);
	}
}

enum device_answer usb_device_bulk(struct usb_device *device, uint8_t endpoint, uint16_t stream,
	void *data, size_t len, size_t *moved)
{
	uint8_t pipe = pipe_of(device, endpoint);

	*moved = 0;
	if (pipe == 0)
		return DEVICE_STALLS;
	if (speaks_uas(device))
		return uas_bulk(device, pipe, stream, data, len, moved);
	return pipe == 1 ? bot_device_in(device->bot, data, len, moved)
			 : bot_device_out(device->bot, data, len, moved);
}

uint64_t usb_device_ready_ns(const struct usb_device *device, uint8_t endpoint, uint16_t stream)
{
	(void)endpoint;
	return speaks_uas(device) ? uas_device_ready_ns(device->uas, stream)
				  : bot_device_ready_ns(device->bot);
}

unsigned int usb_device_max_streams(const struct usb_device *device)
{
	return speaks_uas(device) && device->settings.speed == SIM_SPEED_SUPER
		       ? 1u << UAS_STREAMS_LOG2
		       : 0;
}

/* --- the device --- */

void usb_device_port_reset(struct usb_device *device)
{
	device->alternate = 0;
	reset_interface(device);
	target_port_reset(device->target);
}

enum device_answer usb_device_mood(const struct usb_device *device)
{
	return target_mood(device->target);
}

uint64_t usb_device_returns_ns(const struct usb_device *device)
{
	return target_returns_ns(device->target);
}

void usb_device_plug(struct usb_device *device)
{
	device->alternate = 0;
	reset_interface(device);
	target_plug(device->target);
}

unsigned int usb_device_most_at_once(const struct usb_device *device)
{
	return uas_device_most_at_once(device->uas);
}

const uint8_t *usb_device_descriptor(const struct usb_device *device)
{
	return device->device_descriptor;
}

const uint8_t *usb_device_config(const struct usb_device *device, size_t *len)
{
	*len = device->config_len;
	return device->config_descriptor;
}

enum link_speed usb_device_speed(const struct usb_device *device)
{
	static const enum link_speed speeds[] = {
		[SIM_SPEED_HIGH] = LINK_SPEED_HIGH,
		[SIM_SPEED_SUPER] = LINK_SPEED_SUPER,
		[SIM_SPEED_FULL] = LINK_SPEED_FULL,
	};

	return speeds[device->settings.speed];
}

/* Areas must lie on the drive, or a mistyped number would go unseen. */
static int check_areas(const struct sim_settings *settings, struct err *err)
{
	uint64_t n_blocks = settings->size_bytes / settings->block_bytes;
	uint64_t highest =
		mem_max_u64(faults_highest(&settings->faults), script_highest(&settings->script));

	if (highest < n_blocks)
		return 0;
	return err_set(err, ERR_USAGE,
		"an area reaches to sector %" PRIu64 ", the drive has %" PRIu64 " sectors", highest,
		n_blocks);
}

static int usb_device_read_defects(struct sim_settings *settings, struct err *err)
{
	if (!settings->defects || mapfile_read(settings->defects, settings->size_bytes,
					  settings->block_bytes, &settings->faults, err) == 0)
		return 0;
	return err_prefix(err, "the setting defects: ");
}

/* Unit 0 has what the settings say; others the same kind, with bytes of their own. */
static int open_media(struct usb_device *device, struct err *err)
{
	struct sim_settings *settings = &device->settings;

	device->medium[0] = medium_open(settings, err);
	if (!device->medium[0] || usb_device_read_defects(settings, err) != 0 ||
		check_areas(settings, err) != 0)
		return -1;
	for (uint64_t lun = 1; lun < settings->luns && !settings->empty_luns; lun++) {
		struct sim_settings other = *settings;

		other.seed += lun;
		other.file = NULL;
		if (settings->file || other.content == SIM_CONTENT_DEMO)
			other.content = SIM_CONTENT_NOISE;
		device->medium[lun] = medium_open(&other, err);
		if (!device->medium[lun])
			return -1;
	}
	return 0;
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
	if (open_media(device, err) != 0)
		goto free_device;
	device->target = target_new(&device->settings, device->medium);
	if (device->target) {
		device->bot = bot_device_new(
			device->target, &device->settings, descriptors_packet(&device->settings));
		device->uas = uas_device_new(device->target, &device->settings);
	}
	if (!device->bot || !device->uas) {
		err_memory(err, "for a simulated drive");
		goto free_device;
	}
	descriptors_device(&device->settings, device->device_descriptor);
	device->config_len = descriptors_config(&device->settings, device->config_descriptor);
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
	uas_device_free(device->uas);
	target_free(device->target);
	for (size_t i = 0; i < TARGET_UNITS_MAX; i++)
		medium_close(device->medium[i]);
	settings_free(&device->settings);
	free(device);
}
