/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of drives with quirks (quirk.h), as data. */
#ifndef UMS_USB_QUIRK_TABLE_H
#define UMS_USB_QUIRK_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "usb/quirk.h"

/* Where a fact is written. */
enum quirk_source { DEVS, UAS, DETECT, VENDOR };

struct quirk_row {
	uint16_t vid, pid;
	uint16_t bcd_first, bcd_last; /* bcdDevice, both included */
	uint32_t flags;
	uint8_t source;
};

extern const struct quirk_row quirk_table[];
extern const size_t n_quirk_rows;
extern const char *const quirk_sources[];

#endif
