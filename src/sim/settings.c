/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of a simulated drive: see settings.h. */
#include "sim/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sim/vendor.h"

struct setting;

/* VALUE is NULL when there was no "=". */
typedef int take_fn(struct sim_settings *settings, const struct setting *setting, const char *value,
	struct err *err);

struct setting {
	const char *key;
	const char *form; /* what stands behind the key */
	const char *about;
	take_fn *take;
	size_t field;	       /* offset in struct sim_settings */
	uint64_t max;	       /* of numbers; of areas: enum fault_kind */
	const char *words[11]; /* NULL behind the last */
};

static uint64_t *number_field(struct sim_settings *settings, const struct setting *setting)
{
	return (uint64_t *)(void *)((char *)settings + setting->field);
}

static int settings_take_flag(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	if (value)
		return err_set(err, ERR_USAGE, "takes no value");
	*(bool *)((char *)settings + setting->field) = true;
	return 0;
}

static int settings_take_number(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	uint64_t number;

	if (!text_number(value, &number) || number > setting->max)
		return err_set(err, ERR_USAGE, "\"%s\" is no number from 0 to %llu", value,
			(unsigned long long)setting->max);
	*number_field(settings, setting) = number;
	return 0;
}

static int settings_take_from_1(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	uint64_t number;

	if (!text_number(value, &number) || number == 0 || number > setting->max)
		return err_set(err, ERR_USAGE, "\"%s\" is no number from 1 to %llu", value,
			(unsigned long long)setting->max);
	*number_field(settings, setting) = number;
	return 0;
}

/* A flag that may say how many times. */
static int settings_take_times(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	return settings_take_number(settings, setting, value ? value : "1", err);
}

static int settings_take_bytes(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	uint64_t bytes;

	if (!text_bytes(value, 0, &bytes) || bytes > setting->max)
		return err_set(err, ERR_USAGE,
			"\"%s\" is no number of bytes (K, M, G, T may stand behind it)", value);
	*number_field(settings, setting) = bytes;
	return 0;
}

static int settings_take_hex(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	if (strlen(value) != 4 || strspn(value, "0123456789abcdefABCDEF") != 4)
		return err_set(err, ERR_USAGE, "\"%s\" is not four hex digits", value);
	*number_field(settings, setting) = strtoul(value, NULL, 16);
	return 0;
}

static int settings_take_word(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	char allowed[200];
	size_t used = 0;

	for (uint64_t i = 0; setting->words[i]; i++) {
		if (strcmp(setting->words[i], value) == 0) {
			*number_field(settings, setting) = i;
			return 0;
		}
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
			i > 0 ? ", " : "", setting->words[i]);
	}
	return err_set(err, ERR_USAGE, "\"%s\" is none of: %s", value, allowed);
}

static int settings_take_area(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	if (strcmp(value, "none") == 0) {
		faults_free(&settings->faults);
		return 0;
	}
	return faults_add(&settings->faults, (enum fault_kind)setting->max, false, value, err);
}

static int settings_take_healing(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	(void)setting;
	return faults_add(&settings->faults, FAULT_BAD, true, value, err);
}

static int settings_take_misdeed(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	(void)setting;
	return script_add(&settings->script, value, err);
}

static int settings_take_death(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	cleanup_free char *copy = strdup(value);
	char *rest = copy;

	if (!copy)
		return err_memory(err, "for a setting");
	value = strsep(&rest, ":");
	if (!text_number(value, &settings->dies_after) || settings->dies_after == 0)
		return err_set(err, ERR_USAGE, "\"%s\" is no number of READs from 1 on", value);
	return rest ? settings_take_word(settings, setting, rest, err) : 0;
}

static int settings_take_serial(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	(void)setting;
	if (strlen(value) > SIM_TEXT_MAX)
		return err_set(err, ERR_USAGE, "longer than %d characters", SIM_TEXT_MAX);
	snprintf(settings->serial, sizeof(settings->serial), "%s",
		strcmp(value, "none") == 0 ? "" : value);
	return 0;
}

/* A drive that has it is the one that is known for it. */
static int settings_take_vendor(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	const struct vendor_set *set = vendor_set_find(value);

	(void)setting;
	if (!set)
		return err_set(
			err, ERR_USAGE, "\"%s\" is no vendor command set (umsctl help sim)", value);
	settings->vendor = set;
	settings->vid = set->vid;
	settings->pid = set->pid;
	settings->bcd_device = set->bcd_device;
	if (set->spc)
		settings->spc = set->spc;
	return 0;
}

static int settings_take_file(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	char *copy = strdup(value);

	(void)setting;
	if (!copy)
		return err_memory(err, "for a file's name");
	free(settings->file);
	settings->file = copy;
	settings->size_bytes = 0;
	return 0;
}

static int settings_take_defects(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	char *copy = strdup(value);

	(void)setting;
	if (!copy)
		return err_memory(err, "for a file's name");
	free(settings->defects);
	settings->defects = copy;
	return 0;
}

static int settings_take_block(struct sim_settings *settings, const struct setting *setting,
	const char *value, struct err *err)
{
	(void)setting;
	if (strcmp(value, "512") != 0 && strcmp(value, "4096") != 0)
		return err_set(err, ERR_USAGE, "\"%s\" is none of: 512, 4096", value);
	settings->block_bytes = strtoul(value, NULL, 10);
	return 0;
}

#define FIELD(name) offsetof(struct sim_settings, name)

/* clang-format off: a setting in a few lines that look alike */
static const struct setting table[] = {
	{.key = "size",
		.form = "=BYTES",
		.about = "capacity; K, M, G, T may stand behind it",
		.take = settings_take_bytes,
		.field = FIELD(size_bytes),
		.max = 1ull << 60},
	{.key = "block",
		.form = "=512|4096",
		.about = "bytes of a sector",
		.take = settings_take_block},
	{.key = "content",
		.form = "=WORD",
		.about = "what the sectors hold: zero, noise, text, mixed, sparse, demo",
		.take = settings_take_word,
		.field = FIELD(content),
		.words = {"zero", "noise", "text", "mixed", "sparse", "demo"}},
	{.key = "seed",
		.form = "=N",
		.about = "another noise or text of the same kind",
		.take = settings_take_number,
		.field = FIELD(seed),
		.max = UINT64_MAX},
	{.key = "file",
		.form = "=PATH",
		.about = "what the sectors hold, from a file (never written to)",
		.take = settings_take_file},
	{.key = "serial",
		.form = "=TEXT",
		.about = "serial number of the USB device and of the unit, or none",
		.take = settings_take_serial},
	{.key = "vid",
		.form = "=HHHH",
		.about = "USB vendor",
		.take = settings_take_hex,
		.field = FIELD(vid)},
	{.key = "pid",
		.form = "=HHHH",
		.about = "USB product",
		.take = settings_take_hex,
		.field = FIELD(pid)},
	{.key = "spc",
		.form = "=N",
		.about = "version of SPC that INQUIRY claims; from 3 on with VPD pages, 0: none",
		.take = settings_take_number,
		.field = FIELD(spc),
		.max = 5},
	{.key = "luns",
		.form = "=N",
		.about = "logical units, each with its own noise or text",
		.take = settings_take_from_1,
		.field = FIELD(luns),
		.max = 16},
	{.key = "bad",
		.form = "=AREA[:nolba][:nodata][:junk][:descriptor]",
		.about = "cannot be read (sense data without LBA; without the data before it; with "
			 "wrong data;\n      sense data in descriptor form); bad=none forgets all "
			 "areas "
			 "so far",
		.take = settings_take_area,
		.max = FAULT_BAD},
	{.key = "defects",
		.form = "=MAPFILE",
		.about = "what a GNU ddrescue mapfile has as bad, not trimmed or not scraped "
			 "cannot be read",
		.take = settings_take_defects},
	{.key = "healing",
		.form = "=AREA:N",
		.about = "as bad, but reads well after N failures",
		.take = settings_take_healing},
	{.key = "recovered",
		.form = "=AREA",
		.about = "reads well, with RECOVERED ERROR",
		.take = settings_take_area,
		.max = FAULT_RECOVERED},
	{.key = "slow",
		.form = "=AREA:MS",
		.about = "a READ that touches it takes MS milliseconds",
		.take = settings_take_area,
		.max = FAULT_SLOW},
	{.key = "hang",
		.form = "=AREA[:deaf]",
		.about = "a READ of it is never answered until a reset (deaf: until a port reset)",
		.take = settings_take_area,
		.max = FAULT_HANG},
	{.key = "fault",
		.form = "=MISDEED[:lba=AREA|:op=HH|:cmd=N][:times=N|:always]",
		.about = "breaks a rule of its transport (below): at a READ of AREA, at an opcode, "
			 "at command\n      number N, else at the next command; once unless it "
			 "says otherwise",
		.take = settings_take_misdeed},
	{.key = "delay",
		.form = "=US",
		.about = "each command takes US microseconds",
		.take = settings_take_number,
		.field = FIELD(delay_us),
		.max = 60000000},
	{.key = "rate",
		.form = "=BYTES",
		.about = "reads so many bytes a second at most, 0: no limit",
		.take = settings_take_bytes,
		.field = FIELD(rate),
		.max = UINT64_MAX},
	{.key = "dies",
		.form = "=N[:hardware|:medium|:gone]",
		.about =
			"after N READs each one fails with that error, or the drive leaves the bus",
		.take = settings_take_death,
		.field = FIELD(death),
		.words = {"hardware", "medium", "gone"}},
	{.key = "unit-attention",
		.form = "[=N]",
		.about = "the first command (N commands) meets UNIT ATTENTION",
		.take = settings_take_times,
		.field = FIELD(unit_attention),
		.max = 1000},
	{.key = "becoming-ready",
		.form = "[=N]",
		.about = "the first command (N commands) meets NOT READY",
		.take = settings_take_times,
		.field = FIELD(becoming_ready),
		.max = 1000},
	{.key = "short",
		.form = "=stall|packet|pad|skip",
		.about = "how it ends a data phase with less than was wanted",
		.take = settings_take_word,
		.field = FIELD(short_data),
		.words = {"stall", "packet", "pad", "skip"}},
	{.key = "speed",
		.form = "=high|super|full",
		.about = "of its USB connection; UAS has streams at super",
		.take = settings_take_word,
		.field = FIELD(speed),
		.words = {"high", "super", "full"}},
	{.key = "uas",
		.form = "",
		.about = "speaks UAS at alternate setting 1, beside Bulk-Only at 0",
		.take = settings_take_flag,
		.field = FIELD(uas)},
	{.key = "only-uas",
		.form = "",
		.about = "speaks UAS at alternate setting 0, and no Bulk-Only",
		.take = settings_take_flag,
		.field = FIELD(only_uas)},
	{.key = "uas-depth",
		.form = "=N",
		.about = "commands that it takes at once over UAS",
		.take = settings_take_from_1,
		.field = FIELD(uas_depth),
		.max = 64},
	{.key = "descriptors",
		.form = "=WORD",
		.about = "descriptors that are not what they should be: good, cut, loop, past, "
			 "no-in, twice, many,\n      no-pipes, same-pipes, tiny",
		.take = settings_take_word,
		.field = FIELD(descriptors),
		.words = {"good", "cut", "loop", "past", "no-in", "twice", "many", "no-pipes",
			"same-pipes", "tiny"}},
	{.key = "vendor",
		.form = "=SET",
		.about = "has a vendor command set (below), and the USB ids of a drive that has it",
		.take = settings_take_vendor},
	{.key = "hostile",
		.form = "",
		.about = "texts full of control bytes and escape sequences, lengths that lie",
		.take = settings_take_flag,
		.field = FIELD(hostile)},
	{.key = "empty-luns",
		.form = "",
		.about = "logical units but the first are empty slots",
		.take = settings_take_flag,
		.field = FIELD(empty_luns)},
	{.key = "ro",
		.form = "",
		.about = "write-protected",
		.take = settings_take_flag,
		.field = FIELD(read_only)},
	{.key = "no-medium",
		.form = "",
		.about = "an empty slot",
		.take = settings_take_flag,
		.field = FIELD(no_medium)},
	{.key = "no-cap16",
		.form = "",
		.about = "refuses READ CAPACITY (16)",
		.take = settings_take_flag,
		.field = FIELD(no_capacity16)},
	{.key = "capacity-plus-one",
		.form = "",
		.about = "claims one sector that it does not have",
		.take = settings_take_flag,
		.field = FIELD(capacity_plus_one)},
	{.key = "no-mode-sense",
		.form = "",
		.about = "refuses MODE SENSE",
		.take = settings_take_flag,
		.field = FIELD(no_mode_sense)},
};
/* clang-format on */

#define N_SETTINGS (sizeof(table) / sizeof(table[0]))

void settings_init(struct sim_settings *settings)
{
	/* 1209:0001 is pid.codes' number for tests. */
	*settings = (struct sim_settings){
		.size_bytes = 64 << 20,
		.block_bytes = 512,
		.serial = "0123456789AB",
		.vid = 0x1209,
		.pid = 0x0001,
		.bcd_device = 0x0100,
		.spc = 2,
		.luns = 1,
		.uas_depth = 16,
	};
}

static int unknown(const char *key, struct err *err)
{
	char keys[500];
	size_t used = 0;

	for (size_t i = 0; i < N_SETTINGS; i++)
		used += (size_t)snprintf(
			keys + used, sizeof(keys) - used, "%s%s", i > 0 ? ", " : "", table[i].key);
	return err_set(err, ERR_USAGE,
		"\"%.100s\" is no setting of a simulated drive (no value can hold a comma); there "
		"are: %s",
		key, keys);
}

static int settings_take_one(struct sim_settings *settings, char *text, struct err *err)
{
	char *value = text;
	const char *key = strsep(&value, "=");
	bool optional;

	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (strcmp(table[i].key, key) != 0)
			continue;
		optional = table[i].form[0] != '=';
		if ((!value && !optional) || (value && value[0] == '\0' && table[i].form[0]))
			return err_set(err, ERR_USAGE, "the setting %s needs a value: %s%s", key,
				key, table[i].form);
		if (table[i].take(settings, &table[i], value, err) != 0)
			return err_prefix(err, "the setting %s: ", key);
		return 0;
	}
	return unknown(key, err);
}

int settings_parse(struct sim_settings *settings, const char *text, struct err *err)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy;

	if (!copy)
		return err_memory(err, "for settings");
	while (rest) {
		if (settings_take_one(settings, strsep(&rest, ","), err) != 0)
			return -1;
	}
	return 0;
}

size_t settings_help(char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < N_SETTINGS && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "  %s%s\n      %s\n",
			table[i].key, table[i].form, table[i].about);
	for (int m = MISDEED_NONE + 1; m < MISDEEDS && used < room; m++) {
		enum misdeed misdeed = (enum misdeed)m;
		bool numbered = misdeed_number(misdeed)[0];

		used += (size_t)snprintf(out + used, room - used, "%s  %s%s%s\n      %s\n",
			m == 1 ? "\nMisdeeds (case-N: BBB 6.7):\n" : "", misdeed_name(misdeed),
			numbered ? "=" : "", misdeed_number(misdeed), misdeed_about(misdeed));
	}
	for (unsigned int i = 0; vendor_set(i) && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s  %s\n      %s\n",
			i == 0 ? "\nVendor command sets:\n" : "", vendor_set(i)->name,
			vendor_set(i)->about);
	return used < room ? used : room - 1;
}

void settings_free(struct sim_settings *settings)
{
	free(settings->file);
	free(settings->defects);
	settings->file = settings->defects = NULL;
	faults_free(&settings->faults);
	script_free(&settings->script);
}
