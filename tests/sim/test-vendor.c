/* SPDX-License-Identifier: BSD-2-Clause */
/* Vendor command sets of simulated drives are strict: what is not exactly a command of theirs
 * fails, and what would write, reset or unlock does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "scsi/scsi.h"
#include "sim/sim.h"
#include "sim/vendor.h"
#include "simvendor/values.h"
#include "tests/aid/simulated.h"
#include "usb/link.h"

#define MOST 4096

struct row {
	const char *set;
	uint8_t cdb[16];
	uint8_t len;
	uint16_t in;
	uint8_t key; /* 0: GOOD; else the sense key that it fails with */
};

static const struct row rows[] = {
	{"sat", {0x85, 8, 0x0e, 0, 0, 0, 1, [14] = 0xec}, 16, 512, 0},
	{"sat", {0x85, 8, 0x0e, 0, 0, 0, 0, [14] = 0xec}, 16, 512, 5}, /* no sectors */
	{"sat", {0x85, 8, 0x06, 0, 0, 0, 1, [14] = 0xec}, 16, 512, 5}, /* the wrong way */
	{"sat", {0x85, 6, 0x0e, 0, 0, 0, 1, [14] = 0xec}, 16, 512, 5}, /* data, and none */
	{"sat", {0x85, 8, 0x0e, 0, 0xd0, 0, 1, [14] = 0xb0}, 16, 512,
		11},					  /* SMART without its key */
	{"sat", {0x85, 6, 0x20, [14] = 0xca}, 16, 0, 11}, /* a write */
	{"sat", {0xa1, 8, 0x0e, 0, 1, [9] = 0xec}, 12, 512, 0},
	{"jmicron-ata", {0xdf, 0x10, 0, 2, 0, 0, 1, 0, 0, 0, 0xa0, 0xec}, 12, 512, 0},
	{"jmicron-ata", {0xdf, 0x00, 0, 2, 0, 0, 1, 0, 0, 0, 0xa0, 0xec}, 12, 512, 5}, /* writes */
	{"jmicron-ata", {0xdf, 0x10, 0, 2, 0, 0, 1, 0, 0, 0, 0xb0, 0xec}, 12, 512,
		5}, /* no port 1 */
	{"jmicron-ata", {0xdf, 0x10, 0, 1, 0, 0, 0x80, 0, 0, 0, 0, 0xfd}, 12, 1, 5},
	{"sunplus", {0xf8, 0, 0x22, 0x10, 1, 0, 1, 0, 0, 0, 0xa0, 0xec}, 12, 512, 0},
	{"sunplus", {0xf8, 0, 0x22, 0x11, 1, 0, 1, 0, 0, 0, 0xa0, 0xec}, 12, 512, 5}, /* out */
	{"sunplus", {0xf8, 0, 0x20}, 12, 8, 5},
	{"cypress", {0x24, 0x24, 0x80, 0xbe, 1, 0, 0, 1, [12] = 0xec}, 16, 512, 0},
	{"cypress", {0x24, 0x24, 0x00, 0xbe, 1, 0, 0, 1, [12] = 0xec}, 16, 512, 5}, /* its bit */
	{"cypress", {0x24, 0x23, 0x80, 0xbe, 1, 0, 0, 1, [12] = 0xec}, 16, 512, 5}, /* signature */
	{"prolific", {0xd8, 0x15, 0, 0, 6, 0x7b, 0, 0, 2, 0, 1, 0, 0, 0, 0xa0, 0xec}, 16, 512, 0},
	{"prolific", {0xd8, 0x05, 0, 0, 6, 0x7b, 0, 0, 2, 0, 1, 0, 0, 0, 0xa0, 0xec}, 16, 512, 5},
	{"prolific", {0xd8, 0x15, 0, 0, 6, 0x7a, 0, 0, 2, 0, 1, 0, 0, 0, 0xa0, 0xec}, 16, 512, 5},
	{"ti", {0x3c, 0x88, 0, 0xa0, 0, 0, 0, 1, 0, 0xec}, 16, 512, 0},
	{"ti", {0x3c, 0x08, 0, 0xa0, 0, 0, 0, 1, 0, 0xec}, 16, 512, 5},	 /* not PIO */
	{"ti", {0x3c, 0x88, 0, 0xa0, 0, 0, 0, 1, 0, 0xca}, 16, 512, 11}, /* a write */
	{"nec", {0xf1, 0x41, 0xec, 0xa0, [11] = 1, [13] = 1}, 16, 512, 0},
	{"nec", {0xf1, 0x41, 0xec, 0xa0, [11] = 1, [13] = 2}, 16, 512, 5}, /* out */
	{"nec", {0xf1, 0x41, 0x40, [11] = 1, [13] = 9}, 16, 512, 5},	   /* DMA */
	{"nec", {0xf0, 0x2a, [11] = 1}, 16, 512, 5},			   /* Silicon Motion's */
	{"jmicron-nvme", {0xa1, 0x82, 0, 0, 0x10, 0}, 12, 4096, 5}, /* data before the block */
	{"jmicron-nvme", {0xa1, 0x8f, 0, 0, 2, 0}, 12, 512, 5},
	{"jmicron-nvme", {0xa1, 0x08, 0x0e, 0, 1, [9] = 0xec}, 12, 512, 5}, /* SAT */
	{"asmedia-nvme", {0xe6, 6, 0, 1}, 16, 4096, 0},
	{"asmedia-nvme", {0xe6, 6, 0, 9}, 16, 4096, 5},
	{"asmedia-nvme", {0xe6, 0x80, 0, 1}, 16, 4096, 5}, /* FORMAT NVM */
	{"asmedia-nvme", {0xeb, 0x5a, 0, [13] = 64}, 16, 64, 5},
	{"realtek-nvme", {0xe4, 0, 0x10, 6, 1}, 16, 4096, 0},
	{"realtek-nvme", {0xe4, 0, 0x10, 6, 1, 1}, 16, 4096, 5},
	{"phison", {0x06, 0x05, [8] = 1}, 12, 528, 0},
	{"phison", {0x06, 0xbf}, 12, 0, 5}, /* boot mode */
	{"phison", {0x06, 0x0c, 0, 'P', 'h', 'I'}, 12, 0, 5},
	{"smi", {0xf0, 0x2a, [11] = 1}, 16, 512, 0},
	{"smi", {0xf0, 0x2a}, 16, 512, 5},
	{"smi", {0xf1, 0x41, 0x40}, 16, 0, 5},
	{"alcor", {0x9a}, 16, 512, 0},
	{"alcor", {0x9a, 1}, 16, 512, 5},
	{"alcor", {0xfa, 0x10}, 16, 512, 5},
	{"genesys", {0xe4, 0x01, 0x00, 0xfc, 4}, 6, 4, 0},
	{"genesys", {0xe4, 0x08, 0, 0, 0, 0, 1}, 10, 256, 5},
	{"genesys", {0xe5, 0x08}, 10, 0, 5},
	{"genesys", {0xe6}, 6, 0, 5},
	{"gl323x", {0xe4, 0x01, 0x00, 0xfc, 4}, 6, 4, 5},
	{"jms567", {0xe0, 0xf4, 0xe7}, 12, 16, 0},
	{"jms567", {0xdf, 0, 0, 1, 0, [11] = 0xfb}, 12, 0, 7},
	{"jms567", {0xff, 0x04, 0x26, 'J', 'M'}, 12, 0, 7},
	{"asmedia", {0xe4, 6, 0, 0x07, 0xf0}, 6, 6, 0},
	{"asmedia", {0xe1}, 16, 0, 7},
	{"asmedia", {0xe3}, 6, 0, 7},
	{"asmedia", {0xe5, 1, 0, 0x07, 0xf0}, 6, 0, 7},
	{"asmedia", {0xe8}, 12, 0, 7},
	{"rtl921x", {0xe2, 0, 0, 0, 0x92, 0, 0, 0, 0, 0x40, 0, 0xac, 96}, 16, 96, 0},
	{"rtl921x", {0xe2, 0, 0, 0, 0x92, 0, 0, 0, 0, 0x41, 0, 0xac, 96}, 16, 96, 5},
	{"wd", {0xc0, 0x45, [8] = 48}, 10, 48, 0},
	{"wd", {0xc0, 0x44, [8] = 48}, 10, 48, 5},
	{"wd", {0xc1, 0xe1, [8] = 40}, 10, 0, 7},
	{"wd", {0xda, 0, 0, 0, 0, 1, 0, 0, 1}, 10, 0, 7},
	{"standard", {0x4d, 0, 0x4d, [8] = 16}, 10, 16, 0},
	{"standard", {0x4d, 1, 0x4d, [8] = 64}, 10, 64, 5},
	{"standard", {0x4d, 0, 0x7e, [8] = 64}, 10, 64, 5},
	{"standard", {0x37, 0, 0x09, [8] = 64}, 10, 64, 5},
	{"standard", {0x9e, 0x12, [2] = 0xff, [13] = 32}, 16, 32, 5},
};

static struct transport *open_set(const char *set)
{
	char name[100];
	struct err err;
	struct link *link;
	struct transport *transport;

	snprintf(name, sizeof(name), "blank,size=1M,vendor=%s", set);
	link = sim_open(name, &err);
	if (!link)
		fail_msg("%s: %s", name, err.text);
	transport = transport_bot_open(link, 0, 0, &err);
	assert_non_null(transport);
	return transport;
}

static void test_rows(void **state)
{
	static uint8_t data[MOST];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct transport *transport = open_set(row->set);
		struct command command = {.cdb = row->cdb,
			.cdb_len = row->len,
			.direction = row->in ? TRANSFER_IN : TRANSFER_NONE,
			.data = data,
			.data_len = row->in,
			.deadline = deadline_in_ms(10000)};
		struct reply reply;
		struct sense sense;
		struct err err;

		if (transport_exec(transport, &command, &reply, &err) < 0)
			fail_msg("%s, row %zu: %s", row->set, i, err.text);
		sense = sense_parse(reply.sense, reply.sense_len);
		if (reply.status != (row->key ? SCSI_STATUS_CHECK_CONDITION : SCSI_STATUS_GOOD) ||
			(row->key && sense.key != row->key) ||
			(!row->key && reply.moved != row->in))
			fail_msg("%s, row %zu: status %u, key %x, %zu bytes", row->set, i,
				reply.status, sense.key, reply.moved);
		transport_close(transport);
	}
}

/* Each set is here, and its name finds it. */
static void test_all_sets(void **state)
{
	(void)state;
	for (unsigned int i = 0; vendor_set(i); i++) {
		bool here = false;

		assert_ptr_equal(vendor_set_find(vendor_set(i)->name), vendor_set(i));
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			here |= strcmp(rows[j].set, vendor_set(i)->name) == 0;
		if (!here)
			fail_msg("no row is about %s", vendor_set(i)->name);
	}
	assert_null(vendor_set_find("nothing"));
}

static int send_block(struct transport *transport, const char *signature, uint8_t opcode,
	uint32_t cdw10, struct reply *reply)
{
	static const uint8_t cdb[12] = {0xa1, 0x80, 0, 0, 2, 0};
	uint8_t block[512] = {0};
	struct command command = {.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = TRANSFER_OUT,
		.data = block,
		.data_len = sizeof(block),
		.deadline = deadline_in_ms(10000)};

	memcpy(block, signature, 4);
	block[8] = opcode;
	block[48] = (uint8_t)cdw10;
	return transport_exec(transport, &command, reply, NULL);
}

/* What the host sends is looked at. */
static void test_command_block(void **state)
{
	static const uint8_t cdb[12] = {0xa1, 0x82, 0, 0, 0x10, 0};
	static uint8_t data[MOST];
	struct transport *transport = open_set("jmicron-nvme");
	struct command command = {.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = TRANSFER_IN,
		.data = data,
		.data_len = sizeof(data),
		.deadline = deadline_in_ms(10000)};
	struct reply reply;

	(void)state;
	assert_int_equal(send_block(transport, "ATA ", 6, 1, &reply), 0);
	assert_int_equal(reply.status, SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), 0);
	assert_int_equal(reply.status, SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(send_block(transport, "NVME", 6, 1, &reply), 0);
	assert_int_equal(reply.status, SCSI_STATUS_GOOD);
	assert_int_equal(transport_exec(transport, &command, &reply, NULL), 0);
	assert_int_equal(reply.status, SCSI_STATUS_GOOD);
	assert_memory_equal(data + 24, SIM_NVME_MODEL, sizeof(SIM_NVME_MODEL) - 1);
	transport_close(transport);
}

/* As ACS-4 has it: the bytes of a sector that carries a checksum add up to zero. */
static void test_checksums(void **state)
{
	static const uint8_t cdbs[][16] = {
		{0x85, 8, 0x0e, 0, 0, 0, 1, [14] = 0xec},
		{0x85, 8, 0x0e, 0, 0xd0, 0, 1, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0},
		{0x85, 8, 0x0e, 0, 0xd1, 0, 1, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0},
		{0x85, 8, 0x0e, 0, 0xd5, 0, 1, 0, 6, 0, 0x4f, 0, 0xc2, 0, 0xb0},
	};
	struct transport *transport = open_set("sat");

	(void)state;
	for (size_t i = 0; i < sizeof(cdbs) / sizeof(cdbs[0]); i++) {
		uint8_t data[512], sum = 0;
		struct command command = {.cdb = cdbs[i],
			.cdb_len = 16,
			.direction = TRANSFER_IN,
			.data = data,
			.data_len = sizeof(data),
			.deadline = deadline_in_ms(10000)};
		struct reply reply;

		assert_int_equal(transport_exec(transport, &command, &reply, NULL), 0);
		assert_int_equal(reply.moved, sizeof(data));
		for (size_t j = 0; j < sizeof(data); j++)
			sum = (uint8_t)(sum + data[j]);
		assert_int_equal(sum, 0);
	}
	transport_close(transport);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_all_sets),
		cmocka_unit_test(test_command_block),
		cmocka_unit_test(test_checksums),
	};

	simulate_time();
	return cmocka_run_group_tests_name("sim-vendor", tests, NULL, NULL);
}
