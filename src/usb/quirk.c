/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking quirks up, and understanding their names: see quirk.h. */
#include "usb/quirk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "usb/quirk_table.h"

#define VID_SEAGATE   0x0bc2
#define VID_ASMEDIA   0x174c
#define PID_ASM1051_A 0x5106
#define PID_ASM1051_B 0x55aa
#define STREAMS_32    5 /* log2 */

static const struct {
	uint32_t flag;
	char letter; /* of usb-storage.quirks; 0: none */
	const char *word;
	const char *about;
} names[] = {
	{QUIRK_SINGLE_LUN, 's', "single-lun", "has one unit; Get Max LUN is not asked"},
	{QUIRK_FIX_CAPACITY, 'c', "fix-capacity", "READ CAPACITY is one sector too large"},
	{QUIRK_CAPACITY_HEURISTICS, 'h', "capacity-heuristics", "… when it is odd"},
	{QUIRK_CAPACITY_OK, 'o', "capacity-ok", "it is right after all"},
	{QUIRK_IGNORE_RESIDUE, 'r', "ignore-residue", "residues are nonsense"},
	{QUIRK_IGNORE_TAG, 0, "ignore-tag", "tags of CSWs are nonsense"},
	{QUIRK_CBW_32, 0, "cbw-32", "wants CBWs of 32 bytes"},
	{QUIRK_GO_SLOW, 0, "go-slow", "wants a pause behind the CBW"},
	{QUIRK_MAX_SECTORS_64, 'm', "max-sectors-64", "at most 32 KiB a transfer"},
	{QUIRK_MAX_SECTORS_240, 'g', "max-sectors-240", "at most 120 KiB a transfer"},
	{QUIRK_MAX_SECTORS_MIN, 0, "max-sectors-min", "at most 4 KiB a transfer"},
	{QUIRK_NO_CAPACITY_16, 'e', "no-read-capacity-16", "READ CAPACITY (16) hangs it"},
	{QUIRK_NEEDS_CAPACITY_16, 0, "needs-capacity-16", "READ CAPACITY (10) lies"},
	{QUIRK_NO_REPORT_LUNS, 'j', "no-report-luns", "REPORT LUNS is not sent"},
	{QUIRK_NO_ATA_1X, 't', "no-ata-1x", "ATA pass-through is not sent"},
	{QUIRK_NO_WP_DETECT, 'w', "no-wp-detect", "MODE SENSE of all pages is not sent"},
	{QUIRK_INITIAL_READ10, 'n', "initial-read10", "READ (10) must come first after a reset"},
	{QUIRK_SANE_SENSE, 'a', "sane-sense", "takes more than 18 bytes of sense data well"},
	{QUIRK_BAD_SENSE, 'b', "bad-sense", "never more than 18"},
	{QUIRK_IGNORE_UAS, 'u', "ignore-uas", "its UAS is broken: Bulk-Only"},
	{QUIRK_IGNORE_DEVICE, 'i', "ignore-device", "not to be driven at all"},
	{QUIRK_FIX_INQUIRY, 0, "fix-inquiry", "its INQUIRY cannot be relied upon"},
	{QUIRK_NO_REPORT_OPCODES, 'f', "no-report-opcodes",
		"REPORT SUPPORTED OPERATION CODES is not sent"},
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* Makers whose drives say one sector too many now and then. */
static uint32_t of_vendor(uint16_t vid)
{
	switch (vid) {
	case 0x0421: /* Nokia */
	case 0x04b0: /* Nikon */
	case 0x0a17: /* Pentax */
	case 0x22b8: /* Motorola */
		return QUIRK_CAPACITY_HEURISTICS;
	default:
		return 0;
	}
}

uint32_t quirk_lookup(uint16_t vid, uint16_t pid, uint16_t bcd_device, const char **source)
{
	uint32_t flags = of_vendor(vid);
	enum quirk_source where = VENDOR;

	if (vid == VID_SEAGATE) {
		flags |= QUIRK_NO_ATA_1X;
		where = DETECT;
	}
	for (size_t i = 0; i < n_quirk_rows; i++) {
		const struct quirk_row *row = &quirk_table[i];

		if (row->vid != vid || row->pid != pid || bcd_device < row->bcd_first ||
			bcd_device > row->bcd_last)
			continue;
		flags |= row->flags;
		where = (enum quirk_source)row->source;
	}
	if (source)
		*source = flags ? quirk_sources[where] : NULL;
	return flags;
}

uint32_t quirk_of_bridge(
	uint16_t vid, uint16_t pid, bool super_speed, uint8_t streams_log2, uint8_t max_power)
{
	if (vid != VID_ASMEDIA || (pid != PID_ASM1051_A && pid != PID_ASM1051_B) || max_power == 0)
		return 0;
	if (!super_speed || streams_log2 == STREAMS_32)
		return QUIRK_IGNORE_UAS;
	return QUIRK_MAX_SECTORS_240;
}

/* VID:PID at *TEXT, which is moved behind it. */
static bool take_ids(const char **text, uint16_t *vid, uint16_t *pid)
{
	unsigned int v, p;
	int n = 0;

	if (sscanf(*text, "%4x:%4x:%n", &v, &p, &n) != 2 || n == 0)
		return false;
	*vid = (uint16_t)v;
	*pid = (uint16_t)p;
	*text += n;
	return true;
}

bool quirk_from_kernel(const char *text, uint16_t vid, uint16_t pid, uint32_t *flags)
{
	uint16_t v, p;

	for (; text && *text; text = strchr(text, ',') ? strchr(text, ',') + 1 : NULL) {
		const char *letters = text;

		if (!take_ids(&letters, &v, &p) || v != vid || p != pid)
			continue;
		*flags = 0;
		for (; *letters && *letters != ',' && *letters != '\n'; letters++) {
			for (size_t i = 0; i < N_NAMES; i++) {
				if (names[i].letter && names[i].letter == *letters)
					*flags |= names[i].flag;
			}
		}
		return true;
	}
	return false;
}

static uint32_t flag_of(const char *word)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		if (strcmp(names[i].word, word) == 0)
			return names[i].flag;
	}
	return 0;
}

int quirk_parse(const char *text, uint32_t *flags, struct err *err)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy;

	if (!copy)
		return err_memory(err, "for quirks");
	while (rest) {
		const char *word = strsep(&rest, ",");
		uint32_t flag = flag_of(word);

		if (flag) {
			*flags |= flag;
		} else if (strcmp(word, "none") == 0) {
			*flags = 0;
		} else if (strncmp(word, "no-", 3) == 0 && flag_of(word + 3)) {
			*flags &= ~flag_of(word + 3);
		} else {
			return err_set(err, ERR_USAGE,
				"\"%.40s\" is no quirk (umsctl help quirks lists them)", word);
		}
	}
	return 0;
}

size_t quirk_transfer_limit(uint32_t flags, size_t most)
{
	static const struct {
		uint32_t flag;
		size_t bytes;
	} limits[] = {
		{QUIRK_MAX_SECTORS_MIN, 8 * 512},
		{QUIRK_MAX_SECTORS_64, 64 * 512},
		{QUIRK_MAX_SECTORS_240, 240 * 512},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (flags & limits[i].flag)
			return limits[i].bytes;
	}
	return most;
}

char *quirk_names(uint32_t flags, char *out, size_t room)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < N_NAMES; i++) {
		if (flags & names[i].flag && n < room)
			n += (size_t)snprintf(
				out + n, room - n, "%s%s", n > 0 ? ", " : "", names[i].word);
	}
	return out;
}

const char *quirk_help(void)
{
	static char help[4096];
	size_t n = 0;

	n += (size_t)snprintf(help, sizeof(help),
		"Words of --quirk, separated by commas; no-WORD takes one away, none all:\n");
	for (size_t i = 0; i < N_NAMES && n < sizeof(help); i++)
		n += (size_t)snprintf(
			help + n, sizeof(help) - n, "  %-20s %s\n", names[i].word, names[i].about);
	return help;
}
