/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain file as a drive whose reads fail: each error is reported as what the host's pread gave,
 * and never as sense data, which no drive gave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scsi/scsi.h"
#include "transport/transport.h"

#define BLOCK  512u
#define BLOCKS 100u

/* --- what stands between the transport and the system --- */

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset);

static int failing; /* errno of every read that touches sector 50; 0: none fails */

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset)
{
	if (failing && offset <= 50 * BLOCK && (size_t)offset + len > 50 * BLOCK) {
		errno = failing;
		return -1;
	}
	return __real_pread64(fd, bytes, len, offset);
}

/* --- a file --- */

static char path[] = "/tmp/umsctl-file-XXXXXX";
static uint8_t contents[BLOCKS * BLOCK];

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	for (size_t i = 0; i < sizeof(contents); i++)
		contents[i] = (uint8_t)(i / BLOCK + i);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, contents, sizeof(contents)), sizeof(contents));
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static struct transport *open_file(void)
{
	struct err err = {0};
	struct transport *transport = transport_file_open(path, &err);

	if (!transport)
		fail_msg("%s", err.text);
	return transport;
}

static int read_blocks(
	struct transport *transport, uint64_t lba, uint32_t n, struct reply *reply, struct err *err)
{
	static uint8_t data[BLOCKS * BLOCK];
	int r;

	memset(data, 0xee, sizeof(data));
	*err = (struct err){0};
	r = scsi_read(transport, lba, n, BLOCK, data, deadline_in_ms(1000), reply, err);
	if (reply->outcome == OUTCOME_DONE)
		assert_memory_equal(data, contents + lba * BLOCK, reply->moved);
	return r;
}

static void test_errors(void **state)
{
	static const struct {
		int host_errno;
		enum outcome outcome;
		const char *text;
	} rows[] = {
		{EIO, OUTCOME_HOST_ERROR, "EIO"},
		{ENODATA, OUTCOME_HOST_ERROR, "ENODATA"},
		{EREMOTEIO, OUTCOME_HOST_ERROR, "EREMOTEIO"},
		{EINVAL, OUTCOME_HOST_ERROR, "EINVAL"},
		{ETIMEDOUT, OUTCOME_HOST_ERROR, "ETIMEDOUT"},
		{ENAMETOOLONG, OUTCOME_HOST_ERROR, "EOTHER"},
		{ENODEV, OUTCOME_GONE, "ENODEV"},
		{ENXIO, OUTCOME_GONE, "ENXIO"},
		{ENOTCONN, OUTCOME_GONE, "ENOTCONN"},
		{ESTALE, OUTCOME_GONE, "ESTALE"},
	};
	struct transport *transport = open_file();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reply reply;
		struct err err;
		char text[100];

		failing = rows[i].host_errno;
		assert_int_equal(read_blocks(transport, 40, 20, &reply, &err), -1);
		assert_int_equal(reply.outcome, rows[i].outcome);
		assert_int_equal(reply.host_errno, rows[i].host_errno);
		assert_int_equal(reply.status, 0);
		assert_int_equal(reply.sense_len, 0);
		assert_int_equal(reply.moved, 0);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_int_equal(err.kind, rows[i].outcome == OUTCOME_GONE ? ERR_GONE : ERR_OTHER);
		scsi_reply_text(&reply, text, sizeof(text));
		assert_non_null(strstr(text, rows[i].text));
		assert_null(strstr(text, "Medium"));
		/* Others are read as before. */
		assert_int_equal(read_blocks(transport, 0, 50, &reply, &err), 0);
		assert_int_equal(reply.moved, 50 * BLOCK);
		assert_int_equal(reply.host_errno, 0);
	}
	failing = 0;
	transport_close(transport);
}

/* The file was cut short meanwhile: what is left is read, the rest is no medium error. */
static void test_cut_short(void **state)
{
	struct transport *transport = open_file();
	struct reply reply;
	struct err err;

	(void)state;
	assert_int_equal(truncate(path, 60 * BLOCK + 100), 0);
	assert_int_equal(read_blocks(transport, 50, 20, &reply, &err), 0);
	assert_int_equal(reply.status, SCSI_STATUS_GOOD);
	assert_int_equal(reply.moved, 10 * BLOCK);
	for (uint64_t lba = 60; lba < 62; lba++) {
		assert_int_equal(read_blocks(transport, lba, 1, &reply, &err), -1);
		assert_int_equal(reply.outcome, OUTCOME_GONE);
		assert_int_equal(reply.host_errno, 0);
		assert_int_equal(reply.sense_len, 0);
		assert_non_null(strstr(err.text, "shorter"));
	}
	transport_close(transport);
}

/* A last sector that was never whole is filled up with zeros. */
static void test_part_of_a_sector(void **state)
{
	struct transport *transport;
	struct reply reply;
	struct err err;
	uint8_t data[2 * BLOCK];

	(void)state;
	assert_int_equal(truncate(path, 60 * BLOCK + 100), 0);
	transport = open_file();
	memset(data, 0xee, sizeof(data));
	assert_int_equal(
		scsi_read(transport, 59, 2, BLOCK, data, deadline_in_ms(1000), &reply, &err), 0);
	assert_int_equal(reply.moved, 2 * BLOCK);
	assert_memory_equal(data, contents + 59 * BLOCK, BLOCK + 100);
	for (size_t i = BLOCK + 100; i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
	transport_close(transport);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_part_of_a_sector),
	};

	return cmocka_run_group_tests_name("transport-file", tests, make_file, remove_file);
}
