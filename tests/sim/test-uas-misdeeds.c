/* SPDX-License-Identifier: BSD-2-Clause */
/* Each misdeed of a simulated UAS drive, as it is seen on the wire. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tests/aid/simulated.h"
#include "tests/aid/uaswire.h"

#define SUPER "content=noise,size=4M,uas,speed=super"
#define HIGH  "content=noise,size=4M,uas,speed=high"

static const uint8_t ready[6] = {0};

/* TEST UNIT READY as command TAG meets MISDEED; the IU that comes is in IU. */
static struct uaswire meet(
	enum misdeed misdeed, uint64_t number, uint16_t tag, uint8_t iu[IU_SENSE_MAX], size_t *n)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, misdeed, number, 0);

	uaswire_command(&wire, tag, 0, ready, sizeof(ready));
	*n = uaswire_status(&wire, tag, iu);
	return wire;
}

/* The drive is as it should be behind the misdeed. */
static void leave(struct uaswire *wire)
{
	uaswire_assert_works(wire, 3);
	uaswire_close(wire);
}

static void test_wrong_tag(void **state)
{
	uint8_t iu[IU_SENSE_MAX];
	size_t n;
	struct uaswire wire = meet(MISDEED_UAS_TAG, 0, 3, iu, &n);

	(void)state;
	assert_int_equal(n, 16);
	assert_int_equal(iu[0], 0x03);
	assert_true(get_be16(iu + 2) > 256);
	leave(&wire);
}

static void test_other_tag(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER ",hang=50", MISDEED_UAS_OTHER_TAG, 0, 2);
	uint8_t iu[IU_SENSE_MAX];

	(void)state;
	uaswire_read(&wire, 9, 50, 1);
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	assert_int_equal(uaswire_status(&wire, 3, iu), 16);
	assert_int_equal(get_be16(iu + 2), 9);
	leave(&wire);
}

static void test_wrong_id(void **state)
{
	uint8_t iu[IU_SENSE_MAX];
	size_t n;
	struct uaswire wire = meet(MISDEED_UAS_ID, 0, 3, iu, &n);

	(void)state;
	assert_true(iu[0] > 0x07);
	assert_int_equal(get_be16(iu + 2), 3);
	leave(&wire);
}

static void test_short_iu(void **state)
{
	uint8_t iu[IU_SENSE_MAX];
	size_t n;
	struct uaswire wire = meet(MISDEED_UAS_SHORT, 0, 3, iu, &n);

	(void)state;
	assert_int_equal(n, 8);
	assert_int_equal(iu[0], 0x03);
	leave(&wire);
}

static void test_lying_length(void **state)
{
	uint8_t iu[IU_SENSE_MAX];
	size_t n;
	struct uaswire wire = meet(MISDEED_UAS_LENGTH, 0, 3, iu, &n);

	(void)state;
	assert_true(get_be16(iu + 14) > n - 16);
	leave(&wire);
}

static void test_garbage(void **state)
{
	uint8_t iu[IU_SENSE_MAX];
	size_t n;
	struct uaswire wire = meet(MISDEED_UAS_GARBAGE, 0, 3, iu, &n);

	(void)state;
	assert_true(n > 16);
	assert_true(iu[0] == 0 || iu[0] > 0x07);
	leave(&wire);
}

static void test_response(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_RESPONSE, 5, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	uaswire_assert_response(&wire, 3, 5);
	leave(&wire);
}

static enum link_result data_in(
	struct uaswire *wire, uint16_t tag, void *data, size_t len, size_t *moved)
{
	return uaswire_move(wire, ENDPOINT_UAS_DATA_IN, tag, data, len, UASWIRE_PATIENCE_MS, moved);
}

static void abort_task(struct uaswire *wire, uint16_t tag, uint8_t code)
{
	uaswire_manage(wire, 15, UAS_TMF_ABORT_TASK, tag, 0);
	uaswire_assert_response(wire, 15, code);
}

static void test_no_sense(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_NO_SENSE, 0, 0);
	uint8_t data[1024];
	size_t moved;

	(void)state;
	uaswire_read(&wire, 3, 0, 2);
	assert_int_equal(data_in(&wire, 3, data, 1024, &moved), LINK_OK);
	assert_int_equal(moved, 1024);
	uaswire_assert_silent(&wire, 3);
	abort_task(&wire, 3, UAS_RC_TMF_COMPLETE);
	leave(&wire);
}

static void test_no_ready(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(HIGH, MISDEED_UAS_NO_READY, 0, 0);

	(void)state;
	uaswire_read(&wire, 3, 0, 2);
	uaswire_assert_silent(&wire, 3);
	abort_task(&wire, 3, UAS_RC_TMF_COMPLETE);
	leave(&wire);
}

static void test_no_data(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_NO_DATA, 0, 0);
	uint8_t data[1024];
	size_t moved;

	(void)state;
	uaswire_read(&wire, 3, 0, 2);
	assert_int_equal(uaswire_move(&wire, ENDPOINT_UAS_DATA_IN, 3, data, 1024,
				 UASWIRE_SILENCE_MS, &moved),
		LINK_TIMEOUT);
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	leave(&wire);
}

static void test_short_data(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_SHORT_DATA, 0, 0);
	uint8_t data[4096];
	size_t moved;

	(void)state;
	uaswire_read(&wire, 3, 0, 8);
	assert_int_equal(data_in(&wire, 3, data, 4096, &moved), LINK_OK);
	assert_int_equal(moved, 2048);
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	leave(&wire);
}

static void test_twice(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_TWICE, 0, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	uaswire_assert_silent(&wire, 3);
	leave(&wire);
}

static void clear_halt(struct uaswire *wire, uint8_t endpoint)
{
	uint8_t halted[2] = {0};
	size_t moved;

	assert_int_equal(wire->link->ops->control(wire->link, 0x82, 0, 0, endpoint, halted, 2,
				 deadline_in_ms(UASWIRE_PATIENCE_MS), &moved),
		LINK_OK);
	assert_int_equal(halted[0], 1);
	assert_int_equal(wire->link->ops->clear_halt(wire->link, endpoint), LINK_OK);
}

static void test_stalled_command(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_STALL_COMMAND, 0, 0);
	uint8_t iu[IU_COMMAND_LEN + 252];
	size_t n = uaswire_command_iu(iu, 3, 0, ready, sizeof(ready));

	(void)state;
	assert_int_equal(uaswire_send(&wire, iu, n), LINK_STALL);
	uaswire_assert_silent(&wire, 3);
	clear_halt(&wire, ENDPOINT_UAS_COMMAND);
	leave(&wire);
}

static void test_stalled_status(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_STALL_STATUS, 0, 0);
	uint8_t iu[IU_SENSE_MAX];
	size_t moved;

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	for (int i = 0; i < 2; i++)
		assert_int_equal(uaswire_move(&wire, ENDPOINT_UAS_STATUS, 3, iu, sizeof(iu),
					 UASWIRE_PATIENCE_MS, &moved),
			LINK_STALL);
	clear_halt(&wire, ENDPOINT_UAS_STATUS);
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	leave(&wire);
}

static void test_stalled_data(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_STALL_DATA, 0, 0);
	uint8_t data[1024];
	size_t moved;

	(void)state;
	uaswire_read(&wire, 3, 0, 2);
	assert_int_equal(data_in(&wire, 3, data, 1024, &moved), LINK_STALL);
	assert_int_equal(moved, 0);
	clear_halt(&wire, ENDPOINT_UAS_DATA_IN);
	assert_int_equal(data_in(&wire, 3, data, 1024, &moved), LINK_OK);
	assert_int_equal(moved, 1024);
	assert_int_equal(uaswire_assert_sense(&wire, 3, 0), 0);
	leave(&wire);
}

static void test_hang(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_HANG, 0, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	uaswire_assert_silent(&wire, 3);
	uaswire_assert_works(&wire, 4);
	abort_task(&wire, 3, UAS_RC_TMF_COMPLETE);
	leave(&wire);
}

static void reset_lun(struct uaswire *wire, uint8_t code)
{
	uaswire_manage(wire, 15, UAS_TMF_LOGICAL_UNIT_RESET, 0, 0);
	uaswire_assert_response(wire, 15, code);
}

static void test_no_abort(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_NO_ABORT, 0, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	uaswire_assert_silent(&wire, 3);
	abort_task(&wire, 3, UAS_RC_TMF_FAILED);
	reset_lun(&wire, UAS_RC_TMF_COMPLETE);
	leave(&wire);
}

/* After a port reset the host chooses the alternate setting and allocates streams again. */
static void set_up_again(struct uaswire *wire)
{
	static const uint8_t pipes[] = {
		ENDPOINT_UAS_STATUS, ENDPOINT_UAS_DATA_IN, ENDPOINT_UAS_DATA_OUT};
	const struct link_ops *ops = wire->link->ops;

	assert_int_equal(ops->set_alternate(wire->link, 1), LINK_OK);
	assert_int_equal(ops->alloc_streams(wire->link, 16, pipes, 3), 16);
}

static void test_no_reset(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_UAS_NO_RESET, 0, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	abort_task(&wire, 3, UAS_RC_TMF_FAILED);
	reset_lun(&wire, UAS_RC_TMF_FAILED);
	assert_int_equal(wire.link->ops->reset(wire.link), LINK_OK);
	set_up_again(&wire);
	leave(&wire);
}

static enum link_result ask_status(struct uaswire *wire)
{
	uint8_t status[2];
	size_t moved;

	return wire->link->ops->control(
		wire->link, 0x80, 0, 0, 0, status, 2, deadline_in_ms(UASWIRE_SILENCE_MS), &moved);
}

static void test_deaf(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_DEAF, 0, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	uaswire_assert_silent(&wire, 3);
	assert_int_equal(uaswire_send(&wire, ready, 6), LINK_TIMEOUT);
	assert_int_equal(ask_status(&wire), LINK_TIMEOUT);
	assert_int_equal(wire.link->ops->set_alternate(wire.link, 1), LINK_TIMEOUT);
	assert_int_equal(wire.link->ops->reset(wire.link), LINK_OK);
	set_up_again(&wire);
	leave(&wire);
}

static void test_dead(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_DEAD, 0, 0);

	(void)state;
	uaswire_command(&wire, 3, 0, ready, sizeof(ready));
	assert_int_equal(wire.link->ops->reset(wire.link), LINK_TIMEOUT);
	assert_int_equal(ask_status(&wire), LINK_TIMEOUT);
	uaswire_close(&wire);
}

/* It leaves with whatever is under way, and comes back when it is plugged in. */
static void test_drop(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_DROP, 5, 0);
	uint8_t iu[IU_SENSE_MAX], command[IU_COMMAND_LEN + 252];
	struct link_transfer waiting = {
		.endpoint = ENDPOINT_UAS_STATUS, .stream = 1, .data = iu, .len = sizeof(iu)};
	size_t n = uaswire_command_iu(command, 3, 0, ready, sizeof(ready));

	(void)state;
	assert_int_equal(wire.link->ops->submit(wire.link, &waiting), LINK_OK);
	assert_int_equal(uaswire_send(&wire, command, n), LINK_GONE);
	assert_ptr_equal(
		wire.link->ops->reap(wire.link, deadline_in_ms(UASWIRE_PATIENCE_MS)), &waiting);
	assert_int_equal(waiting.result, LINK_GONE);
	assert_int_equal(ask_status(&wire), LINK_GONE);
	assert_int_equal(wire.link->ops->submit(wire.link, &waiting), LINK_GONE);
	assert_int_equal(wire.link->ops->reset(wire.link), LINK_GONE);
	assert_int_equal(usb_device_mood(wire.device), DEVICE_GONE);
	assert_true(usb_device_returns_ns(wire.device) < UINT64_MAX);
	usb_device_plug(wire.device);
	set_up_again(&wire);
	leave(&wire);
}

static void test_drop_for_ever(void **state)
{
	struct uaswire wire = uaswire_open_misdeed(SUPER, MISDEED_DROP, 0, 0);
	uint8_t command[IU_COMMAND_LEN + 252];
	size_t n = uaswire_command_iu(command, 3, 0, ready, sizeof(ready));

	(void)state;
	assert_int_equal(uaswire_send(&wire, command, n), LINK_GONE);
	assert_true(usb_device_returns_ns(wire.device) == UINT64_MAX);
	uaswire_close(&wire);
}

#define TEST(name) cmocka_unit_test(test_##name)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(wrong_tag),
		TEST(other_tag),
		TEST(wrong_id),
		TEST(short_iu),
		TEST(lying_length),
		TEST(garbage),
		TEST(response),
		TEST(no_sense),
		TEST(no_ready),
		TEST(no_data),
		TEST(short_data),
		TEST(twice),
		TEST(stalled_command),
		TEST(stalled_status),
		TEST(stalled_data),
		TEST(hang),
		TEST(no_abort),
		TEST(no_reset),
		TEST(deaf),
		TEST(dead),
		TEST(drop),
		TEST(drop_for_ever),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
