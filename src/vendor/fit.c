/* SPDX-License-Identifier: BSD-2-Clause */
/* Which drives a definition fits, and what it vouches for. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "device/take.h"
#include "vendor/vendor.h"

const struct fit *definition_ids(const struct definition *definition)
{
	return definition->fit.n_ids > 0 ? &definition->fit : &definition->family->fit;
}

const struct fit *definition_inquiry(const struct definition *definition)
{
	return definition->fit.vendor ? &definition->fit : &definition->family->fit;
}

unsigned int definition_wires(const struct definition *definition)
{
	if (definition->fit.wires)
		return definition->fit.wires;
	if (definition->family->fit.wires)
		return definition->family->fit.wires;
	return VENDOR_WIRE_BOT | VENDOR_WIRE_UAS;
}

char *definition_name(const struct definition *definition, char *out, size_t room)
{
	snprintf(out, room, "%s.%s", definition->family->name, definition->name);
	return out;
}

static bool id_fits(const struct drive_id *id, const struct drive *drive)
{
	if (id->any)
		return true;
	return drive->vid == id->vid && (id->any_pid || drive->pid == id->pid) &&
	       drive->bcd_device >= id->first_bcd && drive->bcd_device <= id->last_bcd;
}

static bool ids_fit(const struct fit *fit, const struct drive *drive)
{
	for (size_t i = 0; i < fit->n_ids; i++) {
		if (id_fits(&fit->id[i], drive))
			return true;
	}
	return false;
}

bool definition_fits(const struct definition *definition, const struct drive *drive)
{
	const struct fit *inquiry = definition_inquiry(definition);

	if (!ids_fit(definition_ids(definition), drive))
		return false;
	return !inquiry->vendor || (fnmatch(inquiry->vendor, drive->scsi_vendor, 0) == 0 &&
					   fnmatch(inquiry->product, drive->scsi_product, 0) == 0);
}

bool definition_vouches(const struct definition *definition, const uint8_t *cdb, size_t len)
{
	const struct fit *fit = definition_ids(definition);

	/* Bridges give the ATA pass-throughs other meanings, Alcor's sticks WRITE STREAM (16):
	 * drives that are named are known to do so. */
	if (len == 0 || (cdb[0] != 0x85 && cdb[0] != 0x9a && cdb[0] != 0xa1))
		return scsi_effect(cdb, len) == EFFECT_UNKNOWN;
	for (size_t i = 0; i < fit->n_ids; i++) {
		if (fit->id[i].any)
			return false;
	}
	return true;
}

/* Is anything on it mounted or held, on another of its units as well?  USE says what. */
static bool is_used(const struct drive *drive, struct err *use)
{
	if (drive->in_use[0]) {
		err_set(use, ERR_BUSY, "%s", drive->in_use);
		return true;
	}
	return drive->port[0] && drive->driver[0] && !take_is_free(drive, use);
}

int vendor_may_send(const struct drive *drive, enum scsi_effect effect, bool known, bool force,
	bool allow_mounted, struct err *err)
{
	bool harms = effect == EFFECT_CHANGES || effect == EFFECT_DESTROYS;
	struct err use;

	if (harms && !force)
		return err_set(err, ERR_USAGE, "this command %s%s: --force sends it",
			scsi_effect_name(effect),
			effect == EFFECT_DESTROYS ? " what is on the drive, or may"
						  : " the state of the drive");
	if (allow_mounted || effect == EFFECT_READS || (effect == EFFECT_UNKNOWN && known) ||
		!is_used(drive, &use))
		return 0;
	return err_set(err, ERR_USAGE, "%.600s, and %s: --allow-mounted%s sends it all the same",
		use.text,
		harms ? "this command is not harmless" : "nobody knows what this command does",
		harms ? " with --force" : "");
}
