/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and settings of simulated drives: the table opens, and mistakes are told clearly. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/settings.h"
#include "sim/sim.h"
#include "tests/aid/wire.h"

static void test_every_drive_of_the_table_opens(void **state)
{
	uint8_t data[4096];
	unsigned int i = 0;

	(void)state;
	for (; sim_table(i); i++) {
		struct link *link = wire_open(sim_table(i)->name);

		assert_non_null(strstr(sim_help(), sim_table(i)->name));
		assert_non_null(strstr(sim_help(), sim_table(i)->about));
		assert_int_equal(wire_read(link, 0, 1, data, sizeof(data)).status, 0);
		wire_close(link);
	}
	assert_true(i >= 6);
	assert_null(sim_table(1000));
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *name, *says;
	} wrong[] = {
		{"", "there is no simulated drive \"\"; there are: demo, blank"},
		{"dem", "there is no simulated drive \"dem\""},
		{"demo2", "there is no simulated drive \"demo2\""},
		{"blank,", "\"\" is no setting"},
		{"blank,sise=4M", "\"sise\" is no setting of a simulated drive"},
		{"blank,sise=4M", "there are: size, block, content"},
		{"blank,ro=1", "the setting ro: takes no value"},
		{"blank,size", "the setting size needs a value: size=BYTES"},
		{"blank,size=", "the setting size needs a value"},
		{"blank,size=12x", "the setting size: \"12x\" is no number of bytes"},
		{"blank,size=100", "no multiple of the 512 bytes"},
		{"blank,size=0", "no multiple"},
		{"blank,size=2000000T", "is no number of bytes"},
		{"blank,block=520", "the setting block: \"520\" is none of: 512, 4096"},
		{"blank,content=x", "\"x\" is none of: zero, noise, text, mixed, sparse, demo"},
		{"blank,vid=12345", "\"12345\" is not four hex digits"},
		{"blank,vid=0x12", "\"0x12\" is not four hex digits"},
		{"blank,spc=9", "\"9\" is no number from 0 to 5"},
		{"blank,luns=0", "\"0\" is no number from 1 to 16"},
		{"blank,luns=00", "\"00\" is no number from 1 to 16"},
		{"blank,luns=17", "\"17\" is no number from 1 to 16"},
		{"blank,uas-depth=0", "the setting uas-depth: \"0\" is no number from 1 to 64"},
		{"blank,uas-depth=65", "\"65\" is no number from 1 to 64"},
		{"blank,descriptors=bad",
			"\"bad\" is none of: good, cut, loop, past, no-in, twice, "
			"many, no-pipes, same-pipes, tiny"},
		{"blank,hostile=1", "the setting hostile: takes no value"},
		{"blank,empty-luns=1", "the setting empty-luns: takes no value"},
		{"blank,fault", "the setting fault needs a value: fault=MISDEED"},
		{"blank,fault=csw-tga", "the setting fault: \"csw-tga\" is no misdeed"},
		{"blank,fault=drop", "the setting fault: drop needs a number: drop=MS"},
		{"blank,fault=hang:op=2", "\"2\" is no opcode"},
		{"blank,fault=hang:lba=2097152", "the drive has 2097152 sectors"},
		{"blank,fault=hang:lba=0-2097152", "reaches to sector 2097152"},
		{"blank,bad=x", "the setting bad: \"x\" is no area"},
		{"blank,bad=-5", "\"\" is no area"},
		{"blank,bad=5-", "\"\" is no area"},
		{"blank,bad=5-4", "the area 5-4 ends before it begins"},
		{"blank,bad=5:lba",
			"\"lba\" cannot stand behind the area, only nolba, nodata, junk"},
		{"blank,hang=5:nolba", "\"nolba\" cannot stand behind the area, only deaf"},
		{"blank,recovered=5:nolba", "only nothing"},
		{"blank,bad=2097152", "the drive has 2097152 sectors"},
		{"blank,bad=18446744073709551616", "is no area"},
		{"blank,slow=5", "the milliseconds are missing"},
		{"blank,slow=5:x", "\"x\" is no number of milliseconds"},
		{"blank,healing=5", "the failures are missing"},
		{"blank,dies=0", "\"0\" is no number of READs from 1 on"},
		{"blank,dies=5:x", "\"x\" is none of: hardware, medium, gone"},
		{"blank,unit-attention=x", "\"x\" is no number from 0 to 1000"},
		{"blank,short=x", "\"x\" is none of: stall, packet, pad, skip"},
		{"blank,file=/nonexistent/file", "/nonexistent/file: No such file"},
		{"blank,file=/dev", "/dev is no plain file"},
		{"blank,content=demo,size=32M", "at least size=64M and block=512"},
		{"demo,block=4096", "at least size=64M and block=512"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = {0};

		if (sim_open(wrong[i].name, &err))
			fail_msg("%s was opened", wrong[i].name);
		assert_int_not_equal(err.kind, ERR_NONE);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i].name, err.text,
				wrong[i].says);
	}
	assert_null(sim_open("blank,size=x", NULL));
}

static void test_long_values(void **state)
{
	char name[2000];
	struct err err = {0};

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(sim_open(name, &err));
	memcpy(name, "blank,", 6);
	assert_null(sim_open(name, &err));
	memcpy(name, "blank,serial=", 13);
	assert_null(sim_open(name, &err));
	assert_non_null(strstr(err.text, "longer than 126 characters"));
	name[13 + 126] = '\0';
	wire_close(wire_open(name));
}

/* What is said stands in the settings; misdeeds add up in their order. */
static void test_values(void **state)
{
	struct sim_settings settings;
	struct err err = {0};

	(void)state;
	settings_init(&settings);
	assert_int_equal(settings.descriptors, SIM_DESCRIPTORS_GOOD);
	assert_int_equal(settings.uas_depth, 16);
	assert_false(settings.hostile || settings.empty_luns);
	assert_int_equal(settings_parse(&settings,
				 "uas-depth=64,descriptors=tiny,hostile,empty-luns,luns=16,"
				 "fault=drop=5:op=28:times=2,fault=csw-tag",
				 &err),
		0);
	assert_int_equal(settings.uas_depth, 64);
	assert_int_equal(settings.descriptors, SIM_DESCRIPTORS_TINY);
	assert_true(settings.hostile && settings.empty_luns);
	assert_int_equal(settings.luns, 16);
	assert_int_equal(settings.script.n, 2);
	assert_int_equal(settings.script.line[0].misdeed, MISDEED_DROP);
	assert_int_equal(settings.script.line[0].number, 5);
	assert_int_equal(settings.script.line[0].place, SCRIPT_OPCODE);
	assert_int_equal(settings.script.line[0].first, 0x28);
	assert_int_equal(settings.script.line[0].times, 2);
	assert_int_equal(settings.script.line[1].misdeed, MISDEED_CSW_TAG);
	assert_int_equal(settings.script.line[1].times, 1);
	settings_free(&settings);
	assert_int_equal(settings.script.n, 0);
}

/* Every setting that the parser knows stands in the help. */
static void test_help(void **state)
{
	static const char *const keys[] = {"size=", "block=", "content=", "seed=", "file=",
		"serial=", "vid=", "pid=", "spc=", "luns=", "bad=", "healing=", "recovered=",
		"slow=", "hang=", "delay=", "rate=", "dies=", "unit-attention[", "becoming-ready[",
		"short=", "ro\n", "no-medium\n", "no-cap16\n", "capacity-plus-one\n",
		"no-mode-sense\n", "speed=", "uas\n", "only-uas\n",
		"fault=", "uas-depth=", "descriptors=", "hostile\n", "empty-luns\n",
		"vendor=", "defects="};
	char help[16384];
	size_t found = 0, len = settings_help(help, sizeof(help));

	(void)state;
	assert_int_equal(len, strlen(help));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strstr(help, keys[i]))
			fail_msg("no %s in the help", keys[i]);
		assert_non_null(strstr(sim_help(), keys[i]));
	}
	/* Keys stand two columns in, what is said of them deeper. */
	for (const char *p = help; strncmp(p, "\nMisdeeds", 9) != 0; p = strchr(p, '\n') + 1)
		found += p[2] != ' ';
	for (int m = MISDEED_NONE + 1; m < MISDEEDS; m++)
		assert_non_null(strstr(help, misdeed_name((enum misdeed)m)));
	assert_int_equal(found, sizeof(keys) / sizeof(keys[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_drive_of_the_table_opens),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
