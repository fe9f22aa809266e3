/* SPDX-License-Identifier: BSD-2-Clause */
/* What the bridges to the ATA disk share. */
#ifndef UMS_SIMVENDOR_ATA_H
#define UMS_SIMVENDOR_ATA_H

#include "proto/scsi.h"
#include "simvendor/disk_ata.h"
#include "simvendor/sets.h"

/* Bytes N and up of the CDB are zero: Linux fills Bulk-Only's up to 16. */
bool vendor_rest_is_zero(const struct target_task *task, size_t n);

/* TASK fails with ILLEGAL REQUEST, INVALID FIELD IN CDB. */
void vendor_refuse(struct target *target, struct target_task *task);

/* Carries out ATA, whose answer the host wants LEN bytes of (0: a command without data), keeps the
 * registers for a question about them, and ends TASK: an ATA error is ABORTED COMMAND. */
void vendor_pass_ata(
	struct target *target, struct target_task *task, struct disk_ata *ata, size_t len);

/* The registers after the last command. */
struct disk_ata vendor_last_ata(const struct target *target);

#endif
