/* SPDX-License-Identifier: BSD-2-Clause */
/* USB/IP 1.1.1 (Linux Documentation/usb/usbip_protocol.rst).  All fields are big-endian. */
#ifndef UMS_PROTO_USBIP_H
#define UMS_PROTO_USBIP_H

#define USBIP_VERSION 0x0111
#define USBIP_PORT    3240

/* --- operations: before a device is imported --- */
#define USBIP_OP_LEN	 8
#define USBIP_OP_VERSION 0 /* u16 */
#define USBIP_OP_CODE	 2 /* u16 */
#define USBIP_OP_STATUS	 4 /* u32 */

#define USBIP_REQ_DEVLIST 0x8005
#define USBIP_REP_DEVLIST 0x0005
#define USBIP_REQ_IMPORT  0x8003
#define USBIP_REP_IMPORT  0x0003

#define USBIP_BUSID_LEN 32

/* --- a device, in both answers --- */
#define USBIP_DEVICE_LEN	312
#define USBIP_DEVICE_PATH	0   /* 256 bytes */
#define USBIP_DEVICE_BUSID	256 /* USBIP_BUSID_LEN */
#define USBIP_DEVICE_BUSNUM	288 /* u32 */
#define USBIP_DEVICE_DEVNUM	292 /* u32 */
#define USBIP_DEVICE_SPEED	296 /* u32 */
#define USBIP_DEVICE_VENDOR	300 /* u16 */
#define USBIP_DEVICE_PRODUCT	302 /* u16 */
#define USBIP_DEVICE_BCD	304 /* u16 */
#define USBIP_DEVICE_CONFIG	309 /* u8: bConfigurationValue */
#define USBIP_DEVICE_CONFIGS	310 /* u8 */
#define USBIP_DEVICE_INTERFACES 311 /* u8 */
#define USBIP_INTERFACE_LEN	4   /* class, subclass, protocol, padding; behind a DEVLIST entry */

#define USBIP_SPEED_FULL  2
#define USBIP_SPEED_HIGH  3
#define USBIP_SPEED_SUPER 5

/* --- transfers: after it --- */
#define USBIP_HEAD_LEN	48
#define USBIP_COMMAND	0  /* u32 */
#define USBIP_SEQNUM	4  /* u32 */
#define USBIP_DEVID	8  /* u32 */
#define USBIP_DIRECTION 12 /* u32: 1 = IN */
#define USBIP_ENDPOINT	16 /* u32, without the direction */

#define USBIP_CMD_SUBMIT 1
#define USBIP_CMD_UNLINK 2
#define USBIP_RET_SUBMIT 3
#define USBIP_RET_UNLINK 4

#define USBIP_SUBMIT_LENGTH  24 /* u32: transfer_buffer_length */
#define USBIP_SUBMIT_PACKETS 32 /* u32: isochronous packets */
#define USBIP_SUBMIT_SETUP   40 /* 8 bytes, as on the wire */
#define USBIP_UNLINK_SEQNUM  20 /* u32 */

#define USBIP_RET_STATUS 20 /* s32: Linux errno, negative */
#define USBIP_RET_ACTUAL 24 /* u32 */

#endif
