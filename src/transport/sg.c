/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SG_IO through libsgutils2: the kernel's driver stays bound, and queues our commands between its
 * own. A deadline becomes the kernel's time-out in whole seconds; when it passes, the kernel's
 * error handling runs (abort, device reset, bus reset) before we hear of it.  Each command has an
 * SG_IO of its own, so several threads may have one under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <scsi/sg_pt.h>

#include "base/file.h"
#include "base/mem.h"
#include "transport/transport.h"

#define FALLBACK_TRANSFER (128u << 10)
#define MOST_TRANSFER	  (1u << 20)
#define MOST_DEPTH	  8
#define USB_CDB_MAX	  16 /* usb-storage and uas announce a max_cmd_len of 16 */
#define OTHER_CDB_MAX	  32 /* the most that Linux passes on; the host adapter may take less */

/* Host status (include/scsi/scsi_host… of Linux, SG_IO HOWTO "host_status"). */
enum {
	DID_NO_CONNECT = 0x01,
	DID_BUS_BUSY = 0x02,
	DID_TIME_OUT = 0x03,
	DID_BAD_TARGET = 0x04,
	DID_ABORT = 0x05,
	DID_RESET = 0x08,
};

struct sg {
	struct transport transport;
	int fd;
	_Atomic uint32_t epoch;
};

/* Returns the time-out in seconds. */
static int sg_prepare(struct sg_pt_base *pt, const struct command *command, struct reply *reply)
{
	set_scsi_pt_cdb(pt, command->cdb, (int)command->cdb_len);
	set_scsi_pt_sense(pt, reply->sense, sizeof(reply->sense));
	if (command->direction == TRANSFER_IN)
		set_scsi_pt_data_in(pt, command->data, (int)command->data_len);
	else if (command->direction == TRANSFER_OUT)
		set_scsi_pt_data_out(pt, command->data, (int)command->data_len);
	return (int)mem_max_u64((deadline_left_ms(command->deadline) + 999ull) / 1000, 1);
}

static int sg_fail(struct reply *reply, enum outcome outcome, enum err_kind kind, struct err *err,
	const char *text)
{
	reply->outcome = outcome;
	return err_set(err, kind, "%s", text);
}

/* What the host adapter's driver says went wrong. */
static int transport_error(
	struct sg *sg, const struct sg_pt_base *pt, struct reply *reply, struct err *err)
{
	int host = get_scsi_pt_transport_err(pt);

	switch (host) {
	case DID_TIME_OUT:
		reply->reset_epoch = ++sg->epoch;
		return sg_fail(reply, OUTCOME_TIMED_OUT, ERR_OTHER, err,
			"no answer in time; the kernel has reset the drive");
	case DID_NO_CONNECT:
	case DID_BAD_TARGET:
		return sg_fail(
			reply, OUTCOME_GONE, ERR_GONE, err, "the drive has gone from the bus");
	case DID_RESET:
	case DID_ABORT:
	case DID_BUS_BUSY:
		return sg_fail(reply, OUTCOME_ABORTED, ERR_OTHER, err,
			"the command was ended by a reset that was not its own");
	default:
		reply->outcome = OUTCOME_BROKEN;
		return err_set(err, ERR_OTHER, "the transfer broke (host status %02xh)", host);
	}
}

static int os_error(struct reply *reply, int errnum, struct err *err)
{
	reply->host_errno = errnum;
	reply->outcome = errnum == ENODEV || errnum == ENXIO ? OUTCOME_GONE : OUTCOME_NOT_SENT;
	return err_sys(err, errnum, "SG_IO");
}

static void take_answer(
	const struct sg_pt_base *pt, const struct command *command, struct reply *reply)
{
	int resid = get_scsi_pt_resid(pt);
	int sense_len = get_scsi_pt_sense_len(pt);

	reply->outcome = OUTCOME_DONE;
	reply->status = (uint8_t)(get_scsi_pt_status_response(pt) & 0x7e);
	if (sense_len > 0)
		reply->sense_len = mem_min_u64((uint64_t)sense_len, sizeof(reply->sense));
	reply->moved = command->data_len;
	if (resid > 0)
		reply->moved -= mem_min_u64((uint64_t)resid, command->data_len);
}

static int sg_run(struct sg *sg, struct sg_pt_base *pt, const struct command *command,
	struct reply *reply, struct err *err)
{
	int seconds = sg_prepare(pt, command, reply);
	int r = do_scsi_pt(pt, sg->fd, seconds, 0);

	if (r < 0)
		return os_error(reply, -r, err);
	if (r > 0) {
		if (r == SCSI_PT_DO_TIMEOUT)
			return sg_fail(
				reply, OUTCOME_TIMED_OUT, ERR_OTHER, err, "no answer in time");
		return sg_fail(
			reply, OUTCOME_NOT_SENT, ERR_OTHER, err, "SG_IO refused the command");
	}
	switch (get_scsi_pt_result_category(pt)) {
	case SCSI_PT_RESULT_OS_ERR:
		return os_error(reply, get_scsi_pt_os_err(pt), err);
	case SCSI_PT_RESULT_TRANSPORT_ERR:
		return transport_error(sg, pt, reply, err);
	default:
		take_answer(pt, command, reply);
		return 0;
	}
}

static int sg_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err)
{
	struct sg *sg = (struct sg *)transport;
	struct sg_pt_base *pt = construct_scsi_pt_obj_with_fd(sg->fd, 0);
	int r;

	reply->reset_epoch = sg->epoch;
	if (!pt)
		return err_memory(err, "for a command");
	r = sg_run(sg, pt, command, reply, err);
	destruct_scsi_pt_obj(pt);
	return r;
}

static void sg_close(struct transport *transport)
{
	struct sg *sg = (struct sg *)transport;

	if (sg->fd >= 0)
		close(sg->fd);
	free(sg);
}

static const struct transport_ops transport_sg = {
	.name = "sg",
	.exec = sg_exec,
	.close = sg_close,
};

/* A number of the disk in sysfs: its place below the block node's directory, and below the sg
 * node's.  0 when there is none. */
static uint64_t attribute(int fd, const char *of_block, const char *of_sg)
{
	uint64_t value = 0;
	struct stat st;
	char path[160];
	glob_t found;

	if (fstat(fd, &st) < 0)
		return 0;
	snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u/%s", S_ISBLK(st.st_mode) ? "block" : "char",
		major(st.st_rdev), minor(st.st_rdev), S_ISBLK(st.st_mode) ? of_block : of_sg);
	if (glob(path, 0, NULL, &found) == 0) {
		if (!file_read_number(found.gl_pathv[0], &value))
			value = 0;
		globfree(&found);
	}
	return value;
}

/* max_hw_sectors_kb of the disk, which the block layer enforces for SG_IO on the block node and the
 * host adapter for the sg node. */
static size_t sg_transfer_limit(int fd)
{
	uint64_t kb =
		attribute(fd, "queue/max_hw_sectors_kb", "device/block/*/queue/max_hw_sectors_kb");

	if (kb == 0)
		return FALLBACK_TRANSFER;
	return (size_t)mem_min_u64(mem_min_u64(kb, MOST_TRANSFER) * 1024, MOST_TRANSFER);
}

/* By the place of its device in sysfs. */
static bool is_on_usb(int fd)
{
	cleanup_free char *real = NULL;
	struct stat st;
	char path[80];

	if (fstat(fd, &st) < 0)
		return true;
	snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u", S_ISBLK(st.st_mode) ? "block" : "char",
		major(st.st_rdev), minor(st.st_rdev));
	real = realpath(path, NULL);
	return !real || strstr(real, "/usb") != NULL;
}

/* The kernel queues what the drive does not take yet: one more than that keeps it busy between two
 * commands. */
static unsigned int depth_of(int fd)
{
	unsigned long taken = attribute(fd, "device/queue_depth", "device/queue_depth");

	return (unsigned int)mem_min_u64(mem_max_u64(taken, 1) + 1, MOST_DEPTH);
}

struct transport *transport_sg_open(const char *path, uint32_t quirks, struct err *err)
{
	struct sg *sg = calloc(1, sizeof(*sg));

	if (!sg) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	sg->transport.ops = &transport_sg;
	sg->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (sg->fd < 0) {
		err_sys(err, errno, "cannot open %s", path);
		sg_close(&sg->transport);
		return NULL;
	}
	sg->transport.max_transfer_bytes = sg_transfer_limit(sg->fd);
	sg->transport.quirks = quirks;
	sg->transport.max_cdb_len = is_on_usb(sg->fd) ? USB_CDB_MAX : OTHER_CDB_MAX;
	sg->transport.depth = depth_of(sg->fd);
	return &sg->transport;
}
