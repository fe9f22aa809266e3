/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of drives that do not keep to the specifications: facts by VID:PID and bcdDevice
 * with their public source, the kernel's own setting as a hint, and the user's word over both.
 */
#ifndef UMS_USB_QUIRK_H
#define UMS_USB_QUIRK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A set of these, in the words of the host's side.  The letters are those of Linux
 * (usb-storage.quirks=VID:PID:LETTERS). */
enum quirk {
	QUIRK_SINGLE_LUN = 1 << 0,	    /* s: only LUN 0, Get Max LUN is not asked */
	QUIRK_FIX_CAPACITY = 1 << 1,	    /* c: READ CAPACITY is one too large */
	QUIRK_CAPACITY_HEURISTICS = 1 << 2, /* h: … when it is odd */
	QUIRK_CAPACITY_OK = 1 << 3,	    /* o: it is right after all */
	QUIRK_IGNORE_RESIDUE = 1 << 4,	    /* r: dCSWDataResidue is nonsense */
	QUIRK_IGNORE_TAG = 1 << 5,	    /* CSW tags are nonsense */
	QUIRK_CBW_32 = 1 << 6,		    /* the CBW must be 32 bytes long */
	QUIRK_GO_SLOW = 1 << 7,		    /* wants a pause after the CBW */
	QUIRK_MAX_SECTORS_64 = 1 << 8,	    /* m: at most 64 sectors (32 KiB) a transfer */
	QUIRK_MAX_SECTORS_240 = 1 << 9,	    /* g: at most 240 sectors (120 KiB) */
	QUIRK_MAX_SECTORS_MIN = 1 << 10,    /* at most one page (4 KiB) a transfer */
	QUIRK_NO_CAPACITY_16 = 1 << 11,	    /* e: READ CAPACITY (16) hangs it */
	QUIRK_NEEDS_CAPACITY_16 = 1 << 12,  /* READ CAPACITY (10) lies: (16) must be asked */
	QUIRK_NO_REPORT_LUNS = 1 << 13,	    /* j */
	QUIRK_NO_ATA_1X = 1 << 14,	    /* t: no ATA pass-through */
	QUIRK_NO_WP_DETECT = 1 << 15,	    /* w: no MODE SENSE for write protection */
	QUIRK_INITIAL_READ10 = 1 << 16, /* n: the first command after a reset must be READ (10) */
	QUIRK_SANE_SENSE = 1 << 17,	/* a: more than 18 bytes of sense data are well taken */
	QUIRK_BAD_SENSE = 1 << 18,	/* b: never more than 18 */
	QUIRK_IGNORE_UAS = 1 << 19,	/* u: UAS is broken, Bulk-Only works */
	QUIRK_IGNORE_DEVICE = 1 << 20,	/* i: not to be driven at all */
	QUIRK_FIX_INQUIRY = 1 << 21,	/* its INQUIRY is not to be relied upon */
	QUIRK_NO_REPORT_OPCODES = 1 << 22, /* f: REPORT SUPPORTED OPERATION CODES is not asked */
};

/* Flags known of VID:PID at BCD_DEVICE from our table; 0: none.  *SOURCE (may be NULL) is where
 * that is written, static. */
uint32_t quirk_lookup(uint16_t vid, uint16_t pid, uint16_t bcd_device, const char **source);

/* Bridges that cannot be told apart by their ids: what shows when they are connected.  STREAMS_LOG2
 * is of the UAS status pipe, MAX_POWER bMaxPower of the configuration. */
uint32_t quirk_of_bridge(
	uint16_t vid, uint16_t pid, bool super_speed, uint8_t streams_log2, uint8_t max_power);

/* Linux's setting "VID:PID:LETTERS[,…]" (the text of /sys/module/usb_storage/parameters/quirks):
 * the flags for VID:PID into *FLAGS; like the kernel's, they replace those of the table.  False
 * when TEXT says nothing of it. */
bool quirk_from_kernel(const char *text, uint16_t vid, uint16_t pid, uint32_t *flags);

/* The user's "--quirk WORD[,WORD…]" on *FLAGS: names as quirk_names() gives them
 * ("ignore-residue"), "no-WORD" takes one away, "none" all. */
int quirk_parse(const char *text, uint32_t *flags, struct err *err);

/* The most bytes that a drive of these FLAGS takes in one transfer, where others take MOST. */
size_t quirk_transfer_limit(uint32_t flags, size_t most);

/* "ignore-residue, max-sectors-64" into OUT; empty for 0.  Returns OUT. */
char *quirk_names(uint32_t flags, char *out, size_t room);

/* Every word with a line about it, for --help and man pages. */
const char *quirk_help(void);

#endif
