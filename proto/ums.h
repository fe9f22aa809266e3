/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `.ums` image, version 1, byte for byte.  The normative text is IMAGE.md beside this file; a
 * test compares the two.  All numbers are little-endian; lengths are in bytes unless the name says
 * blocks.
 */
#ifndef UMS_PROTO_UMS_H
#define UMS_PROTO_UMS_H

#define UMS_VERSION_MAJOR 1
#define UMS_VERSION_MINOR 0

/* --- record head: before every record, at a multiple of UMS_ALIGN ("Records") --- */
#define UMS_ALIGN	     16
#define UMS_RECORD_MAGIC     0x52534d55u /* "UMSR" */
#define UMS_RECORD_HEAD_SIZE 64

#define REC_MAGIC	0  /* u32 */
#define REC_TYPE	4  /* u32 */
#define REC_OFFSET	8  /* u64: this record's own place in the file */
#define REC_LENGTH	16 /* u64: of the payload, without padding */
#define REC_UUID	24 /* 16 bytes: the image's */
#define REC_PAYLOAD_CRC 40 /* u32: CRC-32 of the payload as stored */
#define REC_RESERVED	44 /* 16 bytes, 0 */
#define REC_HEAD_CRC	60 /* u32: CRC-32 of bytes 0 … 59 */

#define UMS_TYPE_HEAD 0x44414548u /* "HEAD" */
#define UMS_TYPE_DATA 0x41544144u /* "DATA" */
#define UMS_TYPE_BLOB 0x424f4c42u /* "BLOB" */
#define UMS_TYPE_JRNL 0x4c4e524au /* "JRNL" */
#define UMS_TYPE_CKPT 0x54504b43u /* "CKPT" */
#define UMS_TYPE_INDX 0x58444e49u /* "INDX" */
#define UMS_TYPE_MAPS 0x5350414du /* "MAPS" */
#define UMS_TYPE_ROOT 0x544f4f52u /* "ROOT" */
#define UMS_TYPE_SEAL 0x4c414553u /* "SEAL" */

/* --- HEAD: the first record, at offset 0 --- */
#define UMS_HEAD_SIZE 96

#define HEAD_MAJOR	  0  /* u16 */
#define HEAD_MINOR	  2  /* u16 */
#define HEAD_INCOMPATIBLE 4  /* u32: features that a reader must know */
#define HEAD_COMPATIBLE	  8  /* u32: features that it may ignore */
#define HEAD_BLOCK_BYTES  12 /* u32 */
#define HEAD_N_BLOCKS	  16 /* u64 */
#define HEAD_SIZE_BYTES	  24 /* u64: N_BLOCKS × BLOCK_BYTES, or less by part of the last block */
#define HEAD_UNIT_BYTES	  32 /* u32 */
#define HEAD_RUN_BYTES	  36 /* u32 */
#define HEAD_CREATED	  40 /* u64: seconds since 1970-01-01 UTC */
#define HEAD_RESERVED	  48 /* 48 bytes, 0 */

/* Limits that a reader holds a HEAD to before it allocates anything. */
#define UMS_BLOCK_BYTES_MIN 512u
#define UMS_BLOCK_BYTES_MAX 65536u
#define UMS_UNIT_BYTES_MIN  4096u
#define UMS_RUN_BYTES_MAX   (64u << 20)
#define UMS_UNITS_MAX	    4096u /* in one run */

/* --- DATA: sectors --- */
#define UMS_DATA_HEAD_SIZE  32
#define UMS_UNIT_ENTRY_SIZE 8

#define DATA_LBA	0  /* u64 */
#define DATA_N_BLOCKS	8  /* u32 */
#define DATA_ENCODING	12 /* u8 */
#define DATA_STATE	13 /* u8: block state of all its sectors, or 0: it says nothing of that */
#define DATA_RESERVED	14 /* u16, 0 */
#define DATA_PLAIN_CRC	16 /* u32: CRC-32 of the plain bytes */
#define DATA_N_UNITS	20 /* u32: entries of the unit table, 0 when the encoding is zero */
#define DATA_BODY	24 /* u32: where the stored bytes begin in the payload: 32 + 8 × N_UNITS */
#define DATA_BODY_BYTES 28 /* u32 */

#define UNIT_OFFSET 0 /* u32: in the stored bytes */
#define UNIT_CRC    4 /* u32: CRC-32 of the unit's plain bytes */

#define UMS_ENCODING_RAW  0
#define UMS_ENCODING_ZLIB 1
#define UMS_ENCODING_ZERO 2

/* --- one entry of an index (CKPT, INDX) --- */
#define UMS_INDEX_ENTRY_SIZE 32

#define INDEX_LBA	0  /* u64 */
#define INDEX_OFFSET	8  /* u64: of the DATA record */
#define INDEX_N_BLOCKS	16 /* u32 */
#define INDEX_LENGTH	20 /* u32: of the DATA record's payload */
#define INDEX_PLAIN_CRC 24 /* u32 */
#define INDEX_ENCODING	28 /* u8 */
#define INDEX_RESERVED	29 /* 3 bytes, 0 */

/* --- one entry of a block map (CKPT, MAPS) --- */
#define UMS_MAP_ENTRY_SIZE 24

#define MAP_LBA	      0	 /* u64 */
#define MAP_N_BLOCKS  8	 /* u64 */
#define MAP_STATE     16 /* u8 */
#define MAP_OUTCOME   17 /* u8 */
#define MAP_STATUS    18 /* u8: SCSI status */
#define MAP_SENSE_KEY 19 /* u8 */
#define MAP_ASC	      20 /* u8 */
#define MAP_ASCQ      21 /* u8 */
#define MAP_TRIES     22 /* u8 */
#define MAP_ERROR     23 /* u8: of the host: UMS_ERROR_… */

/* Errors that the host's own reading ended with: 0 none.  The numbers are the format's, since those
 * of errno differ between systems. */
#define UMS_ERROR_EIO	       1
#define UMS_ERROR_EREMOTEIO    2
#define UMS_ERROR_ENODATA      3
#define UMS_ERROR_EILSEQ       4
#define UMS_ERROR_EBADMSG      5
#define UMS_ERROR_EUCLEAN      6
#define UMS_ERROR_ENXIO	       7
#define UMS_ERROR_ENODEV       8
#define UMS_ERROR_ENOTCONN     9
#define UMS_ERROR_ESTALE       10
#define UMS_ERROR_ETIMEDOUT    11
#define UMS_ERROR_ENOMEDIUM    12
#define UMS_ERROR_EACCES       13
#define UMS_ERROR_EPERM	       14
#define UMS_ERROR_EINVAL       15
#define UMS_ERROR_ENOMEM       16
#define UMS_ERROR_EINTR	       17
#define UMS_ERROR_EAGAIN       18
#define UMS_ERROR_EBUSY	       19
#define UMS_ERROR_EROFS	       20
#define UMS_ERROR_EOVERFLOW    21
#define UMS_ERROR_ESHUTDOWN    22
#define UMS_ERROR_EPROTO       23
#define UMS_ERROR_EPIPE	       24
#define UMS_ERROR_ECONNRESET   25
#define UMS_ERROR_EHOSTDOWN    26
#define UMS_ERROR_ECONNABORTED 27
#define UMS_ERROR_ENOLINK      28
#define UMS_ERROR_OTHER	       255 /* one that is not in this list */

/* --- one reference to a BLOB or JRNL record (CKPT, ROOT) --- */
#define UMS_REF_SIZE 16

#define REF_OFFSET   0	/* u64 */
#define REF_TYPE     8	/* u32 */
#define REF_RESERVED 12 /* u32, 0 */

/* --- BLOB: a named piece of the drive's testimony --- */
#define UMS_BLOB_HEAD_SIZE 8
#define UMS_BLOB_NAME_MAX  255

#define BLOB_NAME_LENGTH 0 /* u16 */
#define BLOB_RESERVED	 2 /* 6 bytes, 0; then the name, then the bytes */

/* --- CKPT: what changed since the checkpoint before --- */
#define UMS_CKPT_HEAD_SIZE 64

#define CKPT_PREVIOUS	0  /* u64: offset of the checkpoint before, 0: none */
#define CKPT_POSITION	8  /* u64: LBA */
#define CKPT_PASS	16 /* u32 */
#define CKPT_FILE_CRC	20 /* u32: CRC-32 of the file's bytes before this record */
#define CKPT_N_MAP	24 /* u32: map entries, then */
#define CKPT_N_INDEX	28 /* u32: index entries, then */
#define CKPT_N_REFS	32 /* u32: references */
#define CKPT_NUMBER	36 /* u32: 1, 2, … */
#define CKPT_STORED	40 /* u64: stored bytes of all DATA bodies so far */
#define CKPT_SEAL	48 /* u64: offset of the last seal, 0: none */
#define CKPT_GENERATION 56 /* u32: of that seal, 0: none */
#define CKPT_RESERVED	60 /* u32, 0 */

/* --- ROOT: where the pages of the index are --- */
#define UMS_ROOT_HEAD_SIZE 16
#define UMS_ROOT_PAGE_SIZE 24

#define ROOT_N_PAGES   0  /* u32: pages, then */
#define ROOT_N_REFS    4  /* u32: references */
#define ROOT_RESERVED  8  /* 8 bytes, 0 */
#define PAGE_FIRST_LBA 0  /* u64 */
#define PAGE_OFFSET    8  /* u64: of the INDX record */
#define PAGE_N_ENTRIES 16 /* u32 */
#define PAGE_RESERVED  20 /* u32, 0 */

/* --- SEAL: the footer, 512 bytes with its head --- */
#define UMS_SEAL_SIZE	    448
#define UMS_SEAL_TOTAL_SIZE 512

#define SEAL_GENERATION 0   /* u32: 1, 2, … */
#define SEAL_FLAGS	4   /* u32 */
#define SEAL_ROOT	8   /* u64: offset of ROOT */
#define SEAL_MAP	16  /* u64: offset of MAPS */
#define SEAL_CKPT	24  /* u64: offset of the last checkpoint */
#define SEAL_TIME	32  /* u64: seconds since 1970-01-01 UTC */
#define SEAL_FILE_CRC	40  /* u32: CRC-32 of the file's bytes before this record */
#define SEAL_HASHES	44  /* u32: which of the digests are there */
#define SEAL_SHA256	48  /* 32 bytes */
#define SEAL_MD5	80  /* 16 bytes */
#define SEAL_SHA1	96  /* 20 bytes, then 4 of 0 */
#define SEAL_COUNTS	120 /* 6 × u64: sectors in each state */
#define SEAL_STORED	168 /* u64: stored bytes of all DATA bodies */
#define SEAL_PREVIOUS	176 /* u64: offset of the seal before, 0: none */
#define SEAL_RESERVED	184 /* 264 bytes, 0 */

#define UMS_SEAL_FLAG_UDIF 1u /* a property list and a `koly` trailer stand behind */

#define UMS_HASH_SHA256 1u
#define UMS_HASH_MD5	2u
#define UMS_HASH_SHA1	4u

#endif
