/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands are taken to do: nothing that the standards call a write passes as a read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "scsi/effect.h"
#include "transport/transport.h"
#include "usb/quirk.h"

static const struct row {
	const char *name;
	uint8_t cdb[16];
	size_t len;
	enum scsi_effect effect;
} rows[] = {
	{"TEST UNIT READY", {0x00}, 6, EFFECT_READS},
	{"FORMAT UNIT", {0x04}, 6, EFFECT_DESTROYS},
	{"a vendor's group 0", {0x06, 0x05}, 12, EFFECT_UNKNOWN},
	{"REASSIGN BLOCKS", {0x07}, 6, EFFECT_DESTROYS},
	{"MODE SELECT (6) with SP", {0x15, 0x11}, 6, EFFECT_CHANGES},
	{"WRITE (10)", {0x2a}, 10, EFFECT_DESTROYS},
	{"WRITE BUFFER", {0x3b, 0x05}, 10, EFFECT_DESTROYS},
	{"READ BUFFER", {0x3c, 0x02}, 10, EFFECT_READS},
	{"LOG SENSE", {0x4d, 0, 0x40}, 10, EFFECT_READS},
	{"LOG SENSE with SP", {0x4d, 1, 0x40}, 10, EFFECT_CHANGES},
	{"SANITIZE", {0x48}, 10, EFFECT_DESTROYS},
	{"PERSISTENT RESERVE OUT", {0x5f}, 10, EFFECT_CHANGES},
	{"SAT IDENTIFY", {0x85, 0x08, 0x0e, [14] = 0xec}, 16, EFFECT_READS},
	{"SAT CHECK POWER", {0x85, 0x06, 0x20, [14] = 0xe5}, 16, EFFECT_READS},
	{"SAT STANDBY IMMEDIATE", {0x85, 0x06, 0x20, [14] = 0xe0}, 16, EFFECT_CHANGES},
	{"SAT SMART READ DATA", {0x85, 0x08, 0x0e, 0, 0xd0, [14] = 0xb0}, 16, EFFECT_READS},
	{"SAT SMART DISABLE", {0x85, 0x06, 0x20, 0, 0xd9, [14] = 0xb0}, 16, EFFECT_CHANGES},
	{"SAT SMART WRITE LOG", {0x85, 0x0a, 0x06, 0, 0xd6, [14] = 0xb0}, 16, EFFECT_DESTROYS},
	{"SAT WRITE DMA", {0x85, 0x0c, 0x06, [14] = 0xca}, 16, EFFECT_DESTROYS},
	{"SAT SECURITY ERASE UNIT", {0x85, 0x0a, 0x06, [14] = 0xf4}, 16, EFFECT_DESTROYS},
	{"SAT DOWNLOAD MICROCODE", {0x85, 0x0a, 0x06, [14] = 0x92}, 16, EFFECT_DESTROYS},
	{"SAT hard reset", {0x85, 0x00}, 16, EFFECT_DESTROYS},
	{"SAT (12) IDENTIFY", {0xa1, 0x08, 0x0e, [9] = 0xec}, 12, EFFECT_READS},
	{"SAT (12) that is JMicron's", {0xa1, 0x80}, 12, EFFECT_DESTROYS},
	{"SAT cut short", {0x85, 0x08}, 6, EFFECT_UNKNOWN},
	{"READ CAPACITY (16)", {0x9e, 0x10}, 16, EFFECT_READS},
	{"BACKGROUND CONTROL", {0x9e, 0x15}, 16, EFFECT_CHANGES},
	{"WRITE LONG (16)", {0x9f, 0x11}, 16, EFFECT_DESTROYS},
	{"READ (32)", {0x7f, [7] = 0x18, [9] = 0x09}, 16, EFFECT_READS},
	{"WRITE (32)", {0x7f, [7] = 0x18, [9] = 0x0b}, 16, EFFECT_DESTROYS},
	{"another of 32 bytes", {0x7f, [7] = 0x18, [8] = 0x88}, 16, EFFECT_UNKNOWN},
	{"a vendor's", {0xc0}, 10, EFFECT_UNKNOWN},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (scsi_effect(rows[i].cdb, rows[i].len) != rows[i].effect)
			fail_msg("%s: %s", rows[i].name,
				scsi_effect_name(scsi_effect(rows[i].cdb, rows[i].len)));
	}
	assert_int_equal(scsi_effect(rows[0].cdb, 0), EFFECT_UNKNOWN);
}

/* What the read-only guard of a capture lets pass is here a command that reads; there is no other
 * list of what does. */
static void test_guard_agrees(void **state)
{
	static const size_t lengths[] = {6, 10, 12, 16};
	unsigned int passed = 0;

	(void)state;
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		for (unsigned int action = 0; action < 256; action++) {
			for (size_t i = 0; i < 4; i++) {
				uint8_t cdb[16] = {(uint8_t)opcode, (uint8_t)action};

				if (!guard_allows(cdb, lengths[i], TRANSFER_IN))
					continue;
				passed++;
				if (scsi_effect(cdb, lengths[i]) != EFFECT_READS)
					fail_msg("%02x %02x passes the guard", opcode, action);
			}
		}
	}
	assert_true(passed > 20);
}

static void test_quirks(void **state)
{
	static const uint8_t sat[16] = {0x85}, opcodes[12] = {0xa3, 0x0c},
			     timestamp[12] = {0xa3, 0x0f};

	(void)state;
	assert_null(scsi_quirk_against(0, sat, 16));
	assert_string_equal(scsi_quirk_against(QUIRK_NO_ATA_1X, sat, 16), "no-ata-1x");
	assert_null(scsi_quirk_against(QUIRK_NO_REPORT_OPCODES, sat, 16));
	assert_string_equal(
		scsi_quirk_against(QUIRK_NO_REPORT_OPCODES, opcodes, 12), "no-report-opcodes");
	assert_null(scsi_quirk_against(QUIRK_NO_REPORT_OPCODES, timestamp, 12));
	assert_null(scsi_quirk_against(UINT32_MAX, sat, 0));
}

static void test_lengths(void **state)
{
	static const uint8_t variable[] = {0x7f, 0, 0, 0, 0, 0, 0, 0x18, 0, 0};

	(void)state;
	assert_int_equal(scsi_cdb_length((const uint8_t[]){0x12}, 1), 6);
	assert_int_equal(scsi_cdb_length((const uint8_t[]){0x28}, 1), 10);
	assert_int_equal(scsi_cdb_length((const uint8_t[]){0x88}, 1), 16);
	assert_int_equal(scsi_cdb_length((const uint8_t[]){0xa0}, 1), 12);
	assert_int_equal(scsi_cdb_length((const uint8_t[]){0xc0}, 1), 0);
	assert_int_equal(scsi_cdb_length(variable, sizeof(variable)), 32);
	assert_int_equal(scsi_cdb_length(variable, 1), 12);
	assert_int_equal(scsi_cdb_length(variable, 0), 0);
}

static void test_names(void **state)
{
	char name[100];

	(void)state;
	assert_non_null(strstr(
		scsi_command_name((const uint8_t[]){0x12, 0}, 2, name, sizeof(name)), "Inquiry"));
	scsi_command_name(NULL, 0, name, sizeof(name));
	scsi_command_name((const uint8_t[]){0x7f, 0, 0}, 3, name, sizeof(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_guard_agrees),
		cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("scsi-effect", tests, NULL, NULL);
}
