/* SPDX-License-Identifier: BSD-2-Clause */
/* USB Mass Storage Class, Bulk-Only Transport 1.0 ("BBB").  The wrappers are little-endian. */
#ifndef UMS_PROTO_BOT_H
#define UMS_PROTO_BOT_H

/* --- Command Block Wrapper (§5.1) --- */
#define CBW_LEN	    31
#define CBW_CDB_MAX 16

#define CBW_SIGNATURE 0	 /* u32: dCBWSignature */
#define CBW_TAG	      4	 /* u32: dCBWTag */
#define CBW_DATA_LEN  8	 /* u32: dCBWDataTransferLength */
#define CBW_FLAGS     12 /* u8: bmCBWFlags */
#define CBW_LUN	      13 /* u8: bCBWLUN */
#define CBW_CDB_LEN   14 /* u8: bCBWCBLength */
#define CBW_CDB	      15 /* 16 bytes: CBWCB */

#define CBW_SIGNATURE_VALUE 0x43425355u /* "USBC" */
#define CBW_FLAG_IN	    0x80

/* --- Command Status Wrapper (§5.2) --- */
#define CSW_LEN 13

#define CSW_SIGNATURE 0	 /* u32: dCSWSignature */
#define CSW_TAG	      4	 /* u32: dCSWTag */
#define CSW_RESIDUE   8	 /* u32: dCSWDataResidue */
#define CSW_STATUS    12 /* u8: bCSWStatus */

#define CSW_SIGNATURE_VALUE 0x53425355u /* "USBS" */

#define CSW_STATUS_PASSED      0
#define CSW_STATUS_FAILED      1
#define CSW_STATUS_PHASE_ERROR 2

/* --- class requests (§3) --- */
#define BOT_REQ_GET_MAX_LUN 0xfe
#define BOT_REQ_RESET	    0xff

#endif
