/* SPDX-License-Identifier: BSD-2-Clause */
/* What each key's value means: see proto/vendor/README.md. */
#include <stdio.h>
#include <string.h>

#include "vendor/reading.h"

#define TIMES_MAX   10000
#define PAUSE_MAX   60000
#define SECONDS_MAX 3600

typedef bool key_fn(struct reading *reading, struct scan *scan);

/* --- texts --- */

static bool take_text(struct scan *scan, const char **text)
{
	*text = scan_rest(scan);
	return **text || scan_mistake(scan, "says nothing");
}

static bool key_title(struct reading *reading, struct scan *scan)
{
	return take_text(scan, &reading->family->title);
}

static bool key_about(struct reading *reading, struct scan *scan)
{
	return take_text(scan, &reading->definition->about);
}

static bool key_source(struct reading *reading, struct scan *scan)
{
	return take_text(scan, reading->section == SECTION_FAMILY ? &reading->family->source
								  : &reading->definition->source);
}

static bool key_name(struct reading *reading, struct scan *scan)
{
	return scan_name(scan, "a name", &reading->family->name) && scan_must_end(scan);
}

/* --- what it fits --- */

static struct fit *fit_of(struct reading *reading)
{
	return reading->section == SECTION_FAMILY ? &reading->family->fit
						  : &reading->definition->fit;
}

static bool take_bcd(struct scan *scan, struct drive_id *id)
{
	uint64_t first, last;

	if (!scan_hex(scan, 4, &first))
		return scan_mistake(scan, "bcdDevice is four hexadecimal digits");
	last = first;
	if (scan_mark(scan, "-") && !scan_hex(scan, 4, &last))
		return scan_mistake(scan, "bcdDevice is four hexadecimal digits");
	if (last < first)
		return scan_mistake(scan, "the range of bcdDevice ends before it begins");
	id->first_bcd = (uint16_t)first;
	id->last_bcd = (uint16_t)last;
	return true;
}

static bool take_id(struct scan *scan, struct drive_id *id)
{
	uint64_t vid, pid = 0;

	*id = (struct drive_id){.last_bcd = 0xffff};
	id->any = scan_word(scan, "any");
	if (id->any)
		return true;
	if (!scan_hex(scan, 4, &vid) || !scan_mark(scan, ":"))
		return scan_mistake(
			scan, "a drive is VID:PID, VID:* or any, not \"%.40s\"", scan->at);
	id->any_pid = scan_mark(scan, "*");
	if (!id->any_pid && !scan_hex(scan, 4, &pid))
		return scan_mistake(
			scan, "a PID is four hexadecimal digits, not \"%.40s\"", scan->at);
	id->vid = (uint16_t)vid;
	id->pid = (uint16_t)pid;
	return *scan->at != '@' || (scan->at++, take_bcd(scan, id));
}

static bool key_drives(struct reading *reading, struct scan *scan)
{
	struct fit *fit = fit_of(reading);

	while (!scan_end(scan)) {
		struct drive_id *id = reading_push(reading, &fit->id, fit->n_ids, sizeof(*fit->id));

		if (!id || !take_id(scan, id))
			return false;
		fit->n_ids++;
	}
	return fit->n_ids > 0 || scan_mistake(scan, "names no drive");
}

static bool key_inquiry(struct reading *reading, struct scan *scan)
{
	struct fit *fit = fit_of(reading);

	return scan_string(scan, &fit->vendor) && scan_string(scan, &fit->product) &&
	       scan_must_end(scan);
}

static bool key_transports(struct reading *reading, struct scan *scan)
{
	struct fit *fit = fit_of(reading);

	while (!scan_end(scan)) {
		unsigned int wire = scan_word(scan, "bot")   ? VENDOR_WIRE_BOT
				    : scan_word(scan, "uas") ? VENDOR_WIRE_UAS
							     : 0;

		if (!wire)
			return scan_mistake(
				scan, "transports are bot and uas, not \"%.40s\"", scan->at);
		fit->wires |= wire;
	}
	return fit->wires || scan_mistake(scan, "names no transport");
}

static bool key_confirm(struct reading *reading, struct scan *scan)
{
	struct fit *fit = fit_of(reading);

	fit->confirm_line = scan_line(scan);
	return scan_name(scan, "the name of a command", &fit->confirm) && scan_must_end(scan);
}

/* --- a command --- */

static bool key_safety(struct reading *reading, struct scan *scan)
{
	static const enum scsi_effect effects[] = {EFFECT_READS, EFFECT_CHANGES, EFFECT_DESTROYS};

	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (!scan_word(scan, scsi_effect_name(effects[i])))
			continue;
		reading->definition->safety = effects[i];
		reading->definition->has_safety = true;
		return scan_must_end(scan);
	}
	return scan_mistake(scan, "safety is reads, changes or destroys, not \"%.40s\"", scan->at);
}

static bool take_yes(struct scan *scan, bool *yes)
{
	*yes = scan_word(scan, "yes");
	if (!*yes && !scan_word(scan, "no"))
		return scan_mistake(scan, "yes or no, not \"%.40s\"", scan->at);
	return scan_must_end(scan);
}

static bool key_atomic(struct reading *reading, struct scan *scan)
{
	return take_yes(scan, &reading->definition->atomic);
}

static bool key_redirects(struct reading *reading, struct scan *scan)
{
	return take_yes(scan, &reading->definition->redirects);
}

/* --- a step --- */

static bool key_cdb(struct reading *reading, struct scan *scan)
{
	reading->step->line = scan_line(scan);
	return pattern_read(scan, &reading->step->cdb);
}

static bool key_out(struct reading *reading, struct scan *scan)
{
	reading->step->direction = TRANSFER_OUT;
	return pattern_read(scan, &reading->step->out);
}

static bool key_in(struct reading *reading, struct scan *scan)
{
	reading->step->in_line = scan_line(scan);
	reading->step->in_text = arena_text(reading->arena, scan->at, strlen(scan->at));
	reading->no_memory |= reading->step->in_text == NULL;
	reading->step->direction = TRANSFER_IN;
	if (!scan_mark(scan, "{"))
		return expression_read(scan, &reading->step->in) && scan_must_end(scan);
	return expression_read(scan, &reading->step->in) &&
	       (scan_mark(scan, "}") || scan_mistake(scan, "} is missing")) && scan_must_end(scan);
}

static bool key_status(struct reading *reading, struct scan *scan)
{
	static const char *const words[] = {"good", "check", "any"};

	for (int i = 0; i < 3; i++) {
		if (!scan_word(scan, words[i]))
			continue;
		reading->step->status = i;
		return scan_must_end(scan);
	}
	return scan_mistake(scan, "status is good, check or any, not \"%.40s\"", scan->at);
}

static bool scan_hex_byte(struct scan *scan, uint8_t *byte)
{
	uint64_t number;

	if (!scan_hex(scan, 2, &number) && !scan_hex(scan, 1, &number))
		return false;
	*byte = (uint8_t)number;
	return true;
}

static bool key_sense(struct reading *reading, struct scan *scan)
{
	struct step *step = reading->step;

	if (!scan_hex_byte(scan, &step->key) || step->key > 15 || !scan_mark(scan, "/") ||
		!scan_hex_byte(scan, &step->asc) || !scan_mark(scan, "/") ||
		!scan_hex_byte(scan, &step->ascq))
		return scan_mistake(scan, "sense is KEY/ASC/ASCQ in hexadecimal digits");
	step->has_sense = true;
	return scan_must_end(scan);
}

static bool key_expect(struct reading *reading, struct scan *scan)
{
	struct step *step = reading->step;

	while (!scan_end(scan)) {
		struct match *match = reading_push(
			reading, &step->expect, step->n_expects, sizeof(*step->expect));

		if (!match || !match_read(scan, ",", match))
			return false;
		step->n_expects++;
		scan_mark(scan, ",");
	}
	return step->n_expects > 0 || scan_mistake(scan, "expects nothing");
}

static bool key_until(struct reading *reading, struct scan *scan)
{
	return match_read(scan, "", &reading->step->until) && scan_must_end(scan);
}

static bool key_every(struct reading *reading, struct scan *scan)
{
	return scan_limited(scan, "milliseconds", 0, PAUSE_MAX, &reading->step->every_ms) &&
	       scan_must_end(scan);
}

static bool key_tries(struct reading *reading, struct scan *scan)
{
	return scan_limited(scan, "a number of tries", 1, TIMES_MAX, &reading->step->tries) &&
	       scan_must_end(scan);
}

static bool key_delay(struct reading *reading, struct scan *scan)
{
	return scan_limited(scan, "milliseconds", 0, PAUSE_MAX, &reading->step->delay_ms) &&
	       scan_must_end(scan);
}

static bool key_timeout(struct reading *reading, struct scan *scan)
{
	return scan_limited(scan, "seconds", 1, SECONDS_MAX, &reading->step->timeout_s) &&
	       scan_must_end(scan);
}

static bool key_layout(struct reading *reading, struct scan *scan)
{
	reading->step->layout_line = scan_line(scan);
	return scan_name(scan, "the name of a layout", &reading->step->layout_name) &&
	       scan_must_end(scan);
}

static bool key_length(struct reading *reading, struct scan *scan)
{
	(void)reading;
	return length_take(scan);
}

/* --- the table --- */

enum {
	IN_FAMILY = 1 << SECTION_FAMILY,
	IN_COMMAND = 1 << SECTION_COMMAND,
	IN_STEP = 1 << SECTION_COMMAND | 1 << SECTION_STEP | 1 << SECTION_FINALLY,
	IN_LAYOUT = 1 << SECTION_LAYOUT,
};

static const struct key {
	const char *name;
	int sections;
	key_fn *take;
} keys[] = {
	{"name", IN_FAMILY, key_name},
	{"title", IN_FAMILY, key_title},
	{"source", IN_FAMILY | IN_COMMAND, key_source},
	{"drives", IN_FAMILY | IN_COMMAND, key_drives},
	{"inquiry", IN_FAMILY | IN_COMMAND, key_inquiry},
	{"transports", IN_FAMILY | IN_COMMAND, key_transports},
	{"confirm", IN_FAMILY | IN_COMMAND, key_confirm},
	{"about", IN_COMMAND, key_about},
	{"safety", IN_COMMAND, key_safety},
	{"atomic", IN_COMMAND, key_atomic},
	{"redirects", IN_COMMAND, key_redirects},
	{"cdb", IN_STEP, key_cdb},
	{"in", IN_STEP, key_in},
	{"out", IN_STEP, key_out},
	{"status", IN_STEP, key_status},
	{"sense", IN_STEP, key_sense},
	{"expect", IN_STEP, key_expect},
	{"until", IN_STEP, key_until},
	{"every", IN_STEP, key_every},
	{"tries", IN_STEP, key_tries},
	{"delay", IN_STEP, key_delay},
	{"timeout", IN_STEP, key_timeout},
	{"layout", IN_STEP, key_layout},
	{"length", IN_STEP | IN_LAYOUT, key_length},
};

/* A second one of the same name in this section. */
static bool seen_before(struct reading *reading, struct scan *scan)
{
	const char *key;

	for (size_t i = 0; i < reading->n_seen; i++) {
		if (strcmp(reading->seen[i], reading->key) == 0)
			return !scan_mistake(scan, "%.60s is there twice", reading->key);
	}
	if (reading->n_seen == SECTION_KEYS)
		return !scan_mistake(scan, "more than %d keys in one section", SECTION_KEYS);
	key = arena_text(reading->arena, reading->key, strlen(reading->key));
	reading->no_memory |= key == NULL;
	if (key)
		reading->seen[reading->n_seen++] = key;
	return false;
}

/* What is behind PREFIX in the key, if the section may have such keys. */
static const char *behind(const struct reading *reading, const char *prefix, int sections)
{
	size_t len = strlen(prefix);

	if (strncmp(reading->key, prefix, len) != 0 || !(sections & 1 << reading->section))
		return NULL;
	return reading->key + len;
}

static bool take_named(struct reading *reading, struct scan *scan)
{
	const char *name;

	if ((name = behind(reading, "arg.", IN_COMMAND)))
		argument_take(reading, scan, name);
	else if ((name = behind(reading, "field.", IN_STEP | IN_LAYOUT)))
		field_take(reading, scan, name);
	else if ((name = behind(reading, "table.", IN_STEP | IN_LAYOUT)))
		table_take(reading, scan, name);
	else
		return false;
	return true;
}

void key_take(struct reading *reading)
{
	struct scan scan = {reading, reading->value};

	if (seen_before(reading, &scan) || take_named(reading, &scan))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].name, reading->key) != 0)
			continue;
		if (keys[i].sections & 1 << reading->section)
			keys[i].take(reading, &scan);
		else
			scan_mistake(&scan, "%s is no key of this section", reading->key);
		return;
	}
	scan_mistake(&scan, "there is no key %.60s", reading->key);
}
