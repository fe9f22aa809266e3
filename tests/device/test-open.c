/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening what needs no kernel: simulated drives and plain files; and what is refused before
 * anything is opened.  Real drives are opened in tests/vm. */
#include "device/device.h"
#include "tests/aid/simulated.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct err err;
static const struct device_options plain = {.route = ROUTE_AUTO};

static struct device *must_open(const char *name)
{
	struct device *device = device_open(name, &plain, &err);

	if (!device)
		fail_msg("%s: %s", name, err.text);
	return device;
}

static void refuse(const char *name, enum route route, enum err_kind kind, const char *part)
{
	struct device_options options = {.route = route};

	err = (struct err){.kind = ERR_NONE};
	assert_null(device_open(name, &options, &err));
	if (err.kind != kind || !strstr(err.text, part))
		fail_msg("%s: kind %d: %s", name, err.kind, err.text);
}

static int n_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_sim(void **state)
{
	struct device *device = must_open("sim:blank,size=1M,serial=S1");

	(void)state;
	assert_string_equal(device->name, "sim:blank,size=1M,serial=S1");
	assert_int_equal(device->route, ROUTE_BOT);
	assert_int_equal(device->size_bytes, 1 << 20);
	assert_int_equal(device->capacity.block_bytes, 512);
	assert_int_equal(device->drive.n_blocks, 2048);
	assert_int_equal(device->inquiry.device_type, 0);
	assert_string_not_equal(device->drive.scsi_product, "");
	assert_non_null(device->device_descriptor);
	assert_int_equal(device->device_descriptor[1], 1);
	assert_true(device->config_len >= 9);
	assert_int_equal(device->config_descriptor[1], 2);
	device_close(device);
	device_close(NULL);
}

static void test_transport_is_read_only(void **state)
{
	static const uint8_t write_10[10] = {0x2a, [8] = 1};
	struct device *device = must_open("sim:blank,size=1M");
	uint8_t data[512] = {0};
	const struct command command = {.cdb = write_10,
		.cdb_len = sizeof(write_10),
		.direction = TRANSFER_OUT,
		.data = data,
		.data_len = sizeof(data),
		.deadline = deadline_in_ms(1000)};
	struct reply reply;

	(void)state;
	assert_int_equal(transport_exec(device->transport, &command, &reply, &err), -1);
	assert_int_equal(reply.outcome, OUTCOME_NOT_SENT);
	device_close(device);
}

/* All units of a simulated drive but the first are empty slots. */
static void test_sim_units(void **state)
{
	struct device *device = must_open("sim:blank,size=1M,luns=2,lun=0");

	(void)state;
	assert_int_equal(device->drive.lun, 0);
	device_close(device);
	refuse("sim:blank,size=1M,luns=2,empty-luns,lun=1", ROUTE_AUTO, ERR_NO_MEDIUM, "no medium");
	refuse("sim:blank,size=1M,luns=2,lun=2", ROUTE_AUTO, ERR_NO_DEVICE, "no logical unit 2");
	refuse("sim:blank,size=1M,lun=1", ROUTE_AUTO, ERR_NO_DEVICE, "the last one is 0");
}

static void test_sim_refusals(void **state)
{
	(void)state;
	refuse("sim:blank,no-medium", ROUTE_AUTO, ERR_NO_MEDIUM, "sim:blank");
	refuse("sim:blank,size=1M", ROUTE_SG, ERR_USAGE, "goes by route bot or uas, not sg");
	refuse("sim:nothing-of-the-kind", ROUTE_AUTO, ERR_NO_DEVICE, "nothing-of-the-kind");
}

static void test_file(void **state)
{
	char path[] = "/tmp/umsctl-open.XXXXXX";
	int fd = mkstemp(path);
	struct device *device;

	(void)state;
	assert_int_equal(ftruncate(fd, 5 * 512 + 100), 0);
	close(fd);
	device = must_open(path);
	assert_int_equal(device->route, ROUTE_FILE);
	assert_int_equal(device->size_bytes, 5 * 512 + 100);
	assert_string_equal(device->name, path);
	assert_null(device->device_descriptor);
	device_close(device);
	refuse(path, ROUTE_BOT, ERR_USAGE, "goes by route file, not bot");
	unlink(path);
	refuse(path, ROUTE_AUTO, ERR_NO_DEVICE, "no such device or file");
}

static void test_nothing_stays_open(void **state)
{
	int before = n_descriptors();

	(void)state;
	device_close(must_open("sim:blank,size=1M"));
	device_close(must_open("Makefile"));
	device_open("sim:blank,no-medium", &plain, &err);
	assert_int_equal(n_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim),
		cmocka_unit_test(test_transport_is_read_only),
		cmocka_unit_test(test_sim_units),
		cmocka_unit_test(test_sim_refusals),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_nothing_stays_open),
	};

	simulate_time();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
