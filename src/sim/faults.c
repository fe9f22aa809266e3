/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas where a simulated drive misbehaves: see faults.h. */
#include "sim/faults.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* What may stand behind the area, after a colon. */
static const struct {
	const char *word;
	enum fault_kind kind;
	size_t flag; /* offset in struct fault */
} words[] = {
	{"nolba", FAULT_BAD, offsetof(struct fault, no_lba)},
	{"nodata", FAULT_BAD, offsetof(struct fault, no_data)},
	{"junk", FAULT_BAD, offsetof(struct fault, junk)},
	{"descriptor", FAULT_BAD, offsetof(struct fault, descriptor)},
	{"deaf", FAULT_HANG, offsetof(struct fault, deaf)},
};

static int bad_area(const char *text, struct err *err)
{
	return err_set(err, ERR_USAGE, "\"%s\" is no area: a block number or FIRST-LAST", text);
}

int faults_parse_area(char *text, uint64_t *first, uint64_t *last, struct err *err)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash = '\0';
	if (!text_number(text, first))
		return bad_area(text, err);
	*last = *first;
	if (!dash)
		return 0;
	if (!text_number(dash + 1, last))
		return bad_area(dash + 1, err);
	if (*last < *first)
		return err_set(
			err, ERR_USAGE, "the area %s-%s ends before it begins", text, dash + 1);
	return 0;
}

static int faults_parse_word(struct fault *fault, const char *word, struct err *err)
{
	char allowed[100] = "nothing";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].kind != fault->kind)
			continue;
		if (strcmp(words[i].word, word) == 0) {
			*(bool *)((char *)fault + words[i].flag) = true;
			return 0;
		}
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
			used > 0 ? ", " : "", words[i].word);
	}
	return err_set(
		err, ERR_USAGE, "\"%s\" cannot stand behind the area, only %s", word, allowed);
}

/* The number that must stand behind the area of a slow or healing one. */
static int parse_count(uint64_t *count, char **rest, const char *what, struct err *err)
{
	const char *word = strsep(rest, ":");

	if (!word)
		return err_set(
			err, ERR_USAGE, "behind the area, a colon and the %s are missing", what);
	if (!text_number(word, count))
		return err_set(err, ERR_USAGE, "\"%s\" is no number of %s", word, what);
	return 0;
}

int faults_add(
	struct faults *faults, enum fault_kind kind, bool heals, const char *text, struct err *err)
{
	struct fault fault = {.kind = kind, .failures = UINT64_MAX};
	cleanup_free char *copy = strdup(text);
	char *rest = copy;

	if (!copy || mem_grow(&faults->fault, faults->n, &faults->room, sizeof(fault)) != 0)
		return err_memory(err, "for an area");
	if (faults_parse_area(strsep(&rest, ":"), &fault.first, &fault.last, err) != 0)
		return -1;
	if (heals && parse_count(&fault.failures, &rest, "failures", err) != 0)
		return -1;
	if (kind == FAULT_SLOW && parse_count(&fault.delay_ms, &rest, "milliseconds", err) != 0)
		return -1;
	while (rest) {
		if (faults_parse_word(&fault, strsep(&rest, ":"), err) != 0)
			return -1;
	}
	faults->fault[faults->n++] = fault;
	return 0;
}

int faults_add_defect(struct faults *faults, uint64_t first, uint64_t last, struct err *err)
{
	struct defect *before = faults->n_defects ? &faults->defect[faults->n_defects - 1] : NULL;

	if (before && first <= before->last + 1) {
		before->last = mem_max_u64(before->last, last);
		return 0;
	}
	if (mem_grow(&faults->defect, faults->n_defects, &faults->defects_room,
		    sizeof(*faults->defect)) != 0)
		return err_memory(err, "for defects");
	faults->defect[faults->n_defects++] = (struct defect){first, last};
	return 0;
}

/* The first sector from LBA on that is among the defects; UINT64_MAX when there is none. */
static uint64_t next_defect(const struct faults *faults, uint64_t lba)
{
	size_t low = 0, high = faults->n_defects;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (faults->defect[middle].last < lba)
			low = middle + 1;
		else
			high = middle;
	}
	return low < faults->n_defects ? mem_max_u64(faults->defect[low].first, lba) : UINT64_MAX;
}

static bool stops(const struct fault *fault)
{
	return fault->kind == FAULT_HANG || (fault->kind == FAULT_BAD && fault->failures > 0);
}

struct fault_meeting faults_meet(struct faults *faults, uint64_t lba, uint64_t n)
{
	static const struct fault defect = {.kind = FAULT_BAD, .failures = UINT64_MAX};
	struct fault_meeting met = {
		.stop_lba = next_defect(faults, lba), .recovered_lba = UINT64_MAX};
	struct fault *stop = NULL;

	if (met.stop_lba > lba + (n - 1))
		met.stop_lba = UINT64_MAX;
	else
		met.stop = &defect;

	for (size_t i = 0; i < faults->n; i++) {
		struct fault *fault = &faults->fault[i];
		uint64_t at = mem_max_u64(fault->first, lba);

		if (fault->last < lba || fault->first > lba + (n - 1))
			continue;
		if (stops(fault) && at < met.stop_lba) {
			stop = fault;
			met.stop_lba = at;
		} else if (fault->kind == FAULT_RECOVERED && at < met.recovered_lba) {
			met.recovered = fault;
			met.recovered_lba = at;
		} else if (fault->kind == FAULT_SLOW) {
			met.delay_ms += fault->delay_ms;
		}
	}
	if (stop)
		met.stop = stop;
	if (stop && stop->kind == FAULT_BAD && stop->failures != UINT64_MAX)
		stop->failures--;
	if (met.recovered_lba > met.stop_lba)
		met.recovered = NULL;
	return met;
}

uint64_t faults_highest(const struct faults *faults)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < faults->n; i++)
		highest = mem_max_u64(highest, faults->fault[i].last);
	if (faults->n_defects > 0)
		highest = mem_max_u64(highest, faults->defect[faults->n_defects - 1].last);
	return highest;
}

void faults_free(struct faults *faults)
{
	free(faults->fault);
	free(faults->defect);
	*faults = (struct faults){0};
}
