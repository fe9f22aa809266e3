/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive that answers from a transcript (transcript.h).  A command is known by its CDB, direction
 * and length: the first answer to it that was not given yet is given, the last one again when all
 * have been. What was never asked is refused.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "transport/transcript.h"

struct replay {
	struct transport transport;
	pthread_mutex_t lock;
	struct transcript_entry *entry;
	bool *used;
	size_t n, room, used_room;
};

static bool is_asked(const struct transcript_entry *entry, const struct command *command)
{
	return entry->cdb_len == command->cdb_len && entry->direction == command->direction &&
	       entry->data_len == command->data_len &&
	       memcmp(entry->cdb, command->cdb, command->cdb_len) == 0;
}

static const struct transcript_entry *replay_find(
	struct replay *replay, const struct command *command)
{
	const struct transcript_entry *last = NULL;

	for (size_t i = 0; i < replay->n; i++) {
		if (!is_asked(&replay->entry[i], command))
			continue;
		last = &replay->entry[i];
		if (!replay->used[i]) {
			replay->used[i] = true;
			break;
		}
	}
	return last;
}

static int replay_refuse(const struct command *command, struct err *err)
{
	char text[3 * 16 + 1] = "";

	for (size_t i = 0; i < command->cdb_len && i < 16; i++)
		snprintf(text + 3 * i, 4, "%02X ", command->cdb[i]);
	return err_set(err, ERR_OTHER, "the transcript has no command %s(%zu bytes%s)", text,
		command->data_len, command->direction == TRANSFER_OUT ? " out" : "");
}

static void replay_give(
	const struct transcript_entry *entry, const struct command *command, struct reply *reply)
{
	*reply = entry->reply;
	if (command->direction != TRANSFER_IN)
		return;
	if (entry->data)
		memcpy(command->data, entry->data, reply->moved);
	else
		memset(command->data, 0, reply->moved);
}

static int replay_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct replay *replay = (struct replay *)transport;
	const struct transcript_entry *entry;

	pthread_mutex_lock(&replay->lock);
	entry = replay_find(replay, command);
	pthread_mutex_unlock(&replay->lock);
	if (!entry)
		return replay_refuse(command, err);
	replay_give(entry, command, reply);
	if (reply->outcome == OUTCOME_DONE)
		return 0;
	return err_set(err, reply->outcome == OUTCOME_GONE ? ERR_GONE : ERR_OTHER,
		"the transcript says: %s", outcome_name(reply->outcome));
}

static void replay_close(struct transport *transport)
{
	struct replay *replay = (struct replay *)transport;

	for (size_t i = 0; i < replay->n; i++)
		free(replay->entry[i].data);
	free(replay->entry);
	free(replay->used);
	pthread_mutex_destroy(&replay->lock);
	free(replay);
}

static const struct transport_ops transport_replay = {
	.name = "replay",
	.exec = replay_exec,
	.close = replay_close,
};

/* "transfer=N cdb=N depth=N" */
static int replay_take_limits(struct replay *replay, char *text, struct err *err)
{
	struct transport *transport = &replay->transport;
	char *rest = text;

	while (rest) {
		char *value = strsep(&rest, " ");
		char *key = strsep(&value, "=");
		uint64_t number;

		if (!value || !text_number(value, &number) || number == 0)
			return err_set(err, ERR_USAGE, "its limits are none");
		if (strcmp(key, "transfer") == 0)
			transport->max_transfer_bytes = mem_min_u64(number, 64u << 20);
		else if (strcmp(key, "cdb") == 0)
			transport->max_cdb_len = mem_min_u64(number, TRANSPORT_CDB_MAX);
	}
	return 0;
}

static int replay_take_entry(struct replay *replay, char *line, struct err *err)
{
	if (mem_grow(&replay->entry, replay->n, &replay->room, sizeof(*replay->entry)) != 0 ||
		mem_grow(&replay->used, replay->n, &replay->used_room, sizeof(*replay->used)) != 0)
		return err_memory(err, "for a transcript");
	if (transcript_parse(line, &replay->entry[replay->n], err) != 0)
		return -1;
	replay->used[replay->n++] = false;
	return 0;
}

static int replay_take_line(struct replay *replay, size_t number, char *line, struct err *err)
{
	line[strcspn(line, "\n")] = '\0';
	if (number == 1)
		return strcmp(line, TRANSCRIPT_HEAD) == 0
			       ? 0
			       : err_set(err, ERR_USAGE, "it is no transcript of this version");
	if (strncmp(line, "limits ", 7) == 0)
		return replay_take_limits(replay, line + 7, err);
	if (strncmp(line, "cdb=", 4) == 0)
		return replay_take_entry(replay, line, err);
	/* The drive's line, comments, and what later versions add. */
	return 0;
}

static int replay_load(struct replay *replay, const char *path, struct err *err)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t room = 0, number = 0;

	if (!file)
		return err_sys(err, errno, "cannot read the transcript %s", path);
	while (getline(&line, &room, file) > 0) {
		if (replay_take_line(replay, ++number, line, err) != 0)
			return err_prefix(err, "transcript %s, line %zu: ", path, number);
	}
	if (replay->n > 0)
		return 0;
	return err_set(err, ERR_USAGE, "the transcript %s has no commands", path);
}

struct transport *transport_replay_open(const char *file, struct err *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay) {
		err_memory(err, "for a transcript");
		return NULL;
	}
	pthread_mutex_init(&replay->lock, NULL);
	replay->transport.ops = &transport_replay;
	replay->transport.max_transfer_bytes = 1u << 20;
	replay->transport.max_cdb_len = TRANSPORT_CDB_MAX;
	replay->transport.depth = 1;
	if (replay_load(replay, file, err) != 0) {
		replay_close(&replay->transport);
		return NULL;
	}
	return &replay->transport;
}
