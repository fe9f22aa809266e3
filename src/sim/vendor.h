/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vendor command sets of simulated drives: the other side of what proto/vendor defines, made from
 * the public facts and not from those definitions.  The setting "vendor=NAME" chooses one.
 *
 *	vendor.c           the table
 *	vendor_sat.c       a SAT bridge to an ATA disk (disk_ata.c)
 *	vendor_ata.c       bridges to it of before SAT
 *	vendor_seagate.c   those of old Seagate drives
 *	vendor_nvme.c      bridges to an NVMe drive (disk_nvme.c)
 *	vendor_flash.c     flash controllers and card readers
 *	vendor_bridge.c    what bridges say of themselves
 *	vendor_standard.c  standard commands that cheap drives do not have
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

/* --- the sets --- */

extern const struct vendor_set vendor_standard;
/* vendor_sat.c, vendor_ata.c */
extern const struct vendor_set vendor_sat, vendor_jmicron_ata, vendor_sunplus, vendor_cypress,
	vendor_prolific;
/* vendor_seagate.c */
extern const struct vendor_set vendor_ti, vendor_nec;
/* vendor_nvme.c */
extern const struct vendor_set vendor_jmicron_nvme, vendor_asmedia_nvme, vendor_realtek_nvme;
/* vendor_flash.c */
extern const struct vendor_set vendor_phison, vendor_smi, vendor_alcor, vendor_genesys,
	vendor_gl323x;
/* vendor_bridge.c */
extern const struct vendor_set vendor_jms567, vendor_asmedia, vendor_rtl921x, vendor_wd;

#endif
