/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing USB traffic: see pcap.h.  The head of a packet is usbmon's (Linux
 * Documentation/usb/usbmon.rst, "Raw binary format"). */
#include "usb/pcap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/usb.h"

#define FILE_HEAD   24
#define PACKET_HEAD 16
#define USBMON_HEAD 64

#define LINKTYPE_USB_LINUX_MMAPPED 220

#define XFER_CONTROL 2
#define XFER_BULK    3

struct pcap {
	FILE *file; /* NULL: none */
	pcap_watcher *watcher;
	void *context;
	pthread_mutex_t lock;
	uint64_t last_id;
	bool failed;
};

static void put_file_head(uint8_t *p)
{
	memset(p, 0, FILE_HEAD);
	put_le32(p, 0xa1b2c3d4);
	put_le16(p + 4, 2);
	put_le16(p + 6, 4);
	put_le32(p + 16, USBMON_HEAD + PCAP_DATA_MOST);
	put_le32(p + 20, LINKTYPE_USB_LINUX_MMAPPED);
}

/* What the kernel would have said of it (errno values of Linux). */
static int32_t urb_status(const struct pcap_urb *urb)
{
	if (!urb->ended)
		return -EINPROGRESS;
	switch (urb->result) {
	case LINK_OK:
		return 0;
	case LINK_STALL:
		return -EPIPE;
	case LINK_TIMEOUT:
		return -ENOENT;
	case LINK_OVERFLOW:
		return -EOVERFLOW;
	case LINK_GONE:
		return -ENODEV;
	case LINK_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EPROTO;
	}
}

static void put_usbmon_head(
	uint8_t *p, const struct pcap_urb *urb, size_t kept, const struct timespec *now)
{
	bool in = urb->endpoint & USB_ENDPOINT_IN;

	memset(p, 0, USBMON_HEAD);
	put_le64(p, urb->id);
	p[8] = urb->ended ? 'C' : 'S';
	p[9] = urb->control ? XFER_CONTROL : XFER_BULK;
	p[10] = urb->endpoint;
	p[11] = 1;	     /* device */
	put_le16(p + 12, 1); /* bus */
	p[14] = urb->setup ? 0 : '-';
	p[15] = kept > 0 ? 0 : in ? '<' : '>';
	put_le64(p + 16, (uint64_t)now->tv_sec);
	put_le32(p + 24, (uint32_t)(now->tv_nsec / 1000));
	put_le32(p + 28, (uint32_t)urb_status(urb));
	put_le32(p + 32, (uint32_t)urb->len);
	put_le32(p + 36, (uint32_t)kept);
	if (urb->setup)
		memcpy(p + 40, urb->setup, 8);
}

void pcap_write(struct pcap *pcap, const struct pcap_urb *urb)
{
	bool in = urb->endpoint & USB_ENDPOINT_IN;
	size_t kept = in == urb->ended && urb->data ? mem_min_u64(urb->len, PCAP_DATA_MOST) : 0;
	uint8_t head[PACKET_HEAD + USBMON_HEAD];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	put_le32(head, (uint32_t)now.tv_sec);
	put_le32(head + 4, (uint32_t)(now.tv_nsec / 1000));
	put_le32(head + 8, (uint32_t)(USBMON_HEAD + kept));
	put_le32(head + 12, (uint32_t)(USBMON_HEAD + kept));
	put_usbmon_head(head + PACKET_HEAD, urb, kept, &now);
	pthread_mutex_lock(&pcap->lock);
	if (pcap->watcher)
		pcap->watcher(pcap->context, urb);
	if (pcap->file && !pcap->failed &&
		(fwrite(head, sizeof(head), 1, pcap->file) != 1 ||
			(kept > 0 && fwrite(urb->data, kept, 1, pcap->file) != 1)))
		pcap->failed = true;
	pthread_mutex_unlock(&pcap->lock);
}

void pcap_watch(struct pcap *pcap, pcap_watcher *watcher, void *context)
{
	pcap->watcher = watcher;
	pcap->context = context;
}

uint64_t pcap_new_id(struct pcap *pcap)
{
	uint64_t id;

	pthread_mutex_lock(&pcap->lock);
	id = ++pcap->last_id;
	pthread_mutex_unlock(&pcap->lock);
	return id;
}

static void write_descriptor(struct pcap *pcap, uint8_t type, const uint8_t *bytes, size_t len)
{
	uint8_t setup[8] = {0x80, USB_REQ_GET_DESCRIPTOR, 0, type};
	struct pcap_urb urb = {
		.id = pcap_new_id(pcap),
		.control = true,
		.endpoint = USB_ENDPOINT_IN,
		.setup = setup,
		.len = len,
	};

	put_le16(setup + 6, (uint16_t)len);
	pcap_write(pcap, &urb);
	urb.ended = true;
	urb.setup = NULL;
	urb.data = bytes;
	pcap_write(pcap, &urb);
}

void pcap_write_descriptors(
	struct pcap *pcap, const uint8_t device[18], const uint8_t *config, size_t config_len)
{
	write_descriptor(pcap, USB_DT_DEVICE, device, USB_DEVICE_DESC_SIZE);
	write_descriptor(pcap, USB_DT_CONFIG, config, mem_min_u64(config_len, UINT16_MAX));
}

struct pcap *pcap_open(const char *file, struct err *err)
{
	struct pcap *pcap = calloc(1, sizeof(*pcap));
	uint8_t head[FILE_HEAD];

	if (!pcap) {
		err_memory(err, "for a capture of USB traffic");
		return NULL;
	}
	pthread_mutex_init(&pcap->lock, NULL);
	if (!file)
		return pcap;
	pcap->file = fopen(file, "we");
	put_file_head(head);
	if (pcap->file && fwrite(head, sizeof(head), 1, pcap->file) == 1)
		return pcap;
	err_sys(err, errno, "cannot write the USB traffic to %s", file);
	pcap_close(pcap);
	return NULL;
}

void pcap_close(struct pcap *pcap)
{
	if (!pcap)
		return;
	if (pcap->file)
		fclose(pcap->file);
	pthread_mutex_destroy(&pcap->lock);
	free(pcap);
}
