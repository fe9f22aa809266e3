/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a simulated drive is like, from text: "KEY=VALUE,KEY=VALUE,…".  One table of settings is
 * parser and help at once.
 */
#ifndef UMS_SIM_SETTINGS_H
#define UMS_SIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sim/faults.h"
#include "sim/script.h"

struct vendor_set;

/* What the sectors hold. */
enum sim_content {
	SIM_CONTENT_ZERO,
	SIM_CONTENT_NOISE,
	SIM_CONTENT_TEXT,
	SIM_CONTENT_MIXED,
	SIM_CONTENT_SPARSE,
	SIM_CONTENT_DEMO,
};

/* How the drive ends a data phase in which it has less to send than the host wants (BOT 1.0
 * §6.7.2, cases 4 and 5). */
enum sim_short {
	SIM_SHORT_STALL,  /* halts the pipe, as the specification has it */
	SIM_SHORT_PACKET, /* a short or empty packet, no halt */
	SIM_SHORT_PAD,	  /* fills up with zeros */
	SIM_SHORT_SKIP,	  /* as PACKET, but with no data at all it sends the CSW at once */
};

/* What a drive does once it has died. */
enum sim_death {
	SIM_DEATH_HARDWARE, /* every READ fails with HARDWARE ERROR */
	SIM_DEATH_MEDIUM,   /* every READ fails with MEDIUM ERROR at its first block */
	SIM_DEATH_GONE,	    /* it leaves the bus */
};

/* Descriptors that are not what they should be. */
enum sim_descriptors {
	SIM_DESCRIPTORS_GOOD,
	SIM_DESCRIPTORS_CUT,   /* wTotalLength says more than comes */
	SIM_DESCRIPTORS_LOOP,  /* a descriptor of bLength 0 */
	SIM_DESCRIPTORS_PAST,  /* the last one reaches past the end */
	SIM_DESCRIPTORS_NO_IN, /* an interface without its IN endpoint */
	SIM_DESCRIPTORS_TWICE, /* two alternate settings of one number, with one endpoint address */
	SIM_DESCRIPTORS_MANY,  /* a hundred alternate settings */
	SIM_DESCRIPTORS_NO_PIPES,   /* UAS without pipe usage descriptors */
	SIM_DESCRIPTORS_SAME_PIPES, /* UAS, all four pipes with the same usage */
	SIM_DESCRIPTORS_TINY,	    /* wMaxPacketSize 0 */
	SIM_DESCRIPTORS_WORDS
};

enum sim_speed {
	SIM_SPEED_HIGH,
	SIM_SPEED_SUPER,
	SIM_SPEED_FULL,
};

/* What a hostile drive calls itself: an escape sequence, a bell, ends of line, a path, a C1
 * control. */
#define SIM_HOSTILE_TEXT "\033[31m\a\r\n../../\177\0\233evil\t%s%n\033]0;x\a"
#define SIM_HOSTILE_LEN	 (sizeof(SIM_HOSTILE_TEXT) - 1)

#define SIM_TEXT_MAX 126 /* characters of a USB string descriptor (USB 2.0 §9.6.7) */

/* All numbers are 64 bits wide, so that one parser takes them all. */
struct sim_settings {
	uint64_t size_bytes; /* 0: as the file has it */
	uint64_t block_bytes;
	uint64_t content; /* enum sim_content */
	uint64_t seed;	  /* of noise and text */
	char *file;	  /* NULL: none */
	char *defects;	  /* a mapfile; NULL: none */
	char serial[SIM_TEXT_MAX + 1];
	uint64_t vid, pid;
	uint64_t spc; /* version of SPC that INQUIRY claims, 0: none */
	uint64_t luns;
	uint16_t bcd_device;
	const struct vendor_set *vendor; /* NULL: none */
	struct faults faults;
	struct script script;
	uint64_t speed;	      /* enum sim_speed */
	uint64_t descriptors; /* enum sim_descriptors */
	uint64_t uas_depth;   /* commands that it takes at once */
	bool uas;	      /* UAS at alternate setting 1 */
	bool only_uas;	      /* UAS at alternate setting 0, no Bulk-Only */
	bool empty_luns;
	bool hostile;	     /* INQUIRY and strings full of control bytes and escape sequences */
	uint64_t delay_us;   /* each command */
	uint64_t rate;	     /* bytes per second of READ data, 0: no limit */
	uint64_t dies_after; /* READs, 0: never */
	uint64_t death;	     /* enum sim_death */
	uint64_t unit_attention; /* commands that meet it after power on or a port reset */
	uint64_t becoming_ready; /* commands that meet it after power on */
	uint64_t short_data;	 /* enum sim_short */
	bool read_only, no_medium, no_capacity16, capacity_plus_one, no_mode_sense;
};

/* What holds where nothing is said. */
void settings_init(struct sim_settings *settings);

/* Applies TEXT; earlier settings are overridden, areas add up. */
int settings_parse(struct sim_settings *settings, const char *text, struct err *err);

/* Every setting with its form and a line about it into OUT; returns the length. */
size_t settings_help(char *out, size_t room);

void settings_free(struct sim_settings *settings);

#endif
