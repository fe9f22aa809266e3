/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this the drive that the image was begun from?  Its capacity, its logical unit, its serial
 * numbers and a sample of sectors must agree.  Where there is neither a serial number nor a sector
 * that could tell it from another, product and port must both be known and agree.  The name of its
 * node says nothing: that goes to whichever drive comes first.
 */
#include "capture/identity.h"

#include "base/mem.h"
#include "base/text.h"
#include "capture/plain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_SECTORS	16
#define SPREAD_PLACES	64
#define DOUBLING_PLACES 64
#define VALUE_ROOM	256

/* Each READ that hangs may take half a minute, in which nobody can stop it. */
#define HUNG_MOST 2

/* --- the lines --- */

struct lines {
	char *text;
	size_t room, n;
	bool full;
};

static void add_identity_line(struct lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A line that does not fit whole is left out, and all behind it. */
static void add_identity_line(struct lines *lines, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(lines->text + lines->n, lines->room - lines->n, format, ap);
	va_end(ap);
	if (lines->full || n < 0 || (size_t)n >= lines->room - lines->n)
		lines->full = true;
	else
		lines->n += (size_t)n;
	lines->text[lines->n] = '\0';
}

char *capture_identity(const struct device *device, char *out, size_t room)
{
	const struct drive *drive = &device->drive;
	struct lines lines = {.text = out, .room = room};

	if (room == 0)
		return out;
	out[0] = '\0';
	add_identity_line(&lines, "sectors=%" PRIu64 "\n", device->capacity.n_blocks);
	add_identity_line(&lines, "sector-bytes=%" PRIu32 "\n", device->capacity.block_bytes);
	add_identity_line(&lines, "bytes=%" PRIu64 "\n", device->size_bytes);
	add_identity_line(&lines, "usb-serial=%s\n", drive->usb_serial);
	add_identity_line(&lines, "unit-serial=%s\n", device->unit_serial);
	add_identity_line(
		&lines, "usb-id=%04x:%04x:%04x\n", drive->vid, drive->pid, drive->bcd_device);
	add_identity_line(&lines, "vendor=%s\n", device->inquiry.vendor);
	add_identity_line(&lines, "product=%s\n", device->inquiry.product);
	add_identity_line(&lines, "revision=%s\n", device->inquiry.revision);
	add_identity_line(&lines, "port=%s\n", drive->port);
	add_identity_line(&lines, "lun=%u\n", drive->lun);
	return out;
}

/* The value of KEY into VALUE; empty when there is none. */
static const char *find_value(const char *text, size_t len, const char *key, char value[VALUE_ROOM])
{
	size_t key_len = strlen(key);

	value[0] = '\0';
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t line = newline ? (size_t)(newline - text) : len;

		if (line > key_len && memcmp(text, key, key_len) == 0 && text[key_len] == '=') {
			size_t n = mem_min_u64(line - key_len - 1, VALUE_ROOM - 1);

			memcpy(value, text + key_len + 1, n);
			value[n] = '\0';
			return value;
		}
		text += line + (newline != NULL);
		len -= line + (newline != NULL);
	}
	return value;
}

/* --- the sample --- */

/* Where to look for sectors: all over the drive, and close together at its beginning, where file
 * systems keep what tells them apart. */
static uint64_t sample_place(uint64_t n_blocks, unsigned int i)
{
	if (i % 2 == 0)
		return n_blocks / SPREAD_PLACES * (i / 2);
	return i / 2 < 63 ? 1ull << (i / 2) : UINT64_MAX;
}

/* Compares one good sector at or behind PLACE.  1: it agrees, 0: it says nothing, -1: another.
 * Counts it in *HUNG when the drive did not answer in time. */
static int sample_one(struct device *device, struct capture_sink *sink, uint64_t place,
	uint8_t *ours, uint8_t *theirs, unsigned int *hung, struct err *err)
{
	struct block_range range;
	enum outcome outcome = OUTCOME_DONE;
	struct err unread = {.kind = ERR_NONE};
	size_t len = sink->block_bytes;

	if (!blockmap_next(sink->map, place, BLOCK_HAVE, &range))
		return 0;
	/* What is damaged in the image says nothing; it is found and mended later. */
	if (sink->ops->read_back(sink, range.lba, 1, ours, &unread) < 0) {
		if (unread.kind == ERR_BAD_IMAGE)
			return 0;
		if (err)
			*err = unread;
		return -1;
	}
	if (mem_is_uniform(ours, len))
		return 0;
	memset(theirs, 0, len);
	if (!plain_read(device, range.lba, PLAIN_READ_MS, theirs, &outcome)) {
		*hung += outcome == OUTCOME_TIMED_OUT;
		return outcome == OUTCOME_GONE
			       ? err_set(err, ERR_GONE, "%s left the bus", device->name)
			       : 0;
	}
	if (memcmp(ours, theirs, len) == 0)
		return 1;
	return err_set(err, ERR_IDENTITY,
		"sector %" PRIu64 " of %s is not what the image has of it", range.lba,
		device->name);
}

int identity_sample(
	struct device *device, struct capture_sink *sink, unsigned int *compared, struct err *err)
{
	size_t len = sink->block_bytes;
	cleanup_free uint8_t *ours = mem_page_alloc(len);
	cleanup_free uint8_t *theirs = mem_page_alloc(len);

	unsigned int hung = 0;

	*compared = 0;
	if (!ours || !theirs)
		return err_memory(err, "for two sectors");
	for (unsigned int i = 0; i < SPREAD_PLACES + DOUBLING_PLACES; i++) {
		uint64_t place = sample_place(blockmap_blocks(sink->map), i);
		int r = sample_one(device, sink, place, ours, theirs, &hung, err);

		if (r < 0)
			return -1;
		*compared += (unsigned int)r;
		if (*compared == SAMPLE_SECTORS || hung == HUNG_MOST)
			break;
	}
	return 0;
}

/* --- the judgement --- */

static int differs(struct err *err, const char *what, const char *image, const char *drive)
{
	char shown[VALUE_ROOM * 4];

	text_escape(image, strlen(image), shown, sizeof(shown));
	return err_set(err, ERR_IDENTITY, "the image is of another drive: its %s is %.200s, not %s",
		what, shown[0] ? shown : "not known", drive);
}

/* 1: both are known and agree, 0: one is not known, -1: they differ. */
static int identity_compare(const char *text, size_t len, const char *key, const char *drive,
	const char *what, struct err *err)
{
	char value[VALUE_ROOM];

	find_value(text, len, key, value);
	if (!value[0] || !drive[0])
		return 0;
	return strcmp(value, drive) == 0 ? 1 : differs(err, what, value, drive);
}

static int compare_number(const char *text, size_t len, const char *key, uint64_t drive,
	const char *what, struct err *err)
{
	char value[VALUE_ROOM], number[32];
	uint64_t image;

	find_value(text, len, key, value);
	if (text_number(value, &image) && image == drive)
		return 0;
	snprintf(number, sizeof(number), "%" PRIu64, drive);
	return differs(err, what, value, number);
}

/* With neither a serial number nor a sector to go by: what is not known of one of them does not
 * count as agreeing. */
static int compare_place(struct device *device, const char *text, size_t len, struct err *err)
{
	int product =
		identity_compare(text, len, "product", device->inquiry.product, "product", err);
	int port = product < 0 ? -1
			       : identity_compare(
					 text, len, "port", device->drive.port, "USB port", err);

	if (product < 0 || port < 0)
		return -1;
	if (product > 0 && port > 0)
		return 0;
	return err_set(err, ERR_IDENTITY,
		"nothing tells %s from another drive of its kind: no serial number, no sector that "
		"could be compared, and %s is not known of both",
		device->name, product > 0 ? "the port" : "the product");
}

static int compare_geometry(
	const struct device *device, const char *text, size_t len, struct err *err)
{
	const struct capacity *capacity = &device->capacity;

	if (compare_number(text, len, "sectors", capacity->n_blocks, "size in sectors", err) < 0 ||
		compare_number(
			text, len, "sector-bytes", capacity->block_bytes, "sector size", err) < 0 ||
		compare_number(text, len, "bytes", device->size_bytes, "size in bytes", err) < 0)
		return -1;
	return compare_number(text, len, "lun", device->drive.lun, "logical unit", err);
}

/* 1: a serial number is known of both and agrees, 0: none is, -1: one differs. */
static int compare_serials(
	const struct device *device, const char *text, size_t len, struct err *err)
{
	int usb = identity_compare(
		text, len, "usb-serial", device->drive.usb_serial, "USB serial number", err);
	int unit = usb < 0 ? -1
			   : identity_compare(text, len, "unit-serial", device->unit_serial,
				     "unit serial number", err);

	if (usb < 0 || unit < 0)
		return -1;
	return usb > 0 || unit > 0;
}

int capture_same_drive(struct device *device, struct capture_sink *sink, const char *identity,
	size_t len, struct err *err)
{
	unsigned int compared = 0;
	int serials;

	if (compare_geometry(device, identity, len, err) < 0)
		return -1;
	serials = compare_serials(device, identity, len, err);
	if (serials < 0)
		return -1;
	if (blockmap_blocks(sink->map) != device->capacity.n_blocks ||
		sink->block_bytes != device->capacity.block_bytes)
		return err_set(err, ERR_IDENTITY, "the image is not of a drive of this size");
	/* What went into a pipe cannot be read back. */
	if (!sink->in_order && identity_sample(device, sink, &compared, err) < 0)
		return -1;
	return serials > 0 || compared > 0 ? 0 : compare_place(device, identity, len, err);
}
