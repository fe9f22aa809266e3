/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a simulated drive misbehaves: a list of areas, and what a READ that touches them meets.
 * Only says what happens; the target (target.h) does it.
 */
#ifndef UMS_SIM_FAULTS_H
#define UMS_SIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum fault_kind {
	FAULT_BAD,	 /* MEDIUM ERROR; for ever, or until it has failed often enough */
	FAULT_HANG,	 /* the drive does not answer any more */
	FAULT_RECOVERED, /* RECOVERED ERROR, with good data */
	FAULT_SLOW,
};

struct fault {
	enum fault_kind kind;
	uint64_t first, last; /* LBA, both included */
	uint64_t failures;    /* BAD: READs that still fail; UINT64_MAX: all */
	uint64_t delay_ms;    /* SLOW */
	bool no_lba;	      /* the sense data does not say where */
	bool no_data;	      /* the sectors before the bad one do not arrive */
	bool junk;	      /* all bytes arrive, and all are wrong */
	bool descriptor;      /* sense data in descriptor form */
	bool deaf;	      /* HANG: control requests are not answered either */
};

/* Sectors that cannot be read. */
struct defect {
	uint64_t first, last; /* LBA, both included */
};

struct faults {
	struct fault *fault; /* in the order given */
	size_t n, room;
	struct defect *defect; /* of a whole drive, maybe many thousand: ascending, apart */
	size_t n_defects, defects_room;
};

/* What a READ meets first, in the order of its blocks. */
struct fault_meeting {
	const struct fault *stop; /* the bad or hanging area that ends it; NULL: none */
	uint64_t stop_lba;
	const struct fault *recovered; /* before that; NULL: none */
	uint64_t recovered_lba;
	uint64_t delay_ms;
};

/* Adds what TEXT says, in the form of the setting for KIND: LBA[-LBA][:WORD]….  HEALS: TEXT is
 * LBA:FAILURES. */
int faults_add(
	struct faults *faults, enum fault_kind kind, bool heals, const char *text, struct err *err);

/* Adds sectors that cannot be read, as bad=FIRST-LAST does; not before those added so. */
int faults_add_defect(struct faults *faults, uint64_t first, uint64_t last, struct err *err);

/* Reads LBA or LBA-LBA; TEXT is written to. */
int faults_parse_area(char *text, uint64_t *first, uint64_t *last, struct err *err);

/* N, at least 1, blocks are read from LBA; a healing sector that stops the READ has failed once
 * more. */
struct fault_meeting faults_meet(struct faults *faults, uint64_t lba, uint64_t n);

/* The highest LBA that any area names; 0 when there is none. */
uint64_t faults_highest(const struct faults *faults);

void faults_free(struct faults *faults);

#endif
