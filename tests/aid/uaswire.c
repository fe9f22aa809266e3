/* SPDX-License-Identifier: BSD-2-Clause */
/* A minimal UAS host for tests: see uaswire.h. */
#include "tests/aid/uaswire.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "proto/usb.h"
#include "sim/link_sim.h"
#include "usb/descriptor.h"

static void choose_uas(struct uaswire *wire)
{
	static const uint8_t pipes[] = {
		ENDPOINT_UAS_STATUS, ENDPOINT_UAS_DATA_IN, ENDPOINT_UAS_DATA_OUT};
	struct link *link = wire->link;
	struct usb_interface interface;
	const struct usb_alternate *alternate;

	assert_true(usb_interface_parse(link->config_descriptor, link->config_len, 0, &interface));
	alternate = usb_alternate_for(&interface, USB_PROTOCOL_UAS);
	assert_non_null(alternate);
	assert_int_equal(link->ops->set_alternate(link, alternate->number), LINK_OK);
	wire->streams = link->ops->alloc_streams(link, 16, pipes, 3) > 0;
}

static struct uaswire open_with(const char *text, const struct script_line *line)
{
	struct uaswire wire = {0};
	struct sim_settings settings;
	struct err err = {0};

	settings_init(&settings);
	if (settings_parse(&settings, text, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	if (line) {
		settings.script.line = malloc(sizeof(*line));
		assert_non_null(settings.script.line);
		*settings.script.line = *line;
		settings.script.n = settings.script.room = 1;
	}
	wire.device = usb_device_new(&settings, &err);
	if (wire.device)
		wire.link = link_sim_new(wire.device, &err);
	if (!wire.link)
		fail_msg("%s: %s", text, err.text);
	choose_uas(&wire);
	return wire;
}

struct uaswire uaswire_open(const char *settings)
{
	return open_with(settings, NULL);
}

struct uaswire uaswire_open_misdeed(
	const char *settings, enum misdeed misdeed, uint64_t number, uint64_t command)
{
	struct script_line line = {
		.misdeed = misdeed,
		.number = number,
		.place = command > 0 ? SCRIPT_COMMAND : SCRIPT_NEXT,
		.first = command,
		.last = command,
		.times = 1,
	};

	return open_with(settings, &line);
}

void uaswire_close(struct uaswire *wire)
{
	wire->link->ops->close(wire->link);
}

size_t uaswire_command_iu(uint8_t iu[IU_COMMAND_LEN + 252], uint16_t tag, uint8_t lun,
	const uint8_t *cdb, size_t cdb_len)
{
	size_t extra = cdb_len > 16 ? (cdb_len - 16 + 3) / 4 : 0;

	memset(iu, 0, IU_COMMAND_LEN + 252);
	iu[0] = 0x01;
	put_be16(iu + 2, tag);
	iu[6] = (uint8_t)(extra << 2);
	iu[9] = lun;
	memcpy(iu + 16, cdb, cdb_len);
	return IU_COMMAND_LEN + 4 * extra;
}

enum link_result uaswire_send(struct uaswire *wire, const void *iu, size_t len)
{
	size_t moved;

	return wire->link->ops->bulk(wire->link, ENDPOINT_UAS_COMMAND, (void *)iu, len,
		deadline_in_ms(UASWIRE_SILENCE_MS), &moved);
}

void uaswire_command(
	struct uaswire *wire, uint16_t tag, uint8_t lun, const uint8_t *cdb, size_t cdb_len)
{
	uint8_t iu[IU_COMMAND_LEN + 252];
	size_t n = uaswire_command_iu(iu, tag, lun, cdb, cdb_len);

	assert_int_equal(uaswire_send(wire, iu, n), LINK_OK);
}

void uaswire_read(struct uaswire *wire, uint16_t tag, uint64_t lba, uint32_t n)
{
	uint8_t cdb[16] = {0x88};

	put_be64(cdb + 2, lba);
	put_be32(cdb + 10, n);
	uaswire_command(wire, tag, 0, cdb, sizeof(cdb));
}

void uaswire_manage(
	struct uaswire *wire, uint16_t tag, uint8_t function, uint16_t task_tag, uint8_t lun)
{
	uint8_t iu[16] = {0x05};

	put_be16(iu + 2, tag);
	iu[4] = function;
	put_be16(iu + 6, task_tag);
	iu[9] = lun;
	assert_int_equal(uaswire_send(wire, iu, sizeof(iu)), LINK_OK);
}

enum link_result uaswire_move(struct uaswire *wire, uint8_t endpoint, uint16_t tag, void *data,
	size_t len, unsigned int ms, size_t *moved)
{
	const struct link_ops *ops = wire->link->ops;
	struct link_transfer transfer = {
		.endpoint = endpoint,
		.stream = wire->streams ? tag : 0,
		.data = data,
		.len = len,
	};
	struct link_transfer *reaped;

	assert_int_equal(ops->submit(wire->link, &transfer), LINK_OK);
	reaped = ops->reap(wire->link, deadline_in_ms(ms));
	if (!reaped) {
		ops->cancel(wire->link, &transfer);
		reaped = ops->reap(wire->link, deadline_in_ms(UASWIRE_PATIENCE_MS));
	}
	assert_ptr_equal(reaped, &transfer);
	*moved = transfer.moved;
	return transfer.result;
}

size_t uaswire_status(struct uaswire *wire, uint16_t tag, uint8_t iu[IU_SENSE_MAX])
{
	size_t moved;

	memset(iu, 0, IU_SENSE_MAX);
	assert_int_equal(uaswire_move(wire, ENDPOINT_UAS_STATUS, tag, iu, IU_SENSE_MAX,
				 UASWIRE_PATIENCE_MS, &moved),
		LINK_OK);
	return moved;
}

void uaswire_assert_silent(struct uaswire *wire, uint16_t tag)
{
	uint8_t iu[IU_SENSE_MAX];
	size_t moved;

	assert_int_equal(uaswire_move(wire, ENDPOINT_UAS_STATUS, tag, iu, sizeof(iu),
				 UASWIRE_SILENCE_MS, &moved),
		LINK_TIMEOUT);
	assert_int_equal(moved, 0);
}

uint32_t uaswire_assert_sense(struct uaswire *wire, uint16_t tag, uint8_t status)
{
	uint8_t iu[IU_SENSE_MAX];
	const uint8_t *sense = iu + 16;
	size_t n = uaswire_status(wire, tag, iu);

	assert_int_equal(iu[0], 0x03);
	assert_int_equal(get_be16(iu + 2), tag);
	assert_int_equal(iu[6], status);
	assert_int_equal(n, 16 + get_be16(iu + 14));
	if (n == 16)
		return 0;
	if ((sense[0] & 0x7f) == 0x72)
		return (uint32_t)sense[1] << 16 | (uint32_t)sense[2] << 8 | sense[3];
	assert_int_equal(sense[0] & 0x7f, 0x70);
	return (uint32_t)sense[2] << 16 | (uint32_t)sense[12] << 8 | sense[13];
}

void uaswire_assert_response(struct uaswire *wire, uint16_t tag, uint8_t code)
{
	uint8_t iu[IU_SENSE_MAX];

	assert_int_equal(uaswire_status(wire, tag, iu), 8);
	assert_int_equal(iu[0], 0x04);
	assert_int_equal(get_be16(iu + 2), tag);
	assert_int_equal(iu[7], code);
}

void uaswire_assert_ready(struct uaswire *wire, uint16_t tag, uint8_t id)
{
	uint8_t iu[IU_SENSE_MAX];

	if (wire->streams)
		return;
	assert_int_equal(uaswire_status(wire, tag, iu), 4);
	assert_int_equal(iu[0], id);
	assert_int_equal(get_be16(iu + 2), tag);
}

void uaswire_assert_works(struct uaswire *wire, uint16_t tag)
{
	static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};
	uint8_t data[36];
	size_t moved;

	uaswire_command(wire, tag, 0, inquiry, sizeof(inquiry));
	uaswire_assert_ready(wire, tag, IU_ID_READ_READY);
	assert_int_equal(uaswire_move(wire, ENDPOINT_UAS_DATA_IN, tag, data, sizeof(data),
				 UASWIRE_PATIENCE_MS, &moved),
		LINK_OK);
	assert_int_equal(moved, 36);
	assert_memory_equal(data + 8, "umsctl  Simulated drive ", 24);
	assert_int_equal(uaswire_assert_sense(wire, tag, 0), 0);
}
