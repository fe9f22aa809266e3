/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READs that are under way before they are asked for: as long as a drive reads well, as many as its
 * transport takes at once, so that it is never idle while we work on what came.  The passes stay as
 * they are: they ask for one READ after the other and find it done.
 */
#ifndef UMS_CAPTURE_AHEAD_H
#define UMS_CAPTURE_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "transport/transport.h"

struct ahead;

/* READs of at most MAX_BLOCKS of BLOCK_BYTES each, with TIMEOUT_MS for each, over TRANSPORT (the
 * caller's).  NULL and ERR when there is no memory or no thread. */
struct ahead *ahead_new(struct transport *transport, uint32_t max_blocks, uint32_t block_bytes,
	unsigned int timeout_ms, struct err *err);

/* Waits for what is under way.  NULL is allowed, here and below. */
void ahead_free(struct ahead *ahead);

/* Is there room for another READ? */
bool ahead_has_room(const struct ahead *ahead);

/* Begins a READ; only while there is room.  They are taken in the same order. */
void ahead_plan(struct ahead *ahead, uint64_t lba, uint32_t n);

/* Where the last planned READ ends; 0 when none is planned. */
uint64_t ahead_end(const struct ahead *ahead);

/* The answer to the oldest READ into DATA, REPLY, ERR (may be NULL) and *TOOK_NS, if that is the
 * READ of these sectors.  False when it is not: then all that was planned has ended and is
 * forgotten. */
bool ahead_take(struct ahead *ahead, uint64_t lba, uint32_t n, void *data, struct reply *reply,
	uint64_t *took_ns, struct err *err);

/* Waits for what is under way and forgets all: the transport is the caller's alone then. */
void ahead_drain(struct ahead *ahead);

#endif
