/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vendor command sets of simulated drives: the other side of what proto/vendor defines, made from
 * the public facts and not from those definitions.  sim/vendor.h says what a set is.
 *
 *	sets.c           the table
 *	sat.c            a SAT bridge to an ATA disk (disk_ata.c)
 *	ata.c            bridges to it of before SAT
 *	seagate.c        those of old Seagate drives
 *	nvme.c           bridges to an NVMe drive (disk_nvme.c)
 *	flash.c          flash controllers and card readers
 *	bridge.c         what bridges say of themselves
 *	standard.c       standard commands that cheap drives do not have
 */
#ifndef UMS_SIMVENDOR_SETS_H
#define UMS_SIMVENDOR_SETS_H

#include "sim/vendor.h"

extern const struct vendor_set vendor_standard;
/* sat.c, ata.c */
extern const struct vendor_set vendor_sat, vendor_jmicron_ata, vendor_sunplus, vendor_cypress,
	vendor_prolific;
/* seagate.c */
extern const struct vendor_set vendor_ti, vendor_nec;
/* nvme.c */
extern const struct vendor_set vendor_jmicron_nvme, vendor_asmedia_nvme, vendor_realtek_nvme;
/* flash.c */
extern const struct vendor_set vendor_phison, vendor_smi, vendor_alcor, vendor_genesys,
	vendor_gl323x;
/* bridge.c */
extern const struct vendor_set vendor_jms567, vendor_asmedia, vendor_rtl921x, vendor_wd;

#endif
