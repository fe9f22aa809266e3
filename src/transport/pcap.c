/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USB traffic of transports that show us none (sg, file): each command is written as the Bulk-Only
 * transfers that would carry it.  What is in between (stalls, resets) is the kernel's and not seen
 * here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/bot.h"
#include "proto/usb.h"
#include "transport/transport.h"
#include "usb/pcap.h"

#define ENDPOINT_IN  0x81
#define ENDPOINT_OUT 0x02

struct pcap_transport {
	struct transport transport;
	struct transport *inner;
	struct pcap *pcap;
	_Atomic uint32_t tag;
};

static void write_transfer(struct pcap_transport *t, uint8_t endpoint, const void *data,
	size_t asked, size_t moved, enum link_result result)
{
	struct pcap_urb urb = {
		.id = pcap_new_id(t->pcap), .endpoint = endpoint, .data = data, .len = asked};

	pcap_write(t->pcap, &urb);
	urb.ended = true;
	urb.len = moved;
	urb.result = result;
	pcap_write(t->pcap, &urb);
}

static void write_cbw(struct pcap_transport *t, uint32_t tag, const struct command *command)
{
	uint8_t cbw[CBW_LEN] = {0};
	size_t cdb_len = mem_min_u64(command->cdb_len, CBW_CDB_MAX);

	put_le32(cbw + CBW_SIGNATURE, CBW_SIGNATURE_VALUE);
	put_le32(cbw + CBW_TAG, tag);
	put_le32(cbw + CBW_DATA_LEN, (uint32_t)command->data_len);
	cbw[CBW_FLAGS] = command->direction == TRANSFER_IN ? CBW_FLAG_IN : 0;
	cbw[CBW_CDB_LEN] = (uint8_t)cdb_len;
	memcpy(cbw + CBW_CDB, command->cdb, cdb_len);
	write_transfer(t, ENDPOINT_OUT, cbw, sizeof(cbw), sizeof(cbw), LINK_OK);
}

static void write_csw(struct pcap_transport *t, uint32_t tag, size_t residue, uint8_t status)
{
	uint8_t csw[CSW_LEN];

	put_le32(csw + CSW_SIGNATURE, CSW_SIGNATURE_VALUE);
	put_le32(csw + CSW_TAG, tag);
	put_le32(csw + CSW_RESIDUE, (uint32_t)residue);
	csw[CSW_STATUS] = status;
	write_transfer(t, ENDPOINT_IN, csw, sizeof(csw), sizeof(csw), LINK_OK);
}

/* The REQUEST SENSE that would have fetched what came with the status. */
static void write_sense(struct pcap_transport *t, const struct reply *reply)
{
	const uint8_t cdb[6] = {SCSI_REQUEST_SENSE, [4] = (uint8_t)reply->sense_len};
	const struct command command = {.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = TRANSFER_IN,
		.data_len = reply->sense_len};
	uint32_t tag = ++t->tag;

	write_cbw(t, tag, &command);
	write_transfer(t, ENDPOINT_IN, reply->sense, reply->sense_len, reply->sense_len, LINK_OK);
	write_csw(t, tag, 0, CSW_STATUS_PASSED);
}

static void write_exchange(
	struct pcap_transport *t, const struct command *command, const struct reply *reply)
{
	bool in = command->direction == TRANSFER_IN;
	bool failed = reply->status != SCSI_STATUS_GOOD;
	uint32_t tag = ++t->tag;

	if (reply->outcome == OUTCOME_NOT_SENT)
		return;
	write_cbw(t, tag, command);
	if (reply->outcome != OUTCOME_DONE) {
		write_transfer(t, ENDPOINT_IN, NULL, CSW_LEN, 0,
			reply->outcome == OUTCOME_GONE	       ? LINK_GONE
			: reply->outcome == OUTCOME_HOST_ERROR ? LINK_IO
							       : LINK_TIMEOUT);
		return;
	}
	if (command->data_len > 0)
		write_transfer(t, in ? ENDPOINT_IN : ENDPOINT_OUT, command->data, command->data_len,
			reply->moved, LINK_OK);
	write_csw(t, tag, command->data_len - reply->moved,
		failed ? CSW_STATUS_FAILED : CSW_STATUS_PASSED);
	if (failed && reply->sense_len > 0)
		write_sense(t, reply);
}

static int pcap_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct pcap_transport *t = (struct pcap_transport *)transport;
	int r = transport_exec(t->inner, command, reply, err);

	write_exchange(t, command, reply);
	return r;
}

static void pcap_close_transport(struct transport *transport)
{
	transport_close(((struct pcap_transport *)transport)->inner);
	free(transport);
}

static const struct transport_ops transport_pcap = {
	.name = "pcap",
	.exec = pcap_exec,
	.close = pcap_close_transport,
};

static void write_descriptors(struct pcap *pcap)
{
	static const uint8_t device[USB_DEVICE_DESC_SIZE] = {
		USB_DEVICE_DESC_SIZE, USB_DT_DEVICE, 0, 2, 0, 0, 0, 64, [17] = 1};
	static const uint8_t config[] = {9, USB_DT_CONFIG, 32, 0, 1, 1, 0, 0x80, 0, 9,
		USB_DT_INTERFACE, 0, 0, 2, USB_CLASS_MASS_STORAGE, USB_SUBCLASS_SCSI,
		USB_PROTOCOL_BOT, 0, 7, USB_DT_ENDPOINT, ENDPOINT_IN, USB_ENDPOINT_TYPE_BULK, 0, 2,
		0, 7, USB_DT_ENDPOINT, ENDPOINT_OUT, USB_ENDPOINT_TYPE_BULK, 0, 2, 0};

	pcap_write_descriptors(pcap, device, config, sizeof(config));
}

struct transport *transport_pcap_new(struct transport *inner, struct pcap *pcap, struct err *err)
{
	struct pcap_transport *t = calloc(1, sizeof(*t));

	if (!t) {
		err_memory(err, "for a capture of USB traffic");
		return NULL;
	}
	t->transport = *inner;
	t->transport.ops = &transport_pcap;
	t->inner = inner;
	t->pcap = pcap;
	write_descriptors(pcap);
	return &t->transport;
}
