/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDIF trailer (".dmg") as far as an image of one whole disk needs it.  All numbers are
 * big-endian. Apple has not published the format; the layout was taken as facts from two
 * independent descriptions that agree: keramics docs/formats/src/udif.md and libdmg-hfsplus
 * includes/dmg/dmg.h.
 */
#ifndef UMS_PROTO_UDIF_H
#define UMS_PROTO_UDIF_H

#define UDIF_SECTOR 512

/* --- `koly`, the last 512 bytes of the file --- */
#define UDIF_KOLY_SIZE 512

#define KOLY_MAGIC	     0	 /* "koly" */
#define KOLY_VERSION	     4	 /* u32: 4 */
#define KOLY_HEADER_SIZE     8	 /* u32: 512 */
#define KOLY_FLAGS	     12	 /* u32: 1 = flattened */
#define KOLY_RUNNING_OFFSET  16	 /* u64 */
#define KOLY_DATA_OFFSET     24	 /* u64 */
#define KOLY_DATA_LENGTH     32	 /* u64 */
#define KOLY_RSRC_OFFSET     40	 /* u64 */
#define KOLY_RSRC_LENGTH     48	 /* u64 */
#define KOLY_SEGMENT_NUMBER  56	 /* u32: 1 */
#define KOLY_SEGMENT_COUNT   60	 /* u32: 1 */
#define KOLY_SEGMENT_ID	     64	 /* 16 bytes */
#define KOLY_DATA_SUM_TYPE   80	 /* u32: 2 = CRC-32 */
#define KOLY_DATA_SUM_BITS   84	 /* u32: 32 */
#define KOLY_DATA_SUM	     88	 /* 128 bytes: of the data fork as stored */
#define KOLY_XML_OFFSET	     216 /* u64 */
#define KOLY_XML_LENGTH	     224 /* u64 */
#define KOLY_RESERVED	     232 /* 120 bytes */
#define KOLY_MASTER_SUM_TYPE 352 /* u32 */
#define KOLY_MASTER_SUM_BITS 356 /* u32 */
#define KOLY_MASTER_SUM	     360 /* 128 bytes: over the big-endian sums of all tables */
#define KOLY_VARIANT	     488 /* u32: 1 = whole device */
#define KOLY_SECTOR_COUNT    492 /* u64 */

/* --- `mish`, the table of runs --- */
#define UDIF_MISH_SIZE 204

#define MISH_MAGIC	  0   /* "mish" */
#define MISH_VERSION	  4   /* u32: 1 */
#define MISH_FIRST_SECTOR 8   /* u64 */
#define MISH_SECTOR_COUNT 16  /* u64 */
#define MISH_DATA_OFFSET  24  /* u64 */
#define MISH_BUFFERS	  32  /* u32: sectors that a reader needs for one run */
#define MISH_DESCRIPTOR	  36  /* u32: 0xfffffffe = the entire device */
#define MISH_RESERVED	  40  /* 24 bytes */
#define MISH_SUM_TYPE	  64  /* u32: 2 = CRC-32 */
#define MISH_SUM_BITS	  68  /* u32: 32 */
#define MISH_SUM	  72  /* 128 bytes: of the plain bytes of the table */
#define MISH_N_RUNS	  200 /* u32, with the terminator */

#define UDIF_RUN_SIZE 40

#define RUN_TYPE	 0  /* u32 */
#define RUN_COMMENT	 4  /* u32 */
#define RUN_SECTOR	 8  /* u64, from MISH_FIRST_SECTOR */
#define RUN_SECTOR_COUNT 16 /* u64 */
#define RUN_OFFSET	 24 /* u64, from the data fork's begin */
#define RUN_LENGTH	 32 /* u64 */

#define UDIF_RUN_ZERO 0x00000000u
#define UDIF_RUN_RAW  0x00000001u
#define UDIF_RUN_ZLIB 0x80000005u
#define UDIF_RUN_END  0xffffffffu

#define UDIF_SUM_CRC32 2u

/* What QEMU's reader takes (block/dmg.c): a property list up to 16 MiB, runs up to 64 MiB. */
#define UDIF_QEMU_XML_MAX (16u << 20)

#endif
