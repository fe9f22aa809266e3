/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real libusb path without a machine for it: libusb opens a USB device that umockdev pretends
 * there is, and its usbfs ioctls are answered from a simulated drive.  Bulk-Only, UAS with streams,
 * a driver taken and given back, stalls, time-outs, a device that leaves.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/usbdevice_fs.h>
#include <umockdev.h>

#include "base/bytes.h"
#include "scsi/scsi.h"
#include "sim/sim.h"
#include "sim/usb_device.h"
#include "transport/transport.h"
#include "usb/link.h"

/* Events of libusb come by the real clock: no exchange that ends takes as long as the first, and
 * none that does not end is given up before it has reached the drive. */
#define PATIENCE_MS 200000
#define HANG_MS	    1500

#define NODE	 "/dev/bus/usb/001/002"
#define BUS	 1
#define ADDRESS	 2
#define URBS_MAX 64

/* --- the kernel's side --- */

static struct {
	GMutex lock;
	struct usb_device *drive;
	UMockdevIoctlData *urb[URBS_MAX]; /* under way; NULL: free */
	bool discarded[URBS_MAX];
	char driver[32]; /* bound to the interface; "": none, "usbfs": we */
	char was[32];	 /* before it was taken */
	int alternate, streams;
	bool no_memory; /* refuses URBs of more than 64 KiB */
} usbfs;

static const struct usbdevfs_urb *urb_of(const UMockdevIoctlData *data)
{
	return (const struct usbdevfs_urb *)(const void *)data->data;
}

static UMockdevIoctlData *buffer_of(UMockdevIoctlData *data)
{
	return umockdev_ioctl_data_resolve(data, G_STRUCT_OFFSET(struct usbdevfs_urb, buffer),
		(gsize)urb_of(data)->buffer_length, NULL);
}

static int status_of(enum device_answer answer)
{
	switch (answer) {
	case DEVICE_DONE:
		return 0;
	case DEVICE_STALLS:
		return -EPIPE;
	case DEVICE_BABBLES:
		return -EOVERFLOW;
	default:
		return -ENODEV;
	}
}

static enum device_answer try_control(uint8_t *buffer, size_t len, size_t *moved)
{
	const struct usb_setup setup = {buffer[0], buffer[1], get_le16(buffer + 2),
		get_le16(buffer + 4), get_le16(buffer + 6)};

	if (setup.len + 8u > len)
		return DEVICE_STALLS;
	return usb_device_control(usbfs.drive, &setup, buffer + 8, moved);
}

static enum device_answer try_urb(
	const struct usbdevfs_urb *urb, UMockdevIoctlData *buffer, size_t *moved)
{
	uint8_t *bytes = buffer->data;
	size_t len = (size_t)urb->buffer_length;

	if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
		return try_control(bytes, len, moved);
	return usb_device_bulk(
		usbfs.drive, urb->endpoint, (uint16_t)urb->stream_id, bytes, len, moved);
}

static bool is_behind(size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (usbfs.urb[i] &&
			urb_of(usbfs.urb[i])->endpoint == urb_of(usbfs.urb[at])->endpoint &&
			urb_of(usbfs.urb[i])->stream_id == urb_of(usbfs.urb[at])->stream_id)
			return true;
	}
	return false;
}

static void finish(UMockdevIoctlData *data, UMockdevIoctlData *buffer, int status, size_t moved)
{
	int actual = (int)moved;
	size_t head = urb_of(data)->type == USBDEVFS_URB_TYPE_CONTROL ? 8 : 0;
	bool in = head ? buffer->data[0] & 0x80 : urb_of(data)->endpoint & 0x80;

	umockdev_ioctl_data_update(data, G_STRUCT_OFFSET(struct usbdevfs_urb, status),
		(guint8 *)&status, sizeof(status));
	umockdev_ioctl_data_update(data, G_STRUCT_OFFSET(struct usbdevfs_urb, actual_length),
		(guint8 *)&actual, sizeof(actual));
	if (in && moved > 0) {
		guint8 *copy = g_memdup2(buffer->data + head, moved);

		umockdev_ioctl_data_update(buffer, (gsize)head, copy, (int)moved);
		g_free(copy);
	}
}

/* One URB that has ended, out of those under way. */
static UMockdevIoctlData *reap(void)
{
	for (size_t i = 0; i < URBS_MAX; i++) {
		UMockdevIoctlData *data = usbfs.urb[i], *buffer;
		enum device_answer answer = DEVICE_SILENT;
		size_t moved = 0;

		if (!data)
			continue;
		buffer = buffer_of(data);
		if (!usbfs.discarded[i] && !is_behind(i))
			answer = try_urb(urb_of(data), buffer, &moved);
		if (!usbfs.discarded[i] && (answer == DEVICE_SILENT || answer == DEVICE_LATER)) {
			umockdev_ioctl_data_unref(buffer);
			continue;
		}
		finish(data, buffer, usbfs.discarded[i] ? -ENOENT : status_of(answer), moved);
		umockdev_ioctl_data_unref(buffer);
		/* Those behind keep their order. */
		memmove(&usbfs.urb[i], &usbfs.urb[i + 1],
			(URBS_MAX - 1 - i) * sizeof(usbfs.urb[0]));
		memmove(&usbfs.discarded[i], &usbfs.discarded[i + 1], URBS_MAX - 1 - i);
		usbfs.urb[URBS_MAX - 1] = NULL;
		usbfs.discarded[URBS_MAX - 1] = false;
		return data;
	}
	return NULL;
}

/* A reaped URB is known by its address in the client; what was changed of it goes along. */
static void hand_back(UMockdevIoctlData *arg, UMockdevIoctlData *urb)
{
	UMockdevIoctlData *place = umockdev_ioctl_data_resolve(arg, 0, sizeof(void *), NULL);

	umockdev_ioctl_data_set_ptr(place, 0, urb);
	umockdev_ioctl_data_unref(place);
}

static void submit(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data =
		umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_urb), NULL);

	if (usb_device_mood(usbfs.drive) == DEVICE_GONE) {
		umockdev_ioctl_client_complete(client, -1, ENODEV);
		return;
	}
	if (usbfs.no_memory && urb_of(data)->buffer_length > 65536) {
		umockdev_ioctl_client_complete(client, -1, ENOMEM);
		return;
	}
	for (size_t i = 0; i < URBS_MAX; i++) {
		if (usbfs.urb[i])
			continue;
		usbfs.urb[i] = data;
		usbfs.discarded[i] = false;
		break;
	}
	umockdev_ioctl_client_complete(client, 0, 0);
}

static void discard(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	gulong address = *(gulong *)(void *)arg->data;

	for (size_t i = 0; i < URBS_MAX; i++) {
		if (!usbfs.urb[i] || usbfs.urb[i]->client_addr != address)
			continue;
		usbfs.discarded[i] = true;
		umockdev_ioctl_client_complete(client, 0, 0);
		return;
	}
	umockdev_ioctl_client_complete(client, -1, EINVAL);
}

static void claim(UMockdevIoctlClient *client, bool may_take)
{
	if (usbfs.driver[0] && !may_take) {
		umockdev_ioctl_client_complete(client, -1, EBUSY);
		return;
	}
	snprintf(usbfs.was, sizeof(usbfs.was), "%s", usbfs.driver);
	snprintf(usbfs.driver, sizeof(usbfs.driver), "usbfs");
	umockdev_ioctl_client_complete(client, 0, 0);
}

static void get_driver(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data =
		umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_getdriver), NULL);
	char name[USBDEVFS_MAXDRIVERNAME + 1] = "";

	snprintf(name, sizeof(name), "%s", usbfs.driver);
	umockdev_ioctl_data_update(data, G_STRUCT_OFFSET(struct usbdevfs_getdriver, driver),
		(guint8 *)name, sizeof(name));
	umockdev_ioctl_client_complete(
		client, usbfs.driver[0] ? 0 : -1, usbfs.driver[0] ? 0 : ENODATA);
	umockdev_ioctl_data_unref(data);
}

/* USBDEVFS_IOCTL: disconnect and connect. */
static void nested(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data =
		umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_ioctl), NULL);
	const struct usbdevfs_ioctl *command = (const void *)data->data;

	if (command->ioctl_code == (int)USBDEVFS_CONNECT)
		snprintf(usbfs.driver, sizeof(usbfs.driver), "usb-storage");
	else
		usbfs.driver[0] = '\0';
	umockdev_ioctl_client_complete(client, 1, 0);
	umockdev_ioctl_data_unref(data);
}

static void request_of_interface(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data =
		umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_setinterface), NULL);
	const struct usbdevfs_setinterface *set = (const void *)data->data;
	const struct usb_setup setup = {0x01, 11, (uint16_t)set->altsetting, 0, 0};
	size_t moved;

	usbfs.alternate = (int)set->altsetting;
	if (usb_device_control(usbfs.drive, &setup, NULL, &moved) == DEVICE_DONE)
		umockdev_ioctl_client_complete(client, 0, 0);
	else
		umockdev_ioctl_client_complete(client, -1, EPIPE);
	umockdev_ioctl_data_unref(data);
}

static void clear_halt(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, sizeof(unsigned int), NULL);
	const struct usb_setup setup = {
		0x02, 1, 0, (uint16_t) * (const unsigned int *)(const void *)data->data, 0};
	size_t moved;

	usb_device_control(usbfs.drive, &setup, NULL, &moved);
	umockdev_ioctl_client_complete(client, 0, 0);
	umockdev_ioctl_data_unref(data);
}

static void alloc_streams(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data =
		umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_streams), NULL);
	const struct usbdevfs_streams *streams = (const void *)data->data;
	unsigned int most = usb_device_max_streams(usbfs.drive);

	usbfs.streams = (int)(streams->num_streams < most ? streams->num_streams : most);
	umockdev_ioctl_client_complete(client, usbfs.streams, 0);
	umockdev_ioctl_data_unref(data);
}

static gboolean on_ioctl(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer nothing)
{
	UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client), *data;
	guint32 capabilities =
		USBDEVFS_CAP_BULK_SCATTER_GATHER | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;

	(void)handler, (void)nothing;
	g_mutex_lock(&usbfs.lock);
	switch (umockdev_ioctl_client_get_request(client)) {
	case USBDEVFS_GET_CAPABILITIES:
		data = umockdev_ioctl_data_resolve(arg, 0, sizeof(capabilities), NULL);
		umockdev_ioctl_data_update(data, 0, (guint8 *)&capabilities, sizeof(capabilities));
		umockdev_ioctl_client_complete(client, 0, 0);
		umockdev_ioctl_data_unref(data);
		break;
	case USBDEVFS_GETDRIVER:
		get_driver(client, arg);
		break;
	case USBDEVFS_IOCTL:
		nested(client, arg);
		break;
	case USBDEVFS_DISCONNECT_CLAIM:
		claim(client, true);
		break;
	case USBDEVFS_CLAIMINTERFACE:
		claim(client, false);
		break;
	case USBDEVFS_RELEASEINTERFACE:
		usbfs.driver[0] = '\0';
		umockdev_ioctl_client_complete(client, 0, 0);
		break;
	case USBDEVFS_SETINTERFACE:
		request_of_interface(client, arg);
		break;
	case USBDEVFS_CLEAR_HALT:
		clear_halt(client, arg);
		break;
	case USBDEVFS_RESET:
		usb_device_port_reset(usbfs.drive);
		umockdev_ioctl_client_complete(client, 0, 0);
		break;
	case USBDEVFS_ALLOC_STREAMS:
		alloc_streams(client, arg);
		break;
	case USBDEVFS_FREE_STREAMS:
		umockdev_ioctl_client_complete(client, 0, 0);
		break;
	case USBDEVFS_SUBMITURB:
		submit(client, arg);
		break;
	case USBDEVFS_DISCARDURB:
		discard(client, arg);
		break;
	case USBDEVFS_REAPURB:
	case USBDEVFS_REAPURBNDELAY:
		data = reap();
		if (data) {
			hand_back(arg, data);
			umockdev_ioctl_client_complete(client, 0, 0);
			umockdev_ioctl_data_unref(data);
		} else {
			umockdev_ioctl_client_complete(client, -1,
				usb_device_mood(usbfs.drive) == DEVICE_GONE ? ENODEV : EAGAIN);
		}
		break;
	default:
		umockdev_ioctl_client_complete(client, -1, ENOTTY);
	}
	g_mutex_unlock(&usbfs.lock);
	return TRUE;
}

/* --- the machine --- */

static UMockdevTestbed *testbed;
static UMockdevIoctlBase *handler;

static void plug_in(const char *name, const char *driver)
{
	static const char *const speeds[] = {
		[LINK_SPEED_FULL] = "12", [LINK_SPEED_HIGH] = "480", [LINK_SPEED_SUPER] = "5000"};
	GString *description = g_string_new(NULL);
	const uint8_t *config;
	struct err err;
	size_t len;

	usbfs.drive = sim_device(name, &err);
	if (!usbfs.drive)
		fail_msg("%s: %s", name, err.text);
	snprintf(usbfs.driver, sizeof(usbfs.driver), "%s", driver);
	usbfs.alternate = usbfs.streams = 0;
	config = usb_device_config(usbfs.drive, &len);
	g_string_append_printf(description,
		"P: /devices/pci0000:00/0000:00:14.0/usb1/1-1\nN: bus/usb/001/002\n"
		"E: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: BUSNUM=001\nE: DEVNUM=002\n"
		"E: DEVNAME=" NODE "\nE: MAJOR=189\nE: MINOR=1\nA: busnum=1\nA: devnum=2\n"
		"A: bConfigurationValue=1\nA: speed=%s\nA: bNumConfigurations=1\nH: descriptors=",
		speeds[usb_device_speed(usbfs.drive)]);
	for (size_t i = 0; i < 18; i++)
		g_string_append_printf(description, "%02X", usb_device_descriptor(usbfs.drive)[i]);
	for (size_t i = 0; i < len; i++)
		g_string_append_printf(description, "%02X", config[i]);
	g_string_append(description, "\n");
	assert_true(umockdev_testbed_add_from_string(testbed, description->str, NULL));
	g_string_free(description, TRUE);
	assert_true(umockdev_testbed_attach_ioctl(testbed, NODE, handler, NULL));
}

static void pull_out(void)
{
	umockdev_testbed_detach_ioctl(testbed, NODE, NULL);
	umockdev_testbed_remove_device(testbed, "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1");
	for (size_t i = 0; i < URBS_MAX; i++) {
		if (usbfs.urb[i])
			umockdev_ioctl_data_unref(usbfs.urb[i]);
		usbfs.urb[i] = NULL;
	}
	usb_device_free(usbfs.drive);
	usbfs.drive = NULL;
	usbfs.no_memory = false;
}

static struct link *must_open(int detach)
{
	struct err err;
	struct link *link = link_libusb_open(BUS, ADDRESS, 0, detach, &err);

	if (!link)
		fail_msg("%s", err.text);
	return link;
}

static void read_all(struct transport *transport, const char *name)
{
	struct capacity capacity;
	struct inquiry inquiry;
	struct err err = {0};
	struct link *reference = sim_open(name, &err);
	struct transport *other = transport_bot_open(reference, 0, 0, &err);
	static uint8_t ours[65536], theirs[65536];

	assert_non_null(other);
	if (scsi_inquiry(transport, &inquiry, &err) ||
		scsi_capacity(transport, &capacity, NULL, &err))
		fail_msg("%s", err.text);
	assert_string_equal(inquiry.vendor, "umsctl");
	for (uint64_t lba = 0; lba < capacity.n_blocks; lba += 128) {
		struct reply reply;

		if (scsi_read(transport, lba, 128, 512, ours, deadline_in_ms(PATIENCE_MS), &reply,
			    &err))
			fail_msg("%s", err.text);
		assert_int_equal(reply.moved, sizeof(ours));
		scsi_read(other, lba, 128, 512, theirs, deadline_in_ms(PATIENCE_MS), &reply, &err);
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
	transport_close(other);
}

/* --- the tests --- */

static void test_bulk_only(void **state)
{
	struct transport *transport;
	struct err err;

	(void)state;
	plug_in("noise,size=1M", "");
	transport = transport_bot_open(must_open(0), 0, 0, &err);
	assert_string_equal(usbfs.driver, "usbfs");
	read_all(transport, "noise,size=1M");
	transport_close(transport);
	assert_string_equal(usbfs.driver, "");
	pull_out();
}

static void test_bound_driver_is_left_alone(void **state)
{
	struct err err;

	(void)state;
	plug_in("noise,size=1M", "usb-storage");
	assert_null(link_libusb_open(BUS, ADDRESS, 0, 0, &err));
	assert_int_equal(err.kind, ERR_BUSY);
	assert_string_equal(usbfs.driver, "usb-storage");
	pull_out();
}

static void test_driver_is_taken_and_given_back(void **state)
{
	struct transport *transport;
	struct err err;

	(void)state;
	plug_in("noise,size=1M", "usb-storage");
	transport = transport_bot_open(must_open(1), 0, 0, &err);
	assert_string_equal(usbfs.driver, "usbfs");
	read_all(transport, "noise,size=1M");
	transport_close(transport);
	assert_string_equal(usbfs.driver, "usb-storage");
	pull_out();
}

static void test_uas_with_streams(void **state)
{
	struct transport *transport;
	struct err err;

	(void)state;
	plug_in("uas,content=noise,size=1M", "");
	transport = transport_uas_open(must_open(0), 0, 0, &err);
	if (!transport)
		fail_msg("%s", err.text);
	assert_int_equal(usbfs.alternate, 1);
	assert_in_range(usbfs.streams, 2, 16);
	read_all(transport, "noise,size=1M,seed=0");
	transport_close(transport);
	assert_int_equal(usbfs.alternate, 0);
	pull_out();
}

static void test_uas_without_streams(void **state)
{
	struct transport *transport;
	struct err err;

	(void)state;
	plug_in("noise,size=1M,uas", "");
	transport = transport_uas_open(must_open(0), 0, 0, &err);
	assert_non_null(transport);
	assert_int_equal(usbfs.streams, 0);
	read_all(transport, "noise,size=1M");
	transport_close(transport);
	pull_out();
}

static enum outcome read_once(struct transport *transport, uint64_t lba, unsigned int ms)
{
	static uint8_t data[4096];
	struct reply reply;

	scsi_read(transport, lba, 8, 512, data, deadline_in_ms(ms), &reply, NULL);
	return reply.outcome;
}

/* Stalls are cleared, time-outs cancelled and recovered from, and what has left has left. */
static void test_trouble(bool uas)
{
	struct transport *transport;
	struct err err;

	plug_in(uas ? "noise,size=1M,uas,fault=uas-stall-data:lba=100,fault=hang:lba=200,"
		      "fault=drop=0:lba=300"
		    : "noise,size=1M,fault=stall-before-data:lba=100,fault=hang:lba=200,"
		      "fault=drop=0:lba=300",
		"");
	transport = uas ? transport_uas_open(must_open(0), 0, 0, &err)
			: transport_bot_open(must_open(0), 0, 0, &err);
	assert_non_null(transport);
	assert_int_equal(
		read_once(transport, 100, PATIENCE_MS), uas ? OUTCOME_BROKEN : OUTCOME_DONE);
	assert_int_equal(read_once(transport, 100, PATIENCE_MS), OUTCOME_DONE);
	assert_int_equal(read_once(transport, 200, HANG_MS), OUTCOME_TIMED_OUT);
	assert_int_equal(read_once(transport, 200, PATIENCE_MS), OUTCOME_DONE);
	assert_int_equal(read_once(transport, 300, PATIENCE_MS), OUTCOME_GONE);
	assert_int_equal(read_once(transport, 0, PATIENCE_MS), OUTCOME_GONE);
	transport_close(transport);
	pull_out();
}

static void test_trouble_bot(void **state)
{
	(void)state;
	test_trouble(false);
}

static void test_trouble_uas(void **state)
{
	(void)state;
	test_trouble(true);
}

/* The kernel has no memory for large transfers: not sent, said, and small ones go. */
static void test_no_memory(void **state)
{
	static uint8_t data[120 * 1024];
	struct transport *transport;
	struct reply reply;
	struct err err = {0};

	(void)state;
	plug_in("noise,size=1M", "");
	transport = transport_bot_open(must_open(0), 0, 0, &err);
	usbfs.no_memory = true;
	assert_int_equal(
		scsi_read(transport, 0, 240, 512, data, deadline_in_ms(PATIENCE_MS), &reply, &err),
		-1);
	assert_int_equal(reply.outcome, OUTCOME_NOT_SENT);
	assert_non_null(strstr(err.text, "usbfs_memory_mb"));
	assert_int_equal(read_once(transport, 0, PATIENCE_MS), OUTCOME_DONE);
	transport_close(transport);
	pull_out();
}

static int setup(void **state)
{
	(void)state;
	testbed = umockdev_testbed_new();
	handler = umockdev_ioctl_base_new();
	g_signal_connect(handler, "handle-ioctl", G_CALLBACK(on_ioctl), NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	g_object_unref(handler);
	g_object_unref(testbed);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk_only),
		cmocka_unit_test(test_bound_driver_is_left_alone),
		cmocka_unit_test(test_driver_is_taken_and_given_back),
		cmocka_unit_test(test_uas_with_streams),
		cmocka_unit_test(test_uas_without_streams),
		cmocka_unit_test(test_trouble_bot),
		cmocka_unit_test(test_trouble_uas),
		cmocka_unit_test(test_no_memory),
	};

	(void)argc;
	if (!getenv("LD_PRELOAD") || !strstr(getenv("LD_PRELOAD"), "umockdev")) {
		/* umockdev's library comes before ASan's. */
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
		execlp("umockdev-wrapper", "umockdev-wrapper", argv[0], (char *)NULL);
		puts("1..0 # SKIP umockdev-wrapper is not installed");
		return 0;
	}
	return cmocka_run_group_tests_name("usb-libusb", tests, setup, teardown);
}
