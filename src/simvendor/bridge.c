/* SPDX-License-Identifier: BSD-2-Clause */
/* What bridges say of themselves: JMicron JMS567, ASMedia, Realtek; and WD's encrypting enclosures.
 * What writes, resets or unlocks is refused. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/ata.h"
#include "simvendor/values.h"

static void pattern(struct target_task *task, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		task->answer[i] = (uint8_t)(first + 7 * i) | 1;
}

static void forbid(struct target *target, struct target_task *task)
{
	target_fail(target, task, SCSI_KEY_DATA_PROTECT, ASC_WRITE_PROTECTED);
}

/* --- JMicron --- */

static bool jms567(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] != 0xe0 && cdb[0] != 0xdf && cdb[0] != 0xff)
		return false;
	if (cdb[0] == 0xe0 && cdb[1] == 0xf4 && cdb[2] == 0xe7 && vendor_rest_is_zero(task, 3)) {
		pattern(task, 16, 0x21);
		memcpy(task->answer + 12, SIM_JMS567_VERSION, 4);
		target_answer(task, 16, 16);
	} else {
		forbid(target, task);
	}
	return true;
}

const struct vendor_set vendor_jms567 = {
	.name = "jms567",
	.about = "a JMicron JMS567: the bridge itself (E0 F4 E7)",
	.vid = 0x152d,
	.pid = 0x0567,
	.bcd_device = 0x5203,
	.vendor = "JMicron",
	.product = "JMS567",
	.revision = "5203",
	.run = jms567,
};

/* --- ASMedia --- */

#define ASMEDIA_VERSION_AT 0x07f0

static void asmedia_memory(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	uint16_t address = get_be16(cdb + 3);

	if (cdb[1] == 0 || cdb[2] != 0 || !vendor_rest_is_zero(task, 5)) {
		vendor_refuse(target, task);
		return;
	}
	pattern(task, cdb[1], (uint8_t)address);
	if (address == ASMEDIA_VERSION_AT)
		memcpy(task->answer, SIM_ASMEDIA_VERSION, mem_min_u64(cdb[1], 6));
	target_answer(task, cdb[1], cdb[1]);
}

static bool bridge_asmedia(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	switch (cdb[0]) {
	case 0xe0:
		pattern(task, 128, 0x31);
		if (task->cdb_len >= 16 && vendor_rest_is_zero(task, 1))
			target_answer(task, 128, 128);
		else
			vendor_refuse(target, task);
		return true;
	case 0xe4:
		asmedia_memory(target, task);
		return true;
	case 0xe1:
	case 0xe3:
	case 0xe5:
	case 0xe8:
		forbid(target, task);
		return true;
	default:
		return false;
	}
}

const struct vendor_set vendor_asmedia = {
	.name = "asmedia",
	.about = "an ASMedia bridge: the bridge itself (E0, E4)",
	.vid = 0x174c,
	.pid = 0x2364,
	.bcd_device = 0x0100,
	.vendor = "ASMT",
	.product = "2364",
	.revision = "0",
	.run = bridge_asmedia,
};

/* --- Realtek: memory by address and length, little-endian --- */

static bool rtl921x(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] != 0xe2)
		return false;
	if (task->cdb_len < 16 || get_be24(cdb + 1) != 0 || cdb[4] != 0x92 ||
		get_be24(cdb + 5) != 0 || get_le32(cdb + 8) != 0xac004000 ||
		get_le32(cdb + 12) != 96) {
		vendor_refuse(target, task);
		return true;
	}
	pattern(task, 96, 0x41);
	put_le32(task->answer + 0x4c, SIM_RTL921X_MAJOR);
	put_le32(task->answer + 0x50, SIM_RTL921X_MINOR);
	put_le32(task->answer + 0x54, SIM_RTL921X_PATCH);
	put_le32(task->answer + 0x5c, SIM_RTL921X_DATE);
	target_answer(task, 96, 96);
	return true;
}

const struct vendor_set vendor_rtl921x = {
	.name = "rtl921x",
	.about = "a Realtek RTL9210: the bridge itself (E2)",
	.vid = 0x0bda,
	.pid = 0x9210,
	.bcd_device = 0x2002,
	.vendor = "Realtek",
	.product = "RTL9210",
	.revision = "1.00",
	.run = rtl921x,
};

/* --- WD --- */

static void wd_status(struct target_task *task, size_t wanted)
{
	static const uint8_t status[16] = {
		0x45, 0, 0, 1, 0x28, 0, 0, 32, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 3};

	memcpy(task->answer, status, sizeof(status));
	target_answer(task, 48, wanted);
}

/* UTF-16LE; the bytes of the block add up to zero. */
static void wd_handy_store(struct target_task *task)
{
	uint8_t *out = task->answer, sum = 0;

	memcpy(out, "\x00\x01\x44\x57", 4);
	put_le32(out + 8, SIM_WD_ITERATIONS);
	memcpy(out + 12, SIM_WD_SALT, 8);
	for (size_t i = 0; i < sizeof(SIM_WD_HINT) - 1; i++)
		out[24 + 2 * i] = (uint8_t)SIM_WD_HINT[i];
	for (size_t i = 0; i < 511; i++)
		sum = (uint8_t)(sum + out[i]);
	out[511] = (uint8_t)-sum;
	target_answer(task, 512, 512);
}

static bool wd(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] == 0xc0 && cdb[1] == 0x45 && get_be32(cdb + 2) == 0 && cdb[6] == 0 &&
		vendor_rest_is_zero(task, 10))
		wd_status(task, get_be16(cdb + 7));
	else if (cdb[0] == 0xd8 && cdb[1] == 0 && get_be32(cdb + 2) == 1 &&
		 get_be16(cdb + 7) == 1 && vendor_rest_is_zero(task, 10))
		wd_handy_store(task);
	else if (cdb[0] == 0xc0 || cdb[0] == 0xd8)
		vendor_refuse(target, task);
	else if (cdb[0] == 0xc1 || cdb[0] == 0xda)
		forbid(target, task);
	else
		return false;
	return true;
}

const struct vendor_set vendor_wd = {
	.name = "wd",
	.about = "a WD My Passport, locked (C0, D8)",
	.vid = 0x1058,
	.pid = 0x0820,
	.bcd_device = 0x1042,
	.vendor = "WD",
	.product = "My Passport 0820",
	.revision = "1042",
	.run = wd,
};
