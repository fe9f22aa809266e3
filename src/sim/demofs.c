/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a FAT16 volume into memory: see demofs.h.  Knows only what the demo needs: short names,
 * one directory of one cluster, files in one piece.  Layout after ECMA-107.
 */
#include "sim/demofs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sim/demofiles.h"

#define PARTITION_LBA	  2048u
#define PARTITION_SECTORS (DEMOFS_BYTES / DEMOFS_SECTOR - PARTITION_LBA)
#define RESERVED_SECTORS  4u /* makes the first cluster begin at a multiple of 16 KiB */
#define FAT_SECTORS	  126u
#define FATS		  2u
#define ROOT_ENTRIES	  512u
#define ENTRY_BYTES	  32u
#define ROOT_SECTORS	  (ROOT_ENTRIES * ENTRY_BYTES / DEMOFS_SECTOR)
#define CLUSTER_SECTORS	  4u
#define CLUSTER_BYTES	  (CLUSTER_SECTORS * DEMOFS_SECTOR)
#define DATA_SECTOR	  (RESERVED_SECTORS + FATS * FAT_SECTORS + ROOT_SECTORS)
#define CLUSTERS	  ((PARTITION_SECTORS - DATA_SECTOR) / CLUSTER_SECTORS)
#define LAST_OF_CHAIN	  0xffffu
#define MEDIA_FIXED	  0xf8u
#define ATTRIBUTE_LABEL	  0x08u
#define ATTRIBUTE_FOLDER  0x10u
#define ATTRIBUTE_ARCHIVE 0x20u
#define FREED_ENTRY	  0xe5u
#define TYPE_FAT16_LBA	  0x0eu
#define DEMO_DATE	  ((2026u - 1980u) << 9 | 1u << 5 | 1u) /* 2026-01-01 */
#define DEMO_TIME	  (12u << 11)				/* 12:00 */
#define LABEL		  "UMSCTL DEMO"

struct volume {
	uint8_t *sectors; /* of the partition */
	uint32_t next_cluster;
};

static void write_mbr(uint8_t *sector)
{
	uint8_t *entry = sector + 446;

	put_le32(sector + 440, 0x756d7364); /* disk signature */
	memset(entry + 1, 0xff, 7);	    /* both CHS addresses: beyond them, use the LBA */
	entry[4] = TYPE_FAT16_LBA;
	put_le32(entry + 8, PARTITION_LBA);
	put_le32(entry + 12, PARTITION_SECTORS);
	put_le16(sector + 510, 0xaa55);
}

static void write_boot_sector(uint8_t *sector)
{
	memcpy(sector, "\xeb\x3c\x90UMSCTL  ", 11);
	put_le16(sector + 11, DEMOFS_SECTOR);
	sector[13] = CLUSTER_SECTORS;
	put_le16(sector + 14, RESERVED_SECTORS);
	sector[16] = FATS;
	put_le16(sector + 17, ROOT_ENTRIES);
	sector[21] = MEDIA_FIXED;
	put_le16(sector + 22, FAT_SECTORS);
	put_le16(sector + 24, 63);  /* sectors of a track */
	put_le16(sector + 26, 255); /* heads */
	put_le32(sector + 28, PARTITION_LBA);
	put_le32(sector + 32, PARTITION_SECTORS);
	sector[36] = 0x80; /* drive number */
	sector[38] = 0x29; /* the next three fields are there */
	put_le32(sector + 39, 0x2026da7a);
	memcpy(sector + 43, LABEL, 11);
	memcpy(sector + 54, "FAT16   ", 8);
	put_le16(sector + 510, 0xaa55);
}

static uint8_t *cluster_at(const struct volume *volume, uint32_t cluster)
{
	return volume->sectors + DATA_SECTOR * DEMOFS_SECTOR + (cluster - 2) * CLUSTER_BYTES;
}

static void set_fat(const struct volume *volume, uint32_t cluster, uint32_t next)
{
	for (uint32_t i = 0; i < FATS; i++) {
		uint8_t *fat =
			volume->sectors + (RESERVED_SECTORS + i * FAT_SECTORS) * DEMOFS_SECTOR;

		put_le16(fat + 2 * cluster, (uint16_t)next);
	}
}

/* The first of as many clusters as LEN bytes need; CHAIN: they are in use. */
static uint32_t allocate(struct volume *volume, size_t len, bool chain)
{
	uint32_t first = volume->next_cluster;
	uint32_t n = (uint32_t)((len + CLUSTER_BYTES - 1) / CLUSTER_BYTES);

	assert(first + n <= CLUSTERS + 2);
	for (uint32_t i = 0; chain && i < n; i++)
		set_fat(volume, first + i, i + 1 < n ? first + i + 1 : LAST_OF_CHAIN);
	volume->next_cluster += n;
	return first;
}

/* Fills the entry at *ENTRY and moves to the next; returns the entry. */
static uint8_t *write_entry(
	uint8_t **entry, const char *name, uint8_t attributes, uint32_t cluster, size_t len)
{
	uint8_t *p = *entry;

	memcpy(p, name, 11);
	p[11] = attributes;
	put_le16(p + 14, DEMO_TIME); /* created */
	put_le16(p + 16, DEMO_DATE);
	put_le16(p + 18, DEMO_DATE); /* accessed */
	put_le16(p + 22, DEMO_TIME); /* written */
	put_le16(p + 24, DEMO_DATE);
	put_le16(p + 26, (uint16_t)cluster);
	put_le32(p + 28, (uint32_t)len);
	*entry += ENTRY_BYTES;
	return p;
}

static void write_file(struct volume *volume, const struct demo_file *file, uint8_t **entry)
{
	size_t len = demo_file_len(file);
	uint32_t first = allocate(volume, len, !file->deleted);
	uint8_t *written = write_entry(entry, file->name, ATTRIBUTE_ARCHIVE, first, len);

	demo_file_make(file, cluster_at(volume, first));
	if (file->deleted)
		written[0] = FREED_ENTRY;
}

static void write_files(struct volume *volume)
{
	uint8_t *root = volume->sectors + (DATA_SECTOR - ROOT_SECTORS) * DEMOFS_SECTOR;
	uint32_t folder = allocate(volume, CLUSTER_BYTES, true);
	uint8_t *photos = cluster_at(volume, folder);

	write_entry(&root, LABEL, ATTRIBUTE_LABEL, 0, 0);
	write_entry(&root, "PHOTOS     ", ATTRIBUTE_FOLDER, folder, 0);
	write_entry(&photos, ".          ", ATTRIBUTE_FOLDER, folder, 0);
	write_entry(&photos, "..         ", ATTRIBUTE_FOLDER, 0, 0);
	for (size_t i = 0; i < n_demo_files; i++)
		write_file(volume, &demo_files[i], demo_files[i].in_photos ? &photos : &root);
}

uint8_t *demofs_new(void)
{
	uint8_t *disk = calloc(1, DEMOFS_BYTES);
	struct volume volume = {.next_cluster = 2};

	if (!disk)
		return NULL;
	volume.sectors = disk + PARTITION_LBA * DEMOFS_SECTOR;
	write_mbr(disk);
	write_boot_sector(volume.sectors);
	set_fat(&volume, 0, 0xff00 | MEDIA_FIXED);
	set_fat(&volume, 1, LAST_OF_CHAIN);
	write_files(&volume);
	return disk;
}
