/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard commands that cheap sticks lack (SPC-5, SBC-4): log pages, defects, supported operation
 * codes, timestamp, provisioning status, more VPD pages. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/ata.h"
#include "simvendor/values.h"

/* --- LOG SENSE (SPC-5 §6.8, §7.3) --- */

/* One parameter at OUT + N; returns where the next one goes. */
static size_t put_parameter(
	uint8_t *out, size_t n, uint16_t code, uint8_t control, const void *value, size_t len)
{
	put_be16(out + n, code);
	out[n + 2] = control;
	out[n + 3] = (uint8_t)len;
	memcpy(out + n + 4, value, len);
	return n + 4 + len;
}

static size_t put_counter(uint8_t *out, size_t n, uint16_t code, uint64_t value)
{
	uint8_t bytes[8];

	put_be64(bytes, value);
	return put_parameter(out, n, code, 0x60, bytes, 8);
}

static size_t log_supported(uint8_t *out)
{
	static const uint8_t pages[] = {0x00, 0x02, 0x03, 0x0d, 0x0e, 0x10, 0x11, 0x15, 0x2f};

	memcpy(out + 4, pages, sizeof(pages));
	return 4 + sizeof(pages);
}

static size_t log_errors(uint8_t *out, uint64_t first)
{
	size_t n = 4;

	for (uint16_t code = 0; code <= 6; code++)
		n = put_counter(out, n, code, first + 3u * code);
	return n;
}

static size_t log_write_errors(uint8_t *out)
{
	return log_errors(out, 1000);
}

static size_t log_read_errors(uint8_t *out)
{
	return log_errors(out, 2000);
}

static size_t log_temperature(uint8_t *out)
{
	size_t n = put_parameter(out, 4, 0, 3, (const uint8_t[]){0, SIM_TEMPERATURE}, 2);

	return put_parameter(out, n, 1, 3, (const uint8_t[]){0, SIM_REFERENCE}, 2);
}

static size_t log_start_stop(uint8_t *out)
{
	uint8_t counter[4];
	size_t n = put_parameter(out, 4, 1, 1, "202447", 6);

	n = put_parameter(out, n, 2, 1, "202501", 6);
	put_be32(counter, 50000);
	n = put_parameter(out, n, 3, 3, counter, 4);
	put_be32(counter, SIM_START_STOPS);
	n = put_parameter(out, n, 4, 3, counter, 4);
	put_be32(counter, 600000);
	n = put_parameter(out, n, 5, 3, counter, 4);
	put_be32(counter, 777);
	return put_parameter(out, n, 6, 3, counter, 4);
}

/* Twenty, of which two have taken place. */
static size_t log_self_tests(uint8_t *out)
{
	size_t n = 4;

	for (uint16_t code = 1; code <= 20; code++) {
		uint8_t test[16] = {0};

		if (code <= 2) {
			test[0] = code == 1 ? 0x20 : 0x47; /* short: passed; extended: failed */
			put_be16(test + 2, (uint16_t)(500 - code));
			put_be64(test + 4, code == 1 ? UINT64_MAX : 4660);
			test[12] = code == 1 ? 0 : 3;
			test[13] = code == 1 ? 0 : 0x11;
		}
		n = put_parameter(out, n, code, 3, test, sizeof(test));
	}
	return n;
}

static size_t log_solid_state(uint8_t *out)
{
	return put_parameter(out, 4, 1, 3, (const uint8_t[]){0, 0, 0, SIM_ENDURANCE}, 4);
}

static size_t log_background_scan(uint8_t *out)
{
	uint8_t status[12] = {0, 0, 0x01, 0x02, 0, 8, 0, 3, 0x12, 0x34, 0, 5};

	return put_parameter(out, 4, 0, 3, status, sizeof(status));
}

static size_t log_informational(uint8_t *out)
{
	return put_parameter(out, 4, 0, 3, (const uint8_t[]){0x5d, 0x10, SIM_TEMPERATURE, 0}, 4);
}

static const struct log_page {
	uint8_t code;
	size_t (*write)(uint8_t *out);
} log_pages[] = {
	{0x00, log_supported},
	{0x02, log_write_errors},
	{0x03, log_read_errors},
	{0x0d, log_temperature},
	{0x0e, log_start_stop},
	{0x10, log_self_tests},
	{0x11, log_solid_state},
	{0x15, log_background_scan},
	{0x2f, log_informational},
};

static void log_sense(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	for (size_t i = 0; i < sizeof(log_pages) / sizeof(log_pages[0]); i++) {
		size_t n;

		if (log_pages[i].code != (cdb[2] & 0x3f) || cdb[3] != 0 || get_be16(cdb + 5) != 0 ||
			cdb[1] != 0)
			continue;
		n = log_pages[i].write(task->answer);
		task->answer[0] = log_pages[i].code;
		put_be16(task->answer + 2, (uint16_t)(n - 4));
		target_answer(task, n, get_be16(cdb + 7));
		return;
	}
	vendor_refuse(target, task);
}

/* --- READ DEFECT DATA (SBC-4 §5.21, §5.22), short block format --- */

static const uint32_t defects[] = {4660, 9216, 30001};

/* The list itself, behind a header of HEAD bytes; the lists asked for, and the format. */
static void standard_read_defects(
	struct target *target, struct target_task *task, uint8_t wanted, size_t head, uint64_t room)
{
	bool grown = wanted & 0x08, primary = wanted & 0x10;
	size_t n = (grown ? 2u : 0u) + (primary ? 1u : 0u);
	size_t first = grown ? 0 : 2;

	if ((wanted & 7) != 0) {
		vendor_refuse(target, task);
		return;
	}
	task->answer[1] = wanted & 0x1f;
	if (head == 4)
		put_be16(task->answer + 2, (uint16_t)(4 * n));
	else
		put_be32(task->answer + 4, (uint32_t)(4 * n));
	for (size_t i = 0; i < n; i++)
		put_be32(task->answer + head + 4 * i, defects[first + i]);
	target_answer(task, head + 4 * n, room);
}

/* --- MAINTENANCE IN: REPORT SUPPORTED OPERATION CODES, REPORT TIMESTAMP (SPC-5 §6.33, §6.36) ---
 */

static const struct known {
	uint8_t opcode, length;
	bool has_action;
	uint16_t action;
} commands[] = {
	{0x00, 6, false, 0},
	{0x03, 6, false, 0},
	{0x12, 6, false, 0},
	{0x1a, 6, false, 0},
	{0x25, 10, false, 0},
	{0x28, 10, false, 0},
	{0x37, 10, false, 0},
	{0x4d, 10, false, 0},
	{0x88, 16, false, 0},
	{0x9e, 16, true, 0x10},
	{0x9e, 16, true, 0x12},
	{0xa0, 12, false, 0},
	{0xa3, 12, true, 0x0c},
	{0xa3, 12, true, 0x0f},
	{0xb7, 12, false, 0},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void all_opcodes(struct target_task *task)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		uint8_t *p = task->answer + 4 + 8 * i;

		p[0] = commands[i].opcode;
		put_be16(p + 2, commands[i].action);
		p[5] = commands[i].has_action;
		put_be16(p + 6, commands[i].length);
	}
	put_be32(task->answer, 8 * N_COMMANDS);
	target_answer(task, 4 + 8 * N_COMMANDS, get_be32(task->cdb + 6));
}

/* Reporting options 1 to 3: one command, and which of its bits count. */
static void one_opcode(struct target_task *task)
{
	uint8_t *out = task->answer;

	out[1] = 1; /* not supported */
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (commands[i].opcode != task->cdb[3] ||
			(commands[i].has_action && commands[i].action != get_be16(task->cdb + 4)))
			continue;
		out[1] = 3; /* as the standard has it */
		put_be16(out + 2, commands[i].length);
		memset(out + 4, 0xff, commands[i].length);
		out[4] = commands[i].opcode;
	}
	target_answer(task, 4u + get_be16(out + 2), get_be32(task->cdb + 6));
}

static void maintenance_in(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[1] == 0x0c && (cdb[2] & 0xf8) == 0 && (cdb[2] & 7) <= 3) {
		if ((cdb[2] & 7) == 0)
			all_opcodes(task);
		else
			one_opcode(task);
	} else if (cdb[1] == 0x0f) {
		put_be16(task->answer, 10);
		task->answer[2] = 2;
		put_be16(task->answer + 4, 0x0193);
		put_be32(task->answer + 6, 0x9a2b4c6d);
		target_answer(task, 12, get_be32(cdb + 6));
	} else {
		vendor_refuse(target, task);
	}
}

/* --- GET LBA STATUS (SBC-4 §5.6): the first half is mapped --- */

static void lba_status(struct target *target, struct target_task *task)
{
	uint64_t lba = get_be64(task->cdb + 2), half = target->n_blocks / 2;
	uint8_t *out = task->answer;
	size_t n = 8;

	if (lba >= target->n_blocks) {
		target_fail(target, task, SCSI_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
		return;
	}
	if (lba < half) {
		put_be64(out + n, lba);
		put_be32(out + n + 8, (uint32_t)(half - lba));
		n += 16;
		lba = half;
	}
	put_be64(out + n, lba);
	put_be32(out + n + 8, (uint32_t)(target->n_blocks - lba));
	out[n + 12] = 1; /* deallocated */
	n += 16;
	put_be32(out, (uint32_t)(n - 4));
	target_answer(task, n, get_be32(task->cdb + 10));
}

/* --- VPD pages B1h and B2h (SBC-4 §6.6.2, §6.6.7), and those there are --- */

static bool more_pages(struct target_task *task)
{
	static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
	uint8_t *out = task->answer;
	size_t n = 60;

	switch (task->cdb[2]) {
	case 0x00:
		memcpy(out + 4, pages, sizeof(pages));
		n = sizeof(pages);
		break;
	case 0xb1:
		put_be16(out + 4, 7200);
		out[7] = 3;
		break;
	case 0xb2:
		out[4] = 9;
		out[5] = 0xc0; /* UNMAP and WRITE SAME (16) */
		out[6] = 2;    /* thin */
		n = 4;
		break;
	default:
		return false;
	}
	out[1] = task->cdb[2];
	put_be16(out + 2, (uint16_t)n);
	target_answer(task, 4 + n, get_be16(task->cdb + 3));
	return true;
}

static bool standard_run(struct target *target, struct target_task *task)
{
	const uint8_t *cdb = task->cdb;

	if (cdb[0] == SCSI_INQUIRY && task->cdb_len >= 6 && cdb[1] == 1)
		return more_pages(task);
	if (cdb[0] == SCSI_LOG_SENSE && task->cdb_len >= 10)
		log_sense(target, task);
	else if (cdb[0] == SCSI_READ_DEFECT_DATA_10 && task->cdb_len >= 10)
		standard_read_defects(target, task, cdb[2], 4, get_be16(cdb + 7));
	else if (cdb[0] == SCSI_READ_DEFECT_DATA_12 && task->cdb_len >= 12)
		standard_read_defects(target, task, cdb[1], 8, get_be32(cdb + 6));
	else if (cdb[0] == 0xa3 && task->cdb_len >= 12)
		maintenance_in(target, task);
	else if (cdb[0] == SCSI_SERVICE_ACTION_IN_16 && task->cdb_len >= 16 &&
		 (cdb[1] & 0x1f) == SCSI_SA_GET_LBA_STATUS)
		lba_status(target, task);
	else
		return false;
	return true;
}

const struct vendor_set vendor_standard = {
	.name = "standard",
	.about = "standard commands that cheap sticks lack: logs, defects, operation codes",
	.vid = 0x1209,
	.pid = 0x0002,
	.bcd_device = 0x0100,
	.spc = 4,
	.run = standard_run,
};
