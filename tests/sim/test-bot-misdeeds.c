/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each misdeed of a Bulk-Only drive, transfer by transfer as the host sees it, and that the drive
 * is well after the reset recovery of BOT 1.0 §5.3.4.  (What the program makes of them is
 * tests/capture/test-misdeeds.c's.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "sim/script.h"
#include "tests/aid/simulated.h"
#include "tests/aid/wire.h"

#define TAG	    0x1234
#define PATIENCE_MS 10000
#define SHORT_MS    5
#define ROOM	    8192

enum {
	READY = 0x00,
	INQUIRY = 0x12,
	DIAGNOSTIC = 0x1d, /* takes data from the host */
	READ = 0x28,
};

enum { OUT = false, IN = true };

/* What the host does: one command that announces LEN bytes in the direction IN.  What it sees: how
 * the data phase ends and after how many bytes, halts of the IN pipe before the CSW, and that. */
struct row {
	const char *settings;
	uint8_t opcode;
	bool in;
	uint32_t len;
	enum link_result data_end;
	size_t moved;
	unsigned int halts;
	uint8_t status;
	uint32_t residue;
};

/* Cases are those of §6.7. */
static const struct row rows[] = {
	{"fault=case-2", READY, OUT, 0, LINK_OK, 0, 0, 2, 0},
	{"fault=case-3", READY, OUT, 0, LINK_OK, 0, 0, 2, 0},
	{"fault=case-4", READ, IN, 4096, LINK_STALL, 0, 0, 0, 4096},
	{"fault=case-4,short=packet", READ, IN, 4096, LINK_OK, 0, 0, 0, 4096},
	{"fault=case-4,short=pad", READ, IN, 4096, LINK_OK, 4096, 0, 0, 4096},
	{"fault=case-5", READ, IN, 4096, LINK_STALL, 2048, 0, 0, 2048},
	{"fault=case-5,short=packet", READ, IN, 4096, LINK_OK, 2048, 0, 0, 2048},
	{"fault=case-5,short=pad", READ, IN, 4096, LINK_OK, 4096, 0, 0, 2048},
	/* Behind a short packet the halt is met in the next transfer. */
	{"fault=case-5", INQUIRY, IN, 36, LINK_OK, 18, 1, 0, 18},
	/* However much the host announces, the drive halves what it has. */
	{"fault=case-5", INQUIRY, IN, 8192, LINK_OK, 18, 1, 0, 8174},
	{"fault=case-7", READ, IN, 4096, LINK_OK, 4096, 0, 2, 0},
	{"fault=case-8", READ, IN, 4096, LINK_STALL, 0, 0, 2, 4096},
	{"fault=case-9", DIAGNOSTIC, OUT, 4096, LINK_STALL, 0, 0, 0, 4096},
	{"fault=case-9,short=packet", DIAGNOSTIC, OUT, 4096, LINK_OK, 4096, 0, 0, 4096},
	{"fault=case-10", DIAGNOSTIC, OUT, 4096, LINK_STALL, 0, 0, 2, 4096},
	{"fault=case-10,short=packet", DIAGNOSTIC, OUT, 4096, LINK_OK, 4096, 0, 2, 4096},
	{"fault=case-11", DIAGNOSTIC, OUT, 4096, LINK_STALL, 2048, 0, 0, 2048},
	{"fault=case-11,short=packet", DIAGNOSTIC, OUT, 4096, LINK_OK, 4096, 0, 0, 2048},
	/* A packet is taken whole. */
	{"fault=case-11", DIAGNOSTIC, OUT, 512, LINK_OK, 512, 0, 0, 256},
	{"fault=case-13", DIAGNOSTIC, OUT, 4096, LINK_OK, 4096, 0, 2, 0},

	{"fault=stall-before-data", READ, IN, 4096, LINK_STALL, 0, 0, 0, 4096},
	{"fault=stall-before-data", DIAGNOSTIC, OUT, 4096, LINK_STALL, 0, 0, 0, 4096},
	{"fault=stall-in-data", READ, IN, 4096, LINK_STALL, 2048, 0, 0, 2048},
	{"fault=stall-in-data", READ, IN, 512, LINK_OK, 256, 1, 0, 256},
	{"fault=stall-in-data", DIAGNOSTIC, OUT, 4096, LINK_STALL, 2048, 0, 0, 2048},
	{"fault=stall-after-data", READ, IN, 4096, LINK_OK, 4096, 1, 0, 0},
	{"fault=stall-after-data", READY, OUT, 0, LINK_OK, 0, 1, 0, 0},
	{"fault=stall-csw-twice", READ, IN, 4096, LINK_OK, 4096, 2, 0, 0},

	{"fault=phase-error", READ, IN, 4096, LINK_OK, 4096, 0, 2, 0},
	{"fault=csw-status", READ, IN, 4096, LINK_OK, 4096, 0, 5, 0},
	{"fault=csw-late=3", READ, IN, 4096, LINK_OK, 4096, 0, 0, 0},
	{"fault=residue", READ, IN, 4096, LINK_OK, 4096, 0, 0, 2048},
	{"fault=residue-huge", READ, IN, 4096, LINK_OK, 4096, 0, 0, 8192},
	{"fault=residue-huge", READY, OUT, 0, LINK_OK, 0, 0, 0, 4096},

	/* Where the CSW comes in place of data, what is wrong with it is wrong there too. */
	{"short=skip,bad=100,fault=stall-after-data", READ, IN, 4096, LINK_STALL, 0, 0, 1, 4096},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct link *open_with(const char *settings)
{
	char name[200];

	snprintf(name, sizeof(name), "noise,size=1M,%s", settings);
	return wire_open(name);
}

/* Sends the CBW of a command for LEN bytes: READ is of LBA 100, and of LEN bytes. */
static enum link_result command(struct link *link, uint8_t opcode, bool in, uint32_t len)
{
	uint8_t cbw[31], cdb[16] = {opcode};
	size_t moved;

	if (opcode == READ) {
		put_be32(cdb + 2, 100);
		put_be16(cdb + 7, (uint16_t)(len / 512));
	} else {
		put_be16(cdb + 3, (uint16_t)len);
	}
	wire_cbw(cbw, TAG, len, in, 0, cdb, opcode == READ ? 10 : 6);
	return wire_out(link, cbw, 31, &moved);
}

static enum link_result data_phase(struct link *link, bool in, uint32_t len, size_t *moved)
{
	static uint8_t data[ROOM];

	assert_in_range(len, 0, ROOM);
	*moved = 0;
	if (len == 0)
		return LINK_OK;
	return in ? wire_in(link, data, len, PATIENCE_MS, moved) : wire_out(link, data, len, moved);
}

static enum link_result class_reset(struct link *link)
{
	size_t moved;

	return link->ops->control(
		link, 0x21, 0xff, 0, 0, NULL, 0, deadline_in_ms(SHORT_MS), &moved);
}

/* §5.3.4, and then a READ as if nothing had been. */
static void assert_recovers(struct link *link)
{
	uint8_t data[512];
	struct wire_reply reply;

	assert_int_equal(class_reset(link), LINK_OK);
	assert_int_equal(link->ops->clear_halt(link, WIRE_IN), LINK_OK);
	assert_int_equal(link->ops->clear_halt(link, WIRE_OUT), LINK_OK);
	reply = wire_read(link, 3, 1, data, 512);
	assert_int_equal(reply.data_end, LINK_OK);
	assert_int_equal(reply.moved, 512);
	assert_int_equal(reply.status, 0);
	assert_int_equal(reply.residue, 0);
}

static void run_row(const struct row *row)
{
	struct link *link = open_with(row->settings);
	uint8_t csw[13];
	size_t moved, csw_moved;
	enum link_result end;
	unsigned int halts = 0;

	assert_int_equal(command(link, row->opcode, row->in, row->len), LINK_OK);
	end = data_phase(link, row->in, row->len, &moved);
	if (end != row->data_end || moved != row->moved)
		fail_msg("%s: data phase: %s after %zu bytes", row->settings, link_result_name(end),
			moved);
	if (end == LINK_STALL)
		link->ops->clear_halt(link, row->in ? WIRE_IN : WIRE_OUT);
	while ((end = wire_in(link, csw, 13, PATIENCE_MS, &csw_moved)) == LINK_STALL && halts < 9) {
		halts++;
		link->ops->clear_halt(link, WIRE_IN);
	}
	if (end != LINK_OK || csw_moved != 13 || halts != row->halts)
		fail_msg("%s: after %u halts: %s, %zu bytes", row->settings, halts,
			link_result_name(end), csw_moved);
	assert_memory_equal(csw, "USBS", 4);
	assert_int_equal(get_le32(csw + 4), TAG);
	if (csw[12] != row->status || get_le32(csw + 8) != row->residue)
		fail_msg("%s: status %u, residue %u", row->settings, csw[12], get_le32(csw + 8));
	assert_recovers(link);
	wire_close(link);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		run_row(&rows[i]);
}

/* A READ with the misdeed, up to its CSW: how that transfer ends, and its bytes. */
static struct link *read_until_csw(const char *settings, uint8_t csw[13], unsigned int ms,
	enum link_result *end, size_t *moved)
{
	struct link *link = open_with(settings);

	memset(csw, 0, 13);
	assert_int_equal(command(link, READ, IN, 4096), LINK_OK);
	assert_int_equal(data_phase(link, IN, 4096, moved), LINK_OK);
	assert_int_equal(*moved, 4096);
	*end = wire_in(link, csw, 13, ms, moved);
	return link;
}

static void test_wrong_csw(void **state)
{
	static const struct {
		const char *settings;
		enum link_result end;
		size_t moved;
		bool signature_right, tag_right;
	} csws[] = {
		{"fault=csw-signature", LINK_OK, 13, false, true},
		{"fault=csw-tag", LINK_OK, 13, true, false},
		{"fault=csw-short", LINK_OK, 12, true, true},
		{"fault=csw-long", LINK_OVERFLOW, 13, true, true},
		{"fault=csw-garbage", LINK_OK, 13, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(csws) / sizeof(csws[0]); i++) {
		enum link_result end;
		uint8_t csw[13];
		size_t moved;
		struct link *link =
			read_until_csw(csws[i].settings, csw, PATIENCE_MS, &end, &moved);

		if (end != csws[i].end || moved != csws[i].moved)
			fail_msg("%s: %s, %zu bytes", csws[i].settings, link_result_name(end),
				moved);
		assert_int_equal(memcmp(csw, "USBS", 4) == 0, csws[i].signature_right);
		assert_int_equal(get_le32(csw + 4) == TAG, csws[i].tag_right);
		assert_recovers(link);
		wire_close(link);
	}
}

static void test_empty_packet_before_csw(void **state)
{
	enum link_result end;
	uint8_t csw[13];
	size_t moved;
	struct link *link = read_until_csw("fault=csw-empty", csw, PATIENCE_MS, &end, &moved);

	(void)state;
	assert_int_equal(end, LINK_OK);
	assert_int_equal(moved, 0);
	assert_int_equal(wire_in(link, csw, 13, PATIENCE_MS, &moved), LINK_OK);
	assert_int_equal(moved, 13);
	assert_int_equal(csw[12], 0);
	assert_recovers(link);
	wire_close(link);
}

/* Nothing comes as long as anybody waits; a reset ends it. */
static void test_csw_that_does_not_come(void **state)
{
	static const char *const settings[] = {"fault=csw-missing", "fault=csw-late=600000"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		enum link_result end;
		uint8_t csw[13];
		size_t moved;
		struct link *link = read_until_csw(settings[i], csw, SHORT_MS, &end, &moved);

		assert_int_equal(end, LINK_TIMEOUT);
		assert_int_equal(moved, 0);
		assert_recovers(link);
		wire_close(link);
	}
}

static void test_csw_in_place_of_data(void **state)
{
	/* Of a READ that fails, too: it says that all is well. */
	static const char *const settings[] = {"fault=no-data", "fault=no-data,bad=100"};
	uint8_t data[4096];
	size_t moved;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct link *link = open_with(settings[i]);

		assert_int_equal(command(link, READ, IN, 4096), LINK_OK);
		assert_int_equal(wire_in(link, data, 4096, PATIENCE_MS, &moved), LINK_OK);
		assert_int_equal(moved, 13);
		assert_memory_equal(data, "USBS\x34\x12\0\0\0\0\0\0\0", 13);
		assert_recovers(link);
		wire_close(link);
	}
}

/* … for which data from the host leaves no place. */
static void test_no_data_where_the_host_sends(void **state)
{
	struct link *link = open_with("fault=no-data");
	uint8_t csw[13];
	size_t moved;

	(void)state;
	assert_int_equal(command(link, DIAGNOSTIC, OUT, 4096), LINK_OK);
	assert_int_equal(data_phase(link, OUT, 4096, &moved), LINK_STALL);
	assert_int_equal(link->ops->clear_halt(link, WIRE_OUT), LINK_OK);
	assert_int_equal(wire_in(link, csw, 13, PATIENCE_MS, &moved), LINK_OK);
	assert_memory_equal(csw, "USBS\x34\x12\0\0\0\0\0\0\0", 13);
	assert_recovers(link);
	wire_close(link);
}

/* Only the OUT pipe halts, and the same CBW is taken once that is cleared. */
static void test_halt_at_the_cbw(void **state)
{
	struct link *link = open_with("fault=stall-cbw");
	size_t moved;

	(void)state;
	assert_int_equal(command(link, READ, IN, 4096), LINK_STALL);
	assert_int_equal(command(link, READ, IN, 4096), LINK_STALL);
	assert_int_equal(link->ops->clear_halt(link, WIRE_OUT), LINK_OK);
	assert_int_equal(command(link, READ, IN, 4096), LINK_OK);
	assert_int_equal(data_phase(link, IN, 4096, &moved), LINK_OK);
	assert_int_equal(moved, 4096);
	assert_recovers(link);
	wire_close(link);
}

/* The data half way through stays right when the host fetches it in pieces. */
static void test_halt_in_data_that_comes_in_pieces(void **state)
{
	struct link *link = open_with("fault=stall-in-data");
	uint8_t whole[4096], piece[1024];
	size_t moved;

	(void)state;
	wire_read(link, 100, 8, whole, 4096); /* meets it */
	wire_close(link);
	link = open_with("fault=stall-in-data:cmd=2");
	assert_int_equal(wire_read(link, 100, 8, whole, 4096).moved, 4096);
	assert_int_equal(command(link, READ, IN, 4096), LINK_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(wire_in(link, piece, 1024, PATIENCE_MS, &moved), LINK_OK);
		assert_int_equal(moved, 1024);
		assert_memory_equal(piece, whole + 1024 * i, 1024);
	}
	assert_int_equal(wire_in(link, piece, 1024, PATIENCE_MS, &moved), LINK_STALL);
	assert_int_equal(moved, 0);
	assert_recovers(link);
	wire_close(link);
}

static struct link *open_hung(const char *settings)
{
	struct link *link = open_with(settings);
	uint8_t data[512];
	size_t moved;

	assert_int_equal(command(link, READ, IN, 512), LINK_OK);
	assert_int_equal(wire_in(link, data, 512, SHORT_MS, &moved), LINK_TIMEOUT);
	return link;
}

static void test_hang(void **state)
{
	struct link *link = open_hung("fault=hang");

	(void)state;
	assert_recovers(link);
	wire_close(link);
}

static void test_deaf(void **state)
{
	struct link *link = open_hung("fault=deaf");

	(void)state;
	assert_int_equal(class_reset(link), LINK_TIMEOUT);
	assert_int_equal(link->ops->reset(link), LINK_OK);
	assert_recovers(link);
	wire_close(link);
}

static void test_dead(void **state)
{
	struct link *link = open_hung("fault=dead");

	(void)state;
	assert_int_equal(link->ops->reset(link), LINK_TIMEOUT);
	assert_int_equal(class_reset(link), LINK_TIMEOUT);
	wire_close(link);
}

static void test_drop(void **state)
{
	struct link *link = open_with("fault=drop=0");
	uint8_t csw[13];
	size_t moved;

	(void)state;
	assert_int_equal(command(link, READY, OUT, 0), LINK_GONE);
	assert_int_equal(wire_in(link, csw, 13, PATIENCE_MS, &moved), LINK_GONE);
	assert_int_equal(class_reset(link), LINK_GONE);
	assert_int_equal(link->ops->reset(link), LINK_GONE);
	wire_close(link);
}

/* Half, once, however often the script says it again, and never nothing at all. */
static void test_shrink(void **state)
{
	struct link *link = open_with("fault=shrink:op=00:always");
	const uint8_t capacity[10] = {0x25}, ready[6] = {READY};
	uint8_t data[8], sense[32];

	(void)state;
	assert_int_equal(wire_exec(link, 0, capacity, 10, data, 8).status, 0);
	assert_int_equal(get_be32(data), 2047);
	assert_int_equal(wire_exec(link, 0, ready, 6, NULL, 0).status, 1);
	assert_int_equal(wire_sense(link, 0, sense), 0x062a09);
	assert_int_equal(wire_exec(link, 0, capacity, 10, data, 8).status, 0);
	assert_int_equal(get_be32(data), 1023);
	for (int i = 0; i < 20; i++)
		wire_exec(link, 0, ready, 6, NULL, 0);
	assert_int_equal(wire_exec(link, 0, capacity, 10, data, 8).status, 0);
	assert_int_equal(get_be32(data), 0);
	wire_close(link);
}

/* One that has no test here would not be tested on the wire. */
static void test_every_misdeed(void **state)
{
	static const char others[] = " stall-cbw csw-signature csw-tag csw-short csw-long "
				     "csw-garbage csw-empty csw-missing no-data hang deaf dead "
				     "drop shrink ";

	(void)state;
	for (int m = MISDEED_NONE + 1; m < MISDEEDS; m++) {
		const char *name = misdeed_name((enum misdeed)m);
		size_t len = strlen(name);
		char word[50];
		bool found;

		if (!misdeed_fits((enum misdeed)m, false))
			continue;
		snprintf(word, sizeof(word), " %s ", name);
		found = strstr(others, word);
		for (size_t i = 0; i < ROWS && !found; i++)
			found = strncmp(rows[i].settings, "fault=", 6) == 0 &&
				strncmp(rows[i].settings + 6, name, len) == 0 &&
				strchr("=,", rows[i].settings[6 + len]);
		if (!found)
			fail_msg("no test for %s", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_misdeed),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_wrong_csw),
		cmocka_unit_test(test_empty_packet_before_csw),
		cmocka_unit_test(test_csw_that_does_not_come),
		cmocka_unit_test(test_csw_in_place_of_data),
		cmocka_unit_test(test_no_data_where_the_host_sends),
		cmocka_unit_test(test_halt_at_the_cbw),
		cmocka_unit_test(test_halt_in_data_that_comes_in_pieces),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_shrink),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
