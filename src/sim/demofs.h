/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The demo's medium: an MBR with one FAT16 partition, and files on it (demofiles.h).  Always the
 * same bytes, so that LBAs of its bad areas can stand in the table of drives.
 */
#ifndef UMS_SIM_DEMOFS_H
#define UMS_SIM_DEMOFS_H

#include <stdint.h>

#define DEMOFS_BYTES  (64 << 20)
#define DEMOFS_SECTOR 512

/* DEMOFS_BYTES, freed with free(); NULL when memory is out. */
uint8_t *demofs_new(void);

#endif
