/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of USB traffic that Wireshark opens: libpcap's format, each packet as Linux's usbmon gives
 * it (LINKTYPE_USB_LINUX_MMAPPED).  Data is in it, up to PCAP_DATA_MOST bytes of a transfer.
 */
#ifndef UMS_USB_PCAP_H
#define UMS_USB_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "usb/link.h"

#define PCAP_DATA_MOST (256u << 10)

struct pcap;

/* Begins FILE anew; NULL: no file, only a watch.  NULL and ERR when it cannot be written. */
struct pcap *pcap_open(const char *file, struct err *err);

/* NULL is allowed. */
void pcap_close(struct pcap *pcap);

/* One transfer, as it is begun or ended.  A file that cannot be written any more ends there. */
struct pcap_urb {
	uint64_t id; /* the same for both */
	bool ended;
	bool control;
	uint8_t endpoint;     /* bit 7: IN */
	const uint8_t *setup; /* of a control transfer that begins: 8 bytes; else NULL */
	enum link_result result;
	const void *data; /* OUT: when it begins; IN: when it has ended */
	size_t len;	  /* asked for; when it has ended, moved */
};

/* Who wants to know of each transfer, as it begins and ends (from any thread); NULL: nobody. */
typedef void pcap_watcher(void *context, const struct pcap_urb *urb);
void pcap_watch(struct pcap *pcap, pcap_watcher *watcher, void *context);

void pcap_write(struct pcap *pcap, const struct pcap_urb *urb);

/* A number that no other transfer has had. */
uint64_t pcap_new_id(struct pcap *pcap);

/* The two descriptors as transfers, by which Wireshark knows what the endpoints are. */
void pcap_write_descriptors(
	struct pcap *pcap, const uint8_t device[18], const uint8_t *config, size_t config_len);

/* Writes all that passes INNER (owned from then on) to PCAP, which stays the caller's. */
struct link *link_pcap_new(struct link *inner, struct pcap *pcap, struct err *err);

#endif
