/* SPDX-License-Identifier: BSD-2-Clause */
/* Monotonic time and absolute deadlines: a blocking call takes one deadline, not a time-out a step.
 */
#ifndef UMS_BASE_CLOCK_H
#define UMS_BASE_CLOCK_H

#include <stdint.h>

struct deadline {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
};

uint64_t clock_now_ns(void);

struct deadline deadline_in_ms(uint64_t ms);

/* Milliseconds left, rounded up; 0 when it has passed. */
unsigned int deadline_left_ms(struct deadline deadline);

/* The earlier of DEADLINE and MS from now. */
struct deadline deadline_at_most_ms(struct deadline deadline, uint64_t ms);

/* Sleeps MS, or less when a signal arrives. */
void clock_sleep_ms(unsigned int ms);

/* The wall clock as RFC 3339 UTC ("2026-11-20T22:09:37Z") into TEXT of 32 bytes; returns TEXT. */
char *clock_utc(char text[32]);

#endif
