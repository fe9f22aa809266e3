/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of the libusb link: opening and single transfers (link_libusb.c), and several at once
 * (link_libusb_async.c). */
#ifndef UMS_USB_LINK_LIBUSB_H
#define UMS_USB_LINK_LIBUSB_H

#include <libusb.h>
#include <pthread.h>
#include <stdbool.h>

#include "usb/link.h"

struct usb_pending;

struct link_usb {
	struct link link;
	libusb_context *context;
	libusb_device_handle *handle;
	uint8_t *config;
	bool claimed;
	uint8_t alternate;    /* the present setting */
	uint8_t streaming[8]; /* endpoints that have streams */
	int n_streaming;

	pthread_mutex_t lock;	   /* over the two below */
	struct usb_pending *ended; /* not yet reaped, in the order in which they ended */
	unsigned int under_way;	   /* submitted and not reaped */
};

/* libusb's word for how a call ended. */
enum link_result libusb_result(int r);

enum link_result usb_submit(struct link *link, struct link_transfer *transfer);
struct link_transfer *usb_reap(struct link *link, struct deadline deadline);
void usb_cancel(struct link *link, struct link_transfer *transfer);
unsigned int usb_alloc_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints);
void usb_free_streams(struct link_usb *usb);

#endif
