/* SPDX-License-Identifier: BSD-2-Clause */
/* Monotonic time and absolute deadlines: see clock.h. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

#include "base/clock_simulated.h"
#include "base/mem.h"

#define NS_PER_S 1000000000u

uint64_t clock_now_ns(void)
{
	struct timespec ts;

	if (clock_is_simulated())
		return clock_simulated_ns();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct deadline deadline_in_ms(uint64_t ms)
{
	uint64_t now = clock_now_ns(), ns;

	/* So far away that the clock cannot say it: never. */
	if (!mem_mul_u64(ms, 1000000u, &ns) || !mem_add_u64(now, ns, &ns))
		ns = UINT64_MAX;
	return (struct deadline){.at_ns = ns};
}

unsigned int deadline_left_ms(struct deadline deadline)
{
	uint64_t now = clock_now_ns();
	uint64_t ms;

	if (now >= deadline.at_ns)
		return 0;
	ms = (deadline.at_ns - now - 1) / 1000000u + 1;
	return ms > INT_MAX ? INT_MAX : (unsigned int)ms;
}

struct deadline deadline_at_most_ms(struct deadline deadline, uint64_t ms)
{
	struct deadline other = deadline_in_ms(ms);

	return other.at_ns < deadline.at_ns ? other : deadline;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static void sleep_simulated(uint64_t ns)
{
	uint64_t at_ns = clock_now_ns() + ns;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never;

	clock_cond_init(&never);
	pthread_mutex_lock(&lock);
	while (clock_now_ns() < at_ns)
		clock_wait_until(&never, &lock, at_ns);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&never);
}

void clock_sleep_ns(uint64_t ns)
{
	struct timespec ts = timespec_of(ns);

	if (clock_is_simulated())
		sleep_simulated(ns);
	else
		nanosleep(&ts, NULL);
}

void clock_sleep_ms(unsigned int ms)
{
	clock_sleep_ns(ms * UINT64_C(1000000));
}

void clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

void clock_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t at_ns)
{
	struct timespec at = timespec_of(at_ns);

	if (clock_is_simulated())
		clock_simulated_wait(cond, lock, at_ns);
	else
		pthread_cond_timedwait(cond, lock, &at);
}

char *clock_utc(char text[32])
{
	time_t now = clock_is_simulated() ? clock_simulated_wall_s() : time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}
