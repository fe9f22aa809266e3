/* SPDX-License-Identifier: BSD-2-Clause */
/* See simulated.h. */
#include "tests/aid/simulated.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock_simulated.h"

void simulate_time(void)
{
	if (clock_simulate())
		return;
	puts("Bail out! the kernel does not tell what threads do, so time cannot be simulated");
	exit(EXIT_FAILURE);
}
