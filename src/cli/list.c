/* SPDX-License-Identifier: BSD-2-Clause */
/* umsctl list: every USB mass-storage LUN, and the route that each would get. */
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "device/device.h"

struct values {
	bool json;
};

static const char *protocols(const struct drive *drive)
{
	if (drive->offers_bot && drive->offers_uas)
		return "BOT+UAS";
	return drive->offers_uas ? "UAS" : drive->offers_bot ? "BOT" : "-";
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text[0] ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, cli_json_u64(value));
}

static void add_flag(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static void add_id(struct json_object *object, const char *key, uint16_t id)
{
	char text[8];

	snprintf(text, sizeof(text), "%04x", id);
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_names(struct json_object *o, const struct drive *drive)
{
	add_text(o, "block", drive->block);
	add_text(o, "sg", drive->sg);
	add_text(o, "by_id", drive->by_id);
	add_text(o, "by_path", drive->by_path);
	add_text(o, "port", drive->port);
	add_number(o, "bus", drive->bus);
	add_number(o, "address", drive->address);
	add_number(o, "interface", drive->interface);
	add_number(o, "lun", drive->lun);
}

static void add_identity(struct json_object *o, const struct drive *drive)
{
	add_id(o, "vid", drive->vid);
	add_id(o, "pid", drive->pid);
	add_id(o, "bcd_device", drive->bcd_device);
	add_text(o, "usb_vendor", drive->usb_vendor);
	add_text(o, "usb_product", drive->usb_product);
	add_text(o, "serial", drive->usb_serial);
	add_text(o, "vendor", drive->scsi_vendor);
	add_text(o, "product", drive->scsi_product);
	add_text(o, "revision", drive->scsi_revision);
}

static struct json_object *drive_json(const struct drive *drive)
{
	struct json_object *o = json_object_new_object();
	struct json_object *offers = json_object_new_array();

	add_names(o, drive);
	add_identity(o, drive);
	add_number(o, "blocks", drive->n_blocks);
	add_number(o, "block_bytes", drive->block_bytes);
	add_number(o, "bytes", drive->n_blocks * drive->block_bytes);
	add_text(o, "driver", drive->driver);
	if (drive->offers_bot)
		json_object_array_add(offers, json_object_new_string("bot"));
	if (drive->offers_uas)
		json_object_array_add(offers, json_object_new_string("uas"));
	json_object_object_add(o, "protocols", offers);
	add_flag(o, "read_only", drive->read_only);
	add_text(o, "in_use", drive->in_use);
	add_flag(o, "mounted_read_write", drive->mounted_rw);
	add_text(o, "route", route_name(drive->route));
	add_text(o, "why", drive->why);
	return o;
}

static void print_json(const struct drive_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->n; i++)
		json_object_array_add(array, drive_json(&list->drive[i]));
	cli_print_json(stdout, array, true);
}

/* Columns of standard output; a pipe has no end. */
static int columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 100000;
}

static const char *node(const struct drive *drive)
{
	return drive->block[0] ? drive->block : drive->sg[0] ? drive->sg : "-";
}

static const char *name_of(const struct drive *drive, char out[260])
{
	const char *vendor = drive->scsi_vendor[0] ? drive->scsi_vendor : drive->usb_vendor;
	const char *product = drive->scsi_product[0] ? drive->scsi_product : drive->usb_product;

	snprintf(out, 260, "%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product);
	return out;
}

static void print_line(const char *text, int width)
{
	printf("%.*s\n", width, text);
}

static void print_drive(const struct drive *drive, int width)
{
	char line[1500], name[260], size[32] = "no medium", place[48], ids[12];

	if (drive->n_blocks > 0)
		text_size(drive->n_blocks * drive->block_bytes, size);
	snprintf(place, sizeof(place), "%s%s%.0u", drive->port, drive->lun ? ",lun=" : "",
		drive->lun);
	snprintf(ids, sizeof(ids), "%04x:%04x", drive->vid, drive->pid);
	snprintf(line, sizeof(line), "%-10s %-10s %-10s %-9s %-11s %-7s %-5s %s", node(drive),
		drive->sg[0] ? drive->sg : "-", place, ids, drive->driver[0] ? drive->driver : "-",
		protocols(drive), route_name(drive->route), size);
	print_line(line, width);
	snprintf(line, sizeof(line), "    %s%s%s", name_of(drive, name),
		drive->usb_serial[0] ? ", serial " : "", drive->usb_serial);
	print_line(line, width);
	if (drive->in_use[0]) {
		snprintf(line, sizeof(line), "    %s", drive->in_use);
		print_line(line, width);
	}
	snprintf(line, sizeof(line), "    %s: %s", route_name(drive->route), drive->why);
	print_line(line, width);
}

static void print_table(const struct drive_list *list)
{
	int width = columns();

	if (list->n == 0) {
		printf("no USB drives found; umsctl capture sim:demo demo.ums tries a simulated "
		       "one\n");
		return;
	}
	print_line(
		"DISK       SG         PORT       ID        DRIVER      OFFERS  ROUTE SIZE", width);
	for (size_t i = 0; i < list->n; i++)
		print_drive(&list->drive[i], width);
}

static int run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	struct drive_list list;
	struct err err;

	(void)positional;
	(void)n_positional;
	if (drive_list_read(&list, true, &err) < 0) {
		cli_error("list", NULL, err.text);
		return EXIT_NOT_STARTED;
	}
	if (values->json)
		print_json(&list);
	else
		print_table(&list);
	drive_list_free(&list);
	return EXIT_COMPLETE;
}

static const struct cli_option options[] = {
	{"json", NULL, "an array of objects, one a LUN", offsetof(struct values, json), false},
	{0},
};

const struct cli_command command_list = {
	.name = "list",
	.synopsis = "",
	.summary = "list USB drives, who uses them, and the route each would get",
	.help = "A drive that no kernel driver holds is claimed for a moment and asked its name "
		"and size.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
