/* SPDX-License-Identifier: BSD-2-Clause */
/* A bridge with a SCSI to ATA translation layer (SAT-4): ATA PASS-THROUGH (16) and (12), and VPD
 * page 89h. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/ata.h"
#include "simvendor/values.h"

#define PROTOCOL_NON_DATA 3
#define PROTOCOL_PIO_IN	  4
#define PROTOCOL_DMA	  6

#define ASC_ATA_INFORMATION 0x001d /* ATA PASS-THROUGH INFORMATION AVAILABLE */

/* The ATA Status Return descriptor (§12.2.2.6). */
static void return_registers(struct target *target, struct target_task *task,
	const struct disk_ata *ata, bool extend, uint8_t key, uint16_t asc)
{
	uint8_t *d;

	target_fail(target, task, key, asc);
	target->sense.descriptor = true;
	target->sense.has_ata = true;
	d = target->sense.ata;
	memset(d, 0, sizeof(target->sense.ata));
	d[0] = 0x09;
	d[1] = 12;
	d[2] = extend;
	d[3] = ata->error;
	d[4] = extend ? (uint8_t)(ata->count >> 8) : 0;
	d[5] = (uint8_t)ata->count;
	d[6] = extend ? (uint8_t)(ata->lba >> 24) : 0;
	d[7] = (uint8_t)ata->lba;
	d[8] = extend ? (uint8_t)(ata->lba >> 32) : 0;
	d[9] = (uint8_t)(ata->lba >> 8);
	d[10] = extend ? (uint8_t)(ata->lba >> 40) : 0;
	d[11] = (uint8_t)(ata->lba >> 16);
	d[12] = ata->device;
	d[13] = ata->status;
}

static struct disk_ata registers_16(const uint8_t *cdb)
{
	bool extend = cdb[1] & 1;
	struct disk_ata ata = {.feature = cdb[4],
		.count = cdb[6],
		.lba = (uint64_t)cdb[8] | (uint64_t)cdb[10] << 8 | (uint64_t)cdb[12] << 16,
		.device = cdb[13],
		.command = cdb[14]};

	if (extend) {
		ata.count = (uint16_t)(ata.count | cdb[5] << 8);
		ata.lba |=
			(uint64_t)cdb[7] << 24 | (uint64_t)cdb[9] << 32 | (uint64_t)cdb[11] << 40;
	}
	return ata;
}

static struct disk_ata registers_12(const uint8_t *cdb)
{
	return (struct disk_ata){.feature = cdb[3],
		.count = cdb[4],
		.lba = (uint64_t)cdb[5] | (uint64_t)cdb[6] << 8 | (uint64_t)cdb[7] << 16,
		.device = cdb[8],
		.command = cdb[9]};
}

/* How many bytes the CDB says that will move: -1 when its fields contradict each other. */
static int64_t transfer_length(const uint8_t *cdb, const struct disk_ata *ata)
{
	unsigned int protocol = cdb[1] >> 1 & 0x0f, t_length = cdb[2] & 3;
	bool in = cdb[2] & 0x08, blocks = cdb[2] & 0x04;
	uint32_t units = t_length == 1 ? ata->feature : t_length == 2 ? ata->count : 0;

	if (protocol == PROTOCOL_NON_DATA)
		return t_length == 0 ? 0 : -1;
	if ((protocol != PROTOCOL_PIO_IN && protocol != PROTOCOL_DMA) || !in || units == 0)
		return -1;
	return (int64_t)units * (blocks ? 512 : 1);
}

static void pass(struct target *target, struct target_task *task, struct disk_ata ata)
{
	int64_t len = transfer_length(task->cdb, &ata);
	bool extend = task->cdb[0] == 0x85 && task->cdb[1] & 1, check = task->cdb[2] & 0x20;

	if (len < 0) {
		vendor_refuse(target, task);
		return;
	}
	vendor_pass_ata(target, task, &ata, (size_t)len);
	if (ata.status != ATA_STATUS_GOOD)
		return_registers(target, task, &ata, extend, SCSI_KEY_ABORTED_COMMAND, 0);
	else if (check && task->status == SCSI_STATUS_GOOD)
		return_registers(
			target, task, &ata, extend, SCSI_KEY_RECOVERED_ERROR, ASC_ATA_INFORMATION);
}

static void sat_fill(uint8_t *out, const char *text, size_t room)
{
	memset(out, ' ', room);
	memcpy(out, text, mem_min_u64(strlen(text), room));
}

/* ATA Information (§12.4.2). */
static void ata_information(struct target_task *task)
{
	struct disk_ata ata = {.command = 0xec, .count = 1};
	uint8_t sector[DISK_ATA_DATA_MAX], *out = task->answer;

	disk_ata_run(&ata, sector);
	out[1] = 0x89;
	put_be16(out + 2, 568);
	sat_fill(out + 8, "umsctl", 8);
	sat_fill(out + 16, "SAT bridge", 16);
	sat_fill(out + 32, "4.01", 4);
	out[36] = 0x34;
	out[56] = 0xec;
	memcpy(out + 60, sector, 512);
	target_answer(task, 572, get_be16(task->cdb + 3));
}

static bool sat_run(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] == SCSI_INQUIRY && task->cdb_len >= 6 && cdb[1] == 1 && cdb[2] == 0x89)
		ata_information(task);
	else if (cdb[0] == 0x85 && task->cdb_len >= 16)
		pass(target, task, registers_16(cdb));
	else if (cdb[0] == 0xa1 && vendor_rest_is_zero(task, 12))
		pass(target, task, registers_12(cdb));
	else
		return false;
	return true;
}

const struct vendor_set vendor_sat = {
	.name = "sat",
	.about = "a SAT bridge with an ATA disk (85, A1)",
	.vid = 0x152d,
	.pid = 0x0578,
	.bcd_device = 0x0214,
	.spc = 4,
	.vendor = "JMicron",
	.product = "Generic",
	.revision = "0214",
	.run = sat_run,
};
