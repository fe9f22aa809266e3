/* SPDX-License-Identifier: BSD-2-Clause */
/* A minimal Bulk-Only host for tests: see wire.h. */
#include "tests/aid/wire.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "sim/sim.h"

#define PATIENCE_MS 10000

struct link *wire_open(const char *name)
{
	struct err err = {0};
	struct link *link = sim_open(name, &err);

	if (!link)
		fail_msg("%s: %s", name, err.text);
	return link;
}

void wire_close(struct link *link)
{
	link->ops->close(link);
}

enum link_result wire_in(struct link *link, void *data, size_t len, unsigned int ms, size_t *moved)
{
	return link->ops->bulk(link, WIRE_IN, data, len, deadline_in_ms(ms), moved);
}

enum link_result wire_out(struct link *link, const void *data, size_t len, size_t *moved)
{
	return link->ops->bulk(
		link, WIRE_OUT, (void *)data, len, deadline_in_ms(PATIENCE_MS), moved);
}

void wire_cbw(uint8_t cbw[31], uint32_t tag, uint32_t data_len, bool in, uint8_t lun,
	const uint8_t *cdb, uint8_t cdb_len)
{
	memset(cbw, 0, 31);
	memcpy(cbw, "USBC", 4);
	put_le32(cbw + 4, tag);
	put_le32(cbw + 8, data_len);
	cbw[12] = in ? 0x80 : 0;
	cbw[13] = lun;
	cbw[14] = cdb_len;
	memcpy(cbw + 15, cdb, cdb_len);
}

struct wire_reply wire_exec(struct link *link, uint8_t lun, const uint8_t *cdb, uint8_t cdb_len,
	void *data, uint32_t len)
{
	static uint32_t tag = 100;
	struct wire_reply reply = {0};
	uint8_t cbw[31], csw[13];
	size_t moved;

	wire_cbw(cbw, ++tag, len, true, lun, cdb, cdb_len);
	assert_int_equal(wire_out(link, cbw, sizeof(cbw), &moved), LINK_OK);
	if (len > 0)
		reply.data_end = wire_in(link, data, len, PATIENCE_MS, &reply.moved);
	link->ops->clear_halt(link, WIRE_IN);
	reply.csw_end = wire_in(link, csw, sizeof(csw), PATIENCE_MS, &moved);
	if (reply.csw_end != LINK_OK)
		return reply;
	assert_int_equal(moved, 13);
	assert_memory_equal(csw, "USBS", 4);
	assert_int_equal(get_le32(csw + 4), tag);
	reply.tag = tag;
	reply.residue = get_le32(csw + 8);
	reply.status = csw[12];
	return reply;
}

struct wire_reply wire_read(struct link *link, uint64_t lba, uint32_t n, void *data, uint32_t len)
{
	uint8_t cdb[16] = {0x88};

	put_be64(cdb + 2, lba);
	put_be32(cdb + 10, n);
	return wire_exec(link, 0, cdb, 16, data, len);
}

uint32_t wire_sense(struct link *link, uint8_t lun, uint8_t sense[32])
{
	const uint8_t cdb[6] = {3, 0, 0, 0, 32, 0};

	memset(sense, 0, 32);
	wire_exec(link, lun, cdb, 6, sense, 32);
	if ((sense[0] & 0x7f) == 0x72)
		return (uint32_t)sense[1] << 16 | (uint32_t)sense[2] << 8 | sense[3];
	assert_int_equal(sense[0] & 0x7f, 0x70);
	return (uint32_t)sense[2] << 16 | (uint32_t)sense[12] << 8 | sense[13];
}
