/* SPDX-License-Identifier: BSD-2-Clause */
/* One sector of a drive read for ourselves, not for the sink: to compare it, or to see whether the
 * drive still reads. */
#ifndef UMS_CAPTURE_PLAIN_H
#define UMS_CAPTURE_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/judge.h"
#include "device/device.h"

#define PLAIN_READ_MS 30000

/* How long a drive that says it is becoming ready is waited for, and how often one READ is sent
 * again for reasons that are not its sectors' fault. */
#define PLAIN_READY_MS	  30000
#define PLAIN_AGAIN_LIMIT 20

/* Reads sector LBA into DATA (a sector's bytes), past unit attentions and the like, TIMEOUT_MS for
 * each READ.  True when it came; *OUTCOME is how the last READ ended. */
bool plain_read(struct device *device, uint64_t lba, unsigned int timeout_ms, void *data,
	enum outcome *outcome);

/* Before a READ is sent again: a moment's pause when the drive said that it is busy. */
void plain_pause(const struct judged *judged);

#endif
