/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a transcript of what passes (transcript.h).  A line is written when its command has ended,
 * and at once, so that a crash keeps what was before it.  A file that cannot be written any more
 * ends the transcript, not the capture.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/errnum.h"
#include "base/text.h"
#include "proto/scsi.h"
#include "transport/transcript.h"

#define VPD_BIT 0x01

struct record {
	struct transport transport;
	struct transport *inner;
	pthread_mutex_t lock;
	FILE *file;
	bool with_data;
	bool failed;
};

static void put_hex(FILE *file, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		putc(digits[bytes[i] >> 4], file);
		putc(digits[bytes[i] & 15], file);
	}
}

/* Answers that say what a drive is and can do; without them a transcript could not be replayed.
 * What is on it is not among them. */
static bool is_about_the_drive(uint8_t opcode)
{
	switch (opcode) {
	case SCSI_INQUIRY:
	case SCSI_READ_CAPACITY_10:
	case SCSI_SERVICE_ACTION_IN_16:
	case SCSI_MODE_SENSE_6:
	case SCSI_MODE_SENSE_10:
	case SCSI_REPORT_LUNS:
	case SCSI_LOG_SENSE:
	case SCSI_REQUEST_SENSE:
		return true;
	default:
		return false;
	}
}

/* Pages with serial numbers and world wide names in them (SPC-5 §7.7). */
static bool names_the_drive(const uint8_t *cdb)
{
	return cdb[0] == SCSI_INQUIRY && (cdb[1] & VPD_BIT) && cdb[2] >= 0x80 && cdb[2] <= 0x8f;
}

static void put_data(struct record *record, const struct command *command, size_t moved)
{
	const uint8_t *data = command->data;

	if (command->direction != TRANSFER_IN || moved == 0)
		return;
	if (record->with_data) {
		put_hex(record->file, data, moved);
	} else if (!is_about_the_drive(command->cdb[0])) {
		fputs("-", record->file);
	} else if (names_the_drive(command->cdb)) {
		size_t head = moved < VPD_HEAD ? moved : VPD_HEAD;

		put_hex(record->file, data, head);
		for (size_t i = head; i < moved; i++)
			fputs("58", record->file); /* 'X' */
	} else {
		put_hex(record->file, data, moved);
	}
}

static void record_put_line(struct record *record, const struct command *command,
	const struct reply *reply, uint64_t took_ns)
{
	static const char *const directions[] = {"none", "in", "out"};
	FILE *file = record->file;

	fputs("cdb=", file);
	put_hex(file, command->cdb, command->cdb_len);
	fprintf(file,
		" dir=%s len=%zu outcome=%s status=%02x moved=%zu epoch=%" PRIu32 " us=%" PRIu64
		" sense=",
		directions[command->direction], command->data_len,
		transcript_outcome[reply->outcome], reply->status, reply->moved, reply->reset_epoch,
		took_ns / 1000);
	put_hex(file, reply->sense, reply->sense_len);
	if (reply->host_errno)
		fprintf(file, " errno=%s", errnum_name(errnum_of_host(reply->host_errno)));
	fputs(" data=", file);
	put_data(record, command, reply->moved);
	putc('\n', file);
	if (fflush(file) != 0)
		record->failed = true;
}

static int record_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct record *record = (struct record *)transport;
	uint64_t began = clock_now_ns();
	int r = transport_exec(record->inner, command, reply, err);

	pthread_mutex_lock(&record->lock);
	if (!record->failed)
		record_put_line(record, command, reply, clock_now_ns() - began);
	pthread_mutex_unlock(&record->lock);
	return r;
}

static void record_close(struct transport *transport)
{
	struct record *record = (struct record *)transport;

	transport_close(record->inner);
	fclose(record->file);
	pthread_mutex_destroy(&record->lock);
	free(record);
}

static const struct transport_ops transport_record = {
	.name = "record",
	.exec = record_exec,
	.close = record_close,
};

struct transport *transport_record_new(struct transport *inner, const char *file, bool with_data,
	const char *device, struct err *err)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	record->file = fopen(file, "we");
	if (!record->file) {
		err_sys(err, errno, "cannot write the transcript %s", file);
		free(record);
		return NULL;
	}
	fprintf(record->file, TRANSCRIPT_HEAD "\ndevice %s\nlimits transfer=%zu cdb=%zu depth=%u\n",
		device, inner->max_transfer_bytes, inner->max_cdb_len, inner->depth);
	fflush(record->file);
	pthread_mutex_init(&record->lock, NULL);
	record->transport = *inner;
	record->transport.ops = &transport_record;
	record->inner = inner;
	record->with_data = with_data;
	return &record->transport;
}
