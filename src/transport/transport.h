/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a CDB travels: one interface over sg, BOT, UAS and plain files.  Three outcomes never share
 * one number: the exchange did not happen (outcome), it happened and the device said no (status and
 * sense), it happened but short (moved).  Decisions about retries look only at the reply.
 */
#ifndef UMS_TRANSPORT_TRANSPORT_H
#define UMS_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "proto/scsi.h"

#define TRANSPORT_CDB_MAX   260
#define TRANSPORT_SENSE_MAX 252

enum transfer_direction {
	TRANSFER_NONE,
	TRANSFER_IN,  /* device to host */
	TRANSFER_OUT, /* host to device */
};

struct command {
	const uint8_t *cdb; /* the caller's, for the length of the call */
	size_t cdb_len;
	enum transfer_direction direction;
	void *data; /* the caller's; not written to when direction is OUT; may be NULL when len is 0
		     */
	size_t data_len;	  /* bytes asked for or given */
	struct deadline deadline; /* sg: sets the kernel's time-out (whole seconds), and the return
				   * may come later, after the kernel's own error handling */
};

enum outcome {
	OUTCOME_DONE,	   /* the device answered: status, sense and moved are valid */
	OUTCOME_NOT_SENT,  /* refused before anything was sent (guard, length, no memory) */
	OUTCOME_TIMED_OUT, /* no answer by the deadline; the transport has recovered or is gone */
	OUTCOME_ABORTED,   /* ended by a reset that another command caused: send it again, no try
			      spent */
	OUTCOME_BROKEN, /* the exchange broke and the transport recovered (phase error, bad CSW …)
			 */
	OUTCOME_GONE,	/* the drive left the bus, or cannot be recovered */
	OUTCOME_HOST_ERROR, /* no device answered: the host's own reading failed, and host_errno
			     * says how; base/errnum.h says what that may mean */
};

struct reply {
	enum outcome outcome;
	uint8_t status; /* SCSI_STATUS_…, valid with DONE */
	uint8_t sense[TRANSPORT_SENSE_MAX];
	size_t sense_len;
	int host_errno; /* errno of the system call that failed, 0 none; with HOST_ERROR, and with
			 * GONE where a system call said so */
	size_t moved;	/* bytes of data that moved; never more than data_len */
	uint32_t reset_epoch; /* grows by one with every reset of the drive that this transport did
			       */
};

struct transport;

struct transport_ops {
	const char *name; /* "sg", "bot", "file", … */

	/* Carries one command.  Guaranteed: cdb_len is 1 … max_cdb_len, data_len is at most
	 * max_transfer_bytes, REPLY is zeroed.  Returns 0 with outcome DONE; else -1, outcome says
	 * which, ERR (may be NULL) why.  Before it returns the transport has recovered as far as it
	 * can. */
	int (*exec)(struct transport *transport, const struct command *command, struct reply *reply,
		struct err *err);

	/* Frees everything; the interface goes back to whom it was taken from. */
	void (*close)(struct transport *transport);
};

/* Every implementation's struct begins with this one. */
struct transport {
	const struct transport_ops *ops;
	size_t max_transfer_bytes;
	size_t max_cdb_len;
	unsigned int
		depth;	 /* callers that exec may have at once; 0: only the thread that opened it */
	uint32_t quirks; /* enum quirk (usb/quirk.h), for those who build commands */

	/* Told of each command that a transport sends on its own account (the REQUEST SENSE of an
	 * autosense, a first READ after a reset); NULL: nobody wants to know. */
	void (*own_command)(void *context, const uint8_t *cdb);
	void *own_context;
};

/* Checks the promises that ops->exec may rely on, zeroes REPLY, and carries COMMAND. */
int transport_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err);

/* NULL is allowed. */
void transport_close(struct transport *transport);

/* "done", "timed out", … */
const char *outcome_name(enum outcome outcome);

/*
 * Constructors.  Each returns NULL and ERR on failure; what it was given then still is the
 * caller's.
 */
struct link;

/* SG_IO through libsgutils2 on PATH (/dev/sgN or a block device), opened read-only, of a device
 * with QUIRKS. */
struct transport *transport_sg_open(const char *path, uint32_t quirks, struct err *err);

/* Bulk-Only over LINK (owned from then on), logical unit LUN, of a device with QUIRKS. */
struct transport *transport_bot_open(
	struct link *link, uint8_t lun, uint32_t quirks, struct err *err);

/*
 * UAS over LINK (owned from then on), logical unit LUN, of a device with QUIRKS: with streams at
 * SuperSpeed, with READ READY and WRITE READY below it.  Chooses the alternate setting that offers
 * it.
 */
struct transport *transport_uas_open(
	struct link *link, uint8_t lun, uint32_t quirks, struct err *err);

/* Number of the highest logical unit (BOT 1.0 §3.2 Get Max LUN); 0 when the device refuses. */
uint8_t bot_get_max_lun(struct link *link);

/* A block device or plain file, read by pread; answers the few commands that a capture needs. */
struct transport *transport_file_open(const char *path, struct err *err);

/* The read-only guard around INNER (owned from then on): whole CDBs are matched against a list of
 * commands that cannot change a drive; all else is NOT_SENT. */
struct transport *transport_guard_new(struct transport *inner, struct err *err);

/*
 * Writes what passes INNER (owned from then on) to FILE as a transcript (record.h says its form).
 * Serial numbers and data are left out unless WITH_DATA.  DEVICE is a line about the drive.
 */
struct transport *transport_record_new(struct transport *inner, const char *file, bool with_data,
	const char *device, struct err *err);

/* A drive that answers from the transcript FILE and refuses anything else. */
struct transport *transport_replay_open(const char *file, struct err *err);

/* Misbehaves around INNER (owned from then on), always the same way for the same SEED: lost
 * answers, short data, made-up sense, aborts, time-outs; now and then, never for ever. */
struct transport *transport_fault_new(struct transport *inner, uint64_t seed, struct err *err);

/* Writes what passes INNER (owned from then on) to PCAP (the caller's) as the Bulk-Only transfers
 * that would carry it. */
struct pcap;
struct transport *transport_pcap_new(struct transport *inner, struct pcap *pcap, struct err *err);

/*
 * Counts what passes INNER (owned from then on): the proof of what was sent.
 */
struct transport *transport_tally_new(struct transport *inner, struct err *err);

struct tally_row {
	uint8_t opcode;
	uint8_t service_action; /* of those opcodes that have one (9Eh, 7Fh …), else 0 */
	uint64_t commands;
};

/* What a tally transport has seen: up to ROOM rows in the order of opcodes, returns how many.
 * The rows also count what the carrier has sent on its own account.  SHA256 is over all CDBs in the
 * order in which they were handed to the transport, each behind one byte that says its length: a
 * transcript of the same commands has the same one. */
size_t transport_tally_read(
	struct transport *tally, struct tally_row *row, size_t room, uint8_t sha256[32]);

/* TALLY (NULL: nobody) counts what CARRIER, the transport that meets the drive, sends by itself. */
void transport_tally_listen(struct transport *tally, struct transport *carrier);

/* TALLY keeps its CDBs from now on, so that another can absorb them: for a drive that is looked at,
 * and may turn out to be one that was lost. */
void transport_tally_remember(struct transport *tally);

/* What OTHER has seen and remembered was sent to TALLY's drive, after all that TALLY has seen. */
void transport_tally_absorb(struct transport *tally, struct transport *other);

/* How often the drive has said, to whichever command, that its medium may have changed (UNIT
 * ATTENTION 28h); with NOT_READY, and how often that it was not ready. */
uint64_t transport_tally_medium_words(struct transport *tally, bool not_ready);

/*
 * A place for a transport (owned from then on) that can be changed for another while those around
 * it stay: what a drive that comes back is put into.  It has the limits of the first one, but never
 * lets more callers through at once than the one that is in it can serve.
 */
struct transport *transport_plug_new(struct transport *inner, struct err *err);

/* Takes out what is in PLUG; until another is put in every command's outcome is GONE. */
struct transport *transport_plug_take(struct transport *plug);

/* Puts INNER into the empty PLUG.  The reset epoch has grown by one. */
void transport_plug_put(struct transport *plug, struct transport *inner);

/* True when the guard lets this CDB pass. */
bool guard_allows(const uint8_t *cdb, size_t len, enum transfer_direction direction);

#endif
