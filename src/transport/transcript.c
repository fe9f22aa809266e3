/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading lines of a transcript: see transcript.h.  Everything in it is hostile until checked. */
#include "transport/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/errnum.h"
#include "base/mem.h"
#include "base/text.h"

#define DATA_MOST (64u << 20)

const char *const transcript_outcome[TRANSCRIPT_OUTCOMES] = {
	"done", "not-sent", "timed-out", "aborted", "broken", "gone", "host-error"};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs of hex digits, at most ROOM bytes; -1 when they are not. */
static int parse_hex(const char *text, uint8_t *out, size_t room, size_t *len)
{
	size_t n = strlen(text) / 2;

	if (strlen(text) % 2 != 0 || n > room)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	*len = n;
	return 0;
}

static int transcript_parse_number(const char *text, uint64_t most, uint64_t *value)
{
	return text_number(text, value) && *value <= most ? 0 : -1;
}

static int transcript_parse_word(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], text) == 0)
			return (int)i;
	}
	return -1;
}

static int parse_direction(const char *text, struct transcript_entry *entry)
{
	static const char *const words[] = {"none", "in", "out"};
	int word = transcript_parse_word(text, words, 3);

	entry->direction = (enum transfer_direction)word;
	return word < 0 ? -1 : 0;
}

static int parse_outcome(const char *text, struct transcript_entry *entry)
{
	int word = transcript_parse_word(text, transcript_outcome, TRANSCRIPT_OUTCOMES);

	entry->reply.outcome = (enum outcome)word;
	return word < 0 ? -1 : 0;
}

/* A name that this version does not know is an error all the same. */
static int parse_errno(const char *text, struct transcript_entry *entry)
{
	int known = errnum_host_of_name(text);

	entry->reply.host_errno = known ? known : ERRNUM_HOST_OTHER;
	return text[0] == 'E' ? 0 : -1;
}

static int parse_data(const char *text, struct transcript_entry *entry)
{
	size_t len = strlen(text) / 2;

	if (strcmp(text, "-") == 0 || text[0] == '\0')
		return 0;
	if (entry->data || len > DATA_MOST)
		return -1;
	entry->data = malloc(len ? len : 1);
	if (!entry->data || parse_hex(text, entry->data, len, &len) != 0)
		return -1;
	return len == entry->reply.moved ? 0 : -1;
}

/* One "KEY=VALUE"; unknown keys are left for later versions. */
static int parse_field(const char *key, const char *value, struct transcript_entry *entry)
{
	struct reply *reply = &entry->reply;
	uint64_t number = 0;
	uint8_t status[1];
	size_t len;
	int r = 0;

	if (strcmp(key, "cdb") == 0) {
		r = parse_hex(value, entry->cdb, sizeof(entry->cdb), &entry->cdb_len);
	} else if (strcmp(key, "dir") == 0) {
		r = parse_direction(value, entry);
	} else if (strcmp(key, "len") == 0) {
		r = transcript_parse_number(value, DATA_MOST, &number);
		entry->data_len = number;
	} else if (strcmp(key, "outcome") == 0) {
		r = parse_outcome(value, entry);
	} else if (strcmp(key, "errno") == 0) {
		r = parse_errno(value, entry);
	} else if (strcmp(key, "status") == 0) {
		r = parse_hex(value, status, 1, &len) != 0 || len != 1 ? -1 : 0;
		reply->status = status[0];
	} else if (strcmp(key, "moved") == 0) {
		r = transcript_parse_number(value, entry->data_len, &number);
		reply->moved = number;
	} else if (strcmp(key, "epoch") == 0) {
		r = transcript_parse_number(value, UINT32_MAX, &number);
		reply->reset_epoch = (uint32_t)number;
	} else if (strcmp(key, "sense") == 0) {
		r = parse_hex(value, reply->sense, sizeof(reply->sense), &reply->sense_len);
	} else if (strcmp(key, "data") == 0) {
		r = parse_data(value, entry);
	}
	return r;
}

int transcript_parse(char *line, struct transcript_entry *entry, struct err *err)
{
	char *rest = line;

	memset(entry, 0, sizeof(*entry));
	while (rest) {
		char *value = strsep(&rest, " ");
		char *key = strsep(&value, "=");

		if (key[0] == '\0' && !value)
			continue;
		if (!value || !key[0] || parse_field(key, value, entry) != 0) {
			free(entry->data);
			return err_set(
				err, ERR_USAGE, "its field \"%.40s\" is none, or wrong", key);
		}
	}
	if (entry->cdb_len > 0 && (entry->direction == TRANSFER_NONE) == (entry->data_len == 0))
		return 0;
	free(entry->data);
	return err_set(err, ERR_USAGE, "it has no CDB, or a length that contradicts its direction");
}
