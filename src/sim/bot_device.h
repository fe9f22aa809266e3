/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of USB Mass Storage Bulk-Only Transport 1.0: two bulk pipes, each of which can
 * be halted, and what travels on them.  Knows no host: link_sim.c is one, others can be.
 */
#ifndef UMS_SIM_BOT_DEVICE_H
#define UMS_SIM_BOT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/answer.h"
#include "sim/target.h"

struct bot_device;

/* TARGET stays the caller's.  MAX_PACKET: of both pipes.  NULL when memory is out. */
struct bot_device *bot_device_new(
	struct target *target, const struct sim_settings *settings, uint16_t max_packet);
void bot_device_free(struct bot_device *bot);

/* A transfer on the bulk-out pipe, whole. */
enum device_answer bot_device_out(
	struct bot_device *bot, const uint8_t *data, size_t len, size_t *moved);

/* A transfer of up to LEN bytes on the bulk-in pipe. */
enum device_answer bot_device_in(struct bot_device *bot, uint8_t *data, size_t len, size_t *moved);

/* When (by clock_now_ns()) the answer that was DEVICE_LATER will be there. */
uint64_t bot_device_ready_ns(const struct bot_device *bot);

bool bot_device_halted(const struct bot_device *bot, bool in);

/* CLEAR_FEATURE(ENDPOINT_HALT).  After an invalid CBW the pipe halts at once again (§6.6.1). */
void bot_device_clear_halt(struct bot_device *bot, bool in);

/* Bulk-Only Mass Storage Reset (§3.1): ready for a CBW; halts stay as they are. */
void bot_device_class_reset(struct bot_device *bot);

/* The port was reset, or the alternate setting chosen: no halts either. */
void bot_device_reset(struct bot_device *bot);

#endif
