/* SPDX-License-Identifier: BSD-2-Clause */
/* Bridges of before SAT to the ATA disk: JMicron, Sunplus, Cypress, Prolific.
 * Each takes its own commands alone, and as strictly as its makers' programs send them. */
#include "simvendor/ata.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

bool vendor_rest_is_zero(const struct target_task *task, size_t n)
{
	for (size_t i = n; i < task->cdb_len; i++) {
		if (task->cdb[i] != 0)
			return false;
	}
	return task->cdb_len >= n;
}

void vendor_refuse(struct target *target, struct target_task *task)
{
	target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

static void ata_remember(struct target *target, const struct disk_ata *ata)
{
	memcpy(target->vendor, ata, sizeof(*ata));
}

struct disk_ata vendor_last_ata(const struct target *target)
{
	struct disk_ata ata;

	memcpy(&ata, target->vendor, sizeof(ata));
	/* Before the first command: the signature of a disk that has come up well (ACS-4 §9.2). */
	if (ata.status == 0)
		ata = (struct disk_ata){.error = 1,
			.count = 1,
			.lba = 1,
			.device = 0xa0,
			.status = ATA_STATUS_GOOD};
	return ata;
}

void vendor_pass_ata(
	struct target *target, struct target_task *task, struct disk_ata *ata, size_t len)
{
	disk_ata_run(ata, task->answer);
	ata_remember(target, ata);
	if (ata->status != ATA_STATUS_GOOD)
		target_fail(target, task, SCSI_KEY_ABORTED_COMMAND, 0);
	else if ((ata->len > 0) != (len > 0))
		vendor_refuse(target, task);
	else
		target_answer(task, ata->len, len);
}

static uint64_t ata_lba24(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16;
}

/* In the order of their addresses: error, count, LBA, device, status from byte 1 on. */
static void put_registers(struct target *target, uint8_t *out)
{
	struct disk_ata ata = vendor_last_ata(target);

	out[1] = ata.error;
	out[2] = (uint8_t)ata.count;
	out[3] = (uint8_t)ata.lba;
	out[4] = (uint8_t)(ata.lba >> 8);
	out[5] = (uint8_t)(ata.lba >> 16);
	out[6] = ata.device;
	out[7] = ata.status;
}

/* --- JMicron: DF, direction, length, …, command in the last byte --- */

static bool ata_jmicron(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	struct disk_ata ata;

	if (cdb[0] != 0xdf)
		return false;
	if (!vendor_rest_is_zero(task, 12) || cdb[1] != 0x10 || cdb[2] != 0) {
		vendor_refuse(target, task);
		return true;
	}
	/* A register of the bridge: ports with a drive. */
	if (cdb[11] == 0xfd) {
		task->answer[0] = 0x04;
		if (cdb[6] == 0x72 && cdb[7] == 0x0f && cdb[5] == 0)
			target_answer(task, 1, get_be16(cdb + 3));
		else
			vendor_refuse(target, task);
		return true;
	}
	if (cdb[10] != 0xa0) {
		vendor_refuse(target, task);
		return true;
	}
	ata = (struct disk_ata){.command = cdb[11],
		.feature = cdb[5],
		.count = cdb[6],
		.lba = ata_lba24(cdb + 7),
		.device = cdb[10]};
	vendor_pass_ata(target, task, &ata, get_be16(cdb + 3));
	return true;
}

const struct vendor_set vendor_jmicron_ata = {
	.name = "jmicron-ata",
	.about = "a JMicron bridge of before SAT, with an ATA disk (DF)",
	.vid = 0x152d,
	.pid = 0x2329,
	.bcd_device = 0x0100,
	.vendor = "JMicron",
	.product = "Generic",
	.revision = "0100",
	.run = ata_jmicron,
};

/* --- Sunplus: F8 00 22, and F8 00 21 for the registers --- */

static void sunplus_registers(struct target *target, struct target_task *task)
{
	put_registers(target, task->answer);
	target_answer(task, 8, 8);
}

static bool sunplus(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	struct disk_ata ata;

	if (cdb[0] != 0xf8)
		return false;
	if (cdb[1] == 0 && cdb[2] == 0x21 && vendor_rest_is_zero(task, 3)) {
		sunplus_registers(target, task);
		return true;
	}
	if (cdb[1] != 0 || cdb[2] != 0x22 || (cdb[3] != 0 && cdb[3] != 0x10) ||
		(cdb[10] & 0xa0) != 0xa0 || !vendor_rest_is_zero(task, 12)) {
		vendor_refuse(target, task);
		return true;
	}
	ata = (struct disk_ata){.command = cdb[11],
		.feature = cdb[5],
		.count = cdb[6],
		.lba = ata_lba24(cdb + 7),
		.device = cdb[10]};
	vendor_pass_ata(target, task, &ata, cdb[3] ? 512u * cdb[4] : 0);
	return true;
}

const struct vendor_set vendor_sunplus = {
	.name = "sunplus",
	.about = "a Sunplus bridge with an ATA disk (F8)",
	.vid = 0x04fc,
	.pid = 0x0c25,
	.bcd_device = 0x0103,
	.vendor = "Sunplus",
	.product = "ATA-USB",
	.revision = "2.00",
	.run = sunplus,
};

/* --- Cypress: ATACB, signature 24 24 --- */

/* The alternate status stands first. */
static void cypress_registers(struct target *target, struct target_task *task)
{
	put_registers(target, task->answer);
	task->answer[0] = task->answer[7];
	target_answer(task, 8, 8);
}

/* Byte 3 says which registers are written: feature 1, count 2, LBA 3 to 5, device 6, command 7. */
static bool cypress(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	struct disk_ata ata;

	if (cdb[0] != 0x24)
		return false;
	if (task->cdb_len < 16 || cdb[1] != 0x24) {
		vendor_refuse(target, task);
		return true;
	}
	if (cdb[2] & 1) {
		if (vendor_rest_is_zero(task, 3))
			cypress_registers(target, task);
		else
			vendor_refuse(target, task);
		return true;
	}
	/* IDENTIFY wants its bit, and nothing else has it. */
	if ((cdb[3] & 0x80) == 0 || (cdb[12] == 0xec) != (cdb[2] == 0x80) || cdb[5] != 0) {
		vendor_refuse(target, task);
		return true;
	}
	ata = (struct disk_ata){.command = cdb[12],
		.feature = cdb[3] & 0x02 ? cdb[6] : 0,
		.count = cdb[3] & 0x04 ? cdb[7] : 0,
		.lba = cdb[3] & 0x38 ? ata_lba24(cdb + 8) : 0,
		.device = cdb[11]};
	vendor_pass_ata(target, task, &ata, 512u * cdb[4]);
	return true;
}

const struct vendor_set vendor_cypress = {
	.name = "cypress",
	.about = "a Cypress AT2LP bridge with an ATA disk (24 24)",
	.vid = 0x04b4,
	.pid = 0x6830,
	.bcd_device = 0x0240,
	.vendor = "Cypress",
	.product = "AT2LP",
	.revision = "0240",
	.run = cypress,
};

/* --- Prolific: D8 with 06 7B, and D7 for the registers --- */

static void prolific_registers(struct target *target, struct target_task *task)
{
	struct disk_ata ata = vendor_last_ata(target);
	uint8_t *out = task->answer;

	out[0] = ata.status;
	out[1] = ata.error;
	out[2] = (uint8_t)ata.count;
	out[4] = (uint8_t)ata.lba;
	out[6] = (uint8_t)(ata.lba >> 8);
	out[8] = (uint8_t)(ata.lba >> 16);
	out[10] = ata.device;
	target_answer(task, 16, 16);
}

static bool prolific(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	struct disk_ata ata;

	if (cdb[0] != 0xd7 && cdb[0] != 0xd8)
		return false;
	if (task->cdb_len < 16 || cdb[4] != 0x06 || cdb[5] != 0x7b ||
		(cdb[0] == 0xd8 && (cdb[1] != 0x15 || (cdb[14] & 0xa0) != 0xa0))) {
		vendor_refuse(target, task);
		return true;
	}
	if (cdb[0] == 0xd7) {
		prolific_registers(target, task);
		return true;
	}
	ata = (struct disk_ata){.command = cdb[15],
		.feature = cdb[3],
		.count = cdb[10],
		.lba = ata_lba24(cdb + 11),
		.device = cdb[14]};
	vendor_pass_ata(target, task, &ata, get_be32(cdb + 6));
	return true;
}

const struct vendor_set vendor_prolific = {
	.name = "prolific",
	.about = "a Prolific PL2773 bridge with an ATA disk (D8)",
	.vid = 0x067b,
	.pid = 0x2773,
	.bcd_device = 0x0100,
	.vendor = "Prolific",
	.product = "PL2773",
	.revision = "0100",
	.run = prolific,
};
