/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated drive as a USB device: descriptors, control requests, and the Bulk-Only interface
 * behind its two pipes.
 */
#ifndef UMS_SIM_USB_DEVICE_H
#define UMS_SIM_USB_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sim/bot_device.h"
#include "sim/settings.h"

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

/* Takes *SETTINGS over, whatever happens. */
struct usb_device *usb_device_new(struct sim_settings *settings, struct err *err);

/* NULL is allowed. */
void usb_device_free(struct usb_device *device);

/* The setup stage in words, and DATA of LEN (wLength) bytes in the direction of REQUEST_TYPE. */
struct usb_setup {
	uint8_t request_type, request;
	uint16_t value, index, len;
};

enum device_answer usb_device_control(
	struct usb_device *device, const struct usb_setup *setup, uint8_t *data, size_t *moved);

#endif
