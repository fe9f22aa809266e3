/* SPDX-License-Identifier: BSD-2-Clause */
/* What brings a Bulk-Only device back: see bot.h. */
#include "transport/bot.h"

#include "proto/bot.h"

#define RESET_MS 5000

static enum link_result clear_both(struct bot *bot)
{
	enum link_result in = bot->link->ops->clear_halt(bot->link, bot->in);
	enum link_result out = bot->link->ops->clear_halt(bot->link, bot->out);

	return in != LINK_OK ? in : out;
}

/* BBB §3.1. */
static enum link_result bot_class_reset(struct bot *bot)
{
	size_t moved;

	return bot->link->ops->control(bot->link, 0x21, BOT_REQ_RESET, 0, bot->link->interface,
		NULL, 0, deadline_in_ms(RESET_MS), &moved);
}

int bot_reset_recovery(struct bot *bot, struct err *err)
{
	enum link_result result;

	bot->epoch++;
	bot->primed = false;
	result = bot_class_reset(bot);
	if (result == LINK_OK)
		result = clear_both(bot);
	if (result == LINK_OK)
		return 0;
	if (result != LINK_GONE)
		result = bot->link->ops->reset(bot->link);
	if (result == LINK_OK)
		return 0;
	bot->gone = true;
	return err_set(
		err, ERR_GONE, "the drive does not answer a reset (%s)", link_result_name(result));
}
