/* SPDX-License-Identifier: BSD-2-Clause */
/* What a whole capture leaves in the journal: who captured what with which command, how it ended,
 * and what happened to the drive, however many errors there were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/aid/simulated.h"
#include "tests/aid/trip.h"

static char text[4000];

/* The last line of EVENT in trip_image's journal; freed by the caller. */
static struct json_object *last(const char *event)
{
	struct json_object *line;

	if (trip_journal(event, text, sizeof(text)) == 0)
		fail_msg("no line about %s", event);
	line = json_read(text);
	assert_non_null(line);
	return line;
}

static uint64_t number_of(struct json_object *line, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(line, key, &value))
		fail_msg("no %s in %s", key, text);
	return json_object_get_uint64(value);
}

static void assert_text(struct json_object *line, const char *key, const char *want)
{
	assert_string_equal(json_text_of(line, key), want);
}

static void run(struct trip *trip, const char *settings, enum acquire_end want)
{
	trip_plan(trip, settings);
	trip->options.command_line = "umsctl capture 'this drive'";
	trip->options.reconnect_ms = 60000;
	if (trip_run(trip) != want)
		fail_msg("%d: %s", trip->result.end, trip->err.text);
}

static void test_session(void **state)
{
	const struct passwd *user = getpwuid(getuid());
	struct json_object *line, *identity;
	struct trip trip;

	(void)state;
	trip_no_image();
	run(&trip, ",bad=100", ACQUIRE_UNREADABLE);
	line = last("session");
	assert_int_equal(number_of(line, "session"), 1);
	assert_int_equal(number_of(line, "uid"), getuid());
	if (user)
		assert_text(line, "user", user->pw_name);
	assert_text(line, "command", "umsctl capture 'this drive'");
	assert_text(line, "device", trip.options.device);
	assert_true(json_object_object_get_ex(line, "identity", &identity));
	assert_text(identity, "usb-serial", "5EED00000002");
	assert_text(identity, "sectors", "8492");
	assert_text(identity, "lun", "0");
	json_object_put(line);

	trip_plan(&trip, "");
	trip.options.retries = 1;
	assert_int_equal(trip_run(&trip), ACQUIRE_COMPLETE);
	line = last("session");
	assert_int_equal(number_of(line, "session"), 2);
	assert_text(line, "command", "");
	json_object_put(line);
	assert_int_equal(trip_journal("session", NULL, 0), 2);
	assert_int_equal(trip_journal("end", NULL, 0), 2);
}

static void test_end(void **state)
{
	struct json_object *line;
	struct trip trip;
	char hex[65];

	(void)state;
	trip_no_image();
	run(&trip, ",delay=10000,bad=100-102,recovered=4000", ACQUIRE_UNREADABLE);
	line = last("end");
	assert_text(line, "result", "unreadable");
	assert_int_equal(number_of(line, "bad"), 3);
	assert_int_equal(number_of(line, "recovered"), 1);
	assert_int_equal(number_of(line, "good"), TRIP_BLOCKS - 4);
	assert_int_equal(number_of(line, "untried"), 0);
	assert_true(number_of(line, "duration_ms") >= 10 * TRIP_BLOCKS / 2048);
	for (unsigned int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", trip.result.info.digest[0][i]);
	assert_text(line, "sha256", hex);
	json_object_put(line);

	/* Each bad sector stands in one line, whatever the passes made of it on the way. */
	line = last("error");
	assert_int_equal(trip_journal("error", NULL, 0), 1);
	assert_int_equal(number_of(line, "first"), 100);
	assert_int_equal(number_of(line, "last"), 102);
	json_object_put(line);
}

/* One that ends early says so, and gives no digest. */
static void test_end_early(void **state)
{
	struct json_object *line, *digest;
	struct trip trip;

	(void)state;
	trip_no_image();
	trip_plan(&trip, ",delay=1000,fault=drop=0:lba=5000");
	assert_int_equal(trip_run(&trip), ACQUIRE_STOPPED);
	line = last("end");
	assert_text(line, "result", "failed");
	assert_non_null(strstr(json_text_of(line, "text"), "left the bus"));
	assert_int_equal(number_of(line, "good") + number_of(line, "untried") +
				 number_of(line, "skipped") + number_of(line, "failed"),
		TRIP_BLOCKS);
	assert_false(json_object_object_get_ex(line, "sha256", &digest));
	json_object_put(line);
}

/* More errors than the journal takes lines about: what happened to the drive afterwards is there.
 */
static void test_many_errors(void **state)
{
	char settings[200];
	char map[64];
	struct json_object *line;
	struct trip trip;
	FILE *f;

	(void)state;
	snprintf(map, sizeof(map), "%s", trip_path("map"));
	f = fopen(map, "w");
	assert_non_null(f);
	fprintf(f, "0x0 + 1\n");
	for (unsigned int lba = 0; lba < 2400; lba += 2)
		fprintf(f, "0x%x 0x200 -\n0x%x 0x200 +\n", lba * 512, (lba + 1) * 512);
	fprintf(f, "0x%x 0x%x +\n", 2400 * 512, (TRIP_BLOCKS - 2400) * 512);
	fclose(f);
	snprintf(settings, sizeof(settings),
		",defects=%s,delay=100,fault=drop=500:lba=2300:times=2", map);
	trip_no_image();
	run(&trip, settings, ACQUIRE_UNREADABLE);
	assert_int_equal(trip.result.counts.by_state[BLOCK_BAD], 1200);
	assert_int_equal(trip_journal("error", NULL, 0), 1000);
	assert_int_equal(trip.result.capture.reconnects, 2);
	assert_int_equal(trip_journal("gone", NULL, 0), 2);
	assert_int_equal(trip_journal("back", NULL, 0), 2);
	line = last("end");
	assert_int_equal(number_of(line, "bad"), 1200);
	assert_int_equal(number_of(line, "areas"), 1200);
	json_object_put(line);
	unlink(map);
}

static int begin_all(void **state)
{
	(void)state;
	trip_begin();
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	trip_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_early),
		cmocka_unit_test(test_many_errors),
	};

	simulate_time();
	return cmocka_run_group_tests_name("acquire-journal", tests, begin_all, end_all);
}
