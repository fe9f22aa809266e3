/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command does to a drive, as far as its CDB tells (SPC-5, SBC-4, SAT-4, ACS-4). */
#ifndef UMS_SCSI_EFFECT_H
#define UMS_SCSI_EFFECT_H

#include <stddef.h>
#include <stdint.h>

enum scsi_effect {
	EFFECT_READS,	 /* leaves the drive as it is */
	EFFECT_UNKNOWN,	 /* a vendor's command, or one that no standard has */
	EFFECT_CHANGES,	 /* state, settings, reservations */
	EFFECT_DESTROYS, /* what is on the medium, or the firmware */
};

/* "reads", "unknown", "changes", "destroys" */
const char *scsi_effect_name(enum scsi_effect effect);

/* LEN bytes of a CDB.  ATA commands inside of it (SAT) are looked at; on a drive whose bridge gives
 * 85h or A1h another meaning the answer is that for SAT. */
enum scsi_effect scsi_effect(const uint8_t *cdb, size_t len);

/* What is known of a drive with QUIRKS (enum quirk) against sending it CDB: the quirk's name
 * ("no-ata-1x": it takes ATA pass-throughs badly), or NULL. */
const char *scsi_quirk_against(uint32_t quirks, const uint8_t *cdb, size_t len);

/* The length that a standard command has, by the group of its operation code (SPC-5 §4.2.5.1):
 * 6, 10, 12, 16, or what a variable-length CDB says (at least 12); 0 when the group has none. */
size_t scsi_cdb_length(const uint8_t *cdb, size_t len);

/* "INQUIRY", from libsgutils2's tables, into OUT; returns OUT. */
char *scsi_command_name(const uint8_t *cdb, size_t len, char *out, size_t room);

#endif
