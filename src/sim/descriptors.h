/* SPDX-License-Identifier: BSD-2-Clause */
/* The descriptors of a simulated drive, right ones and others, from its settings. */
#ifndef UMS_SIM_DESCRIPTORS_H
#define UMS_SIM_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

#include "sim/settings.h"

#define DESCRIPTORS_CONFIG_MAX 2048
#define DESCRIPTORS_BOS_LEN    15

/* Endpoint addresses; both settings use the first two. */
#define ENDPOINT_BOT_IN	      0x81
#define ENDPOINT_BOT_OUT      0x02
#define ENDPOINT_UAS_COMMAND  0x04
#define ENDPOINT_UAS_STATUS   0x83
#define ENDPOINT_UAS_DATA_IN  0x81
#define ENDPOINT_UAS_DATA_OUT 0x02

#define UAS_STREAMS_LOG2 4 /* 16 streams on each pipe that has them */

/* Indexes of strings. */
enum {
	STRING_LANGUAGES,
	STRING_VENDOR,
	STRING_PRODUCT,
	STRING_SERIAL,
	STRINGS,
};

/* 18 bytes (USB 2.0 §9.6.1). */
void descriptors_device(const struct sim_settings *settings, uint8_t out[18]);

/* The configuration, whole; returns how many bytes the device has of it.  wTotalLength may say
 * something else. */
size_t descriptors_config(const struct sim_settings *settings, uint8_t out[DESCRIPTORS_CONFIG_MAX]);

/* The binary device object store, which SuperSpeed devices have (USB 3.2 §9.6.2). */
void descriptors_bos(uint8_t out[DESCRIPTORS_BOS_LEN]);

/* wMaxPacketSize of the bulk pipes. */
uint16_t descriptors_packet(const struct sim_settings *settings);

#endif
