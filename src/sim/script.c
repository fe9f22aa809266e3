/* SPDX-License-Identifier: BSD-2-Clause */
/* The script of a drive's misdeeds: see script.h. */
#include "sim/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proto/scsi.h"
#include "sim/faults.h"

enum { ON_BOT = 1, ON_UAS = 2, ON_BOTH = ON_BOT | ON_UAS };

static const struct {
	const char *name;
	int on;
	const char *number; /* what the number behind it says; NULL: it takes none */
	const char *about;
} table[MISDEEDS] = {
	[MISDEED_NONE] = {"none", 0, NULL, "keeps the rules"},
	[MISDEED_CASE_2] = {"case-2", ON_BOT, NULL, "has data, the host wants none"},
	[MISDEED_CASE_3] = {"case-3", ON_BOT, NULL, "wants data, the host has none"},
	[MISDEED_CASE_4] = {"case-4", ON_BOT, NULL, "has no data, the host wants some"},
	[MISDEED_CASE_5] = {"case-5", ON_BOT, NULL, "has half of what the host wants"},
	[MISDEED_CASE_7] = {"case-7", ON_BOT, NULL, "has more than the host wants"},
	[MISDEED_CASE_8] = {"case-8", ON_BOT, NULL, "wants data, as the host does"},
	[MISDEED_CASE_9] = {"case-9", ON_BOT, NULL, "wants no data, the host has some"},
	[MISDEED_CASE_10] = {"case-10", ON_BOT, NULL, "has data, as the host has"},
	[MISDEED_CASE_11] = {"case-11", ON_BOT, NULL, "wants half of what the host has"},
	[MISDEED_CASE_13] = {"case-13", ON_BOT, NULL, "wants more than the host has"},
	[MISDEED_STALL_CBW] = {"stall-cbw", ON_BOT, NULL, "halts instead of taking the CBW"},
	[MISDEED_STALL_BEFORE_DATA] = {"stall-before-data", ON_BOT, NULL, "halts before any data"},
	[MISDEED_STALL_IN_DATA] = {"stall-in-data", ON_BOT, NULL, "halts half way through it"},
	[MISDEED_STALL_AFTER_DATA] = {"stall-after-data", ON_BOT, NULL, "halts before the CSW"},
	[MISDEED_STALL_CSW_TWICE] = {"stall-csw-twice", ON_BOT, NULL, "and once more"},
	[MISDEED_CSW_SIGNATURE] = {"csw-signature", ON_BOT, NULL, "CSW with another signature"},
	[MISDEED_CSW_TAG] = {"csw-tag", ON_BOT, NULL, "… with another tag"},
	[MISDEED_CSW_STATUS] = {"csw-status", ON_BOT, NULL, "… with a reserved status"},
	[MISDEED_CSW_SHORT] = {"csw-short", ON_BOT, NULL, "… of 12 bytes"},
	[MISDEED_CSW_LONG] = {"csw-long", ON_BOT, NULL, "… of 14 bytes"},
	[MISDEED_CSW_GARBAGE] = {"csw-garbage", ON_BOT, NULL, "… of noise"},
	[MISDEED_CSW_EMPTY] = {"csw-empty", ON_BOT, NULL, "an empty packet before the CSW"},
	[MISDEED_CSW_LATE] = {"csw-late", ON_BOT, "MS", "the CSW comes later"},
	[MISDEED_CSW_MISSING] = {"csw-missing", ON_BOT, NULL, "… not before a reset"},
	[MISDEED_NO_DATA] = {"no-data", ON_BOT, NULL, "the CSW instead of data, all well"},
	[MISDEED_PHASE_ERROR] = {"phase-error", ON_BOT, NULL, "CSW with phase error"},
	[MISDEED_RESIDUE] = {"residue", ON_BOT, NULL, "says that half of the data did not count"},
	[MISDEED_RESIDUE_HUGE] = {"residue-huge", ON_BOT, NULL, "more than was asked for"},
	[MISDEED_UAS_TAG] = {"uas-tag", ON_UAS, NULL, "SENSE IU with a tag that nobody gave"},
	[MISDEED_UAS_OTHER_TAG] = {"uas-other-tag", ON_UAS, NULL, "… that of another command"},
	[MISDEED_UAS_ID] = {"uas-id", ON_UAS, NULL, "an IU of an unknown kind instead"},
	[MISDEED_UAS_SHORT] = {"uas-short", ON_UAS, NULL, "SENSE IU cut to 8 bytes"},
	[MISDEED_UAS_LENGTH] = {"uas-length", ON_UAS, NULL, "… whose length of sense data lies"},
	[MISDEED_UAS_GARBAGE] = {"uas-garbage", ON_UAS, NULL, "noise instead"},
	[MISDEED_UAS_RESPONSE] = {"uas-response", ON_UAS, "CODE", "RESPONSE IU instead"},
	[MISDEED_UAS_NO_SENSE] = {"uas-no-sense", ON_UAS, NULL, "no SENSE IU"},
	[MISDEED_UAS_NO_READY] = {"uas-no-ready", ON_UAS, NULL, "no READ READY (without streams)"},
	[MISDEED_UAS_NO_DATA] = {"uas-no-data", ON_UAS, NULL, "no data, and all well"},
	[MISDEED_UAS_SHORT_DATA] = {"uas-short-data", ON_UAS, NULL, "half of it, and all well"},
	[MISDEED_UAS_DATA_LATE] = {"uas-data-late", ON_UAS, "MS", "the data come later"},
	[MISDEED_UAS_TWICE] = {"uas-twice", ON_UAS, NULL, "the SENSE IU twice"},
	[MISDEED_UAS_STALL_COMMAND] = {"uas-stall-command", ON_UAS, NULL, "halts the command pipe"},
	[MISDEED_UAS_STALL_STATUS] = {"uas-stall-status", ON_UAS, NULL, "halts the status pipe"},
	[MISDEED_UAS_STALL_DATA] = {"uas-stall-data", ON_UAS, NULL, "halts the data pipe"},
	[MISDEED_UAS_NO_ABORT] = {"uas-no-abort", ON_UAS, NULL, "hangs; ABORT TASK fails"},
	[MISDEED_UAS_NO_RESET] = {"uas-no-reset", ON_UAS, NULL,
		"hangs; LOGICAL UNIT RESET fails as well"},
	[MISDEED_HANG] = {"hang", ON_BOTH, NULL, "does not answer this command"},
	[MISDEED_DEAF] = {"deaf", ON_BOTH, NULL, "nor anything else, until a port reset"},
	[MISDEED_DEAD] = {"dead", ON_BOTH, NULL, "for ever"},
	[MISDEED_DROP] = {"drop", ON_BOTH, "MS",
		"leaves the bus, comes back so much later (0: never)"},
	[MISDEED_SHRINK] = {"shrink", ON_BOTH, NULL, "has half of its capacity from now on"},
};

const char *misdeed_name(enum misdeed misdeed)
{
	return table[misdeed].name;
}

bool misdeed_fits(enum misdeed misdeed, bool uas)
{
	return table[misdeed].on & (uas ? ON_UAS : ON_BOT);
}

const char *misdeed_number(enum misdeed misdeed)
{
	return table[misdeed].number ? table[misdeed].number : "";
}

const char *misdeed_about(enum misdeed misdeed)
{
	return table[misdeed].about;
}

/* The most that the number may be: MS are a day's, CODE is a byte of the RESPONSE IU. */
static uint64_t most_of(enum misdeed misdeed)
{
	return misdeed == MISDEED_UAS_RESPONSE ? UINT8_MAX : 86400000;
}

/* The number behind the name (NULL: none), where one belongs and nowhere else. */
static int script_parse_number(struct script_line *line, const char *number, struct err *err)
{
	const char *name = table[line->misdeed].name;
	const char *wanted = table[line->misdeed].number;
	uint64_t most = most_of(line->misdeed);

	if (!wanted && number)
		return err_set(err, ERR_USAGE, "%s takes no number", name);
	if (wanted && !number)
		return err_set(err, ERR_USAGE, "%s needs a number: %s=%s", name, name, wanted);
	if (wanted && (!text_number(number, &line->number) || line->number > most))
		return err_set(err, ERR_USAGE, "%s: \"%s\" is no number from 0 to %llu", name,
			number, (unsigned long long)most);
	return 0;
}

static int parse_name(struct script_line *line, char *text, struct err *err)
{
	char *number = strchr(text, '=');

	if (number)
		*number++ = '\0';
	for (int m = MISDEED_NONE + 1; m < MISDEEDS; m++) {
		if (strcmp(table[m].name, text) != 0)
			continue;
		line->misdeed = (enum misdeed)m;
		return script_parse_number(line, number, err);
	}
	return err_set(err, ERR_USAGE, "\"%s\" is no misdeed (umsctl help sim lists them)", text);
}

static int parse_opcode(struct script_line *line, const char *text, struct err *err)
{
	if (strlen(text) != 2 || strspn(text, "0123456789abcdefABCDEF") != 2)
		return err_set(err, ERR_USAGE, "\"%s\" is no opcode of two hex digits", text);
	line->first = strtoul(text, NULL, 16);
	return 0;
}

static int parse_from_1(uint64_t *number, const char *text, struct err *err)
{
	if (text_number(text, number) && *number > 0)
		return 0;
	return err_set(err, ERR_USAGE, "\"%s\" is no number from 1 on", text);
}

/* What VALUE says of PLACE, of which there is one at most. */
static int parse_place(
	struct script_line *line, enum script_place place, char *value, struct err *err)
{
	if (line->place != SCRIPT_NEXT)
		return err_set(err, ERR_USAGE, "only one of cmd, lba and op can be said");
	line->place = place;
	switch (place) {
	case SCRIPT_COMMAND:
		return parse_from_1(&line->first, value, err);
	case SCRIPT_LBA:
		return faults_parse_area(value, &line->first, &line->last, err);
	case SCRIPT_OPCODE:
		return parse_opcode(line, value, err);
	case SCRIPT_NEXT:
		break;
	}
	return 0;
}

/* One word behind the name. */
static int script_parse_word(struct script_line *line, char *word, struct err *err)
{
	if (strcmp(word, "always") == 0) {
		line->times = UINT64_MAX;
		return 0;
	}
	if (strncmp(word, "times=", 6) == 0)
		return parse_from_1(&line->times, word + 6, err);
	if (strncmp(word, "cmd=", 4) == 0)
		return parse_place(line, SCRIPT_COMMAND, word + 4, err);
	if (strncmp(word, "lba=", 4) == 0)
		return parse_place(line, SCRIPT_LBA, word + 4, err);
	if (strncmp(word, "op=", 3) == 0)
		return parse_place(line, SCRIPT_OPCODE, word + 3, err);
	return err_set(err, ERR_USAGE,
		"\"%s\" is none of: cmd=N, lba=N, lba=N-N, op=HH, times=N, always", word);
}

int script_add(struct script *script, const char *text, struct err *err)
{
	struct script_line line = {.place = SCRIPT_NEXT, .times = 1};
	cleanup_free char *copy = strdup(text);
	char *rest = copy;

	if (!copy || mem_grow(&script->line, script->n, &script->room, sizeof(line)) != 0)
		return err_memory(err, "for a misdeed");
	if (parse_name(&line, strsep(&rest, ":"), err) != 0)
		return -1;
	while (rest) {
		if (script_parse_word(&line, strsep(&rest, ":"), err) != 0)
			return -1;
	}
	script->line[script->n++] = line;
	return 0;
}

static bool is_here(const struct script *script, const struct script_line *line, uint8_t opcode,
	uint64_t lba, uint64_t n)
{
	switch (line->place) {
	case SCRIPT_NEXT:
		return true;
	case SCRIPT_COMMAND:
		/* Once its number has come, the next ones as long as it has times left. */
		return script->commands >= line->first;
	case SCRIPT_LBA:
		/* LBA and N are the host's: their sum may be too much for 64 bits. */
		return n > 0 && line->last >= lba && (line->first <= lba || line->first - lba < n);
	case SCRIPT_OPCODE:
		return line->first == opcode;
	}
	return false;
}

const struct script_line *script_meet(
	struct script *script, bool uas, const uint8_t *cdb, uint64_t lba, uint64_t n)
{
	if (cdb[0] == SCSI_REQUEST_SENSE)
		return NULL;
	script->commands++;
	for (size_t i = 0; i < script->n; i++) {
		struct script_line *line = &script->line[i];

		if (line->times == 0 || !misdeed_fits(line->misdeed, uas) ||
			!is_here(script, line, cdb[0], lba, n))
			continue;
		if (line->times != UINT64_MAX)
			line->times--;
		return line;
	}
	return NULL;
}

uint64_t script_highest(const struct script *script)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < script->n; i++) {
		if (script->line[i].place == SCRIPT_LBA)
			highest = mem_max_u64(highest, script->line[i].last);
	}
	return highest;
}

void script_free(struct script *script)
{
	free(script->line);
	*script = (struct script){0};
}
