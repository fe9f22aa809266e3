/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images that are made to cost their reader dear.  Whatever is done with one, the work stays in
 * proportion to the file's size and to what it holds.  Work is counted, not timed: bytes that are
 * read from the file, summed, moved and decoded, and the memory that is held at once, all by
 * functions that the linker puts in the way (-Wl,--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/bytes.h"
#include "proto/udif.h"
#include "tests/aid/hostile.h"
#include "tests/aid/makeimage.h"

static char path[64];

/* --- work --- */

static atomic_ullong n_read, n_summed, n_moved, n_decoded;
static atomic_llong held, held_most;

#define WRAPPED(type, name, ...)                                                                   \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

struct inflater;

WRAPPED(ssize_t, pread64, int fd, void *bytes, size_t len, off64_t offset)
{
	ssize_t n = __real_pread64(fd, bytes, len, offset);

	n_read += n > 0 ? (unsigned long long)n : 64;
	return n;
}

WRAPPED(uint32_t, crc32_of, uint32_t crc, const void *bytes, size_t len)
{
	n_summed += len;
	return __real_crc32_of(crc, bytes, len);
}

WRAPPED(bool, inflater_unit, struct inflater *inflater, const uint8_t *stored, size_t stored_len,
	void *plain, size_t len)
{
	n_decoded += len;
	return __real_inflater_unit(inflater, stored, stored_len, plain, len);
}

WRAPPED(void *, memmove, void *to, const void *from, size_t len)
{
	n_moved += len;
	return __real_memmove(to, from, len);
}

static void count_held(void *p)
{
	long long now;

	if (!p)
		return;
	now = held += (long long)malloc_usable_size(p);
	if (now > held_most)
		held_most = now;
}

WRAPPED(void *, malloc, size_t len)
{
	void *p = __real_malloc(len);

	count_held(p);
	return p;
}

WRAPPED(void *, calloc, size_t n, size_t size)
{
	void *p = __real_calloc(n, size);

	count_held(p);
	return p;
}

WRAPPED(void *, realloc, void *old, size_t len)
{
	long long before = old ? (long long)malloc_usable_size(old) : 0;
	void *p = __real_realloc(old, len);

	if (p) {
		held -= before;
		count_held(p);
	}
	return p;
}

WRAPPED(void *, reallocarray, void *old, size_t n, size_t size)
{
	long long before = old ? (long long)malloc_usable_size(old) : 0;
	void *p = __real_reallocarray(old, n, size);

	if (p) {
		held -= before;
		count_held(p);
	}
	return p;
}

WRAPPED(void, free, void *p)
{
	if (p)
		held -= (long long)malloc_usable_size(p);
	__real_free(p);
}

/* --- what is done with an image --- */

static void ignore_finding(void *context, const char *text)
{
	(void)context, (void)text;
}

static int ignore_blob(void *context, const char *name, const void *bytes, size_t len)
{
	(void)context, (void)name, (void)bytes, (void)len;
	return 0;
}

static int ignore_line(void *context, const char *json)
{
	(void)context, (void)json;
	return 0;
}

static void look_at_map(const struct image *image)
{
	struct block_range range;

	blockmap_areas(image_map(image), BLOCK_HAVE);
	for (uint64_t lba = 0; blockmap_next(image_map(image), lba, BLOCK_ALL, &range);
		lba = range.lba + range.n)
		;
	for (uint64_t lba = UINT64_MAX; blockmap_prev(image_map(image), lba, BLOCK_ALL, &range);
		lba = range.lba)
		;
}

/* All of it in small pieces, as a block device is read. */
static void read_in_pieces(struct image *image)
{
	uint64_t size = image_info(image)->size_bytes;
	uint8_t plain[8192];

	for (uint64_t at = 0; at < size; at += sizeof(plain))
		image_read(image, at,
			size - at < sizeof(plain) ? (size_t)(size - at) : sizeof(plain), plain,
			NULL);
}

static void ignore_loss(void *context, const struct image_lost *lost)
{
	(void)context, (void)lost;
}

static void use_for_reading(void)
{
	static const struct image_export_options salvage = {.lose = ignore_loss};
	struct image_verify_report report;
	struct image *image = image_open(path, NULL);
	int null = open("/dev/null", O_WRONLY), out = memfd_create("out", 0);
	size_t len;

	if (image) {
		look_at_map(image);
		image_blobs(image, ignore_blob, NULL, NULL);
		image_journal(image, ignore_line, NULL, NULL);
		free(image_blob(image, "no such blob", &len));
		image_export_mapfile(image, null, NULL);
		read_in_pieces(image);
		image_export(image, out, &salvage, NULL);
		image_close(image);
	}
	image_verify(path, ignore_finding, NULL, NULL, &report, NULL);
	close(out);
	close(null);
}

static void use_for_writing(void)
{
	static const struct image_writer_options options = {.udif = true, .threads = 1};
	struct image_writer *writer = image_resume(path, &options, NULL);

	if (!writer)
		return;
	image_writer_seal(writer, true, NULL, NULL, NULL);
	image_writer_close(writer, NULL);
}

/* True when what was done with the image at PATH was in proportion.  More may be moved than read: a
 * map entry of 24 bytes moves up to 4 KiB. */
static bool work_is_fair(const char *what, size_t file_bytes)
{
	unsigned long long most = 64 * file_bytes + (128u << 20);

	n_read = n_summed = n_moved = n_decoded = 0;
	held_most = held = 0;
	use_for_reading();
	use_for_writing();
	if (n_read <= most && n_summed <= most && n_moved <= 32 * most && n_decoded <= most &&
		held_most <= (long long)most)
		return true;
	print_error("%s: MiB read %llu, summed %llu, moved %llu, decoded %llu, held %lld; "
		    "at most %llu are allowed\n",
		what, n_read >> 20, n_summed >> 20, n_moved >> 20, n_decoded >> 20,
		(long long)held_most >> 20, most >> 20);
	return false;
}

static void test_work(void **state)
{
	unsigned int n_unfair = 0;

	(void)state;
	for (const struct hostile_image *row = hostile_images; row->what; row++) {
		struct forged file = {0};

		row->build(&file);
		write_file(path, file.p, file.n);
		n_unfair += !work_is_fair(row->what, file.n);
		forge_free(&file);
	}
	assert_int_equal(n_unfair, 0);
}

/* --- numbers that lie --- */

/* A number in a record of TYPE (the last one of the file), and behind it the CRCs right again. */
static void lie(
	struct forged *file, uint32_t type, size_t field, unsigned int width, uint64_t value)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	for (size_t at = file->n / UMS_ALIGN * UMS_ALIGN; at > 0; at -= UMS_ALIGN) {
		if (at + UMS_RECORD_HEAD_SIZE + field + width > file->n ||
			get_le32(file->p + at) != UMS_RECORD_MAGIC ||
			get_le32(file->p + at + REC_TYPE) != type)
			continue;
		memcpy(file->p + at + UMS_RECORD_HEAD_SIZE + field, bytes, width);
		forge_mend(file, at);
		return;
	}
	fail_msg("no record of type 0x%x", type);
}

static void test_lies(void **state)
{
	enum { REFS = UMS_ROOT_HEAD_SIZE + UMS_ROOT_PAGE_SIZE };
	static const struct {
		const char *what;
		uint32_t type;
		size_t field;
		unsigned int width;
	} rows[] = {
		{"an index entry's LBA", UMS_TYPE_INDX, INDEX_LBA, 8},
		{"an index entry's offset", UMS_TYPE_INDX, INDEX_OFFSET, 8},
		{"an index entry's sectors", UMS_TYPE_INDX, INDEX_N_BLOCKS, 4},
		{"an index entry's length", UMS_TYPE_INDX, INDEX_LENGTH, 4},
		{"an index entry's encoding", UMS_TYPE_INDX, INDEX_ENCODING, 1},
		{"a page's LBA", UMS_TYPE_ROOT, UMS_ROOT_HEAD_SIZE + PAGE_FIRST_LBA, 8},
		{"a page's offset", UMS_TYPE_ROOT, UMS_ROOT_HEAD_SIZE + PAGE_OFFSET, 8},
		{"a page's entries", UMS_TYPE_ROOT, UMS_ROOT_HEAD_SIZE + PAGE_N_ENTRIES, 4},
		{"the number of pages", UMS_TYPE_ROOT, ROOT_N_PAGES, 4},
		{"the number of references", UMS_TYPE_ROOT, ROOT_N_REFS, 4},
		{"a reference's offset", UMS_TYPE_ROOT, REFS + REF_OFFSET, 8},
		{"a reference's type", UMS_TYPE_ROOT, REFS + REF_TYPE, 4},
		{"a map entry's LBA", UMS_TYPE_MAPS, MAP_LBA, 8},
		{"a map entry's sectors", UMS_TYPE_MAPS, MAP_N_BLOCKS, 8},
		{"a map entry's state", UMS_TYPE_MAPS, MAP_STATE, 1},
		{"the footer's root", UMS_TYPE_SEAL, SEAL_ROOT, 8},
		{"the footer's map", UMS_TYPE_SEAL, SEAL_MAP, 8},
		{"the footer's checkpoint", UMS_TYPE_SEAL, SEAL_CKPT, 8},
		{"a checkpoint's previous", UMS_TYPE_CKPT, CKPT_PREVIOUS, 8},
		{"a checkpoint's seal", UMS_TYPE_CKPT, CKPT_SEAL, 8},
		{"a run's LBA", UMS_TYPE_DATA, DATA_LBA, 8},
		{"a run's sectors", UMS_TYPE_DATA, DATA_N_BLOCKS, 4},
		{"a run's units", UMS_TYPE_DATA, DATA_N_UNITS, 4},
		{"a run's body", UMS_TYPE_DATA, DATA_BODY, 4},
		{"a run's body's length", UMS_TYPE_DATA, DATA_BODY_BYTES, 4},
		{"a unit's offset", UMS_TYPE_DATA, UMS_DATA_HEAD_SIZE, 4},
		{"a blob's name's length", UMS_TYPE_BLOB, BLOB_NAME_LENGTH, 2},
	};
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t values[] = {UINT64_MAX, UINT64_MAX - 15, INT64_MAX, 1ull << 63, 0, 1,
			whole, whole - 1, whole - 512, UINT32_MAX};

		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			struct forged file = {0};

			forge_bytes(&file, bytes, whole);
			lie(&file, rows[i].type, rows[i].field, rows[i].width, values[v]);
			write_file(path, file.p, file.n);
			forge_free(&file);
			use_for_reading();
			use_for_writing();
		}
	}
	free(bytes);
}

/* The property list's place in the UDIF trailer is where the footer is looked for. */
static void test_trailer_lies(void **state)
{
	static const uint64_t values[] = {0, 1, 511, 512, 1ull << 63, UINT64_MAX};
	size_t whole;
	uint8_t *bytes = make_image(path, true, &whole);

	(void)state;
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		put_be64(bytes + whole - UDIF_KOLY_SIZE + KOLY_XML_OFFSET, values[v]);
		write_file(path, bytes, whole);
		use_for_reading();
		use_for_writing();
	}
	free(bytes);
}

/* A header that holds the records behind it: they do not count, or going on with the image would
 * write over what the header's CRC goes over. */
static void test_long_header(void **state)
{
	static const struct image_writer_options options = {.udif = true, .threads = 1};
	struct image_writer *writer;
	struct forged file = {0};
	struct image *image;
	size_t whole;
	uint8_t *bytes = make_image(path, false, &whole);

	(void)state;
	forge_bytes(&file, bytes, 300000);
	/* And some bytes behind the last record, which are cut off by who goes on. */
	forge_bytes(&file, NULL, 100);
	put_le64(file.p + REC_LENGTH, file.n - UMS_RECORD_HEAD_SIZE);
	forge_mend(&file, 0);
	write_file(path, file.p, file.n);
	writer = image_resume(path, &options, NULL);
	assert_non_null(writer);
	assert_int_equal(image_writer_seal(writer, true, NULL, NULL, NULL), 0);
	assert_int_equal(image_writer_close(writer, NULL), 0);
	image = image_open(path, NULL);
	assert_non_null(image);
	image_close(image);
	forge_free(&file);
	free(bytes);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_trailer_lies),
		cmocka_unit_test(test_long_header),
		cmocka_unit_test(test_work),
	};

	snprintf(path, sizeof(path), "/tmp/umsctl-hostile-XXXXXX");
	close(mkstemp(path));
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
