/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture on a bench: a medium, a fake transport in front of it, a sink in memory behind it, and
 * checks of what the capture must never get wrong.
 */
#ifndef UMS_TESTS_AID_RIG_H
#define UMS_TESTS_AID_RIG_H

#include "capture/capture.h"
#include "tests/aid/faketransport.h"
#include "tests/aid/memsink.h"

#define RIG_BLOCK_BYTES 512u

struct rig {
	uint8_t *medium;
	uint64_t n_blocks;
	struct faketransport fake;
	struct memsink *sink;
	struct device device;
	struct capture_options options;
	atomic_bool stop;
	struct capture_result result;
	struct err err;
	struct capture_progress last; /* what the observer was told last */
	unsigned int told, events;
};

/* A drive of N_BLOCKS with a different content in each sector (some are zeros), in slots of
 * SLOT_BLOCKS. */
void rig_init(struct rig *rig, uint64_t n_blocks, uint32_t slot_blocks, bool in_order,
	const struct fake_fault *faults, size_t n_faults);
void rig_free(struct rig *rig);

/* Another session with the same sink: counters and events of the transport begin anew. */
void rig_again(struct rig *rig, const struct fake_fault *faults, size_t n_faults);

enum capture_end rig_run(struct rig *rig);

/* Fails the test when the sink's contract was broken, when a sector that the map calls good differs
 * from the medium, or when the progress told last is not what the map says. */
void rig_check(const struct rig *rig);

/* "good*100 bad*1 …" as text of ROOM bytes: the states of the drive as runs. */
char *rig_states(const struct rig *rig, char *text, size_t room);

#endif
