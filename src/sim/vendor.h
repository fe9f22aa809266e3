/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a simulated drive needs of a vendor command set; the setting "vendor=NAME" chooses one.  The
 * sets themselves are src/simvendor, which implements vendor_set_find and vendor_set.
 */
#ifndef UMS_SIM_VENDOR_H
#define UMS_SIM_VENDOR_H

#include "sim/target_inside.h"

struct vendor_set {
	const char *name;
	const char *about;
	uint16_t vid, pid, bcd_device;
	uint8_t spc;				 /* the version that INQUIRY claims; 0: as others */
	const char *vendor, *product, *revision; /* of INQUIRY; NULL: as every simulated drive */

	/* Changes, or adds to, the N bytes of standard INQUIRY data in OUT (TARGET_ANSWER_MAX
	 * bytes); returns how many there are then.  May be NULL. */
	size_t (*inquiry)(uint8_t *out, size_t n);

	/* Carries out TASK if it is one of the set's commands; false leaves it to the standard
	 * ones.  It fails by target_fail(), answers by target_answer(), or asks for up to
	 * TARGET_TAKEN_MAX bytes by setting task->wants. */
	bool (*run)(struct target *target, struct target_task *task);

	/* All that the host has sent for TASK (task->n_taken bytes in task->taken) is there; the
	 * command may still fail.  May be NULL. */
	void (*taken)(struct target *target, struct target_task *task);
};

/* The set called NAME, NULL when there is none. */
const struct vendor_set *vendor_set_find(const char *name);

/* Set number I, NULL behind the last. */
const struct vendor_set *vendor_set(unsigned int i);

#endif
