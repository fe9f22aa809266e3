/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads and queues: see thread.h. */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t room, first, n;
	void *item[];
};

int thread_start(pthread_t *thread, void *(*func)(void *), void *argument, struct err *err)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(thread, NULL, func, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r == 0 ? 0 : err_sys(err, r, "cannot start a thread");
}

unsigned int thread_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return CPU_COUNT(&set) > 0 ? (unsigned int)CPU_COUNT(&set) : 1;
}

struct queue *queue_new(size_t room)
{
	struct queue *queue = calloc(1, sizeof(*queue) + room * sizeof(queue->item[0]));

	if (!queue)
		return NULL;
	queue->room = room;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
	return queue;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void queue_put(struct queue *queue, void *item)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->n == queue->room)
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue->item[(queue->first + queue->n++) % queue->room] = item;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void *queue_take(struct queue *queue)
{
	void *item;

	pthread_mutex_lock(&queue->lock);
	while (queue->n == 0)
		pthread_cond_wait(&queue->changed, &queue->lock);
	item = queue->item[queue->first];
	queue->first = (queue->first + 1) % queue->room;
	queue->n--;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	return item;
}
