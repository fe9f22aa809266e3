/* SPDX-License-Identifier: BSD-2-Clause */
/* What the target says of itself: INQUIRY, READ CAPACITY and MODE SENSE; see target.h. */
#include "sim/target_inside.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/scsi.h"
#include "sim/pattern.h"
#include "sim/vendor.h"

#define VENDOR	 "umsctl  "
#define PRODUCT	 "Simulated drive "
#define REVISION "0001"

#define VPD_DEVICE_ID	 0x83
#define VPD_BLOCK_LIMITS 0xb0
#define NO_LUN_HERE	 0x7f /* qualifier 3, type 1Fh (SPC-5 §6.7.2) */
#define OPTIMAL_BYTES	 (128u << 10)
#define CAPACITY10_LIMIT 0xffffffffu /* says: ask READ CAPACITY (16) */

static void invalid_field(struct target *target, struct target_task *task)
{
	target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

/* --- INQUIRY (SPC-5 §6.7) and its VPD pages (§7.7) --- */

static void identity_put_text(uint8_t *out, const char *text, size_t room)
{
	memset(out, ' ', room);
	memcpy(out, text, mem_min_u64(strlen(text), room));
}

static size_t standard_inquiry(const struct target *target, uint8_t lun, uint8_t *out)
{
	const struct vendor_set *set = target->settings->vendor;
	uint64_t spc = target->settings->spc;

	out[INQUIRY_DEVICE] = lun < target->settings->luns ? 0 : NO_LUN_HERE;
	out[INQUIRY_REMOVABLE] = 0x80;
	out[INQUIRY_VERSION] = (uint8_t)(spc > 0 ? spc + 2 : 0);
	out[3] = 2; /* response data format */
	out[4] = INQUIRY_LEN - 5;
	memcpy(out + INQUIRY_VENDOR, VENDOR PRODUCT REVISION, INQUIRY_LEN - INQUIRY_VENDOR);
	if (set && set->vendor) {
		identity_put_text(out + INQUIRY_VENDOR, set->vendor, 8);
		identity_put_text(out + INQUIRY_PRODUCT, set->product, 16);
		identity_put_text(out + INQUIRY_REVISION, set->revision, 4);
	}
	if (target->settings->hostile) {
		out[4] = 0xff; /* more than it sends */
		memcpy(out + INQUIRY_VENDOR, SIM_HOSTILE_TEXT, INQUIRY_LEN - INQUIRY_VENDOR);
	}
	return set && set->inquiry ? set->inquiry(out, INQUIRY_LEN) : INQUIRY_LEN;
}

/* Each page writes what stands behind the four bytes of its head; returns its length. */

static size_t page_supported(const struct target *target, uint8_t *out)
{
	(void)target;
	memcpy(out,
		(const uint8_t[]){
			VPD_SUPPORTED_PAGES, VPD_UNIT_SERIAL, VPD_DEVICE_ID, VPD_BLOCK_LIMITS},
		4);
	return 4;
}

static size_t page_serial(const struct target *target, uint8_t *out)
{
	size_t len = strlen(target->settings->serial);

	if (target->settings->hostile) {
		memcpy(out, SIM_HOSTILE_TEXT, SIM_HOSTILE_LEN);
		return SIM_HOSTILE_LEN;
	}
	memcpy(out, target->settings->serial, len);
	return len;
}

/* The serial number folded into a locally assigned NAA (§7.7.6.6.4). */
static uint64_t naa_local(const char *serial)
{
	uint64_t hash = 0;

	for (; *serial; serial++)
		hash = pattern_mix(hash + (uint8_t)*serial);
	return UINT64_C(3) << 60 | hash >> 4;
}

static size_t page_device_id(const struct target *target, uint8_t *out)
{
	size_t len = strlen(target->settings->serial);

	out[0] = 2; /* ASCII */
	out[1] = 1; /* T10 vendor identification */
	out[3] = (uint8_t)(8 + len);
	memcpy(out + 4, VENDOR, 8);
	memcpy(out + 12, target->settings->serial, len);
	out += 12 + len;
	out[0] = 1; /* binary */
	out[1] = 3; /* NAA */
	out[3] = 8;
	put_be64(out + 4, naa_local(target->settings->serial));
	return 12 + len + 12;
}

static size_t page_block_limits(const struct target *target, uint8_t *out)
{
	put_be32(out + 8, (uint32_t)(OPTIMAL_BYTES / target->settings->block_bytes));
	return 60;
}

static const struct {
	uint8_t code;
	size_t (*write)(const struct target *target, uint8_t *out);
} pages[] = {
	{VPD_SUPPORTED_PAGES, page_supported},
	{VPD_UNIT_SERIAL, page_serial},
	{VPD_DEVICE_ID, page_device_id},
	{VPD_BLOCK_LIMITS, page_block_limits},
};

static size_t vital_product_data(const struct target *target, uint8_t code, uint8_t *out)
{
	size_t len;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (pages[i].code != code)
			continue;
		out[1] = code;
		len = pages[i].write(target, out + VPD_HEAD);
		put_be16(out + VPD_PAGE_LENGTH, target->settings->hostile ? 0xffff : (uint16_t)len);
		return VPD_HEAD + len;
	}
	return 0;
}

void target_inquiry(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;
	bool vital = cdb[1] & 1;
	size_t n = 0;

	if (vital && target->settings->spc >= 3 && task->lun < target->settings->luns)
		n = vital_product_data(target, cdb[2], task->answer);
	else if (!vital && cdb[1] == 0 && cdb[2] == 0)
		n = standard_inquiry(target, task->lun, task->answer);
	if (n > 0)
		target_answer(task, n, get_be16(cdb + 3));
	else
		invalid_field(target, task);
}

/* --- READ CAPACITY (SBC-4 §5.15, §5.16) --- */

static uint64_t last_lba_claimed(const struct target *target)
{
	return target->n_blocks - 1 + target->settings->capacity_plus_one;
}

void target_read_capacity10(struct target *target, struct target_task *task)
{
	put_be32(task->answer, (uint32_t)mem_min_u64(last_lba_claimed(target), CAPACITY10_LIMIT));
	put_be32(task->answer + 4, (uint32_t)target->settings->block_bytes);
	target_answer(task, 8, 8);
}

void target_service_action_in(struct target *target, struct target_task *task)
{
	if ((task->cdb[1] & 0x1f) != SCSI_SA_READ_CAPACITY_16) {
		invalid_field(target, task);
	} else if (target->settings->no_capacity16) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	} else {
		put_be64(task->answer, last_lba_claimed(target));
		put_be32(task->answer + 8, (uint32_t)target->settings->block_bytes);
		target_answer(task, 32, get_be32(task->cdb + 10));
	}
}

/* --- MODE SENSE (SPC-5 §6.14, §7.5) --- */

#define MODE_ALL_PAGES	0x3f
#define MODE_CHANGEABLE 1
#define MODE_SAVED	3
#define MODE_PAGE_MAX	20

static const struct mode_page {
	uint8_t code;
	uint8_t len; /* with its head of two bytes */
	uint8_t body[MODE_PAGE_MAX - 2];
} mode_pages[] = {
	{0x01, 12, {[1] = 3}},	  /* read-write error recovery: three retries */
	{0x08, 20, {[0] = 0x01}}, /* caching: no write cache, no read cache */
	{0x1c, 12, {[0] = 0x08}}, /* informational exceptions: disabled */
};

/* Writes the pages that the CDB asks for; returns their length, 0 when there is no such page. */
static size_t write_mode_pages(const uint8_t *cdb, uint8_t *out)
{
	uint8_t wanted = cdb[2] & 0x3f;
	bool changeable = cdb[2] >> 6 == MODE_CHANGEABLE;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(mode_pages) / sizeof(mode_pages[0]); i++) {
		const struct mode_page *page = &mode_pages[i];

		if (wanted != MODE_ALL_PAGES && wanted != page->code)
			continue;
		out[n] = page->code;
		out[n + 1] = (uint8_t)(page->len - 2);
		if (!changeable)
			memcpy(out + n + 2, page->body, page->len - 2u);
		n += page->len;
	}
	return n;
}

/* HEAD: bytes of the parameter header; DPO and FUA are not offered. */
static void mode_sense(
	struct target *target, struct target_task *task, size_t head, uint64_t allocated)
{
	uint8_t *out = task->answer;
	size_t n = head + write_mode_pages(task->cdb, out + head);
	uint8_t device_specific = target->settings->read_only ? 0x80 : 0;

	if (target->settings->no_mode_sense) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
		return;
	}
	if (task->cdb[2] >> 6 == MODE_SAVED) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
		return;
	}
	if (n == head) {
		invalid_field(target, task);
		return;
	}
	if (target->settings->hostile) {
		memset(out, 0xff, head);
	} else if (head == 4) {
		out[0] = (uint8_t)(n - 1);
		out[2] = device_specific;
	} else {
		put_be16(out, (uint16_t)(n - 2));
		out[3] = device_specific;
	}
	target_answer(task, n, allocated);
}

void target_mode_sense6(struct target *target, struct target_task *task)
{
	mode_sense(target, task, 4, task->cdb[4]);
}

void target_mode_sense10(struct target *target, struct target_task *task)
{
	mode_sense(target, task, 8, get_be16(task->cdb + 7));
}
