/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of a simulated drive: see descriptors.h.  Sections without a name are of USB 2.0. */
#include "sim/descriptors.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/uas.h"
#include "proto/usb.h"

#define USB_DT_BOS	      0x0f
#define USB_DT_CAPABILITY     0x10
#define CAPABILITY_SUPERSPEED 0x03
#define MANY_ALTERNATES	      100
#define MAX_BURST	      15

struct writer {
	uint8_t *out;
	size_t n;
	const struct sim_settings *settings;
};

static void put(struct writer *w, const uint8_t *bytes, size_t len)
{
	memcpy(w->out + w->n, bytes, len);
	w->n += len;
}

uint16_t descriptors_packet(const struct sim_settings *settings)
{
	if (settings->descriptors == SIM_DESCRIPTORS_TINY)
		return 0;
	switch ((enum sim_speed)settings->speed) {
	case SIM_SPEED_SUPER:
		return 1024;
	case SIM_SPEED_FULL:
		return 64;
	default:
		return 512;
	}
}

/* §9.6.5 */
static void put_interface(
	struct writer *w, uint8_t alternate, uint8_t n_endpoints, uint8_t protocol)
{
	put(w,
		(const uint8_t[]){USB_INTERFACE_DESC_SIZE, USB_DT_INTERFACE, 0, alternate,
			n_endpoints, USB_CLASS_MASS_STORAGE, USB_SUBCLASS_SCSI, protocol, 0},
		USB_INTERFACE_DESC_SIZE);
}

/* §9.6.6, and USB 3.2 §9.6.7: its companion.  USAGE (UAS-2 §5.2.3.3) 0: none. */
static void put_endpoint(struct writer *w, uint8_t address, uint8_t streams_log2, uint8_t usage)
{
	uint16_t packet = descriptors_packet(w->settings);

	put(w,
		(const uint8_t[]){USB_ENDPOINT_DESC_SIZE, USB_DT_ENDPOINT, address,
			USB_ENDPOINT_TYPE_BULK, (uint8_t)packet, (uint8_t)(packet >> 8), 0},
		USB_ENDPOINT_DESC_SIZE);
	if (w->settings->speed == SIM_SPEED_SUPER)
		put(w,
			(const uint8_t[]){USB_SS_COMPANION_SIZE, USB_DT_SS_ENDPOINT_COMPANION,
				MAX_BURST, streams_log2, 0, 0},
			USB_SS_COMPANION_SIZE);
	if (usage)
		put(w, (const uint8_t[]){USB_PIPE_USAGE_SIZE, USB_DT_PIPE_USAGE, usage, 0},
			USB_PIPE_USAGE_SIZE);
}

static void put_bot(struct writer *w, uint8_t alternate)
{
	bool no_in = w->settings->descriptors == SIM_DESCRIPTORS_NO_IN;

	put_interface(w, alternate, 2, USB_PROTOCOL_BOT);
	if (!no_in)
		put_endpoint(w, ENDPOINT_BOT_IN, 0, 0);
	put_endpoint(w, ENDPOINT_BOT_OUT, 0, 0);
}

static void put_uas(struct writer *w, uint8_t alternate)
{
	static const struct {
		uint8_t address, streams_log2, usage;
	} pipes[] = {
		{ENDPOINT_UAS_COMMAND, 0, UAS_PIPE_COMMAND},
		{ENDPOINT_UAS_STATUS, UAS_STREAMS_LOG2, UAS_PIPE_STATUS},
		{ENDPOINT_UAS_DATA_IN, UAS_STREAMS_LOG2, UAS_PIPE_DATA_IN},
		{ENDPOINT_UAS_DATA_OUT, UAS_STREAMS_LOG2, UAS_PIPE_DATA_OUT},
	};

	put_interface(w, alternate, 4, USB_PROTOCOL_UAS);
	for (size_t i = 0; i < sizeof(pipes) / sizeof(pipes[0]); i++) {
		uint8_t usage = pipes[i].usage;

		if (w->settings->descriptors == SIM_DESCRIPTORS_NO_PIPES)
			usage = 0;
		else if (w->settings->descriptors == SIM_DESCRIPTORS_SAME_PIPES)
			usage = UAS_PIPE_STATUS;
		put_endpoint(w, pipes[i].address, pipes[i].streams_log2, usage);
	}
}

/* What makes them other than they should be, behind the right ones. */
static void descriptors_spoil(struct writer *w)
{
	switch ((enum sim_descriptors)w->settings->descriptors) {
	case SIM_DESCRIPTORS_LOOP:
		put(w, (const uint8_t[]){0, USB_DT_INTERFACE}, 2);
		break;
	case SIM_DESCRIPTORS_PAST:
		put(w, (const uint8_t[]){200, USB_DT_ENDPOINT, ENDPOINT_BOT_IN}, 3);
		break;
	case SIM_DESCRIPTORS_TWICE:
		put_bot(w, 0);
		put_endpoint(w, ENDPOINT_BOT_IN, 0, 0);
		break;
	case SIM_DESCRIPTORS_MANY:
		for (uint8_t i = 2; i < MANY_ALTERNATES; i++)
			put_interface(w, i, 9, USB_PROTOCOL_BOT);
		break;
	default:
		break;
	}
}

size_t descriptors_config(const struct sim_settings *settings, uint8_t out[DESCRIPTORS_CONFIG_MAX])
{
	struct writer w = {.out = out, .settings = settings};
	bool cut = settings->descriptors == SIM_DESCRIPTORS_CUT;

	/* configuration 1: one interface, bus powered, 200 mA (§9.6.3) */
	put(&w, (const uint8_t[]){USB_CONFIG_DESC_SIZE, USB_DT_CONFIG, 0, 0, 1, 1, 0, 0x80, 100},
		USB_CONFIG_DESC_SIZE);
	if (settings->only_uas) {
		put_uas(&w, 0);
	} else {
		put_bot(&w, 0);
		if (settings->uas)
			put_uas(&w, 1);
	}
	descriptors_spoil(&w);
	put_le16(out + USB_CONFIG_TOTAL_LENGTH, (uint16_t)(cut ? w.n + 500 : w.n));
	return cut ? w.n - 3 : w.n;
}

void descriptors_device(const struct sim_settings *settings, uint8_t out[18])
{
	bool super = settings->speed == SIM_SPEED_SUPER;

	memset(out, 0, USB_DEVICE_DESC_SIZE);
	out[0] = USB_DEVICE_DESC_SIZE;
	out[1] = USB_DT_DEVICE;
	put_le16(out + 2, super ? 0x0300 : 0x0200); /* the class is the interface's */
	out[7] = super ? 9 : 64;		    /* USB 3.2 §9.6.1: 2^9 */
	put_le16(out + USB_DEVICE_ID_VENDOR, (uint16_t)settings->vid);
	put_le16(out + USB_DEVICE_ID_PRODUCT, (uint16_t)settings->pid);
	put_le16(out + USB_DEVICE_BCD_DEVICE, settings->bcd_device);
	out[USB_DEVICE_MANUFACTURER] = STRING_VENDOR;
	out[USB_DEVICE_PRODUCT] = STRING_PRODUCT;
	out[USB_DEVICE_SERIAL_NUMBER] = settings->serial[0] ? STRING_SERIAL : 0;
	out[17] = 1;
}

void descriptors_bos(uint8_t out[DESCRIPTORS_BOS_LEN])
{
	static const uint8_t bos[DESCRIPTORS_BOS_LEN] = {5, USB_DT_BOS, DESCRIPTORS_BOS_LEN, 0, 1,
		/* full, high and 5 Gbit/s; all that it does it does from full speed on
		 * (USB 3.2 §9.6.2.2) */
		10, USB_DT_CAPABILITY, CAPABILITY_SUPERSPEED, 0, 0x0e, 0, 1, 10, 0xff, 0x07};

	memcpy(out, bos, sizeof(bos));
}
