/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link: the endpoints of one claimed USB interface.  It moves bytes and knows nothing of what
 * they mean.  Implementations: libusb (link_libusb.c) and the simulated drive (sim/). One caller at
 * a time; bulk streams come with UAS.
 */
#ifndef UMS_USB_LINK_H
#define UMS_USB_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

/* How a transfer ended.  Bytes that moved before the end are counted whatever it was. */
enum link_result {
	LINK_OK = 0,
	LINK_STALL = -1,     /* the endpoint is halted, or the control request was refused */
	LINK_TIMEOUT = -2,   /* the deadline passed; the transfer is cancelled and reaped */
	LINK_OVERFLOW = -3,  /* the device sent more than was asked (babble) */
	LINK_GONE = -4,	     /* the device has left the bus */
	LINK_NO_MEMORY = -5, /* usbfs memory is spent */
	LINK_IO = -6,	     /* any other failure */
};

enum link_speed {
	LINK_SPEED_UNKNOWN,
	LINK_SPEED_LOW,
	LINK_SPEED_FULL,
	LINK_SPEED_HIGH,
	LINK_SPEED_SUPER,
	LINK_SPEED_SUPER_PLUS,
};

struct link;

/*
 * One bulk transfer that goes on while its caller does something else: several may be under way, on
 * one endpoint or on many.  The struct and its data are the caller's; from submit until reap has
 * handed it back they stay where they are and are not touched.
 */
struct link_transfer {
	uint8_t endpoint; /* bit 7 set: IN */
	uint16_t stream;  /* 1 …; 0: no stream */
	void *data;
	size_t len;
	void *context; /* the caller's */

	/* set when it is handed back */
	enum link_result result;
	size_t moved;

	void *inside; /* the link's, while it is under way */
};

struct link_ops {
	const char *name;

	/* A control request on endpoint 0 (USB 2.0 §9.3); direction is bit 7 of REQUEST_TYPE.  DATA
	 * is the caller's, LEN bytes; *MOVED (never NULL) is set. */
	enum link_result (*control)(struct link *link, uint8_t request_type, uint8_t request,
		uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
		size_t *moved);

	/* A bulk transfer; bit 7 of ENDPOINT is the direction.  A short packet ends an IN transfer
	 * with LINK_OK.  LEN 0 is a zero-length transfer.  *MOVED (never NULL) is set. */
	enum link_result (*bulk)(struct link *link, uint8_t endpoint, void *data, size_t len,
		struct deadline deadline, size_t *moved);

	/* CLEAR_FEATURE(ENDPOINT_HALT) and the host's data toggle. */
	enum link_result (*clear_halt)(struct link *link, uint8_t endpoint);

	/* SET_INTERFACE to ALTERNATE of the claimed interface. */
	enum link_result (*set_alternate)(struct link *link, uint8_t alternate);

	/* Streams 1 … N on all of the N_ENDPOINTS (bulk, of the present alternate setting): returns
	 * N, at most WANTED; 0 when there can be none (USB 3.2 §8.12.1.4).  They last until the
	 * alternate setting is set again or the port is reset.  May be NULL: no streams. */
	unsigned int (*alloc_streams)(struct link *link, unsigned int wanted,
		const uint8_t *endpoint, size_t n_endpoints);

	/* Begins a transfer.  LINK_OK: it is under way and will be handed back by reap; else it is
	 * not.  It has no deadline of its own: cancel ends it.  submit, reap and cancel may all
	 * be NULL: then this link cannot do UAS. */
	enum link_result (*submit)(struct link *link, struct link_transfer *transfer);

	/* Waits for a transfer that has ended, whoever submitted it, also those submitted during
	 * the wait; NULL when DEADLINE passes first. */
	struct link_transfer *(*reap)(struct link *link, struct deadline deadline);

	/* Asks for an end of a transfer that may still be under way: reap hands it back soon, with
	 * LINK_TIMEOUT unless it had ended by itself. */
	void (*cancel)(struct link *link, struct link_transfer *transfer);

	/* Resets the port.  LINK_GONE when the device came back as another one (it must be opened
	 * anew). */
	enum link_result (*reset)(struct link *link);

	/* Gives the interface back to whom it was taken from and frees the link. */
	void (*close)(struct link *link);
};

/* Every implementation's struct begins with this one; filled in before the link is handed out. */
struct link {
	const struct link_ops *ops;
	uint8_t device_descriptor[18];
	const uint8_t *config_descriptor; /* the active configuration, whole; the link's */
	size_t config_len;
	uint8_t interface; /* bInterfaceNumber of the claimed interface */
	enum link_speed speed;
	size_t max_transfer_bytes; /* the most one bulk transfer may carry */
};

/* "stall", "timeout", … for messages. */
const char *link_result_name(enum link_result result);

/* The string descriptor INDEX (first language; UTF-16 outside ASCII as \xNN) into OUT, always
 * ending in NUL; empty when there is none or the device refuses.  USB 2.0 §9.6.7. */
char *link_string(struct link *link, uint8_t index, char *out, size_t room);

/*
 * Opens the device at BUS and ADDRESS through libusb and claims INTERFACE.  DETACH: take it from a
 * kernel driver in one step (USBDEVFS_DISCONNECT_CLAIM) and give it back at close; otherwise a
 * bound driver is ERR_BUSY.  NULL and ERR on failure.
 */
struct link *link_libusb_open(
	uint8_t bus, uint8_t address, uint8_t interface, int detach, struct err *err);

#endif
