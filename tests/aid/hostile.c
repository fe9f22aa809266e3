/* SPDX-License-Identifier: BSD-2-Clause */
/* Images that are made to cost their reader dear: see hostile.h. */
#include "tests/aid/hostile.h"

#include <stdio.h>
#include <string.h>

#include "base/blockmap.h"
#include "base/bytes.h"
#include "proto/ums.h"

#define SLOT	(1u << 20)
#define UNIT	(128u << 10)
#define SECTORS (SLOT / 512)

static void small_head(struct forged *file)
{
	forge_head(file, 4 * SECTORS, UNIT, SLOT);
}

/* Every other sector, from the last to the first. */
static void descending_map(struct forged *map)
{
	for (uint64_t lba = 200000; lba > 0; lba -= 2)
		forge_map_entry(map, lba, 1, BLOCK_BAD);
}

static void build_descending(struct forged *file)
{
	struct forged map = {0};

	descending_map(&map);
	forge_head(file, 200001, UNIT, SLOT);
	forge_ckpt(file, 0, &map, NULL, NULL);
	forge_free(&map);
}

static void build_descending_sealed(struct forged *file)
{
	struct forged map = {0};

	descending_map(&map);
	forge_head(file, 200001, UNIT, SLOT);
	forge_seal(file, NULL, NULL, &map, 0);
	forge_free(&map);
}

/* Each entry splits the widest range that is left, so that none lies beside the one before. */
static void build_scattered_map(struct forged *file)
{
	struct forged map = {0};

	for (uint64_t i = 1; i < 1u << 16; i++) {
		uint64_t lba = 0;

		for (unsigned int bit = 0; bit < 16; bit++)
			lba |= (i >> bit & 1) << (15 - bit);
		forge_map_entry(&map, lba * 3, 1 + i % 2, BLOCK_BAD);
	}
	forge_head(file, 3u << 16, UNIT, SLOT);
	forge_ckpt(file, 0, &map, NULL, NULL);
	forge_free(&map);
}

/* A CRC to the end of the file for each head finds out that it is none. */
static void false_heads(struct forged *file, uint32_t type)
{
	enum { N = 20000 };

	small_head(file);
	for (unsigned int i = 0; i < N; i++)
		forge_false_head(file, type, (uint64_t)(N - 1 - i) * UMS_RECORD_HEAD_SIZE);
}

static void build_false_data(struct forged *file)
{
	false_heads(file, UMS_TYPE_DATA);
}

static void build_false_checkpoints(struct forged *file)
{
	false_heads(file, UMS_TYPE_CKPT);
}

static void build_false_refs(struct forged *file)
{
	struct forged refs = {0};

	false_heads(file, UMS_TYPE_JRNL);
	for (uint64_t at = UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE; at < file->n;
		at += UMS_RECORD_HEAD_SIZE)
		forge_ref(&refs, at / UMS_RECORD_HEAD_SIZE % 2 ? UMS_TYPE_JRNL : UMS_TYPE_BLOB, at);
	forge_ckpt(file, 0, NULL, NULL, &refs);
	forge_free(&refs);
}

static void blobs(struct forged *file, unsigned int n_names)
{
	struct forged refs = {0};

	small_head(file);
	for (unsigned int i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "blob-%u", i % n_names);
		forge_ref(&refs, UMS_TYPE_BLOB, forge_blob(file, name, 200));
	}
	forge_ckpt(file, 0, NULL, NULL, &refs);
	forge_free(&refs);
}

static void build_many_blobs(struct forged *file)
{
	blobs(file, 5000);
}

static void build_one_blob_often(struct forged *file)
{
	blobs(file, 1);
}

static void references(struct forged *file, uint32_t type)
{
	static const char line[65536] = {1, 0, 0, 0, 0, 0, 0, 0, 'x'};
	struct forged refs = {0};
	uint64_t offset;

	small_head(file);
	offset = forge_record(file, type, line, sizeof(line));
	for (unsigned int i = 0; i < 20000; i++)
		forge_ref(&refs, type, offset);
	forge_ckpt(file, 0, NULL, NULL, &refs);
	forge_free(&refs);
}

static void build_one_line_often(struct forged *file)
{
	references(file, UMS_TYPE_JRNL);
}

static void build_one_blob_ref_often(struct forged *file)
{
	references(file, UMS_TYPE_BLOB);
}

/* Each of the runs holds the whole slot; the last one counts. */
static void build_runs_over_runs(struct forged *file)
{
	struct index_entry entry;

	small_head(file);
	forge_data(file, 0, SECTORS, UNIT, 'x', &entry);
	for (unsigned int i = 0; i < 600; i++)
		forge_data_again(file, &entry);
}

static void build_one_run_often(struct forged *file)
{
	struct forged index = {0};
	struct index_entry entry;

	small_head(file);
	forge_data(file, 0, SECTORS, UNIT, 'x', &entry);
	for (unsigned int i = 0; i < 20000; i++)
		forge_index_entry(&index, &entry);
	forge_ckpt(file, 0, NULL, &index, NULL);
	forge_free(&index);
}

/* 3000 pages that are all one and the same record. */
static void build_one_page_often(struct forged *file)
{
	struct forged page = {0}, pages = {0};
	struct index_entry entry;
	uint64_t offset;

	forge_head(file, 3000 * 8, 4096, 4096);
	forge_data(file, 0, 8, 4096, 'x', &entry);
	for (unsigned int i = 0; i < 20000; i++)
		forge_index_entry(&page, &entry);
	offset = forge_record(file, UMS_TYPE_INDX, page.p, page.n);
	for (unsigned int i = 0; i < 3000; i++)
		forge_page(&pages, 8ull * i, offset, 20000);
	forge_seal(file, &pages, NULL, NULL, 0);
	forge_free(&page);
	forge_free(&pages);
}

static void build_absurd_pages(struct forged *file)
{
	struct forged pages = {0};

	forge_head(file, 3000 * 8, 4096, 4096);
	for (unsigned int i = 0; i < 3000; i++)
		forge_page(&pages, 8ull * i, 64ull * i, UINT32_MAX);
	forge_seal(file, &pages, NULL, NULL, 0);
	forge_free(&pages);
}

static void fill_blob(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level)
{
	(void)offset, (void)length;
	put_le16(prefix + BLOB_NAME_LENGTH, 8);
	snprintf((char *)prefix + UMS_BLOB_HEAD_SIZE, 8, "b%zu", level);
}

static void fill_data(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level)
{
	(void)offset;
	put_le64(prefix + DATA_LBA, level);
	put_le32(prefix + DATA_N_BLOCKS, 1);
	prefix[DATA_ENCODING] = UMS_ENCODING_ZLIB;
	put_le32(prefix + DATA_N_UNITS, 1);
	put_le32(prefix + DATA_BODY, UMS_DATA_HEAD_SIZE + UMS_UNIT_ENTRY_SIZE);
	put_le32(prefix + DATA_BODY_BYTES,
		(uint32_t)length - UMS_DATA_HEAD_SIZE - UMS_UNIT_ENTRY_SIZE);
}

/* The references and lengths of a checkpoint whose last entries are what lies in it. */
static void fill_checkpoint(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level)
{
	put_le64(prefix + CKPT_PREVIOUS,
		level > 0 ? offset - UMS_RECORD_HEAD_SIZE - UMS_CKPT_HEAD_SIZE : 0);
	put_le32(prefix + CKPT_N_REFS, (uint32_t)((length - UMS_CKPT_HEAD_SIZE) / UMS_REF_SIZE));
}

#define NESTED 8000

static void build_nested_blobs(struct forged *file)
{
	small_head(file);
	forge_nest(file, UMS_TYPE_BLOB, NESTED, 16, fill_blob);
}

static void build_nested_refs(struct forged *file)
{
	struct forged refs = {0};

	build_nested_blobs(file);
	for (uint64_t i = 0; i < NESTED; i++)
		forge_ref(&refs, UMS_TYPE_BLOB, UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE + 80 * i);
	forge_ckpt(file, 0, NULL, NULL, &refs);
	forge_free(&refs);
}

static void build_nested_runs(struct forged *file)
{
	small_head(file);
	forge_nest(file, UMS_TYPE_DATA, NESTED, 48, fill_data);
}

/* The index entries of the nested runs, which begin at BEGIN. */
static void nested_index(const struct forged *file, uint64_t begin, struct forged *index)
{
	for (uint64_t i = 0; i < NESTED; i++) {
		uint64_t offset = begin + 112 * i;
		struct index_entry entry = {
			.lba = i,
			.n_blocks = 1,
			.offset = offset,
			.length = (uint32_t)get_le64(file->p + offset + REC_LENGTH),
			.encoding = UMS_ENCODING_ZLIB,
		};

		forge_index_entry(index, &entry);
	}
}

static void build_nested_runs_in_index(struct forged *file)
{
	struct forged index = {0};

	build_nested_runs(file);
	nested_index(file, UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE, &index);
	forge_ckpt(file, 0, NULL, &index, NULL);
	forge_free(&index);
}

/* Zeros, of which nothing should be stored. */
static void fill_zeros(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level)
{
	(void)offset;
	put_le64(prefix + DATA_LBA, level);
	put_le32(prefix + DATA_N_BLOCKS, 1);
	prefix[DATA_ENCODING] = UMS_ENCODING_ZERO;
	put_le32(prefix + DATA_BODY, UMS_DATA_HEAD_SIZE);
	put_le32(prefix + DATA_BODY_BYTES, (uint32_t)length - UMS_DATA_HEAD_SIZE);
}

/* Slots of eight sectors and a page for each, so that no page shows that the runs overlap. */
static void nested_runs_sealed(struct forged *file,
	void (*fill)(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level))
{
	struct forged index = {0}, pages = {0};

	forge_head(file, NESTED, 4096, 4096);
	forge_nest(file, UMS_TYPE_DATA, NESTED, 48, fill);
	nested_index(file, UMS_RECORD_HEAD_SIZE + UMS_HEAD_SIZE, &index);
	for (uint64_t i = 0; i < NESTED; i += 8) {
		uint64_t offset = forge_record(file, UMS_TYPE_INDX,
			index.p + i * UMS_INDEX_ENTRY_SIZE, 8 * UMS_INDEX_ENTRY_SIZE);

		forge_page(&pages, i, offset, 8);
	}
	forge_seal(file, &pages, NULL, NULL, 0);
	forge_free(&index);
	forge_free(&pages);
}

static void build_nested_runs_sealed(struct forged *file)
{
	nested_runs_sealed(file, fill_data);
}

static void build_nested_zeros_sealed(struct forged *file)
{
	nested_runs_sealed(file, fill_zeros);
}

static void build_nested_checkpoints(struct forged *file)
{
	small_head(file);
	forge_nest(file, UMS_TYPE_CKPT, NESTED, UMS_CKPT_HEAD_SIZE, fill_checkpoint);
}

/* Journal lines behind each other: the plain case, which must not cost a window each. */
static void build_many_lines(struct forged *file)
{
	small_head(file);
	for (unsigned int i = 0; i < 20000; i++)
		forge_record(file, UMS_TYPE_JRNL, "{}", 2);
}

/* 64 units, each of which names the whole body as its own. */
static void build_greedy_units(struct forged *file)
{
	enum { N = 64, UNIT_SMALL = 4096, BODY = 2u << 20 };
	struct forged payload = {0};
	uint8_t *p;

	forge_head(file, 8 * N * 4, UNIT_SMALL, UNIT_SMALL * N);
	forge_bytes(&payload, NULL, UMS_DATA_HEAD_SIZE + N * UMS_UNIT_ENTRY_SIZE + BODY);
	p = payload.p;
	put_le32(p + DATA_N_BLOCKS, 8 * N);
	p[DATA_ENCODING] = UMS_ENCODING_ZLIB;
	p[DATA_STATE] = BLOCK_GOOD;
	put_le32(p + DATA_N_UNITS, N);
	put_le32(p + DATA_BODY, UMS_DATA_HEAD_SIZE + N * UMS_UNIT_ENTRY_SIZE);
	put_le32(p + DATA_BODY_BYTES, BODY);
	for (size_t i = 0; i < N; i++)
		put_le32(p + UMS_DATA_HEAD_SIZE + i * UMS_UNIT_ENTRY_SIZE, i % 2 ? BODY : 0);
	forge_record(file, UMS_TYPE_DATA, payload.p, payload.n);
	forge_free(&payload);
}

/* Each of many slots in two pieces, which a seal makes one of. */
static void build_scattered_slots(struct forged *file)
{
	uint8_t zeros[UMS_DATA_HEAD_SIZE] = {0};

	forge_head(file, 8 * 30000, 4096, 4096);
	put_le32(zeros + DATA_N_BLOCKS, 4);
	zeros[DATA_ENCODING] = UMS_ENCODING_ZERO;
	zeros[DATA_STATE] = BLOCK_GOOD;
	put_le32(zeros + DATA_BODY, UMS_DATA_HEAD_SIZE);
	for (uint64_t lba = 0; lba < 8 * 30000; lba += 4) {
		put_le64(zeros + DATA_LBA, lba);
		forge_record(file, UMS_TYPE_DATA, zeros, sizeof(zeros));
	}
}

const struct hostile_image hostile_images[] = {
	{"a map of 100,000 descending ranges", build_descending},
	{"the same, sealed", build_descending_sealed},
	{"a map that splits what is left again and again", build_scattered_map},
	{"20,000 false heads of DATA records", build_false_data},
	{"20,000 false heads of checkpoints", build_false_checkpoints},
	{"references to 20,000 false heads", build_false_refs},
	{"5,000 blobs", build_many_blobs},
	{"5,000 blobs of one name", build_one_blob_often},
	{"one line of the journal referenced 20,000 times", build_one_line_often},
	{"one blob referenced 20,000 times", build_one_blob_ref_often},
	{"600 runs over each other", build_runs_over_runs},
	{"one run 20,000 times in the index", build_one_run_often},
	{"one page 3,000 times in the root", build_one_page_often},
	{"pages of 2^32-1 entries", build_absurd_pages},
	{"8,000 blobs, each in the one before", build_nested_blobs},
	{"the same, referenced", build_nested_refs},
	{"8,000 runs, each in the one before", build_nested_runs},
	{"the same, in a checkpoint's index", build_nested_runs_in_index},
	{"the same, in the pages of a sealed image", build_nested_runs_sealed},
	{"the same of zeros", build_nested_zeros_sealed},
	{"8,000 checkpoints, each in the one before", build_nested_checkpoints},
	{"20,000 lines of the journal and no checkpoint", build_many_lines},
	{"units that all name the whole body", build_greedy_units},
	{"30,000 slots of two runs", build_scattered_slots},
	{0},
};
