/* SPDX-License-Identifier: BSD-2-Clause */
/* The image that an acquisition writes into: see opening.h. */
#include "acquire/opening.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "capture/identity.h"

#define NAME_MOST 200 /* bytes of a file name made from what a drive says */

struct opening {
	const struct acquire_options *options;
	struct device *device;
	struct acquire_result *result;
	struct image_writer *writer; /* NULL: not open yet */
	struct err *err;
};

/* A new image beside others is named after the drive, with nothing in the name that a drive could
 * play tricks with. */
static void name_image(const struct opening *o)
{
	const struct device *d = o->device;
	const char *serial = d->drive.usb_serial[0] ? d->drive.usb_serial : d->unit_serial;
	char text[sizeof(d->inquiry.vendor) + sizeof(d->inquiry.product) +
		  sizeof(d->drive.usb_serial) + 4];
	char name[NAME_MOST];

	snprintf(text, sizeof(text), "%s%s%s%s%s", d->inquiry.vendor,
		d->inquiry.vendor[0] ? "-" : "", d->inquiry.product,
		d->inquiry.product[0] && serial[0] ? "-" : "", serial);
	text_file_name(text, name, sizeof(name));
	snprintf(o->result->image, sizeof(o->result->image), "%s.ums", name[0] ? name : "drive");
}

/* Nothing tells what is there from another drive's: only where there is nothing yet may that be
 * mended. */
static int adopt_nameless(struct opening *o)
{
	struct capture_sink *sink = image_writer_sink(o->writer);
	char identity[IDENTITY_TEXT];

	if (blockmap_count(sink->map, BLOCK_ALL & ~BLOCK_MASK(BLOCK_UNTRIED)) > 0)
		return err_set(o->err, ERR_IDENTITY,
			"the image does not say which drive it is of: nothing was stored about its "
			"identity");
	capture_identity(o->device, identity, sizeof(identity));
	return sink->ops->blob(sink, "identity", identity, strlen(identity), o->err);
}

static int check_identity(struct opening *o)
{
	const struct image_info *info = image_writer_info(o->writer);
	const struct capacity *capacity = &o->device->capacity;
	cleanup_free void *identity = NULL;
	size_t len = 0;
	int found;

	if (info->n_blocks != capacity->n_blocks || info->block_bytes != capacity->block_bytes)
		return err_set(o->err, ERR_IDENTITY,
			"the image is of a drive of %" PRIu64
			" sectors of %u bytes; %s has %" PRIu64 " of %u",
			info->n_blocks, info->block_bytes, o->device->name, capacity->n_blocks,
			capacity->block_bytes);
	if (o->options->same_drive)
		return 0;
	found = image_writer_blob(o->writer, "identity", &identity, &len, o->err);
	if (found < 0)
		return err_prefix(o->err, "which drive it is of cannot be read: ");
	if (found == 0)
		return adopt_nameless(o);
	return capture_same_drive(o->device, image_writer_sink(o->writer), identity, len, o->err);
}

static int begin_image(struct opening *o, const struct image_writer_options *options)
{
	struct image_geometry geometry = {
		.block_bytes = o->device->capacity.block_bytes,
		.n_blocks = o->device->capacity.n_blocks,
		.size_bytes = o->device->size_bytes,
	};
	struct capture_sink *sink;
	char identity[IDENTITY_TEXT];

	o->writer = image_create(o->result->image, &geometry, options, o->err);
	if (!o->writer)
		return -1;
	sink = image_writer_sink(o->writer);
	capture_identity(o->device, identity, sizeof(identity));
	if (sink->ops->blob(sink, "identity", identity, strlen(identity), o->err) < 0)
		return -1;
	return capture_testimony(o->device, sink, o->err);
}

static int go_on_with_image(struct opening *o, const struct image_writer_options *options)
{
	o->writer = image_resume(o->result->image, options, o->err);
	return o->writer ? check_identity(o) : -1;
}

static int count_session(void *context, const char *json)
{
	struct json_object *line = json_read(json);
	unsigned int *sessions = context;

	*sessions += strcmp(json_text_of(line, "event"), "session") == 0;
	json_object_put(line);
	return 0;
}

/* The image's name, and whether it is there already. */
static int find_image(struct opening *o)
{
	struct acquire_result *result = o->result;
	struct stat st;

	if (o->options->image)
		snprintf(result->image, sizeof(result->image), "%s", o->options->image);
	else
		name_image(o);
	/* An empty file is one whose capture was killed before its header was there. */
	result->resumed = strcmp(result->image, "-") != 0 && stat(result->image, &st) == 0 &&
			  (!S_ISREG(st.st_mode) || st.st_size > 0);
	if (result->resumed && !S_ISREG(st.st_mode))
		return err_set(
			o->err, ERR_USAGE, "not a plain file: an image cannot be written there");
	return 0;
}

int opening_image(const struct acquire_options *options, struct device *device,
	struct acquire_result *result, struct image_writer **writer, struct err *err)
{
	const struct image_writer_options how = {
		.hashes = options->hashes,
		.udif = !options->no_udif,
	};
	struct opening o = {.options = options, .device = device, .result = result, .err = err};
	int r = find_image(&o);

	if (r == 0)
		r = result->resumed ? go_on_with_image(&o, &how) : begin_image(&o, &how);
	*writer = o.writer;
	if (r < 0)
		return err_prefix(err, "%s: ", result->image);
	result->session = 1;
	/* Damage in the journal must not keep the drive from being read: lines that are lost are
	 * not counted. */
	if (result->resumed)
		image_writer_journal(o.writer, count_session, &result->session, NULL);
	return 0;
}
