/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that is not there: see machine.h. */
#include "tests/aid/machine.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCI "/devices/pci0000:00/0000:00:14.0"

enum {
	BOT = 1,
	UAS = 2,
	KEYBOARD = 4,
};

static const struct usb {
	const char *port, *parent; /* sysfs path below usb1 */
	unsigned int address, vid, pid;
	const char *product, *serial;
	const char *driver; /* of the interface; NULL: none */
	unsigned int speaks;
} usbs[] = {
	{"1-1", "", 2, 0x0951, 0x1666, "DataTraveler", "AAAA1111", "usb-storage", BOT},
	{"1-2", "", 3, 0x152d, 0x0578, "Bridge", "DISK-2", "uas", BOT | UAS},
	{"1-3", "", 4, 0x05e3, 0x0751, "Card \xc3\xa9 Reader", "", "usb-storage", BOT},
	{"1-4", "", 5, 0x090c, 0x1000, "Loose", "LOOSE:4", NULL, BOT},
	{"1-5.2", "/1-5", 6, 0x1209, 0x0001, "Twin", "SAME", "usb-storage", BOT},
	{"1-5.10", "/1-5", 7, 0x1209, 0x0001, "Twin", "SAME", "usb-storage", BOT},
	{"1-6", "", 8, 0x046d, 0xc31c, "USB Keyboard", "", "usbhid", KEYBOARD},
	{"1-7", "", 9, 0x174c, 0x55aa, "UAS only", "U7", NULL, UAS},
	{"1-8", "", 10, 0x090c, 0x1000, "Taken", "T8", "usbfs", BOT},
	{"1-9", "", 11, 0x1058, 0x25e2, "My Disk", "W9", "usb-storage", BOT},
};

static const struct unit {
	const char *port; /* NULL: not on USB */
	unsigned int host, lun, type;
	const char *model, *block, *sg;
	unsigned int minor, sg_minor;
	unsigned long size; /* of 512 bytes */
	unsigned int block_bytes, read_only;
} units[] = {
	{NULL, 0, 0, 0, "Internal", "sda", "sg0", 0, 0, 2048, 512, 0},
	{"1-1", 1, 0, 0, "DataTraveler", "sdb", "sg1", 16, 1, 131072, 512, 0},
	{"1-2", 2, 0, 0, "Big \\\\ Disk", "sdc", "sg2", 32, 2, 8000, 4096, 1},
	{"1-3", 3, 0, 0, "SD/MMC", "sdd", "sg3", 48, 3, 4096, 512, 0},
	{"1-3", 3, 1, 0, "CF", "sde", "sg4", 64, 4, 0, 512, 0},
	{"1-5.2", 5, 0, 0, "Twin", "sdf", "sg5", 80, 5, 100, 512, 0},
	{"1-5.10", 6, 0, 0, "Twin", "sdg", NULL, 96, 0, 100, 512, 0},
	{"1-9", 9, 0, 0, "My Disk", "sdh", "sg6", 112, 6, 100, 512, 0},
	{"1-9", 9, 1, 13, "SES Device", NULL, "sg7", 0, 7, 0, 0, 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct usb *usb_at(const char *port)
{
	for (size_t i = 0; i < COUNT(usbs); i++) {
		if (port && strcmp(usbs[i].port, port) == 0)
			return &usbs[i];
	}
	return NULL;
}

static void put_hex(FILE *f, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02X", bytes[i]);
}

/* One alternate setting with a bulk endpoint each way. */
static void put_alternate(
	FILE *f, uint8_t number, uint8_t class, uint8_t subclass, uint8_t protocol)
{
	const uint8_t bytes[] = {9, 4, 0, number, 2, class, subclass, protocol, 0, /* interface */
		7, 5, 0x81, 2, 0x00, 0x02, 0, 7, 5, 0x02, 2, 0x00, 0x02, 0};

	put_hex(f, bytes, sizeof(bytes));
}

static void put_descriptors(FILE *f, const struct usb *usb)
{
	unsigned int n = usb->speaks == (BOT | UAS) ? 2 : 1;
	const uint8_t device[] = {18, 1, 0x00, 0x02, 0, 0, 0, 64, (uint8_t)usb->vid,
		(uint8_t)(usb->vid >> 8), (uint8_t)usb->pid, (uint8_t)(usb->pid >> 8), 0x05, 0x01,
		1, 2, 3, 1};
	const uint8_t config[] = {9, 2, (uint8_t)(9 + n * 23), 0, 1, 1, 0, 0x80, 50};

	fputs("H: descriptors=", f);
	put_hex(f, device, sizeof(device));
	put_hex(f, config, sizeof(config));
	if (usb->speaks & KEYBOARD)
		put_alternate(f, 0, 3, 1, 1);
	if (usb->speaks & BOT)
		put_alternate(f, 0, 8, 6, 0x50);
	if (usb->speaks & UAS)
		put_alternate(f, (uint8_t)(n - 1), 8, 6, 0x62);
	fputc('\n', f);
}

static void put_usb(FILE *f, const struct usb *usb)
{
	fprintf(f, "P: " PCI "/usb1%s/%s\n", usb->parent, usb->port);
	fprintf(f, "N: bus/usb/001/%03u\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\n", usb->address);
	fprintf(f, "A: busnum=1\nA: devnum=%u\nA: bConfigurationValue=1\n", usb->address);
	fprintf(f, "A: idVendor=%04x\nA: idProduct=%04x\n", usb->vid, usb->pid);
	fprintf(f, "A: manufacturer=ACME\nA: product=%s\n", usb->product);
	if (usb->serial[0])
		fprintf(f, "A: serial=%s\n", usb->serial);
	put_descriptors(f, usb);
	fprintf(f, "\nP: " PCI "/usb1%s/%s/%s:1.0\n", usb->parent, usb->port, usb->port);
	fputs("E: DEVTYPE=usb_interface\nE: SUBSYSTEM=usb\nA: bInterfaceNumber=00\n", f);
	if (usb->driver)
		fprintf(f, "L: driver=../../../../../bus/usb/drivers/%s\n", usb->driver);
	fputc('\n', f);
}

static void put_unit(FILE *f, const struct unit *unit)
{
	const struct usb *usb = usb_at(unit->port);
	char path[256];

	if (usb)
		snprintf(path, sizeof(path), PCI "/usb1%s/%s/%s:1.0/host%u/target%u:0:0/%u:0:0:%u",
			usb->parent, usb->port, usb->port, unit->host, unit->host, unit->host,
			unit->lun);
	else
		snprintf(path, sizeof(path), PCI "/host0/target0:0:0/0:0:0:0");
	fprintf(f, "P: %s\nE: DEVTYPE=scsi_device\nE: SUBSYSTEM=scsi\n", path);
	fprintf(f, "A: type=%u\nA: vendor=ACME    \nA: model=%s\nA: rev=1.0\n\n", unit->type,
		unit->model);
	if (unit->sg)
		fprintf(f,
			"P: %s/scsi_generic/%s\nN: %s\nE: DEVNAME=/dev/%s\n"
			"E: SUBSYSTEM=scsi_generic\nE: MAJOR=21\nE: MINOR=%u\nA: dev=21:%u\n\n",
			path, unit->sg, unit->sg, unit->sg, unit->sg_minor, unit->sg_minor);
	if (unit->block)
		fprintf(f,
			"P: %s/block/%s\nN: %s\nS: disk/by-id/usb-ACME-%s\nS: disk/by-id/wwn-%s\n"
			"S: disk/by-path/path-%s\nE: DEVNAME=/dev/%s\nE: DEVTYPE=disk\n"
			"E: SUBSYSTEM=block\nE: MAJOR=8\nE: MINOR=%u\nA: dev=8:%u\nA: size=%lu\nA: "
			"ro=%u\n"
			"A: queue/logical_block_size=%u\n\n",
			path, unit->block, unit->block, unit->block, unit->block, unit->block,
			unit->block, unit->minor, unit->minor, unit->size, unit->read_only,
			unit->block_bytes);
}

static void put_machine(FILE *f)
{
	for (size_t i = 0; i < COUNT(usbs); i++)
		put_usb(f, &usbs[i]);
	for (size_t i = 0; i < COUNT(units); i++)
		put_unit(f, &units[i]);
	fputs("P: " PCI "/host0/target0:0:0/0:0:0:0/block/sda/sda1\nN: sda1\n"
	      "E: DEVNAME=/dev/sda1\nE: DEVTYPE=partition\nE: SUBSYSTEM=block\nE: MAJOR=8\nE: "
	      "MINOR=1\nA: dev=8:1\n"
	      "A: partition=1\nA: size=1024\n\n"
	      "P: /devices/virtual/block/loop0\nN: loop0\nE: DEVNAME=/dev/loop0\n"
	      "E: DEVTYPE=disk\nE: SUBSYSTEM=block\nE: MAJOR=7\nE: MINOR=0\nA: dev=7:0\nA: "
	      "size=64\n\n"
	      "P: /devices/virtual/mem/null\nN: null\nE: DEVNAME=/dev/null\nE: SUBSYSTEM=mem\n"
	      "E: MAJOR=1\nE: MINOR=3\nA: dev=1:3\n",
		f);
}

void machine_enter(char **argv)
{
	char path[] = "/tmp/umsctl-machine.XXXXXX";
	FILE *f;
	int fd;

	if (getenv("UMOCKDEV_DIR")) {
		unlink(getenv("MACHINE_FILE"));
		return;
	}
	fd = mkstemp(path);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f) {
		perror(path);
		exit(1);
	}
	put_machine(f);
	fclose(f);
	setenv("MACHINE_FILE", path, 1);
	/* umockdev's library comes before ASan's. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=1", 1);
	execlp("umockdev-run", "umockdev-run", "-d", path, "--", argv[0], (char *)NULL);
	unlink(path);
	puts("1..0 # SKIP umockdev-run is not installed");
	exit(0);
}
