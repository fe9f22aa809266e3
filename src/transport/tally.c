/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts every command that passes, and digests their CDBs: see transport.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "transport/transport.h"

#define OPCODE_VARIABLE		    0x7f
#define ASC_MEDIUM_MAY_HAVE_CHANGED 0x28

struct tally {
	struct transport transport;
	struct transport *inner;
	pthread_mutex_t lock;
	EVP_MD_CTX *digest;
	uint64_t plain[256];		/* by opcode */
	uint64_t actions[256][32];	/* of opcodes with a service action */
	uint64_t own[256];		/* that the transport below has sent by itself */
	uint64_t attentions, not_ready; /* what was heard of the medium */

	/* The CDBs in order, each behind its length, for whoever takes this tally over. */
	bool remembers;
	uint8_t *cdbs;
	size_t cdbs_len, cdbs_room;
};

/* SPC-5 table 41: opcodes whose byte 1 has a service action in its low five bits. */
static bool has_service_action(uint8_t opcode)
{
	static const uint8_t opcodes[] = {
		0x5e, 0x5f, 0x83, 0x84, 0x9b, 0x9d, 0x9e, 0x9f, 0xa3, 0xa4, 0xa9, 0xab};

	return memchr(opcodes, opcode, sizeof(opcodes)) != NULL;
}

/* With the lock held.  What there is no memory for is not remembered: the tally of a drive that is
 * only looked at is short. */
static void tally_keep(struct tally *tally, const uint8_t *cdb, uint8_t len)
{
	for (size_t i = 0; i <= len && tally->remembers; i++) {
		if (mem_grow(&tally->cdbs, tally->cdbs_len, &tally->cdbs_room, 1) < 0)
			tally->remembers = false;
		else
			tally->cdbs[tally->cdbs_len++] = i == 0 ? len : cdb[i - 1];
	}
}

/* With the lock held. */
static void tally_count(struct tally *tally, const uint8_t *cdb, uint8_t len)
{
	uint8_t opcode = cdb[0];

	if (has_service_action(opcode) && len > 1)
		tally->actions[opcode][cdb[1] & 0x1f]++;
	else if (opcode == OPCODE_VARIABLE && len > 9)
		tally->actions[opcode][get_be16(cdb + 8) & 0x1f]++;
	else
		tally->plain[opcode]++;
	EVP_DigestUpdate(tally->digest, &len, 1);
	EVP_DigestUpdate(tally->digest, cdb, len);
	tally_keep(tally, cdb, len);
}

/* The sense key and the additional sense code of either form (SPC-5 §4.4). */
static bool read_sense(const struct reply *reply, uint8_t *key, uint8_t *asc)
{
	const uint8_t *sense = reply->sense;
	bool descriptor;

	if (reply->outcome != OUTCOME_DONE || reply->status != SCSI_STATUS_CHECK_CONDITION ||
		reply->sense_len < SENSE_DESC_HEAD)
		return false;
	descriptor = (sense[SENSE_CODE] & 0x7f) >= SENSE_CODE_DESC;
	if (!descriptor && reply->sense_len <= SENSE_FIXED_ASC)
		return false;
	*key = sense[descriptor ? SENSE_DESC_KEY : SENSE_FIXED_KEY] & 0x0f;
	*asc = sense[descriptor ? SENSE_DESC_ASC : SENSE_FIXED_ASC];
	return true;
}

/* With the lock held: has the drive said something of its medium? */
static void tally_listen(struct tally *tally, const struct reply *reply)
{
	uint8_t key, asc;

	if (!read_sense(reply, &key, &asc))
		return;
	tally->attentions += key == SCSI_KEY_UNIT_ATTENTION && asc == ASC_MEDIUM_MAY_HAVE_CHANGED;
	tally->not_ready += key == SCSI_KEY_NOT_READY;
}

static int tally_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct tally *tally = (struct tally *)transport;
	int r;

	pthread_mutex_lock(&tally->lock);
	tally_count(tally, command->cdb, (uint8_t)command->cdb_len);
	pthread_mutex_unlock(&tally->lock);
	r = transport_exec(tally->inner, command, reply, err);
	pthread_mutex_lock(&tally->lock);
	tally_listen(tally, reply);
	pthread_mutex_unlock(&tally->lock);
	return r;
}

static void count_own(void *context, const uint8_t *cdb)
{
	struct tally *tally = context;

	pthread_mutex_lock(&tally->lock);
	tally->own[cdb[0]]++;
	pthread_mutex_unlock(&tally->lock);
}

void transport_tally_listen(struct transport *transport, struct transport *carrier)
{
	carrier->own_command = transport ? count_own : NULL;
	carrier->own_context = transport;
}

void transport_tally_remember(struct transport *transport)
{
	((struct tally *)transport)->remembers = true;
}

void transport_tally_absorb(struct transport *transport, struct transport *other)
{
	struct tally *tally = (struct tally *)transport;
	const struct tally *from = (const struct tally *)other;

	pthread_mutex_lock(&tally->lock);
	for (size_t i = 0; i < from->cdbs_len; i += 1u + from->cdbs[i])
		tally_count(tally, from->cdbs + i + 1, from->cdbs[i]);
	for (unsigned int opcode = 0; opcode < 256; opcode++)
		tally->own[opcode] += from->own[opcode];
	pthread_mutex_unlock(&tally->lock);
}

uint64_t transport_tally_medium_words(struct transport *transport, bool not_ready)
{
	struct tally *tally = (struct tally *)transport;
	uint64_t n;

	pthread_mutex_lock(&tally->lock);
	n = tally->attentions + (not_ready ? tally->not_ready : 0);
	pthread_mutex_unlock(&tally->lock);
	return n;
}

static void tally_close(struct transport *transport)
{
	struct tally *tally = (struct tally *)transport;

	transport_close(tally->inner);
	EVP_MD_CTX_free(tally->digest);
	free(tally->cdbs);
	pthread_mutex_destroy(&tally->lock);
	free(tally);
}

static const struct transport_ops transport_tally = {
	.name = "tally",
	.exec = tally_exec,
	.close = tally_close,
};

static void add_row(struct tally_row *row, size_t room, size_t *n, unsigned int opcode,
	unsigned int action, uint64_t commands)
{
	if (commands > 0 && *n < room)
		row[(*n)++] = (struct tally_row){(uint8_t)opcode, (uint8_t)action, commands};
}

size_t transport_tally_read(
	struct transport *transport, struct tally_row *row, size_t room, uint8_t sha256[32])
{
	struct tally *tally = (struct tally *)transport;
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	size_t n = 0;

	memset(sha256, 0, 32);
	pthread_mutex_lock(&tally->lock);
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		add_row(row, room, &n, opcode, 0, tally->plain[opcode] + tally->own[opcode]);
		for (unsigned int action = 0; action < 32; action++)
			add_row(row, room, &n, opcode, action, tally->actions[opcode][action]);
	}
	if (copy && EVP_MD_CTX_copy_ex(copy, tally->digest))
		EVP_DigestFinal_ex(copy, sha256, NULL);
	pthread_mutex_unlock(&tally->lock);
	EVP_MD_CTX_free(copy);
	return n;
}

struct transport *transport_tally_new(struct transport *inner, struct err *err)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (tally)
		tally->digest = EVP_MD_CTX_new();
	if (!tally || !tally->digest || !EVP_DigestInit_ex(tally->digest, EVP_sha256(), NULL)) {
		if (tally)
			EVP_MD_CTX_free(tally->digest);
		free(tally);
		err_memory(err, "opening the drive");
		return NULL;
	}
	pthread_mutex_init(&tally->lock, NULL);
	tally->transport = *inner;
	tally->transport.ops = &transport_tally;
	tally->inner = inner;
	return &tally->transport;
}
