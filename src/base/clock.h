/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monotonic time and absolute deadlines: a blocking call takes one deadline, not a time-out a step.
 * All waiting for a time goes through here, so that tests can simulate it (clock_simulated.h).
 */
#ifndef UMS_BASE_CLOCK_H
#define UMS_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

struct deadline {
	uint64_t at_ns; /* as clock_now_ns() */
};

/* Nanoseconds since some moment in the past; never goes back.  CLOCK_MONOTONIC, or simulated. */
uint64_t clock_now_ns(void);

struct deadline deadline_in_ms(uint64_t ms);

/* Milliseconds left, rounded up; 0 when it has passed. */
unsigned int deadline_left_ms(struct deadline deadline);

/* The earlier of DEADLINE and MS from now. */
struct deadline deadline_at_most_ms(struct deadline deadline, uint64_t ms);

/* Sleeps MS, or less when a signal arrives. */
void clock_sleep_ms(unsigned int ms);

void clock_sleep_ns(uint64_t ns);

/* A condition variable for clock_wait_until; pthread_cond_destroy ends it. */
void clock_cond_init(pthread_cond_t *cond);

/* As pthread_cond_wait, but not beyond the time AT_NS; COND comes from clock_cond_init, LOCK is
 * held.  May return early for no reason, as pthread_cond_wait may. */
void clock_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t at_ns);

/* The wall clock (where time is simulated: when that began, and what has passed since) as RFC 3339
 * UTC ("2026-11-20T22:09:37Z") into TEXT of 32 bytes; returns TEXT. */
char *clock_utc(char text[32]);

#endif
