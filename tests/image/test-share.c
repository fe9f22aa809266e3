/* SPDX-License-Identifier: BSD-2-Clause */
/* What a writer's buffers, jobs and encoded output take together, for every length of a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "image/codec.h"
#include "image/jobs.h"

#define UNIT_BYTES (128u << 10)

static void test_budget(void **state)
{
	static const unsigned int workers[] = {1, 2, 4, 16, 256};

	(void)state;
	for (uint64_t run = 1u << 20; run <= 64u << 20; run *= 2) {
		uint64_t room = encoder_room((uint32_t)run, UNIT_BYTES);

		for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
			struct jobs_share share = jobs_share(run, room, workers[i]);
			uint64_t least = 3 * run + 2 * room;

			assert_true(share.workers >= 1 && share.workers <= workers[i]);
			assert_true(share.most_open >= 1);
			assert_true(share.buffers > share.most_open);
			assert_true(share.jobs > share.workers);
			assert_int_equal(share.bytes, share.buffers * run + share.jobs * room);
			assert_true(share.bytes <=
				    (least > JOBS_MEMORY_BUDGET ? least : JOBS_MEMORY_BUDGET));
		}
	}
}

/* Usual drives have room for a READ in the next slots and for every processor. */
static void test_usual(void **state)
{
	struct jobs_share share = jobs_share(1u << 20, encoder_room(1u << 20, UNIT_BYTES), 8);

	(void)state;
	assert_int_equal(share.workers, 8);
	assert_int_equal(share.most_open, 8);
	assert_true(jobs_share(32u << 20, encoder_room(32u << 20, UNIT_BYTES), 8).most_open >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_usual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
