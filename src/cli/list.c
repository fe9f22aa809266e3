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

static const char *list_protocols(const struct drive *drive)
{
	if (drive->offers_bot && drive->offers_uas)
		return "BOT+UAS";
	return drive->offers_uas ? "UAS" : drive->offers_bot ? "BOT" : "-";
}

/* --- JSON --- */

/* A text that is empty is not known. */
static void list_add_text(struct json_object **object, const char *key, const char *text)
{
	json_add_text(object, key, text[0] ? text : NULL);
}

static void list_add_id(struct json_object **object, const char *key, uint16_t id)
{
	char text[8];

	snprintf(text, sizeof(text), "%04x", id);
	json_add_text(object, key, text);
}

static void list_add_looked(struct json_object **object, const char *key, enum looked looked)
{
	if (looked == LOOKED_UNKNOWN)
		json_add_null(object, key);
	else
		json_add_flag(object, key, looked == LOOKED_YES);
}

static void list_add_names(struct json_object **o, const struct drive *drive)
{
	list_add_text(o, "block", drive->block);
	list_add_text(o, "sg", drive->sg);
	list_add_text(o, "by_id", drive->by_id);
	list_add_text(o, "by_path", drive->by_path);
	list_add_text(o, "port", drive->port);
	json_add_number(o, "bus", drive->bus);
	json_add_number(o, "address", drive->address);
	json_add_number(o, "interface", drive->interface);
	json_add_number(o, "lun", drive->lun);
}

static void list_add_identity(struct json_object **o, const struct drive *drive)
{
	list_add_id(o, "vid", drive->vid);
	list_add_id(o, "pid", drive->pid);
	list_add_id(o, "bcd_device", drive->bcd_device);
	list_add_text(o, "usb_vendor", drive->usb_vendor);
	list_add_text(o, "usb_product", drive->usb_product);
	list_add_text(o, "serial", drive->usb_serial);
	list_add_text(o, "vendor", drive->scsi_vendor);
	list_add_text(o, "product", drive->scsi_product);
	list_add_text(o, "revision", drive->scsi_revision);
}

/* Why it is not known whether DRIVE is used, in words that cannot be taken for "free". */
static const char *list_unknown_use(const struct drive *drive, char out[160])
{
	snprintf(out, 160, "not known: %s", drive->unseen);
	return out;
}

/* `in_use` is null only where somebody looked and found nothing. */
static void list_add_use(struct json_object **o, const struct drive *drive)
{
	static const char *const words[] = {
		[LOOKED_UNKNOWN] = "unknown", [LOOKED_NO] = "free", [LOOKED_YES] = "in use"};
	char unknown[160];

	json_add_text(o, "use", words[drive->used]);
	if (drive->used == LOOKED_UNKNOWN)
		json_add_text(o, "in_use", list_unknown_use(drive, unknown));
	else
		list_add_text(o, "in_use", drive->in_use);
	json_add_flag(o, "mounted_read_write", drive->mounted_rw);
}

static struct json_object *list_drive_json(const struct drive *drive)
{
	struct json_object *o = json_object_new_object();
	struct json_object *offers = json_object_new_array();

	list_add_names(&o, drive);
	list_add_identity(&o, drive);
	list_add_looked(&o, "medium", drive->medium);
	json_add_number(&o, "blocks", drive->n_blocks);
	json_add_number(&o, "block_bytes", drive->block_bytes);
	json_add_number(&o, "bytes", drive->n_blocks * drive->block_bytes);
	list_add_text(&o, "driver", drive->driver);
	if (drive->offers_bot)
		json_append_text(&offers, "bot");
	if (drive->offers_uas)
		json_append_text(&offers, "uas");
	json_add(&o, "protocols", offers);
	json_add_flag(&o, "read_only", drive->read_only);
	list_add_use(&o, drive);
	list_add_text(&o, "route", route_name(drive->route));
	list_add_text(&o, "why", drive->why);
	return o;
}

static int list_print_json(const struct drive_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->n; i++)
		json_append(&array, list_drive_json(&list->drive[i]));
	return cli_print_json(stdout, array, true);
}

/* --- a table --- */

/* Columns of standard output; a pipe has no end. */
static int list_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 100000;
}

static const char *list_node(const struct drive *drive)
{
	return drive->block[0] ? drive->block : drive->sg[0] ? drive->sg : "-";
}

static const char *list_name(const struct drive *drive, char out[260])
{
	const char *vendor = drive->scsi_vendor[0] ? drive->scsi_vendor : drive->usb_vendor;
	const char *product = drive->scsi_product[0] ? drive->scsi_product : drive->usb_product;

	snprintf(out, 260, "%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product);
	return out;
}

/* TEXT, which may have in it what a mount point is called, cut to the terminal's width. */
static void list_print_line(const char *text, int width)
{
	char shown[TEXT_SHOWN(1500)];

	text_show(text, shown, sizeof(shown));
	printf("%.*s\n", width, shown);
}

static const char *list_size(const struct drive *drive, char out[32])
{
	if (drive->n_blocks > 0)
		return text_size(drive->n_blocks * drive->block_bytes, out);
	snprintf(out, 32, "%s", drive->medium == LOOKED_NO ? "no medium" : "size not known");
	return out;
}

static void list_print_use(const struct drive *drive, int width)
{
	char line[sizeof(drive->in_use) + 80], unknown[160];

	if (drive->used == LOOKED_UNKNOWN)
		snprintf(line, sizeof(line), "    whether it is used is %s",
			list_unknown_use(drive, unknown));
	else
		snprintf(line, sizeof(line), "    %s", drive->in_use);
	if (drive->used != LOOKED_NO)
		list_print_line(line, width);
}

static void list_print_drive(const struct drive *drive, int width)
{
	char line[1500], name[260], size[32], place[48], ids[12];

	snprintf(place, sizeof(place), "%s%s%.0u", drive->port, drive->lun ? ",lun=" : "",
		drive->lun);
	snprintf(ids, sizeof(ids), "%04x:%04x", drive->vid, drive->pid);
	snprintf(line, sizeof(line), "%-10s %-10s %-10s %-9s %-11s %-7s %-5s %s", list_node(drive),
		drive->sg[0] ? drive->sg : "-", place, ids, drive->driver[0] ? drive->driver : "-",
		list_protocols(drive), route_name(drive->route), list_size(drive, size));
	list_print_line(line, width);
	snprintf(line, sizeof(line), "    %s%s%s", list_name(drive, name),
		drive->usb_serial[0] ? ", serial " : "", drive->usb_serial);
	list_print_line(line, width);
	list_print_use(drive, width);
	snprintf(line, sizeof(line), "    %s: %s", route_name(drive->route), drive->why);
	list_print_line(line, width);
}

static void list_print_table(const struct drive_list *list)
{
	int width = list_columns();

	if (list->n == 0) {
		printf("no USB drives found; umsctl capture sim:demo demo.ums tries a simulated "
		       "one\n");
		return;
	}
	list_print_line(
		"DISK       SG         PORT       ID        DRIVER      OFFERS  ROUTE SIZE", width);
	for (size_t i = 0; i < list->n; i++)
		list_print_drive(&list->drive[i], width);
}

static int list_run(const void *given, char **positional, int n_positional)
{
	const struct values *values = given;
	int code = EXIT_COMPLETE;
	struct drive_list list;
	struct err err;

	(void)positional;
	(void)n_positional;
	if (drive_list_read(&list, true, &err) < 0) {
		cli_error("list", NULL, err.text);
		return EXIT_NOT_STARTED;
	}
	if (!values->json)
		list_print_table(&list);
	else if (list_print_json(&list) < 0)
		code = EXIT_STOPPED;
	drive_list_free(&list);
	return code;
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
		"and size.\n"
		"The disk of another is opened for a moment, to see whether anybody uses it.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.run = list_run,
};
