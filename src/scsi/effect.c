/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands do: see effect.h.  What is in no row is not known. */
#include "scsi/effect.h"

#include <stdbool.h>
#include <string.h>

#include <scsi/sg_lib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "proto/scsi.h"
#include "usb/quirk.h"

/* The first row that fits counts: bits MASK of byte AT must be VALUE. */
struct row {
	uint8_t opcode, at, mask, value;
	enum scsi_effect effect;
};

static const struct row rows[] = {
	{0x00, 0, 0, 0, EFFECT_READS},	       /* TEST UNIT READY */
	{0x01, 0, 0, 0, EFFECT_CHANGES},       /* REZERO UNIT */
	{0x03, 0, 0, 0, EFFECT_READS},	       /* REQUEST SENSE */
	{0x04, 0, 0, 0, EFFECT_DESTROYS},      /* FORMAT UNIT */
	{0x07, 0, 0, 0, EFFECT_DESTROYS},      /* REASSIGN BLOCKS */
	{0x08, 0, 0, 0, EFFECT_READS},	       /* READ (6) */
	{0x0a, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE (6) */
	{0x0b, 0, 0, 0, EFFECT_READS},	       /* SEEK (6) */
	{0x12, 0, 0, 0, EFFECT_READS},	       /* INQUIRY */
	{0x15, 0, 0, 0, EFFECT_CHANGES},       /* MODE SELECT (6) */
	{0x16, 0, 0, 0, EFFECT_CHANGES},       /* RESERVE (6) */
	{0x17, 0, 0, 0, EFFECT_CHANGES},       /* RELEASE (6) */
	{0x1a, 0, 0, 0, EFFECT_READS},	       /* MODE SENSE (6) */
	{0x1b, 0, 0, 0, EFFECT_CHANGES},       /* START STOP UNIT */
	{0x1c, 0, 0, 0, EFFECT_READS},	       /* RECEIVE DIAGNOSTIC RESULTS */
	{0x1d, 0, 0, 0, EFFECT_CHANGES},       /* SEND DIAGNOSTIC */
	{0x1e, 0, 0, 0, EFFECT_CHANGES},       /* PREVENT ALLOW MEDIUM REMOVAL */
	{0x23, 0, 0, 0, EFFECT_READS},	       /* READ FORMAT CAPACITIES */
	{0x25, 0, 0, 0, EFFECT_READS},	       /* READ CAPACITY (10) */
	{0x28, 0, 0, 0, EFFECT_READS},	       /* READ (10) */
	{0x2a, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE (10) */
	{0x2b, 0, 0, 0, EFFECT_READS},	       /* SEEK (10) */
	{0x2e, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE AND VERIFY (10) */
	{0x2f, 0, 0, 0, EFFECT_READS},	       /* VERIFY (10) */
	{0x34, 0, 0, 0, EFFECT_READS},	       /* PRE-FETCH (10) */
	{0x35, 0, 0, 0, EFFECT_CHANGES},       /* SYNCHRONIZE CACHE (10) */
	{0x37, 0, 0, 0, EFFECT_READS},	       /* READ DEFECT DATA (10) */
	{0x3b, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE BUFFER: firmware among others */
	{0x3c, 0, 0, 0, EFFECT_READS},	       /* READ BUFFER (10) */
	{0x3e, 0, 0, 0, EFFECT_READS},	       /* READ LONG (10) */
	{0x3f, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE LONG (10) */
	{0x41, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE SAME (10) */
	{0x42, 0, 0, 0, EFFECT_DESTROYS},      /* UNMAP */
	{0x48, 0, 0, 0, EFFECT_DESTROYS},      /* SANITIZE */
	{0x4c, 0, 0, 0, EFFECT_CHANGES},       /* LOG SELECT */
	{0x4d, 1, 0x01, 0x01, EFFECT_CHANGES}, /* LOG SENSE with SP: saves the parameters */
	{0x4d, 0, 0, 0, EFFECT_READS},	       /* LOG SENSE */
	{0x50, 0, 0, 0, EFFECT_DESTROYS},      /* XDWRITE (10) */
	{0x51, 0, 0, 0, EFFECT_DESTROYS},      /* XPWRITE (10) */
	{0x53, 0, 0, 0, EFFECT_DESTROYS},      /* XDWRITEREAD (10) */
	{0x55, 0, 0, 0, EFFECT_CHANGES},       /* MODE SELECT (10) */
	{0x56, 0, 0, 0, EFFECT_CHANGES},       /* RESERVE (10) */
	{0x57, 0, 0, 0, EFFECT_CHANGES},       /* RELEASE (10) */
	{0x5a, 0, 0, 0, EFFECT_READS},	       /* MODE SENSE (10) */
	{0x5e, 0, 0, 0, EFFECT_READS},	       /* PERSISTENT RESERVE IN */
	{0x5f, 0, 0, 0, EFFECT_CHANGES},       /* PERSISTENT RESERVE OUT */
	{0x83, 0, 0, 0, EFFECT_DESTROYS},      /* EXTENDED COPY */
	{0x84, 0, 0, 0, EFFECT_READS},	       /* RECEIVE COPY RESULTS */
	{0x88, 0, 0, 0, EFFECT_READS},	       /* READ (16) */
	{0x89, 0, 0, 0, EFFECT_DESTROYS},      /* COMPARE AND WRITE */
	{0x8a, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE (16) */
	{0x8b, 0, 0, 0, EFFECT_DESTROYS},      /* ORWRITE (16) */
	{0x8c, 0, 0, 0, EFFECT_READS},	       /* READ ATTRIBUTE */
	{0x8d, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE ATTRIBUTE */
	{0x8e, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE AND VERIFY (16) */
	{0x8f, 0, 0, 0, EFFECT_READS},	       /* VERIFY (16) */
	{0x90, 0, 0, 0, EFFECT_READS},	       /* PRE-FETCH (16) */
	{0x91, 0, 0, 0, EFFECT_CHANGES},       /* SYNCHRONIZE CACHE (16) */
	{0x93, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE SAME (16) */
	{0x94, 0, 0, 0, EFFECT_DESTROYS},      /* ZBC OUT: RESET WRITE POINTER among others */
	{0x95, 0, 0, 0, EFFECT_READS},	       /* ZBC IN */
	{0x9a, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE STREAM (16) */
	{0x9b, 0, 0, 0, EFFECT_READS},	       /* READ BUFFER (16) */
	{0x9c, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE ATOMIC (16) */
	{0x9e, 1, 0x1f, 0x14, EFFECT_CHANGES}, /* STREAM CONTROL */
	{0x9e, 1, 0x1f, 0x15, EFFECT_CHANGES}, /* BACKGROUND CONTROL */
	{0x9e, 0, 0, 0, EFFECT_READS},	       /* SERVICE ACTION IN (16) */
	{0x9f, 0, 0, 0, EFFECT_DESTROYS},      /* SERVICE ACTION OUT (16): WRITE LONG (16) … */
	{0xa0, 0, 0, 0, EFFECT_READS},	       /* REPORT LUNS */
	{0xa2, 0, 0, 0, EFFECT_READS},	       /* SECURITY PROTOCOL IN */
	{0xa3, 0, 0, 0, EFFECT_READS},	       /* MAINTENANCE IN */
	{0xa4, 0, 0, 0, EFFECT_CHANGES},       /* MAINTENANCE OUT */
	{0xa8, 0, 0, 0, EFFECT_READS},	       /* READ (12) */
	{0xa9, 0, 0, 0, EFFECT_CHANGES},       /* SERVICE ACTION OUT (12) */
	{0xaa, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE (12) */
	{0xab, 0, 0, 0, EFFECT_READS},	       /* SERVICE ACTION IN (12) */
	{0xae, 0, 0, 0, EFFECT_DESTROYS},      /* WRITE AND VERIFY (12) */
	{0xaf, 0, 0, 0, EFFECT_READS},	       /* VERIFY (12) */
	{0xb5, 0, 0, 0, EFFECT_DESTROYS},      /* SECURITY PROTOCOL OUT: keys, erasure */
	{0xb7, 0, 0, 0, EFFECT_READS},	       /* READ DEFECT DATA (12) */
};

/* SBC-4 §5: service actions of variable-length CDBs. */
static const struct {
	uint16_t action;
	enum scsi_effect effect;
} actions_32[] = {
	{0x0009, EFFECT_READS},	   /* READ (32) */
	{0x000a, EFFECT_READS},	   /* VERIFY (32) */
	{0x000b, EFFECT_DESTROYS}, /* WRITE (32) */
	{0x000c, EFFECT_DESTROYS}, /* WRITE AND VERIFY (32) */
	{0x000d, EFFECT_DESTROYS}, /* WRITE SAME (32) */
	{0x000e, EFFECT_DESTROYS}, /* ORWRITE (32) */
	{0x000f, EFFECT_DESTROYS}, /* WRITE ATOMIC (32) */
	{0x0012, EFFECT_READS},	   /* GET LBA STATUS (32) */
};

/* ACS-4: what only reads, and what only changes state; all else may destroy. */
static const uint8_t ata_reads[] = {0x20, 0x21, 0x24, 0x25, 0x29, 0x2b, 0x2f, 0x40, 0x42, 0x47,
	0x4a, 0x60, 0x70, 0xa1, 0xc4, 0xc8, 0xe5, 0xec};
static const uint8_t ata_changes[] = {0x00, 0x10, 0x44, 0x91, 0x95, 0x96, 0x97, 0x98, 0x99, 0xb1,
	0xb6, 0xc6, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0xe7, 0xea, 0xef};

/* SMART (B0h) by its feature: READ DATA, READ THRESHOLDS, READ LOG, RETURN STATUS only read. */
static enum scsi_effect smart_effect(uint8_t feature)
{
	switch (feature) {
	case 0xd0:
	case 0xd1:
	case 0xd5:
	case 0xda:
		return EFFECT_READS;
	case 0xd6: /* WRITE LOG */
		return EFFECT_DESTROYS;
	default:
		return EFFECT_CHANGES;
	}
}

static enum scsi_effect ata_effect(uint8_t command, uint8_t feature)
{
	if (command == 0xb0)
		return smart_effect(feature);
	for (size_t i = 0; i < sizeof(ata_reads); i++) {
		if (ata_reads[i] == command)
			return EFFECT_READS;
	}
	for (size_t i = 0; i < sizeof(ata_changes); i++) {
		if (ata_changes[i] == command)
			return EFFECT_CHANGES;
	}
	return EFFECT_DESTROYS;
}

/* SAT-4 §12.2.2: protocols 0 and 1 are resets, 15 returns what the last command left. */
static enum scsi_effect sat_effect(const uint8_t *cdb, size_t command_at, size_t feature_at)
{
	unsigned int protocol = cdb[1] >> 1 & 0x0f;

	if (protocol <= 1)
		return EFFECT_DESTROYS;
	if (protocol == 15)
		return EFFECT_READS;
	return ata_effect(cdb[command_at], cdb[feature_at]);
}

static enum scsi_effect variable_effect(const uint8_t *cdb, size_t len)
{
	for (size_t i = 0; len >= 10 && i < sizeof(actions_32) / sizeof(actions_32[0]); i++) {
		if (get_be16(cdb + 8) == actions_32[i].action)
			return actions_32[i].effect;
	}
	return EFFECT_UNKNOWN;
}

enum scsi_effect scsi_effect(const uint8_t *cdb, size_t len)
{
	if (len == 0)
		return EFFECT_UNKNOWN;
	if (cdb[0] == 0x85 && len >= 16)
		return sat_effect(cdb, 14, 4);
	if (cdb[0] == 0xa1 && len >= 12)
		return sat_effect(cdb, 9, 3);
	if (cdb[0] == 0x7f)
		return variable_effect(cdb, len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if (row->opcode == cdb[0] && row->at < len &&
			(cdb[row->at] & row->mask) == row->value)
			return row->effect;
	}
	return EFFECT_UNKNOWN;
}

const char *scsi_quirk_against(uint32_t quirks, const uint8_t *cdb, size_t len)
{
	bool ata = len > 0 &&
		   (cdb[0] == SCSI_ATA_PASS_THROUGH_12 || cdb[0] == SCSI_ATA_PASS_THROUGH_16);

	if (ata && quirks & QUIRK_NO_ATA_1X)
		return "no-ata-1x";
	if (len > 1 && cdb[0] == 0xa3 && (cdb[1] & 0x1f) == 0x0c &&
		quirks & QUIRK_NO_REPORT_OPCODES)
		return "no-report-opcodes";
	return NULL;
}

const char *scsi_effect_name(enum scsi_effect effect)
{
	static const char *const names[] = {"reads", "unknown", "changes", "destroys"};

	return (size_t)effect < sizeof(names) / sizeof(names[0]) ? names[effect] : "unknown";
}

size_t scsi_cdb_length(const uint8_t *cdb, size_t len)
{
	static const uint8_t of_group[8] = {6, 10, 10, 0, 16, 12, 0, 0};

	if (len == 0)
		return 0;
	if (cdb[0] == 0x7f)
		return len >= 8 ? 8u + cdb[7] : 12;
	return of_group[cdb[0] >> 5];
}

char *scsi_command_name(const uint8_t *cdb, size_t len, char *out, size_t room)
{
	char name[100];

	if (len > 1 && (cdb[0] == 0x7f ? len >= 10 : true))
		sg_get_command_name(cdb, 0, sizeof(name), name);
	else
		sg_get_opcode_name(len > 0 ? cdb[0] : 0, 0, sizeof(name), name);
	return text_escape(name, strnlen(name, sizeof(name)), out, room);
}
