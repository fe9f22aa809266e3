/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of the Bulk-Only transport: one exchange (bot.c) and what mends a broken one
 * (bot_recovery.c). */
#ifndef UMS_TRANSPORT_BOT_H
#define UMS_TRANSPORT_BOT_H

#include "transport/transport.h"
#include "usb/link.h"

struct bot {
	struct transport transport;
	struct link *link;
	uint8_t lun;
	uint8_t in, out; /* endpoint addresses */
	uint32_t tag;
	uint32_t epoch;		/* resets so far */
	bool residue_untrusted; /* this device's residues are nonsense */
	bool gone;
	bool cbw_sent; /* of the present exchange */
	bool primed;   /* since the last reset a READ (10) has been sent (QUIRK_INITIAL_READ10) */
};

/*
 * Reset Recovery (BBB §5.3.4): Bulk-Only Mass Storage Reset, then both halts cleared; a port reset
 * when that fails.  -1 when the device is gone or stays dead; then bot->gone is set.
 */
int bot_reset_recovery(struct bot *bot, struct err *err);

#endif
