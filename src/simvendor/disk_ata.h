/* SPDX-License-Identifier: BSD-2-Clause */
/* The ATA disk behind a simulated bridge (ACS-4): what it answers to the registers of a command. */
#ifndef UMS_SIMVENDOR_DISK_ATA_H
#define UMS_SIMVENDOR_DISK_ATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_ATA_DATA_MAX 4096

#define ATA_STATUS_GOOD	  0x50 /* DRDY, seek complete */
#define ATA_STATUS_FAILED 0x51
#define ATA_ERROR_ABORT	  0x04

/* The registers, in and out; DATA of LEN bytes is the command's answer. */
struct disk_ata {
	uint8_t command, feature, device;
	uint16_t count;
	uint64_t lba;
	uint8_t error, status;
	size_t len;
};

/* Carries it out: LEN bytes of its answer stand in DATA (DISK_ATA_DATA_MAX bytes). */
void disk_ata_run(struct disk_ata *ata, uint8_t *data);

#endif
