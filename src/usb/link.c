/* SPDX-License-Identifier: BSD-2-Clause */
/* What all links share: see link.h. */
#include "usb/link.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "proto/usb.h"

#define STRING_MS 1000
#define ENGLISH	  0x0409

const char *link_result_name(enum link_result result)
{
	switch (result) {
	case LINK_OK:
		return "ok";
	case LINK_STALL:
		return "the endpoint stalled";
	case LINK_TIMEOUT:
		return "no answer in time";
	case LINK_OVERFLOW:
		return "more data than asked for";
	case LINK_GONE:
		return "the device has gone";
	case LINK_NO_MEMORY:
		return "usbfs memory is spent (see /sys/module/usbcore/parameters/usbfs_memory_mb)";
	case LINK_IO:
		return "a transfer error";
	}
	return "unknown";
}

static size_t get_string(
	struct link *link, uint8_t index, uint16_t language, uint8_t *descriptor, size_t room)
{
	enum link_result result;
	size_t moved;

	result = link->ops->control(link, 0x80, USB_REQ_GET_DESCRIPTOR,
		(uint16_t)(USB_DT_STRING << 8 | index), language, descriptor, (uint16_t)room,
		deadline_in_ms(STRING_MS), &moved);
	if (result != LINK_OK || moved < 2 || descriptor[USB_DESC_TYPE] != USB_DT_STRING)
		return 0;
	return descriptor[USB_DESC_LENGTH] < moved ? descriptor[USB_DESC_LENGTH] : moved;
}

char *link_string(struct link *link, uint8_t index, char *out, size_t room)
{
	uint8_t d[255], text[255];
	uint16_t language = ENGLISH;
	size_t len, n = 0;

	out[0] = '\0';
	if (index == 0)
		return out;
	if (get_string(link, 0, 0, d, sizeof(d)) >= 4)
		language = get_le16(d + 2);
	len = get_string(link, index, language, d, sizeof(d));
	for (size_t i = 2; i + 1 < len; i += 2) {
		if (d[i + 1] != 0)
			text[n++] = d[i + 1];
		text[n++] = d[i];
	}
	return text_escape(text, n, out, room);
}
