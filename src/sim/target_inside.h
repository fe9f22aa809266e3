/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the SCSI target and the vendor command sets (sim/vendor.h) share. */
#ifndef UMS_SIM_TARGET_INSIDE_H
#define UMS_SIM_TARGET_INSIDE_H

#include <stdbool.h>

#include "sim/target.h"

/* What REQUEST SENSE will say. */
struct target_sense {
	uint8_t lun;
	uint8_t key, asc, ascq;
	bool descriptor; /* form */
	bool has_information;
	uint64_t information;
	bool has_ata; /* an ATA Status Return descriptor (SAT-4 §12.2.2.6), in whichever form */
	uint8_t ata[14];
};

enum target_life {
	LIFE_WELL,
	LIFE_DEAF, /* until a port reset */
	LIFE_DEAD,
	LIFE_GONE,
};

struct target {
	struct sim_settings *settings;
	struct medium *medium[TARGET_UNITS_MAX];
	enum target_life life;
	uint64_t returns_ns;
	bool capacity_changed; /* and not yet said */
	uint64_t n_blocks;
	uint64_t reads;		 /* READs so far */
	uint64_t unit_attention; /* commands that still meet it */
	uint64_t becoming_ready;
	struct target_sense sense;
	_Alignas(8) uint8_t vendor[64]; /* what the vendor command set remembers between commands */
};

/* Ends TASK with CHECK CONDITION and this sense data; its data stays. */
void target_fail(struct target *target, struct target_task *task, uint8_t key, uint16_t asc_ascq);

/* As target_fail, with an LBA in the sense data. */
void target_fail_at(struct target *target, struct target_task *task, uint8_t key, uint16_t asc_ascq,
	uint64_t lba);

/* TASK answers with the first N bytes of its answer, as far as ALLOCATED lets it. */
void target_answer(struct target_task *task, size_t n, uint64_t allocated);

/* One function a command; see the table in target.c. */
typedef void target_fn(struct target *target, struct target_task *task);

target_fn target_inquiry;
target_fn target_mode_sense6;
target_fn target_mode_sense10;
target_fn target_read;

/* The blocks of a READ; false when CDB is none. */
bool target_blocks(const uint8_t *cdb, uint64_t *lba, uint64_t *n);

/* Leaves the bus, and comes back MS later (0: never). */
void target_drop(struct target *target, uint64_t ms);

target_fn target_read_capacity10;
target_fn target_service_action_in;

/* ASC and ASCQ in one number (SPC-5 annex F). */
enum {
	ASC_BECOMING_READY = 0x0401,
	ASC_UNRECOVERED_READ = 0x1100,
	ASC_RECOVERED_WITH_RETRIES = 0x1701,
	ASC_INVALID_OPCODE = 0x2000,
	ASC_LBA_OUT_OF_RANGE = 0x2100,
	ASC_INVALID_FIELD = 0x2400,
	ASC_NO_SUCH_LUN = 0x2500,
	ASC_WRITE_PROTECTED = 0x2700,
	ASC_RESET_OCCURRED = 0x2900,
	ASC_CAPACITY_CHANGED = 0x2a09,
	ASC_SAVING_NOT_SUPPORTED = 0x3900,
	ASC_NO_MEDIUM = 0x3a00,
	ASC_INTERNAL_FAILURE = 0x4400,
};

#endif
