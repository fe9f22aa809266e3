/* SPDX-License-Identifier: BSD-2-Clause */
/* Understanding the names that users give to drives. */
#ifndef UMS_DEVICE_NAME_H
#define UMS_DEVICE_NAME_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "device/device.h"

enum name_kind {
	NAME_SIM,    /* a simulated drive */
	NAME_DRIVE,  /* a USB drive, or another SCSI unit (its port is empty) */
	NAME_BLOCK,  /* a block device that is neither */
	NAME_FILE,   /* a plain file */
	NAME_REPLAY, /* a transcript */
};

struct named {
	enum name_kind kind;
	struct drive drive;  /* of NAME_FILE nothing is known; of NAME_SIM the lun */
	char path[PATH_MAX]; /* node or file as it was given; of NAME_SIM and NAME_REPLAY what is
				behind "sim:" (without the lun) and "replay:" */
	char label[512];     /* as messages should call it */
};

/* usb:VID:PID[:SERIAL][,lun=N] or usb:BUS-PORT[.PORT…][,lun=N] */
struct usb_name {
	char port[32]; /* empty: by VID:PID */
	uint16_t vid, pid;
	char serial[128]; /* as it is shown in a list; empty: any */
	int lun;	  /* -1: not said */
};

/* What NAME stands for. */
int name_resolve(const char *name, struct named *named, struct err *err);

/* Takes NAME ("usb:…") to its parts. */
int name_parse_usb(const char *name, struct usb_name *parts, struct err *err);

/*
 * The one drive of LIST that NAME (whose parts PARTS are) means.  A drive without a kernel driver
 * stands in LIST with one unit, but may have the unit that is asked for: whoever opens it sees.
 */
int name_pick(const char *name, const struct usb_name *parts, const struct drive_list *list,
	struct drive *drive, struct err *err);

/* Cuts ",lun=N" off the end of NAME: N, -1 when there is none, -2 when N is no unit's number. */
int name_cut_lun(char *name);

#endif
