/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures that last long, in simulated time: slow drives, so that checkpoints come at every place
 * of a slot, into files and through a pipe, which end in every way there is.  What is left behind
 * must have no damage, call nothing good that is not the medium's, and be gone on with to the same
 * digest as a capture that nobody disturbed.  The links are in the Makefile (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/aid/simulated.h"
#include "tests/aid/trip.h"

/* --- between the program and the system --- */

static atomic_uint n_syncs;	  /* so far */
static atomic_uint failing;	  /* number of the sync that fails; 0: none */
static atomic_ullong image_pread; /* bytes that were read of the image */

int __wrap_fdatasync(int fd);
ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	if (++n_syncs != failing)
		return 0;
	errno = EIO;
	return -1;
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset)
{
	ssize_t n = __real_pread64(fd, bytes, len, offset);
	struct stat image, st;

	if (n > 0 && fstat(fd, &st) == 0 && stat(trip_image, &image) == 0 &&
		st.st_dev == image.st_dev && st.st_ino == image.st_ino)
		image_pread += (unsigned long long)n;
	return n;
}

/* --- one way through --- */

struct way {
	const char *settings; /* of the simulated drive */
	unsigned int checkpoint_ms, reconnect_ms, timeout_ms;
	const char *quirks; /* how large READs are */
	bool piped;
	unsigned int stop_at; /* the notice at which the user asks to stop; 0: at none */
	unsigned int failing; /* the sync that fails; 0: none */
	rlim_t disk;	      /* bytes that a file may have; 0: as many as it wants */
};

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes > 0 ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void plan(struct trip *trip, const struct way *way)
{
	trip_plan(trip, way->settings);
	trip->options.checkpoint_ms = way->checkpoint_ms;
	trip->options.reconnect_ms = way->reconnect_ms;
	trip->options.device_options.timeout_ms = way->timeout_ms;
	trip->options.device_options.quirks = way->quirks;
	trip->options.image = way->piped ? "-" : trip_image;
	trip->stop_at = way->stop_at;
}

static void show_way(const struct way *way, const struct trip *trip)
{
	print_message("# %s%s, checkpoints every %u ms, %s, stop at %u, sync %u fails, disk %llu: "
		      "end %d after %u notices%s%s\n",
		way->settings, way->piped ? " into a pipe" : "", way->checkpoint_ms,
		way->quirks ? way->quirks : "largest READs", way->stop_at, way->failing,
		(unsigned long long)way->disk, trip->result.end, trip->notices,
		trip->err.kind != ERR_NONE ? ": " : "",
		trip->err.kind != ERR_NONE ? trip->err.text : "");
}

/* The first session; *GOOD is how many sectors the image then has. */
static enum acquire_end begin(const struct way *way, struct trip *trip, uint64_t *good)
{
	struct stat st;

	trip_no_image();
	plan(trip, way);
	n_syncs = 0;
	failing = way->failing;
	image_pread = 0;
	limit_files(way->disk);
	trip_run(trip);
	limit_files(0);
	failing = 0;
	show_way(way, trip);
	*good = stat(trip_image, &st) == 0 && st.st_size > 0 ? trip_check() : 0;
	return trip->result.end;
}

/* Goes on with a drive that is well, until all is there. */
static void go_on(const struct way *way, uint64_t good)
{
	struct trip trip;

	trip_plan(&trip, "");
	trip.options.retries = 1;
	trip.options.checkpoint_ms = way->checkpoint_ms;
	trip_run(&trip);
	if (trip.result.end != ACQUIRE_COMPLETE)
		fail_msg("going on ended with %d: %s", trip.result.end, trip.err.text);
	/* What was there is not read from the drive again. */
	assert_int_equal(trip.result.capture.read_bytes, (TRIP_BLOCKS - good) * 512);
	assert_int_equal(trip_check(), TRIP_BLOCKS);
	assert_memory_equal(trip.result.info.digest[0], trip_sha256(), 32);
}

static void check_way(const struct way *way, enum acquire_end want)
{
	struct trip trip;
	uint64_t good;

	if (begin(way, &trip, &good) != want)
		fail_msg("ended with %d: %s", trip.result.end, trip.err.text);
	go_on(way, good);
}

static const char *const sizes[] = {"max-sectors-240", "max-sectors-64", NULL};

/* --- a drive that is well --- */

/* Checkpoints at every place of a slot; nothing is read back. */
static void check_undisturbed(const struct way *way)
{
	struct trip trip;
	uint64_t good;

	assert_int_equal(begin(way, &trip, &good), ACQUIRE_COMPLETE);
	assert_int_equal(good, TRIP_BLOCKS);
	assert_int_equal(trip.result.info.hashes, IMAGE_HASH_SHA256);
	assert_memory_equal(trip.result.info.digest[0], trip_sha256(), 32);
	assert_int_equal(trip.read_back, 0);
}

static void test_undisturbed(void **state)
{
	static const unsigned int checkpoints[] = {10, 2000};

	(void)state;
	for (unsigned int i = 0; i < 24; i++) {
		char settings[40];
		struct way way = {.settings = settings,
			.checkpoint_ms = checkpoints[i % 2],
			.quirks = sizes[i % 3],
			.piped = i % 4 >= 2};

		snprintf(settings, sizeof(settings), ",delay=%u",
			(i % 2 ? 40000 : 300) * (i / 2 + 1));
		check_undisturbed(&way);
	}
}

/* Of a file, what the seal reads is its own small records. */
static void test_nothing_is_read_back(void **state)
{
	static const struct way way = {
		.settings = ",delay=30000", .checkpoint_ms = 2000, .quirks = "max-sectors-64"};
	struct trip trip;

	(void)state;
	trip_no_image();
	plan(&trip, &way);
	image_pread = 0;
	assert_int_equal(trip_run(&trip), ACQUIRE_COMPLETE);
	assert_in_range(image_pread, 0, 4096);
	assert_int_equal(trip_check(), TRIP_BLOCKS);
	/* The count counts. */
	assert_true(image_pread > 4096);
}

/* --- a drive that is not --- */

static const char *const troubles[] = {
	",delay=2000,bad=100,bad=2047-2049:nolba,bad=5000-5063:nodata,bad=8491",
	",delay=20000,bad=700:nodata,slow=3000-3100:900,recovered=4000,bad=6000-6200",
	",delay=9000,hang=2500",
	",delay=9000,hang=2048-2049:deaf,bad=8000",
	",delay=9000,fault=drop=3000:lba=3000",
	",delay=9000,fault=drop=700:lba=2047,fault=drop=1500:lba=6000,bad=6001",
	",delay=9000,fault=stall-in-data:lba=1000,fault=csw-missing:lba=5000",
};

static void test_unreadable(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4 * sizeof(troubles) / sizeof(troubles[0]); i++) {
		const struct way way = {.settings = troubles[i / 4],
			.checkpoint_ms = i % 2 ? 10 : 2000,
			.quirks = sizes[i % 3],
			.reconnect_ms = 20000,
			.timeout_ms = 5000,
			.piped = i % 4 >= 2};
		bool lossless = !strstr(way.settings, "bad=") && !strstr(way.settings, "hang=");

		check_way(&way, lossless ? ACQUIRE_COMPLETE : ACQUIRE_UNREADABLE);
	}
}

/* --- captures that stop before their end --- */

/* Stops at the first notices one by one, then at fewer and fewer of them, until it has come to its
 * end before. */
static void check_stops(struct way *way)
{
	struct trip trip;
	uint64_t good;
	unsigned int stopped = 0;

	for (way->stop_at = 1;; way->stop_at += 1 + way->stop_at / 4) {
		enum acquire_end end = begin(way, &trip, &good);

		go_on(way, good);
		if (trip.notices < way->stop_at)
			break;
		stopped += end == ACQUIRE_STOPPED;
	}
	assert_true(stopped > 10);
}

static void test_stopped(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		struct way way = {.settings = i % 3 ? troubles[i % 3 - 1] : ",delay=1500",
			.checkpoint_ms = i % 2 ? 2000 : 10,
			.quirks = "max-sectors-240",
			.piped = i >= 3};

		check_stops(&way);
	}
}

/* Sessions that each come only a little further: what an earlier one had is never lost. */
static void check_chain(const struct way *first)
{
	struct way way = *first;
	struct trip trip;
	uint64_t good, before = 0;
	unsigned int sessions = 0;

	trip_no_image();
	do {
		assert_true(++sessions < 500);
		way.stop_at = 5 + sessions * 7 % 30;
		plan(&trip, &way);
		if (trip_run(&trip) != ACQUIRE_STOPPED)
			assert_true(trip.result.end <= ACQUIRE_UNREADABLE);
		good = trip_check();
		assert_true(good >= before);
		before = good;
	} while (trip.result.end == ACQUIRE_STOPPED);
	assert_true(sessions > 3);
	go_on(&way, good);
}

static void test_chain(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		check_chain(&(struct way){.settings = i % 4 ? troubles[i % 4 - 1] : ",delay=1500",
			.checkpoint_ms = i % 2 ? 2000 : 10,
			.timeout_ms = 5000,
			.quirks = "max-sectors-240"});
}

/* After N READs nothing more comes, in each way that a drive can be lost. */
static void test_lost(void **state)
{
	static const char *const ways[] = {"gone", "hardware", "medium"};

	(void)state;
	for (unsigned int n = 1; n < 37; n++) {
		char settings[60];
		const struct way way = {.settings = settings,
			.checkpoint_ms = n % 2 ? 10 : 2000,
			.quirks = "max-sectors-240",
			.reconnect_ms = n % 6 == 0 ? 3000 : 0,
			.timeout_ms = 2000,
			.piped = n % 4 >= 2};

		snprintf(settings, sizeof(settings), ",delay=%u,dies=%u:%s", n % 2 ? 4000 : 150000,
			n, ways[n % 3]);
		check_way(&way, ACQUIRE_STOPPED);
	}
}

/* One that does not answer any more at all. */
static void test_dead(void **state)
{
	(void)state;
	for (unsigned int lba = 0; lba < TRIP_BLOCKS; lba += 701) {
		char settings[60];
		const struct way way = {.settings = settings,
			.checkpoint_ms = lba % 2 ? 10 : 2000,
			.quirks = "max-sectors-240",
			.timeout_ms = 1000,
			.piped = lba % 4 >= 2};

		snprintf(settings, sizeof(settings), ",delay=4000,fault=dead:lba=%u", lba);
		check_way(&way, ACQUIRE_STOPPED);
	}
}

static void test_disk_full(void **state)
{
	struct trip trip;
	uint64_t good;
	unsigned int full = 0;

	(void)state;
	for (struct way way = {.settings = ",delay=4000", .disk = 1, .quirks = "max-sectors-240"};;
		way.disk += 1 + way.disk / 4) {
		enum acquire_end end;

		way.checkpoint_ms = way.disk % 2 ? 10 : 2000;
		end = begin(&way, &trip, &good);
		go_on(&way, good);
		if (end == ACQUIRE_COMPLETE)
			break;
		full++;
		assert_int_equal(trip.err.kind, ERR_NO_SPACE);
	}
	assert_true(full > 20);
}

static void test_sync_fails(void **state)
{
	struct trip trip;
	uint64_t good;
	unsigned int failed = 0;

	(void)state;
	for (struct way way = {.failing = 1, .checkpoint_ms = 10, .quirks = "max-sectors-240"};
		way.failing < 60; way.failing += 1 + way.failing / 4) {
		enum acquire_end end;

		way.settings = way.failing % 2 ? ",delay=4000" : troubles[0];
		end = begin(&way, &trip, &good);
		if (n_syncs >= way.failing) {
			failed++;
			assert_int_equal(end, ACQUIRE_STOPPED);
		}
		go_on(&way, good);
	}
	assert_true(failed > 5);
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
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_nothing_is_read_back),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_sync_fails),
	};

	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	simulate_time();
	return cmocka_run_group_tests_name("acquire-long", tests, begin_all, end_all);
}
