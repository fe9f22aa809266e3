/* SPDX-License-Identifier: BSD-2-Clause */
/* The route rule, as a table. */
#include "device/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MOUNTED_RW "mounted read-write on /mnt (/dev/sdb1)"
#define MOUNTED_RO "mounted read-only on /mnt (/dev/sdb1)"

static struct named bound(const char *in_use, bool rw)
{
	struct named named = {.kind = NAME_DRIVE,
		.drive = {.port = "1-1",
			.driver = "usb-storage",
			.block = "/dev/sdb",
			.sg = "/dev/sg1",
			.offers_bot = true,
			.mounted_rw = rw}};

	strcpy(named.drive.in_use, in_use);
	route_explain(&named.drive);
	return named;
}

static struct named unbound(bool bot, bool uas)
{
	struct named named = {
		.kind = NAME_DRIVE, .drive = {.port = "1-1", .offers_bot = bot, .offers_uas = uas}};

	route_explain(&named.drive);
	return named;
}

static void take(struct named named, struct device_options options, enum route want)
{
	enum route route;
	struct err err = {.kind = ERR_NONE};

	if (route_choose(&named, &options, &route, &err))
		fail_msg("refused: %s", err.text);
	assert_int_equal(route, want);
}

static void refuse(
	struct named named, struct device_options options, enum err_kind kind, const char *part)
{
	enum route route;
	struct err err = {.kind = ERR_NONE};

	assert_int_equal(route_choose(&named, &options, &route, &err), -1);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

#define OPTIONS(...) ((struct device_options){__VA_ARGS__})

static void test_bound_goes_through_sg(void **state)
{
	struct named named = bound("", false);

	(void)state;
	take(named, OPTIONS(.route = ROUTE_AUTO), ROUTE_SG);
	take(named, OPTIONS(.route = ROUTE_SG), ROUTE_SG);
	take(named, OPTIONS(.route = ROUTE_AUTO, .detach = true), ROUTE_SG);
	named.drive.sg[0] = '\0';
	take(named, OPTIONS(.route = ROUTE_SG), ROUTE_SG);
	take(named, OPTIONS(.route = ROUTE_FILE), ROUTE_FILE);
}

static void test_bound_is_taken_only_when_told_and_free(void **state)
{
	(void)state;
	refuse(bound("", false), OPTIONS(.route = ROUTE_BOT), ERR_BUSY, "--detach");
	take(bound("", false), OPTIONS(.route = ROUTE_BOT, .detach = true), ROUTE_BOT);
	refuse(bound(MOUNTED_RO, false), OPTIONS(.route = ROUTE_BOT), ERR_BUSY, MOUNTED_RO);
	refuse(bound(MOUNTED_RO, false), OPTIONS(.route = ROUTE_BOT, .detach = true), ERR_BUSY,
		MOUNTED_RO);
	refuse(bound(MOUNTED_RW, true), OPTIONS(.route = ROUTE_BOT, .detach = true, .live = true),
		ERR_BUSY, MOUNTED_RW);
	refuse(bound("held by /dev/dm-0 (/dev/sdb1)", false),
		OPTIONS(.route = ROUTE_BOT, .detach = true), ERR_BUSY, "dm-0");
}

static void test_mounted_read_write_needs_live(void **state)
{
	static const enum route routes[] = {ROUTE_AUTO, ROUTE_SG, ROUTE_FILE};
	struct named named = bound(MOUNTED_RW, true);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		refuse(named, OPTIONS(.route = routes[i]), ERR_BUSY, "--live");
		refuse(named, OPTIONS(.route = routes[i]), ERR_BUSY, "/mnt");
		take(named, OPTIONS(.route = routes[i], .live = true),
			routes[i] == ROUTE_FILE ? ROUTE_FILE : ROUTE_SG);
		take(bound(MOUNTED_RO, false), OPTIONS(.route = routes[i]),
			routes[i] == ROUTE_FILE ? ROUTE_FILE : ROUTE_SG);
	}
	named.kind = NAME_BLOCK;
	refuse(named, OPTIONS(.route = ROUTE_AUTO), ERR_BUSY, "--live");
	take(named, OPTIONS(.route = ROUTE_AUTO, .live = true), ROUTE_FILE);
}

static void test_unbound_goes_by_libusb(void **state)
{
	(void)state;
	take(unbound(true, false), OPTIONS(.route = ROUTE_AUTO), ROUTE_BOT);
	take(unbound(true, true), OPTIONS(.route = ROUTE_AUTO), ROUTE_UAS);
	take(unbound(true, true), OPTIONS(.route = ROUTE_BOT), ROUTE_BOT);
	take(unbound(true, true), OPTIONS(.route = ROUTE_UAS), ROUTE_UAS);
	take(unbound(false, true), OPTIONS(.route = ROUTE_AUTO), ROUTE_UAS);
	refuse(unbound(false, true), OPTIONS(.route = ROUTE_SG), ERR_NO_DEVICE, "--route uas");
	refuse(unbound(true, false), OPTIONS(.route = ROUTE_SG), ERR_NO_DEVICE, "--route bot");
	refuse(unbound(true, false), OPTIONS(.route = ROUTE_FILE), ERR_USAGE, "no block node");
}

/* Norelsys NS1068: Linux drivers/usb/storage/unusual_uas.h has it as IGNORE_UAS. */
static void test_broken_uas_is_left_alone(void **state)
{
	struct named named = unbound(true, true);

	(void)state;
	named.drive.vid = 0x2537;
	named.drive.pid = 0x1068;
	route_explain(&named.drive);
	take(named, OPTIONS(.route = ROUTE_AUTO), ROUTE_BOT);
	assert_non_null(strstr(named.drive.why, "broken"));
	take(named, OPTIONS(.route = ROUTE_UAS), ROUTE_UAS);
}

static void test_what_is_not_offered(void **state)
{
	(void)state;
	refuse(unbound(true, false), OPTIONS(.route = ROUTE_UAS), ERR_USAGE, "no UAS");
	refuse(unbound(false, true), OPTIONS(.route = ROUTE_BOT), ERR_USAGE, "no Bulk-Only");
	refuse(unbound(false, false), OPTIONS(.route = ROUTE_AUTO), ERR_NO_DEVICE,
		"no kernel driver");
}

static void test_claimed_or_still_looking(void **state)
{
	struct named named = unbound(true, false);

	(void)state;
	strcpy(named.drive.driver, "usbfs");
	route_explain(&named.drive);
	refuse(named, OPTIONS(.route = ROUTE_AUTO), ERR_BUSY, "another program");
	refuse(named, OPTIONS(.route = ROUTE_SG), ERR_BUSY, "another program");
	refuse(named, OPTIONS(.route = ROUTE_BOT, .detach = true), ERR_BUSY, "another program");
	strcpy(named.drive.driver, "usb-storage");
	route_explain(&named.drive);
	refuse(named, OPTIONS(.route = ROUTE_AUTO), ERR_NO_DEVICE, "shows no disk");
}

static void test_not_on_usb(void **state)
{
	struct named named = {.kind = NAME_DRIVE, .drive = {.block = "/dev/sda", .sg = "/dev/sg0"}};

	(void)state;
	route_explain(&named.drive);
	take(named, OPTIONS(.route = ROUTE_AUTO), ROUTE_SG);
	take(named, OPTIONS(.route = ROUTE_FILE), ROUTE_FILE);
	refuse(named, OPTIONS(.route = ROUTE_BOT, .detach = true), ERR_USAGE, "not on USB");
	refuse(named, OPTIONS(.route = ROUTE_UAS), ERR_USAGE, "not on USB");
}

static void test_what_has_one_route_only(void **state)
{
	struct named sim = {.kind = NAME_SIM}, file = {.kind = NAME_FILE};
	struct named replay = {.kind = NAME_REPLAY};

	(void)state;
	take(sim, OPTIONS(.route = ROUTE_AUTO), ROUTE_AUTO);
	take(sim, OPTIONS(.route = ROUTE_BOT), ROUTE_BOT);
	take(sim, OPTIONS(.route = ROUTE_UAS), ROUTE_UAS);
	refuse(sim, OPTIONS(.route = ROUTE_SG), ERR_USAGE, "goes by route bot or uas, not sg");
	take(replay, OPTIONS(.route = ROUTE_AUTO), ROUTE_REPLAY);
	refuse(replay, OPTIONS(.route = ROUTE_SG), ERR_USAGE, "transcript");
	take(file, OPTIONS(.route = ROUTE_AUTO), ROUTE_FILE);
	take(file, OPTIONS(.route = ROUTE_FILE), ROUTE_FILE);
	refuse(file, OPTIONS(.route = ROUTE_SG), ERR_USAGE, "plain file");
	refuse(file, OPTIONS(.route = ROUTE_BOT), ERR_USAGE, "plain file");
}

static void test_route_names(void **state)
{
	enum route route;

	(void)state;
	for (int i = ROUTE_AUTO; i <= ROUTE_FILE; i++) {
		assert_true(route_parse(route_name((enum route)i), &route));
		assert_int_equal(route, i);
	}
	assert_false(route_parse("", &route));
	assert_false(route_parse("SG", &route));
	assert_string_equal(route_name((enum route)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound_goes_through_sg),
		cmocka_unit_test(test_bound_is_taken_only_when_told_and_free),
		cmocka_unit_test(test_mounted_read_write_needs_live),
		cmocka_unit_test(test_unbound_goes_by_libusb),
		cmocka_unit_test(test_broken_uas_is_left_alone),
		cmocka_unit_test(test_what_is_not_offered),
		cmocka_unit_test(test_claimed_or_still_looking),
		cmocka_unit_test(test_not_on_usb),
		cmocka_unit_test(test_what_has_one_route_only),
		cmocka_unit_test(test_route_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
