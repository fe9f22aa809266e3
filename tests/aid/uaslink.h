/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link that follows a script, with a UAS drive behind it that remembers which tags it still
 * holds: for what a simulated drive cannot make fail.  One thread only.
 */
#ifndef UMS_TESTS_AID_UASLINK_H
#define UMS_TESTS_AID_UASLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usb/link.h"

#define UASLINK_SENSE	18 /* bytes of sense data with CHECK CONDITION */
#define UASLINK_PENDING 8

/* What the drive, or the bus, does next. */
enum act {
	END,
	SENT,	     /* the IU on the command pipe ends; MOVED 0: all of it */
	DATA,	     /* the data transfer ends, also one that was cancelled too late */
	ANSWER,	     /* SENSE IU with status CODE; MOVED: cut to that */
	ANSWER_TAG,  /* … with a tag that nobody gave */
	ANSWER_LIES, /* … whose length field says more than comes */
	RESPONSE,    /* RESPONSE IU with CODE where SENSE should be */
	READY,	     /* READ READY or WRITE READY, as the command wants it */
	READY_OTHER, /* … the other one */
	NOISE,	     /* an IU of an unknown id */
	STATUS,	     /* the transfer on the status pipe ends with RESULT */
	MANAGED,     /* RESPONSE IU with CODE to the task management function */
	MANAGED_BAD, /* SENSE IU to it */
	SILENCE,     /* nothing until the deadline */
};

struct step {
	enum act act;
	enum link_result result;
	size_t moved;
	uint8_t code;
};

struct uaslink {
	struct link link;
	const struct step *step;
	struct link_transfer *pending[UASLINK_PENDING];
	bool cancelled[UASLINK_PENDING];
	size_t n;
	unsigned int submits;
	unsigned int refuse_at; /* this submit fails (0: none) … */
	enum link_result refusal;
	enum link_result reset_result;
	unsigned int streams; /* to be granted */
	uint8_t alternate;
	uint16_t command_tag, managed_tag;
	uint32_t held; /* bit: a tag that the drive holds */
	bool write;
	const char *surprise; /* the first thing that should not have been */
	char log[100];	      /* what it was told: C, A (abort), R (LU reset), h83, P, S1, T17 */
};

/* A SuperSpeed drive with STREAMS of them, or a high-speed one (0); it does what STEP says. */
void uaslink_init(struct uaslink *fake, unsigned int streams, const struct step *step);

/* A transfer into, or from, DATA is under way. */
bool uaslink_uses(const struct uaslink *fake, const void *data);

#endif
