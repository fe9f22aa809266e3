/* SPDX-License-Identifier: BSD-2-Clause */
/* SCSI operation codes, service actions and sense layouts (SPC-5, SBC-4).  Big-endian. */
#ifndef UMS_PROTO_SCSI_H
#define UMS_PROTO_SCSI_H

/* --- operation codes --- */
#define SCSI_TEST_UNIT_READY	  0x00
#define SCSI_REQUEST_SENSE	  0x03
#define SCSI_FORMAT_UNIT	  0x04
#define SCSI_READ_6		  0x08
#define SCSI_WRITE_6		  0x0a
#define SCSI_INQUIRY		  0x12
#define SCSI_MODE_SELECT_6	  0x15
#define SCSI_MODE_SENSE_6	  0x1a
#define SCSI_START_STOP_UNIT	  0x1b
#define SCSI_SEND_DIAGNOSTIC	  0x1d
#define SCSI_PREVENT_ALLOW	  0x1e
#define SCSI_READ_CAPACITY_10	  0x25
#define SCSI_READ_10		  0x28
#define SCSI_WRITE_10		  0x2a
#define SCSI_READ_DEFECT_DATA_10  0x37
#define SCSI_LOG_SENSE		  0x4d
#define SCSI_MODE_SENSE_10	  0x5a
#define SCSI_ATA_PASS_THROUGH_16  0x85
#define SCSI_READ_16		  0x88
#define SCSI_WRITE_16		  0x8a
#define SCSI_SERVICE_ACTION_IN_16 0x9e
#define SCSI_REPORT_LUNS	  0xa0
#define SCSI_ATA_PASS_THROUGH_12  0xa1
#define SCSI_READ_12		  0xa8
#define SCSI_WRITE_12		  0xaa
#define SCSI_READ_DEFECT_DATA_12  0xb7

/* --- status codes (SAM-5 §5.3.1) --- */
#define SCSI_STATUS_GOOD		 0x00
#define SCSI_STATUS_CHECK_CONDITION	 0x02
#define SCSI_STATUS_BUSY		 0x08
#define SCSI_STATUS_RESERVATION_CONFLICT 0x18
#define SCSI_STATUS_TASK_SET_FULL	 0x28
#define SCSI_STATUS_TASK_ABORTED	 0x40

#define SAT_CK_COND 0x20 /* byte 2 of ATA PASS-THROUGH: registers come back (SAT-4 §12.2.2) */

/* --- service actions of SERVICE ACTION IN (16) --- */
#define SCSI_SA_READ_CAPACITY_16 0x10
#define SCSI_SA_GET_LBA_STATUS	 0x12

/* --- INQUIRY data (SPC-5 §6.7.2) --- */
#define INQUIRY_LEN	  36 /* what Linux and Windows ask for */
#define INQUIRY_DEVICE	  0  /* u8: qualifier in bits 7-5, type in 4-0 */
#define INQUIRY_REMOVABLE 1  /* u8: bit 7 */
#define INQUIRY_VERSION	  2  /* u8 */
#define INQUIRY_VENDOR	  8  /* 8 bytes */
#define INQUIRY_PRODUCT	  16 /* 16 bytes */
#define INQUIRY_REVISION  32 /* 4 bytes */

#define INQUIRY_VERSION_SPC3 0x05

/* --- vital product data pages (SPC-5 §7.7) --- */
#define VPD_SUPPORTED_PAGES 0x00
#define VPD_UNIT_SERIAL	    0x80
#define VPD_PAGE_LENGTH	    2 /* u16 */
#define VPD_HEAD	    4 /* bytes before the page's own */

/* --- sense data (SPC-5 §4.4) --- */
#define SENSE_CODE	     0 /* u8: response code in bits 6-0; 7: INFORMATION is valid (fixed) */
#define SENSE_CODE_FIXED     0x70
#define SENSE_CODE_FIXED_OLD 0x71 /* deferred */
#define SENSE_CODE_DESC	     0x72
#define SENSE_CODE_DESC_OLD  0x73 /* deferred */
#define SENSE_FIXED_MIN	     18

#define SENSE_FIXED_KEY		2  /* u8: low four bits */
#define SENSE_FIXED_INFORMATION 3  /* u32 */
#define SENSE_FIXED_LENGTH	7  /* u8: bytes behind it */
#define SENSE_FIXED_ASC		12 /* u8 */
#define SENSE_FIXED_ASCQ	13 /* u8 */

#define SENSE_DESC_KEY	  1 /* u8: low four bits */
#define SENSE_DESC_ASC	  2 /* u8 */
#define SENSE_DESC_ASCQ	  3 /* u8 */
#define SENSE_DESC_LENGTH 7 /* u8: bytes behind it */
#define SENSE_DESC_HEAD	  8

#define SENSE_DESC_TYPE_INFORMATION 0x00
#define SENSE_DESC_INFORMATION_SIZE 12 /* whole descriptor; valid bit is bit 7 of byte 2 */
#define SENSE_DESC_INFORMATION	    4  /* u64, in the descriptor */

/* --- sense keys (SPC-5 §4.4.8) --- */
#define SCSI_KEY_NO_SENSE	 0x0
#define SCSI_KEY_RECOVERED_ERROR 0x1
#define SCSI_KEY_NOT_READY	 0x2
#define SCSI_KEY_MEDIUM_ERROR	 0x3
#define SCSI_KEY_HARDWARE_ERROR	 0x4
#define SCSI_KEY_ILLEGAL_REQUEST 0x5
#define SCSI_KEY_UNIT_ATTENTION	 0x6
#define SCSI_KEY_DATA_PROTECT	 0x7
#define SCSI_KEY_BLANK_CHECK	 0x8
#define SCSI_KEY_ABORTED_COMMAND 0xb

#endif
