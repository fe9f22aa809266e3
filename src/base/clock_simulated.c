/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated time: see clock_simulated.h.  A thread of its own, the ticker, moves the counter.  It
 * has to know that every other thread sleeps, and cannot look at all of them at the same moment: a
 * thread that it has seen asleep may be woken while it looks at the next one.  So it looks twice,
 * and also at how often each thread has been switched out by the scheduler.  A thread that was
 * asleep both times, with the same number, has not run in between; if that is so of all, there was
 * a moment between the two looks at which all were asleep.
 */
#include "base/clock_simulated.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

/* Between two looks at threads that were running: from a little to not too much. */
#define LOOK_AGAIN_NS	   20000
#define LOOK_AGAIN_MOST_NS 1000000

/* A thread that waits until AT_NS; on its stack. */
struct sleeper {
	struct sleeper *next;
	uint64_t at_ns;
	pthread_cond_t *cond;
	unsigned int times_woken;
};

static struct {
	atomic_bool on;
	_Atomic uint64_t now_ns;
	uint64_t began_ns; /* where it began, and the wall clock then */
	time_t wall_s;

	pthread_mutex_t lock; /* of what follows; taken last */
	pthread_cond_t stirred;
	struct sleeper *first;
	unsigned int holds;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .stirred = PTHREAD_COND_INITIALIZER};

/* --- whether all other threads sleep --- */

struct look {
	char state;
	unsigned long switches[2]; /* by its own will, and against it */
};

/* What the kernel says of thread TID. */
static bool clock_look_at(const char *tid, struct look *look)
{
	char path[64], text[4096];
	const char *state, *willing, *forced;
	cleanup_close int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	state = strstr(text, "\nState:\t");
	willing = strstr(text, "\nvoluntary_ctxt_switches:");
	forced = strstr(text, "\nnonvoluntary_ctxt_switches:");
	if (!state || !willing || !forced)
		return false;
	look->state = state[strlen("\nState:\t")];
	look->switches[0] = strtoul(strchr(willing, ':') + 1, NULL, 10);
	look->switches[1] = strtoul(strchr(forced, ':') + 1, NULL, 10);
	return true;
}

/* Not one that runs, is about to, or waits for a disk. */
static bool sleeps(const struct look *look)
{
	return look->state == 'S' || look->state == 'Z' || look->state == 'X';
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x100000001b3);
}

/* True when each thread but this one slept as it was looked at; *MARK is then a hash over which
 * threads there are and how often each has been switched out. */
static bool look_at_threads(uint64_t *mark)
{
	DIR *tasks = opendir("/proc/self/task");
	bool asleep = tasks != NULL;
	struct dirent *task;

	*mark = UINT64_C(0xcbf29ce484222325);
	while (asleep && (task = readdir(tasks))) {
		unsigned long tid = strtoul(task->d_name, NULL, 10);
		struct look look;

		if (tid == 0 || tid == (unsigned long)gettid())
			continue;
		asleep = clock_look_at(task->d_name, &look) && sleeps(&look);
		if (asleep)
			*mark = mix(mix(mix(*mark, tid), look.switches[0]), look.switches[1]);
	}
	if (tasks)
		closedir(tasks);
	return asleep;
}

static bool all_sleep(void)
{
	uint64_t first, second;

	return look_at_threads(&first) && look_at_threads(&second) && first == second;
}

/* --- the ticker --- */

/* One that is due is woken twice at most: it may not quite have fallen asleep the first time. After
 * that it waits for its mutex, whose owner may itself be waiting for a later time. */
#define WAKE_TIMES 2

static bool is_due(const struct sleeper *sleeper)
{
	return sleeper->at_ns <= world.now_ns;
}

/* With the lock held: the earliest time that is still to be waited for, UINT64_MAX when there is
 * none. */
static uint64_t earliest(void)
{
	uint64_t at_ns = UINT64_MAX;

	for (const struct sleeper *s = world.first; s; s = s->next) {
		if (s->times_woken < WAKE_TIMES)
			at_ns = mem_min_u64(at_ns, s->at_ns);
	}
	return at_ns;
}

/* With the lock held, a moment after which all slept: on to the earliest time, unless that has
 * come already and those who wait for it have to be woken again. */
static void clock_tick(void)
{
	uint64_t at_ns = earliest();

	if (world.holds > 0 || at_ns == UINT64_MAX)
		return;
	if (at_ns > world.now_ns)
		world.now_ns = at_ns;
	for (struct sleeper *s = world.first; s; s = s->next) {
		if (!is_due(s) || s->times_woken == WAKE_TIMES)
			continue;
		s->times_woken++;
		pthread_cond_broadcast(s->cond);
	}
}

/* The lock is not held while the others are looked at: one that waits for it would seem to sleep.
 */
static void *ticker(void *unused)
{
	struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};

	prctl(PR_SET_TIMERSLACK, 1);
	for (;;) {
		bool asleep;

		pthread_mutex_lock(&world.lock);
		while (world.holds > 0 || earliest() == UINT64_MAX) {
			pthread_cond_wait(&world.stirred, &world.lock);
			pause.tv_nsec = LOOK_AGAIN_NS;
		}
		pthread_mutex_unlock(&world.lock);
		asleep = all_sleep();
		if (asleep) {
			pthread_mutex_lock(&world.lock);
			clock_tick();
			pthread_mutex_unlock(&world.lock);
		}
		nanosleep(&pause, NULL);
		pause.tv_nsec =
			asleep ? LOOK_AGAIN_NS
			       : (long)mem_min_u64(2 * (uint64_t)pause.tv_nsec, LOOK_AGAIN_MOST_NS);
	}
	return unused;
}

/* --- what is asked of it --- */

bool clock_simulate(void)
{
	struct look look;
	pthread_t thread;
	char self[24];

	snprintf(self, sizeof(self), "%d", (int)gettid());
	if (!clock_look_at(self, &look))
		return false;
	world.began_ns = clock_now_ns();
	world.now_ns = world.began_ns;
	world.wall_s = time(NULL);
	if (thread_start(&thread, ticker, NULL, NULL) < 0)
		return false;
	pthread_detach(thread);
	world.on = true;
	return true;
}

bool clock_is_simulated(void)
{
	return world.on;
}

uint64_t clock_simulated_ns(void)
{
	return world.now_ns;
}

time_t clock_simulated_wall_s(void)
{
	return world.wall_s + (time_t)((world.now_ns - world.began_ns) / 1000000000u);
}

void clock_hold(void)
{
	pthread_mutex_lock(&world.lock);
	world.holds++;
	pthread_mutex_unlock(&world.lock);
}

void clock_release(void)
{
	pthread_mutex_lock(&world.lock);
	world.holds--;
	pthread_cond_signal(&world.stirred);
	pthread_mutex_unlock(&world.lock);
}

void clock_simulated_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t at_ns)
{
	struct sleeper sleeper = {.at_ns = at_ns, .cond = cond}, **place;

	if (world.now_ns >= at_ns)
		return;
	pthread_mutex_lock(&world.lock);
	sleeper.next = world.first;
	world.first = &sleeper;
	pthread_cond_signal(&world.stirred);
	pthread_mutex_unlock(&world.lock);
	pthread_cond_wait(cond, lock);
	pthread_mutex_lock(&world.lock);
	for (place = &world.first; *place != &sleeper;)
		place = &(*place)->next;
	*place = sleeper.next;
	pthread_mutex_unlock(&world.lock);
}
