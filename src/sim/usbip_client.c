/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of the USB/IP server: see usbip_client.h. */
#include "sim/usbip_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "proto/usb.h"
#include "proto/usbip.h"

#define TRANSFER_MOST (16u << 20)

/* Linux's numbers, whatever machine this is. */
#define STATUS_UNLINKED (-104) /* ECONNRESET */
#define STATUS_STALL	(-32)  /* EPIPE */
#define STATUS_OVERFLOW (-75)  /* EOVERFLOW */

bool usbip_receive(int fd, void *data, size_t len)
{
	for (uint8_t *p = data; len > 0;) {
		ssize_t n = recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool usbip_send(int fd, const void *data, size_t len)
{
	for (const uint8_t *p = data; len > 0;) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool is_in(const struct usbip_urb *urb)
{
	return urb->endpoint & USB_ENDPOINT_IN;
}

static bool client_answer(
	struct usbip_client *client, const struct usbip_urb *urb, int32_t status, size_t moved)
{
	uint8_t head[USBIP_HEAD_LEN] = {0};

	put_be32(head + USBIP_COMMAND, USBIP_RET_SUBMIT);
	put_be32(head + USBIP_SEQNUM, urb->seqnum);
	put_be32(head + USBIP_RET_STATUS, (uint32_t)status);
	put_be32(head + USBIP_RET_ACTUAL, (uint32_t)moved);
	return usbip_send(client->fd, head, sizeof(head)) &&
	       (!is_in(urb) || usbip_send(client->fd, urb->data, moved));
}

static int client_submit(struct usbip_client *client, const uint8_t *head)
{
	uint32_t len = get_be32(head + USBIP_SUBMIT_LENGTH);
	uint32_t endpoint = get_be32(head + USBIP_ENDPOINT);
	bool in = get_be32(head + USBIP_DIRECTION) == 1;
	struct usbip_urb *urb, **end = &client->first;

	if (len > TRANSFER_MOST || endpoint > 15)
		return -1;
	urb = calloc(1, sizeof(*urb) + len);
	if (!urb)
		return -1;
	urb->seqnum = get_be32(head + USBIP_SEQNUM);
	urb->endpoint = (uint8_t)(endpoint | (in ? USB_ENDPOINT_IN : 0));
	urb->len = len;
	memcpy(urb->setup, head + USBIP_SUBMIT_SETUP, sizeof(urb->setup));
	if (!in && !usbip_receive(client->fd, urb->data, len)) {
		free(urb);
		return -1;
	}
	while (*end)
		end = &(*end)->next;
	*end = urb;
	return 0;
}

/* One that has been answered already is 0 to the kernel. */
static int unlink_urb(struct usbip_client *client, const uint8_t *head)
{
	uint32_t seqnum = get_be32(head + USBIP_UNLINK_SEQNUM);
	uint8_t reply[USBIP_HEAD_LEN] = {0};
	int32_t status = 0;

	for (struct usbip_urb **p = &client->first; *p; p = &(*p)->next) {
		struct usbip_urb *urb = *p;

		if (urb->seqnum != seqnum)
			continue;
		*p = urb->next;
		free(urb);
		status = STATUS_UNLINKED;
		break;
	}
	put_be32(reply + USBIP_COMMAND, USBIP_RET_UNLINK);
	memcpy(reply + USBIP_SEQNUM, head + USBIP_SEQNUM, 4);
	put_be32(reply + USBIP_RET_STATUS, (uint32_t)status);
	return usbip_send(client->fd, reply, sizeof(reply)) ? 0 : -1;
}

int usbip_client_read(struct usbip_client *client)
{
	uint8_t head[USBIP_HEAD_LEN];

	if (!usbip_receive(client->fd, head, sizeof(head)))
		return -1;
	switch (get_be32(head + USBIP_COMMAND)) {
	case USBIP_CMD_SUBMIT:
		return client_submit(client, head);
	case USBIP_CMD_UNLINK:
		return unlink_urb(client, head);
	default:
		return -1;
	}
}

static enum device_answer control(struct usbip_client *client, struct usbip_urb *urb, size_t *moved)
{
	const struct usb_setup setup = {urb->setup[0], urb->setup[1], get_le16(urb->setup + 2),
		get_le16(urb->setup + 4),
		(uint16_t)mem_min_u64(get_le16(urb->setup + 6), urb->len)};

	return usb_device_control(client->drive, &setup, urb->data, moved);
}

static enum device_answer client_try(
	struct usbip_client *client, struct usbip_urb *urb, size_t *moved)
{
	if ((urb->endpoint & 15) == 0)
		return control(client, urb, moved);
	return usb_device_bulk(client->drive, urb->endpoint, 0, urb->data, urb->len, moved);
}

static bool client_is_behind(const struct usbip_client *client, const struct usbip_urb *urb)
{
	for (const struct usbip_urb *p = client->first; p != urb; p = p->next) {
		if (p->endpoint == urb->endpoint)
			return true;
	}
	return false;
}

/* 1: answered, 0: not yet, -1: the connection ends. */
static int pump_one(struct usbip_client *client, struct usbip_urb *urb)
{
	size_t moved = 0;

	switch (client_try(client, urb, &moved)) {
	case DEVICE_DONE:
		return client_answer(client, urb, 0, moved) ? 1 : -1;
	case DEVICE_STALLS:
		return client_answer(client, urb, STATUS_STALL, moved) ? 1 : -1;
	case DEVICE_BABBLES:
		return client_answer(client, urb, STATUS_OVERFLOW, moved) ? 1 : -1;
	case DEVICE_GONE:
		return -1;
	default:
		return 0;
	}
}

int usbip_client_pump(struct usbip_client *client)
{
	struct usbip_urb **p = &client->first;

	while (*p) {
		struct usbip_urb *urb = *p;
		int r = client_is_behind(client, urb) ? 0 : pump_one(client, urb);

		if (r < 0)
			return -1;
		if (r == 0) {
			p = &urb->next;
			continue;
		}
		*p = urb->next;
		free(urb);
		/* What has moved may let others move. */
		p = &client->first;
	}
	return 0;
}

uint64_t usbip_client_ready_ns(const struct usbip_client *client)
{
	uint64_t earliest = UINT64_MAX, now = clock_now_ns();

	for (const struct usbip_urb *urb = client->first; urb; urb = urb->next) {
		uint64_t at = usb_device_ready_ns(client->drive, urb->endpoint, 0);

		if (at > now)
			earliest = mem_min_u64(earliest, at);
	}
	return earliest;
}

void usbip_client_close(struct usbip_client *client)
{
	while (client->first) {
		struct usbip_urb *next = client->first->next;

		free(client->first);
		client->first = next;
	}
	close(client->fd);
	*client = (struct usbip_client){.fd = -1};
}
