/* SPDX-License-Identifier: BSD-2-Clause */
/* A drive of the NVMe admin command set: see disk_nvme.h. */
#include "simvendor/disk_nvme.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/values.h"

#define ZERO_CELSIUS 273

static void nvme_put_text(uint8_t *out, const char *text, size_t room)
{
	memset(out, ' ', room);
	memcpy(out, text, mem_min_u64(strlen(text), room));
}

/* §5.15.2.2 */
static void identify_controller(uint8_t *out)
{
	put_le16(out, 0x1b36);
	put_le16(out + 2, 0x1af4);
	nvme_put_text(out + 4, SIM_NVME_SERIAL, 20);
	nvme_put_text(out + 24, SIM_NVME_MODEL, 40);
	nvme_put_text(out + 64, SIM_NVME_FIRMWARE, 8);
	memcpy(out + 73, "\x00\x54\x52", 3);
	out[77] = 5; /* MDTS */
	put_le16(out + 78, 3);
	put_le32(out + 80, 0x00010400);
	out[258] = 3;
	out[259] = 7;
	out[262] = 63; /* error log entries, less one */
	put_le16(out + 266, ZERO_CELSIUS + 70);
	put_le16(out + 268, ZERO_CELSIUS + 85);
	put_le64(out + 280, (uint64_t)SIM_NVME_BLOCKS * 512);
	out[512] = 0x66;
	out[513] = 0x44;
	put_le32(out + 516, 1);
}

/* §5.15.2.1 */
static void identify_namespace(uint8_t *out)
{
	put_le64(out, SIM_NVME_BLOCKS);
	put_le64(out + 8, SIM_NVME_BLOCKS);
	put_le64(out + 16, SIM_NVME_BLOCKS / 2);
	out[25] = 1; /* formats, less one */
	out[26] = 0;
	out[130] = 9;
	out[131] = 2;
	out[134] = 12;
	out[135] = 1;
}

static uint16_t nvme_identify(uint32_t nsid, uint32_t cdw10, uint8_t *out)
{
	switch (cdw10 & 0xff) {
	case 0:
		if (nsid > 1)
			return NVME_INVALID_FIELD;
		identify_namespace(out);
		return 0;
	case 1:
		identify_controller(out);
		return 0;
	case 2:
		put_le32(out, 1);
		return 0;
	default:
		return NVME_INVALID_FIELD;
	}
}

/* §5.14.1.2 */
static void nvme_smart_log(uint8_t *out)
{
	put_le16(out + 1, ZERO_CELSIUS + SIM_NVME_TEMPERATURE);
	out[3] = 98;
	out[4] = 10;
	out[5] = 6;
	put_le64(out + 32, 123456);
	put_le64(out + 48, 654321);
	put_le64(out + 64, 11223344);
	put_le64(out + 80, 55667788);
	put_le64(out + 96, 876);
	put_le64(out + 112, SIM_NVME_CYCLES);
	put_le64(out + 128, SIM_NVME_HOURS);
	put_le64(out + 144, 19);
	put_le64(out + 160, SIM_NVME_ERRORS);
	put_le64(out + 176, 5);
	put_le32(out + 192, 4);
	put_le32(out + 196, 1);
	put_le16(out + 200, ZERO_CELSIUS + SIM_NVME_TEMPERATURE + 2);
}

/* §5.14.1.1: the latest first. */
static void error_log(uint8_t *out)
{
	for (unsigned int i = 0; i < SIM_NVME_ERRORS; i++) {
		uint8_t *entry = out + 64 * i;

		put_le64(entry, 5 - i);
		put_le16(entry + 8, 1);
		put_le16(entry + 10, (uint16_t)(0x21 + i));
		put_le16(entry + 12, 0x4502);
		put_le64(entry + 16, 987654321 + i);
		put_le32(entry + 24, 1);
	}
}

static uint16_t get_log(uint32_t cdw10, uint8_t *out, size_t *len)
{
	*len = mem_min_u64(((cdw10 >> 16 & 0xfff) + 1) * 4ull, DISK_NVME_DATA_MAX);
	switch (cdw10 & 0xff) {
	case 1:
		error_log(out);
		return 0;
	case 2:
		nvme_smart_log(out);
		return 0;
	default:
		return NVME_INVALID_FIELD;
	}
}

uint16_t disk_nvme_run(uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint8_t *data, size_t *len)
{
	memset(data, 0, DISK_NVME_DATA_MAX);
	*len = DISK_NVME_DATA_MAX;
	if (opcode == NVME_IDENTIFY)
		return nvme_identify(nsid, cdw10, data);
	if (opcode == NVME_GET_LOG_PAGE)
		return get_log(cdw10, data, len);
	return NVME_INVALID_OPCODE;
}
