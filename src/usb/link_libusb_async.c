/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several libusb transfers at once, and bulk streams.  libusb calls back from whichever thread
 * handles its events; what has ended then waits in a list until it is reaped.
 */
#include "usb/link_libusb.h"

#include <stdlib.h>

#include "usb/budget.h"

struct usb_pending {
	struct usb_pending *next;
	struct link_usb *usb;
	struct link_transfer *transfer;
	struct libusb_transfer *urb;
};

static enum link_result usb_result_of(enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return LINK_OK;
	case LIBUSB_TRANSFER_STALL:
		return LINK_STALL;
	case LIBUSB_TRANSFER_CANCELLED:
	case LIBUSB_TRANSFER_TIMED_OUT:
		return LINK_TIMEOUT;
	case LIBUSB_TRANSFER_OVERFLOW:
		return LINK_OVERFLOW;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return LINK_GONE;
	default:
		return LINK_IO;
	}
}

static void LIBUSB_CALL on_end(struct libusb_transfer *urb)
{
	struct usb_pending *pending = urb->user_data, **end;
	struct link_usb *usb = pending->usb;

	pending->transfer->result = usb_result_of(urb->status);
	pending->transfer->moved = urb->actual_length > 0 ? (size_t)urb->actual_length : 0;
	budget_give_back(pending->transfer->len);
	pthread_mutex_lock(&usb->lock);
	for (end = &usb->ended; *end; end = &(*end)->next)
		;
	*end = pending;
	pthread_mutex_unlock(&usb->lock);
}

static enum link_result usb_begin(struct link_usb *usb, struct usb_pending *pending)
{
	struct link_transfer *t = pending->transfer;

	if (t->stream)
		libusb_fill_bulk_stream_transfer(pending->urb, usb->handle, t->endpoint, t->stream,
			t->data, (int)t->len, on_end, pending, 0);
	else
		libusb_fill_bulk_transfer(pending->urb, usb->handle, t->endpoint, t->data,
			(int)t->len, on_end, pending, 0);
	return libusb_result(libusb_submit_transfer(pending->urb));
}

enum link_result usb_submit(struct link *link, struct link_transfer *transfer)
{
	struct link_usb *usb = (struct link_usb *)link;
	struct usb_pending *pending = calloc(1, sizeof(*pending));
	enum link_result result = LINK_NO_MEMORY;

	if (!pending)
		return result;
	pending->usb = usb;
	pending->transfer = transfer;
	pending->urb = libusb_alloc_transfer(0);
	if (pending->urb && budget_take(transfer->len)) {
		transfer->inside = pending;
		pthread_mutex_lock(&usb->lock);
		usb->under_way++;
		pthread_mutex_unlock(&usb->lock);
		result = usb_begin(usb, pending);
		if (result == LINK_OK)
			return result;
		pthread_mutex_lock(&usb->lock);
		usb->under_way--;
		pthread_mutex_unlock(&usb->lock);
		budget_give_back(transfer->len);
	}
	libusb_free_transfer(pending->urb);
	free(pending);
	transfer->inside = NULL;
	return result;
}

static struct link_transfer *usb_take_ended(struct link_usb *usb)
{
	struct link_transfer *transfer = NULL;
	struct usb_pending *pending;

	pthread_mutex_lock(&usb->lock);
	pending = usb->ended;
	if (pending) {
		usb->ended = pending->next;
		usb->under_way--;
		transfer = pending->transfer;
		transfer->inside = NULL;
	}
	pthread_mutex_unlock(&usb->lock);
	if (pending) {
		libusb_free_transfer(pending->urb);
		free(pending);
	}
	return transfer;
}

struct link_transfer *usb_reap(struct link *link, struct deadline deadline)
{
	struct link_usb *usb = (struct link_usb *)link;

	for (;;) {
		struct link_transfer *transfer = usb_take_ended(usb);
		unsigned int ms = deadline_left_ms(deadline);
		struct timeval left = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

		if (transfer || ms == 0)
			return transfer;
		libusb_handle_events_timeout_completed(usb->context, &left, NULL);
	}
}

/* With the lock held, so that it is not reaped by another thread meanwhile. */
void usb_cancel(struct link *link, struct link_transfer *transfer)
{
	struct link_usb *usb = (struct link_usb *)link;
	struct usb_pending *pending;

	pthread_mutex_lock(&usb->lock);
	pending = transfer->inside;
	if (pending)
		libusb_cancel_transfer(pending->urb);
	pthread_mutex_unlock(&usb->lock);
}

void usb_free_streams(struct link_usb *usb)
{
	if (usb->n_streaming > 0)
		libusb_free_streams(usb->handle, usb->streaming, usb->n_streaming);
	usb->n_streaming = 0;
}

unsigned int usb_alloc_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints)
{
	struct link_usb *usb = (struct link_usb *)link;
	int r;

	if (n_endpoints > sizeof(usb->streaming))
		return 0;
	for (size_t i = 0; i < n_endpoints; i++)
		usb->streaming[i] = endpoint[i];
	r = libusb_alloc_streams(usb->handle, wanted, usb->streaming, (int)n_endpoints);
	usb->n_streaming = r > 0 ? (int)n_endpoints : 0;
	return r > 0 ? (unsigned int)r : 0;
}
