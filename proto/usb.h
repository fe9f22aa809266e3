/* SPDX-License-Identifier: BSD-2-Clause */
/* USB descriptors and standard requests as far as mass storage needs them (USB 2.0 chapter 9,
 * USB 3.2 §9.6).  Multi-byte fields are little-endian. */
#ifndef UMS_PROTO_USB_H
#define UMS_PROTO_USB_H

/* --- descriptor types (USB 2.0 table 9-5, USB 3.2 table 9-6, UAS §5.3.3.3) --- */
#define USB_DT_DEVICE		     0x01
#define USB_DT_CONFIG		     0x02
#define USB_DT_STRING		     0x03
#define USB_DT_INTERFACE	     0x04
#define USB_DT_ENDPOINT		     0x05
#define USB_DT_PIPE_USAGE	     0x24
#define USB_DT_SS_ENDPOINT_COMPANION 0x30

/* --- every descriptor --- */
#define USB_DESC_LENGTH 0 /* u8 */
#define USB_DESC_TYPE	1 /* u8 */

/* --- device (table 9-8) --- */
#define USB_DEVICE_DESC_SIZE	 18
#define USB_DEVICE_ID_VENDOR	 8  /* u16 */
#define USB_DEVICE_ID_PRODUCT	 10 /* u16 */
#define USB_DEVICE_BCD_DEVICE	 12 /* u16 */
#define USB_DEVICE_MANUFACTURER	 14 /* u8, index of a string */
#define USB_DEVICE_PRODUCT	 15 /* u8, index of a string */
#define USB_DEVICE_SERIAL_NUMBER 16 /* u8, index of a string */

/* --- configuration (table 9-10) --- */
#define USB_CONFIG_DESC_SIZE	9
#define USB_CONFIG_TOTAL_LENGTH 2 /* u16 */
#define USB_CONFIG_VALUE	5 /* u8: bConfigurationValue */
#define USB_CONFIG_MAX_POWER	8 /* u8: bMaxPower */

/* --- interface (table 9-12) --- */
#define USB_INTERFACE_DESC_SIZE 9
#define USB_INTERFACE_NUMBER	2 /* u8 */
#define USB_INTERFACE_ALTERNATE 3 /* u8 */
#define USB_INTERFACE_CLASS	5 /* u8 */
#define USB_INTERFACE_SUBCLASS	6 /* u8 */
#define USB_INTERFACE_PROTOCOL	7 /* u8 */

/* --- endpoint (table 9-13) --- */
#define USB_ENDPOINT_DESC_SIZE	7
#define USB_ENDPOINT_ADDRESS	2 /* u8, bit 7: IN */
#define USB_ENDPOINT_ATTRIBUTES 3 /* u8, low two bits: 2 = bulk */
#define USB_ENDPOINT_MAX_PACKET 4 /* u16 */

#define USB_ENDPOINT_IN	       0x80
#define USB_ENDPOINT_TYPE_MASK 0x03
#define USB_ENDPOINT_TYPE_BULK 0x02

/* --- SuperSpeed endpoint companion (USB 3.2 table 9-27) --- */
#define USB_SS_COMPANION_SIZE	    6
#define USB_SS_COMPANION_MAX_BURST  2 /* u8 */
#define USB_SS_COMPANION_ATTRIBUTES 3 /* u8, bulk: low five bits = log2 of streams */

/* --- pipe usage (UAS table 8) --- */
#define USB_PIPE_USAGE_SIZE 4
#define USB_PIPE_USAGE_ID   2 /* u8 */

/* --- standard requests (table 9-4) --- */
#define USB_REQ_GET_STATUS	  0
#define USB_REQ_CLEAR_FEATURE	  1
#define USB_REQ_SET_FEATURE	  3
#define USB_REQ_GET_DESCRIPTOR	  6
#define USB_REQ_GET_CONFIGURATION 8
#define USB_REQ_SET_CONFIGURATION 9
#define USB_REQ_GET_INTERFACE	  10
#define USB_REQ_SET_INTERFACE	  11
#define USB_REQ_SET_SEL		  48 /* USB 3.2 table 9-5 */
#define USB_REQ_SET_ISOCH_DELAY	  49

#define USB_FEATURE_ENDPOINT_HALT 0

/* --- mass storage (USB MSC overview 1.4, tables 1 to 3) --- */
#define USB_CLASS_MASS_STORAGE 0x08
#define USB_SUBCLASS_SCSI      0x06
#define USB_PROTOCOL_BOT       0x50
#define USB_PROTOCOL_UAS       0x62

#endif
