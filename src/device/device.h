/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which drive, and by which route.  Finds USB mass-storage drives, understands the names that users
 * give, chooses the route (never taking what the kernel is using), and opens it.
 */
#ifndef UMS_DEVICE_DEVICE_H
#define UMS_DEVICE_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scsi/scsi.h"
#include "transport/transport.h"
#include "usb/pcap.h"

struct link;

enum route {
	ROUTE_AUTO,
	ROUTE_SG,
	ROUTE_BOT,
	ROUTE_UAS,
	ROUTE_FILE,
	ROUTE_REPLAY, /* a transcript */
};

const char *route_name(enum route route);

/* False when TEXT names no route. */
bool route_parse(const char *text, enum route *route);

/* What was looked at is so or not; what could not be looked at is neither. */
enum looked {
	LOOKED_UNKNOWN,
	LOOKED_NO,
	LOOKED_YES,
};

/* One logical unit of one USB mass-storage interface, or of a simulated drive.  Texts are empty
 * when not known; those that the drive itself says are plain ASCII (text_escape()). */
struct drive {
	uint8_t bus, address, configuration, interface, lun;
	char port[32]; /* "1-2.3"; empty when not on USB */
	uint16_t vid, pid, bcd_device;
	char usb_vendor[128], usb_product[128], usb_serial[128];
	char scsi_vendor[40], scsi_product[72], scsi_revision[24];
	uint64_t n_blocks; /* 0: not known or no medium */
	uint32_t block_bytes;
	char driver[32];   /* bound kernel driver */
	char block[64];	   /* "/dev/sdb" */
	char sg[64];	   /* "/dev/sg1" */
	char by_id[256];   /* first /dev/disk/by-id link */
	char by_path[256]; /* first /dev/disk/by-path link */
	bool offers_bot, offers_uas;
	bool read_only;
	char in_use[512]; /* "mounted read-write on /mnt (/dev/sdb1)", "swap …"; empty when no use
			   * of it is seen.  Has in it what a mount point is called */
	bool mounted_rw;  /* mounted read-write, or swapped on, or that cannot be ruled out */
	enum looked medium;
	enum looked used; /* unknown but in a list that looked closer */
	char unseen[128]; /* why `used` is unknown */
	enum route route; /* the one that ROUTE_AUTO would choose */
	char why[256];	  /* and why */
};

struct drive_list {
	struct drive *drive; /* sorted by port, interface, LUN */
	size_t n;
};

/*
 * Every USB mass-storage LUN of this machine.  LOOK_CLOSER: drives without a kernel driver are
 * claimed for a moment and asked INQUIRY and READ CAPACITY; disks of the others are opened for a
 * moment, for themselves alone, which tells whether somebody uses them out of our sight, and
 * whether a CD-ROM unit has a medium.  The kernel sends those nothing but the TEST UNIT READY that
 * it sends every few seconds anyway.
 */
int drive_list_read(struct drive_list *list, bool look_closer, struct err *err);
void drive_list_free(struct drive_list *list);

/* Whether another program writes to a drive: see watch.h. */
struct device_watch {
	bool begun;
	char block[64];	      /* its disk at the last look */
	uint64_t disk_number; /* that disk's, or 0 */
	bool counted;	      /* `written` is known */
	uint64_t written;     /* sectors of 512 bytes, when it was counted first */
	bool writable;	      /* it was mounted read-write at the first look: the user knows */
	bool seen;	      /* it was written to since, or could be */
};

/* A drive, opened. */
struct device {
	struct transport *transport; /* behind the read-only guard, unless `any_command`;
				      * device_close() closes it */
	struct transport *tally;     /* what has counted what passed it (transport.h), or NULL */
	struct drive drive;	     /* what is known of it; for plain files most is empty */
	char name[512];		     /* as messages should call it: "/dev/sdb", "sim:demo" */
	enum route route;	     /* the one taken */
	struct inquiry inquiry;
	struct capacity capacity;
	bool capacity_corrected;
	uint32_t quirks;	 /* enum quirk */
	unsigned int reconnects; /* so far */
	uint32_t reset_epoch;	 /* up to which resets have been told of (struct reply): by the one
				  * who sends commands.  A reconnect counts it on */
	uint64_t size_bytes;	 /* n_blocks × block_bytes, or a plain file's exact size */
	struct device_watch watch;
	char unit_serial[128];		  /* VPD page 80h, escaped */
	const uint8_t *device_descriptor; /* 18 bytes, or NULL when not USB; the device's */
	const uint8_t *config_descriptor;
	size_t config_len;
};

/* What a drive is asked before it is handed out. */
enum device_ask {
	ASK_ALL,     /* whether it is ready, INQUIRY, capacity, serial number */
	ASK_INQUIRY, /* that alone */
	ASK_NOTHING,
};

struct device_options {
	enum route route;
	enum route prefer; /* ROUTE_BOT or ROUTE_UAS: this one, where `route` is ROUTE_AUTO and
			    * no driver has the drive; ROUTE_AUTO: as is best */
	enum device_ask ask;
	bool any_command;	 /* no read-only guard: who sends commands sees to it */
	bool detach;		 /* may take the interface from the kernel's driver */
	bool live;		 /* may read a drive that is mounted read-write */
	unsigned int timeout_ms; /* for a command; 0 = 30 s */
	const char *quirks;	 /* "ignore-residue,…", over what is known; NULL: nothing */
	const char *record;	 /* a transcript of all commands goes to this file; NULL: none */
	bool record_data;	 /* … with data and serial numbers */
	const char *pcap;	 /* the same as a USB capture; NULL: none */
	pcap_watcher *watch; /* is told of each USB transfer, on routes that make some; or NULL */
	void *watch_context;
	uint64_t fault_seed; /* misbehave around the transport; 0: do not */
};

/*
 * Opens what NAME says: /dev/sdX, /dev/sgN, a by-id link, usb:VID:PID[:SERIAL][,lun=N],
 * usb:BUS-PORT[.PORT…][,lun=N], sim:NAME, any block device or plain file.
 * NULL and ERR (kind set: ERR_NO_DEVICE, ERR_PERMISSION, ERR_BUSY, ERR_NO_MEDIUM, …) on failure,
 * with nothing left taken.
 */
struct device *device_open(const char *name, const struct device_options *options, struct err *err);

/*
 * The drive has left the bus, or does not answer any more: gives back what was taken, and waits
 * until DEADLINE for a drive of the same identity (USB ids, serial numbers, capacity), whatever its
 * port and its node are now, for which SAME (may be NULL) says 0.  Among several such, the one on
 * the old port is taken; ERR_IDENTITY when that does not tell them apart.  DEVICE is open again on
 * success; on failure it can only be closed, or waited for again.  STOP (may be NULL) ends the wait
 * (ERR_GONE).
 */
int device_reconnect(struct device *device, struct deadline deadline, const atomic_bool *stop,
	int (*same)(void *context, struct device *candidate, struct err *err), void *context,
	struct err *err);

/*
 * What can be done to a drive that does not answer any more, from the mildest on: SG_SCSI_RESET of
 * device, target and host where the kernel's driver is bound; a port reset and taking its
 * authorization away and giving it back only where the options of device_open() said `detach` and
 * nothing is mounted. Steps begin at *STEP (0 at first), which is set to the next one; WHAT (ROOM
 * bytes) says what was done. True when there was such a step, whether it helped or not; false when
 * there is none left.
 */
bool device_revive(struct device *device, unsigned int *step, char *what, size_t room);

/* The link below the transport, for control requests while no command is under way; NULL where the
 * route has none.  It stays DEVICE's. */
struct link *device_link(struct device *device);

/* Gives back whatever was taken.  NULL is allowed. */
void device_close(struct device *device);

#endif
