/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A card reader whose card is swapped in the middle for another one of the same size.  It says so
 * once, to whichever command comes next, and that is not always a READ of the passes: nothing of
 * the other card may get into the image, wherever the word is heard.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "capture/plain.h"
#include "tests/aid/rig.h"

#define N_BLOCKS    65536u
#define SLOT_BLOCKS 2048u

static struct rig rig;
static uint8_t *other; /* another card, with something else in each sector */

static void begin(bool pipe, const struct fake_fault *faults, size_t n)
{
	rig_init(&rig, N_BLOCKS, SLOT_BLOCKS, pipe, faults, n);
	rig.device.inquiry.removable = true;
	other = malloc(N_BLOCKS * RIG_BLOCK_BYTES);
	assert_non_null(other);
	for (size_t i = 0; i < N_BLOCKS * RIG_BLOCK_BYTES; i++)
		other[i] = rig.medium[i] ^ (i % RIG_BLOCK_BYTES == 7 ? 1 : 0);
}

static void end(void)
{
	free(other);
	rig_free(&rig);
}

/* All that the map calls good is of the first card (rig_check compares), and the session has ended
 * because it is another one now. */
static void run_and_check(void)
{
	assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
	assert_int_equal(rig.err.kind, ERR_IDENTITY);
	rig_check(&rig);
}

/* The READ itself hears it. */
static void test_read_hears(void **state)
{
	(void)state;
	for (int pipe = 0; pipe < 2; pipe++) {
		for (unsigned int read = 2; read < 30; read += 9) {
			begin(pipe, NULL, 0);
			rig.fake.event[0] = (struct fake_event){EVENT_MEDIUM_CHANGED, read};
			rig.fake.next_medium = other;
			run_and_check();
			end();
		}
	}
}

/* The drive says that it is becoming ready; the TEST UNIT READY that waits for it hears of the
 * other card, and is sent again. */
static void test_test_unit_ready_hears(void **state)
{
	(void)state;
	for (int pipe = 0; pipe < 2; pipe++) {
		begin(pipe, NULL, 0);
		rig.fake.event[0] = (struct fake_event){EVENT_BECOMING_READY, 7};
		rig.fake.next_medium = other;
		run_and_check();
		end();
	}
}

/* After failures in a row a sector known to be good is read, to see whether the drive lives: that
 * READ hears it, and is sent again. */
static void test_canary_hears(void **state)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM_LBA, 40000, 40063, 0}};
	unsigned int heard = 0;

	(void)state;
	for (unsigned int read = 22; read < 60; read++) {
		begin(false, bad, 1);
		rig.fake.event[0] = (struct fake_event){EVENT_MEDIUM_CHANGED, read};
		rig.fake.next_medium = other;
		assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
		assert_int_equal(rig.err.kind, ERR_IDENTITY);
		rig_check(&rig);
		heard++;
		end();
	}
	assert_int_equal(heard, 38);
}

/* A READ that is under way ahead of the others hears it. */
static void test_read_ahead_hears(void **state)
{
	(void)state;
	for (unsigned int read = 8; read < 20; read++) {
		begin(false, NULL, 0);
		rig.device.transport->depth = 1;
		rig.fake.event[0] = (struct fake_event){EVENT_MEDIUM_CHANGED, read};
		rig.fake.next_medium = other;
		run_and_check();
		end();
	}
}

/* Not ready for a moment, and the same card as before. */
static void test_same_medium(void **state)
{
	(void)state;
	for (int pipe = 0; pipe < 2; pipe++) {
		begin(pipe, NULL, 0);
		rig.fake.event[0] = (struct fake_event){EVENT_BECOMING_READY, 7};
		rig.fake.event[1] = (struct fake_event){EVENT_MEDIUM_CHANGED, 30};
		assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
		rig_check(&rig);
		assert_in_range(memsink_lines_with(rig.sink, "\"event\":\"medium\""), 1, 2);
		end();
	}
}

/* Words that were heard before the session began are not about it. */
static void test_words_before_the_session(void **state)
{
	struct reply reply;
	uint8_t data[RIG_BLOCK_BYTES];

	(void)state;
	begin(false, NULL, 0);
	rig.fake.attention = true;
	scsi_read(rig.device.transport, 0, 1, RIG_BLOCK_BYTES, data, deadline_in_ms(1000), &reply,
		NULL);
	assert_int_equal(rig_run(&rig), CAPTURE_COMPLETE);
	assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"medium\""), 0);
	end();
}

/* It leaves the bus while it is looked at whether the medium is the same: it is a drive that has
 * gone, and nothing is said of its medium. */
static void test_leaves_meanwhile(void **state)
{
	(void)state;
	for (int pipe = 0; pipe < 2; pipe++) {
		begin(pipe, NULL, 0);
		rig.fake.event[0] = (struct fake_event){EVENT_MEDIUM_CHANGED, 7};
		rig.fake.event[1] = (struct fake_event){EVENT_GONE, 8};
		rig.fake.next_medium = other;
		assert_int_equal(rig_run(&rig), CAPTURE_FAILED);
		assert_int_equal(rig.err.kind, ERR_GONE);
		assert_null(strstr(rig.err.text, "medium"));
		assert_int_equal(memsink_lines_with(rig.sink, "\"event\":\"medium\""), 0);
		rig_check(&rig);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_hears),
		cmocka_unit_test(test_test_unit_ready_hears),
		cmocka_unit_test(test_canary_hears),
		cmocka_unit_test(test_read_ahead_hears),
		cmocka_unit_test(test_same_medium),
		cmocka_unit_test(test_words_before_the_session),
		cmocka_unit_test(test_leaves_meanwhile),
	};

	return cmocka_run_group_tests_name("capture-medium", tests, NULL, NULL);
}
