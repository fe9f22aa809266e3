/* SPDX-License-Identifier: BSD-2-Clause */
/* USB Attached SCSI (UAS, T10/2095-D and UAS-2): information units.  All fields are big-endian. */
#ifndef UMS_PROTO_UAS_H
#define UMS_PROTO_UAS_H

/* --- pipes, as the pipe usage descriptor names them (UAS-2 §5.2.3.3) --- */
#define UAS_PIPE_COMMAND  1 /* bulk out */
#define UAS_PIPE_STATUS	  2 /* bulk in */
#define UAS_PIPE_DATA_IN  3
#define UAS_PIPE_DATA_OUT 4

/* --- every information unit (§6.2.1) --- */
#define IU_HEAD 4
#define IU_ID	0 /* u8 */
#define IU_TAG	2 /* u16; FFFFh and 0 are not used */

#define IU_ID_COMMAND	      0x01
#define IU_ID_SENSE	      0x03
#define IU_ID_RESPONSE	      0x04
#define IU_ID_TASK_MANAGEMENT 0x05
#define IU_ID_READ_READY      0x06
#define IU_ID_WRITE_READY     0x07

/* --- COMMAND (§6.2.2) --- */
#define IU_COMMAND_LEN	     32
#define IU_COMMAND_PRIORITY  4 /* u8: command priority, task attribute (0 = SIMPLE) */
#define IU_COMMAND_EXTRA_LEN 6 /* u8: bits 7 … 2, dwords of CDB behind the first 16 bytes */
#define IU_COMMAND_LUN	     8 /* 8 bytes (SAM-5 §4.7) */
#define IU_COMMAND_CDB	     16
#define IU_COMMAND_CDB_LEN   16 /* bytes of CDB within IU_COMMAND_LEN */
#define IU_COMMAND_CDB_MAX   (IU_COMMAND_CDB_LEN + 252)

/* --- SENSE (§6.2.5) --- */
#define IU_SENSE_HEAD	   16
#define IU_SENSE_QUALIFIER 4  /* u16: status qualifier */
#define IU_SENSE_STATUS	   6  /* u8: SCSI status */
#define IU_SENSE_LENGTH	   14 /* u16: bytes of sense data */
#define IU_SENSE_DATA	   16
#define IU_SENSE_MAX	   (IU_SENSE_HEAD + 252)

/* --- RESPONSE (§6.2.6) --- */
#define IU_RESPONSE_LEN	 8
#define IU_RESPONSE_INFO 4 /* 3 bytes: additional response information */
#define IU_RESPONSE_CODE 7 /* u8 */

#define UAS_RC_TMF_COMPLETE	 0x00
#define UAS_RC_INVALID_IU	 0x02
#define UAS_RC_TMF_NOT_SUPPORTED 0x04
#define UAS_RC_TMF_FAILED	 0x05
#define UAS_RC_TMF_SUCCEEDED	 0x08
#define UAS_RC_INCORRECT_LUN	 0x09
#define UAS_RC_OVERLAPPED_TAG	 0x0a

/* --- TASK MANAGEMENT (§6.2.7) --- */
#define IU_TMF_LEN	16
#define IU_TMF_FUNCTION 4 /* u8 */
#define IU_TMF_TASK_TAG 6 /* u16: of the task to be managed */
#define IU_TMF_LUN	8 /* 8 bytes */

#define UAS_TMF_ABORT_TASK	   0x01
#define UAS_TMF_LOGICAL_UNIT_RESET 0x08

/* --- READ READY, WRITE READY (§6.2.3, §6.2.4): the head alone --- */
#define IU_READY_LEN IU_HEAD

#endif
