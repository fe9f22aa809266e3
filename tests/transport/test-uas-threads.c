/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UAS recovering while several threads have commands under way: a reset that one of them needs is
 * said to the others, and a drive that breaks many rules at many places is read whole by all of
 * them.  Made for ThreadSanitizer as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "proto/uas.h"
#include "scsi/scsi.h"
#include "sim/sim.h"
#include "tests/aid/simulated.h"
#include "transport/transport.h"
#include "usb/link.h"

#define THREADS	 4
#define BLOCKS	 2048u
#define PIECE	 8u
#define ATTEMPTS 20
#define HURRIED	 300
#define HUNG_S	 300 /* no test takes so long, by far */

/* Command IUs that the drive has taken. */
static atomic_uint commands;
static const struct link_ops *sim_ops;

static enum link_result counting_submit(struct link *link, struct link_transfer *transfer)
{
	bool is_iu = !(transfer->endpoint & 0x80) && transfer->len == IU_COMMAND_LEN;
	enum link_result result = sim_ops->submit(link, transfer);

	if (is_iu)
		atomic_fetch_add(&commands, 1);
	return result;
}

static struct transport *open_drive(const char *name)
{
	static struct link_ops ops;
	struct err err = {0};
	struct link *link = sim_open(name, &err);
	struct transport *transport = NULL;

	if (link) {
		sim_ops = link->ops;
		ops = *link->ops;
		ops.submit = counting_submit;
		link->ops = &ops;
		transport = transport_uas_open(link, 0, 0, &err);
	}
	if (!transport)
		fail_msg("%s: %s", name, err.text);
	atomic_store(&commands, 0);
	return transport;
}

/* --- a reset and those who did not cause it --- */

struct one {
	struct transport *transport;
	uint64_t lba;
	unsigned int ms;
	struct reply reply;
};

static void *read_one(void *argument)
{
	struct one *one = argument;
	uint8_t data[512];

	scsi_read(
		one->transport, one->lba, 1, 512, data, deadline_in_ms(one->ms), &one->reply, NULL);
	return NULL;
}

/* The first that hangs needs a LOGICAL UNIT RESET, or that of the port. */
static void reset_ends_others(const char *misdeed, const char *speed)
{
	char name[200];
	struct one culprit = {.lba = 500, .ms = 300}, other = {.lba = 100, .ms = 100000}, after;
	pthread_t thread[2];
	struct err err;

	snprintf(name, sizeof(name), "noise,size=1M,only-uas,%s,slow=100:60000,fault=%s:lba=500",
		speed, misdeed);
	culprit.transport = other.transport = open_drive(name);
	assert_int_equal(thread_start(&thread[0], read_one, &other, &err), 0);
	while (atomic_load(&commands) == 0)
		clock_sleep_ms(1);
	assert_int_equal(thread_start(&thread[1], read_one, &culprit, &err), 0);
	pthread_join(thread[1], NULL);
	pthread_join(thread[0], NULL);
	assert_int_equal(culprit.reply.outcome, OUTCOME_TIMED_OUT);
	assert_int_equal(culprit.reply.reset_epoch, 1);
	assert_int_equal(other.reply.outcome, OUTCOME_ABORTED);
	assert_int_equal(other.reply.reset_epoch, 1);
	after = (struct one){.transport = culprit.transport, .lba = 500, .ms = 20000};
	for (int i = 0; i < 2 && after.reply.status != SCSI_STATUS_GOOD; i++)
		read_one(&after);
	read_one(&after);
	assert_int_equal(after.reply.outcome, OUTCOME_DONE);
	assert_int_equal(after.reply.moved, 512);
	transport_close(culprit.transport);
}

static void test_reset_ends_others(void **state)
{
	(void)state;
	reset_ends_others("uas-no-abort", "speed=super");
	reset_ends_others("uas-no-abort", "speed=high");
	reset_ends_others("uas-no-reset", "speed=super");
	reset_ends_others("uas-no-reset", "speed=high");
}

/* --- many misdeeds --- */

static uint8_t medium[BLOCKS * 512];

static void read_medium(void)
{
	struct transport *clean = open_drive("noise,size=1M,only-uas");
	struct reply reply;

	for (uint64_t lba = 0; lba < BLOCKS; lba += 128) {
		assert_int_equal(scsi_read(clean, lba, 128, 512, medium + lba * 512,
					 deadline_in_ms(20000), &reply, NULL),
			0);
		assert_int_equal(reply.moved, 128 * 512);
	}
	transport_close(clean);
}

struct reader {
	struct transport *transport;
	unsigned int number;
	unsigned int wrong, given_up;
};

/* One piece, until it is there. */
static void read_piece(struct reader *reader, uint64_t lba)
{
	uint8_t data[PIECE * 512];
	struct reply reply;

	for (int i = 0; i < ATTEMPTS; i++) {
		if (scsi_read(reader->transport, lba, PIECE, 512, data, deadline_in_ms(500), &reply,
			    NULL) < 0 ||
			reply.status != SCSI_STATUS_GOOD || reply.moved != sizeof(data))
			continue;
		reader->wrong += memcmp(data, medium + lba * 512, sizeof(data)) != 0;
		return;
	}
	reader->given_up++;
}

static void *read_all(void *argument)
{
	struct reader *reader = argument;

	for (uint64_t lba = reader->number * PIECE; lba < BLOCKS; lba += THREADS * PIECE)
		read_piece(reader, lba);
	return NULL;
}

/* Everywhere, so that several are being mended at once. */
#define MISDEEDS                                                                                   \
	",fault=uas-no-abort:lba=200:times=2,fault=uas-no-sense:lba=208:times=2"                   \
	",fault=uas-tag:lba=300,fault=uas-id:lba=310,fault=uas-short:lba=320"                      \
	",fault=uas-stall-status:lba=400,fault=uas-stall-data:lba=408"                             \
	",fault=uas-stall-command:lba=416,fault=uas-stall-status:lba=424"                          \
	",fault=uas-garbage:lba=500,fault=uas-response=10:lba=508,fault=uas-twice:lba=516"         \
	",fault=uas-no-data:lba=600,fault=uas-short-data:lba=608,fault=uas-no-ready:lba=616"       \
	",fault=uas-other-tag:lba=700,fault=uas-length:lba=708,fault=hang:lba=716"                 \
	",fault=uas-no-reset:lba=800,fault=uas-no-abort:lba=808,fault=hang:lba=816"                \
	",fault=hang:lba=824,fault=uas-no-abort:lba=1000-1040:times=3"

static void all_read_whole(const char *speed)
{
	struct reader readers[THREADS];
	pthread_t thread[THREADS];
	struct transport *drive;
	char name[1400];
	struct err err;

	read_medium();
	snprintf(name, sizeof(name), "noise,size=1M,only-uas,delay=200,%s" MISDEEDS, speed);
	drive = open_drive(name);
	for (unsigned int i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){drive, i, 0, 0};
		assert_int_equal(thread_start(&thread[i], read_all, &readers[i], &err), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned int i = 0; i < THREADS; i++) {
		if (readers[i].wrong || readers[i].given_up)
			fail_msg("%s, thread %u: %u wrong, %u given up", speed, i, readers[i].wrong,
				readers[i].given_up);
	}
	transport_close(drive);
}

static void test_many_misdeeds(void **state)
{
	(void)state;
	all_read_whole("speed=super");
	all_read_whole("speed=high");
}

/* --- aborts --- */

/* Deadlines that pass just when the drive is about to answer. */
static void *read_hurriedly(void *argument)
{
	struct reader *reader = argument;
	uint8_t data[PIECE * 512];

	for (unsigned int i = 0; i < HURRIED; i++) {
		uint64_t lba = (i * THREADS + reader->number) * PIECE % BLOCKS;
		struct reply reply;

		if (scsi_read(reader->transport, lba, PIECE, 512, data, deadline_in_ms(1 + i % 3),
			    &reply, NULL) == 0 &&
			reply.status == SCSI_STATUS_GOOD)
			reader->wrong += memcmp(data, medium + lba * 512, reply.moved) != 0;
	}
	return NULL;
}

/* What is said to be good belongs to the command that it is said of, however many are aborted
 * around it. */
static void aborts_mix_nothing(const char *speed)
{
	struct reader readers[THREADS];
	pthread_t thread[THREADS];
	struct transport *drive;
	struct err err;
	char name[100];

	read_medium();
	snprintf(name, sizeof(name), "noise,size=1M,only-uas,delay=800,%s", speed);
	drive = open_drive(name);
	for (unsigned int i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){drive, i, 0, 0};
		assert_int_equal(thread_start(&thread[i], read_hurriedly, &readers[i], &err), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	transport_close(drive);
	for (unsigned int i = 0; i < THREADS; i++) {
		if (readers[i].wrong)
			fail_msg("%s, thread %u: %u with data of others", speed, i,
				readers[i].wrong);
	}
}

static void test_aborts_mix_nothing(void **state)
{
	(void)state;
	aborts_mix_nothing("speed=super");
	aborts_mix_nothing("speed=high");
	/* In the midst of its data phase, which without streams is on everybody's pipe. */
	aborts_mix_nothing("speed=super,fault=uas-data-late=40:lba=0-7:times=20");
	aborts_mix_nothing("speed=high,fault=uas-data-late=40:lba=0-7:times=20");
	aborts_mix_nothing("speed=high,fault=uas-no-data:lba=0-7:times=20");
	aborts_mix_nothing("speed=high,fault=uas-short-data:lba=0-7:times=20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_ends_others),
		cmocka_unit_test(test_many_misdeeds),
		cmocka_unit_test(test_aborts_mix_nothing),
	};

	/* A command that never returns is a failure, not a wait. */
	alarm(HUNG_S);
	simulate_time();
	return cmocka_run_group_tests_name("transport-uas-threads", tests, NULL, NULL);
}
