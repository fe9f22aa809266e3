/* SPDX-License-Identifier: BSD-2-Clause */
/* Bridges to the NVMe drive: JMicron (three steps), ASMedia and Realtek (one). */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/disk_nvme.h"
#include "simvendor/ata.h"

#define ASC_SEQUENCE 0x2c00 /* COMMAND SEQUENCE ERROR */

/* Without a field for the length in the CDB, the host's tells. */
static void nvme_end(
	struct target *target, struct target_task *task, uint16_t status, size_t len, size_t wanted)
{
	if (status != 0)
		vendor_refuse(target, task);
	else
		target_answer(task, len, wanted);
}

/* --- JMicron: A1; the command block, data, the completion --- */

enum jmicron_step { JMICRON_IDLE, JMICRON_HAS_BLOCK, JMICRON_DONE };

struct jmicron {
	uint8_t step; /* enum jmicron_step */
	uint8_t opcode;
	uint16_t status;
	uint32_t nsid, cdw10;
};

static struct jmicron *jmicron_of(struct target *target)
{
	return (struct jmicron *)(void *)target->vendor;
}

static void out_of_order(struct target *target, struct target_task *task)
{
	jmicron_of(target)->step = JMICRON_IDLE;
	target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_SEQUENCE);
}

static void jmicron_data(struct target *target, struct target_task *task, size_t wanted)
{
	struct jmicron *state = jmicron_of(target);
	size_t len;

	if (state->step != JMICRON_HAS_BLOCK) {
		out_of_order(target, task);
		return;
	}
	state->status = disk_nvme_run(state->opcode, state->nsid, state->cdw10, task->answer, &len);
	state->step = JMICRON_DONE;
	if (state->status != 0)
		memset(task->answer, 0, sizeof(task->answer));
	target_answer(task, len, wanted);
}

static void jmicron_completion(struct target *target, struct target_task *task, size_t wanted)
{
	struct jmicron *state = jmicron_of(target);

	if (state->step != JMICRON_DONE) {
		out_of_order(target, task);
		return;
	}
	state->step = JMICRON_IDLE;
	memcpy(task->answer, "NVME", 4);
	put_le32(task->answer + 20, (uint32_t)state->status << 17);
	target_answer(task, 512, wanted);
}

static bool nvme_jmicron(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	size_t len = get_be24(cdb + 3);

	if (cdb[0] != 0xa1)
		return false;
	if (!vendor_rest_is_zero(task, 12) || cdb[2] != 0 || (cdb[1] & 0x80) == 0 ||
		get_be32(cdb + 6) != 0) {
		vendor_refuse(target, task);
		return true;
	}
	switch (cdb[1] & 0x7f) {
	case 0x00:
		task->wants = len;
		if (len != 512)
			vendor_refuse(target, task);
		break;
	case 0x02:
		jmicron_data(target, task, len);
		break;
	case 0x0f:
		jmicron_completion(target, task, len);
		break;
	default:
		vendor_refuse(target, task);
		break;
	}
	return true;
}

/* The block has come: little-endian dwords behind the signature, CDW0 in the third. */
static void jmicron_taken(struct target *target, struct target_task *task)
{
	struct jmicron *state = jmicron_of(target);

	if (task->n_taken != 512 || memcmp(task->taken, "NVME", 4) != 0) {
		state->step = JMICRON_IDLE;
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, 0x2600);
		return;
	}
	*state = (struct jmicron){.step = JMICRON_HAS_BLOCK,
		.opcode = task->taken[8],
		.nsid = get_le32(task->taken + 12),
		.cdw10 = get_le32(task->taken + 48)};
}

const struct vendor_set vendor_jmicron_nvme = {
	.name = "jmicron-nvme",
	.about = "a JMicron JMS583 with an NVMe drive (A1)",
	.vid = 0x152d,
	.pid = 0xa583,
	.bcd_device = 0x0214,
	.vendor = "JMicron",
	.product = "Tech",
	.revision = "0205",
	.run = nvme_jmicron,
	.taken = jmicron_taken,
};

/* --- ASMedia: E6, and the bridge itself by EB 5A --- */

static void asmedia_nvme(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	uint32_t cdw10 = cdb[3] | (uint32_t)get_be16(cdb + 6) << 16;
	size_t len;
	uint16_t status;

	if (task->cdb_len < 16 || cdb[2] != 0 || get_be64(cdb + 8) != 0) {
		vendor_refuse(target, task);
		return;
	}
	status = disk_nvme_run(cdb[1], 0, cdw10, task->answer, &len);
	nvme_end(target, task, status, len, len);
}

static void asmedia_info(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[1] != 0x5a || cdb[2] != 0x02 || get_be32(cdb + 10) != 64) {
		vendor_refuse(target, task);
		return;
	}
	for (uint8_t i = 0; i < 64; i++)
		task->answer[i] = (uint8_t)(0x80 + 3 * i);
	target_answer(task, 64, 64);
}

static bool nvme_asmedia(struct target *target, struct target_task *task)
{
	if (task->cdb[0] == 0xe6)
		asmedia_nvme(target, task);
	else if (task->cdb[0] == 0xeb && task->cdb_len >= 14)
		asmedia_info(target, task);
	else
		return false;
	return true;
}

static size_t asmedia_inquiry(uint8_t *out, size_t n)
{
	out[n] = 0x60;
	out[n + 1] = 0x23;
	return n + 2;
}

const struct vendor_set vendor_asmedia_nvme = {
	.name = "asmedia-nvme",
	.about = "an ASMedia ASM2362 with an NVMe drive (E6)",
	.vid = 0x174c,
	.pid = 0x2362,
	.bcd_device = 0x0100,
	.vendor = "ASMT",
	.product = "2362 NVMe",
	.revision = "0",
	.inquiry = asmedia_inquiry,
	.run = nvme_asmedia,
};

/* --- Realtek: E4 --- */

static bool realtek(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	size_t len, wanted = get_le16(cdb + 1);
	uint16_t status;

	if (cdb[0] != 0xe4)
		return false;
	if (!vendor_rest_is_zero(task, 5)) {
		vendor_refuse(target, task);
		return true;
	}
	/* GET LOG PAGE has no room for its length; more than 512 bytes would be old data. */
	status = disk_nvme_run(cdb[3], 0, cdb[4] | (cdb[3] == NVME_GET_LOG_PAGE ? 0x7fu << 16 : 0),
		task->answer, &len);
	nvme_end(target, task, status, len, wanted);
	return true;
}

const struct vendor_set vendor_realtek_nvme = {
	.name = "realtek-nvme",
	.about = "a Realtek RTL9210 with an NVMe drive (E4)",
	.vid = 0x0bda,
	.pid = 0x9210,
	.bcd_device = 0x2002,
	.vendor = "Realtek",
	.product = "RTL9210 NVME",
	.revision = "1.00",
	.run = realtek,
};
