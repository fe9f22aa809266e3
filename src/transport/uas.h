/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the UAS transport.  Clauses are of UAS-2.
 *
 *	uas.c           open, exec, close
 *	uas_iu.c        information units, bytes to struct and back
 *	uas_pump.c      transfers: begun, reaped, handed to their slot
 *	uas_recovery.c  a command that is not answered
 *
 * A slot is one command (or task management function) under way; its tag is also its stream: slot I
 * has I + 1, task management the one behind those of commands.  exec() may be called by several
 * threads; each waits for its own slot.  One of those that wait is the pump: it reaps transfers for
 * all, without the lock, and hands the role on when its own command has ended.
 *
 *	FREE -> BUSY -> (pump: its last transfer has ended) -> DONE -> exec returns -> FREE
 *
 * Without streams all commands share the data pipes, and a transfer takes whatever bytes come next,
 * whosever they are.  So there is one data phase at a time, and the next one begins only when the
 * transfer of the last one has been reaped.  A command that ends in the midst of its data phase is
 * not aborted: nobody could say how many of its bytes are still to come.  The port is reset, which
 * empties the pipes.
 *
 * While `recovering` nothing new is begun.  The thread that recovers sends task management
 * functions, whose answers come through the pump as well, so all who wait go on pumping.
 */
#ifndef UMS_TRANSPORT_UAS_H
#define UMS_TRANSPORT_UAS_H

#include <pthread.h>

#include "proto/uas.h"
#include "transport/transport.h"
#include "usb/descriptor.h"
#include "usb/link.h"

#define UAS_COMMANDS_MAX 16
#define UAS_SLOTS_MAX	 (UAS_COMMANDS_MAX + 1)
#define UAS_MANAGEMENT	 UAS_COMMANDS_MAX /* the slot for task management */

/* --- uas_iu.c --- */

/* Encodes a COMMAND IU into OUT (at least IU_COMMAND_LEN + 252 bytes); returns its length. */
size_t uas_put_command(uint8_t *out, uint16_t tag, uint8_t lun, const uint8_t *cdb, size_t cdb_len);

/* … a TASK MANAGEMENT IU (IU_TMF_LEN bytes). */
size_t uas_put_tmf(uint8_t *out, uint16_t tag, uint8_t lun, uint8_t function, uint16_t task_tag);

struct uas_iu {
	uint8_t id; /* IU_ID_SENSE, _RESPONSE, _READ_READY or _WRITE_READY */
	uint16_t tag;
	uint8_t status;	      /* SENSE: SCSI status */
	const uint8_t *sense; /* SENSE: in the bytes given */
	size_t sense_len;     /* as many as came, whatever the length field says */
	uint8_t response;     /* RESPONSE */
};

/* Decodes what came on the status pipe; false when it is none of these, or cut short. */
bool uas_get_iu(const uint8_t *bytes, size_t len, struct uas_iu *iu);

/* "overlapped tag", … */
const char *uas_response_name(uint8_t code);

/* --- a slot --- */

enum uas_slot_state { UAS_FREE, UAS_BUSY, UAS_DONE };

/* How it has ended. */
enum uas_end {
	UAS_ANSWERED,  /* SENSE; or RESPONSE to a task management function */
	UAS_BROKEN,    /* a transfer failed, or what came is not what may come */
	UAS_CANCELLED, /* by a reset that was not its own */
	UAS_GONE,
	UAS_NO_MEMORY, /* a transfer could not be begun */
};

struct uas_slot {
	enum uas_slot_state state;
	uint16_t tag;
	const struct command *command; /* NULL: task management */
	bool ended;		       /* END is set; transfers may still be under way */
	bool timed_out;
	bool sent;  /* the drive may have seen its IU */
	bool ready; /* the drive has asked for its data phase (without streams) */
	enum uas_end end;
	const char *what;	  /* of BROKEN: "a status with a wrong tag", … */
	enum link_result result;  /* of BROKEN: LINK_OK when it was no transfer that failed */
	struct deadline grace;	  /* for data that the status has overtaken */
	struct link_transfer out; /* command IU */
	struct link_transfer in;  /* status, with streams */
	struct link_transfer data;
	bool out_busy, in_busy, data_busy;
	size_t data_moved;
	uint8_t command_iu[IU_COMMAND_LEN + 252];
	uint8_t status_iu[IU_SENSE_MAX];
	uint8_t status, response;
	uint8_t sense[TRANSPORT_SENSE_MAX];
	size_t sense_len;
};

struct uas {
	struct transport transport;
	struct link *link;
	uint8_t lun;
	uint8_t alternate; /* the setting, and the endpoints' addresses in it */
	uint8_t command_out, status_in, data_in, data_out;
	bool may_stream;
	unsigned int streams; /* 0: none */
	unsigned int n_slots; /* for commands; fewer when a reset leaves fewer streams */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool pumping, recovering, gone;
	uint8_t stalled[4]; /* endpoints that have halted */
	size_t n_stalled;
	uint32_t epoch;
	struct uas_slot slot[UAS_SLOTS_MAX];
	/* without streams: the status pipe is everybody's */
	struct link_transfer shared;
	uint8_t shared_iu[IU_SENSE_MAX];
	bool shared_busy;
};

/* --- uas_pump.c; all with the lock held --- */

/* Begins what SLOT needs: its command IU is in command_iu, LEN bytes.  When something cannot be
 * begun the slot ends as that says. */
void uas_begin(struct uas *uas, struct uas_slot *slot, size_t len);

/* Waits until SLOT is DONE (true), or has not ended by DEADLINE; reaps when nobody else does. */
bool uas_wait(struct uas *uas, struct uas_slot *slot, struct deadline deadline);

/* SLOT has ended, unless it had before: what it has under way is cancelled.  It is DONE when the
 * last transfer has been reaped. */
void uas_end(struct uas *uas, struct uas_slot *slot, enum uas_end end);

/* SLOT's command is in its data phase on pipes without streams, or has left it before its end. */
bool uas_in_data(const struct uas *uas, const struct uas_slot *slot);

/* Waits until nothing is under way, of no slot, and all that were busy are DONE. */
void uas_quiesce(struct uas *uas);

/* --- uas.c --- */

/* Chooses the alternate setting, and allocates streams. */
int uas_configure(struct uas *uas, struct err *err);

/* --- uas_recovery.c; with the lock held --- */

/* SLOT has not ended, or it has while the drive may still hold its tag. */
bool uas_is_amiss(const struct uas_slot *slot);

/* Clears the endpoints that have halted. */
void uas_clear_halts(struct uas *uas);

/* Waits for the end of another's recovery, then recovers if SLOT still is amiss: when this returns
 * it is DONE, and the drive is ready for others, or gone. */
void uas_recover(struct uas *uas, struct uas_slot *slot);

#endif
