/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checkpoints of a writer.  Making a file durable may take seconds, so it has a thread of its own:
 * when it begins, the checkpoint's record is composed and gets its place in the file; what is
 * written meanwhile stands behind it; when the sync has succeeded the record is filled in.  So a
 * checkpoint that is there still means that all before it is durable, and a crash before that
 * leaves zeros in its place.
 */
#ifndef UMS_IMAGE_CHECKPOINT_H
#define UMS_IMAGE_CHECKPOINT_H

#include "base/err.h"

struct image_writer;

/* The thread; nothing for a pipe. */
int checkpoint_start(struct image_writer *writer, struct err *err);

/* Waits for what is under way and ends the thread.  Safe when it was not started. */
void checkpoint_stop(struct image_writer *writer);

/* Begins a checkpoint that was counted in writer->under_way, once the one before has ended.  By the
 * finishing thread, or by the caller's when drained. */
int checkpoint_begin(struct image_writer *writer, struct err *err);

/* A checkpoint that was counted and is not begun. */
void checkpoint_drop(struct image_writer *writer);

/* Whatever was written stands in a checkpoint that has ended when it returns: a new one, or the
 * last one if nothing has changed since.  It is durable itself after the next sync.  Only when
 * drained. */
int checkpoint_now(struct image_writer *writer, struct err *err);

#endif
