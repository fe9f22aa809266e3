/* SPDX-License-Identifier: BSD-2-Clause */
/* What each kind of reply means for the sectors of a READ. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "capture/judge.h"
#include "scsi/scsi.h"

#define LBA 1000u
#define N   8u

enum form { NO_SENSE, FIXED, DEFERRED, DESCRIPTOR };

struct judge_case {
	const char *name;
	enum outcome outcome;
	uint8_t status;
	enum form form;
	uint8_t key, asc;
	uint64_t information; /* 0: not valid */
	unsigned int moved;   /* bytes */
	enum verdict verdict;
	unsigned int n;
	uint64_t named; /* 0: none */
};

#define DONE  OUTCOME_DONE
#define GOOD  SCSI_STATUS_GOOD
#define CHECK SCSI_STATUS_CHECK_CONDITION
#define ALL   (N * 512u)

static const struct judge_case cases[] = {
	{"good", DONE, GOOD, NO_SENSE, 0, 0, 0, ALL, VERDICT_GOOD, N, 0},
	{"good but short", DONE, GOOD, NO_SENSE, 0, 0, 0, ALL - 1, VERDICT_GOOD, N - 1, 0},
	{"good but nothing", DONE, GOOD, NO_SENSE, 0, 0, 0, 511, VERDICT_TROUBLE, 0, 0},
	{"medium error", DONE, CHECK, FIXED, 3, 0x11, 0, 0, VERDICT_MEDIUM, 0, 0},
	{"… naming the first", DONE, CHECK, FIXED, 3, 0x11, LBA, 0, VERDICT_MEDIUM, 0, LBA},
	{"… naming the last", DONE, CHECK, FIXED, 3, 0x11, LBA + 7, 0, VERDICT_MEDIUM, 0, LBA + 7},
	{"… naming one behind", DONE, CHECK, FIXED, 3, 0x11, LBA + 8, 0, VERDICT_MEDIUM, 0, 0},
	{"… naming one before", DONE, CHECK, FIXED, 3, 0x11, LBA - 1, 0, VERDICT_MEDIUM, 0, 0},
	{"… in descriptors", DONE, CHECK, DESCRIPTOR, 3, 0x11, LBA + 3, 0, VERDICT_MEDIUM, 0,
		LBA + 3},
	{"… of an earlier command", DONE, CHECK, DEFERRED, 3, 0x11, LBA, 0, VERDICT_AGAIN, 0, 0},
	{"blank check", DONE, CHECK, FIXED, 8, 0, 0, 0, VERDICT_MEDIUM, 0, 0},
	{"track following error", DONE, CHECK, FIXED, 4, 0x09, 0, 0, VERDICT_MEDIUM, 0, 0},
	{"positioning error", DONE, CHECK, FIXED, 4, 0x15, 0, 0, VERDICT_MEDIUM, 0, 0},
	{"data sync mark error", DONE, CHECK, FIXED, 4, 0x16, 0, 0, VERDICT_MEDIUM, 0, 0},
	{"internal target failure", DONE, CHECK, FIXED, 4, 0x44, LBA, 0, VERDICT_TROUBLE, 0, 0},
	{"made-up hardware error", DONE, CHECK, FIXED, 4, 0x00, 0, 0, VERDICT_TROUBLE, 0, 0},
	{"LBA out of range", DONE, CHECK, FIXED, 5, 0x21, LBA, 0, VERDICT_TROUBLE, 0, 0},
	{"aborted command", DONE, CHECK, FIXED, 0xb, 0, LBA, ALL, VERDICT_TROUBLE, 0, 0},
	{"data protect", DONE, CHECK, FIXED, 7, 0x20, 0, 0, VERDICT_TROUBLE, 0, 0},
	{"no sense", DONE, CHECK, FIXED, 0, 0, 0, ALL, VERDICT_TROUBLE, 0, 0},
	{"no sense data", DONE, CHECK, NO_SENSE, 0, 0, 0, ALL, VERDICT_TROUBLE, 0, 0},
	{"recovered", DONE, CHECK, FIXED, 1, 0x17, 0, ALL, VERDICT_RECOVERED, N, 0},
	{"recovered, named", DONE, CHECK, FIXED, 1, 0x17, LBA + 2, ALL, VERDICT_RECOVERED, N,
		LBA + 2},
	{"recovered but short", DONE, CHECK, FIXED, 1, 0x17, 0, ALL - 512, VERDICT_TROUBLE, 0, 0},
	{"recovered with good status", DONE, GOOD, FIXED, 1, 0x17, 0, ALL, VERDICT_RECOVERED, N, 0},
	{"unit attention", DONE, CHECK, FIXED, 6, 0x29, 0, 0, VERDICT_AGAIN, 0, 0},
	{"becoming ready", DONE, CHECK, FIXED, 2, 0x04, 0, 0, VERDICT_NOT_READY, 0, 0},
	{"no medium", DONE, CHECK, FIXED, 2, 0x3a, 0, 0, VERDICT_NO_MEDIUM, 0, 0},
	{"not ready otherwise", DONE, CHECK, FIXED, 2, 0x3e, 0, 0, VERDICT_TROUBLE, 0, 0},
	{"busy", DONE, SCSI_STATUS_BUSY, NO_SENSE, 0, 0, 0, 0, VERDICT_AGAIN, 0, 0},
	{"task set full", DONE, SCSI_STATUS_TASK_SET_FULL, NO_SENSE, 0, 0, 0, 0, VERDICT_AGAIN, 0,
		0},
	{"task aborted", DONE, SCSI_STATUS_TASK_ABORTED, NO_SENSE, 0, 0, 0, 0, VERDICT_AGAIN, 0, 0},
	{"reservation conflict", DONE, SCSI_STATUS_RESERVATION_CONFLICT, NO_SENSE, 0, 0, 0, 0,
		VERDICT_TROUBLE, 0, 0},
	{"time-out", OUTCOME_TIMED_OUT, 0, NO_SENSE, 0, 0, 0, ALL, VERDICT_TROUBLE, 0, 0},
	{"broken", OUTCOME_BROKEN, 0, NO_SENSE, 0, 0, 0, ALL, VERDICT_TROUBLE, 0, 0},
	{"aborted", OUTCOME_ABORTED, 0, NO_SENSE, 0, 0, 0, ALL, VERDICT_AGAIN, 0, 0},
	{"gone", OUTCOME_GONE, 0, NO_SENSE, 0, 0, 0, ALL, VERDICT_GONE, 0, 0},
	{"not sent", OUTCOME_NOT_SENT, 0, NO_SENSE, 0, 0, 0, 0, VERDICT_NOT_SENT, 0, 0},
};

/* SPC-5 §4.4.2 and §4.4.3. */
static void put_sense(struct reply *reply, const struct judge_case *c)
{
	uint8_t *s = reply->sense;

	switch (c->form) {
	case NO_SENSE:
		return;
	case FIXED:
	case DEFERRED:
		s[0] = (uint8_t)((c->form == FIXED ? 0x70 : 0x71) | (c->information ? 0x80 : 0));
		s[2] = c->key;
		put_be32(s + 3, (uint32_t)c->information);
		s[7] = 10;
		s[12] = c->asc;
		reply->sense_len = 18;
		return;
	case DESCRIPTOR:
		s[0] = 0x72;
		s[1] = c->key;
		s[2] = c->asc;
		s[7] = 12;
		s[8] = 0x00; /* information */
		s[9] = 10;
		s[10] = 0x80;
		put_be64(s + 12, c->information);
		reply->sense_len = 20;
		return;
	}
}

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct judge_case *c = &cases[i];
		struct reply reply = {
			.outcome = c->outcome, .status = c->status, .moved = c->moved};
		struct judged judged;

		put_sense(&reply, c);
		judged = judge_read(&reply, LBA, N, 512);
		print_message("# %s\n", c->name);
		assert_int_equal(judged.verdict, c->verdict);
		assert_int_equal(judged.named, c->named != 0);
		assert_int_equal(judged.lba, c->named);
		assert_int_equal(judged.out_of_range, c->asc == 0x21);
		if (judged.verdict == VERDICT_GOOD || judged.verdict == VERDICT_RECOVERED)
			assert_int_equal(judged.n, c->n);
		assert_int_equal(judged.why.tries, 1);
	}
}

static void test_reasons(void **state)
{
	struct reply reply = {.outcome = OUTCOME_DONE, .status = SCSI_STATUS_CHECK_CONDITION};
	struct judged judged;

	(void)state;
	put_sense(&reply, &(struct judge_case){.form = FIXED, .key = 3, .asc = 0x11});
	reply.sense[13] = 0x0b;
	judged = judge_read(&reply, LBA, N, 512);
	assert_int_equal(judged.why.outcome, BLOCK_OUTCOME_NONE);
	assert_int_equal(judged.why.status, SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(judged.why.sense_key, 3);
	assert_int_equal(judged.why.asc, 0x11);
	assert_int_equal(judged.why.ascq, 0x0b);

	reply = (struct reply){.outcome = OUTCOME_TIMED_OUT};
	assert_int_equal(judge_read(&reply, LBA, N, 512).why.outcome, BLOCK_OUTCOME_TIMEOUT);
	reply = (struct reply){.outcome = OUTCOME_BROKEN};
	assert_int_equal(judge_read(&reply, LBA, N, 512).why.outcome, BLOCK_OUTCOME_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests_name("capture-judge", tests, NULL, NULL);
}
