/* SPDX-License-Identifier: BSD-2-Clause */
/* Going on with an image that does not end where a record may begin: behind a trailer, or where a
 * crash tore the padding.  The CRCs of the file's bytes hold all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "capture/sink.h"
#include "proto/ums.h"
#include "tests/aid/makeimage.h"

static char path[64];

static void found(void *context, const char *text)
{
	(void)context;
	print_message("%s\n", text);
}

static uint8_t *read_file(size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*len = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*len);
	assert_int_equal(fread(bytes, 1, *len, file), *len);
	fclose(file);
	return bytes;
}

/* Every checkpoint has the CRC of all bytes before it. */
static unsigned int check_checkpoints(void)
{
	unsigned int n = 0;
	size_t len;
	uint8_t *bytes = read_file(&len);

	for (size_t at = 0; at + UMS_RECORD_HEAD_SIZE + UMS_CKPT_HEAD_SIZE <= len;
		at += UMS_ALIGN) {
		const uint8_t *head = bytes + at;

		if (get_le32(head + REC_MAGIC) != UMS_RECORD_MAGIC ||
			get_le32(head + REC_TYPE) != UMS_TYPE_CKPT ||
			get_le64(head + REC_OFFSET) != at)
			continue;
		assert_int_equal(get_le32(head + UMS_RECORD_HEAD_SIZE + CKPT_FILE_CRC),
			crc32_of(0, bytes, at));
		n++;
	}
	free(bytes);
	return n;
}

/* A mark, so that the checkpoint is the first record of the session; not sealed again.  The mark
 * alone would not be worth a new generation. */
static void mark_and_close(void)
{
	const struct image_writer_options options = {.udif = true, .threads = 1};
	const struct block_reason why = {.sense_key = 3, .asc = 0x11};
	struct err err = {0};
	struct image_writer *writer = image_resume(path, &options, &err);
	struct capture_sink *sink;

	assert_non_null(writer);
	sink = image_writer_sink(writer);
	assert_int_equal(sink->ops->mark(sink, MADE_BAD, 1, BLOCK_SKIPPED, &why, &err), 0);
	image_writer_keep(writer);
	assert_int_equal(image_writer_close(writer, &err), 0);
}

static void seal_and_verify(void)
{
	struct image_verify_report report;
	struct err err = {0};

	assert_int_equal(finish_image(path, &err), 0);
	check_checkpoints();
	assert_int_equal(image_verify(path, found, NULL, NULL, &report, &err), 0);
	assert_int_equal(report.problems, 0);
}

static void test_behind_a_trailer(void **state)
{
	size_t len;

	(void)state;
	free(make_image(path, true, &len));
	/* Else it would test nothing. */
	assert_int_not_equal(len % UMS_ALIGN, 0);
	mark_and_close();
	assert_true(check_checkpoints() > 0);
	seal_and_verify();
}

/* Where the first line of the journal ends, whose payload needs padding. */
static size_t end_of_journal_line(const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at + UMS_RECORD_HEAD_SIZE <= len; at += UMS_ALIGN) {
		if (get_le32(bytes + at + REC_MAGIC) == UMS_RECORD_MAGIC &&
			get_le32(bytes + at + REC_TYPE) == UMS_TYPE_JRNL)
			return at + UMS_RECORD_HEAD_SIZE + get_le64(bytes + at + REC_LENGTH);
	}
	fail_msg("no journal");
	return 0;
}

/* Cut within the padding of its last record, which counts all the same. */
static void test_behind_torn_padding(void **state)
{
	uint8_t *bytes;
	size_t len, end;

	(void)state;
	bytes = make_image(path, false, &len);
	end = end_of_journal_line(bytes, len) + 1;
	assert_int_not_equal(end % UMS_ALIGN, 0);
	write_file(path, bytes, end);
	free(bytes);
	mark_and_close();
	assert_int_equal(check_checkpoints(), 1);
	seal_and_verify();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_behind_a_trailer),
		cmocka_unit_test(test_behind_torn_padding),
	};
	int r;

	snprintf(path, sizeof(path), "/tmp/umsctl-append-%d.ums", (int)getpid());
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return r;
}
