/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block device or plain file as if it were a drive: answers the few commands that a capture
 * sends, by pread.  A pread that fails is reported as what it is, an error of the host
 * (OUTCOME_HOST_ERROR, or OUTCOME_GONE when it says that the source has gone): there is no drive
 * whose sense data could say more.  Commands that it does not know are an ILLEGAL REQUEST.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/errnum.h"
#include "base/file.h"
#include "base/mem.h"
#include "transport/transport.h"

#define MOST_TRANSFER (1u << 20)
#define ALIGNMENT     4096u

struct file {
	struct transport transport;
	int fd;
	uint64_t size_bytes;
	uint32_t block_bytes;
	bool direct;	 /* opened with O_DIRECT */
	uint8_t *bounce; /* for callers whose buffer is not aligned */
	uint8_t inquiry[INQUIRY_LEN];
};

static void file_check_condition(struct reply *reply, uint8_t key, uint8_t asc)
{
	reply->status = SCSI_STATUS_CHECK_CONDITION;
	memset(reply->sense, 0, SENSE_FIXED_MIN);
	reply->sense[SENSE_CODE] = SENSE_CODE_FIXED;
	reply->sense[SENSE_FIXED_KEY] = key;
	reply->sense[SENSE_FIXED_LENGTH] = SENSE_FIXED_MIN - 8;
	reply->sense[SENSE_FIXED_ASC] = asc;
	reply->sense_len = SENSE_FIXED_MIN;
}

static void file_answer(
	const struct command *command, struct reply *reply, const uint8_t *bytes, size_t len)
{
	reply->moved = len < command->data_len ? len : command->data_len;
	if (reply->moved > 0)
		memcpy(command->data, bytes, reply->moved);
}

static uint64_t n_blocks(const struct file *file)
{
	return (file->size_bytes + file->block_bytes - 1) / file->block_bytes;
}

/* pread of LEN bytes at OFFSET into DATA: returns how many there are, fewer than LEN only where the
 * file has become shorter since it was opened, or -1 and errno.  What lies behind the size that it
 * had then (its last sector may be only partly there) reads as zeros. */
static ssize_t read_bytes(struct file *file, uint64_t offset, size_t len, uint8_t *data)
{
	bool bounce = file->direct && ((uintptr_t)data | len | offset) % ALIGNMENT != 0;
	uint8_t *to = bounce ? file->bounce : data;
	/* O_DIRECT wants whole logical blocks; the buffer is what must be aligned more. */
	ssize_t n = file_read_at(file->fd, to, len, offset);

	if (n < 0)
		return -1;
	if (bounce)
		memcpy(data, to, (size_t)n);
	if ((uint64_t)n < mem_min_u64(len, file->size_bytes - offset))
		return n;
	memset(data + n, 0, len - (size_t)n);
	return (ssize_t)len;
}

static int file_read_failed(int host_errno, struct reply *reply, struct err *err)
{
	bool gone = errnum_kind(host_errno) == ERRNUM_GONE;

	reply->outcome = gone ? OUTCOME_GONE : OUTCOME_HOST_ERROR;
	reply->host_errno = host_errno;
	return err_set(err, gone ? ERR_GONE : ERR_OTHER, "%s: %s (%s)",
		gone ? "it has gone" : "the host cannot read it", strerror(host_errno),
		errnum_name(errnum_of_host(host_errno)));
}

/* Sectors that a file had when it was opened and that are cut off now are neither bad nor there. */
static int cut_off(const struct file *file, struct reply *reply, struct err *err)
{
	reply->outcome = OUTCOME_GONE;
	return err_set(err, ERR_GONE,
		"the file has become shorter than the %" PRIu64
		" bytes that it had when it was opened",
		file->size_bytes);
}

static int file_read(
	struct file *file, const struct command *command, struct reply *reply, struct err *err)
{
	const uint8_t *cdb = command->cdb;
	bool is16 = cdb[0] == SCSI_READ_16;
	uint64_t lba = is16 ? get_be64(cdb + 2) : get_be32(cdb + 2);
	uint64_t n = is16 ? get_be32(cdb + 10) : get_be16(cdb + 7);
	uint64_t end;
	ssize_t got;

	if (!mem_add_u64(lba, n, &end) || end > n_blocks(file)) {
		file_check_condition(reply, SCSI_KEY_ILLEGAL_REQUEST, 0x21); /* LBA OUT OF RANGE */
		return 0;
	}
	if (n * file->block_bytes > command->data_len) {
		file_check_condition(
			reply, SCSI_KEY_ILLEGAL_REQUEST, 0x24); /* INVALID FIELD IN CDB */
		return 0;
	}
	got = read_bytes(
		file, lba * file->block_bytes, (size_t)(n * file->block_bytes), command->data);
	if (got < 0)
		return file_read_failed(errno, reply, err);
	reply->moved = (size_t)got / file->block_bytes * file->block_bytes;
	return n > 0 && reply->moved == 0 ? cut_off(file, reply, err) : 0;
}

static void file_capacity(struct file *file, const struct command *command, struct reply *reply)
{
	uint64_t last = n_blocks(file) - 1;
	uint8_t out[32] = {0};

	if (command->cdb[0] == SCSI_READ_CAPACITY_10) {
		put_be32(out, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
		put_be32(out + 4, file->block_bytes);
		file_answer(command, reply, out, 8);
		return;
	}
	if ((command->cdb[1] & 0x1f) != SCSI_SA_READ_CAPACITY_16) {
		file_check_condition(reply, SCSI_KEY_ILLEGAL_REQUEST, 0x24);
		return;
	}
	put_be64(out, last);
	put_be32(out + 8, file->block_bytes);
	file_answer(command, reply, out, sizeof(out));
}

/* CDBs are zero-padded to the longest that is looked at, so that a short one cannot be read past
 * its end. */
static int file_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct file *file = (struct file *)transport;
	uint8_t cdb[TRANSPORT_CDB_MAX] = {0};
	struct command whole = *command;

	memcpy(cdb, command->cdb, command->cdb_len);
	whole.cdb = cdb;
	reply->outcome = OUTCOME_DONE;
	switch (cdb[0]) {
	case SCSI_TEST_UNIT_READY:
		break;
	case SCSI_INQUIRY:
		if (cdb[1] & 1)
			file_check_condition(reply, SCSI_KEY_ILLEGAL_REQUEST, 0x24);
		else
			file_answer(&whole, reply, file->inquiry, sizeof(file->inquiry));
		break;
	case SCSI_READ_CAPACITY_10:
	case SCSI_SERVICE_ACTION_IN_16:
		file_capacity(file, &whole, reply);
		break;
	case SCSI_READ_10:
	case SCSI_READ_16:
		return file_read(file, &whole, reply, err);
	default:
		file_check_condition(
			reply, SCSI_KEY_ILLEGAL_REQUEST, 0x20); /* INVALID COMMAND OPERATION CODE */
	}
	return 0;
}

static void file_close(struct transport *transport)
{
	struct file *file = (struct file *)transport;

	if (file->fd >= 0)
		close(file->fd);
	free(file->bounce);
	free(file);
}

static const struct transport_ops transport_file = {
	.name = "file",
	.exec = file_exec,
	.close = file_close,
};

static int set_block_device(struct file *file, struct err *err)
{
	int block = 0, flags;

	if (ioctl(file->fd, BLKGETSIZE64, &file->size_bytes) < 0 ||
		ioctl(file->fd, BLKSSZGET, &block) < 0)
		return err_sys(err, errno, "cannot ask its size");
	if (block >= 512)
		file->block_bytes = (uint32_t)block;
	/* Past the page cache, so that a bad sector does not take its neighbours with it. */
	flags = fcntl(file->fd, F_GETFL);
	file->direct = flags >= 0 && fcntl(file->fd, F_SETFL, flags | O_DIRECT) == 0;
	return 0;
}

static int file_setup(struct file *file, const char *path, struct err *err)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct stat st;

	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return err_sys(err, errno, "cannot open it");
	file->block_bytes = 512;
	file->size_bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && set_block_device(file, err) < 0)
		return -1;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, "neither a block device nor a plain file");
	if (file->size_bytes == 0)
		return err_set(err, ERR_NO_MEDIUM, "it is empty: no medium");
	file->bounce = mem_page_alloc(MOST_TRANSFER);
	if (!file->bounce)
		return err_memory(err, "opening the file");
	file->inquiry[INQUIRY_VERSION] = 0x04; /* SPC-2: has no pages to be asked for */
	file->inquiry[3] = 0x02;
	file->inquiry[4] = INQUIRY_LEN - 5;
	memset(file->inquiry + INQUIRY_VENDOR, ' ', INQUIRY_LEN - INQUIRY_VENDOR);
	memcpy(file->inquiry + INQUIRY_VENDOR, S_ISBLK(st.st_mode) ? "BLOCK" : "FILE ", 5);
	memcpy(file->inquiry + INQUIRY_PRODUCT, base, strnlen(base, 16));
	return 0;
}

struct transport *transport_file_open(const char *path, struct err *err)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file) {
		err_memory(err, "opening the file");
		return NULL;
	}
	file->transport.ops = &transport_file;
	if (file_setup(file, path, err) < 0) {
		file_close(&file->transport);
		return NULL;
	}
	file->transport.max_transfer_bytes = MOST_TRANSFER;
	file->transport.max_cdb_len = 16;
	file->transport.depth = 1;
	return &file->transport;
}
