/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a configuration descriptor (USB 2.0 §9.6) for its mass-storage interfaces.  Everything in
 * it is the device's word: lengths are checked, what does not fit is left out.
 */
#ifndef UMS_USB_DESCRIPTOR_H
#define UMS_USB_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USB_MAX_ALTERNATES 8
#define USB_MAX_ENDPOINTS  8

struct usb_endpoint {
	uint8_t address;    /* bEndpointAddress; bit 7 set = IN */
	uint8_t attributes; /* bmAttributes; low two bits 2 = bulk */
	uint16_t max_packet;
	uint8_t max_burst;   /* SuperSpeed companion, 0 without */
	uint8_t max_streams; /* 2^n streams, 0 = none */
	uint8_t pipe_id;     /* UAS pipe usage descriptor, 0 without */
};

struct usb_alternate {
	uint8_t number;	  /* bAlternateSetting */
	uint8_t class;	  /* bInterfaceClass */
	uint8_t subclass; /* bInterfaceSubClass */
	uint8_t protocol; /* bInterfaceProtocol: 0x50 BOT, 0x62 UAS */
	struct usb_endpoint endpoint[USB_MAX_ENDPOINTS];
	size_t n_endpoints;
};

struct usb_interface {
	uint8_t number; /* bInterfaceNumber */
	struct usb_alternate alternate[USB_MAX_ALTERNATES];
	size_t n_alternates;
};

/* Finds interface NUMBER in a configuration descriptor of LEN bytes.  False when it is not there
 * whole; alternates past USB_MAX_ALTERNATES and endpoints past USB_MAX_ENDPOINTS are left out. */
bool usb_interface_parse(
	const uint8_t *config, size_t len, uint8_t number, struct usb_interface *interface);

/* The number of the first mass-storage interface (class 8), or -1. */
int usb_find_mass_storage(const uint8_t *config, size_t len);

/* The alternate that speaks PROTOCOL (class 8) with a bulk endpoint each way, or NULL. */
const struct usb_alternate *usb_alternate_for(
	const struct usb_interface *interface, uint8_t protocol);

/* The first bulk endpoint IN or OUT of an alternate, or NULL. */
const struct usb_endpoint *usb_bulk_endpoint(const struct usb_alternate *alternate, bool in);

/* The pipes of a UAS setting, by their usage (UAS-2 §5.2.3.3). */
struct usb_uas_pipes {
	const struct usb_endpoint *command, *status, *data_in, *data_out;
};

/* Finds all four pipes of ALTERNATE: bulk, of the right direction, each usage once.  NULL, or which
 * one is missing ("status"). */
const char *usb_uas_pipes(const struct usb_alternate *alternate, struct usb_uas_pipes *pipes);

#endif
