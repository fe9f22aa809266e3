/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk-Only Transport (USB MSC BBB 1.0) over a link: CBW, data, CSW, and autosense.  Section
 * numbers are the specification's.
 */
#include "transport/bot.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/bot.h"
#include "proto/usb.h"
#include "usb/budget.h"
#include "usb/descriptor.h"
#include "usb/quirk.h"

#define SENSE_LEN      18 /* longer ones have hung devices */
#define SENSE_LEN_SANE 96
#define CBW_LEN_32     32
#define GO_SLOW_NS     150000
#define SECTOR	       512u
#define PRIME_MS       10000
#define SENSE_MS       5000
#define MAX_LUN_MS     5000
#define TRANSFER_SUPER (1u << 20)
#define TRANSFER_HIGH  (240u * 512) /* what Linux asks of a high-speed device at most */

/* One exchange: what is sent, and what has come of it. */
struct exchange {
	const struct command *command;
	size_t moved; /* bytes of data seen on the bus */
	bool babble;
	bool have_csw; /* it came in place of data */
	uint8_t csw[CSW_LEN];
};

/* The transfer WHAT ended with RESULT, which is not LINK_OK: recovers the drive as far as it can
 * be, and returns the outcome for the reply; ERR says both. */
static enum outcome bot_exchange_broke(
	struct bot *bot, enum link_result result, const char *what, struct err *err)
{
	if (result == LINK_GONE) {
		bot->gone = true;
		err_set(err, ERR_GONE, "the drive has left the bus (%s)", what);
		return OUTCOME_GONE;
	}
	/* When nothing of the CBW has gone out the drive knows of no command; otherwise it waits
	 * for the rest of the exchange, and must be reset. */
	if (result == LINK_NO_MEMORY && !bot->cbw_sent) {
		err_set(err, ERR_NO_MEMORY, "%s", budget_advice());
		return OUTCOME_NOT_SENT;
	}
	if (bot_reset_recovery(bot, err) < 0)
		return OUTCOME_GONE;
	if (result == LINK_NO_MEMORY) {
		err_set(err, ERR_NO_MEMORY, "%s", budget_advice());
		return OUTCOME_NOT_SENT;
	}
	err_set(err, ERR_OTHER, "%s: %s; the drive was reset", what, link_result_name(result));
	return result == LINK_TIMEOUT ? OUTCOME_TIMED_OUT : OUTCOME_BROKEN;
}

/* §5.1, §6.2.1: a CBW is 31 bytes in one transfer. */
static enum outcome send_cbw(struct bot *bot, const struct command *command, struct err *err)
{
	uint8_t cbw[CBW_LEN_32] = {0};
	size_t len = bot->transport.quirks & QUIRK_CBW_32 ? CBW_LEN_32 : CBW_LEN;
	enum link_result result;
	size_t moved;

	put_le32(cbw + CBW_SIGNATURE, CBW_SIGNATURE_VALUE);
	put_le32(cbw + CBW_TAG, ++bot->tag);
	put_le32(cbw + CBW_DATA_LEN, (uint32_t)command->data_len);
	cbw[CBW_FLAGS] = command->direction == TRANSFER_IN ? CBW_FLAG_IN : 0;
	cbw[CBW_LUN] = bot->lun;
	cbw[CBW_CDB_LEN] = (uint8_t)command->cdb_len;
	memcpy(cbw + CBW_CDB, command->cdb, command->cdb_len);
	bot->cbw_sent = false;
	result = bot->link->ops->bulk(bot->link, bot->out, cbw, len, command->deadline, &moved);
	bot->cbw_sent = moved > 0;
	if (result == LINK_OK && moved != len)
		result = LINK_IO;
	if (bot->transport.quirks & QUIRK_GO_SLOW)
		clock_sleep_ns(GO_SLOW_NS);
	return result == LINK_OK ? OUTCOME_DONE
				 : bot_exchange_broke(bot, result, "sending the command", err);
}

static bool csw_is_valid(const struct bot *bot, const uint8_t *csw)
{
	return get_le32(csw + CSW_SIGNATURE) == CSW_SIGNATURE_VALUE &&
	       (get_le32(csw + CSW_TAG) == bot->tag || bot->transport.quirks & QUIRK_IGNORE_TAG);
}

/* §6.7: data, until it ends, is cut short, or the endpoint stalls. */
static enum outcome move_data(struct bot *bot, struct exchange *exchange, struct err *err)
{
	const struct command *command = exchange->command;
	uint8_t endpoint = command->direction == TRANSFER_IN ? bot->in : bot->out;
	enum link_result result;

	result = bot->link->ops->bulk(bot->link, endpoint, command->data, command->data_len,
		command->deadline, &exchange->moved);
	exchange->moved = mem_min_u64(exchange->moved, command->data_len);
	if (result == LINK_STALL)
		result = bot->link->ops->clear_halt(bot->link, endpoint);
	if (result == LINK_OVERFLOW) {
		exchange->babble = true;
		return OUTCOME_DONE;
	}
	if (result != LINK_OK)
		return bot_exchange_broke(bot, result, "moving data", err);
	/* Some devices leave the data out and send the CSW at once. */
	if (command->direction == TRANSFER_IN && exchange->moved == CSW_LEN &&
		command->data_len > CSW_LEN && csw_is_valid(bot, command->data)) {
		memcpy(exchange->csw, command->data, CSW_LEN);
		exchange->have_csw = true;
		exchange->moved = 0;
	}
	return OUTCOME_DONE;
}

/* §5.3.3, figure 2: after a stall, and after an empty packet, the CSW is asked for once more. */
static enum outcome get_csw(struct bot *bot, struct exchange *exchange, struct err *err)
{
	enum link_result result = LINK_OK;
	size_t moved = 0;

	for (int attempt = 0; attempt < 2 && !exchange->have_csw; attempt++) {
		result = bot->link->ops->bulk(bot->link, bot->in, exchange->csw, CSW_LEN,
			exchange->command->deadline, &moved);
		if (result == LINK_STALL) {
			enum link_result cleared = bot->link->ops->clear_halt(bot->link, bot->in);

			if (cleared != LINK_OK)
				return bot_exchange_broke(
					bot, cleared, "clearing the stalled status pipe", err);
			continue;
		}
		if (result != LINK_OK || moved > 0)
			break;
	}
	if (exchange->have_csw)
		return OUTCOME_DONE;
	if (result != LINK_OK)
		return bot_exchange_broke(bot, result, "waiting for the status", err);
	if (moved != CSW_LEN)
		return bot_exchange_broke(bot, LINK_IO, "a status of a wrong length", err);
	return OUTCOME_DONE;
}

/* §6.3: valid, and a phase error (§6.6). */
static enum outcome check_csw(struct bot *bot, const struct exchange *exchange, struct err *err)
{
	if (!csw_is_valid(bot, exchange->csw))
		return bot_exchange_broke(
			bot, LINK_IO, "a status with a wrong signature or tag", err);
	if (exchange->csw[CSW_STATUS] == CSW_STATUS_PHASE_ERROR)
		return bot_exchange_broke(bot, LINK_IO, "a phase error", err);
	if (exchange->csw[CSW_STATUS] > CSW_STATUS_PHASE_ERROR)
		return bot_exchange_broke(bot, LINK_IO, "an unknown status", err);
	if (exchange->babble)
		return bot_exchange_broke(bot, LINK_OVERFLOW, "moving data", err);
	return OUTCOME_DONE;
}

/* Commands whose answers have a length that the host knows.  If all of such an answer has come and
 * the drive still states a residue, its residues mean nothing. */
static bool came_whole(const struct exchange *exchange)
{
	uint8_t opcode = exchange->command->cdb[0];

	return exchange->moved == exchange->command->data_len &&
	       ((opcode == SCSI_INQUIRY && exchange->moved == INQUIRY_LEN) ||
		       opcode == SCSI_READ_CAPACITY_10);
}

/* Bytes that count: what was seen, less what the device says it did not process (§5.2). */
static size_t bytes_moved(struct bot *bot, const struct exchange *exchange)
{
	uint32_t residue = get_le32(exchange->csw + CSW_RESIDUE);
	size_t asked = exchange->command->data_len;

	if (residue > asked || (residue > 0 && came_whole(exchange)))
		bot->residue_untrusted = true;
	if (bot->residue_untrusted)
		return exchange->moved;
	return mem_min_u64(exchange->moved, asked - residue);
}

/* One CBW, its data, its CSW. */
static enum outcome exchange_run(struct bot *bot, struct exchange *exchange, struct err *err)
{
	enum outcome outcome = send_cbw(bot, exchange->command, err);

	if (outcome == OUTCOME_DONE && exchange->command->data_len > 0)
		outcome = move_data(bot, exchange, err);
	if (outcome == OUTCOME_DONE)
		outcome = get_csw(bot, exchange, err);
	if (outcome == OUTCOME_DONE)
		outcome = check_csw(bot, exchange, err);
	return outcome;
}

/* An ATA command through SAT with CK_COND: its registers come back in a descriptor, behind the
 * first 18 bytes of sense data (SAT-4 §12.2.2.6). */
static bool returns_registers(const struct command *command)
{
	const uint8_t *cdb = command->cdb;

	return command->cdb_len >= 12 &&
	       (cdb[0] == SCSI_ATA_PASS_THROUGH_16 || cdb[0] == SCSI_ATA_PASS_THROUGH_12) &&
	       cdb[2] & SAT_CK_COND;
}

/* A command that nobody above has asked for is counted all the same. */
static void tell_own_command(const struct bot *bot, const uint8_t *cdb)
{
	if (bot->transport.own_command)
		bot->transport.own_command(bot->transport.own_context, cdb);
}

/* After FAILED: REQUEST SENSE (SPC-5 §6.39). */
static enum outcome autosense(
	struct bot *bot, const struct command *failed, struct reply *reply, struct err *err)
{
	bool sane = (bot->transport.quirks & QUIRK_SANE_SENSE || returns_registers(failed)) &&
		    !(bot->transport.quirks & QUIRK_BAD_SENSE);
	uint8_t len = sane ? SENSE_LEN_SANE : SENSE_LEN;
	const uint8_t cdb[6] = {SCSI_REQUEST_SENSE, [4] = len};
	struct command command = {
		.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = TRANSFER_IN,
		.data = reply->sense,
		.data_len = len,
		.deadline = deadline_in_ms(SENSE_MS),
	};
	struct exchange exchange = {.command = &command};
	enum outcome outcome;

	tell_own_command(bot, cdb);
	outcome = exchange_run(bot, &exchange, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	reply->status = SCSI_STATUS_CHECK_CONDITION;
	if (exchange.csw[CSW_STATUS] == CSW_STATUS_PASSED)
		reply->sense_len = bytes_moved(bot, &exchange);
	return OUTCOME_DONE;
}

/* Some wake up only for a READ (10): it comes first, at the beginning and after a reset, whatever
 * becomes of it. */
static void prime(struct bot *bot)
{
	static const uint8_t cdb[10] = {SCSI_READ_10, [8] = 1};
	uint8_t block[SECTOR];
	struct command command = {
		.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = TRANSFER_IN,
		.data = block,
		.data_len = sizeof(block),
		.deadline = deadline_in_ms(PRIME_MS),
	};
	struct exchange exchange = {.command = &command};

	bot->primed = true;
	tell_own_command(bot, cdb);
	exchange_run(bot, &exchange, NULL);
}

static int bot_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err)
{
	struct bot *bot = (struct bot *)transport;
	struct exchange exchange = {.command = command};

	if (bot->gone) {
		reply->outcome = OUTCOME_GONE;
		return err_set(err, ERR_GONE, "the drive has left the bus");
	}
	if ((bot->transport.quirks & QUIRK_INITIAL_READ10) && !bot->primed)
		prime(bot);
	reply->outcome = exchange_run(bot, &exchange, err);
	if (reply->outcome == OUTCOME_DONE) {
		reply->moved = bytes_moved(bot, &exchange);
		if (exchange.csw[CSW_STATUS] == CSW_STATUS_FAILED)
			reply->outcome = autosense(bot, command, reply, err);
	}
	reply->reset_epoch = bot->epoch;
	return reply->outcome == OUTCOME_DONE ? 0 : -1;
}

static void bot_close(struct transport *transport)
{
	struct bot *bot = (struct bot *)transport;

	bot->link->ops->close(bot->link);
	free(bot);
}

static const struct transport_ops transport_bot = {
	.name = "bot",
	.exec = bot_exec,
	.close = bot_close,
};

uint8_t bot_get_max_lun(struct link *link)
{
	enum link_result result;
	uint8_t lun = 0;
	size_t moved;

	result = link->ops->control(link, 0xa1, BOT_REQ_GET_MAX_LUN, 0, link->interface, &lun, 1,
		deadline_in_ms(MAX_LUN_MS), &moved);
	return result == LINK_OK && moved == 1 && lun <= 15 ? lun : 0;
}

static int bot_setup(struct bot *bot, struct link *link, struct err *err)
{
	const struct usb_alternate *alternate = NULL;
	struct usb_interface interface;

	if (usb_interface_parse(
		    link->config_descriptor, link->config_len, link->interface, &interface))
		alternate = usb_alternate_for(&interface, USB_PROTOCOL_BOT);
	if (!alternate)
		return err_set(err, ERR_USAGE,
			"interface %u does not offer Bulk-Only transport with a bulk pipe each way",
			link->interface);
	if (interface.n_alternates > 1 &&
		link->ops->set_alternate(link, alternate->number) != LINK_OK)
		return err_set(err, ERR_OTHER,
			"cannot choose alternate setting %u for Bulk-Only transport",
			alternate->number);
	bot->in = usb_bulk_endpoint(alternate, true)->address;
	bot->out = usb_bulk_endpoint(alternate, false)->address;
	return 0;
}

static size_t bot_transfer_limit(const struct link *link, uint32_t quirks)
{
	size_t most = link->speed >= LINK_SPEED_SUPER ? TRANSFER_SUPER : TRANSFER_HIGH;

	return mem_min_u64(quirk_transfer_limit(quirks, most), link->max_transfer_bytes);
}

struct transport *transport_bot_open(
	struct link *link, uint8_t lun, uint32_t quirks, struct err *err)
{
	struct bot *bot = calloc(1, sizeof(*bot));

	if (!bot) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	if (bot_setup(bot, link, err) < 0) {
		free(bot);
		return NULL;
	}
	bot->transport.ops = &transport_bot;
	bot->transport.max_cdb_len = CBW_CDB_MAX;
	bot->transport.max_transfer_bytes = bot_transfer_limit(link, quirks);
	bot->residue_untrusted = quirks & QUIRK_IGNORE_RESIDUE;
	bot->transport.depth = 1;
	bot->transport.quirks = quirks;
	bot->link = link;
	bot->lun = lun;
	return &bot->transport;
}
