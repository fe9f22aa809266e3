/* SPDX-License-Identifier: BSD-2-Clause */
/* Small questions to a drive, for the files of this room. */
#ifndef UMS_SCSI_ASK_H
#define UMS_SCSI_ASK_H

#include "scsi/scsi.h"

/* A command that brings LEN bytes into DATA (zeroed first); as scsi_exec. */
int scsi_ask(struct transport *transport, const uint8_t *cdb, size_t cdb_len, void *data,
	size_t len, struct reply *reply, struct err *err);

/* The bytes of VPD page PAGE into OUT of 255 bytes; their number, 0 when the drive refuses it. */
size_t scsi_vpd(struct transport *transport, uint8_t page, uint8_t out[255]);

#endif
