/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated drive's link with several transfers under way, and several threads at it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "tests/aid/simulated.h"
#include "tests/aid/uaswire.h"
#include "tests/aid/wire.h"

#define SUPER "content=noise,size=8M,uas,speed=super"
#define HIGH  "content=noise,size=8M,uas,speed=high"

static struct link_transfer *reap(struct uaswire *wire, unsigned int ms)
{
	return wire->link->ops->reap(wire->link, deadline_in_ms(ms));
}

static void submit(struct uaswire *wire, struct link_transfer *transfer)
{
	assert_int_equal(wire->link->ops->submit(wire->link, transfer), LINK_OK);
}

static struct link_transfer on(uint8_t endpoint, uint16_t stream, void *data, size_t len)
{
	return (struct link_transfer){
		.endpoint = endpoint, .stream = stream, .data = data, .len = len};
}

static void test_nothing_to_reap(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);

	(void)state;
	assert_null(reap(&wire, 0));
	assert_null(reap(&wire, UASWIRE_SILENCE_MS));
	uaswire_close(&wire);
}

/* A transfer that waits is handed back when it is cancelled, and only once. */
static void test_cancel(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[2][IU_SENSE_MAX];
	struct link_transfer first = on(ENDPOINT_UAS_STATUS, 1, iu[0], IU_SENSE_MAX);
	struct link_transfer second = on(ENDPOINT_UAS_STATUS, 2, iu[1], IU_SENSE_MAX);

	(void)state;
	submit(&wire, &first);
	submit(&wire, &second);
	assert_null(reap(&wire, UASWIRE_SILENCE_MS));
	wire.link->ops->cancel(wire.link, &first);
	wire.link->ops->cancel(wire.link, &first);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &first);
	assert_int_equal(first.result, LINK_TIMEOUT);
	assert_int_equal(first.moved, 0);
	assert_null(reap(&wire, UASWIRE_SILENCE_MS));
	wire.link->ops->cancel(wire.link, &first); /* no more under way */
	wire.link->ops->cancel(wire.link, &second);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &second);
	uaswire_close(&wire);
}

/* What has ended by itself stays as it has ended. */
static void test_cancel_too_late(void **state)
{
	static const uint8_t ready[6] = {0};
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[IU_SENSE_MAX];
	struct link_transfer status = on(ENDPOINT_UAS_STATUS, 1, iu, IU_SENSE_MAX);

	(void)state;
	submit(&wire, &status);
	uaswire_command(&wire, 1, 0, ready, sizeof(ready));
	wire.link->ops->cancel(wire.link, &status);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &status);
	assert_int_equal(status.result, LINK_OK);
	assert_int_equal(status.moved, 16);
	uaswire_close(&wire);
}

/* Without streams the transfers of an endpoint are served as they were submitted, and a cancelled
 * one does not hold up those behind it. */
static void test_order_without_streams(void **state)
{
	static const uint8_t ready[6] = {0};
	struct uaswire wire = uaswire_open(HIGH);
	uint8_t iu[4][IU_SENSE_MAX];
	struct link_transfer status[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		status[i] = on(ENDPOINT_UAS_STATUS, 0, iu[i], IU_SENSE_MAX);
		submit(&wire, &status[i]);
	}
	wire.link->ops->cancel(wire.link, &status[1]);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &status[1]);
	for (uint16_t tag = 11; tag <= 13; tag++)
		uaswire_command(&wire, tag, 0, ready, sizeof(ready));
	for (int i = 0; i < 4; i++) {
		static const uint16_t tag[4] = {11, 0, 12, 13};

		if (i == 1)
			continue;
		assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &status[i]);
		assert_int_equal(get_be16(iu[i] + 2), tag[i]);
	}
	uaswire_close(&wire);
}

/* Nor is one overtaken when data between two of them makes the status come. */
static void test_order_on_a_stream(void **state)
{
	struct uaswire wire = uaswire_open(SUPER ",delay=20000");
	uint8_t iu[2][IU_SENSE_MAX], data[512];
	struct link_transfer first = on(ENDPOINT_UAS_STATUS, 1, iu[0], IU_SENSE_MAX);
	struct link_transfer middle = on(ENDPOINT_UAS_DATA_IN, 1, data, sizeof(data));
	struct link_transfer second = on(ENDPOINT_UAS_STATUS, 1, iu[1], IU_SENSE_MAX);

	(void)state;
	submit(&wire, &first);
	submit(&wire, &middle);
	submit(&wire, &second);
	uaswire_read(&wire, 1, 0, 1);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &middle);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &first);
	assert_null(reap(&wire, UASWIRE_SILENCE_MS));
	uaswire_close(&wire);
}

/* A stream that was not granted does not exist. */
static void test_streams(void **state)
{
	static const uint8_t pipes[] = {
		ENDPOINT_UAS_STATUS, ENDPOINT_UAS_DATA_IN, ENDPOINT_UAS_DATA_OUT};
	struct uaswire wire = uaswire_open(SUPER);
	const struct link_ops *ops = wire.link->ops;
	uint8_t iu[IU_SENSE_MAX];
	struct link_transfer status = on(ENDPOINT_UAS_STATUS, 5, iu, IU_SENSE_MAX);

	(void)state;
	assert_int_equal(ops->alloc_streams(wire.link, 1000, pipes, 3), 16);
	assert_int_equal(ops->alloc_streams(wire.link, 4, pipes, 3), 4);
	assert_int_equal(ops->submit(wire.link, &status), LINK_IO);
	status.stream = 4;
	submit(&wire, &status);
	/* The setting is set again: what was under way ends, and the streams are gone. */
	assert_int_equal(ops->set_alternate(wire.link, 1), LINK_OK);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &status);
	assert_int_equal(status.result, LINK_IO);
	status.stream = 1;
	assert_int_equal(ops->submit(wire.link, &status), LINK_IO);
	assert_int_equal(ops->set_alternate(wire.link, 0), LINK_OK);
	assert_int_equal(ops->alloc_streams(wire.link, 16, pipes, 3), 0);
	uaswire_close(&wire);
}

static void test_reset_ends_transfers(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[IU_SENSE_MAX];
	struct link_transfer status = on(ENDPOINT_UAS_STATUS, 1, iu, IU_SENSE_MAX);

	(void)state;
	submit(&wire, &status);
	assert_int_equal(wire.link->ops->reset(wire.link), LINK_OK);
	assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &status);
	assert_int_equal(status.result, LINK_IO);
	uaswire_close(&wire);
}

/* Bulk-Only by submitted transfers: CBW, data and CSW all at once. */
static void test_bulk_only(void **state)
{
	struct link *link = wire_open("blank");
	const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};
	uint8_t cbw[31], data[36], csw[13];
	struct link_transfer transfer[3] = {
		on(WIRE_OUT, 0, cbw, 31), on(WIRE_IN, 0, data, 36), on(WIRE_IN, 0, csw, 13)};

	(void)state;
	wire_cbw(cbw, 77, 36, true, 0, inquiry, 6);
	/* the answers are waited for before the question is asked */
	assert_int_equal(link->ops->submit(link, &transfer[1]), LINK_OK);
	assert_int_equal(link->ops->submit(link, &transfer[2]), LINK_OK);
	assert_int_equal(link->ops->submit(link, &transfer[0]), LINK_OK);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(
			link->ops->reap(link, deadline_in_ms(UASWIRE_PATIENCE_MS)), &transfer[i]);
		assert_int_equal(transfer[i].result, LINK_OK);
	}
	assert_memory_equal(data + 8, "umsctl", 6);
	assert_int_equal(get_le32(csw + 4), 77);
	wire_close(link);
}

#define THREADS 8
#define READS	40
#define BLOCKS	16

/* What a thread that reads has under way. */
struct reader {
	struct uaswire *wire;
	uint16_t tag;
	struct link_transfer transfer[3];
	atomic_uint left; /* of the three */
	uint8_t iu[IU_SENSE_MAX];
	uint8_t command[IU_COMMAND_LEN + 252];
	uint8_t data[BLOCKS * 512];
	const uint8_t *medium;
	unsigned int wrong;
};

static void begin_read(struct reader *reader, uint32_t lba)
{
	const struct link_ops *ops = reader->wire->link->ops;
	uint8_t cdb[16] = {0x88};
	size_t n;

	put_be64(cdb + 2, lba);
	put_be32(cdb + 10, BLOCKS);
	n = uaswire_command_iu(reader->command, reader->tag, 0, cdb, sizeof(cdb));
	reader->transfer[0] = on(ENDPOINT_UAS_STATUS, reader->tag, reader->iu, IU_SENSE_MAX);
	reader->transfer[1] =
		on(ENDPOINT_UAS_DATA_IN, reader->tag, reader->data, sizeof(reader->data));
	reader->transfer[2] = on(ENDPOINT_UAS_COMMAND, 0, reader->command, n);
	atomic_store(&reader->left, 3);
	for (int i = 0; i < 3; i++) {
		reader->transfer[i].context = reader;
		reader->wrong += ops->submit(reader->wire->link, &reader->transfer[i]) != LINK_OK;
	}
}

/* Whoever waits reaps, whosever the transfer is. */
static void *read_much(void *argument)
{
	struct reader *reader = argument;
	const struct link_ops *ops = reader->wire->link->ops;

	for (uint32_t i = 0; i < READS; i++) {
		uint32_t lba = (reader->tag * 997 + i * 61) % 16000;

		begin_read(reader, lba);
		while (atomic_load(&reader->left) > 0) {
			struct link_transfer *ended =
				ops->reap(reader->wire->link, deadline_in_ms(5));

			if (ended)
				atomic_fetch_sub(&((struct reader *)ended->context)->left, 1);
		}
		reader->wrong += reader->transfer[1].result != LINK_OK ||
				 memcmp(reader->data, reader->medium + lba * 512,
					 sizeof(reader->data)) != 0 ||
				 get_be16(reader->iu + 2) != reader->tag || reader->iu[6] != 0;
	}
	return NULL;
}

/* Threads submit and reap at once, and each gets its own data. */
static void test_threads(void **state)
{
	static uint8_t medium[8 << 20];
	static struct reader readers[THREADS];
	struct uaswire wire = uaswire_open(SUPER ",delay=200");
	pthread_t threads[THREADS];
	struct err err = {0};
	struct link *link = wire_open("blank,content=noise,size=8M");

	(void)state;
	for (uint32_t at = 0; at < sizeof(medium); at += 1 << 20)
		assert_int_equal(wire_read(link, at / 512, 2048, medium + at, 1 << 20).status, 0);
	wire_close(link);
	for (uint16_t i = 0; i < THREADS; i++) {
		readers[i].wire = &wire;
		readers[i].tag = i + 1;
		readers[i].medium = medium;
		assert_int_equal(thread_start(&threads[i], read_much, &readers[i], &err), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].wrong, 0);
	}
	assert_in_range(usb_device_most_at_once(wire.device), 2, THREADS);
	uaswire_close(&wire);
}

static void *cancel_it(void *argument)
{
	struct link_transfer *transfer = argument;
	struct uaswire *wire = transfer->context;

	wire->link->ops->cancel(wire->link, transfer);
	return NULL;
}

/* One thread waits in reap while another ends what it waits for. */
static void test_cancel_from_another_thread(void **state)
{
	struct uaswire wire = uaswire_open(SUPER);
	uint8_t iu[IU_SENSE_MAX];
	struct link_transfer status = on(ENDPOINT_UAS_STATUS, 1, iu, IU_SENSE_MAX);
	struct err err = {0};
	pthread_t thread;

	(void)state;
	status.context = &wire;
	for (int i = 0; i < 50; i++) {
		submit(&wire, &status);
		assert_int_equal(thread_start(&thread, cancel_it, &status, &err), 0);
		assert_ptr_equal(reap(&wire, UASWIRE_PATIENCE_MS), &status);
		assert_int_equal(status.result, LINK_TIMEOUT);
		pthread_join(thread, NULL);
	}
	uaswire_close(&wire);
}

#define TEST(name) cmocka_unit_test(test_##name)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_to_reap),
		TEST(cancel),
		TEST(cancel_too_late),
		TEST(order_without_streams),
		TEST(order_on_a_stream),
		TEST(streams),
		TEST(reset_ends_transfers),
		TEST(bulk_only),
		TEST(threads),
		TEST(cancel_from_another_thread),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
