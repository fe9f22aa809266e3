/* SPDX-License-Identifier: BSD-2-Clause */
/* The transfers of a command: see phases.h. */
#include "cli/phases.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/bot.h"
#include "proto/uas.h"
#include "proto/usb.h"

void phases_begin(struct phases *phases)
{
	*phases = (struct phases){.began_ns = clock_now_ns()};
}

/* Known by what is in it, as Wireshark knows it: the wrappers of Bulk-Only have signatures, the
 * information units of UAS an id and their length. */
static const char *phase_name(const struct pcap_urb *urb)
{
	const uint8_t *p = urb->data;
	bool in = urb->endpoint & USB_ENDPOINT_IN;

	if (urb->control)
		return "control";
	/* What comes in is there when it has ended. */
	if (!p || in != urb->ended)
		return "data";
	if (!in && urb->len == CBW_LEN && get_le32(p + CBW_SIGNATURE) == CBW_SIGNATURE_VALUE)
		return "CBW";
	if (in && urb->len == CSW_LEN && get_le32(p + CSW_SIGNATURE) == CSW_SIGNATURE_VALUE)
		return "CSW";
	if (!in && urb->len >= IU_COMMAND_LEN && p[IU_ID] == IU_ID_COMMAND)
		return "COMMAND IU";
	if (in && urb->len >= IU_SENSE_HEAD && p[IU_ID] == IU_ID_SENSE)
		return "SENSE IU";
	if (in && urb->len == IU_READY_LEN &&
		(p[IU_ID] == IU_ID_READ_READY || p[IU_ID] == IU_ID_WRITE_READY))
		return "READY IU";
	return "data";
}

static struct phase *phase_find(struct phases *phases, uint64_t id)
{
	for (size_t i = phases->n; i > 0; i--) {
		if (phases->phase[i - 1].id == id && !phases->phase[i - 1].ended)
			return &phases->phase[i - 1];
	}
	return NULL;
}

void phases_watch(void *context, const struct pcap_urb *urb)
{
	struct phases *phases = context;
	uint64_t now = clock_now_ns();
	struct phase *phase;

	if (!urb->ended && phases->n < PHASES_MAX) {
		phases->phase[phases->n++] = (struct phase){
			.id = urb->id,
			.control = urb->control,
			.endpoint = urb->endpoint,
			.what = phase_name(urb),
			.from_ns = now - phases->began_ns,
		};
	} else if (urb->ended && (phase = phase_find(phases, urb->id))) {
		phase->ended = true;
		phase->len = urb->len;
		phase->result = urb->result;
		phase->ns = now - phases->began_ns - phase->from_ns;
		if (urb->endpoint & USB_ENDPOINT_IN)
			phase->what = phase_name(urb);
	}
}

void phases_print(FILE *out, const struct phases *phases)
{
	for (size_t i = 0; i < phases->n; i++) {
		const struct phase *phase = &phases->phase[i];

		fprintf(out, "  %9.3f ms  %-10s %02x %-3s %7zu bytes  %8.3f ms%s%s\n",
			(double)phase->from_ns / 1e6, phase->what, phase->endpoint,
			phase->endpoint & USB_ENDPOINT_IN ? "in" : "out", phase->len,
			(double)phase->ns / 1e6, phase->result == LINK_OK ? "" : "  ",
			phase->result == LINK_OK ? "" : link_result_name(phase->result));
	}
}

struct json_object *phases_json(const struct phases *phases)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < phases->n; i++) {
		const struct phase *phase = &phases->phase[i];
		struct json_object *o = json_object_new_object();

		json_add_text(&o, "phase", phase->what);
		json_add_number(&o, "endpoint", phase->endpoint);
		json_add_number(&o, "bytes", phase->len);
		json_add_ms(&o, "from_ms", phase->from_ns);
		json_add_ms(&o, "ms", phase->ns);
		json_add_text(&o, "result",
			phase->result == LINK_OK ? "ok" : link_result_name(phase->result));
		json_append(&array, o);
	}
	return array;
}
