/* SPDX-License-Identifier: BSD-2-Clause */
/* The misbehaving transport: the same for the same seed, never a lie about data, and a capture over
 * it ends with the map of the drive, not of the misbehaviour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/aid/rig.h"
#include "scsi/scsi.h"
#include "tests/aid/simulated.h"

#define N_BLOCKS 16384u
#define SLOT	 512u
#define SEEDS	 50

static void capture(uint64_t seed, char *states, size_t room)
{
	static const struct fake_fault bad[] = {{FAKE_MEDIUM_LBA, 5000, 5001, 0}};
	struct transport *fault;
	struct rig rig;

	rig_init(&rig, N_BLOCKS, SLOT, false, bad, 1);
	fault = transport_fault_new(&rig.fake.transport, seed, &rig.err);
	assert_non_null(fault);
	rig.device.transport = fault;
	rig.options.retries = 3;
	if (rig_run(&rig) != CAPTURE_UNREADABLE)
		fail_msg("seed %lu: %s", (unsigned long)seed, rig.err.text);
	rig_check(&rig);
	rig_states(&rig, states, room);
	transport_close(fault);
	rig_free(&rig);
}

static void test_captures_end_right(void **state)
{
	char states[400];

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		capture(seed, states, sizeof(states));
		if (strcmp(states, "good*5000 bad*2 good*11382") != 0)
			fail_msg("seed %lu: %s", (unsigned long)seed, states);
	}
}

static void outcomes(uint64_t seed, char out[201])
{
	struct rig rig;
	struct transport *fault;
	uint8_t data[512];
	struct reply reply;

	rig_init(&rig, N_BLOCKS, SLOT, false, NULL, 0);
	fault = transport_fault_new(&rig.fake.transport, seed, &rig.err);
	for (int i = 0; i < 200; i++) {
		scsi_read(fault, (uint64_t)i, 1, 512, data, deadline_in_ms(1000), &reply, NULL);
		out[i] = (char)('a' + (int)reply.outcome * 4 + (reply.status == 0 ? 2 : 0) +
				(reply.moved == 512 ? 1 : 0));
		if (reply.outcome == OUTCOME_DONE && reply.status == 0 && reply.moved == 512)
			assert_memory_equal(data, rig.medium + (size_t)i * 512, 512);
	}
	out[200] = '\0';
	transport_close(fault);
	rig_free(&rig);
}

static void test_one_seed_one_behaviour(void **state)
{
	char first[201], second[201], other[201];

	(void)state;
	outcomes(7, first);
	outcomes(7, second);
	outcomes(8, other);
	assert_string_equal(first, second);
	assert_string_not_equal(first, other);
	/* It does misbehave, and not only in one way. */
	assert_true(strspn(first, "d") < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captures_end_right),
		cmocka_unit_test(test_one_seed_one_behaviour),
	};

	simulate_time();
	return cmocka_run_group_tests_name("transport-fault", tests, NULL, NULL);
}
