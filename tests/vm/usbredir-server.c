/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated drive for a QEMU guest, over usbredir: unlike USB/IP it has SuperSpeed, streams, and
 * sees resets.   usbredir-server SOCKET NAME   listens on the unix socket for one guest, and ends
 * with it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <usbredirparser.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/usb.h"
#include "sim/sim.h"
#include "sim/usb_device.h"
#include "usb/descriptor.h"

#define ENDPOINTS 32
#define INVALID	  255

struct packet {
	struct packet *next;
	uint64_t id;
	struct usb_redir_bulk_packet_header head;
	size_t len;
	uint8_t data[];
};

struct server {
	struct usbredirparser *parser;
	struct usb_device *drive;
	uint8_t alternate;
	struct packet *first;
	int fd;
	bool connected, ended;
};

static unsigned int index_of(uint8_t endpoint)
{
	return (endpoint & 0x80u) >> 3 | (endpoint & 0x0f);
}

static uint8_t status_of(enum device_answer answer)
{
	switch (answer) {
	case DEVICE_DONE:
		return usb_redir_success;
	case DEVICE_STALLS:
		return usb_redir_stall;
	case DEVICE_BABBLES:
		return usb_redir_babble;
	default:
		return usb_redir_ioerror;
	}
}

/* --- what there is --- */

static void send_endpoints(struct server *server)
{
	struct usb_redir_ep_info_header info;
	struct usb_interface interface;
	const uint8_t *config;
	size_t len;

	memset(&info, 0, sizeof(info));
	memset(info.type, INVALID, sizeof(info.type));
	info.type[index_of(0)] = info.type[index_of(0x80)] = usb_redir_type_control;
	config = usb_device_config(server->drive, &len);
	if (usb_interface_parse(config, len, 0, &interface)) {
		for (size_t i = 0; i < interface.n_alternates; i++) {
			const struct usb_alternate *alternate = &interface.alternate[i];

			if (alternate->number != server->alternate)
				continue;
			for (size_t e = 0; e < alternate->n_endpoints; e++) {
				const struct usb_endpoint *endpoint = &alternate->endpoint[e];
				unsigned int at = index_of(endpoint->address);

				info.type[at] = usb_redir_type_bulk;
				info.max_packet_size[at] = endpoint->max_packet;
				if (endpoint->max_streams)
					info.max_streams[at] = 1u << endpoint->max_streams;
			}
		}
	}
	usbredirparser_send_ep_info(server->parser, &info);
}

static void send_interfaces(struct server *server)
{
	struct usb_redir_interface_info_header info;
	struct usb_interface interface;
	const uint8_t *config;
	size_t len;

	memset(&info, 0, sizeof(info));
	config = usb_device_config(server->drive, &len);
	info.interface_count = 1;
	info.interface_class[0] = USB_CLASS_MASS_STORAGE;
	info.interface_subclass[0] = USB_SUBCLASS_SCSI;
	if (usb_interface_parse(config, len, 0, &interface)) {
		for (size_t i = 0; i < interface.n_alternates; i++) {
			if (interface.alternate[i].number == server->alternate)
				info.interface_protocol[0] = interface.alternate[i].protocol;
		}
	}
	usbredirparser_send_interface_info(server->parser, &info);
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
	struct server *server = priv;
	const uint8_t *d = usb_device_descriptor(server->drive);
	struct usb_redir_device_connect_header connect = {
		.speed = usb_device_speed(server->drive) == LINK_SPEED_SUPER ? usb_redir_speed_super
									     : usb_redir_speed_high,
		.vendor_id = get_le16(d + USB_DEVICE_ID_VENDOR),
		.product_id = get_le16(d + USB_DEVICE_ID_PRODUCT),
		.device_version_bcd = get_le16(d + USB_DEVICE_BCD_DEVICE),
	};

	(void)hello;
	send_endpoints(server);
	send_interfaces(server);
	usbredirparser_send_device_connect(server->parser, &connect);
	server->connected = true;
}

/* --- transfers --- */

static void answer(struct server *server, struct packet *packet, uint8_t status, size_t moved)
{
	bool in = packet->head.endpoint & 0x80;

	packet->head.status = status;
	packet->head.length = (uint16_t)moved;
	packet->head.length_high = (uint16_t)(moved >> 16);
	usbredirparser_send_bulk_packet(server->parser, packet->id, &packet->head,
		in && moved > 0 ? packet->data : NULL, in ? (int)moved : 0);
}

static bool is_behind(const struct server *server, const struct packet *packet)
{
	for (const struct packet *p = server->first; p != packet; p = p->next) {
		if (p->head.endpoint == packet->head.endpoint &&
			p->head.stream_id == packet->head.stream_id)
			return true;
	}
	return false;
}

static void pump(struct server *server)
{
	struct packet **p = &server->first;

	while (*p) {
		struct packet *packet = *p;
		enum device_answer result = DEVICE_SILENT;
		size_t moved = 0;

		if (!is_behind(server, packet))
			result = usb_device_bulk(server->drive, packet->head.endpoint,
				(uint16_t)packet->head.stream_id, packet->data, packet->len,
				&moved);
		if (result == DEVICE_SILENT || result == DEVICE_LATER) {
			p = &packet->next;
			continue;
		}
		answer(server, packet, status_of(result), moved);
		*p = packet->next;
		free(packet);
		p = &server->first;
	}
}

static void on_bulk(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *head,
	uint8_t *data, int data_len)
{
	struct server *server = priv;
	size_t len = head->length | (size_t)head->length_high << 16;
	struct packet *packet = calloc(1, sizeof(*packet) + len), **end = &server->first;

	if (packet) {
		packet->id = id;
		packet->head = *head;
		packet->len = len;
		if (data && (size_t)data_len <= len)
			memcpy(packet->data, data, (size_t)data_len);
		while (*end)
			end = &(*end)->next;
		*end = packet;
	}
	usbredirparser_free_packet_data(server->parser, data);
}

static void on_cancel(void *priv, uint64_t id)
{
	struct server *server = priv;

	for (struct packet **p = &server->first; *p; p = &(*p)->next) {
		struct packet *packet = *p;

		if (packet->id != id)
			continue;
		answer(server, packet, usb_redir_cancelled, 0);
		*p = packet->next;
		free(packet);
		return;
	}
}

static void forget_packets(struct server *server)
{
	while (server->first) {
		struct packet *next = server->first->next;

		answer(server, server->first, usb_redir_cancelled, 0);
		free(server->first);
		server->first = next;
	}
}

static void on_control(void *priv, uint64_t id, struct usb_redir_control_packet_header *head,
	uint8_t *data, int data_len)
{
	struct server *server = priv;
	const struct usb_setup setup = {
		head->requesttype, head->request, head->value, head->index, head->length};
	bool in = head->requesttype & 0x80;
	uint8_t buffer[65536] = {0};
	size_t moved = 0;

	if (data && data_len > 0 && (size_t)data_len <= sizeof(buffer))
		memcpy(buffer, data, (size_t)data_len);
	head->status = status_of(usb_device_control(server->drive, &setup, buffer, &moved));
	head->length = (uint16_t)(in ? moved : (size_t)head->length);
	usbredirparser_send_control_packet(
		server->parser, id, head, in && moved > 0 ? buffer : NULL, in ? (int)moved : 0);
	usbredirparser_free_packet_data(server->parser, data);
}

/* --- settings --- */

static void on_reset(void *priv)
{
	struct server *server = priv;

	forget_packets(server);
	usb_device_port_reset(server->drive);
	server->alternate = 0;
}

static void on_set_configuration(
	void *priv, uint64_t id, struct usb_redir_set_configuration_header *set)
{
	struct server *server = priv;
	struct usb_redir_configuration_status_header status = {
		.status = usb_redir_success, .configuration = set->configuration};

	forget_packets(server);
	server->alternate = 0;
	send_endpoints(server);
	send_interfaces(server);
	usbredirparser_send_configuration_status(server->parser, id, &status);
}

static void on_get_configuration(void *priv, uint64_t id)
{
	struct server *server = priv;
	struct usb_redir_configuration_status_header status = {
		.status = usb_redir_success, .configuration = 1};

	usbredirparser_send_configuration_status(server->parser, id, &status);
}

static void on_set_alternate(void *priv, uint64_t id, struct usb_redir_set_alt_setting_header *set)
{
	struct server *server = priv;
	const struct usb_setup setup = {0x01, USB_REQ_SET_INTERFACE, set->alt, set->interface, 0};
	struct usb_redir_alt_setting_status_header status = {
		.interface = set->interface, .alt = set->alt};
	size_t moved;

	forget_packets(server);
	status.status = status_of(usb_device_control(server->drive, &setup, NULL, &moved));
	if (status.status == usb_redir_success) {
		server->alternate = set->alt;
		send_endpoints(server);
		send_interfaces(server);
	}
	usbredirparser_send_alt_setting_status(server->parser, id, &status);
}

static void on_get_alternate(void *priv, uint64_t id, struct usb_redir_get_alt_setting_header *get)
{
	struct server *server = priv;
	struct usb_redir_alt_setting_status_header status = {
		.status = usb_redir_success, .interface = get->interface, .alt = server->alternate};

	usbredirparser_send_alt_setting_status(server->parser, id, &status);
}

static void on_alloc_streams(
	void *priv, uint64_t id, struct usb_redir_alloc_bulk_streams_header *alloc)
{
	struct server *server = priv;
	bool enough = alloc->no_streams <= usb_device_max_streams(server->drive);
	struct usb_redir_bulk_streams_status_header status = {.endpoints = alloc->endpoints,
		.no_streams = alloc->no_streams,
		.status = enough ? usb_redir_success : usb_redir_inval};

	printf("streams %u\n", alloc->no_streams);
	fflush(stdout);
	usbredirparser_send_bulk_streams_status(server->parser, id, &status);
}

static void on_free_streams(
	void *priv, uint64_t id, struct usb_redir_free_bulk_streams_header *given_back)
{
	struct server *server = priv;
	struct usb_redir_bulk_streams_status_header status = {
		.endpoints = given_back->endpoints, .status = usb_redir_success};

	usbredirparser_send_bulk_streams_status(server->parser, id, &status);
}

static void ignore(void *priv)
{
	(void)priv;
}

static void ignore_filter(void *priv, struct usbredirfilter_rule *rules, int n)
{
	(void)priv, (void)n;
	free(rules);
}

/* --- the wire --- */

static void on_log(void *priv, int level, const char *text)
{
	(void)priv;
	if (level <= usbredirparser_warning)
		fprintf(stderr, "usbredir: %s\n", text);
}

static int on_read(void *priv, uint8_t *data, int count)
{
	ssize_t n = recv(((struct server *)priv)->fd, data, (size_t)count, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	return n <= 0 ? -1 : (int)n;
}

static int on_write(void *priv, uint8_t *data, int count)
{
	ssize_t n = send(((struct server *)priv)->fd, data, (size_t)count, MSG_NOSIGNAL);

	return n < 0 ? -1 : (int)n;
}

static void set_up(struct server *server)
{
	uint32_t caps[USB_REDIR_CAPS_SIZE] = {0};
	struct usbredirparser *p = usbredirparser_create();

	server->parser = p;
	p->priv = server;
	p->log_func = on_log;
	p->read_func = on_read;
	p->write_func = on_write;
	p->hello_func = on_hello;
	p->reset_func = on_reset;
	p->set_configuration_func = on_set_configuration;
	p->get_configuration_func = on_get_configuration;
	p->set_alt_setting_func = on_set_alternate;
	p->get_alt_setting_func = on_get_alternate;
	p->alloc_bulk_streams_func = on_alloc_streams;
	p->free_bulk_streams_func = on_free_streams;
	p->cancel_data_packet_func = on_cancel;
	p->control_packet_func = on_control;
	p->bulk_packet_func = on_bulk;
	p->filter_reject_func = ignore;
	p->filter_filter_func = ignore_filter;
	p->device_disconnect_ack_func = ignore;
	usbredirparser_caps_set_cap(caps, usb_redir_cap_bulk_streams);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
	usbredirparser_init(
		p, "umsctl test", caps, USB_REDIR_CAPS_SIZE, usbredirparser_fl_usb_host);
}

static int wait_ms(const struct server *server)
{
	uint64_t now = clock_now_ns(), earliest = now + UINT64_C(1000000000);

	for (const struct packet *p = server->first; p; p = p->next) {
		uint64_t at = usb_device_ready_ns(
			server->drive, p->head.endpoint, (uint16_t)p->head.stream_id);

		if (at > now && at < earliest)
			earliest = at;
	}
	return (int)((earliest - now + 999999) / 1000000);
}

static void run(struct server *server)
{
	while (!server->ended) {
		struct pollfd fd = {.fd = server->fd, .events = POLLIN};

		while (usbredirparser_has_data_to_write(server->parser) > 0) {
			if (usbredirparser_do_write(server->parser) < 0)
				return;
		}
		if (poll(&fd, 1, wait_ms(server)) < 0 && errno != EINTR)
			return;
		if (fd.revents && usbredirparser_do_read(server->parser) < 0)
			return;
		pump(server);
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, 1) != 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct server server = {.fd = -1};
	struct err err;
	int listener;

	if (argc != 3) {
		fprintf(stderr, "usage: usbredir-server SOCKET NAME\n");
		return 1;
	}
	server.drive = sim_device(argv[2], &err);
	if (!server.drive) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	listener = listen_at(argv[1]);
	if (listener < 0) {
		perror(argv[1]);
		return 2;
	}
	printf("listening\n");
	fflush(stdout);
	server.fd = accept(listener, NULL, NULL);
	set_up(&server);
	run(&server);
	usbredirparser_destroy(server.parser);
	usb_device_free(server.drive);
	return 0;
}
