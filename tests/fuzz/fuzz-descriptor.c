/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer target: configuration descriptors. */
#include <stdint.h>
#include <stdlib.h>

#include "usb/descriptor.h"
#include "tests/fuzz/aid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usb_interface interface;
	const struct usb_alternate *alternate;

	if (size == 0)
		return 0;
	usb_find_mass_storage(data + 1, size - 1);
	if (!usb_interface_parse(data + 1, size - 1, data[0], &interface))
		return 0;
	if (interface.n_alternates > USB_MAX_ALTERNATES)
		abort();
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		alternate = usb_alternate_for(&interface, (uint8_t)protocol);
		if (alternate && !(usb_bulk_endpoint(alternate, true) &&
					 usb_bulk_endpoint(alternate, false)))
			abort();
	}
	return 0;
}
