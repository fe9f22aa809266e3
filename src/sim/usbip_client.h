/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of the USB/IP server: what it sends is hostile until checked. */
#ifndef UMS_SIM_USBIP_CLIENT_H
#define UMS_SIM_USBIP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/usb_device.h"

/* A transfer that the kernel has begun. */
struct usbip_urb {
	struct usbip_urb *next;
	uint32_t seqnum;
	uint8_t endpoint; /* with direction; 0 and 80h are control */
	uint8_t setup[8];
	uint32_t len;
	uint8_t data[];
};

struct usbip_client {
	int fd;			  /* -1: this place is free */
	struct usb_device *drive; /* imported; NULL: not yet */
	struct usbip_urb *first;  /* in the order in which they came */
};

/* Takes one message of the client, which is imported.  -1: the connection is to be closed. */
int usbip_client_read(struct usbip_client *client);

/* Tries all transfers under way.  -1: the connection is to be closed, the drive has gone or nobody
 * listens any more. */
int usbip_client_pump(struct usbip_client *client);

/* When (by clock_now_ns()) it is to be pumped again; UINT64_MAX: not before something comes. */
uint64_t usbip_client_ready_ns(const struct usbip_client *client);

/* Forgets its transfers and closes it. */
void usbip_client_close(struct usbip_client *client);

/* All of LEN bytes, or false. */
bool usbip_receive(int fd, void *data, size_t len);
bool usbip_send(int fd, const void *data, size_t len);

#endif
