/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending what is defined: to which drives, in which order, and what is done when a step fails. The
 * transport is a script of answers that keeps what it was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/aid/simulated.h"
#include "vendor/vendor.h"

static const char text[] =
	"[family]\n"
	"name = f\n"
	"title = t\n"
	"drives = 1234:5678@0100-01ff 4321:*\n"
	"inquiry = \"ACME*\" \"?isk*\"\n"
	"source = s\n"
	"[command who]\n"
	"about = a\nsafety = reads\n"
	"cdb = 12 00 00 00 04 00\nin = 4\nexpect = 1 42\nconfirm = none\n"
	"[command read]\n"
	"about = a\nsafety = reads\nconfirm = who\n"
	"arg.page = number 0-63 default 5\n"
	"arg.kind = choice low=0 high=2 default low\n"
	"cdb = c0 {0x40|page} {kind<<4|1} {in:be16} {in:le24} 00\nin = {page}\n"
	"field.first = 0 u8\nfield.last = 4 u8 : 9=nine\n"
	"[command set]\n"
	"about = a\nsafety = changes\narg.key = bytes 2-4\n"
	"cdb = c1 {out:be16}\nout = \"K\" {key:bytes} 00\n"
	"[command steps]\n"
	"about = a\nsafety = reads\natomic = yes\n"
	"cdb = d0\n[step]\ncdb = d1\nin = 1\nuntil = 0 01\nevery = 0\ntries = 3\n"
	"[step]\ncdb = d2\n[finally]\ncdb = de\n[finally]\ncdb = df\n"
	"[command away]\n"
	"about = a\nsafety = reads\nredirects = yes\ncdb = d3\n"
	"[command bot]\n"
	"about = a\nsafety = reads\ntransports = bot\ncdb = d4\n"
	"[command uas]\n"
	"about = a\nsafety = reads\ntransports = uas\ncdb = d5 00*31\n"
	"[command sense]\n"
	"about = a\nsafety = reads\ncdb = d6\nsense = 1/00/1d\n"
	"field.count = ata count : 0xff=active\nfield.status = ata status\n"
	"[command sly]\n"
	"about = a\nsafety = reads\narg.action = number 0-31\ncdb = 9f {action} 00*14\n"
	"[command check]\n"
	"about = a\nsafety = reads\nstatus = check\ncdb = d7\n";

/* --- the drive --- */

struct answer {
	uint8_t status, key, asc, ascq;
	const char *data;
	size_t len;
};

struct fake {
	struct transport transport;
	struct answer answer[8]; /* GOOD without data behind the last */
	size_t n;
	char log[400]; /* CDBs in hexadecimal digits, and what was sent with them */
};

static int fake_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct fake *fake = (struct fake *)transport;
	const struct answer *answer = &fake->answer[fake->n < 7 ? fake->n : 7];
	char hex[2 * TRANSPORT_CDB_MAX + 1];
	size_t used = strlen(fake->log);

	(void)err;
	fake->n++;
	snprintf(fake->log + used, sizeof(fake->log) - used, "%s%s", used ? " " : "",
		text_hex(command->cdb, command->cdb_len, hex));
	used = strlen(fake->log);
	if (command->direction == TRANSFER_OUT)
		snprintf(fake->log + used, sizeof(fake->log) - used, ">%s",
			text_hex(command->data, command->data_len, hex));
	reply->outcome = OUTCOME_DONE;
	reply->status = answer->status;
	if (answer->status == SCSI_STATUS_CHECK_CONDITION) {
		memset(reply->sense, 0, 22);
		reply->sense[0] = 0x72;
		reply->sense[1] = answer->key;
		reply->sense[2] = answer->asc;
		reply->sense[3] = answer->ascq;
		reply->sense[7] = 14;
		memcpy(reply->sense + 8, "\x09\x0c\0\x04\0\xff\0\x01\0\x02\0\x03\xa0\x50", 14);
		reply->sense_len = 22;
	}
	if (command->direction == TRANSFER_IN) {
		reply->moved = answer->len < command->data_len ? answer->len : command->data_len;
		memcpy(command->data, answer->data ? answer->data : "", reply->moved);
	}
	return 0;
}

static const struct transport_ops fake_ops = {.name = "fake", .exec = fake_exec};

struct scene {
	struct library *library;
	struct fake fake;
	struct device device;
	struct run_options options;
	struct run_result result;
	struct err err;
	char values[200];
};

static void put_value(void *context, const struct value *value)
{
	struct scene *scene = context;
	size_t used = strlen(scene->values);

	snprintf(scene->values + used, sizeof(scene->values) - used, "%s=%s%llu%s%s ",
		value->field->name, value->missing ? "?" : "", (unsigned long long)value->number,
		value->word ? ":" : "", value->word ? value->word : "");
}

static void hear(void *context, const char *file, unsigned int line, const char *what)
{
	(void)context;
	fail_msg("%s:%u: %s", file, line, what);
}

static struct library *read_text(const char *words)
{
	char path[] = "/tmp/umsctl-vendor-XXXXXX";
	int fd = mkstemp(path);
	struct library *library;
	struct err err;

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%s", words) > 0);
	close(fd);
	library = library_read("", path, hear, NULL, &err);
	unlink(path);
	assert_non_null(library);
	return library;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->library = read_text(text);
	scene->fake.transport = (struct transport){.ops = &fake_ops,
		.max_cdb_len = TRANSPORT_CDB_MAX,
		.max_transfer_bytes = VENDOR_DATA_MAX};
	scene->device.transport = &scene->fake.transport;
	scene->device.route = ROUTE_BOT;
	scene->device.drive = (struct drive){.vid = 0x1234,
		.pid = 0x5678,
		.bcd_device = 0x0150,
		.scsi_vendor = "ACME Co",
		.scsi_product = "Disk 1"};
	scene->options = (struct run_options){.value = put_value, .context = scene};
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	library_free(scene->library);
	free(scene);
	return 0;
}

static int go(struct scene *scene, const char *name, char *argument)
{
	const struct definition *definition = library_find(scene->library, name, &scene->err);
	struct argument_value *values;
	int r;

	assert_non_null(definition);
	scene->fake.log[0] = scene->values[0] = '\0';
	scene->fake.n = 0;
	scene->result = (struct run_result){0};
	values = arguments_read(definition, &argument, argument ? 1 : 0, &scene->err);
	if (!values)
		return -1;
	r = vendor_run(
		&scene->device, definition, values, &scene->options, &scene->result, &scene->err);
	arguments_free(definition, values);
	return r;
}

static void refused(struct scene *scene, const char *name, char *argument, const char *says)
{
	assert_int_equal(go(scene, name, argument), -1);
	assert_string_equal(scene->fake.log, "");
	if (!strstr(scene->err.text, says))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, scene->err.text, says);
}

/* --- tests --- */

static void test_sent_and_decoded(void **state)
{
	struct scene *scene = *state;

	scene->fake.answer[0] = (struct answer){.data = "\0\x42\0\0", .len = 4};
	scene->fake.answer[1] = (struct answer){.data = "\x07\0\0\0\x09", .len = 5};
	assert_int_equal(go(scene, "f.read", NULL), 0);
	assert_string_equal(scene->fake.log, "120000000400 c04501000505000000");
	assert_string_equal(scene->values, "first=7 last=9:nine ");
	assert_int_equal(scene->result.missing, 0);
}

static void test_short_answers(void **state)
{
	struct scene *scene = *state;

	scene->fake.answer[0] = (struct answer){.data = "\0\x42\0\0", .len = 4};
	scene->fake.answer[1] = (struct answer){.data = "\x07", .len = 1};
	assert_int_equal(go(scene, "f.read", NULL), 0);
	assert_string_equal(scene->values, "first=7 last=?0 ");
	assert_int_equal(scene->result.missing, 1);
	/* What is expected does not come either. */
	scene->fake.answer[0] = (struct answer){.data = "", .len = 0};
	assert_int_equal(go(scene, "f.read", NULL), -1);
}

static void test_arguments(void **state)
{
	struct scene *scene = *state;

	scene->fake.answer[0] = (struct answer){.data = "\0\x42\0\0", .len = 4};
	assert_int_equal(go(scene, "f.read", (char[]){"kind=high"}), 0);
	assert_string_equal(scene->fake.log, "120000000400 c04521000505000000");
	assert_int_equal(go(scene, "f.read", (char[]){"page=0x3f"}), 0);
	assert_string_equal(scene->fake.log, "120000000400 c07f01003f3f000000");
	refused(scene, "f.read", (char[]){"page=64"}, "0 to 63");
	refused(scene, "f.read", (char[]){"page=-1"}, "0 to 63");
	refused(scene, "f.read", (char[]){"page=1 00"}, "0 to 63");
	refused(scene, "f.read", (char[]){"page="}, "0 to 63");
	refused(scene, "f.read", (char[]){"kind=2"}, "one of low, high");
	refused(scene, "f.read", (char[]){"colour=blue"}, "no argument");
	refused(scene, "f.read", (char[]){"page"}, "NAME=VALUE");
	refused(scene, "f.set", NULL, "needs key");
	refused(scene, "f.set", (char[]){"key=00"}, "2 to 4 bytes");
	refused(scene, "f.set", (char[]){"key=0011223344"}, "2 to 4 bytes");
	refused(scene, "f.set", (char[]){"key=001"}, "2 to 4 bytes");
	refused(scene, "f.set", (char[]){"key=00112"}, "hexadecimal");
	refused(scene, "f.set", (char[]){"key=00zz"}, "hexadecimal");
	refused(scene, "f.set", (char[]){"key=@/nonexistent"}, "cannot open");
	/* No answer at all is asked for. */
	assert_int_equal(go(scene, "f.read", (char[]){"page=0"}), -1);
	assert_string_equal(scene->fake.log, "120000000400");
}

static void test_bytes_and_force(void **state)
{
	struct scene *scene = *state;
	char path[] = "/tmp/umsctl-vendor-XXXXXX", argument[64];
	int fd = mkstemp(path);

	refused(scene, "f.set", (char[]){"key=0011"}, "--force");
	scene->options.force = true;
	assert_int_equal(go(scene, "f.set", (char[]){"key=0a0B"}), 0);
	assert_string_equal(scene->fake.log, "c10004>4b0a0b00");
	assert_int_equal(write(fd, "xyz", 3), 3);
	snprintf(argument, sizeof(argument), "key=@%s", path);
	assert_int_equal(go(scene, "f.set", argument), 0);
	assert_string_equal(scene->fake.log, "c10005>4b78797a00");
	assert_int_equal(write(fd, "12", 2), 2);
	refused(scene, "f.set", argument, "has more");
	close(fd);
	unlink(path);
	strcpy(scene->device.drive.in_use, "mounted on /mnt");
	refused(scene, "f.set", (char[]){"key=0011"}, "--allow-mounted");
	scene->options.allow_mounted = true;
	assert_int_equal(go(scene, "f.set", (char[]){"key=0011"}), 0);
}

static void test_which_drives(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(go(scene, "f.check", NULL), -1);
	scene->device.drive.bcd_device = 0x0200;
	refused(scene, "f.sense", NULL, "--any-drive");
	scene->device.drive.bcd_device = 0x0150;
	strcpy(scene->device.drive.scsi_product, "Other");
	refused(scene, "f.sense", NULL, "--any-drive");
	strcpy(scene->device.drive.scsi_product, "disk");
	scene->device.drive.vid = 0x4321;
	scene->device.drive.pid = 0x9999;
	assert_int_equal(go(scene, "f.away", NULL), 0);
	/* The USB ids alone do not make it one: nothing but the question is sent. */
	scene->fake.answer[0] = (struct answer){.data = "\0\x43\0\0", .len = 4};
	assert_int_equal(go(scene, "f.read", NULL), -1);
	assert_string_equal(scene->fake.log, "120000000400");
	assert_non_null(strstr(scene->err.text, "does not answer who"));
	scene->options.any_drive = true;
	assert_int_equal(go(scene, "f.read", NULL), 0);
	assert_string_equal(scene->fake.log, "c04501000505000000");
	scene->device.drive.vid = 1;
	assert_int_equal(go(scene, "f.read", NULL), 0);
}

static void test_steps(void **state)
{
	struct scene *scene = *state;

	scene->fake.answer[1] = (struct answer){.data = "\0", .len = 1};
	scene->fake.answer[2] = (struct answer){.data = "\1", .len = 1};
	assert_int_equal(go(scene, "f.steps", NULL), 0);
	assert_string_equal(scene->fake.log, "d0 d1 d1 d2 de df");
	/* It never comes. */
	scene->fake.answer[2] = (struct answer){.data = "\0", .len = 1};
	assert_int_equal(go(scene, "f.steps", NULL), -1);
	assert_string_equal(scene->fake.log, "d0 d1 d1 d1 de df");
	assert_non_null(strstr(scene->err.text, "step 2 of 3"));
	assert_non_null(strstr(scene->err.text, "3 tries"));
	/* The first fails: what is to be done at the end is done. */
	scene->fake.answer[0] =
		(struct answer){.status = SCSI_STATUS_CHECK_CONDITION, .key = 5, .asc = 0x20};
	assert_int_equal(go(scene, "f.steps", NULL), -1);
	assert_string_equal(scene->fake.log, "d0 de df");
	assert_int_equal(scene->result.reply.sense[1], 5);
	/* … and each of it, though one of them fails. */
	scene->fake.answer[1] = scene->fake.answer[0];
	assert_int_equal(go(scene, "f.steps", NULL), -1);
	assert_string_equal(scene->fake.log, "d0 de df");
	assert_non_null(strstr(scene->err.text, "at the end"));
}

static void test_unit_attention(void **state)
{
	struct scene *scene = *state;

	scene->fake.answer[0] =
		(struct answer){.status = SCSI_STATUS_CHECK_CONDITION, .key = 6, .asc = 0x29};
	scene->fake.answer[2] = (struct answer){.data = "\1", .len = 1};
	assert_int_equal(go(scene, "f.steps", NULL), 0);
	assert_string_equal(scene->fake.log, "d0 d0 d1 d2 de df");
	/* In the midst of a sequence the drive has forgotten what was before. */
	memset(scene->fake.answer, 0, sizeof(scene->fake.answer));
	scene->fake.answer[1] =
		(struct answer){.status = SCSI_STATUS_CHECK_CONDITION, .key = 6, .asc = 0x29};
	assert_int_equal(go(scene, "f.steps", NULL), -1);
	assert_string_equal(scene->fake.log, "d0 d1 de df");
	memset(scene->fake.answer, 0, sizeof(scene->fake.answer));
	scene->fake.answer[0].status = SCSI_STATUS_BUSY;
	assert_int_equal(go(scene, "f.away", NULL), 0);
	assert_string_equal(scene->fake.log, "d3 d3");
}

static void test_beside_the_kernel(void **state)
{
	struct scene *scene = *state;

	scene->device.route = ROUTE_SG;
	strcpy(scene->device.drive.driver, "usb-storage");
	refused(scene, "f.steps", NULL, "come between");
	refused(scene, "f.away", NULL, "redirects");
	refused(scene, "f.uas", NULL, "works over UAS");
	assert_int_equal(go(scene, "f.bot", NULL), 0);
	strcpy(scene->device.drive.driver, "uas");
	refused(scene, "f.bot", NULL, "--route bot --detach");
	assert_int_equal(go(scene, "f.uas", NULL), 0);
	scene->device.route = ROUTE_UAS;
	refused(scene, "f.bot", NULL, "--route bot");
	scene->device.route = ROUTE_BOT;
	refused(scene, "f.uas", NULL, "--route uas");
	/* Reading is no harm to what is mounted. */
	scene->device.route = ROUTE_SG;
	strcpy(scene->device.drive.in_use, "mounted on /mnt");
	scene->fake.answer[0] = (struct answer){.data = "\0\x42\0\0", .len = 4};
	assert_int_equal(go(scene, "f.read", NULL), 0);
}

static void test_sense(void **state)
{
	struct scene *scene = *state;

	scene->fake.answer[0] = (struct answer){
		.status = SCSI_STATUS_CHECK_CONDITION, .key = 1, .asc = 0, .ascq = 0x1d};
	assert_int_equal(go(scene, "f.sense", NULL), 0);
	assert_string_equal(scene->values, "count=255:active status=80 ");
	scene->fake.answer[0].ascq = 0x1e;
	assert_int_equal(go(scene, "f.sense", NULL), -1);
	scene->fake.answer[0] = (struct answer){0};
	assert_int_equal(go(scene, "f.sense", NULL), -1);
	assert_int_equal(go(scene, "f.check", NULL), -1);
	scene->fake.answer[0] = (struct answer){.status = SCSI_STATUS_CHECK_CONDITION, .key = 5};
	assert_int_equal(go(scene, "f.check", NULL), 0);
}

/* A definition that says it reads, and an argument that makes it write. */
static void test_sly(void **state)
{
	struct scene *scene = *state;

	refused(scene, "f.sly", (char[]){"action=17"}, "not sent");
}

static void test_stopped(void **state)
{
	struct scene *scene = *state;
	atomic_bool stop = true;

	scene->options.stop = &stop;
	refused(scene, "f.away", NULL, "interrupted");
	refused(scene, "f.steps", NULL, "interrupted");
}

struct dry {
	size_t steps;
	uint8_t cdb[16];
};

static void put_dry(void *context, const struct definition *definition, const struct step *step,
	const struct command *command, const struct reply *reply, uint64_t ns)
{
	struct dry *dry = context;

	(void)definition, (void)step, (void)ns;
	assert_null(reply);
	memcpy(dry->cdb, command->cdb, command->cdb_len);
	dry->steps++;
}

static void test_dry(void **state)
{
	struct scene *scene = *state;
	const struct definition *definition = library_find(scene->library, "f.steps", NULL);
	struct dry dry = {0};
	struct run_options options = {.step = put_dry, .context = &dry};
	struct argument_value *values = arguments_read(definition, NULL, 0, NULL);

	assert_int_equal(vendor_dry_run(definition, values, &options, NULL), 0);
	assert_int_equal(dry.steps, 5);
	assert_int_equal(dry.cdb[0], 0xdf);
	arguments_free(definition, values);
}

/* --- several files --- */

static void count(void *context, const char *file, unsigned int line, const char *what)
{
	(void)file, (void)line;
	if (strstr(what, "neither is used"))
		++*(int *)context;
}

static void write_file(const char *folder, const char *name, const char *words)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(words, f);
	fclose(f);
}

static void test_two_files(void **state)
{
	char folder[] = "/tmp/umsctl-vendor[*]-XXXXXX", command[100];
	struct library *library;
	struct err err;
	int rivals = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(folder, "a.conf", text);
	write_file(folder, "b.conf",
		"[family]\nname = f\ntitle = t\ndrives = any\nsource = s\n"
		"[command away]\nabout = a\nsafety = reads\ncdb = c0\n"
		"[command more]\nabout = a\nsafety = reads\ncdb = c0\n");
	write_file(folder, "c.txt", "nonsense\n");
	library = library_read(folder, NULL, count, &rivals, &err);
	assert_non_null(library);
	assert_int_equal(rivals, 2);
	assert_null(library_find(library, "f.away", &err));
	assert_non_null(strstr(err.text, "vendor check"));
	assert_non_null(library_find(library, "f.more", &err));
	assert_non_null(library_find(library, "f.bot", &err));
	assert_null(library_find(library, "f.nothing", &err));
	library_free(library);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_sent_and_decoded),
		TEST(test_short_answers),
		TEST(test_arguments),
		TEST(test_bytes_and_force),
		TEST(test_which_drives),
		TEST(test_steps),
		TEST(test_unit_attention),
		TEST(test_beside_the_kernel),
		TEST(test_sense),
		TEST(test_sly),
		TEST(test_stopped),
		TEST(test_dry),
		cmocka_unit_test(test_two_files),
	};

	simulate_time();
	return cmocka_run_group_tests_name("vendor-run", tests, NULL, NULL);
}
