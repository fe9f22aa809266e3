/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Going on with an image: only with the drive that it is of, and without harm to what it has.  An
 * image that is refused, or to which there is nothing to add, stays byte for byte as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "capture/sink.h"
#include "tests/aid/makeimage.h"
#include "tests/aid/simulated.h"
#include "tests/aid/trip.h"

#define UNIT_SECTORS 256 /* what is lost with one damaged byte */

struct bytes {
	uint8_t *p;
	size_t n;
};

/* What is in trip_image; freed by the caller. */
static struct bytes image_bytes(void)
{
	cleanup_fclose FILE *f = fopen(trip_image, "rb");
	struct bytes all = {NULL, 0};

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	all.n = (size_t)ftell(f);
	rewind(f);
	all.p = malloc(all.n);
	assert_int_equal(fread(all.p, 1, all.n, f), all.n);
	return all;
}

/* trip_image is still what it was; frees BEFORE. */
static void assert_untouched(struct bytes before)
{
	struct bytes now = image_bytes();

	assert_int_equal(now.n, before.n);
	assert_memory_equal(now.p, before.p, now.n);
	free(now.p);
	free(before.p);
}

static enum acquire_end run(struct trip *trip, const char *settings)
{
	trip_plan(trip, settings);
	trip_run(trip);
	print_message("# end %d: %s\n", trip->result.end, trip->err.text);
	return trip->result.end;
}

/* A whole image, or with STOP_AT the beginning of one. */
static void make(const char *settings, unsigned int stop_at)
{
	struct trip trip;

	trip_no_image();
	trip_plan(&trip, settings);
	trip.stop_at = stop_at;
	trip.options.device_options.quirks = "max-sectors-240";
	trip_run(&trip);
	if (trip.result.end != (stop_at ? ACQUIRE_STOPPED : ACQUIRE_COMPLETE))
		fail_msg("%d: %s", trip.result.end, trip.err.text);
}

static void assert_refused(const char *settings, enum err_kind kind, enum acquire_end end)
{
	struct bytes before = image_bytes();
	struct trip trip;

	assert_int_equal(run(&trip, settings), end);
	assert_int_equal(trip.err.kind, kind);
	assert_int_equal(trip.result.session, 0);
	assert_untouched(before);
}

static void assert_whole(const struct trip *trip)
{
	assert_int_equal(trip->result.end, ACQUIRE_COMPLETE);
	assert_int_equal(trip_check(), TRIP_BLOCKS);
	assert_memory_equal(trip->result.info.digest[0], trip_sha256(), 32);
}

/* --- which drive --- */

/* Flips a bit in the middle of NEEDLE, which is in the image just once. */
static void damage(const void *needle, size_t len)
{
	struct bytes all = image_bytes();
	uint8_t *place = memmem(all.p, all.n, needle, len);

	assert_non_null(place);
	assert_null(memmem(place + 1, all.n - (size_t)(place + 1 - all.p), needle, len));
	place[len / 2] ^= 1;
	write_file(trip_image, all.p, all.n);
	free(all.p);
}

static void damage_identity(void)
{
	struct err err;
	struct image *image = image_open(trip_image, &err);
	size_t len;
	cleanup_free char *identity = image ? image_blob(image, "identity", &len) : NULL;

	assert_non_null(identity);
	image_close(image);
	damage(identity, len);
}

static void test_damaged_identity(void **state)
{
	(void)state;
	for (unsigned int sealed = 0; sealed < 2; sealed++) {
		make(",delay=100", sealed ? 0 : 20);
		damage_identity();
		assert_refused("", ERR_BAD_IMAGE, ACQUIRE_DAMAGED);
		assert_refused(",serial=OTHER", ERR_BAD_IMAGE, ACQUIRE_DAMAGED);
	}
}

/* An image without a word about its drive, and with N of its sectors. */
static void make_nameless(uint32_t n)
{
	const struct image_geometry geometry = {512, TRIP_BLOCKS, sizeof(trip_medium)};
	const struct image_writer_options options = {.threads = 1};
	struct image_writer *writer;
	struct capture_sink *sink;
	struct err err;
	void *place;

	trip_no_image();
	writer = image_create(trip_image, &geometry, &options, &err);
	assert_non_null(writer);
	sink = image_writer_sink(writer);
	if (n > 0) {
		place = sink->ops->reserve(sink, 0, n, &err);
		assert_non_null(place);
		memcpy(place, trip_medium, n * 512);
		assert_int_equal(sink->ops->commit(sink, 0, n, BLOCK_GOOD, NULL, &err), 0);
		assert_int_equal(sink->ops->release(sink, 0, n, &err), 0);
	}
	assert_int_equal(image_writer_close(writer, &err), 0);
}

static void test_absent_identity(void **state)
{
	struct trip trip;

	(void)state;
	make_nameless(0);
	assert_int_equal(run(&trip, ""), ACQUIRE_COMPLETE);
	assert_whole(&trip);
	/* From now on it says of which drive it is. */
	assert_refused(",serial=OTHER", ERR_IDENTITY, ACQUIRE_NOT_STARTED);

	make_nameless(100);
	assert_refused("", ERR_IDENTITY, ACQUIRE_NOT_STARTED);
	trip_plan(&trip, "");
	trip.options.same_drive = true;
	trip_run(&trip);
	assert_whole(&trip);
}

/* Another drive: ",serial=OTHER", or one of MEDIUM. */
static void assert_other(const uint8_t *medium, size_t len)
{
	char path[64], settings[100];

	snprintf(path, sizeof(path), "%s", trip_path("other"));
	write_file(path, medium, len);
	snprintf(settings, sizeof(settings), ",file=%s", path);
	assert_refused(settings, ERR_IDENTITY, ACQUIRE_NOT_STARTED);
	unlink(path);
}

static void test_other_drive(void **state)
{
	static uint8_t other[sizeof(trip_medium)];

	(void)state;
	memcpy(other, trip_medium, sizeof(other));
	other[511] ^= 1;
	for (unsigned int sealed = 0; sealed < 2; sealed++) {
		make(",delay=100", sealed ? 0 : 20);
		assert_refused(",serial=OTHER", ERR_IDENTITY, ACQUIRE_NOT_STARTED);
		assert_other(trip_medium, sizeof(trip_medium) - 512);
		assert_other(other, sizeof(other));
	}
}

static void test_other_unit(void **state)
{
	(void)state;
	make(",luns=3", 0);
	assert_refused(",luns=3,lun=1", ERR_IDENTITY, ACQUIRE_NOT_STARTED);
	make(",luns=3,lun=2", 20);
	assert_refused(",luns=3", ERR_IDENTITY, ACQUIRE_NOT_STARTED);
}

/* --- nothing to add, and something --- */

static void test_untouched(void **state)
{
	struct bytes before;
	struct trip trip;

	(void)state;
	make(",delay=100", 0);
	before = image_bytes();
	assert_int_equal(run(&trip, ""), ACQUIRE_COMPLETE);
	assert_true(trip.result.untouched);
	assert_int_equal(trip.result.capture.read_bytes, 0);
	assert_untouched(before);
}

static void test_unreadable_again(void **state)
{
	struct bytes before;
	struct trip trip;

	(void)state;
	trip_no_image();
	assert_int_equal(run(&trip, ",bad=500-505"), ACQUIRE_UNREADABLE);
	before = image_bytes();
	assert_int_equal(run(&trip, ",bad=500-505"), ACQUIRE_UNREADABLE);
	assert_true(trip.result.untouched);
	assert_int_equal(trip.result.counts.by_state[BLOCK_BAD], 6);
	assert_untouched(before);
	/* Tried in vain once more: nothing is gained, and nothing is said. */
	before = image_bytes();
	trip_plan(&trip, ",bad=500-505");
	trip.options.retries = 2;
	assert_int_equal(trip_run(&trip), ACQUIRE_UNREADABLE);
	assert_untouched(before);
}

static void test_note(void **state)
{
	static const char *const note[] = {"case=17", "found=under the bed"};
	struct bytes before;
	struct trip trip;
	char line[400];

	(void)state;
	make("", 0);
	before = image_bytes();
	trip_plan(&trip, "");
	trip.options.note = note;
	trip.options.n_notes = 2;
	trip_run(&trip);
	assert_whole(&trip);
	assert_int_equal(trip.result.info.generation, 2);
	assert_int_equal(trip_journal("note", line, sizeof(line)), 2);
	assert_non_null(strstr(line, "under the bed"));
	/* The old seal still stands where it stood. */
	write_file(trip_image, before.p, before.n);
	assert_int_equal(trip_check(), TRIP_BLOCKS);
	free(before.p);
}

/* --- damage --- */

/* Flips a byte of what the image has of its first sector of noise; returns that sector's number. */
static uint64_t damage_data(void)
{
	for (size_t lba = 0; lba < TRIP_BLOCKS; lba++) {
		struct bytes all = image_bytes();
		bool stored = memmem(all.p, all.n, trip_medium + lba * 512, 512) != NULL;

		free(all.p);
		if (!stored)
			continue;
		damage(trip_medium + lba * 512, 512);
		return lba;
	}
	fail_msg("no sector is stored as it is");
	return 0;
}

static void test_mended(void **state)
{
	(void)state;
	for (unsigned int sealed = 0; sealed < 2; sealed++) {
		struct trip trip;

		make(",delay=100", sealed ? 0 : 60);
		damage_data();
		assert_int_equal(run(&trip, ""), ACQUIRE_COMPLETE);
		assert_in_range(trip.result.damaged, 1, UNIT_SECTORS);
		assert_whole(&trip);
		assert_int_equal(trip_journal("damaged", NULL, 0), 1);
	}
}

/* What the image lost the drive cannot read any more, but for that one sector. */
static void test_damaged_and_bad(void **state)
{
	(void)state;
	for (unsigned int sealed = 0; sealed < 2; sealed++) {
		struct trip trip;
		char settings[60];

		make(",delay=100", sealed ? 0 : 60);
		snprintf(settings, sizeof(settings), ",bad=%u", (unsigned int)damage_data());
		assert_int_equal(run(&trip, settings), ACQUIRE_UNREADABLE);
		assert_in_range(trip.result.damaged, 1, UNIT_SECTORS);
		assert_int_equal(trip.result.counts.by_state[BLOCK_BAD], 1);
		assert_true(trip.result.info.sealed);
		assert_int_equal(trip_check(), TRIP_BLOCKS - 1);
	}
}

/* The image can be exported: what it does not claim to have is zeros, whatever is damaged. */
static void exports(void)
{
	const struct image_export_options options = {.sparse = true};
	struct err err = {.kind = ERR_NONE};
	struct image *image = image_open(trip_image, &err);
	int out = memfd_create("export", 0);

	assert_non_null(image);
	assert_true(out >= 0);
	if (image_export(image, out, &options, &err) < 0)
		fail_msg("%s", err.text);
	for (uint64_t lba = 0; lba < TRIP_BLOCKS; lba++) {
		static const uint8_t zeros[512];
		bool have = BLOCK_MASK(blockmap_at(image_map(image), lba).state) & BLOCK_HAVE;
		uint8_t sector[512];

		assert_int_equal(pread(out, sector, 512, (off_t)(lba * 512)), 512);
		assert_memory_equal(sector, have ? trip_medium + lba * 512 : zeros, 512);
	}
	close(out);
	image_close(image);
}

/* The drive leaves before anything of what the image lost is read again: the image stays as it was.
 * When something has been read it is kept. */
static void test_damaged_and_gone(void **state)
{
	(void)state;
	for (unsigned int gain = 0; gain < 2; gain++) {
		struct trip trip;
		struct bytes before;
		char settings[60];

		make(",delay=100", 0);
		/* A drive that has left stays away under its name. */
		snprintf(settings, sizeof(settings), ",delay=%u,fault=drop=0:lba=%u", gain,
			(unsigned int)damage_data());
		before = image_bytes();
		trip_plan(&trip, settings);
		trip.options.device_options.quirks = gain ? "max-sectors-64" : NULL;
		assert_int_equal(trip_run(&trip), ACQUIRE_STOPPED);
		if (gain) {
			assert_false(trip.result.info.sealed);
			assert_int_equal(trip.result.damaged, UNIT_SECTORS);
			assert_true(trip.result.counts.by_state[BLOCK_GOOD] >
				    TRIP_BLOCKS - UNIT_SECTORS);
			exports();
			free(before.p);
		} else {
			assert_untouched(before);
		}
		assert_int_equal(run(&trip, ""), ACQUIRE_COMPLETE);
		assert_whole(&trip);
	}
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
		cmocka_unit_test(test_damaged_identity),
		cmocka_unit_test(test_absent_identity),
		cmocka_unit_test(test_other_drive),
		cmocka_unit_test(test_other_unit),
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_unreadable_again),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_mended),
		cmocka_unit_test(test_damaged_and_bad),
		cmocka_unit_test(test_damaged_and_gone),
	};

	simulate_time();
	return cmocka_run_group_tests_name("acquire-same-drive", tests, begin_all, end_all);
}
