/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UAS: its information units byte by byte, several commands of several threads under way at once,
 * and a link on which things fail that a simulated drive cannot make fail.  (What a drive does
 * wrong is in tests/capture/test-misdeeds.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "scsi/scsi.h"
#include "sim/sim.h"
#include "sim/usb_device.h"
#include "sim/link_sim.h"
#include "tests/aid/simulated.h"
#include "transport/uas.h"
#include "usb/quirk.h"

/* --- information units --- */

static void test_command_iu(void **state)
{
	uint8_t iu[IU_COMMAND_LEN + 252], cdb[260];

	(void)state;
	for (size_t i = 0; i < sizeof(cdb); i++)
		cdb[i] = (uint8_t)(i + 1);
	assert_int_equal(uas_put_command(iu, 0x0102, 3, cdb, 10), 32);
	assert_int_equal(iu[0], 1);
	assert_int_equal(get_be16(iu + 2), 0x0102);
	assert_int_equal(iu[6], 0);
	assert_int_equal(iu[9], 3);
	assert_memory_equal(iu + 16, cdb, 10);
	assert_int_equal(iu[26], 0);
	assert_int_equal(uas_put_command(iu, 1, 0, cdb, 16), 32);
	assert_int_equal(uas_put_command(iu, 1, 0, cdb, 17), 36);
	assert_int_equal(iu[6], 4);
	assert_memory_equal(iu + 16, cdb, 17);
	assert_int_equal(iu[33], 0);
	assert_int_equal(uas_put_command(iu, 1, 0, cdb, 260), 32 + 244);
	assert_int_equal(iu[6], 244);
	assert_memory_equal(iu + 16, cdb, 260);
}

static void test_task_management_iu(void **state)
{
	uint8_t iu[IU_TMF_LEN];

	(void)state;
	assert_int_equal(uas_put_tmf(iu, 17, 2, UAS_TMF_ABORT_TASK, 5), 16);
	assert_int_equal(iu[0], 5);
	assert_int_equal(get_be16(iu + 2), 17);
	assert_int_equal(iu[4], 1);
	assert_int_equal(get_be16(iu + 6), 5);
	assert_int_equal(iu[9], 2);
}

static void test_status_ius(void **state)
{
	uint8_t sense[40] = {3, 0, 0, 7, [6] = 2, [15] = 18, [16] = 0x70, [18] = 3};
	uint8_t response[8] = {4, 0, 0, 9, [7] = 0x0a}, ready[4] = {6, 0, 1, 0};
	struct uas_iu iu;

	(void)state;
	assert_true(uas_get_iu(sense, 34, &iu));
	assert_int_equal(iu.id, IU_ID_SENSE);
	assert_int_equal(iu.tag, 7);
	assert_int_equal(iu.status, 2);
	assert_int_equal(iu.sense_len, 18);
	assert_int_equal(iu.sense[2], 3);
	/* What did not come is not there, whatever the length says. */
	put_be16(sense + 14, 0xffff);
	assert_true(uas_get_iu(sense, 20, &iu));
	assert_int_equal(iu.sense_len, 4);
	assert_true(uas_get_iu(sense, 16, &iu));
	assert_int_equal(iu.sense_len, 0);
	assert_false(uas_get_iu(sense, 15, &iu));
	assert_true(uas_get_iu(response, 8, &iu));
	assert_int_equal(iu.response, UAS_RC_OVERLAPPED_TAG);
	assert_false(uas_get_iu(response, 7, &iu));
	assert_true(uas_get_iu(ready, 4, &iu));
	assert_int_equal(iu.tag, 256);
	assert_false(uas_get_iu(ready, 3, &iu));
	assert_false(uas_get_iu(ready, 0, &iu));
	ready[0] = 1;
	assert_false(uas_get_iu(ready, 4, &iu));
}

/* --- several at once --- */

#define THREADS 4
#define READS	60

struct reader {
	struct transport *transport;
	unsigned int number;
	unsigned int wrong;
};

static uint8_t medium[READS * THREADS * 4096];

static void *read_some(void *argument)
{
	struct reader *reader = argument;
	uint8_t data[4096];

	for (unsigned int i = 0; i < READS; i++) {
		uint64_t lba = 8 * ((uint64_t)i * THREADS + reader->number);
		struct reply reply;

		if (scsi_read(reader->transport, lba, 8, 512, data, deadline_in_ms(20000), &reply,
			    NULL) < 0 ||
			reply.moved != sizeof(data) || memcmp(data, medium + lba * 512, 4096) != 0)
			reader->wrong++;
	}
	return NULL;
}

static void read_by_threads(const char *name)
{
	struct reader readers[THREADS];
	pthread_t thread[THREADS];
	struct usb_device *device;
	struct transport *transport;
	struct reply reply;
	struct err err;

	device = sim_device(name, &err);
	assert_non_null(device);
	transport = transport_uas_open(link_sim_new(device, &err), 0, 0, &err);
	if (!transport)
		fail_msg("%s", err.text);
	for (uint64_t lba = 0; lba < sizeof(medium) / 512; lba += 128)
		scsi_read(transport, lba, 128, 512, medium + lba * 512, deadline_in_ms(20000),
			&reply, &err);
	for (unsigned int i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){transport, i, 0};
		assert_int_equal(thread_start(&thread[i], read_some, &readers[i], &err), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(readers[i].wrong, 0);
	}
	/* No answer comes before all sleep, so the drive has had a READ from each of them at once.
	 */
	assert_int_equal(usb_device_most_at_once(device), THREADS);
	transport_close(transport);
}

static void test_overlap(void **state)
{
	(void)state;
	read_by_threads("noise,size=4M,only-uas,speed=super,delay=500");
	read_by_threads("noise,size=4M,only-uas,delay=500");
}

static atomic_bool slow_has_ended;

/* Slow ones do not hold up fast ones. */
static void *read_slow(void *argument)
{
	struct reader *reader = argument;
	uint8_t data[512];
	struct reply reply;

	scsi_read(reader->transport, 100, 1, 512, data, deadline_in_ms(20000), &reply, NULL);
	atomic_store(&slow_has_ended, true);
	reader->wrong = reply.outcome != OUTCOME_DONE || reply.moved != 512;
	return NULL;
}

static void test_out_of_order(void **state)
{
	struct err err;
	struct transport *transport = transport_uas_open(
		sim_open("noise,size=1M,only-uas,speed=super,slow=100:600", &err), 0, 0, &err);
	struct reader slow = {transport, 0, 0};
	uint8_t data[512];
	struct reply reply;
	pthread_t thread;

	(void)state;
	assert_non_null(transport);
	thread_start(&thread, read_slow, &slow, &err);
	/* Simulated: its READ is under way then, and takes 550 ms more. */
	clock_sleep_ms(50);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
			scsi_read(transport, 0, 1, 512, data, deadline_in_ms(10000), &reply, &err),
			0);
	assert_false(atomic_load(&slow_has_ended));
	pthread_join(thread, NULL);
	assert_int_equal(slow.wrong, 0);
	transport_close(transport);
}

/* A command that hangs is aborted; the others that are under way meanwhile end well. */
static void *read_hanging(void *argument)
{
	struct reader *reader = argument;
	uint8_t data[512];
	struct reply reply;

	scsi_read(reader->transport, 500, 1, 512, data, deadline_in_ms(300), &reply, NULL);
	reader->wrong = reply.outcome != OUTCOME_TIMED_OUT;
	return NULL;
}

static void test_abort_leaves_others_alone(void **state)
{
	struct err err;
	struct transport *transport = transport_uas_open(
		sim_open("noise,size=1M,only-uas,speed=super,slow=100:800,hang=500", &err), 0, 0,
		&err);
	struct reader slow = {transport, 0, 0}, hanging = {transport, 1, 0};
	pthread_t thread[2];

	(void)state;
	assert_non_null(transport);
	thread_start(&thread[0], read_slow, &slow, &err);
	thread_start(&thread[1], read_hanging, &hanging, &err);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	assert_int_equal(slow.wrong, 0);
	assert_int_equal(hanging.wrong, 0);
	transport_close(transport);
}

/* --- what cannot be opened --- */

static void refuse(const char *name, const char *part)
{
	struct err err = {0};
	struct link *link = sim_open(name, &err);

	assert_non_null(link);
	assert_null(transport_uas_open(link, 0, 0, &err));
	if (!strstr(err.text, part))
		fail_msg("%s: %s", name, err.text);
	link->ops->close(link);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("noise,size=1M", "does not offer UAS");
	refuse("noise,size=1M,only-uas,descriptors=no-pipes", "no command pipe");
	refuse("noise,size=1M,only-uas,descriptors=same-pipes", "no command pipe");
	refuse("noise,size=1M,uas,descriptors=cut", "UAS");
}

static unsigned int no_streams(
	struct link *link, unsigned int wanted, const uint8_t *endpoint, size_t n_endpoints)
{
	(void)link, (void)wanted, (void)endpoint, (void)n_endpoints;
	return 0;
}

/* At SuperSpeed there is no UAS without streams. */
static void test_no_streams(void **state)
{
	struct err err;
	struct link *link = sim_open("noise,size=1M,only-uas,speed=super", &err);
	struct link_ops ops = *link->ops;

	(void)state;
	ops.alloc_streams = no_streams;
	link->ops = &ops;
	assert_null(transport_uas_open(link, 0, 0, &err));
	assert_non_null(strstr(err.text, "streams"));
	ops.submit = NULL;
	assert_null(transport_uas_open(link, 0, 0, &err));
	link->ops->close(link);
}

static void test_limits(void **state)
{
	static const struct {
		uint32_t quirk;
		size_t bytes;
	} rows[] = {{0, 1 << 20}, {QUIRK_MAX_SECTORS_64, 32768}, {QUIRK_MAX_SECTORS_240, 122880},
		{QUIRK_MAX_SECTORS_MIN, 4096}};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transport *transport =
			transport_uas_open(sim_open("noise,size=1M,only-uas,speed=super", &err), 0,
				rows[i].quirk, &err);

		assert_int_equal(transport->max_transfer_bytes, rows[i].bytes);
		assert_int_equal(transport->max_cdb_len, 260);
		assert_in_range(transport->depth, 2, 16);
		transport_close(transport);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_iu),
		cmocka_unit_test(test_task_management_iu),
		cmocka_unit_test(test_status_ius),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_abort_leaves_others_alone),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_streams),
		cmocka_unit_test(test_limits),
	};

	simulate_time();
	return cmocka_run_group_tests_name("transport-uas", tests, NULL, NULL);
}
