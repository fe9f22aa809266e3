/* SPDX-License-Identifier: BSD-2-Clause */
/* A transport whose inner transport can be exchanged: see transport.h.  The caller makes sure that
 * no command is under way while one is taken out or put in. */
#include <stdlib.h>

#include "transport/transport.h"

struct plug {
	struct transport transport;
	struct transport *inner; /* NULL: nothing is plugged in */
	uint32_t epoch_base;	 /* added to the epochs of the present inner one, so that they
				  * go on growing */
	_Atomic uint32_t epoch_last;
};

static int plug_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct plug *plug = (struct plug *)transport;
	int r;

	if (!plug->inner) {
		reply->outcome = OUTCOME_GONE;
		reply->reset_epoch = plug->epoch_last;
		return err_set(err, ERR_GONE, "the drive has left the bus");
	}
	r = transport_exec(plug->inner, command, reply, err);
	reply->reset_epoch += plug->epoch_base;
	plug->epoch_last = reply->reset_epoch;
	return r;
}

static void plug_close(struct transport *transport)
{
	transport_close(((struct plug *)transport)->inner);
	free(transport);
}

static const struct transport_ops transport_plug = {
	.name = "plug",
	.exec = plug_exec,
	.close = plug_close,
};

struct transport *transport_plug_new(struct transport *inner, struct err *err)
{
	struct plug *plug = calloc(1, sizeof(*plug));

	if (!plug) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	plug->transport = *inner;
	plug->transport.ops = &transport_plug;
	plug->inner = inner;
	return &plug->transport;
}

struct transport *transport_plug_take(struct transport *transport)
{
	struct plug *plug = (struct plug *)transport;
	struct transport *inner = plug->inner;

	plug->inner = NULL;
	return inner;
}

void transport_plug_put(struct transport *transport, struct transport *inner)
{
	struct plug *plug = (struct plug *)transport;

	plug->inner = inner;
	plug->epoch_base = plug->epoch_last + 1;
	plug->epoch_last = plug->epoch_base;
}
