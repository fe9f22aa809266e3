/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UMS_USB_PCAP_H
#define UMS_USB_PCAP_H
#include "usb/link.h"
struct pcap;
struct pcap *pcap_open(const char *file, struct err *err);
void pcap_close(struct pcap *pcap);
struct link *link_pcap_new(struct link *inner, struct pcap *pcap, struct err *err);
struct transport;
struct transport *transport_pcap_new(struct transport *inner, struct pcap *pcap, struct err *err);
#endif
