/* SPDX-License-Identifier: BSD-2-Clause */
/* Controllers of sticks and card readers: Phison, Silicon Motion, Alcor, Genesys.  What they write
 * or where they boot is refused. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/ata.h"
#include "simvendor/values.h"

/* A page of N bytes in which nothing is zero, so that what a test reads is not by chance. */
static void fill_page(struct target_task *task, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		task->answer[i] = (uint8_t)(first + i % 199) | 1;
}

static void lengthen(uint8_t *out, size_t n)
{
	out[4] = (uint8_t)(n - 5);
}

/* --- Phison: 06 --- */

static void phison_info(struct target_task *task)
{
	uint8_t *out = task->answer;

	fill_page(task, 528, 0x10);
	memcpy(out + 0x94, "\x01\x05\x10", 3); /* firmware */
	memcpy(out + 0x97, "\x17\x11\x13", 3); /* date */
	memset(out + 0xa0, ' ', 8);
	memcpy(out + 0xa0, SIM_PHISON_MODE, sizeof(SIM_PHISON_MODE) - 1);
	memcpy(out + 0x17a, "VR", 2);
	memcpy(out + 0x17e, SIM_PHISON_CHIP, 2);
	memcpy(out + 512, "IF", 2);
	target_answer(task, 528, 528);
}

static bool phison(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] != 0x06 || task->cdb_len < 9)
		return false;
	if (cdb[1] == 0x05 && get_be32(cdb + 2) == 0 && get_be16(cdb + 6) == 0 && cdb[8] <= 1 &&
		vendor_rest_is_zero(task, 9)) {
		phison_info(task);
	} else if (cdb[1] == 0x56 && vendor_rest_is_zero(task, 2)) {
		fill_page(task, 512, 0x20);
		memset(task->answer, 0, 128);
		memcpy(task->answer, SIM_PHISON_NAND, 6);
		target_answer(task, 512, 512);
	} else if (cdb[1] == 0xb0 && get_be24(cdb + 2) == 8) {
		fill_page(task, 8, 0x30);
		target_answer(task, 8, 8);
	} else {
		vendor_refuse(target, task);
	}
	return true;
}

static size_t phison_inquiry(uint8_t *out, size_t n)
{
	memcpy(out + n, "PMAP\0\0\0\0", 8);
	lengthen(out, n + 8);
	return n + 8;
}

const struct vendor_set vendor_phison = {
	.name = "phison",
	.about = "a stick with a Phison PS2251 (06)",
	.vid = 0x13fe,
	.pid = 0x5200,
	.bcd_device = 0x0110,
	.vendor = "Generic",
	.product = "USB DISK 3.0",
	.revision = "PMAP",
	.inquiry = phison_inquiry,
	.run = phison,
};

/* --- Silicon Motion: F0, with 01 in byte 11 --- */

static bool smi(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] != 0xf0 || task->cdb_len < 16)
		return false;
	if (cdb[11] != 1 || get_be64(cdb + 2) != 0 || cdb[10] != 0 || get_be32(cdb + 12) != 0) {
		vendor_refuse(target, task);
		return true;
	}
	fill_page(task, 512, 0x40);
	if (cdb[1] == 0x2a) {
		memset(task->answer + 0x190, ' ', 46);
		memcpy(task->answer + 0x190, SIM_SMI_FIRMWARE, sizeof(SIM_SMI_FIRMWARE) - 1);
		memcpy(task->answer + 0x1ae, SIM_SMI_MODEL, sizeof(SIM_SMI_MODEL) - 1);
	} else if (cdb[1] == 0x06) {
		memset(task->answer + 0x30, 0, 128);
		memcpy(task->answer + 0x30, SIM_SMI_NAND, 6);
		memcpy(task->answer + 0x60, SIM_SMI_NAND, 6);
	} else {
		vendor_refuse(target, task);
		return true;
	}
	target_answer(task, 512, 512);
	return true;
}

const struct vendor_set vendor_smi = {
	.name = "smi",
	.about = "a stick with a Silicon Motion SM3257 (F0)",
	.vid = 0x090c,
	.pid = 0x1000,
	.bcd_device = 0x1100,
	.vendor = "SMI",
	.product = "USB DISK",
	.revision = "1100",
	.run = smi,
};

/* --- Alcor: 9A and FA --- */

static bool alcor(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	bool good;

	if (cdb[0] != 0x9a && cdb[0] != 0xfa)
		return false;
	good = cdb[0] == 0x9a ? task->cdb_len >= 16 && vendor_rest_is_zero(task, 1)
			      : (cdb[1] == 0x0e || cdb[1] == 0x00) && vendor_rest_is_zero(task, 2);
	if (!good) {
		vendor_refuse(target, task);
		return true;
	}
	fill_page(task, 512, 0x50);
	if (cdb[0] == 0x9a) {
		memcpy(task->answer + 4, SIM_ALCOR_CHIP, 2);
		task->answer[0x25] = SIM_ALCOR_BAD;
		memcpy(task->answer + 0x2b, SIM_ALCOR_FIRMWARE, 4);
	} else if (cdb[1] == 0x0e) {
		memcpy(task->answer + 4, SIM_ALCOR_VERSION, 4);
		task->answer[0x0b] = SIM_ALCOR_REVISION;
	} else {
		memset(task->answer, 0, 128);
		memcpy(task->answer, SIM_ALCOR_NAND, 6);
		memcpy(task->answer + 16, SIM_ALCOR_NAND, 6);
	}
	target_answer(task, 512, 512);
	return true;
}

const struct vendor_set vendor_alcor = {
	.name = "alcor",
	.about = "a stick with an Alcor AU6987 (9A)",
	.vid = 0x058f,
	.pid = 0x6387,
	.bcd_device = 0x0103,
	.vendor = "Generic",
	.product = "Flash Disk",
	.revision = "8.07",
	.run = alcor,
};

/* --- Genesys: F2 FF, E4 01 --- */

static bool genesys(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	uint16_t address = get_be16(cdb + 2);

	if (cdb[0] != 0xf2 && cdb[0] != 0xe4)
		return false;
	if (cdb[0] == 0xf2 && cdb[1] == 0xff && vendor_rest_is_zero(task, 2)) {
		task->answer[0] = target->settings->speed == SIM_SPEED_SUPER  ? 3
				  : target->settings->speed == SIM_SPEED_HIGH ? 2
									      : 1;
		target_answer(task, 1, 1);
	} else if (cdb[0] == 0xe4 && cdb[1] == 0x01 && cdb[4] == 4 &&
		   vendor_rest_is_zero(task, 5) && (address == 0x00fc || address == 0xbf80)) {
		memcpy(task->answer, address == 0x00fc ? "INT-" : SIM_GENESYS_CUSTOMER, 4);
		target_answer(task, 4, 4);
	} else {
		vendor_refuse(target, task);
	}
	return true;
}

static size_t genesys_inquiry(uint8_t *out, size_t n)
{
	memcpy(out + n, "0123456789", 10);
	lengthen(out, n + 10);
	return n + 10;
}

const struct vendor_set vendor_genesys = {
	.name = "genesys",
	.about = "a card reader with a Genesys GL3224 (F2, E4)",
	.vid = 0x05e3,
	.pid = 0x0749,
	.bcd_device = 0x1532,
	.vendor = "Generic",
	.product = "MassStorageClass",
	.revision = SIM_GENESYS_VERSION,
	.inquiry = genesys_inquiry,
	.run = genesys,
};

/* The same for GL323x, whose registers are elsewhere. */
static bool gl323x(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	uint16_t address = get_be16(cdb + 2);

	if (cdb[0] != 0xe4)
		return genesys(target, task);
	if (cdb[1] == 0x01 && cdb[4] == 4 && vendor_rest_is_zero(task, 5) &&
		(address == 0x00dc || address == 0x3500)) {
		memcpy(task->answer, address == 0x00dc ? "XROM" : SIM_GENESYS_CUSTOMER, 4);
		target_answer(task, 4, 4);
	} else {
		vendor_refuse(target, task);
	}
	return true;
}

const struct vendor_set vendor_gl323x = {
	.name = "gl323x",
	.about = "a card reader with a Genesys GL323x (F2, E4)",
	.vid = 0x05e3,
	.pid = 0x0764,
	.bcd_device = 0x1532,
	.vendor = "Generic",
	.product = "STORAGE DEVICE",
	.revision = SIM_GENESYS_VERSION,
	.inquiry = genesys_inquiry,
	.run = gl323x,
};
