/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file system of sim:demo, as other programs see it: fsck.fat finds nothing to complain of,
 * mtools read the files, and the bad areas lie where the README on it says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "sim/demofs.h"
#include "tests/aid/wire.h"

#define PARTITION ((size_t)1 << 20)

static uint8_t *disk;
static char folder[] = "/tmp/test-demofs.XXXXXX";

/* Runs COMMAND in the folder; returns what it printed, or NULL when it failed. */
static char *output_of(const char *command)
{
	static char text[20000];
	char line[500];
	size_t n;
	FILE *pipe;

	snprintf(line, sizeof(line), "cd %s && PATH=$PATH:/usr/sbin:/sbin; %s 2>&1", folder,
		command);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	return pclose(pipe) == 0 ? text : NULL;
}

static void write_file(const char *name, const uint8_t *bytes, size_t len)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
	(void)state;
	disk = demofs_new();
	if (!disk || !mkdtemp(folder))
		return -1;
	write_file("disk", disk, DEMOFS_BYTES);
	write_file("partition", disk + PARTITION, DEMOFS_BYTES - PARTITION);
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	free(disk);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void test_fsck(void **state)
{
	const char *text = output_of("fsck.fat -n -v partition");

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "9 files, "));
	assert_non_null(strstr(text, "2048 hidden sectors"));
	/* The check can fail. */
	disk[PARTITION + 4 * 512 + 2 * 300] ^= 0x55;
	write_file("broken", disk + PARTITION, DEMOFS_BYTES - PARTITION);
	disk[PARTITION + 4 * 512 + 2 * 300] ^= 0x55;
	assert_null(output_of("fsck.fat -n broken"));
}

static void test_files(void **state)
{
	const char *text = output_of("mdir -/ -b -i disk@@1M ::");

	(void)state;
	assert_non_null(text);
	assert_string_equal(text,
		"::/PHOTOS/\n::/README.TXT\n::/LETTER.TXT\n::/RECIPE.TXT\n::/NOISE.BIN\n"
		"::/PHOTOS/SUNSET.BMP\n::/PHOTOS/HILLS.BMP\n::/PHOTOS/STARS.BMP\n");
	text = output_of("mtype -i disk@@1M ::README.TXT");
	assert_non_null(text);
	assert_non_null(strstr(text, "This drive is made up."));
	text = output_of("mcopy -i disk@@1M ::PHOTOS/HILLS.BMP . && wc -c <HILLS.BMP");
	assert_non_null(text);
	assert_int_equal(atol(text), 54 + 1024 * 768 * 3);
	text = output_of("head -c 2 HILLS.BMP");
	assert_string_equal(text, "BM");
}

static void test_deleted_file_remains(void **state)
{
	(void)state;
	assert_non_null(memmem(disk, DEMOFS_BYTES, "emptied the bin", 15));
	assert_non_null(memmem(disk, DEMOFS_BYTES, "\xe5RAFT   TXT", 11));
}

static void test_same_every_time(void **state)
{
	cleanup_free uint8_t *again = demofs_new();

	(void)state;
	assert_memory_equal(again, disk, DEMOFS_BYTES);
}

/* LBA, of the drive, of the first and last sector of a file, from its clusters "<A-B>". */
static void find_file(const char *path, uint64_t *first, uint64_t *last)
{
	char command[100];
	const char *text;
	unsigned long from, to;

	snprintf(command, sizeof(command), "mshowfat -i disk@@1M ::%s", path);
	text = output_of(command);
	assert_non_null(text);
	text = strchr(text, '<');
	assert_non_null(text);
	assert_int_equal(sscanf(text, "<%lu-%lu>", &from, &to), 2);
	*first = 2048 + 288 + (from - 2) * 4;
	*last = 2048 + 288 + (to - 1) * 4 - 1;
}

enum state {
	IS_GOOD,
	IS_RECOVERED,
	IS_BAD,
	IS_BAD_SOMEWHERE, /* the drive does not say where */
};

static enum state state_of(struct link *link, uint64_t lba)
{
	static uint8_t data[512];
	uint8_t sense[32];

	if (wire_read(link, lba, 1, data, 512).status == 0) {
		assert_memory_equal(data, disk + lba * 512, 512);
		return IS_GOOD;
	}
	if (wire_sense(link, 0, sense) >> 16 == 1)
		return IS_RECOVERED;
	return sense[0] == 0x70 ? IS_BAD_SOMEWHERE : IS_BAD;
}

static void test_bad_areas_are_where_the_readme_says(void **state)
{
	static const struct {
		const char *path;
		enum state state;
		unsigned int n;
	} expected[] = {
		{"PHOTOS/SUNSET.BMP", IS_BAD, 1},
		{"PHOTOS/HILLS.BMP", IS_BAD, 64},
		{"PHOTOS/STARS.BMP", IS_RECOVERED, 1},
		{"NOISE.BIN", IS_BAD_SOMEWHERE, 3},
	};
	struct link *link = wire_open("demo,delay=0,rate=0");

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		uint64_t lba, last;
		unsigned int n = 0;

		find_file(expected[i].path, &lba, &last);
		for (; lba <= last; lba++) {
			enum state found = state_of(link, lba);

			if (found != IS_GOOD)
				assert_int_equal(found, expected[i].state);
			n += found != IS_GOOD;
		}
		assert_int_equal(n, expected[i].n);
	}
	/* All that a newcomer reads first is well. */
	for (uint64_t lba = 2048; lba < 4600; lba++)
		assert_int_equal(state_of(link, lba), IS_GOOD);
	wire_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fsck),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_deleted_file_remains),
		cmocka_unit_test(test_same_every_time),
		cmocka_unit_test(test_bad_areas_are_where_the_readme_says),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
