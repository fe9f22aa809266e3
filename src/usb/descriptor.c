/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a configuration descriptor: see descriptor.h. */
#include "usb/descriptor.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/uas.h"
#include "proto/usb.h"

/* Steps through descriptors; false at the end, and at one whose length is a lie. */
struct walk {
	const uint8_t *at;
	size_t left;
};

static bool walk_next(struct walk *walk, const uint8_t **descriptor, size_t *len)
{
	if (walk->left < 2 || walk->at[USB_DESC_LENGTH] < 2 ||
		walk->at[USB_DESC_LENGTH] > walk->left)
		return false;
	*descriptor = walk->at;
	*len = walk->at[USB_DESC_LENGTH];
	walk->at += *len;
	walk->left -= *len;
	return true;
}

static struct usb_alternate *begin_alternate(struct usb_interface *interface, const uint8_t *d)
{
	struct usb_alternate *alternate;

	if (interface->n_alternates == USB_MAX_ALTERNATES)
		return NULL;
	alternate = &interface->alternate[interface->n_alternates++];
	*alternate = (struct usb_alternate){
		.number = d[USB_INTERFACE_ALTERNATE],
		.class = d[USB_INTERFACE_CLASS],
		.subclass = d[USB_INTERFACE_SUBCLASS],
		.protocol = d[USB_INTERFACE_PROTOCOL],
	};
	return alternate;
}

static struct usb_endpoint *begin_endpoint(struct usb_alternate *alternate, const uint8_t *d)
{
	struct usb_endpoint *endpoint;

	if (alternate->n_endpoints == USB_MAX_ENDPOINTS)
		return NULL;
	endpoint = &alternate->endpoint[alternate->n_endpoints++];
	*endpoint = (struct usb_endpoint){
		.address = d[USB_ENDPOINT_ADDRESS],
		.attributes = d[USB_ENDPOINT_ATTRIBUTES],
		.max_packet = get_le16(d + USB_ENDPOINT_MAX_PACKET),
	};
	return endpoint;
}

static void take_companion(struct usb_endpoint *endpoint, const uint8_t *d)
{
	endpoint->max_burst = d[USB_SS_COMPANION_MAX_BURST];
	endpoint->max_streams = d[USB_SS_COMPANION_ATTRIBUTES] & 0x1f;
}

/* What belongs to an endpoint follows it. */
static void take_detail(struct usb_endpoint *endpoint, const uint8_t *d, size_t len)
{
	if (d[USB_DESC_TYPE] == USB_DT_SS_ENDPOINT_COMPANION && len >= USB_SS_COMPANION_SIZE)
		take_companion(endpoint, d);
	else if (d[USB_DESC_TYPE] == USB_DT_PIPE_USAGE && len >= USB_PIPE_USAGE_SIZE)
		endpoint->pipe_id = d[USB_PIPE_USAGE_ID];
}

bool usb_interface_parse(
	const uint8_t *config, size_t len, uint8_t number, struct usb_interface *interface)
{
	struct walk walk = {config, len};
	struct usb_alternate *alternate = NULL;
	struct usb_endpoint *endpoint = NULL;
	const uint8_t *d;
	size_t n;

	memset(interface, 0, sizeof(*interface));
	interface->number = number;
	while (walk_next(&walk, &d, &n)) {
		if (d[USB_DESC_TYPE] == USB_DT_INTERFACE) {
			alternate = NULL;
			endpoint = NULL;
			if (n >= USB_INTERFACE_DESC_SIZE && d[USB_INTERFACE_NUMBER] == number)
				alternate = begin_alternate(interface, d);
		} else if (d[USB_DESC_TYPE] == USB_DT_ENDPOINT) {
			endpoint = NULL;
			if (alternate && n >= USB_ENDPOINT_DESC_SIZE)
				endpoint = begin_endpoint(alternate, d);
		} else if (endpoint) {
			take_detail(endpoint, d, n);
		}
	}
	return interface->n_alternates > 0;
}

int usb_find_mass_storage(const uint8_t *config, size_t len)
{
	struct walk walk = {config, len};
	const uint8_t *d;
	size_t n;

	while (walk_next(&walk, &d, &n)) {
		if (d[USB_DESC_TYPE] == USB_DT_INTERFACE && n >= USB_INTERFACE_DESC_SIZE &&
			d[USB_INTERFACE_CLASS] == USB_CLASS_MASS_STORAGE)
			return d[USB_INTERFACE_NUMBER];
	}
	return -1;
}

const struct usb_alternate *usb_alternate_for(
	const struct usb_interface *interface, uint8_t protocol)
{
	for (size_t i = 0; i < interface->n_alternates; i++) {
		const struct usb_alternate *alternate = &interface->alternate[i];

		if (alternate->class == USB_CLASS_MASS_STORAGE && alternate->protocol == protocol &&
			usb_bulk_endpoint(alternate, true) && usb_bulk_endpoint(alternate, false))
			return alternate;
	}
	return NULL;
}

const struct usb_endpoint *usb_bulk_endpoint(const struct usb_alternate *alternate, bool in)
{
	for (size_t i = 0; i < alternate->n_endpoints; i++) {
		const struct usb_endpoint *endpoint = &alternate->endpoint[i];

		if ((endpoint->attributes & USB_ENDPOINT_TYPE_MASK) == USB_ENDPOINT_TYPE_BULK &&
			((endpoint->address & USB_ENDPOINT_IN) != 0) == in)
			return endpoint;
	}
	return NULL;
}

/* The only bulk endpoint of USAGE, in its direction; NULL when there is none or more than one. */
static const struct usb_endpoint *only_pipe(
	const struct usb_alternate *alternate, uint8_t usage, bool in)
{
	const struct usb_endpoint *found = NULL;

	for (size_t i = 0; i < alternate->n_endpoints; i++) {
		const struct usb_endpoint *endpoint = &alternate->endpoint[i];

		if (endpoint->pipe_id != usage)
			continue;
		if (found ||
			(endpoint->attributes & USB_ENDPOINT_TYPE_MASK) != USB_ENDPOINT_TYPE_BULK ||
			((endpoint->address & USB_ENDPOINT_IN) != 0) != in)
			return NULL;
		found = endpoint;
	}
	return found;
}

const char *usb_uas_pipes(const struct usb_alternate *alternate, struct usb_uas_pipes *pipes)
{
	*pipes = (struct usb_uas_pipes){
		.command = only_pipe(alternate, UAS_PIPE_COMMAND, false),
		.status = only_pipe(alternate, UAS_PIPE_STATUS, true),
		.data_in = only_pipe(alternate, UAS_PIPE_DATA_IN, true),
		.data_out = only_pipe(alternate, UAS_PIPE_DATA_OUT, false),
	};
	return !pipes->command	  ? "command"
	       : !pipes->status	  ? "status"
	       : !pipes->data_in  ? "data-in"
	       : !pipes->data_out ? "data-out"
				  : NULL;
}
