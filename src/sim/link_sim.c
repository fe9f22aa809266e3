/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host controller between a link and a simulated device: it waits where a real one would, and
 * passes everything else on.
 */
#include "sim/link_sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "proto/usb.h"

struct sim_link {
	struct link link;
	struct usb_device *device;
};

static struct usb_device *device_of(struct link *link)
{
	return ((struct sim_link *)link)->device;
}

/* Unlike clock_sleep_ms, to the nanosecond, and whatever signals come: a transfer is not cut short
 * by them. */
static void sleep_until(uint64_t at_ns)
{
	struct timespec at = {
		.tv_sec = (time_t)(at_ns / 1000000000),
		.tv_nsec = (long)(at_ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static enum link_result result_of(enum device_answer answer, struct deadline deadline)
{
	switch (answer) {
	case DEVICE_DONE:
		return LINK_OK;
	case DEVICE_STALLS:
		return LINK_STALL;
	case DEVICE_BABBLES:
		return LINK_OVERFLOW;
	case DEVICE_GONE:
		return LINK_GONE;
	case DEVICE_LATER:
	case DEVICE_SILENT:
		break;
	}
	sleep_until(deadline.at_ns);
	return LINK_TIMEOUT;
}

static enum link_result sim_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	struct usb_setup setup = {request_type, request, value, index, len};

	return result_of(usb_device_control(device_of(link), &setup, data, moved), deadline);
}

static enum link_result sim_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	struct usb_device *device = device_of(link);
	enum device_answer answer;

	answer = usb_device_bulk(device, endpoint, 0, data, len, moved);
	while (answer == DEVICE_LATER &&
		usb_device_ready_ns(device, endpoint, 0) < deadline.at_ns) {
		sleep_until(usb_device_ready_ns(device, endpoint, 0));
		answer = usb_device_bulk(device, endpoint, 0, data, len, moved);
	}
	return result_of(answer, deadline);
}

static enum link_result sim_clear_halt(struct link *link, uint8_t endpoint)
{
	struct usb_setup setup = {
		0x02, USB_REQ_CLEAR_FEATURE, USB_FEATURE_ENDPOINT_HALT, endpoint, 0};
	size_t moved;

	return result_of(
		usb_device_control(device_of(link), &setup, NULL, &moved), (struct deadline){0});
}

static enum link_result sim_set_alternate(struct link *link, uint8_t alternate)
{
	struct usb_setup setup = {0x01, USB_REQ_SET_INTERFACE, alternate, 0, 0};
	size_t moved;

	return result_of(
		usb_device_control(device_of(link), &setup, NULL, &moved), (struct deadline){0});
}

static enum link_result sim_reset(struct link *link)
{
	usb_device_port_reset(device_of(link));
	return result_of(usb_device_mood(device_of(link)), (struct deadline){0});
}

static void sim_close(struct link *link)
{
	usb_device_free(device_of(link));
	free(link);
}

static const struct link_ops link_sim = {
	.name = "sim",
	.control = sim_control,
	.bulk = sim_bulk,
	.clear_halt = sim_clear_halt,
	.set_alternate = sim_set_alternate,
	.reset = sim_reset,
	.close = sim_close,
};

struct link *link_sim_new(struct usb_device *device, struct err *err)
{
	struct sim_link *sim = calloc(1, sizeof(*sim));

	if (!sim) {
		usb_device_free(device);
		err_memory(err, "for a simulated drive");
		return NULL;
	}
	sim->device = device;
	sim->link.ops = &link_sim;
	memcpy(sim->link.device_descriptor, usb_device_descriptor(device),
		sizeof(sim->link.device_descriptor));
	sim->link.config_descriptor = usb_device_config(device, &sim->link.config_len);
	sim->link.speed = usb_device_speed(device);
	sim->link.max_transfer_bytes = 1 << 20;
	return &sim->link;
}
