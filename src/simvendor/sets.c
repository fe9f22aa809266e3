/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of vendor command sets: see sets.h and sim/vendor.h. */
#include "simvendor/sets.h"

#include <string.h>

static const struct vendor_set *const sets[] = {
	&vendor_standard,
	&vendor_sat,
	&vendor_jmicron_ata,
	&vendor_sunplus,
	&vendor_cypress,
	&vendor_prolific,
	&vendor_ti,
	&vendor_nec,
	&vendor_jmicron_nvme,
	&vendor_asmedia_nvme,
	&vendor_realtek_nvme,
	&vendor_phison,
	&vendor_smi,
	&vendor_alcor,
	&vendor_genesys,
	&vendor_gl323x,
	&vendor_jms567,
	&vendor_asmedia,
	&vendor_rtl921x,
	&vendor_wd,
};

const struct vendor_set *vendor_set(unsigned int i)
{
	return i < sizeof(sets) / sizeof(sets[0]) ? sets[i] : NULL;
}

const struct vendor_set *vendor_set_find(const char *name)
{
	for (unsigned int i = 0; vendor_set(i); i++) {
		if (strcmp(vendor_set(i)->name, name) == 0)
			return vendor_set(i);
	}
	return NULL;
}
