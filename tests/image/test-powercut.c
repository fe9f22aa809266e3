/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts, syncs that fail, and records that are lost.  The writes of a capture of two
 * generations are logged; then the log is cut at random places, and of what had not been made
 * durable by then each write is kept, dropped or torn.  Whatever file that leaves must open, call
 * nothing good that is not, and be gone on with to a whole image.  A sync makes durable what was
 * written before it began; some of them are held while data goes on, so that the log has that
 * window too.  SEED=n repeats a run; the links are in the Makefile (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "capture/sink.h"
#include "image/image.h"
#include "proto/ums.h"

#define BLOCKS	   9000u /* 4.4 MiB: five slots */
#define BAD	   4990u
#define N_BAD	   10u
#define CUTS	   300
#define MOST_STEPS 4000

static const struct image_geometry geometry = {512, BLOCKS, BLOCKS * 512u};
static const struct image_writer_options options = {.udif = true, .threads = 2};
static uint8_t medium[BLOCKS * 512];
static char path[64];

/* --- the log --- */

struct step {
	enum { STEP_WRITE, STEP_CUT, STEP_SYNC } kind;
	uint64_t offset; /* CUT: the new size; SYNC: the steps that it made durable */
	size_t len;
	uint8_t *bytes;
	bool lost; /* a sync failed, and it never came to the disk */
};

static struct step steps[MOST_STEPS];
static size_t n_steps;
static bool logging;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all here */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static bool hold;	      /* a sync waits before it ends */
static unsigned int releases; /* how often syncs that were held were let go */
static unsigned int n_syncs;  /* begun */
static unsigned int failing;  /* number of the sync that fails, 0: none */
static size_t failed_at;      /* steps when it did */

static struct step *log_step(void)
{
	assert_true(n_steps < MOST_STEPS);
	return &steps[n_steps++];
}

static void log_clear(void)
{
	for (size_t i = 0; i < n_steps; i++)
		free(steps[i].bytes);
	memset(steps, 0, sizeof(steps));
	n_steps = 0;
	n_syncs = 0;
	failing = 0;
	failed_at = 0;
}

/* The steps that were durable before step N. */
static size_t durable_steps(size_t n)
{
	size_t durable = 0;

	for (size_t i = 0; i < n; i++) {
		if (steps[i].kind == STEP_SYNC)
			durable = (size_t)steps[i].offset;
	}
	return durable;
}

ssize_t __real_pwritev64(int fd, const struct iovec *piece, int n, off_t offset);
ssize_t __wrap_pwritev64(int fd, const struct iovec *piece, int n, off_t offset);
int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_posix_fadvise64(int fd, off_t offset, off_t len, int advice);
int __wrap_posix_fadvise64(int fd, off_t offset, off_t len, int advice);

static void log_write(const struct iovec *piece, size_t len, off_t offset)
{
	struct step *step = log_step();

	step->kind = STEP_WRITE;
	step->offset = (uint64_t)offset;
	step->bytes = malloc(len);
	for (; step->len < len; piece++) {
		size_t part = piece->iov_len < len - step->len ? piece->iov_len : len - step->len;

		if (part > 0)
			memcpy(step->bytes + step->len, piece->iov_base, part);
		step->len += part;
	}
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *piece, int n, off_t offset)
{
	ssize_t done;

	pthread_mutex_lock(&lock);
	done = __real_pwritev64(fd, piece, n, offset);
	if (logging && done > 0)
		log_write(piece, (size_t)done, offset);
	pthread_mutex_unlock(&lock);
	return done;
}

int __wrap_ftruncate64(int fd, off_t size)
{
	int r;

	pthread_mutex_lock(&lock);
	if (logging)
		*log_step() = (struct step){.kind = STEP_CUT, .offset = (uint64_t)size};
	r = __real_ftruncate64(fd, size);
	pthread_mutex_unlock(&lock);
	return r;
}

/* As a disk may do it: of what was not durable each write is on it or not, at random. */
static int fail_sync(size_t began)
{
	for (size_t i = durable_steps(n_steps); i < began; i++)
		steps[i].lost = random() % 2;
	failed_at = n_steps;
	errno = EIO;
	return -1;
}

int __wrap_fdatasync(int fd)
{
	size_t began;
	int r = 0;

	(void)fd;
	pthread_mutex_lock(&lock);
	began = n_steps;
	n_syncs++;
	pthread_cond_broadcast(&changed);
	/* One that was let go stays so, although the next one is held already. */
	for (unsigned int mine = releases; hold && mine == releases;)
		pthread_cond_wait(&changed, &lock);
	if (logging && failing > 0 && n_syncs == failing)
		r = fail_sync(began);
	else if (logging)
		*log_step() = (struct step){.kind = STEP_SYNC, .offset = began};
	pthread_mutex_unlock(&lock);
	return r;
}

static void sync_hold(bool on)
{
	pthread_mutex_lock(&lock);
	hold = on;
	releases += !on;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static unsigned int syncs_begun(void)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = n_syncs;
	pthread_mutex_unlock(&lock);
	return n;
}

/* Until another sync has begun than the N that had before. */
static void wait_for_sync(unsigned int n)
{
	pthread_mutex_lock(&lock);
	while (n_syncs == n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

/* --- a capture --- */

static void put(struct image_writer *writer, uint64_t lba, uint64_t end)
{
	struct capture_sink *sink = image_writer_sink(writer);

	while (lba < end) {
		uint64_t slot_end = (lba / sink->slot_blocks + 1) * sink->slot_blocks;
		uint32_t n = (uint32_t)((slot_end < end ? slot_end : end) - lba);
		void *p = sink->ops->reserve(sink, lba, n, NULL);

		assert_non_null(p);
		memcpy(p, medium + lba * 512, (size_t)n * 512);
		assert_int_equal(sink->ops->commit(sink, lba, n, BLOCK_GOOD, NULL, NULL), 0);
		assert_int_equal(sink->ops->release(sink, lba, n, NULL), 0);
		lba += n;
	}
}

static void mark_bad(struct image_writer *writer)
{
	struct capture_sink *sink = image_writer_sink(writer);
	struct block_reason why = {.status = 2, .sense_key = 3, .asc = 0x11, .tries = 1};

	assert_int_equal(sink->ops->mark(sink, BAD, N_BAD, BLOCK_BAD, &why, NULL), 0);
}

static void checkpoint(struct image_writer *writer, uint64_t position)
{
	struct capture_sink *sink = image_writer_sink(writer);

	assert_int_equal(sink->ops->checkpoint(sink, 1, position, true, NULL), 0);
}

static void seal_and_close(struct image_writer *writer)
{
	struct err err = {0};

	if (image_writer_seal(writer, true, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(image_writer_close(writer, NULL), 0);
}

/* A checkpoint whose sync ends only when sectors LBA … END-1 are in the file behind it. */
static void checkpoint_around(struct image_writer *writer, uint64_t lba, uint64_t end)
{
	struct capture_sink *sink = image_writer_sink(writer);
	unsigned int before = syncs_begun();
	uint8_t sector[512];

	sync_hold(true);
	checkpoint(writer, lba);
	wait_for_sync(before);
	assert_true(sink->ops->under_way(sink));
	put(writer, lba, end);
	/* In a slot that is on its way: reading it back waits until it is in the file. */
	assert_int_equal(sink->ops->read_back(sink, lba, 1, sector, NULL), 0);
	assert_memory_equal(sector, medium + lba * 512, 512);
	sync_hold(false);
}

/* Two generations: pieces, marks, checkpoints, a stop, a seal; then the bad sectors after all. */
static void log_capture(void)
{
	struct image_writer *writer;
	struct capture_sink *sink;

	logging = true;
	writer = image_create(path, &geometry, &options, NULL);
	assert_non_null(writer);
	sink = image_writer_sink(writer);
	assert_int_equal(sink->ops->blob(sink, "identity", "a=b\n", 4, NULL), 0);
	assert_int_equal(sink->ops->journal(sink, "{\"event\":\"begin\"}", NULL), 0);
	put(writer, 0, 2500);
	checkpoint(writer, 2500);
	put(writer, 7000, BLOCKS);
	put(writer, 2500, 2600);
	checkpoint(writer, 2600);
	assert_int_equal(image_writer_close(writer, NULL), 0);

	writer = image_resume(path, &options, NULL);
	assert_non_null(writer);
	put(writer, 2600, 3000);
	checkpoint_around(writer, 3000, BAD);
	put(writer, BAD + N_BAD, 6000);
	mark_bad(writer);
	checkpoint_around(writer, 6000, 7000);
	seal_and_close(writer);

	writer = image_resume(path, &options, NULL);
	assert_non_null(writer);
	put(writer, BAD, BAD + 4);
	checkpoint(writer, BAD + 4);
	put(writer, BAD + 4, BAD + N_BAD);
	seal_and_close(writer);
	logging = false;
}

/* --- a power cut --- */

static void apply(int fd, const struct step *step)
{
	if (step->kind == STEP_WRITE)
		assert_int_equal(pwrite(fd, step->bytes, step->len, (off_t)step->offset),
			(ssize_t)step->len);
	else if (step->kind == STEP_CUT)
		assert_int_equal(__real_ftruncate64(fd, (off_t)step->offset), 0);
}

/* Not yet durable: there, not there, or there in part, by sectors of the disk or to a byte. */
static void apply_perhaps(int fd, const struct step *step)
{
	struct step part = *step;

	switch (random() % 4) {
	case 0:
		return;
	case 1:
		apply(fd, step);
		return;
	case 2:
		if (part.len > 0)
			part.len = (size_t)random() % part.len;
		apply(fd, &part);
		return;
	default:
		for (size_t at = 0; step->kind == STEP_WRITE && at < step->len; at += 512) {
			part.offset = step->offset + at;
			part.bytes = step->bytes + at;
			part.len = step->len - at < 512 ? step->len - at : 512;
			if (random() % 2)
				apply(fd, &part);
		}
	}
}

/* The file as a power cut behind step N may leave it. */
static void rebuild(size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	size_t durable = durable_steps(n);

	assert_true(fd >= 0);
	for (size_t i = 0; i < durable; i++)
		apply(fd, &steps[i]);
	for (size_t i = durable; i < n; i++)
		apply_perhaps(fd, &steps[i]);
	close(fd);
}

/* What the image calls good must be; returns the number of good sectors. */
static uint64_t check_good(struct image *image)
{
	static uint8_t plain[BLOCKS * 512];
	struct err err = {0};

	if (image_read(image, 0, sizeof(plain), plain, &err) < 0)
		fail_msg("%s", err.text);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		if (BLOCK_MASK(blockmap_at(image_map(image), i).state) & BLOCK_HAVE)
			assert_memory_equal(plain + i * 512, medium + i * 512, 512);
	}
	return blockmap_count(image_map(image), BLOCK_HAVE);
}

static void finish(void)
{
	struct err err = {0};
	struct image_writer *writer = image_resume(path, &options, &err);
	struct block_range range;
	uint64_t put_back;

	if (!writer)
		fail_msg("%s", err.text);
	while (blockmap_next(image_writer_map(writer), 0, BLOCK_MISSING, &range))
		put(writer, range.lba, range.lba + range.n);
	/* A damaged record's sectors come from the drive once more. */
	assert_int_equal(image_writer_check(writer, true, NULL, NULL, &put_back, NULL), 0);
	while (blockmap_next(image_writer_map(writer), 0, BLOCK_MISSING, &range))
		put(writer, range.lba, range.lba + range.n);
	seal_and_close(writer);
}

static void found(void *context, const char *text)
{
	(void)context;
	print_error("%s\n", text);
}

static void check_whole(void)
{
	struct image_verify_report report;
	struct image *image = image_open(path, NULL);

	assert_non_null(image);
	assert_true(image_info(image)->sealed);
	assert_int_equal(check_good(image), BLOCKS);
	image_close(image);
	assert_int_equal(image_verify(path, found, NULL, NULL, &report, NULL), 0);
	assert_int_equal(report.problems, 0);
}

/* Steps up to the first checkpoint's barrier; before it an image may have nothing yet. */
static size_t first_barrier(void)
{
	size_t i = 0;

	while (steps[i].kind != STEP_SYNC)
		i++;
	return i + 1;
}

static void test_cuts(void **state)
{
	size_t first = first_barrier();
	uint64_t most = 0;

	(void)state;
	for (int i = 0; i < CUTS; i++) {
		size_t n = first + (size_t)random() % (n_steps - first + 1);
		struct image *image;
		struct err err = {0};

		rebuild(n);
		image = image_open(path, &err);
		if (!image)
			fail_msg("cut %d behind step %zu: %s", i, n, err.text);
		most = check_good(image) > most ? check_good(image) : most;
		image_close(image);
		finish();
		check_whole();
	}
	assert_true(most > BLOCKS / 2);
}

/* What a checkpoint has said must be there after every cut behind it. */
static void test_nothing_durable_is_lost(void **state)
{
	size_t syncs[MOST_STEPS], n = 0;
	uint64_t before = 0;

	(void)state;
	for (size_t i = 0; i < n_steps; i++) {
		if (steps[i].kind == STEP_SYNC)
			syncs[n++] = i + 1;
	}
	/* Up to the seal of the first generation the good sectors can only grow. */
	for (size_t i = 0; i < n; i++) {
		struct image *image;
		uint64_t good;

		rebuild(syncs[i]);
		image = image_open(path, NULL);
		assert_non_null(image);
		good = check_good(image);
		assert_true(good >= before);
		before = good;
		image_close(image);
	}
	assert_int_equal(before, BLOCKS);
}

/* --- records that are lost --- */

static bool write_has_record(const struct step *step)
{
	return step->kind == STEP_WRITE && step->len >= UMS_RECORD_HEAD_SIZE &&
	       get_le32(step->bytes + REC_MAGIC) == UMS_RECORD_MAGIC;
}

/* Journal and blobs are not on the drive: what is lost of them stays lost, and verify says so. */
static bool can_come_back(const struct step *step)
{
	uint32_t type = write_has_record(step) ? get_le32(step->bytes + REC_TYPE) : 0;

	return type != UMS_TYPE_BLOB && type != UMS_TYPE_JRNL;
}

static void rebuild_without(size_t lost)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	for (size_t i = 0; i < n_steps; i++) {
		if (i != lost)
			apply(fd, &steps[i]);
	}
	close(fd);
}

/* Each record of the whole file, of every kind, once reads as zeros: what remains is gone on with
 * to a whole image. */
static void test_lost_records(void **state)
{
	unsigned int kinds = 0;

	(void)state;
	for (size_t i = 1; i < n_steps; i++) {
		struct image *image;

		if (steps[i].kind != STEP_WRITE)
			continue;
		kinds++;
		rebuild_without(i);
		image = image_open(path, NULL);
		if (!image)
			fail_msg("without step %zu: does not open", i);
		image_close(image);
		finish();
		if (can_come_back(&steps[i]))
			check_whole();
	}
	assert_true(kinds > 20);
}

/* --- a sync that fails --- */

static bool cache_lies; /* it shows what the disk never got, until it is dropped */

/* Fills the file with what the disk has. */
static void show_disk(void)
{
	int fd = open(path, O_RDWR | O_TRUNC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < n_steps; i++) {
		if (!steps[i].lost)
			apply(fd, &steps[i]);
	}
	close(fd);
}

int __wrap_posix_fadvise64(int fd, off_t offset, off_t len, int advice)
{
	(void)fd, (void)offset, (void)len;
	pthread_mutex_lock(&lock);
	if (cache_lies && advice == POSIX_FADV_DONTNEED)
		show_disk();
	pthread_mutex_unlock(&lock);
	return 0;
}

/* Goes on with the image on the same machine, to a whole one; then the cache is dropped. */
static void finish_on_disk(void)
{
	logging = cache_lies = true;
	failing = 0;
	finish();
	logging = cache_lies = false;
	show_disk();
	check_whole();
}

/* After the sync that failed nothing is claimed: no checkpoint, no seal. */
static void check_no_claim(void)
{
	for (size_t i = failed_at; i < n_steps; i++) {
		uint32_t type =
			write_has_record(&steps[i]) ? get_le32(steps[i].bytes + REC_TYPE) : 0;

		if (type == UMS_TYPE_CKPT)
			fail_msg("sync %u failed, and a checkpoint followed", failing);
	}
}

/* The last SEAL of the log, if nothing cut it off again. */
static bool seal_remains(void)
{
	uint64_t seal = 0;

	for (size_t i = 0; i < n_steps; i++) {
		if (write_has_record(&steps[i]) &&
			get_le32(steps[i].bytes + REC_TYPE) == UMS_TYPE_SEAL)
			seal = steps[i].offset;
		if (steps[i].kind == STEP_CUT && steps[i].offset <= seal)
			seal = 0;
	}
	return seal != 0;
}

/* A capture that ends where something fails; true when all went well. */
static bool run_until_failure(struct err *err)
{
	struct image_writer *writer = image_create(path, &geometry, &options, err);
	struct capture_sink *sink;
	bool good = true;

	assert_non_null(writer);
	sink = image_writer_sink(writer);
	for (uint64_t lba = 0; good && lba < BLOCKS; lba += 512) {
		uint32_t n = BLOCKS - lba < 512 ? (uint32_t)(BLOCKS - lba) : 512;
		uint8_t *p = sink->ops->reserve(sink, lba, n, err);

		good = p != NULL;
		if (!good)
			break;
		memcpy(p, medium + lba * 512, (size_t)n * 512);
		good = sink->ops->commit(sink, lba, n, BLOCK_GOOD, NULL, err) == 0;
		good = sink->ops->release(sink, lba, n, good ? err : NULL) == 0 && good;
		if (good && lba % 1536 == 0)
			good = sink->ops->checkpoint(sink, 1, lba, true, err) == 0;
	}
	if (good)
		good = image_writer_seal(writer, true, NULL, NULL, err) == 0;
	return image_writer_close(writer, good ? err : NULL) == 0 && good;
}

/* Every sync of a capture fails once, while the cache goes on showing what the disk never got. */
static void test_failed_syncs(void **state)
{
	unsigned int number = 2; /* before the first one succeeds there is no image */

	(void)state;
	for (bool whole = false; !whole; number++) {
		struct err err = {0};

		log_clear();
		unlink(path);
		failing = number;
		logging = true;
		whole = run_until_failure(&err);
		logging = false;
		if (whole)
			break;
		assert_true(failed_at > 0);
		assert_non_null(strstr(err.text, "run the command again"));
		check_no_claim();
		assert_false(seal_remains());
		finish_on_disk();
	}
	assert_true(number > 6);
}

/* The sync fails while data that came later is already in the file. */
static void test_failed_sync_with_data_behind(void **state)
{
	struct image_writer *writer;
	struct capture_sink *sink;
	struct err err = {0};

	(void)state;
	log_clear();
	unlink(path);
	logging = true;
	writer = image_create(path, &geometry, &options, NULL);
	assert_non_null(writer);
	sink = image_writer_sink(writer);
	put(writer, 0, 3000);
	checkpoint(writer, 3000);
	while (sink->ops->under_way(sink))
		;
	put(writer, 3000, 5000);
	failing = n_syncs + 1;
	checkpoint_around(writer, 5000, 8000);
	/* Without waiting for the failure to be seen: close sees it. */
	assert_int_equal(image_writer_close(writer, &err), -1);
	logging = false;
	check_no_claim();
	finish_on_disk();
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	log_clear();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_durable_is_lost),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_lost_records),
		/* These have logs of their own. */
		cmocka_unit_test(test_failed_syncs),
		cmocka_unit_test(test_failed_sync_with_data_behind),
	};
	const char *given = getenv("SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "# SEED=%u\n", seed);
	srandom(seed);
	for (size_t i = 0; i < sizeof(medium); i++)
		medium[i] = (uint8_t)(i / 51200 % 3 == 0   ? "power "[i % 6]
				      : i / 51200 % 3 == 1 ? random()
							   : 0);
	snprintf(path, sizeof(path), "/tmp/umsctl-powercut-XXXXXX");
	close(mkstemp(path));
	unlink(path);
	log_capture();
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
