/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk of the ATA command set: see disk_ata.h.  Words of a sector are little-endian. */
#include "simvendor/disk_ata.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "simvendor/values.h"

#define SECTOR	   512
#define SMART_KEY  0xc24f /* LBA high and mid of every SMART command */
#define SMART_FAIL 0x2cf4

static void put_word(uint8_t *sector, unsigned int word, uint16_t value)
{
	put_le16(sector + 2u * word, value);
}

/* Text in words whose bytes are exchanged, filled up with spaces (ACS-4 §3.4.9). */
static void ata_put_text(uint8_t *sector, unsigned int word, size_t words, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < 2 * words; i++)
		sector[2u * word + (i ^ 1)] = i < len ? (uint8_t)text[i] : ' ';
}

/* The last byte makes the sum of all of them zero. */
static void put_checksum(uint8_t *sector)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < SECTOR - 1; i++)
		sum = (uint8_t)(sum + sector[i]);
	sector[SECTOR - 1] = (uint8_t)-sum;
}

/* ACS-4 §7.13 */
static void ata_identify(uint8_t *out)
{
	put_word(out, 0, 0x0040);
	ata_put_text(out, 10, 10, SIM_ATA_SERIAL);
	ata_put_text(out, 23, 4, SIM_ATA_FIRMWARE);
	ata_put_text(out, 27, 20, SIM_ATA_MODEL);
	put_word(out, 49, 0x2f00); /* LBA, DMA */
	put_word(out, 53, 0x0006);
	put_le32(out + 120, 0x0fffffff);
	put_word(out, 76, 0x0e0e);
	put_word(out, 80, 0x03f0);
	put_word(out, 82, 0x346b); /* SMART, security, … */
	put_word(out, 83, 0x7d01); /* 48-bit addresses */
	put_word(out, 84, 0x4163); /* SMART error log and self-test, WWN */
	put_word(out, 85, 0x3469); /* SMART is enabled */
	put_word(out, 86, 0xbc01);
	put_word(out, 87, 0x4163);
	put_le64(out + 200, SIM_ATA_SECTORS);
	put_word(out, 106, 0x6003); /* 8 logical sectors in a physical one */
	put_word(out, 108, 0x5001);
	put_word(out, 109, 0x4ee2);
	put_word(out, 110, 0x1234);
	put_word(out, 111, 0x5678);
	put_word(out, 128, 0x0021); /* security is supported */
	put_word(out, 168, 0x0003); /* 2.5 inch */
	put_word(out, 217, SIM_ATA_ROTATION);
	put_word(out, 222, 0x107f);
	out[SECTOR - 2] = 0xa5;
	put_checksum(out);
}

static const struct attribute {
	uint8_t id;
	uint16_t flags;
	uint8_t value, worst, threshold;
	uint64_t raw;
} attributes[] = {
	{1, 0x000b, 100, 99, 62, 1},
	{3, 0x0027, 203, 201, 33, 0x20100},
	{4, 0x0012, 97, 97, 0, SIM_ATA_CYCLES + 22},
	{5, 0x0033, 98, 98, 5, SIM_ATA_REALLOCATED},
	{9, 0x0012, 72, 72, 0, SIM_ATA_HOURS},
	{12, 0x0032, 99, 99, 0, SIM_ATA_CYCLES},
	{192, 0x0032, 96, 95, 0, 55},
	{193, 0x0012, 94, 93, 0, 65432},
	{194, 0x0002, 162, 150, 0, 0x002e0000000000 | (uint64_t)18 << 16 | SIM_ATA_TEMPERATURE},
	{197, 0x0022, 91, 90, 0, SIM_ATA_PENDING},
	{198, 0x0008, 89, 88, 0, 4},
	{199, 0x000a, 200, 199, 0, 17},
};

#define N_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static void smart_data(uint8_t *out)
{
	put_le16(out, 0x0010);
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		uint8_t *p = out + 2 + 12 * i;

		p[0] = attributes[i].id;
		put_le16(p + 1, attributes[i].flags);
		p[3] = attributes[i].value;
		p[4] = attributes[i].worst;
		put_le32(p + 5, (uint32_t)attributes[i].raw);
		put_le16(p + 9, (uint16_t)(attributes[i].raw >> 32));
	}
	out[362] = 0x82;
	out[363] = 0x00;
	put_le16(out + 364, 645);
	out[367] = 0x5b;
	put_le16(out + 368, 0x0003);
	out[370] = 0x01;
	out[372] = 2;
	out[373] = 109;
	put_checksum(out);
}

static void smart_thresholds(uint8_t *out)
{
	put_le16(out, 0x0010);
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		out[2 + 12 * i] = attributes[i].id;
		out[2 + 12 * i + 1] = attributes[i].threshold;
	}
	put_checksum(out);
}

/* --- logs --- */

static void ata_smart_log(uint8_t address, uint8_t *out)
{
	if (address == 0) {
		put_word(out, 0, 1);
		put_word(out, 1, 1);
		put_word(out, 6, 1);
		return;
	}
	out[0] = 1;
	if (address == 1) {
		put_le16(out + 452, 9); /* errors so far */
	} else {
		out[2] = 2;	/* extended */
		out[3] = 0x70;	/* read failure … */
		out[3] |= 0x09; /* … with 90 % left */
		put_le16(out + 4, 12300);
		put_le32(out + 7, 123456789);
		out[508] = 1;
	}
	put_checksum(out);
}

/* Bits 63 to 56: supported, valid. */
static void put_statistic(uint8_t *out, uint64_t value)
{
	put_le64(out, value | UINT64_C(0xc0) << 56);
}

static bool extended_log(uint8_t address, uint16_t page, uint8_t *out)
{
	if (address == 0 && page == 0) {
		put_word(out, 0, 1);
		put_word(out, 1, 1);
		put_word(out, 4, 8);
		put_word(out, 6, 1);
		put_word(out, 7, 1);
		put_word(out, 0x30, 9);
		return true;
	}
	if (address != 4 || page > 1)
		return false;
	put_le16(out, 1);
	out[2] = (uint8_t)page;
	if (page == 0) {
		out[8] = 2;
		out[10] = 1;
		return true;
	}
	put_statistic(out + 8, SIM_ATA_CYCLES);
	put_statistic(out + 16, SIM_ATA_HOURS);
	put_statistic(out + 24, 7777777);
	put_statistic(out + 32, 88888);
	put_statistic(out + 40, 9999999);
	put_statistic(out + 48, 111111);
	return true;
}

/* --- commands --- */

static bool smart(struct disk_ata *ata, uint8_t *data)
{
	if ((ata->lba >> 8 & 0xffff) != SMART_KEY)
		return false;
	ata->len = SECTOR;
	switch (ata->feature) {
	case 0xd0:
		smart_data(data);
		return true;
	case 0xd1:
		smart_thresholds(data);
		return true;
	case 0xd5:
		ata_smart_log((uint8_t)ata->lba, data);
		return (uint8_t)ata->lba <= 1 || (uint8_t)ata->lba == 6;
	case 0xda:
		ata->len = 0; /* all is well: the registers stay */
		return true;
	default:
		return false;
	}
}

static bool carry_out(struct disk_ata *ata, uint8_t *data)
{
	switch (ata->command) {
	case 0xec:
		ata_identify(data);
		ata->len = SECTOR;
		return true;
	case 0xb0:
		return smart(ata, data);
	case 0x2f:
		ata->len = SECTOR;
		return extended_log((uint8_t)ata->lba,
			(uint16_t)((ata->lba >> 8 & 0xff) | (ata->lba >> 32 & 0xff) << 8), data);
	case 0xe5:
		ata->count = 0xff; /* active or idle */
		return true;
	default:
		return false;
	}
}

void disk_ata_run(struct disk_ata *ata, uint8_t *data)
{
	memset(data, 0, DISK_ATA_DATA_MAX);
	ata->error = 0;
	ata->status = ATA_STATUS_GOOD;
	ata->len = 0;
	if (carry_out(ata, data)) {
		/* Pages behind the first are empty. */
		if (ata->len > 0)
			ata->len =
				mem_min_u64(mem_max_u64(ata->count, 1) * SECTOR, DISK_ATA_DATA_MAX);
		return;
	}
	ata->len = 0;
	ata->status = ATA_STATUS_FAILED;
	ata->error = ATA_ERROR_ABORT;
}
