/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCSI side of a simulated drive: what it answers to a CDB.  Knows no USB: bot_device.h puts
 * the answer on the wire.  Nothing here is ever written; commands that would are refused.
 */
#ifndef UMS_SIM_TARGET_H
#define UMS_SIM_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "sim/medium.h"
#include "sim/settings.h"

#define TARGET_ANSWER_MAX 512

enum target_fate {
	TARGET_ANSWERS,
	TARGET_HANGS, /* this command is never answered */
	TARGET_DEAF,  /* nor is anything else */
	TARGET_GONE,  /* the drive leaves the bus */
};

enum target_source {
	TARGET_FROM_ANSWER,
	TARGET_FROM_MEDIUM,
	TARGET_FROM_JUNK,
};

/* One command.  All data goes to the host. */
struct target_task {
	/* the request */
	uint8_t lun;
	const uint8_t *cdb;
	size_t cdb_len; /* 1 … 16 */
	/* the answer */
	enum target_fate fate;
	uint8_t status; /* SCSI status */
	uint64_t len;	/* bytes for the host, see target_data() */
	uint64_t delay_ns;
	enum target_source source;
	uint64_t offset; /* in the medium */
	uint8_t answer[TARGET_ANSWER_MAX];
};

struct target;

/* SETTINGS and MEDIUM stay the caller's and must outlive it.  NULL when memory is out. */
struct target *target_new(struct sim_settings *settings, struct medium *medium);
void target_free(struct target *target);

/* Carries out TASK, of which the request is filled in. */
void target_exec(struct target *target, struct target_task *task);

/* LEN bytes from OFFSET of the task's data, which has them.  -1 when the medium's file cannot be
 * read: the task has failed then, whatever its status was. */
int target_data(
	struct target *target, struct target_task *task, uint64_t offset, void *out, size_t len);

/* A port reset. */
void target_reset(struct target *target);

#endif
