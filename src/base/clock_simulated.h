/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated time, for tests: an hour of waiting for a drive that hangs passes at once.
 *
 * A test calls clock_simulate() before it starts threads.  From then on, until the process ends,
 * clock_now_ns() is a counter.  It stands still while any thread of the process runs; when all of
 * them sleep, nothing can happen before the earliest of the times that they wait for, and the
 * counter jumps to that time.  So a wait takes as long as it would have taken, by the clock that
 * the program sees, and its order among other waits is the same however slow the machine is.
 *
 * Nobody has to take part in this: whether threads sleep is asked of the kernel.  What is waited
 * for must be waited for through base/clock.h, though.  A thread that sleeps in any other way (a
 * mutex, a pipe, another process) does not keep time from passing for those who wait; where it
 * must, hold the clock.  Under Valgrind threads seem to sleep that do not, and a child of fork()
 * has nobody who moves the counter: neither may use it.
 */
#ifndef UMS_BASE_CLOCK_SIMULATED_H
#define UMS_BASE_CLOCK_SIMULATED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* False when the kernel does not tell what threads do; then time stays real.  To be called once. */
bool clock_simulate(void);

/* Time stands still, even when all threads sleep, until each hold has been released: for a test
 * that waits until several things are under way at once. */
void clock_hold(void);
void clock_release(void);

/* The rest is for clock.c. */

bool clock_is_simulated(void);
uint64_t clock_simulated_ns(void);

/* Seconds since 1970: the wall clock when simulated time began, and what has passed since. */
time_t clock_simulated_wall_s(void);

/* As clock_wait_until. */
void clock_simulated_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t at_ns);

#endif
