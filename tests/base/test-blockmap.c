/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block map against a model: an array with one state and reason a sector.  Random changes, and
 * after each of them every question is asked of both.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/blockmap.h"

#define MOST_BLOCKS 97
#define CHANGES	    400
#define SEEDS	    60

struct model {
	uint64_t n;
	struct {
		enum block_state state;
		struct block_reason why;
	} block[MOST_BLOCKS];
};

static uint32_t random_state;

static uint32_t roll(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static bool alike(const struct model *model, uint64_t a, uint64_t b)
{
	return model->block[a].state == model->block[b].state &&
	       memcmp(&model->block[a].why, &model->block[b].why, sizeof(struct block_reason)) == 0;
}

/* The range of the model that LBA lies in. */
static struct block_range model_at(const struct model *model, uint64_t lba)
{
	uint64_t first = lba, end = lba + 1;

	while (first > 0 && alike(model, first - 1, lba))
		first--;
	while (end < model->n && alike(model, end, lba))
		end++;
	return (struct block_range){.lba = first,
		.n = end - first,
		.state = model->block[lba].state,
		.why = model->block[lba].why};
}

static void assert_same_range(const struct block_range *a, const struct block_range *b)
{
	assert_int_equal(a->lba, b->lba);
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->state, b->state);
	assert_memory_equal(&a->why, &b->why, sizeof(a->why));
}

static bool in_mask(const struct model *model, uint64_t lba, unsigned int mask)
{
	return BLOCK_MASK(model->block[lba].state) & mask;
}

static bool model_next(
	const struct model *model, uint64_t lba, unsigned int mask, struct block_range *range)
{
	while (lba < model->n && !in_mask(model, lba, mask))
		lba++;
	if (lba >= model->n)
		return false;
	*range = model_at(model, lba);
	range->n -= lba - range->lba;
	range->lba = lba;
	return true;
}

static bool model_prev(
	const struct model *model, uint64_t lba, unsigned int mask, struct block_range *range)
{
	if (lba > model->n)
		lba = model->n;
	while (lba > 0 && !in_mask(model, lba - 1, mask))
		lba--;
	if (lba == 0)
		return false;
	*range = model_at(model, lba - 1);
	range->n = lba - range->lba;
	return true;
}

static void compare_walks(const struct blockmap *map, const struct model *model, unsigned int mask)
{
	for (uint64_t lba = 0; lba <= model->n + 2; lba++) {
		struct block_range a, b;
		bool found = model_next(model, lba, mask, &b);

		assert_int_equal(blockmap_next(map, lba, mask, &a), found);
		if (found)
			assert_same_range(&a, &b);
		found = model_prev(model, lba, mask, &b);
		assert_int_equal(blockmap_prev(map, lba, mask, &a), found);
		if (found)
			assert_same_range(&a, &b);
	}
}

static void compare_counts(const struct blockmap *map, const struct model *model, unsigned int mask)
{
	uint64_t count = 0, areas = 0;

	for (uint64_t lba = 0; lba < model->n; lba++) {
		bool in = in_mask(model, lba, mask);

		count += in;
		areas += in && (lba == 0 || !in_mask(model, lba - 1, mask));
	}
	assert_int_equal(blockmap_count(map, mask), count);
	assert_int_equal(blockmap_areas(map, mask), areas);
}

static void compare_ranges(const struct blockmap *map, const struct model *model)
{
	size_t ranges = 0;

	for (uint64_t lba = 0; lba < model->n; lba++) {
		struct block_range a = blockmap_at(map, lba), b = model_at(model, lba);

		assert_same_range(&a, &b);
		ranges += b.lba == lba;
	}
	assert_int_equal(blockmap_ranges(map), ranges);
	assert_int_equal(blockmap_blocks(map), model->n);
}

static void change(struct blockmap *map, struct model *model)
{
	uint64_t lba = roll((uint32_t)model->n + 2), n = roll(roll(4) ? 8 : MOST_BLOCKS + 20);
	enum block_state state = (enum block_state)roll(BLOCK_STATES);
	struct block_reason why = {.tries = (uint8_t)roll(2), .asc = (uint8_t)(roll(2) * 0x11)};
	bool reason = roll(2);

	assert_int_equal(blockmap_set(map, lba, n, state, reason ? &why : NULL), 0);
	if (!reason)
		memset(&why, 0, sizeof(why));
	for (uint64_t i = lba; i < lba + n && i < model->n; i++) {
		model->block[i].state = state;
		model->block[i].why = why;
	}
}

static void test_against_the_model(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct model model = {.n = 1 + seed * 31 % MOST_BLOCKS};
		struct blockmap *map = blockmap_new(model.n);

		random_state = seed;
		assert_non_null(map);
		for (unsigned int i = 0; i < CHANGES; i++) {
			unsigned int mask = roll(1u << BLOCK_STATES);

			change(map, &model);
			compare_ranges(map, &model);
			compare_counts(map, &model, mask);
			compare_walks(map, &model, mask);
		}
		blockmap_free(map);
	}
}

/* Walks the map once and holds it to what was said of each block. */
static void compare_all(const struct blockmap *map, const uint8_t *state, uint64_t n)
{
	struct block_range range;
	uint64_t lba, count = 0, said = 0;
	size_t ranges = 0;

	for (lba = 0; blockmap_next(map, lba, BLOCK_ALL, &range); lba = range.lba + range.n) {
		struct block_range back;

		assert_int_equal(range.lba, lba);
		assert_true(range.n > 0 && range.n <= n - lba);
		for (uint64_t i = lba; i < lba + range.n; i++)
			assert_int_equal(state[i], range.state);
		assert_true(lba == 0 || state[lba - 1] != range.state);
		assert_true(blockmap_prev(map, lba + range.n, BLOCK_ALL, &back));
		assert_same_range(&range, &back);
		ranges++;
	}
	assert_int_equal(lba, n);
	assert_int_equal(blockmap_ranges(map), ranges);
	for (uint64_t i = 0; i < n; i++)
		count += state[i] == BLOCK_BAD;
	said = blockmap_count(map, BLOCK_MASK(BLOCK_BAD));
	assert_int_equal(said, count);
}

static void say(struct blockmap *map, uint8_t *state, uint64_t lba, uint64_t n, uint8_t what)
{
	assert_int_equal(blockmap_set(map, lba, n, (enum block_state)what, NULL), 0);
	memset(state + lba, what, (size_t)n);
}

/* Thousands of ranges: many more than the map keeps in one piece of memory. */
static void test_many_ranges(void **given)
{
	enum { N = 9000 };
	static uint8_t state[N];
	struct blockmap *map = blockmap_new(N);

	(void)given;
	random_state = 20;
	memset(state, BLOCK_UNTRIED, sizeof(state));
	for (uint64_t lba = N; lba >= 2; lba -= 2)
		say(map, state, lba - 2, 1, BLOCK_BAD);
	compare_all(map, state, N);
	for (unsigned int i = 0; i < 12000; i++) {
		uint64_t lba = roll(N), n = 1 + (roll(60) ? roll(4) : roll(3000));

		say(map, state, lba, n < N - lba ? n : N - lba, (uint8_t)roll(BLOCK_STATES));
		if (i % 100 == 0)
			compare_all(map, state, N);
	}
	for (uint64_t lba = 0; lba + 3 < N; lba += 3)
		say(map, state, lba, 2, (uint8_t)(1 + lba / 3 % 2));
	compare_all(map, state, N);
	for (uint64_t lba = 0; lba + 150 < N; lba += 151)
		say(map, state, lba, 150, BLOCK_GOOD);
	compare_all(map, state, N);
	say(map, state, 1, N - 2, BLOCK_SKIPPED);
	compare_all(map, state, N);
	blockmap_free(map);
}

static void test_empty_map(void **state)
{
	struct blockmap *map = blockmap_new(0);
	struct block_range range;

	(void)state;
	assert_non_null(map);
	assert_int_equal(blockmap_set(map, 0, 10, BLOCK_GOOD, NULL), 0);
	assert_int_equal(blockmap_ranges(map), 0);
	assert_int_equal(blockmap_count(map, BLOCK_ALL), 0);
	assert_int_equal(blockmap_areas(map, BLOCK_ALL), 0);
	assert_false(blockmap_next(map, 0, BLOCK_ALL, &range));
	assert_false(blockmap_prev(map, UINT64_MAX, BLOCK_ALL, &range));
	blockmap_free(map);
	blockmap_free(NULL);
}

/* Lengths that would wrap round. */
static void test_largest_numbers(void **state)
{
	struct blockmap *map = blockmap_new(UINT64_MAX);
	struct block_range range;

	(void)state;
	assert_int_equal(blockmap_set(map, UINT64_MAX - 2, UINT64_MAX, BLOCK_BAD, NULL), 0);
	assert_int_equal(blockmap_count(map, BLOCK_MASK(BLOCK_BAD)), 2);
	assert_int_equal(blockmap_set(map, 5, UINT64_MAX, BLOCK_GOOD, NULL), 0);
	assert_int_equal(blockmap_count(map, BLOCK_HAVE), UINT64_MAX - 5);
	assert_int_equal(blockmap_set(map, UINT64_MAX, 1, BLOCK_BAD, NULL), 0);
	assert_int_equal(blockmap_ranges(map), 2);
	assert_true(blockmap_prev(map, UINT64_MAX, BLOCK_ALL, &range));
	assert_int_equal(range.lba, 5);
	blockmap_free(map);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(block_state_name(BLOCK_UNTRIED), "untried");
	assert_string_equal(block_state_name(BLOCK_RECOVERED), "recovered");
	assert_string_equal(block_state_name((enum block_state)6), "unknown");
	assert_string_equal(block_outcome_name(BLOCK_OUTCOME_SLOW), "slow");
	assert_string_equal(block_outcome_name((enum block_outcome)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_model),
		cmocka_unit_test(test_many_ranges),
		cmocka_unit_test(test_empty_map),
		cmocka_unit_test(test_largest_numbers),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("base-blockmap", tests, NULL, NULL);
}
