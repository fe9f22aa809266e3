/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A minimal Bulk-Only host for tests of the simulated drive: it sends CBWs byte by byte, right and
 * wrong ones.  Not for use by anything that should recover from errors.
 */
#ifndef UMS_TESTS_AID_WIRE_H
#define UMS_TESTS_AID_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usb/link.h"

#define WIRE_IN	 0x81
#define WIRE_OUT 0x02

struct wire_reply {
	enum link_result data_end; /* of the data phase */
	size_t moved;		   /* in it */
	enum link_result csw_end;
	uint32_t tag, residue;
	uint8_t status; /* of the CSW */
};

/* The simulated drive NAME; the test fails when it cannot be opened. */
struct link *wire_open(const char *name);
void wire_close(struct link *link);

/* Bulk transfers with a deadline of MS. */
enum link_result wire_in(struct link *link, void *data, size_t len, unsigned int ms, size_t *moved);
enum link_result wire_out(struct link *link, const void *data, size_t len, size_t *moved);

/* Writes the 31 bytes of a CBW. */
void wire_cbw(uint8_t cbw[31], uint32_t tag, uint32_t data_len, bool in, uint8_t lun,
	const uint8_t *cdb, uint8_t cdb_len);

/* CBW, one IN transfer of LEN bytes if there are any, halt cleared, CSW. */
struct wire_reply wire_exec(struct link *link, uint8_t lun, const uint8_t *cdb, uint8_t cdb_len,
	void *data, uint32_t len);

/* READ (16) of N blocks from LBA, into DATA of LEN bytes. */
struct wire_reply wire_read(struct link *link, uint64_t lba, uint32_t n, void *data, uint32_t len);

/* REQUEST SENSE: returns key << 16 | ASC << 8 | ASCQ, and SENSE as it came. */
uint32_t wire_sense(struct link *link, uint8_t lun, uint8_t sense[32]);

#endif
