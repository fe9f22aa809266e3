/* SPDX-License-Identifier: BSD-2-Clause */
/* The USB/IP server, spoken to byte by byte: what it lists, a drive imported and read, transfers
 * taken back, and clients that keep no rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/thread.h"
#include "proto/usbip.h"
#include "sim/sim.h"
#include "sim/usbip.h"

#define HUNG_S 300

static struct usb_device *drives[2];
static atomic_bool stop;
static pthread_t server;
static int listener;
static uint16_t port;

static void *serve(void *nothing)
{
	struct err err;

	(void)nothing;
	usbip_serve(listener, drives, 2, &stop, NULL, &err);
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	struct err err;

	(void)state;
	drives[0] = sim_device("noise,size=1M", &err);
	drives[1] = sim_device("4k,size=1M,fault=drop=100:lba=5", &err);
	listener = usbip_listen("127.0.0.1:0", &err);
	if (listener < 0 || getsockname(listener, (struct sockaddr *)&address, &len) != 0)
		return -1;
	port = address.sin_port;
	return thread_start(&server, serve, NULL, &err);
}

static int teardown(void **state)
{
	(void)state;
	stop = true;
	pthread_join(server, NULL);
	close(listener);
	usb_device_free(drives[0]);
	usb_device_free(drives[1]);
	return 0;
}

static int dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool get(int fd, void *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool is_closed(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = recv(fd, &byte, 1, 0);
	} while (n == 1);
	close(fd);
	return n == 0 || n == -1;
}

static void op(int fd, uint16_t code)
{
	uint8_t head[8] = {0};

	put_be16(head, USBIP_VERSION);
	put_be16(head + 2, code);
	assert_int_equal(send(fd, head, 8, 0), 8);
}

/* 0: imported. */
static uint32_t import(int fd, const char *busid)
{
	uint8_t reply[8], device[USBIP_DEVICE_LEN];
	char name[USBIP_BUSID_LEN] = "";

	snprintf(name, sizeof(name), "%s", busid);
	op(fd, USBIP_REQ_IMPORT);
	assert_int_equal(send(fd, name, sizeof(name), 0), sizeof(name));
	assert_true(get(fd, reply, 8));
	assert_int_equal(get_be16(reply + 2), USBIP_REP_IMPORT);
	if (get_be32(reply + 4) == 0)
		assert_true(get(fd, device, sizeof(device)));
	return get_be32(reply + 4);
}

/* A connection that has imported the drive, as soon as it can be had: the one before may not be
 * gone yet, or the drive not be back. */
static int dial_and_import(const char *busid)
{
	for (;;) {
		int fd = dial();

		if (import(fd, busid) == 0)
			return fd;
		close(fd);
		clock_sleep_ms(20);
	}
}

static void submit(int fd, uint32_t seqnum, uint8_t endpoint, bool in, const uint8_t *setup_bytes,
	const void *data, uint32_t len)
{
	uint8_t head[USBIP_HEAD_LEN] = {0};

	put_be32(head, USBIP_CMD_SUBMIT);
	put_be32(head + USBIP_SEQNUM, seqnum);
	put_be32(head + USBIP_DIRECTION, in);
	put_be32(head + USBIP_ENDPOINT, endpoint);
	put_be32(head + USBIP_SUBMIT_LENGTH, len);
	if (setup_bytes)
		memcpy(head + USBIP_SUBMIT_SETUP, setup_bytes, 8);
	assert_int_equal(send(fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
	if (!in && len > 0)
		assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* The status of the answer to SEQNUM, and its data. */
static int32_t answer(int fd, uint32_t seqnum, void *data, size_t room, bool in)
{
	uint8_t head[USBIP_HEAD_LEN];
	uint32_t actual;

	assert_true(get(fd, head, sizeof(head)));
	assert_int_equal(get_be32(head), USBIP_RET_SUBMIT);
	assert_int_equal(get_be32(head + USBIP_SEQNUM), seqnum);
	actual = get_be32(head + USBIP_RET_ACTUAL);
	assert_true(actual <= room);
	if (in && actual > 0)
		assert_true(get(fd, data, actual));
	return (int32_t)get_be32(head + USBIP_RET_STATUS);
}

static void test_list(void **state)
{
	uint8_t reply[12], device[USBIP_DEVICE_LEN + USBIP_INTERFACE_LEN];
	int fd = dial();

	(void)state;
	op(fd, USBIP_REQ_DEVLIST);
	assert_true(get(fd, reply, 12));
	assert_int_equal(get_be16(reply + 2), USBIP_REP_DEVLIST);
	assert_int_equal(get_be32(reply + 8), 2);
	for (int i = 0; i < 2; i++) {
		assert_true(get(fd, device, sizeof(device)));
		assert_string_equal((char *)device + USBIP_DEVICE_BUSID, i == 0 ? "1-1" : "1-2");
		assert_int_equal(get_be16(device + USBIP_DEVICE_VENDOR), 0x1209);
		assert_int_equal(get_be32(device + USBIP_DEVICE_SPEED), USBIP_SPEED_HIGH);
	}
	assert_true(is_closed(fd));
}

static void inquiry_cbw(uint8_t cbw[31])
{
	memset(cbw, 0, 31);
	memcpy(cbw, "USBC\1\0\0\0\44\0\0\0\200\0\6\22\0\0\0\44", 20);
}

static void test_import(void **state)
{
	static const uint8_t get_device[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
	uint8_t data[64], cbw[31], csw[13];
	int fd = dial_and_import("1-1");

	(void)state;
	submit(fd, 1, 0, true, get_device, NULL, 18);
	assert_int_equal(answer(fd, 1, data, sizeof(data), true), 0);
	assert_int_equal(get_le16(data + 8), 0x1209);
	inquiry_cbw(cbw);
	submit(fd, 2, 2, false, NULL, cbw, sizeof(cbw));
	submit(fd, 3, 1, true, NULL, NULL, 36);
	submit(fd, 4, 1, true, NULL, NULL, 13);
	assert_int_equal(answer(fd, 2, NULL, 31, false), 0);
	assert_int_equal(answer(fd, 3, data, sizeof(data), true), 0);
	assert_memory_equal(data + 8, "umsctl  ", 8);
	assert_int_equal(answer(fd, 4, csw, sizeof(csw), true), 0);
	assert_memory_equal(csw, "USBS\1\0\0\0\0\0\0\0\0", 13);
	/* A CBW that is none halts the pipe. */
	cbw[0] = 'X';
	submit(fd, 5, 2, false, NULL, cbw, sizeof(cbw));
	assert_int_equal(answer(fd, 5, NULL, 31, false), -32);
	close(fd);
}

static void test_unlink(void **state)
{
	uint8_t head[USBIP_HEAD_LEN] = {0};
	int fd = dial_and_import("1-1");

	(void)state;
	submit(fd, 7, 1, true, NULL, NULL, 512);
	for (int i = 0; i < 2; i++) {
		memset(head, 0, sizeof(head));
		put_be32(head, USBIP_CMD_UNLINK);
		put_be32(head + USBIP_SEQNUM, 8);
		put_be32(head + USBIP_UNLINK_SEQNUM, 7);
		assert_int_equal(send(fd, head, sizeof(head), 0), sizeof(head));
		assert_true(get(fd, head, sizeof(head)));
		assert_int_equal(get_be32(head), USBIP_RET_UNLINK);
		assert_int_equal((int32_t)get_be32(head + USBIP_RET_STATUS), i == 0 ? -104 : 0);
	}
	close(fd);
}

static void test_one_owner(void **state)
{
	int first = dial_and_import("1-1"), second = dial();

	(void)state;
	assert_int_equal(import(second, "1-1"), 1);
	assert_true(is_closed(second));
	second = dial();
	assert_int_equal(import(second, "7-7"), 1);
	assert_true(is_closed(second));
	close(first);
}

/* It leaves while it is read: the connection ends; then it can be had again. */
static void test_drop(void **state)
{
	uint8_t cbw[31] = {0};
	int fd = dial_and_import("1-2");

	(void)state;
	inquiry_cbw(cbw);
	memset(cbw + 15, 0, 16);
	cbw[15] = 0x28;
	cbw[20] = 5;
	cbw[23] = 1;
	put_le32(cbw + 8, 4096);
	submit(fd, 1, 2, false, NULL, cbw, sizeof(cbw));
	assert_true(is_closed(fd));
	close(dial_and_import("1-2"));
}

static void test_bad_clients(void **state)
{
	static const struct {
		size_t len;
		uint8_t bytes[48];
	} rows[] = {
		{8, {0}},
		{8, {1, 0x11, 0x99, 0x99}},
		{3, {1, 0x11, 0x80}},
		{8, {1, 0x10, 0x80, 5}},
		{20, {1, 0x11, 0x80, 3, 0, 0, 0, 0, '1'}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = dial();

		assert_int_equal(send(fd, rows[i].bytes, rows[i].len, 0), rows[i].len);
		shutdown(fd, SHUT_WR);
		assert_true(is_closed(fd));
	}
	for (int way = 0; way < 3; way++) {
		uint8_t head[USBIP_HEAD_LEN] = {0};
		int fd = dial_and_import("1-1");

		put_be32(head, way == 0 ? 99 : USBIP_CMD_SUBMIT);
		put_be32(head + USBIP_SUBMIT_LENGTH, way == 1 ? 0xffffffff : 0);
		put_be32(head + USBIP_ENDPOINT, way == 2 ? 77 : 1);
		assert_int_equal(send(fd, head, sizeof(head), 0), sizeof(head));
		assert_true(is_closed(fd));
	}
}

static void test_addresses(void **state)
{
	static const char *const wrong[] = {
		"", "127.0.0.1", "127.0.0.1:http?", "no.such.host.invalid:1"};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(usbip_listen(wrong[i], &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_unlink),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_bad_clients),
		cmocka_unit_test(test_addresses),
	};

	/* What never comes is a failure, not a wait. */
	alarm(HUNG_S);
	return cmocka_run_group_tests_name("sim-usbip", tests, setup, teardown);
}
