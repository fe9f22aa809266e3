/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDIF trailer.  Unreadable sectors and zeros are both runs of type 0 (7-Zip counts those into
 * the table's CRC and leaves type 2 out), and neighbours of that type are one run.
 */
#include "image/udif.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/mem.h"
#include "proto/udif.h"
#include "proto/ums.h"

static const char xml_begin[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	"<plist "
	"version=\"1.0\">\n<dict>\n<key>resource-fork</key>\n<dict>\n<key>blkx</key>\n<array>\n"
	"<dict>\n<key>Attributes</key>\n<string>0x0050</string>\n"
	"<key>CFName</key>\n<string>whole disk (unknown partition : 0)</string>\n"
	"<key>Data</key>\n<data>\n";
static const char xml_end[] =
	"\n</data>\n<key>ID</key>\n<string>0</string>\n"
	"<key>Name</key>\n<string>whole disk (unknown partition : 0)</string>\n"
	"</dict>\n</array>\n<key>plst</key>\n<array>\n</array>\n"
	"</dict>\n</dict>\n</plist>\n";

/* The table under construction. */
struct table {
	uint8_t *bytes; /* `mish` head and runs */
	size_t n, room; /* bytes, in it and allocated */
	uint32_t n_runs;
	uint32_t crc;	    /* of the plain bytes so far */
	uint64_t sector;    /* the next one */
	uint64_t zero_from; /* sectors from here to `sector` are zero and not yet a run */
	uint64_t most;	    /* sectors of the longest run that a reader must hold */
};

static int put_run(struct table *table, uint32_t type, uint64_t sector, uint64_t count,
	uint64_t offset, uint64_t length)
{
	uint8_t *p;

	if (table->n + UDIF_RUN_SIZE > table->room) {
		uint8_t *grown = realloc(table->bytes, table->room * 2);

		if (!grown)
			return -1;
		table->bytes = grown;
		table->room *= 2;
	}
	p = table->bytes + table->n;
	memset(p, 0, UDIF_RUN_SIZE);
	put_be32(p + RUN_TYPE, type);
	put_be64(p + RUN_SECTOR, sector);
	put_be64(p + RUN_SECTOR_COUNT, count);
	put_be64(p + RUN_OFFSET, offset);
	put_be64(p + RUN_LENGTH, length);
	table->n += UDIF_RUN_SIZE;
	table->n_runs++;
	return 0;
}

/* Zeros up to sector END, not yet a run.  -1 when END lies behind: records over each other. */
static int skip_to(struct table *table, uint64_t end)
{
	uint64_t len = (end - table->sector) * UDIF_SECTOR;

	if (end < table->sector)
		return -1;
	if (len > 0)
		table->crc = crc32_join(table->crc, crc32_zeros(len), len);
	table->sector = end;
	return 0;
}

static int flush_zeros(struct table *table)
{
	uint64_t from = table->zero_from;

	table->zero_from = table->sector;
	if (from == table->sector)
		return 0;
	return put_run(table, UDIF_RUN_ZERO, from, table->sector - from, 0, 0);
}

static int put_entry(
	struct table *table, const struct store *store, const struct index_entry *entry)
{
	uint32_t per_block = store->info.block_bytes / UDIF_SECTOR;
	uint64_t run_len = (uint64_t)entry->n_blocks * store->info.block_bytes;
	uint64_t n_units = (run_len + store->info.unit_bytes - 1) / store->info.unit_bytes;
	uint32_t before = (uint32_t)(UMS_DATA_HEAD_SIZE + n_units * UMS_UNIT_ENTRY_SIZE);
	uint64_t count = run_len / UDIF_SECTOR;

	if (skip_to(table, entry->lba * per_block) < 0)
		return -1;
	if (entry->encoding == UMS_ENCODING_ZERO)
		return skip_to(table, table->sector + count);
	if (flush_zeros(table) < 0)
		return -1;
	if (put_run(table, entry->encoding == UMS_ENCODING_RAW ? UDIF_RUN_RAW : UDIF_RUN_ZLIB,
		    table->sector, count, entry->offset + UMS_RECORD_HEAD_SIZE + before,
		    entry->length - before) < 0)
		return -1;
	table->crc = crc32_join(table->crc, entry->plain_crc, run_len);
	table->sector += count;
	table->zero_from = table->sector;
	table->most = mem_max_u64(table->most, count);
	return 0;
}

static void finish_mish(struct table *table)
{
	uint8_t *p = table->bytes;

	memcpy(p + MISH_MAGIC, "mish", 4);
	put_be32(p + MISH_VERSION, 1);
	put_be64(p + MISH_SECTOR_COUNT, table->sector);
	put_be32(p + MISH_BUFFERS, (uint32_t)table->most + 8);
	put_be32(p + MISH_DESCRIPTOR, 0xfffffffe);
	put_be32(p + MISH_SUM_TYPE, UDIF_SUM_CRC32);
	put_be32(p + MISH_SUM_BITS, 32);
	put_be32(p + MISH_SUM, table->crc);
	put_be32(p + MISH_N_RUNS, table->n_runs);
}

static int compare_lba(const void *va, const void *vb)
{
	const struct index_entry *a = va, *b = vb;

	return a->lba < b->lba ? -1 : a->lba > b->lba;
}

static int build_table(struct table *table, const struct store *store, struct index *index)
{
	uint64_t sectors = store->info.n_blocks * (store->info.block_bytes / UDIF_SECTOR);
	const struct index_entry *all;
	cleanup_free struct index_entry *entry = NULL;
	size_t n;

	all = index_all(index, &n);
	entry = malloc((n + 1) * sizeof(*entry));
	table->room = 4096;
	table->bytes = calloc(1, table->room);
	table->n = UDIF_MISH_SIZE;
	if (!entry || !table->bytes)
		return -1;
	if (n > 0)
		memcpy(entry, all, n * sizeof(*entry));
	qsort(entry, n, sizeof(*entry),
		compare_lba); /* pieces of a slot stand in the order they came */
	for (size_t i = 0; i < n; i++) {
		if (put_entry(table, store, &entry[i]) < 0)
			return -1;
	}
	if (skip_to(table, sectors) < 0 || flush_zeros(table) < 0 ||
		put_run(table, UDIF_RUN_END, sectors, 0, 0, 0) < 0)
		return -1;
	finish_mish(table);
	return 0;
}

static void build_koly(uint8_t koly[UDIF_KOLY_SIZE], const struct table *table,
	const struct store *store, uint64_t fork_len, uint32_t fork_crc, uint64_t xml_len)
{
	uint8_t sum[4];

	memset(koly, 0, UDIF_KOLY_SIZE);
	memcpy(koly + KOLY_MAGIC, "koly", 4);
	put_be32(koly + KOLY_VERSION, 4);
	put_be32(koly + KOLY_HEADER_SIZE, UDIF_KOLY_SIZE);
	put_be32(koly + KOLY_FLAGS, 1);
	put_be64(koly + KOLY_DATA_LENGTH, fork_len);
	put_be32(koly + KOLY_SEGMENT_NUMBER, 1);
	put_be32(koly + KOLY_SEGMENT_COUNT, 1);
	memcpy(koly + KOLY_SEGMENT_ID, store->info.uuid, 16);
	put_be32(koly + KOLY_DATA_SUM_TYPE, UDIF_SUM_CRC32);
	put_be32(koly + KOLY_DATA_SUM_BITS, 32);
	put_be32(koly + KOLY_DATA_SUM, fork_crc);
	put_be64(koly + KOLY_XML_OFFSET, fork_len);
	put_be64(koly + KOLY_XML_LENGTH, xml_len);
	put_be32(koly + KOLY_MASTER_SUM_TYPE, UDIF_SUM_CRC32);
	put_be32(koly + KOLY_MASTER_SUM_BITS, 32);
	put_be32(sum, table->crc);
	put_be32(koly + KOLY_MASTER_SUM, crc32_of(0, sum, sizeof(sum)));
	put_be32(koly + KOLY_VARIANT, 1);
	put_be64(koly + KOLY_SECTOR_COUNT, table->sector);
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

uint8_t *udif_build(const struct store *store, struct index *index, uint64_t fork_len,
	uint32_t fork_crc, size_t *len)
{
	struct table table = {0};
	uint8_t *trailer = NULL, *p;

	if (build_table(&table, store, index) == 0)
		trailer = malloc(
			sizeof(xml_begin) + table.n / 3 * 4 + 8 + sizeof(xml_end) + UDIF_KOLY_SIZE);
	if (trailer) {
		p = put_text(trailer, xml_begin);
		p += EVP_EncodeBlock(p, table.bytes, (int)table.n);
		p = put_text(p, xml_end);
		build_koly(p, &table, store, fork_len, fork_crc, (uint64_t)(p - trailer));
		*len = (size_t)(p - trailer) + UDIF_KOLY_SIZE;
	}
	free(table.bytes);
	return trailer;
}
