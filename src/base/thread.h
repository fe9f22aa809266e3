/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that no signal interrupts, and a bounded queue between them. */
#ifndef UMS_BASE_THREAD_H
#define UMS_BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "base/err.h"

/* Starts FUNC with every signal blocked. */
int thread_start(pthread_t *thread, void *(*func)(void *), void *argument, struct err *err);

/* Processors that this process may use, at least 1. */
unsigned int thread_processors(void);

/* A queue of at most ROOM pointers; NULL when memory is out. */
struct queue;
struct queue *queue_new(size_t room);
void queue_free(struct queue *queue);

/* Waits for room. */
void queue_put(struct queue *queue, void *item);

/* Waits for an item. */
void *queue_take(struct queue *queue);

#endif
