/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration descriptors, honest and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "usb/descriptor.h"

/* A bridge: Bulk-Only at alternate 0, UAS with streams at 1. */
static const uint8_t bridge[] = {
	9, 2, 121, 0, 1, 1, 0, 0x80, 50,			     /* configuration */
	9, 4, 0, 0, 2, 8, 6, 0x50, 0,				     /* BOT */
	7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15, 0, 0, 0,		     /* in */
	7, 5, 0x02, 2, 0, 4, 0, 6, 0x30, 15, 0, 0, 0,		     /* out */
	9, 4, 0, 1, 4, 8, 6, 0x62, 0,				     /* UAS */
	7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15, 5, 0, 0, 4, 0x24, 3, 0, /* data in */
	7, 5, 0x02, 2, 0, 4, 0, 6, 0x30, 15, 5, 0, 0, 4, 0x24, 4, 0, /* data out */
	7, 5, 0x83, 2, 0, 4, 0, 6, 0x30, 15, 5, 0, 0, 4, 0x24, 2, 0, /* status */
	7, 5, 0x04, 2, 0, 4, 0, 6, 0x30, 0, 0, 0, 0, 4, 0x24, 1, 0,  /* command */
};

static void test_bridge(void **state)
{
	struct usb_interface interface;
	const struct usb_alternate *uas, *bot;

	(void)state;
	assert_int_equal(usb_find_mass_storage(bridge, sizeof(bridge)), 0);
	assert_true(usb_interface_parse(bridge, sizeof(bridge), 0, &interface));
	assert_int_equal(interface.n_alternates, 2);
	bot = usb_alternate_for(&interface, 0x50);
	uas = usb_alternate_for(&interface, 0x62);
	assert_int_equal(bot->number, 0);
	assert_int_equal(uas->number, 1);
	assert_int_equal(usb_bulk_endpoint(bot, true)->address, 0x81);
	assert_int_equal(usb_bulk_endpoint(bot, false)->address, 0x02);
	assert_int_equal(usb_bulk_endpoint(bot, true)->max_packet, 1024);
	assert_int_equal(usb_bulk_endpoint(bot, true)->max_burst, 15);
	assert_int_equal(uas->n_endpoints, 4);
	assert_int_equal(uas->endpoint[0].pipe_id, 3);
	assert_int_equal(uas->endpoint[3].pipe_id, 1);
	assert_int_equal(uas->endpoint[0].max_streams, 5);
	assert_null(usb_alternate_for(&interface, 0x00));
	assert_false(usb_interface_parse(bridge, sizeof(bridge), 1, &interface));
}

/* Where the UAS setting's endpoints begin in `bridge`, 17 bytes each. */
#define UAS_ENDPOINT(n) (sizeof(bridge) - 68 + 17 * (n))

static const char *missing_pipe(const uint8_t *config)
{
	struct usb_interface interface;
	struct usb_uas_pipes pipes;

	assert_true(usb_interface_parse(config, sizeof(bridge), 0, &interface));
	return usb_uas_pipes(&interface.alternate[1], &pipes);
}

static void test_uas_pipes(void **state)
{
	/* data in, data out, status, command: as they stand in `bridge` */
	static const char *const names[] = {"data-in", "data-out", "status", "command"};
	struct usb_interface interface;
	struct usb_uas_pipes pipes;
	uint8_t copy[sizeof(bridge)];

	(void)state;
	assert_true(usb_interface_parse(bridge, sizeof(bridge), 0, &interface));
	assert_null(usb_uas_pipes(&interface.alternate[1], &pipes));
	assert_int_equal(pipes.command->address, 0x04);
	assert_int_equal(pipes.status->address, 0x83);
	assert_int_equal(pipes.data_in->address, 0x81);
	assert_int_equal(pipes.data_out->address, 0x02);
	assert_string_equal(usb_uas_pipes(&interface.alternate[0], &pipes), "command");
	for (size_t i = 0; i < 4; i++) {
		uint8_t *endpoint = copy + UAS_ENDPOINT(i), *usage = endpoint + 15;

		memcpy(copy, bridge, sizeof(copy));
		*usage = 0; /* no usage */
		assert_string_equal(missing_pipe(copy), names[i]);
		*usage = 77; /* one that there is not */
		assert_string_equal(missing_pipe(copy), names[i]);
		memcpy(copy, bridge, sizeof(copy));
		endpoint[2] ^= 0x80; /* the wrong direction */
		assert_string_equal(missing_pipe(copy), names[i]);
		memcpy(copy, bridge, sizeof(copy));
		endpoint[3] = 3; /* interrupt */
		assert_string_equal(missing_pipe(copy), names[i]);
	}
	/* A usage twice is as good as none. */
	memcpy(copy, bridge, sizeof(copy));
	copy[UAS_ENDPOINT(0) + 15] = 2;
	assert_string_equal(missing_pipe(copy), "status");
}

/* In memory of exactly that length, so that a byte too far is seen by ASan. */
static void parse_exact(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct usb_interface interface;

	if (len > 0)
		memcpy(copy, bytes, len);
	usb_find_mass_storage(copy, len);
	if (usb_interface_parse(copy, len, 0, &interface)) {
		assert_true(interface.n_alternates <= USB_MAX_ALTERNATES);
		for (size_t i = 0; i < interface.n_alternates; i++)
			assert_true(interface.alternate[i].n_endpoints <= USB_MAX_ENDPOINTS);
	}
	free(copy);
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(bridge); len++)
		parse_exact(bridge, len);
}

/* Each length byte as each value: too short, none, too long. */
static void test_lying_lengths(void **state)
{
	uint8_t copy[sizeof(bridge)];

	(void)state;
	for (size_t at = 0; at < sizeof(bridge); at += bridge[at]) {
		for (unsigned int value = 0; value < 256; value++) {
			memcpy(copy, bridge, sizeof(copy));
			copy[at] = (uint8_t)value;
			parse_exact(copy, sizeof(copy));
		}
	}
}

static void test_too_many(void **state)
{
	uint8_t many[9 + 40 * (9 + 20 * 7)], *p = many + 9;
	struct usb_interface interface;

	(void)state;
	memcpy(many, bridge, 9);
	for (uint8_t a = 0; a < 40; a++) {
		memcpy(p, (uint8_t[]){9, 4, 0, a, 20, 8, 6, 0x50, 0}, 9);
		p += 9;
		for (uint8_t e = 0; e < 20; e++, p += 7)
			memcpy(p, (uint8_t[]){7, 5, e, 2, 0, 2, 0}, 7);
	}
	assert_true(usb_interface_parse(many, sizeof(many), 0, &interface));
	assert_int_equal(interface.n_alternates, USB_MAX_ALTERNATES);
	assert_int_equal(interface.alternate[0].n_endpoints, USB_MAX_ENDPOINTS);
	/* Pipes only outwards make no alternate. */
	assert_null(usb_alternate_for(&interface, 0x50));
}

static void test_not_mass_storage(void **state)
{
	uint8_t keyboard[18];
	struct usb_interface interface;

	(void)state;
	memcpy(keyboard, bridge, sizeof(keyboard));
	keyboard[14] = 3;
	assert_int_equal(usb_find_mass_storage(keyboard, sizeof(keyboard)), -1);
	assert_true(usb_interface_parse(keyboard, sizeof(keyboard), 0, &interface));
	assert_null(usb_alternate_for(&interface, 0x50));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_uas_pipes),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lying_lengths),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_not_mass_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
