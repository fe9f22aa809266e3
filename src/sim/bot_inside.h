/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the Bulk-Only device share; nobody else includes this. */
#ifndef UMS_SIM_BOT_INSIDE_H
#define UMS_SIM_BOT_INSIDE_H

#include "proto/bot.h"
#include "sim/bot_device.h"

#define CSW_ROOM (CSW_LEN + 1) /* of one that is too long */

enum stage {
	STAGE_READY,	/* for a CBW */
	STAGE_DATA_IN,	/* data for the host, then the CSW */
	STAGE_DATA_OUT, /* data from the host, then the CSW */
	STAGE_STATUS,	/* the CSW */
	STAGE_INVALID,	/* an invalid CBW came: all halts until reset recovery */
	STAGE_HUNG,	/* no answer until a reset */
};

struct bot_device {
	struct target *target;
	enum sim_short short_data;
	uint16_t max_packet;
	enum stage stage;
	bool in_halted, out_halted;
	struct target_task task;
	uint8_t cdb[CBW_CDB_MAX];
	uint32_t tag;
	uint64_t host_len; /* dCBWDataTransferLength */
	bool host_in;	   /* its direction */
	uint64_t moved;	   /* bytes of the data phase so far */
	uint64_t relevant; /* those of them that count for the residue */
	uint8_t csw_status;
	uint64_t ready_ns;
	unsigned int stalls; /* of the IN pipe that are still to come before the CSW */
	bool empty_first;    /* an empty packet before the CSW */
};

void bot_halt(struct bot_device *bot, bool in);

/* A command has been carried out: makes of its data what its misdeed intends instead. */
void bot_intend(struct bot_device *bot);

/* Misdeeds of the data phase and of what comes before the CSW, once it is clear what is next. */
void bot_spoil(struct bot_device *bot);

/* Makes the CSW, as its misdeed has it; returns its length. */
size_t bot_make_csw(const struct bot_device *bot, uint8_t csw[CSW_ROOM]);

#endif
