/* SPDX-License-Identifier: BSD-2-Clause */
/* Bridges of old Seagate drives to the ATA disk: Texas Instruments' and NEC's. */
#include "simvendor/ata.h"

/* --- Texas Instruments: 3C --- */

#define TI_PIO	   0x80
#define TI_FASTEST 0x08 /* the bridge chooses the mode of transfer */

/* LBA in three bytes from the highest on. */
static uint64_t seagate_lba24(const uint8_t *p)
{
	return (uint64_t)p[0] << 16 | (uint64_t)p[1] << 8 | (uint64_t)p[2];
}

static bool ti(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	struct disk_ata ata;

	if (cdb[0] != 0x3c)
		return false;
	if (task->cdb_len < 16 || !vendor_rest_is_zero(task, 10) ||
		cdb[1] != (TI_PIO | TI_FASTEST) || cdb[2] != 0 || cdb[7] == 0) {
		vendor_refuse(target, task);
		return true;
	}
	ata = (struct disk_ata){.device = cdb[3],
		.lba = (uint64_t)cdb[4] << 16 | (uint64_t)cdb[5] << 8 | cdb[8],
		.feature = cdb[6],
		.count = cdb[7],
		.command = cdb[9]};
	vendor_pass_ata(target, task, &ata, 512u * cdb[7]);
	return true;
}

const struct vendor_set vendor_ti = {
	.name = "ti",
	.about = "an old Seagate drive with a TI bridge (3C)",
	.vid = 0x0bc2,
	.pid = 0x0502,
	.bcd_device = 0x0200,
	.vendor = "Seagate",
	.product = "External Drive",
	.revision = "0200",
	.run = ti,
};

/* --- NEC: F1 41, and F0 41 for the registers --- */

#define NEC_SIGNATURE 0x41
#define NEC_DATA_IN   0x01

static void nec_registers(struct target *target, struct target_task *task)
{
	struct disk_ata ata = vendor_last_ata(target);
	uint8_t *out = task->answer;

	out[0] = ata.status;
	out[1] = ata.device;
	out[5] = (uint8_t)(ata.lba >> 16);
	out[6] = (uint8_t)(ata.lba >> 8);
	out[7] = (uint8_t)ata.lba;
	out[9] = (uint8_t)ata.count;
	out[10] = ata.error;
	target_answer(task, 11, 11);
}

static bool nec(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	struct disk_ata ata;

	if (cdb[0] != 0xf0 && cdb[0] != 0xf1)
		return false;
	if (task->cdb_len < 16 || cdb[1] != NEC_SIGNATURE) {
		vendor_refuse(target, task);
		return true;
	}
	if (cdb[0] == 0xf0) {
		if (vendor_rest_is_zero(task, 2))
			nec_registers(target, task);
		else
			vendor_refuse(target, task);
		return true;
	}
	/* PIO, data in; no bytes of 48-bit addresses, no multiple. */
	if (cdb[13] != NEC_DATA_IN || seagate_lba24(cdb + 4) != 0 || cdb[10] != 0 || cdb[14] != 0 ||
		cdb[15] != 0) {
		vendor_refuse(target, task);
		return true;
	}
	ata = (struct disk_ata){.command = cdb[2],
		.device = cdb[3],
		.lba = seagate_lba24(cdb + 7),
		.count = cdb[11],
		.feature = cdb[12]};
	vendor_pass_ata(target, task, &ata, 512u * cdb[11]);
	return true;
}

const struct vendor_set vendor_nec = {
	.name = "nec",
	.about = "an old Seagate drive with a NEC bridge (F1)",
	.vid = 0x0bc2,
	.pid = 0x0888,
	.bcd_device = 0x0402,
	.vendor = "Seagate",
	.product = "ST650211USB",
	.revision = "4.02",
	.run = nec,
};
