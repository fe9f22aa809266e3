/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests whose waiting takes no time. */
#ifndef UMS_TESTS_AID_SIMULATED_H
#define UMS_TESTS_AID_SIMULATED_H

/* To be called first in main: time is simulated (base/clock_simulated.h), or the program ends and
 * has failed. */
void simulate_time(void);

#endif
