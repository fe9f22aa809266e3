/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link through libusb.  The kernel's driver is left alone unless the caller may detach it; then
 * it goes in one step with the claim, and comes back when the interface is released.
 */
#include "usb/link_libusb.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/usb.h"
#include "usb/budget.h"

#define MAX_TRANSFER (1u << 20)
#define CLOSE_MS     2000
#define CONFIG_MS    5000

enum link_result libusb_result(int r)
{
	switch (r) {
	case LIBUSB_ERROR_PIPE:
		return LINK_STALL;
	case LIBUSB_ERROR_TIMEOUT:
		return LINK_TIMEOUT;
	case LIBUSB_ERROR_OVERFLOW:
		return LINK_OVERFLOW;
	case LIBUSB_ERROR_NO_DEVICE:
	case LIBUSB_ERROR_NOT_FOUND:
		return LINK_GONE;
	case LIBUSB_ERROR_NO_MEM:
		return LINK_NO_MEMORY;
	default:
		return r >= 0 ? LINK_OK : LINK_IO;
	}
}

/* libusb takes 0 for "for ever". */
static unsigned int timeout_of(struct deadline deadline)
{
	unsigned int ms = deadline_left_ms(deadline);

	return ms > 0 ? ms : 1;
}

static enum link_result usb_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	struct link_usb *usb = (struct link_usb *)link;
	int r = libusb_control_transfer(
		usb->handle, request_type, request, value, index, data, len, timeout_of(deadline));

	*moved = r > 0 ? (size_t)r : 0;
	return libusb_result(r);
}

static enum link_result usb_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	struct link_usb *usb = (struct link_usb *)link;
	int done = 0, r;

	*moved = 0;
	if (!budget_take(len))
		return LINK_NO_MEMORY;
	r = libusb_bulk_transfer(
		usb->handle, endpoint, data, (int)len, &done, timeout_of(deadline));
	budget_give_back(len);
	*moved = done > 0 ? (size_t)done : 0;
	return libusb_result(r);
}

static enum link_result usb_clear_halt(struct link *link, uint8_t endpoint)
{
	return libusb_result(libusb_clear_halt(((struct link_usb *)link)->handle, endpoint));
}

static enum link_result usb_set_alternate(struct link *link, uint8_t alternate)
{
	struct link_usb *usb = (struct link_usb *)link;
	enum link_result result;

	usb_free_streams(usb);
	result = libusb_result(
		libusb_set_interface_alt_setting(usb->handle, link->interface, alternate));
	if (result == LINK_OK)
		usb->alternate = alternate;
	return result;
}

static enum link_result usb_reset(struct link *link)
{
	struct link_usb *usb = (struct link_usb *)link;

	usb->n_streaming = 0;
	return libusb_result(libusb_reset_device(usb->handle));
}

/* A transfer that is still under way would be handed to a link that is no more. */
static void end_transfers(struct link_usb *usb)
{
	struct deadline deadline = deadline_in_ms(CLOSE_MS);

	while (usb->under_way > 0 && deadline_left_ms(deadline) > 0)
		usb_reap(&usb->link, deadline);
}

static void usb_close(struct link *link)
{
	struct link_usb *usb = (struct link_usb *)link;

	end_transfers(usb);
	if (usb->claimed) {
		/* Whoever drives it next finds it as it was. */
		if (usb->alternate != 0)
			usb_set_alternate(link, 0);
		libusb_release_interface(usb->handle, link->interface);
	}
	if (usb->handle)
		libusb_close(usb->handle);
	if (usb->context)
		libusb_exit(usb->context);
	pthread_mutex_destroy(&usb->lock);
	free(usb->config);
	free(usb);
}

static const struct link_ops link_libusb = {
	.name = "libusb",
	.control = usb_control,
	.bulk = usb_bulk,
	.clear_halt = usb_clear_halt,
	.set_alternate = usb_set_alternate,
	.alloc_streams = usb_alloc_streams,
	.submit = usb_submit,
	.reap = usb_reap,
	.cancel = usb_cancel,
	.reset = usb_reset,
	.close = usb_close,
};

static int open_error(int r, uint8_t bus, uint8_t address, struct err *err)
{
	enum err_kind kind = r == LIBUSB_ERROR_ACCESS	   ? ERR_PERMISSION
			     : r == LIBUSB_ERROR_NO_DEVICE ? ERR_GONE
			     : r == LIBUSB_ERROR_BUSY	   ? ERR_BUSY
							   : ERR_OTHER;

	return err_set(err, kind, "USB device %u on bus %u: cannot open it: %s%s", address, bus,
		libusb_strerror(r),
		r == LIBUSB_ERROR_ACCESS
			? " (be root, or install udev/60-umsctl.rules and be in group disk)"
			: "");
}

static int open_device(struct link_usb *usb, uint8_t bus, uint8_t address, struct err *err)
{
	libusb_device **list;
	ssize_t n = libusb_get_device_list(usb->context, &list);
	int r = LIBUSB_ERROR_NO_DEVICE;

	for (ssize_t i = 0; i < n; i++) {
		if (libusb_get_bus_number(list[i]) != bus ||
			libusb_get_device_address(list[i]) != address)
			continue;
		r = libusb_open(list[i], &usb->handle);
		break;
	}
	if (n >= 0)
		libusb_free_device_list(list, 1);
	return r < 0 ? open_error(r, bus, address, err) : 0;
}

static int usb_get_descriptor(
	struct link_usb *usb, uint8_t type, uint8_t index, void *data, uint16_t len)
{
	return libusb_control_transfer(usb->handle, 0x80, USB_REQ_GET_DESCRIPTOR,
		(uint16_t)(type << 8 | index), 0, data, len, CONFIG_MS);
}

/* The whole configuration descriptor number INDEX. */
static bool read_config(struct link_usb *usb, uint8_t index)
{
	uint8_t head[USB_CONFIG_DESC_SIZE];
	uint16_t total;
	int n;

	if (usb_get_descriptor(usb, USB_DT_CONFIG, index, head, sizeof(head)) != sizeof(head))
		return false;
	total = get_le16(head + USB_CONFIG_TOTAL_LENGTH);
	free(usb->config);
	usb->config = calloc(1, total ? total : 1);
	if (!usb->config)
		return false;
	n = usb_get_descriptor(usb, USB_DT_CONFIG, index, usb->config, total);
	usb->link.config_descriptor = usb->config;
	usb->link.config_len = n > 0 ? (size_t)n : 0;
	return n >= USB_CONFIG_DESC_SIZE;
}

/* The configuration that is in use; devices with several are rare. */
static int read_descriptors(struct link_usb *usb, struct err *err)
{
	struct libusb_device_descriptor device;
	int active = 0;

	if (usb_get_descriptor(usb, USB_DT_DEVICE, 0, usb->link.device_descriptor,
		    sizeof(usb->link.device_descriptor)) != USB_DEVICE_DESC_SIZE ||
		libusb_get_device_descriptor(libusb_get_device(usb->handle), &device) < 0 ||
		libusb_get_configuration(usb->handle, &active) < 0)
		return err_set(err, ERR_OTHER, "the device does not give its descriptors");
	for (uint8_t i = 0; i < device.bNumConfigurations; i++) {
		if (read_config(usb, i) && usb->config[USB_CONFIG_VALUE] == active)
			return 0;
	}
	return err_set(err, ERR_OTHER, "the device does not give its configuration descriptor");
}

static enum link_speed speed_of(libusb_device *device)
{
	switch (libusb_get_device_speed(device)) {
	case LIBUSB_SPEED_LOW:
		return LINK_SPEED_LOW;
	case LIBUSB_SPEED_FULL:
		return LINK_SPEED_FULL;
	case LIBUSB_SPEED_HIGH:
		return LINK_SPEED_HIGH;
	case LIBUSB_SPEED_SUPER:
		return LINK_SPEED_SUPER;
	case LIBUSB_SPEED_SUPER_PLUS:
		return LINK_SPEED_SUPER_PLUS;
	default:
		return LINK_SPEED_UNKNOWN;
	}
}

static int usb_claim(struct link_usb *usb, int detach, struct err *err)
{
	int r;

	if (detach)
		libusb_set_auto_detach_kernel_driver(usb->handle, 1);
	else if (libusb_kernel_driver_active(usb->handle, usb->link.interface) == 1)
		return err_set(err, ERR_BUSY,
			"interface %u is in use by a driver or another program",
			usb->link.interface);
	r = libusb_claim_interface(usb->handle, usb->link.interface);
	if (r < 0)
		return err_set(err, r == LIBUSB_ERROR_BUSY ? ERR_BUSY : ERR_OTHER,
			"cannot claim interface %u: %s", usb->link.interface, libusb_strerror(r));
	usb->claimed = true;
	return 0;
}

struct link *link_libusb_open(
	uint8_t bus, uint8_t address, uint8_t interface, int detach, struct err *err)
{
	struct link_usb *usb = calloc(1, sizeof(*usb));

	if (!usb) {
		err_memory(err, "opening the USB device");
		return NULL;
	}
	pthread_mutex_init(&usb->lock, NULL);
	usb->link.ops = &link_libusb;
	usb->link.interface = interface;
	usb->link.max_transfer_bytes = MAX_TRANSFER;
	if (libusb_init(&usb->context) < 0) {
		usb->context = NULL;
		err_set(err, ERR_OTHER, "libusb does not start here");
	} else if (open_device(usb, bus, address, err) == 0 && read_descriptors(usb, err) == 0 &&
		   usb_claim(usb, detach, err) == 0) {
		usb->link.speed = speed_of(libusb_get_device(usb->handle));
		return &usb->link;
	}
	usb_close(&usb->link);
	return NULL;
}
