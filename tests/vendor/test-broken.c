/* SPDX-License-Identifier: BSD-2-Clause */
/* Definitions with a mistake: each is refused, in the right line and with words for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vendor/vendor.h"

/* Lines 1 to 5, and 6 to 8. */
#define FAMILY	"[family]\nname = f\ntitle = t\ndrives = 1234:5678\nsource = s\n"
#define COMMAND "[command c]\nabout = a\nsafety = reads\n"
#define CDB	"cdb = c0 00\n"
#define IN	"cdb = c0 00\nin = 16\n"

/* Behind FAMILY and COMMAND: the first line of TEXT is 9. */
struct row {
	const char *name;
	const char *text;
	unsigned int line;
	const char *says;
};

static const struct row rows[] = {
	{"no bytes", "cdb =\n", 9, "no bytes"},
	{"no cdb", "in = 8\n", 6, "no cdb"},
	{"not hexadecimal", "cdb = c0 zz\n", 9, "two hexadecimal digits"},
	{"one digit", "cdb = c0 0\n", 9, "two hexadecimal digits"},
	{"three digits", "cdb = c0 000\n", 9, "two hexadecimal digits"},
	{"in the line that goes on", "cdb = c0 00\n  00 00\n  xx\n", 11, "two hexadecimal"},
	{"repeated nothing", "cdb = c0 00*0\n", 9, "from 1"},
	{"repeated too often", "cdb = c0 00*260\n", 9, "a CDB of 261 bytes"},
	{"17 bytes over Bulk-Only", "cdb = c0 00*16\n", 9, "transports = uas"},
	{"the operation code is not constant", "arg.x = number 0-255\ncdb = {x} 00\n", 10,
		"operation code"},
	{"a brace that stays open", "cdb = c0 {1\n", 9, "} is missing"},
	{"nothing in the braces", "cdb = c0 {}\n", 9, "name of an argument"},
	{"an argument that is not there", "cdb = c0 {x}\n", 9, "no argument x"},
	{"a type that is not there", "cdb = c0 {1:be17}\n", 9, "no type"},
	{"a number that is too large to send", "cdb = c0 {1:le128}\n", 9, "u8, be16"},
	{"a constant that does not fit", "cdb = c0 {256}\n", 9, "does not fit into 1 byte"},
	{"an argument that does not fit", "arg.x = number 0-256\ncdb = c0 {x}\n", 10,
		"does not fit"},
	{"an argument that is shifted out", "arg.x = number 0-31\ncdb = c0 {x<<4}\n", 10,
		"does not fit"},
	{"an argument in a constant's bits", "arg.x = number 0-31\ncdb = c0 {0x10|x}\n", 10,
		"share bits"},
	{"two arguments in the same bits",
		"arg.x = number 0-3\narg.y = number 0-3\ncdb = c0 {x<<1|y}\n", 11, "share bits"},
	{"bits shifted out of 64", "arg.x = number 0-255\ncdb = c0 {x<<60:be64}\n", 10, "64 bits"},
	{"a shift by too much", "arg.x = number 0-1\ncdb = c0 {x<<64}\n", 10, "from 0 to 63"},
	{"bytes as a number", "arg.x = bytes 1-2\ncdb = c0 {x}\n", 10, "is bytes"},
	{"a number as bytes", "arg.x = number 0-1\ncdb = c0 {x:bytes}\n", 10, "of bytes"},
	{"bytes that are shifted", "arg.x = bytes 1-2\ncdb = c0 {x<<1:bytes}\n", 10, "goes with"},
	{"an argument that nothing uses", CDB "arg.x = number 0-1\n", 10, "used nowhere"},
	{"a range that goes backward", "arg.x = number 9-1\ncdb = c0 {x}\n", 9, "the largest"},
	{"a default out of range", "arg.x = number 1-9 default 0\ncdb = c0 {x}\n", 9, "default"},
	{"a default that is no choice", "arg.x = choice a=1 default b\ncdb = c0 {x}\n", 9,
		"none of the choices"},
	{"nothing to choose from", "arg.x = choice\ncdb = c0 {x}\n", 9, "nothing to choose"},
	{"a choice twice", "arg.x = choice a=1 a=2\ncdb = c0 {x}\n", 9, "twice"},
	{"a choice without a number", "arg.x = choice a\ncdb = c0 {x}\n", 9, "WORD=NUMBER"},
	{"bytes with a default", "arg.x = bytes 1-2 default 3\ncdb = c0 {x:bytes}\n", 9,
		"no default"},
	{"an argument of no type", "arg.x = float 1\ncdb = c0 {x}\n", 9, "a number, a choice"},
	{"an argument called in", "arg.in = number 0-1\ncdb = c0 {in}\n", 9, "cannot be the name"},
	{"an argument with a bad name", "arg.X = number 0-1\n" CDB, 9, "cannot be the name"},
	{"a number past 64 bits", "arg.x = number 0-18446744073709551616\ncdb = c0 {x:be64}\n", 9,
		"the largest"},
	{"in and out", "cdb = c0 00\nin = 8\nout = 00\n", 10, "not both"},
	{"in of nothing", "cdb = c0 00\nin = 0\n", 10, "in may come to 0"},
	{"in of too much", "cdb = c0 00\nin = 1048577\n", 10, "in may come to"},
	{"in that is no number", "cdb = c0 00\nin = many\n", 10, "no argument many"},
	{"out of too much", "cdb = c0 00\nout = 00*1048576 00\n", 10, "out may come to"},
	{"fields without in", CDB "field.x = 0 u8\n", 9, "in is missing"},
	{"a field past the answer", IN "field.x = 15 be16\n", 11, "ends at byte 17"},
	{"a text past the answer", IN "field.x = 8 ascii 9\n", 11, "ends at byte 17"},
	{"a field of no type", IN "field.x = 0 int\n", 11, "no type"},
	{"a field without an offset", IN "field.x = u8\n", 11, "an offset"},
	{"bits that are not there", IN "field.x = 0 u8[8]\n", 11, "a bit"},
	{"bits the wrong way round", IN "field.x = 0 u8[3:4]\n", 11, "the lowest bit"},
	{"bits that stay open", IN "field.x = 0 u8[3\n", 11, "] is missing"},
	{"bits of s8", IN "field.x = 0 s8[3]\n", 11, "no bits"},
	{"half a word of ata-text", IN "field.x = 0 ata-text 7\n", 11, "two bytes"},
	{"a register that is not there", IN "field.x = ata feature\n", 11, "ATA register"},
	{"times of a text", IN "field.x = 0 ascii 4 times 2\n", 11, "go with numbers"},
	{"a unit of nothing", IN "field.x = 0 u8 unit\n", 11, "a unit"},
	{"words for a text", IN "field.x = 0 ascii 4 : 1=one\n", 11, "go with numbers"},
	{"no words behind the colon", IN "field.x = 0 u8 :\n", 11, "no words"},
	{"a value without its word", IN "field.x = 0 u8 : 1\n", 11, "VALUE=TEXT"},
	{"a value with two meanings", IN "field.x = 0 u8 : 1=a, 1=b\n", 11, "two meanings"},
	{"something behind a field", IN "field.x = 0 u8 nonsense\n", 11, "too much"},
	{"a field twice", IN "field.x = 0 u8\nfield.y = 0 u8\nfield.x = 1 u8\n", 13, "twice"},
	{"a field with a bad name", IN "field.X = 0 u8\n", 11, "no name"},
	{"a field of a table that is not there", IN "field.t.x = 0 u8\n", 11, "no table.t"},
	{"a table without fields", IN "table.t = 0 2 x 8\n", 11, "no fields"},
	{"a table past the answer", IN "table.t = 0 3 x 8\nfield.t.x = 0 u8\n", 11,
		"ends at byte 24"},
	{"a field past its row", IN "table.t = 0 2 x 8\nfield.t.x = 7 be16\n", 12, "rows of 8"},
	{"a table of rows of nothing", IN "table.t = 0 2 x 0\nfield.t.x = 0 u8\n", 11,
		"size of a row"},
	{"a table without x", IN "table.t = 0 2 8\nfield.t.x = 0 u8\n", 11, "COUNT x SIZE"},
	{"a size that lies behind", IN "table.t = 0 * x 4+u8@4\nfield.t.x = 0 u8\n", 11,
		"behind its first"},
	{"a size without its place", IN "table.t = 0 * x 4+u8\nfield.t.x = 0 u8\n", 11, "@OFFSET"},
	{"a table's field twice", IN "table.t = 0 2 x 8\nfield.t.x = 0 u8\nfield.t.x = 1 u8\n", 13,
		"twice"},
	{"a register in a table", IN "table.t = 0 2 x 8\nfield.t.x = ata status\n", 12,
		"no registers"},
	{"a length of eight bytes", IN "length = 0 be64\n", 11, "four bytes"},
	{"a length past the answer", IN "length = 15 be16\n", 10, "ends at byte 17"},
	{"a layout that is not there", IN "layout = nothing\n", 11, "no layout"},
	{"expected past the answer", IN "expect = 16 00\n", 9, "ends at byte 17"},
	{"nothing expected", IN "expect = 4\n", 11, "bytes are wanted"},
	{"it waits past the answer", IN "until = 15 00 00\n", 9, "ends at byte 17"},
	{"a text that stays open", IN "expect = 0 \"abc\n", 11, "quotation mark"},
	{"sense of two parts", CDB "sense = 1/00\n", 10, "KEY/ASC/ASCQ"},
	{"a sense key past 15", CDB "sense = 10/00/00\n", 10, "KEY/ASC/ASCQ"},
	{"a status that is none", CDB "status = fine\n", 10, "good, check or any"},
	{"no tries", IN "until = 0 00\ntries = 0\n", 12, "from 1"},
	{"a delay of an hour", CDB "delay = 3600000\n", 10, "milliseconds"},
	{"no time at all", CDB "timeout = 0\n", 10, "seconds"},
	{"neither yes nor no", CDB "atomic = maybe\n", 10, "yes or no"},
	{"a transport that is none", CDB "transports = sg\n", 10, "bot and uas"},
	{"a drive that is none", CDB "drives = 12345678\n", 10, "VID:PID"},
	{"a PID of three digits", CDB "drives = 1234:567\n", 10, "PID"},
	{"a bcdDevice that is none", CDB "drives = 1234:5678@1\n", 10, "bcdDevice"},
	{"bcdDevice backward", CDB "drives = 1234:5678@0200-0100\n", 10, "before it begins"},
	{"one INQUIRY text", CDB "inquiry = \"A*\"\n", 10, "quotation marks"},
	{"confirmed by nothing", CDB "confirm = other\n", 10, "none in this file"},
	{"confirmed by what expects nothing",
		CDB "confirm = d\n[command d]\nabout = a\nsafety = reads\n" CDB, 10,
		"cannot confirm"},
	{"a key twice", CDB CDB, 10, "twice"},
	{"a key that is not there", CDB "colour = blue\n", 10, "no key colour"},
	{"a family's key", CDB "title = x\n", 10, "no key of this section"},
	{"neither key nor section", CDB "nonsense\n", 10, "neither KEY"},
	{"a section that is not there", CDB "[bonus]\n", 10, "no section"},
	{"a section that stays open", CDB "[step\n", 10, "[NAME]"},
	{"a second family", CDB "[family]\n", 10, "first section"},
	{"a command with a bad name", CDB "[command Bad]\n" CDB, 10, "no name"},
	{"a command twice", CDB "[command c]\nabout = a\nsafety = reads\n" CDB, 10, "twice"},
	{"a step behind finally", CDB "[finally]\n" CDB "[step]\n" CDB, 12, "before [finally]"},
	{"a step without a cdb", CDB "[step]\n", 10, "no cdb"},
	{"reads what writes", "cdb = 2a 00 00 00 00 00 00 00 01 00\nout = 00*512\n", 9, "destroys"},
	{"reads what formats", "cdb = 04 00 00 00 00 00\n", 9, "destroys"},
	{"control characters", CDB "expect = 0 \"\033[31m\"\n", 10, "not UTF-8"},
	{"half a character", CDB "unit = \303\n", 10, "not UTF-8"},
};

/* Whole files. */
static const struct row files[] = {
	{"empty", "", 1, "no [family]"},
	{"a comment alone", "# nothing\n", 1, "no [family]"},
	{"a key before the first section", "name = f\n", 1, "before the first section"},
	{"goes on with nothing", "[family]\n  more\n", 2, "goes on"},
	{"a family without a name", "[family]\ntitle = t\n" COMMAND CDB, 1, "no name"},
	{"a family without a title", "[family]\nname = f\ndrives = any\nsource = s\n" COMMAND CDB,
		1, "no title"},
	{"neither commands nor layouts", FAMILY, 1, "neither commands nor layouts"},
	{"no family at all", "[command c]\ncdb = 00\n", 1, "first section"},
	{"a step of no command", FAMILY "[step]\ncdb = 00\n", 6, "[command NAME] above"},
	{"no drives", "[family]\nname = f\ntitle = t\nsource = s\n" COMMAND CDB, 5, "no drives"},
	{"no source", "[family]\nname = f\ntitle = t\ndrives = any\n" COMMAND CDB, 5, "no source"},
	{"no safety", FAMILY "[command c]\nabout = a\n" CDB, 6, "no safety"},
	{"no about", FAMILY "[command c]\nsafety = reads\n" CDB, 6, "no about"},
	{"safety that is none", FAMILY "[command c]\nabout = a\nsafety = safe\n" CDB, 8,
		"reads, changes or destroys"},
	{"two layouts of a name", FAMILY "[layout l]\nfield.x = 0 u8\n[layout l]\nfield.x = 0 u8\n",
		8, "2 times"},
	{"a layout that is too long for the answer",
		FAMILY "[layout l]\nfield.x = 16 u8\n" COMMAND IN "layout = l\n", 13,
		"ends at byte 17"},
	{"a cdb in a layout", FAMILY "[layout l]\ncdb = 00\nfield.x = 0 u8\n", 7,
		"no key of this section"},
	{"sat on any drive that resets",
		"[family]\nname = f\ntitle = t\ndrives = any\nsource = s\n" COMMAND
		"cdb = a1 80 00*10\n",
		9, "destroys"},
};

struct heard {
	const struct row *row;
	bool right;
	char all[2000];
};

static void hear(void *context, const char *file, unsigned int line, const char *text)
{
	struct heard *heard = context;
	size_t used = strlen(heard->all);

	(void)file;
	heard->right |= line == heard->row->line && strstr(text, heard->row->says);
	snprintf(heard->all + used, sizeof(heard->all) - used, "%u: %s; ", line, text);
}

static void run_row(const struct row *row, const char *before)
{
	struct heard heard = {.row = row};
	char path[] = "/tmp/umsctl-vendor-XXXXXX";
	int fd = mkstemp(path);
	struct library *library;
	struct err err;

	assert_true(fd >= 0);
	assert_int_equal(
		dprintf(fd, "%s%s", before, row->text), strlen(before) + strlen(row->text));
	close(fd);
	library = library_read("", path, hear, &heard, &err);
	unlink(path);
	if (!library)
		fail_msg("%s: %s", row->name, err.text);
	if (!heard.right)
		fail_msg("%s: wanted line %u \"%s\", heard: %s", row->name, row->line, row->says,
			heard.all);
	for (size_t i = 0; library_definition(library, i); i++) {
		if (!library_definition(library, i)->refused)
			fail_msg("%s: the command may be used", row->name);
	}
	library_free(library);
}

static void test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i], FAMILY COMMAND);
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		run_row(&files[i], "");
}

/* What the rows are made from is right without their mistakes. */
static void test_good(void **state)
{
	static const char *const good[] = {
		CDB,
		IN "field.x = 0 u8[7:4] : 0=no, 1=yes\nfield.y = 0 le128 unit °C\n",
		IN "table.t = 0 * x 4+u8@3 unless 0 00\nfield.t.x = 0 be16\nfield.t.y = 4 hex *\n",
		"arg.x = number 0-15\narg.y = choice a=0x10 b=0x20 default a : words\n"
		"cdb = c0 {0x80|x|y&0x30} {in:be24} 00*2 \"ab\"\nin = {x}\n",
		"arg.x = bytes 1-4\ncdb = c0 {out}\nout = \"NVME\" {x:bytes} 00*4\n",
		"arg.x = number 0-0xffffffffffff\ncdb = c0 {x>>40} {x>>8} {x&0xff}\n",
		IN "expect = 0 45, 4 \"AB\"\nuntil = 1 00\nevery = 0\ntries = 3\n[step]\n" CDB
		   "[finally]\n" CDB,
		"cdb = c0 00*16\ntransports = uas\n",
	};
	char path[] = "/tmp/umsctl-vendor-XXXXXX";

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		static const struct row none = {"good", "", 0, "no mistake"};
		struct heard heard = {.row = &none};
		FILE *f = fopen(path, "w");
		struct library *library;

		fprintf(f, FAMILY COMMAND "%s", good[i]);
		fclose(f);
		library = library_read("", path, hear, &heard, NULL);
		assert_non_null(library);
		if (heard.all[0])
			fail_msg("%zu: %s", i, heard.all);
		assert_non_null(library_find(library, "f.c", NULL));
		library_free(library);
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("vendor-broken", tests, NULL, NULL);
}
