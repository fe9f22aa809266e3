/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A minimal UAS host for tests of the simulated drive: it sends information units byte by byte,
 * right and wrong ones.  Not for use by anything that should recover from errors.
 */
#ifndef UMS_TESTS_AID_UASWIRE_H
#define UMS_TESTS_AID_UASWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/uas.h"
#include "sim/descriptors.h"
#include "sim/script.h"
#include "sim/usb_device.h"
#include "usb/link.h"

#define UASWIRE_PATIENCE_MS 10000 /* for what must come */
#define UASWIRE_SILENCE_MS  20	  /* for what must not */

struct uaswire {
	struct usb_device *device; /* the link's */
	struct link *link;
	bool streams;
};

/* A drive of SETTINGS, in its UAS alternate setting, with streams if it has them. */
struct uaswire uaswire_open(const char *settings);

/* … and with a script of one line: MISDEED, once, at command COMMAND (0: the next). */
struct uaswire uaswire_open_misdeed(
	const char *settings, enum misdeed misdeed, uint64_t number, uint64_t command);

void uaswire_close(struct uaswire *wire);

/* The command IU into IU (32 bytes and those of the CDB past 16); returns its length. */
size_t uaswire_command_iu(uint8_t iu[IU_COMMAND_LEN + 252], uint16_t tag, uint8_t lun,
	const uint8_t *cdb, size_t cdb_len);

/* Any bytes on the command pipe. */
enum link_result uaswire_send(struct uaswire *wire, const void *iu, size_t len);

/* A command that must be taken. */
void uaswire_command(
	struct uaswire *wire, uint16_t tag, uint8_t lun, const uint8_t *cdb, size_t cdb_len);
void uaswire_read(struct uaswire *wire, uint16_t tag, uint64_t lba, uint32_t n);
void uaswire_manage(
	struct uaswire *wire, uint16_t tag, uint8_t function, uint16_t task_tag, uint8_t lun);

/* One transfer on ENDPOINT (on the stream of TAG, if it has streams), cancelled after MS. */
enum link_result uaswire_move(struct uaswire *wire, uint8_t endpoint, uint16_t tag, void *data,
	size_t len, unsigned int ms, size_t *moved);

/* The next IU on the status pipe, zeroed behind its end; returns its length. */
size_t uaswire_status(struct uaswire *wire, uint16_t tag, uint8_t iu[IU_SENSE_MAX]);

/* Nothing is on the status pipe. */
void uaswire_assert_silent(struct uaswire *wire, uint16_t tag);

/* The next IU is a sense IU of TAG with STATUS; returns key << 16 | ASC << 8 | ASCQ, 0 without
 * sense data. */
uint32_t uaswire_assert_sense(struct uaswire *wire, uint16_t tag, uint8_t status);

/* The next IU is a response IU of TAG with CODE. */
void uaswire_assert_response(struct uaswire *wire, uint16_t tag, uint8_t code);

/* The next IU is READ READY or WRITE READY (ID) of TAG; with streams there is none. */
void uaswire_assert_ready(struct uaswire *wire, uint16_t tag, uint8_t id);

/* INQUIRY goes through with TAG as if nothing had been. */
void uaswire_assert_works(struct uaswire *wire, uint16_t tag);

#endif
