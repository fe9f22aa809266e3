/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCSI side of a simulated drive: what it answers to a CDB.  Knows no USB: bot_device.h puts
 * the answer on the wire.  Nothing here is ever written; commands that would are refused.
 */
#ifndef UMS_SIM_TARGET_H
#define UMS_SIM_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/answer.h"
#include "sim/medium.h"
#include "sim/settings.h"

#define TARGET_ANSWER_MAX 4096
#define TARGET_TAKEN_MAX  512
#define TARGET_UNITS_MAX  16

enum target_fate {
	TARGET_ANSWERS,
	TARGET_HANGS, /* this command is never answered */
};

enum target_source {
	TARGET_FROM_ANSWER,
	TARGET_FROM_MEDIUM,
	TARGET_FROM_JUNK,
};

/* One command. */
struct target_task {
	/* the request */
	uint8_t lun;
	const uint8_t *cdb;
	size_t cdb_len; /* 1 … 260 */
	bool uas;	/* which of its misdeeds can be done */
	/* the answer */
	enum target_fate fate;
	uint8_t status;	      /* SCSI status */
	uint64_t len;	      /* bytes for the host, see target_data() */
	uint64_t wants;	      /* bytes from the host */
	enum misdeed misdeed; /* what the transport is to do wrong */
	uint64_t number;      /* … and its number */
	uint64_t delay_ns;
	enum target_source source;
	uint64_t offset; /* in the medium */
	uint8_t answer[TARGET_ANSWER_MAX];
	uint8_t taken[TARGET_TAKEN_MAX]; /* what the host has sent, for commands that look at it */
	size_t n_taken;
};

struct target;

/* SETTINGS and the media, one a unit (NULL: an empty slot), stay the caller's and must outlive it.
 * NULL when memory is out. */
struct target *target_new(
	struct sim_settings *settings, struct medium *const media[TARGET_UNITS_MAX]);
void target_free(struct target *target);

/* Carries out TASK, of which the request is filled in. */
void target_exec(struct target *target, struct target_task *task);

/* LEN bytes from OFFSET of the task's data, which has them.  -1 when the medium's file cannot be
 * read: the task has failed then, whatever its status was. */
int target_data(
	struct target *target, struct target_task *task, uint64_t offset, void *out, size_t len);

/* LEN bytes from the host for TASK; what does not fit is thrown away. */
void target_take(struct target_task *task, const void *data, size_t len);

/* The host has sent all that it will: the command may end otherwise now. */
void target_taken(struct target *target, struct target_task *task);

/* The sense data that REQUEST SENSE would give, fetched: at most ROOM bytes into OUT, how many. */
size_t target_autosense(struct target *target, uint8_t lun, uint8_t *out, size_t room);

/* A reset of the unit. */
void target_reset(struct target *target);

/* A port reset: hears again, unless it is dead. */
void target_port_reset(struct target *target);

/* DEVICE_DONE, DEVICE_SILENT when it hears nothing any more, DEVICE_GONE. */
enum device_answer target_mood(const struct target *target);

/* When (by clock_now_ns()) it comes back, if it is gone; UINT64_MAX: never. */
uint64_t target_returns_ns(const struct target *target);

/* It is plugged in again: power on. */
void target_plug(struct target *target);

#endif
