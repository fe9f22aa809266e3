/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of USB Attached SCSI (UAS-2): four bulk pipes, a queue of commands, and their
 * information units.  Knows no host, never sleeps.
 */
#ifndef UMS_SIM_UAS_DEVICE_H
#define UMS_SIM_UAS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/target.h"

struct uas_device;

/* TARGET and SETTINGS stay the caller's. */
struct uas_device *uas_device_new(struct target *target, const struct sim_settings *settings);
void uas_device_free(struct uas_device *uas);

/* A transfer on the command pipe, whole: one information unit. */
enum device_answer uas_device_command(
	struct uas_device *uas, const uint8_t *data, size_t len, size_t *moved);

/* A transfer of up to LEN bytes on the status pipe.  STREAM 0: without streams. */
enum device_answer uas_device_status(
	struct uas_device *uas, uint16_t stream, uint8_t *data, size_t len, size_t *moved);

/* … on the data-in pipe, and (thrown away) on the data-out pipe. */
enum device_answer uas_device_in(
	struct uas_device *uas, uint16_t stream, uint8_t *data, size_t len, size_t *moved);
enum device_answer uas_device_out(
	struct uas_device *uas, uint16_t stream, const uint8_t *data, size_t len, size_t *moved);

/* When (by clock_now_ns()) one that was DEVICE_LATER can be tried again. */
uint64_t uas_device_ready_ns(const struct uas_device *uas, uint16_t stream);

bool uas_device_halted(const struct uas_device *uas, uint8_t pipe);
void uas_device_clear_halt(struct uas_device *uas, uint8_t pipe);

/* The port was reset, or the alternate setting chosen: nothing is under way. */
void uas_device_reset(struct uas_device *uas);

/* The most commands that were under way at once. */
unsigned int uas_device_most_at_once(const struct uas_device *uas);

#endif
