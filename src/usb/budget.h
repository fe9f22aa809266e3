/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usbfs lends memory for transfers, some MiB to the whole system (usbcore.usbfs_memory_mb, 16 by
 * default).  What this process has under way stays below half of that, so that others can go on.
 */
#ifndef UMS_USB_BUDGET_H
#define UMS_USB_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* Takes LEN bytes; false when that is more than is left.  One transfer is always possible. */
bool budget_take(size_t len);
void budget_give_back(size_t len);

/* A sentence for messages: what the setting is, and where; static. */
const char *budget_advice(void);

#endif
