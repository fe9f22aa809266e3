/* SPDX-License-Identifier: BSD-2-Clause */
/* A link that writes all that passes it to a file: see pcap.h. */
#include "usb/pcap.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "proto/usb.h"

struct link_pcap {
	struct link link;
	struct link *inner;
	struct pcap *pcap;
};

static struct link *inner_of(struct link *link)
{
	return ((struct link_pcap *)link)->inner;
}

static struct pcap *pcap_of(struct link *link)
{
	return ((struct link_pcap *)link)->pcap;
}

static enum link_result pcap_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	uint8_t setup[8] = {request_type, request};
	struct pcap_urb urb = {
		.id = pcap_new_id(pcap_of(link)),
		.control = true,
		.endpoint = request_type & USB_ENDPOINT_IN,
		.setup = setup,
		.data = data,
		.len = len,
	};

	put_le16(setup + 2, value);
	put_le16(setup + 4, index);
	put_le16(setup + 6, len);
	pcap_write(pcap_of(link), &urb);
	urb.result = inner_of(link)->ops->control(
		inner_of(link), request_type, request, value, index, data, len, deadline, moved);
	urb.ended = true;
	urb.setup = NULL;
	urb.len = *moved;
	pcap_write(pcap_of(link), &urb);
	return urb.result;
}

static enum link_result pcap_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	struct pcap_urb urb = {
		.id = pcap_new_id(pcap_of(link)),
		.endpoint = endpoint,
		.data = data,
		.len = len,
	};

	pcap_write(pcap_of(link), &urb);
	urb.result =
		inner_of(link)->ops->bulk(inner_of(link), endpoint, data, len, deadline, moved);
	urb.ended = true;
	urb.len = *moved;
	pcap_write(pcap_of(link), &urb);
	return urb.result;
}

/* A request that the link makes by itself. */
static void write_request(struct link *link, uint8_t request_type, uint8_t request, uint16_t value,
	uint16_t index, enum link_result result)
{
	uint8_t setup[8] = {request_type, request};
	struct pcap_urb urb = {.id = pcap_new_id(pcap_of(link)), .control = true, .setup = setup};

	put_le16(setup + 2, value);
	put_le16(setup + 4, index);
	pcap_write(pcap_of(link), &urb);
	urb.ended = true;
	urb.setup = NULL;
	urb.result = result;
	pcap_write(pcap_of(link), &urb);
}

static enum link_result pcap_clear_halt(struct link *link, uint8_t endpoint)
{
	enum link_result result = inner_of(link)->ops->clear_halt(inner_of(link), endpoint);

	write_request(
		link, 0x02, USB_REQ_CLEAR_FEATURE, USB_FEATURE_ENDPOINT_HALT, endpoint, result);
	return result;
}

static enum link_result pcap_set_alternate(struct link *link, uint8_t alternate)
{
	enum link_result result = inner_of(link)->ops->set_alternate(inner_of(link), alternate);

	write_request(link, 0x01, USB_REQ_SET_INTERFACE, alternate, link->interface, result);
	return result;
}

static unsigned int pcap_alloc_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints)
{
	struct link *inner = inner_of(link);

	return inner->ops->alloc_streams
		       ? inner->ops->alloc_streams(inner, wanted, endpoint, n_endpoints)
		       : 0;
}

/* The address of a transfer is its name while it is under way. */
static uint64_t id_of(const struct link_transfer *transfer)
{
	return (uint64_t)(uintptr_t)transfer;
}

static enum link_result pcap_submit(struct link *link, struct link_transfer *transfer)
{
	struct pcap_urb urb = {
		.id = id_of(transfer),
		.endpoint = transfer->endpoint,
		.data = transfer->data,
		.len = transfer->len,
	};

	pcap_write(pcap_of(link), &urb);
	urb.result = inner_of(link)->ops->submit(inner_of(link), transfer);
	if (urb.result != LINK_OK) {
		urb.ended = true;
		urb.len = 0;
		pcap_write(pcap_of(link), &urb);
	}
	return urb.result;
}

static struct link_transfer *pcap_reap(struct link *link, struct deadline deadline)
{
	struct link_transfer *transfer = inner_of(link)->ops->reap(inner_of(link), deadline);

	if (transfer)
		pcap_write(pcap_of(link), &(struct pcap_urb){
						  .id = id_of(transfer),
						  .ended = true,
						  .endpoint = transfer->endpoint,
						  .result = transfer->result,
						  .data = transfer->data,
						  .len = transfer->moved,
					  });
	return transfer;
}

static void pcap_cancel(struct link *link, struct link_transfer *transfer)
{
	inner_of(link)->ops->cancel(inner_of(link), transfer);
}

static enum link_result pcap_reset(struct link *link)
{
	return inner_of(link)->ops->reset(inner_of(link));
}

static void pcap_close_link(struct link *link)
{
	inner_of(link)->ops->close(inner_of(link));
	free(link);
}

static const struct link_ops link_pcap = {
	.name = "pcap",
	.control = pcap_control,
	.bulk = pcap_bulk,
	.clear_halt = pcap_clear_halt,
	.set_alternate = pcap_set_alternate,
	.alloc_streams = pcap_alloc_streams,
	.submit = pcap_submit,
	.reap = pcap_reap,
	.cancel = pcap_cancel,
	.reset = pcap_reset,
	.close = pcap_close_link,
};

struct link *link_pcap_new(struct link *inner, struct pcap *pcap, struct err *err)
{
	struct link_pcap *link = calloc(1, sizeof(*link));

	if (!link) {
		err_memory(err, "for a capture of USB traffic");
		return NULL;
	}
	link->link = *inner;
	link->link.ops = &link_pcap;
	link->inner = inner;
	link->pcap = pcap;
	pcap_write_descriptors(
		pcap, inner->device_descriptor, inner->config_descriptor, inner->config_len);
	return &link->link;
}
