/* SPDX-License-Identifier: BSD-2-Clause */
/* The passes that read many sectors at once.  Each goes over the part asked for. */
#ifndef UMS_CAPTURE_PASSES_H
#define UMS_CAPTURE_PASSES_H

#include "capture/reading.h"

/* Large reads, jumping ahead of errors and slow places: PASS_FORWARD, PASS_BACKWARD. */
int pass_forward(struct reading *r);
int pass_backward(struct reading *r);

/* All that they jumped over: PASS_SWEEP. */
int pass_sweep(struct reading *r);

/* Everything in ascending order, errors taken apart where they are: for a pipe. */
int pass_in_order(struct reading *r);

#endif
