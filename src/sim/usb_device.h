/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated drive as a USB device: descriptors, control requests, Bulk-Only at alternate setting
 * 0 and, if it offers that, UAS at 1.  It knows no host and never sleeps: link_sim.c is one host,
 * the USB/IP server and the usbredir server are others.
 *
 * A host tries each transfer that it has under way again whenever another has moved something, and
 * at usb_device_ready_ns().
 */
#ifndef UMS_SIM_USB_DEVICE_H
#define UMS_SIM_USB_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sim/answer.h"
#include "sim/settings.h"
#include "usb/link.h"

struct usb_device;

/* Takes *SETTINGS over, whatever happens. */
struct usb_device *usb_device_new(struct sim_settings *settings, struct err *err);

/* NULL is allowed. */
void usb_device_free(struct usb_device *device);

/* 18 bytes, and the configuration descriptor, whole; the device's. */
const uint8_t *usb_device_descriptor(const struct usb_device *device);
const uint8_t *usb_device_config(const struct usb_device *device, size_t *len);

enum link_speed usb_device_speed(const struct usb_device *device);

/* The setup stage in words, and DATA of LEN (wLength) bytes in the direction of REQUEST_TYPE. */
struct usb_setup {
	uint8_t request_type, request;
	uint16_t value, index, len;
};

enum device_answer usb_device_control(
	struct usb_device *device, const struct usb_setup *setup, uint8_t *data, size_t *moved);

/* A bulk transfer on ENDPOINT (bit 7: IN) and STREAM (0: none), of LEN bytes.  DEVICE_LATER and
 * DEVICE_SILENT: nothing has moved, try again. */
enum device_answer usb_device_bulk(struct usb_device *device, uint8_t endpoint, uint16_t stream,
	void *data, size_t len, size_t *moved);

/* When (by clock_now_ns()) a transfer that was DEVICE_LATER will be answered. */
uint64_t usb_device_ready_ns(const struct usb_device *device, uint8_t endpoint, uint16_t stream);

/* The most streams on each endpoint of the present alternate setting; 0: none. */
unsigned int usb_device_max_streams(const struct usb_device *device);

/* The port was reset: alternate setting 0, halts and queues gone. */
void usb_device_port_reset(struct usb_device *device);

/* DEVICE_DONE, or what a drive that hangs or is gone does with any control request. */
enum device_answer usb_device_mood(const struct usb_device *device);

/* When (by clock_now_ns()) a drive that is DEVICE_GONE comes back; UINT64_MAX: never. */
uint64_t usb_device_returns_ns(const struct usb_device *device);

/* It is plugged in again: power on, what its script has counted stays. */
void usb_device_plug(struct usb_device *device);

/* The most commands that it has had under way at once (UAS), for tests. */
unsigned int usb_device_most_at_once(const struct usb_device *device);

#endif
