/* SPDX-License-Identifier: BSD-2-Clause */
/* Monotonic time and absolute deadlines: see clock.h. */
#include "base/clock.h"

#include "base/mem.h"

#include <limits.h>
#include <time.h>

uint64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
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

void clock_sleep_ms(unsigned int ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

char *clock_utc(char text[32])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}
