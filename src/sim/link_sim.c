/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host controller between a link and a simulated device: it waits where a real one would, and
 * passes everything else on.  Transfers that are under way stand in a list in the order in which
 * they came; each is tried again whenever something has moved, and when its time has come.
 */
#include "sim/link_sim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proto/usb.h"
#include "sim/sim.h"

#define MAX_TRANSFER (1u << 20)

/* A transfer that has been submitted and not yet reaped; transfer->inside points here. */
struct pending {
	struct pending *next;
	struct link_transfer *transfer;
	uint64_t ended; /* 0: under way; else its place in the order in which they ended */
};

struct sim_link {
	struct link link;
	struct usb_device *device;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pending *first; /* in the order of submission */
	uint64_t n_ended;
	unsigned int streams; /* granted */
};

static struct sim_link *sim_of(struct link *link)
{
	return (struct sim_link *)link;
}

static enum link_result sim_result_of(enum device_answer answer)
{
	switch (answer) {
	case DEVICE_DONE:
		return LINK_OK;
	case DEVICE_STALLS:
		return LINK_STALL;
	case DEVICE_BABBLES:
		return LINK_OVERFLOW;
	case DEVICE_GONE:
		return LINK_GONE;
	default:
		return LINK_TIMEOUT;
	}
}

static bool is_waiting(enum device_answer answer)
{
	return answer == DEVICE_LATER || answer == DEVICE_SILENT;
}

/* --- transfers under way --- */

/* A pipe, or a stream of it, carries one transfer after the other: true when one that was submitted
 * before PENDING is still under way there. */
static bool sim_is_behind(const struct sim_link *sim, const struct pending *pending)
{
	for (const struct pending *p = sim->first; p != pending; p = p->next) {
		if (!p->ended && p->transfer->endpoint == pending->transfer->endpoint &&
			p->transfer->stream == pending->transfer->stream)
			return true;
	}
	return false;
}

static bool sim_try(struct sim_link *sim, struct pending *pending)
{
	struct link_transfer *t = pending->transfer;
	enum device_answer answer;

	if (pending->ended || sim_is_behind(sim, pending))
		return false;
	answer = usb_device_bulk(sim->device, t->endpoint, t->stream, t->data, t->len, &t->moved);
	if (is_waiting(answer))
		return false;
	t->result = sim_result_of(answer);
	pending->ended = ++sim->n_ended;
	return true;
}

/* Tries all, again and again until none ends any more: the end of one (a command taken) may be what
 * another (its data) was waiting for. */
static void sim_pump(struct sim_link *sim)
{
	bool moved = true, any = false;

	while (moved) {
		moved = false;
		for (struct pending *p = sim->first; p; p = p->next)
			moved |= sim_try(sim, p);
		any |= moved;
	}
	if (any)
		pthread_cond_broadcast(&sim->changed);
}

static uint64_t next_time(const struct sim_link *sim)
{
	uint64_t earliest = UINT64_MAX;

	for (const struct pending *p = sim->first; p; p = p->next) {
		uint64_t at = usb_device_ready_ns(
			sim->device, p->transfer->endpoint, p->transfer->stream);

		/* One whose time has come was tried a moment ago and did not end: it waits for
		 * another transfer, not for a time. */
		if (!p->ended && at > clock_now_ns())
			earliest = mem_min_u64(earliest, at);
	}
	return earliest;
}

static enum link_result sim_submit(struct link *link, struct link_transfer *transfer)
{
	struct sim_link *sim = sim_of(link);
	struct pending *pending, **end = &sim->first;

	if (transfer->stream > sim->streams)
		return LINK_IO;
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return LINK_NO_MEMORY;
	pending->transfer = transfer;
	transfer->inside = pending;
	transfer->moved = 0;
	pthread_mutex_lock(&sim->lock);
	if (usb_device_mood(sim->device) == DEVICE_GONE) {
		pthread_mutex_unlock(&sim->lock);
		transfer->inside = NULL;
		free(pending);
		return LINK_GONE;
	}
	while (*end)
		end = &(*end)->next;
	*end = pending;
	sim_pump(sim);
	pthread_mutex_unlock(&sim->lock);
	return LINK_OK;
}

/* With the lock held: a reset, or another alternate setting, ends what is under way. */
static void sim_end_all(struct sim_link *sim)
{
	for (struct pending *p = sim->first; p; p = p->next) {
		if (p->ended)
			continue;
		p->transfer->result = LINK_IO;
		p->ended = ++sim->n_ended;
	}
	sim->streams = 0;
	pthread_cond_broadcast(&sim->changed);
}

/* Takes the one that ended first out of the list. */
static struct link_transfer *sim_take_ended(struct sim_link *sim)
{
	struct pending **earliest = NULL, *pending;
	struct link_transfer *transfer;

	for (struct pending **p = &sim->first; *p; p = &(*p)->next) {
		if ((*p)->ended && (!earliest || (*p)->ended < (*earliest)->ended))
			earliest = p;
	}
	if (!earliest)
		return NULL;
	pending = *earliest;
	*earliest = pending->next;
	transfer = pending->transfer;
	transfer->inside = NULL;
	free(pending);
	return transfer;
}

static struct link_transfer *sim_reap(struct link *link, struct deadline deadline)
{
	struct sim_link *sim = sim_of(link);
	struct link_transfer *transfer;

	pthread_mutex_lock(&sim->lock);
	for (;;) {
		sim_pump(sim);
		transfer = sim_take_ended(sim);
		if (transfer || clock_now_ns() >= deadline.at_ns)
			break;
		clock_wait_until(
			&sim->changed, &sim->lock, mem_min_u64(next_time(sim), deadline.at_ns));
	}
	pthread_mutex_unlock(&sim->lock);
	return transfer;
}

static void sim_cancel(struct link *link, struct link_transfer *transfer)
{
	struct sim_link *sim = sim_of(link);
	struct pending *pending;

	pthread_mutex_lock(&sim->lock);
	pending = transfer->inside;
	if (pending && !pending->ended) {
		pending->ended = ++sim->n_ended;
		transfer->result = LINK_TIMEOUT;
		sim_pump(sim);
		pthread_cond_broadcast(&sim->changed);
	}
	pthread_mutex_unlock(&sim->lock);
}

static unsigned int sim_alloc_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints)
{
	struct sim_link *sim = sim_of(link);
	unsigned int most = usb_device_max_streams(sim->device);

	(void)endpoint, (void)n_endpoints;
	sim->streams = (unsigned int)mem_min_u64(wanted, most);
	return sim->streams;
}

/* --- one at a time --- */

static enum link_result sim_control(struct link *link, uint8_t request_type, uint8_t request,
	uint16_t value, uint16_t index, void *data, uint16_t len, struct deadline deadline,
	size_t *moved)
{
	struct usb_setup setup = {request_type, request, value, index, len};
	struct sim_link *sim = sim_of(link);
	enum device_answer answer;

	pthread_mutex_lock(&sim->lock);
	answer = usb_device_control(sim->device, &setup, data, moved);
	sim_pump(sim);
	while (is_waiting(answer) && clock_now_ns() < deadline.at_ns)
		clock_wait_until(&sim->changed, &sim->lock, deadline.at_ns);
	pthread_mutex_unlock(&sim->lock);
	return sim_result_of(answer);
}

static enum link_result sim_bulk(struct link *link, uint8_t endpoint, void *data, size_t len,
	struct deadline deadline, size_t *moved)
{
	struct sim_link *sim = sim_of(link);
	enum device_answer answer;

	pthread_mutex_lock(&sim->lock);
	for (;;) {
		uint64_t at = deadline.at_ns;

		answer = usb_device_bulk(sim->device, endpoint, 0, data, len, moved);
		if (!is_waiting(answer) || clock_now_ns() >= deadline.at_ns)
			break;
		if (answer == DEVICE_LATER)
			at = mem_min_u64(at, usb_device_ready_ns(sim->device, endpoint, 0));
		clock_wait_until(&sim->changed, &sim->lock, at);
	}
	sim_pump(sim);
	pthread_mutex_unlock(&sim->lock);
	return sim_result_of(answer);
}

#define REQUEST_MS 1000

static enum link_result sim_clear_halt(struct link *link, uint8_t endpoint)
{
	size_t moved;

	return sim_control(link, 0x02, USB_REQ_CLEAR_FEATURE, USB_FEATURE_ENDPOINT_HALT, endpoint,
		NULL, 0, deadline_in_ms(REQUEST_MS), &moved);
}

static enum link_result sim_set_alternate(struct link *link, uint8_t alternate)
{
	enum link_result result;
	size_t moved;

	result = sim_control(link, 0x01, USB_REQ_SET_INTERFACE, alternate, 0, NULL, 0,
		deadline_in_ms(REQUEST_MS), &moved);
	pthread_mutex_lock(&sim_of(link)->lock);
	sim_end_all(sim_of(link));
	pthread_mutex_unlock(&sim_of(link)->lock);
	return result;
}

static enum link_result sim_reset(struct link *link)
{
	struct sim_link *sim = sim_of(link);
	enum link_result result;

	pthread_mutex_lock(&sim->lock);
	usb_device_port_reset(sim->device);
	result = sim_result_of(usb_device_mood(sim->device));
	sim_end_all(sim);
	pthread_mutex_unlock(&sim->lock);
	return result;
}

static void sim_close(struct link *link)
{
	struct sim_link *sim = sim_of(link);

	while (sim->first) {
		struct pending *next = sim->first->next;

		free(sim->first);
		sim->first = next;
	}
	sim_unplugged(sim->device);
	pthread_cond_destroy(&sim->changed);
	pthread_mutex_destroy(&sim->lock);
	free(sim);
}

static const struct link_ops link_sim = {
	.name = "sim",
	.control = sim_control,
	.bulk = sim_bulk,
	.clear_halt = sim_clear_halt,
	.set_alternate = sim_set_alternate,
	.alloc_streams = sim_alloc_streams,
	.submit = sim_submit,
	.reap = sim_reap,
	.cancel = sim_cancel,
	.reset = sim_reset,
	.close = sim_close,
};

struct link *link_sim_new(struct usb_device *device, struct err *err)
{
	struct sim_link *sim = calloc(1, sizeof(*sim));

	if (!sim) {
		usb_device_free(device);
		err_memory(err, "for a simulated drive");
		return NULL;
	}
	pthread_mutex_init(&sim->lock, NULL);
	clock_cond_init(&sim->changed);
	sim->device = device;
	sim->link.ops = &link_sim;
	memcpy(sim->link.device_descriptor, usb_device_descriptor(device),
		sizeof(sim->link.device_descriptor));
	sim->link.config_descriptor = usb_device_config(device, &sim->link.config_len);
	sim->link.speed = usb_device_speed(device);
	sim->link.max_transfer_bytes = MAX_TRANSFER;
	return &sim->link;
}
