/* SPDX-License-Identifier: BSD-2-Clause */
/* A transport whose inner transport can be exchanged: see transport.h.  The caller makes sure that
 * no command is under way while one is taken out or put in. */
#include <pthread.h>
#include <stdlib.h>

#include "transport/transport.h"

struct plug {
	struct transport transport;
	struct transport *inner; /* NULL: nothing is plugged in */

	/* As many callers get through as the inner one can serve, however many there are: what is
	 * plugged in later may be able to serve fewer (sg, then Bulk-Only). */
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned int inside;
	uint32_t epoch_base; /* added to the epochs of the present inner one, so that they
			      * go on growing */
	_Atomic uint32_t epoch_last;
};

static void plug_enter(struct plug *plug)
{
	unsigned int most = plug->inner->depth ? plug->inner->depth : 1;

	pthread_mutex_lock(&plug->lock);
	while (plug->inside >= most)
		pthread_cond_wait(&plug->left, &plug->lock);
	plug->inside++;
	pthread_mutex_unlock(&plug->lock);
}

static void plug_leave(struct plug *plug)
{
	pthread_mutex_lock(&plug->lock);
	plug->inside--;
	pthread_cond_signal(&plug->left);
	pthread_mutex_unlock(&plug->lock);
}

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
	plug_enter(plug);
	r = transport_exec(plug->inner, command, reply, err);
	plug_leave(plug);
	reply->reset_epoch += plug->epoch_base;
	plug->epoch_last = reply->reset_epoch;
	return r;
}

static void plug_close(struct transport *transport)
{
	struct plug *plug = (struct plug *)transport;

	transport_close(plug->inner);
	pthread_cond_destroy(&plug->left);
	pthread_mutex_destroy(&plug->lock);
	free(plug);
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
	pthread_mutex_init(&plug->lock, NULL);
	pthread_cond_init(&plug->left, NULL);
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
	plug->transport.depth = inner->depth;
	plug->epoch_base = plug->epoch_last + 1;
	plug->epoch_last = plug->epoch_base;
}
