/* SPDX-License-Identifier: BSD-2-Clause */
/* What every transport may rely on is checked here, once: see transport.h. */
#include "transport/transport.h"

#include <string.h>

int transport_exec(struct transport *transport, const struct command *command, struct reply *reply,
	struct err *err)
{
	memset(reply, 0, sizeof(*reply));
	reply->outcome = OUTCOME_NOT_SENT;
	if (command->cdb_len == 0 || command->cdb_len > transport->max_cdb_len)
		return err_set(err, ERR_USAGE,
			"a CDB of %zu bytes cannot be sent over %s (it carries up to %zu)",
			command->cdb_len, transport->ops->name, transport->max_cdb_len);
	if (command->data_len > transport->max_transfer_bytes)
		return err_set(err, ERR_USAGE,
			"%zu bytes cannot be moved by one command over %s (it carries up to %zu)",
			command->data_len, transport->ops->name, transport->max_transfer_bytes);
	if ((command->direction == TRANSFER_NONE) != (command->data_len == 0))
		return err_set(err, ERR_USAGE, "a transfer of %zu bytes contradicts its direction",
			command->data_len);
	return transport->ops->exec(transport, command, reply, err);
}

void transport_close(struct transport *transport)
{
	if (transport)
		transport->ops->close(transport);
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		"done", "not sent", "timed out", "aborted", "broken", "gone", "host error"};

	return (unsigned int)outcome < sizeof(names) / sizeof(names[0]) ? names[outcome]
									: "unknown";
}
