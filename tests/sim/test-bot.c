/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated drive on the wire: what the device's side of Bulk-Only has to do, case by case as
 * BOT 1.0 §6.7 counts them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tests/aid/simulated.h"
#include "tests/aid/wire.h"

static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};
static const uint8_t inquiry_all[6] = {0x12, 0, 0, 0, 255, 0};
static const uint8_t ready[6] = {0};

static enum link_result control(struct link *link, uint8_t type, uint8_t request, uint16_t value,
	uint16_t index, void *data, uint16_t len, size_t *moved)
{
	return link->ops->control(
		link, type, request, value, index, data, len, deadline_in_ms(20), moved);
}

static enum link_result class_reset(struct link *link)
{
	size_t moved;

	return control(link, 0x21, 0xff, 0, 0, NULL, 0, &moved);
}

/* The drive answers a command as if nothing had been. */
static void assert_works(struct link *link)
{
	uint8_t data[36];
	struct wire_reply reply = wire_exec(link, 0, inquiry, 6, data, 36);

	assert_int_equal(reply.data_end, LINK_OK);
	assert_int_equal(reply.moved, 36);
	assert_int_equal(reply.csw_end, LINK_OK);
	assert_int_equal(reply.residue, 0);
	assert_int_equal(reply.status, 0);
	assert_memory_equal(data + 8, "umsctl  Simulated drive ", 24);
}

static void test_no_data(void **state)
{
	struct link *link = wire_open("blank");
	struct wire_reply reply = wire_exec(link, 0, ready, 6, NULL, 0);

	(void)state;
	assert_int_equal(reply.status, 0);
	assert_int_equal(reply.residue, 0);
	assert_works(link);
	wire_close(link);
}

/* Cases 2 and 7: the host wants less than the device has. */
static void test_phase_errors(void **state)
{
	struct link *link = wire_open("blank");
	uint8_t data[20];
	struct wire_reply reply = wire_exec(link, 0, inquiry, 6, NULL, 0);

	(void)state;
	assert_int_equal(reply.status, 2);
	reply = wire_exec(link, 0, inquiry, 6, data, 20);
	assert_int_equal(reply.moved, 20);
	assert_int_equal(reply.status, 2);
	wire_close(link);
}

/* Case 5: a short packet ends the transfer, and the pipe is halted behind it. */
static void test_short_packet_then_halt(void **state)
{
	struct link *link = wire_open("blank");
	uint8_t cbw[31], data[255], csw[13];
	size_t moved;

	(void)state;
	wire_cbw(cbw, 7, 255, true, 0, inquiry_all, 6);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_int_equal(wire_in(link, data, 255, 1000, &moved), LINK_OK);
	assert_int_equal(moved, 36);
	assert_int_equal(wire_in(link, csw, 13, 1000, &moved), LINK_STALL);
	assert_int_equal(moved, 0);
	assert_int_equal(link->ops->clear_halt(link, WIRE_IN), LINK_OK);
	assert_int_equal(wire_in(link, csw, 13, 1000, &moved), LINK_OK);
	assert_int_equal(get_le32(csw + 4), 7);
	assert_int_equal(get_le32(csw + 8), 255 - 36);
	assert_int_equal(csw[12], 0);
	wire_close(link);
}

/* Case 5 with whole packets, and case 4: the transfer itself ends in a stall. */
static void test_stall_in_data(void **state)
{
	struct link *link = wire_open("noise,bad=1000");
	uint8_t data[8 * 512];
	struct wire_reply reply = wire_read(link, 998, 8, data, sizeof(data));

	(void)state;
	assert_int_equal(reply.data_end, LINK_STALL);
	assert_int_equal(reply.moved, 1024);
	assert_int_equal(reply.residue, 6 * 512);
	assert_int_equal(reply.status, 1);
	reply = wire_read(link, 1000, 8, data, sizeof(data));
	assert_int_equal(reply.data_end, LINK_STALL);
	assert_int_equal(reply.moved, 0);
	assert_int_equal(reply.residue, 8 * 512);
	assert_int_equal(reply.status, 1);
	assert_works(link);
	wire_close(link);
}

/* short=packet, pad, skip: other devices' ways to end the same. */
static void test_other_ways_to_be_short(void **state)
{
	struct link *link = wire_open("noise,bad=1000,short=packet");
	uint8_t data[4 * 512], good[512];
	struct wire_reply reply = wire_read(link, 999, 4, data, sizeof(data));

	(void)state;
	assert_int_equal(reply.data_end, LINK_OK);
	assert_int_equal(reply.moved, 512);
	assert_int_equal(reply.residue, 3 * 512);
	wire_close(link);

	link = wire_open("noise,bad=1000,short=pad");
	wire_read(link, 999, 1, good, 512);
	memset(data, 0x55, sizeof(data));
	reply = wire_read(link, 999, 4, data, sizeof(data));
	assert_int_equal(reply.data_end, LINK_OK);
	assert_int_equal(reply.moved, 4 * 512);
	assert_int_equal(reply.residue, 3 * 512);
	assert_int_equal(reply.status, 1);
	assert_memory_equal(data, good, 512);
	assert_int_equal(data[512], 0);
	assert_int_equal(data[4 * 512 - 1], 0);
	assert_works(link);
	wire_close(link);
}

static void test_csw_in_place_of_data(void **state)
{
	struct link *link = wire_open("noise,bad=1000,short=skip");
	uint8_t cbw[31], data[512];
	uint8_t cdb[10] = {0x28, 0, 0, 0, 0x03, 0xe8, 0, 0, 1, 0};
	size_t moved;

	(void)state;
	wire_cbw(cbw, 9, 512, true, 0, cdb, 10);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_int_equal(wire_in(link, data, 512, 1000, &moved), LINK_OK);
	assert_int_equal(moved, 13);
	assert_memory_equal(data, "USBS\x09\0\0\0\0\x02\0\0\x01", 13);
	assert_works(link);
	wire_close(link);
}

/* Case 9: the device never takes data; it halts the pipe, or throws the data away. */
static void test_data_out(void **state)
{
	static const char *const names[] = {"blank", "blank,short=pad"};
	const uint8_t cdb[10] = {0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	uint8_t cbw[31], csw[13], sense[32];
	const uint8_t data[512] = {0};
	size_t moved;

	(void)state;
	for (int drains = 0; drains < 2; drains++) {
		struct link *link = wire_open(names[drains]);

		wire_cbw(cbw, 5, 512, false, 0, cdb, 10);
		assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
		assert_int_equal(wire_out(link, data, 512, &moved), drains ? LINK_OK : LINK_STALL);
		assert_int_equal(moved, drains ? 512 : 0);
		assert_int_equal(link->ops->clear_halt(link, WIRE_OUT), LINK_OK);
		assert_int_equal(wire_in(link, csw, 13, 1000, &moved), LINK_OK);
		assert_int_equal(get_le32(csw + 8), 512);
		assert_int_equal(csw[12], 1);
		assert_int_equal(wire_sense(link, 0, sense), 0x072700);
		wire_close(link);
	}
}

/* Case 10: the host sends, the device would send too. */
static void test_wrong_direction(void **state)
{
	struct link *link = wire_open("blank");
	uint8_t cbw[31], csw[13];
	size_t moved;

	(void)state;
	wire_cbw(cbw, 5, 36, false, 0, inquiry, 6);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_int_equal(wire_out(link, inquiry, 6, &moved), LINK_STALL);
	assert_int_equal(wire_in(link, csw, 13, 1000, &moved), LINK_OK);
	assert_int_equal(csw[12], 2);
	wire_close(link);
}

/* §6.6.1: both pipes halt until reset recovery, whatever the host clears before. */
static void assert_refused_until_reset(struct link *link, const uint8_t *cbw, size_t len)
{
	uint8_t data[36];
	size_t moved;

	assert_int_equal(wire_out(link, cbw, len, &moved), LINK_STALL);
	link->ops->clear_halt(link, WIRE_IN);
	link->ops->clear_halt(link, WIRE_OUT);
	assert_int_equal(wire_in(link, data, 36, 1000, &moved), LINK_STALL);
	assert_int_equal(wire_out(link, cbw, len, &moved), LINK_STALL);
	assert_int_equal(class_reset(link), LINK_OK);
	/* The reset does not clear the halts (§3.1). */
	assert_int_equal(wire_in(link, data, 36, 1000, &moved), LINK_STALL);
	assert_int_equal(link->ops->clear_halt(link, WIRE_IN), LINK_OK);
	assert_int_equal(link->ops->clear_halt(link, WIRE_OUT), LINK_OK);
	assert_works(link);
}

static void test_invalid_cbw(void **state)
{
	/* place, value of one wrong byte */
	static const uint8_t wrong[][2] = {
		{0, 'X'}, {12, 0x81}, {12, 0x40}, {13, 16}, {14, 0}, {14, 17}};
	struct link *link = wire_open("blank");
	uint8_t cbw[32] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		wire_cbw(cbw, 1, 36, true, 0, inquiry, 6);
		cbw[wrong[i][0]] = wrong[i][1];
		assert_refused_until_reset(link, cbw, 31);
	}
	wire_cbw(cbw, 1, 36, true, 0, inquiry, 6);
	assert_refused_until_reset(link, cbw, 30);
	assert_refused_until_reset(link, cbw, 32);
	assert_refused_until_reset(link, cbw, 0);
	wire_close(link);
}

static void test_cbw_before_csw(void **state)
{
	struct link *link = wire_open("blank");
	uint8_t cbw[31];
	size_t moved;

	(void)state;
	wire_cbw(cbw, 1, 0, false, 0, ready, 6);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_refused_until_reset(link, cbw, 31);
	wire_close(link);
}

static void test_babble(void **state)
{
	struct link *link = wire_open("noise");
	uint8_t cbw[31], data[100];
	const uint8_t cdb[10] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	size_t moved;

	(void)state;
	wire_cbw(cbw, 1, 512, true, 0, cdb, 10);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_int_equal(wire_in(link, data, 100, 1000, &moved), LINK_OVERFLOW);
	wire_close(link);
}

static void test_data_in_pieces(void **state)
{
	struct link *link = wire_open("noise");
	uint8_t cbw[31], csw[13], whole[4096], pieces[4096];
	const uint8_t cdb[10] = {0x28, 0, 0, 0, 0, 9, 0, 0, 8, 0};
	size_t moved;

	(void)state;
	assert_int_equal(wire_exec(link, 0, cdb, 10, whole, 4096).moved, 4096);
	wire_cbw(cbw, 1, 4096, true, 0, cdb, 10);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	for (size_t at = 0; at < 4096; at += 1024) {
		assert_int_equal(wire_in(link, pieces + at, 1024, 1000, &moved), LINK_OK);
		assert_int_equal(moved, 1024);
	}
	assert_int_equal(wire_in(link, csw, 13, 1000, &moved), LINK_OK);
	assert_int_equal(csw[12], 0);
	assert_memory_equal(whole, pieces, 4096);
	wire_close(link);
}

static void test_nothing_to_send(void **state)
{
	struct link *link = wire_open("blank");
	uint8_t data[13];
	size_t moved;

	(void)state;
	assert_int_equal(wire_in(link, data, 13, 5, &moved), LINK_TIMEOUT);
	assert_works(link);
	wire_close(link);
}

/* A command that is slow times out; reset recovery brings the drive back at once. */
static void test_slow(void **state)
{
	struct link *link = wire_open("noise,slow=100-200:60000");
	uint8_t cbw[31], data[512];
	const uint8_t cdb[10] = {0x28, 0, 0, 0, 0, 150, 0, 0, 1, 0};
	size_t moved;

	(void)state;
	wire_cbw(cbw, 1, 512, true, 0, cdb, 10);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_int_equal(wire_in(link, data, 512, 5, &moved), LINK_TIMEOUT);
	assert_int_equal(class_reset(link), LINK_OK);
	assert_works(link);
	wire_close(link);
	link = wire_open("noise,slow=100:3,delay=500,rate=1M");
	assert_int_equal(wire_exec(link, 0, cdb, 10, data, 512).moved, 512);
	wire_close(link);
}

static void assert_hangs(struct link *link)
{
	uint8_t data[512], cbw[31];
	const uint8_t cdb[10] = {0x28, 0, 0, 0, 0, 50, 0, 0, 1, 0};
	size_t moved;

	wire_cbw(cbw, 1, 512, true, 0, cdb, 10);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_OK);
	assert_int_equal(wire_in(link, data, 512, 5, &moved), LINK_TIMEOUT);
}

static void test_hang(void **state)
{
	struct link *link = wire_open("noise,hang=50");

	(void)state;
	assert_hangs(link);
	assert_int_equal(class_reset(link), LINK_OK);
	assert_works(link);
	assert_hangs(link);
	assert_int_equal(link->ops->reset(link), LINK_OK);
	assert_works(link);
	wire_close(link);
}

static void test_deaf(void **state)
{
	struct link *link = wire_open("noise,hang=50:deaf");

	(void)state;
	assert_hangs(link);
	assert_int_equal(class_reset(link), LINK_TIMEOUT);
	assert_int_equal(link->ops->clear_halt(link, WIRE_IN), LINK_TIMEOUT);
	assert_int_equal(link->ops->reset(link), LINK_OK);
	assert_works(link);
	wire_close(link);
}

static void test_gone(void **state)
{
	struct link *link = wire_open("noise,dies=2:gone");
	uint8_t data[512], cbw[31];
	size_t moved;

	(void)state;
	wire_read(link, 0, 1, data, 512);
	assert_int_equal(wire_read(link, 0, 1, data, 512).status, 0);
	wire_cbw(cbw, 1, 512, true, 0, (const uint8_t[10]){0x28, [8] = 1}, 10);
	assert_int_equal(wire_out(link, cbw, 31, &moved), LINK_GONE);
	assert_int_equal(wire_in(link, data, 512, 1000, &moved), LINK_GONE);
	assert_int_equal(class_reset(link), LINK_GONE);
	assert_int_equal(link->ops->reset(link), LINK_GONE);
	wire_close(link);
}

static void test_control_requests(void **state)
{
	struct link *link = wire_open("blank,luns=3,vid=abcd,pid=0012,serial=A1");
	uint8_t data[64];
	size_t moved;

	(void)state;
	assert_int_equal(control(link, 0xa1, 0xfe, 0, 0, data, 1, &moved), LINK_OK);
	assert_int_equal(moved, 1);
	assert_int_equal(data[0], 2);
	assert_int_equal(control(link, 0x80, 6, 0x0100, 0, data, 64, &moved), LINK_OK);
	assert_int_equal(moved, 18);
	assert_memory_equal(data, link->device_descriptor, 18);
	assert_int_equal(get_le16(data + 8), 0xabcd);
	assert_int_equal(get_le16(data + 10), 0x0012);
	assert_int_equal(control(link, 0x80, 6, 0x0200, 0, data, 9, &moved), LINK_OK);
	assert_int_equal(moved, 9);
	assert_int_equal(get_le16(data + 2), link->config_len);
	assert_int_equal(control(link, 0x80, 6, 0x0300, 0, data, 64, &moved), LINK_OK);
	assert_memory_equal(data, "\x04\x03\x09\x04", 4);
	assert_int_equal(control(link, 0x80, 6, 0x0303, 0x0409, data, 64, &moved), LINK_OK);
	assert_int_equal(moved, 6);
	assert_memory_equal(data,
		"\x06\x03"
		"A\0"
		"1\0",
		6);
	assert_int_equal(control(link, 0x80, 6, 0x0304, 0x0409, data, 64, &moved), LINK_STALL);
	assert_int_equal(control(link, 0x80, 6, 0x0600, 0, data, 10, &moved), LINK_STALL);
	assert_int_equal(control(link, 0xc0, 0x42, 0, 0, data, 64, &moved), LINK_STALL);
	assert_int_equal(link->ops->clear_halt(link, 0x83), LINK_STALL);
	assert_int_equal(link->ops->set_alternate(link, 0), LINK_OK);
	assert_int_equal(link->ops->set_alternate(link, 1), LINK_STALL);
	wire_close(link);
	link = wire_open("blank,serial=none");
	assert_int_equal(link->device_descriptor[16], 0);
	wire_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_phase_errors),
		cmocka_unit_test(test_short_packet_then_halt),
		cmocka_unit_test(test_stall_in_data),
		cmocka_unit_test(test_other_ways_to_be_short),
		cmocka_unit_test(test_csw_in_place_of_data),
		cmocka_unit_test(test_data_out),
		cmocka_unit_test(test_wrong_direction),
		cmocka_unit_test(test_invalid_cbw),
		cmocka_unit_test(test_cbw_before_csw),
		cmocka_unit_test(test_babble),
		cmocka_unit_test(test_data_in_pieces),
		cmocka_unit_test(test_nothing_to_send),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_control_requests),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
