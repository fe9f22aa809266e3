/* SPDX-License-Identifier: BSD-2-Clause */
/* The USB/IP server: who connects, what there is, and whose drive is whose.  See usbip.h. */
#include "sim/usbip.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "proto/usb.h"
#include "proto/usbip.h"
#include "sim/usbip_client.h"

#define CLIENTS_MAX  16
#define LOOK_MS	     200 /* at *stop */
#define PATIENCE_SEC 5	 /* for the rest of a message */

struct server {
	struct usb_device *const *drives;
	size_t n;
	struct usbip_client client[CLIENTS_MAX];
	void (*say)(const char *text);
};

static void server_say(const struct server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void server_say(const struct server *server, const char *format, ...)
{
	char text[200];
	va_list ap;

	if (!server->say)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	server->say(text);
}

static size_t number_of(const struct server *server, const struct usb_device *drive)
{
	size_t i = 0;

	while (i < server->n && server->drives[i] != drive)
		i++;
	return i + 1;
}

/* --- before an import --- */

static void put_device(const struct usb_device *drive, size_t number, uint8_t *out)
{
	static const uint32_t speeds[] = {[LINK_SPEED_FULL] = USBIP_SPEED_FULL,
		[LINK_SPEED_HIGH] = USBIP_SPEED_HIGH,
		[LINK_SPEED_SUPER] = USBIP_SPEED_SUPER};
	const uint8_t *d = usb_device_descriptor(drive);

	memset(out, 0, USBIP_DEVICE_LEN);
	snprintf((char *)out + USBIP_DEVICE_PATH, 256, "/umsctl/sim/1-%zu", number);
	snprintf((char *)out + USBIP_DEVICE_BUSID, USBIP_BUSID_LEN, "1-%zu", number);
	put_be32(out + USBIP_DEVICE_BUSNUM, 1);
	put_be32(out + USBIP_DEVICE_DEVNUM, (uint32_t)number + 1);
	put_be32(out + USBIP_DEVICE_SPEED, speeds[usb_device_speed(drive)]);
	put_be16(out + USBIP_DEVICE_VENDOR, get_le16(d + USB_DEVICE_ID_VENDOR));
	put_be16(out + USBIP_DEVICE_PRODUCT, get_le16(d + USB_DEVICE_ID_PRODUCT));
	put_be16(out + USBIP_DEVICE_BCD, get_le16(d + USB_DEVICE_BCD_DEVICE));
	out[USBIP_DEVICE_CONFIG] = 1;
	out[USBIP_DEVICE_CONFIGS] = 1;
	out[USBIP_DEVICE_INTERFACES] = 1;
}

static bool send_op(int fd, uint16_t code, uint32_t status)
{
	uint8_t op[USBIP_OP_LEN];

	put_be16(op + USBIP_OP_VERSION, USBIP_VERSION);
	put_be16(op + USBIP_OP_CODE, code);
	put_be32(op + USBIP_OP_STATUS, status);
	return usbip_send(fd, op, sizeof(op));
}

/* Whether it can be imported: it is there, or is back, and nobody has it. */
static bool is_free(const struct server *server, const struct usb_device *drive)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (server->client[i].fd >= 0 && server->client[i].drive == drive)
			return false;
	}
	return usb_device_mood(drive) != DEVICE_GONE ||
	       usb_device_returns_ns(drive) <= clock_now_ns();
}

static bool send_list(const struct server *server, int fd)
{
	static const uint8_t interface[USBIP_INTERFACE_LEN] = {
		USB_CLASS_MASS_STORAGE, USB_SUBCLASS_SCSI, USB_PROTOCOL_BOT};
	uint8_t device[USBIP_DEVICE_LEN], count[4];
	uint32_t n = 0;

	for (size_t i = 0; i < server->n; i++)
		n += is_free(server, server->drives[i]);
	put_be32(count, n);
	if (!send_op(fd, USBIP_REP_DEVLIST, 0) || !usbip_send(fd, count, sizeof(count)))
		return false;
	for (size_t i = 0; i < server->n; i++) {
		if (!is_free(server, server->drives[i]))
			continue;
		put_device(server->drives[i], i + 1, device);
		if (!usbip_send(fd, device, sizeof(device)) ||
			!usbip_send(fd, interface, sizeof(interface)))
			return false;
	}
	return true;
}

static bool import(struct server *server, struct usbip_client *client)
{
	char busid[USBIP_BUSID_LEN + 1] = "";
	uint8_t device[USBIP_DEVICE_LEN];

	if (!usbip_receive(client->fd, busid, USBIP_BUSID_LEN))
		return false;
	for (size_t i = 0; i < server->n; i++) {
		char name[24];

		snprintf(name, sizeof(name), "1-%zu", i + 1);
		if (strcmp(name, busid) != 0 || !is_free(server, server->drives[i]))
			continue;
		client->drive = server->drives[i];
		/* To the drive this is being plugged in: power on. */
		usb_device_plug(client->drive);
		put_device(client->drive, i + 1, device);
		server_say(server, "drive 1-%zu is attached", i + 1);
		return send_op(client->fd, USBIP_REP_IMPORT, 0) &&
		       usbip_send(client->fd, device, sizeof(device));
	}
	send_op(client->fd, USBIP_REP_IMPORT, 1);
	return false;
}

/* A list ends its connection, as Linux's server has it. */
static int operate(struct server *server, struct usbip_client *client)
{
	uint8_t op[USBIP_OP_LEN];

	if (!usbip_receive(client->fd, op, sizeof(op)) ||
		get_be16(op + USBIP_OP_VERSION) != USBIP_VERSION)
		return -1;
	switch (get_be16(op + USBIP_OP_CODE)) {
	case USBIP_REQ_DEVLIST:
		send_list(server, client->fd);
		return -1;
	case USBIP_REQ_IMPORT:
		return import(server, client) ? 0 : -1;
	default:
		return -1;
	}
}

/* --- connections --- */

static void part(struct server *server, struct usbip_client *client)
{
	if (client->drive)
		server_say(server, "drive 1-%zu is detached%s", number_of(server, client->drive),
			usb_device_mood(client->drive) == DEVICE_GONE ? ": it has left the bus"
								      : "");
	usbip_client_close(client);
}

static void greet(struct server *server, int listener)
{
	struct timeval patience = {.tv_sec = PATIENCE_SEC};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (server->client[i].fd >= 0)
			continue;
		server->client[i].fd = fd;
		return;
	}
	close(fd);
}

static void serve_client(struct server *server, struct usbip_client *client, bool readable)
{
	int r = 0;

	if (readable)
		r = client->drive ? usbip_client_read(client) : operate(server, client);
	if (r == 0 && client->drive)
		r = usb_device_mood(client->drive) == DEVICE_GONE ? -1 : usbip_client_pump(client);
	if (r < 0)
		part(server, client);
}

static int wait_ms(const struct server *server)
{
	uint64_t now = clock_now_ns(), earliest = now + LOOK_MS * UINT64_C(1000000);

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (server->client[i].fd >= 0 && server->client[i].drive)
			earliest = mem_min_u64(earliest, usbip_client_ready_ns(&server->client[i]));
	}
	return earliest > now ? (int)((earliest - now + 999999) / 1000000) : 0;
}

static int serve_once(struct server *server, int listener, struct err *err)
{
	struct pollfd fds[CLIENTS_MAX + 1] = {{.fd = listener, .events = POLLIN}};

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		fds[i + 1] = (struct pollfd){.fd = server->client[i].fd, .events = POLLIN};
	if (poll(fds, CLIENTS_MAX + 1, wait_ms(server)) < 0 && errno != EINTR)
		return err_sys(err, errno, "waiting for connections");
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (server->client[i].fd >= 0)
			serve_client(server, &server->client[i], fds[i + 1].revents != 0);
	}
	if (fds[0].revents)
		greet(server, listener);
	return 0;
}

int usbip_serve(int listener, struct usb_device *const *drives, size_t n, const atomic_bool *stop,
	void (*say_it)(const char *text), struct err *err)
{
	struct server server = {.drives = drives, .n = n, .say = say_it};
	int status = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		server.client[i].fd = -1;
	while (!*stop && status == 0)
		status = serve_once(&server, listener, err);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (server.client[i].fd >= 0)
			usbip_client_close(&server.client[i]);
	}
	return status;
}

static int bind_first(const struct addrinfo *found)
{
	for (const struct addrinfo *a = found; a; a = a->ai_next) {
		int on = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);

		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, CLIENTS_MAX) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

int usbip_listen(const char *address, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	cleanup_free char *host = strdup(address);
	char *colon = host ? strrchr(host, ':') : NULL;
	struct addrinfo *found = NULL;
	int fd, r;

	if (!colon)
		return err_set(err, ERR_USAGE, "\"%s\" is no ADDRESS:PORT", address);
	*colon = '\0';
	r = getaddrinfo(host, colon + 1, &hints, &found);
	if (r != 0)
		return err_set(err, ERR_USAGE, "%s: %s", address, gai_strerror(r));
	fd = bind_first(found);
	freeaddrinfo(found);
	return fd >= 0 ? fd : err_sys(err, errno, "cannot listen on %s", address);
}
