/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts every command that passes, and digests their CDBs: see transport.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "transport/transport.h"

#define OPCODE_VARIABLE 0x7f

struct tally {
	struct transport transport;
	struct transport *inner;
	pthread_mutex_t lock;
	EVP_MD_CTX *digest;
	uint64_t plain[256];	   /* by opcode */
	uint64_t actions[256][32]; /* of opcodes with a service action */
};

/* SPC-5 table 41: opcodes whose byte 1 has a service action in its low five bits. */
static bool has_service_action(uint8_t opcode)
{
	static const uint8_t opcodes[] = {
		0x5e, 0x5f, 0x83, 0x84, 0x9b, 0x9d, 0x9e, 0x9f, 0xa3, 0xa4, 0xa9, 0xab};

	return memchr(opcodes, opcode, sizeof(opcodes)) != NULL;
}

static void tally_count(struct tally *tally, const struct command *command)
{
	uint8_t opcode = command->cdb[0], len = (uint8_t)command->cdb_len;
	const uint8_t *cdb = command->cdb;

	pthread_mutex_lock(&tally->lock);
	if (has_service_action(opcode) && command->cdb_len > 1)
		tally->actions[opcode][cdb[1] & 0x1f]++;
	else if (opcode == OPCODE_VARIABLE && command->cdb_len > 9)
		tally->actions[opcode][get_be16(cdb + 8) & 0x1f]++;
	else
		tally->plain[opcode]++;
	EVP_DigestUpdate(tally->digest, &len, 1);
	EVP_DigestUpdate(tally->digest, cdb, command->cdb_len);
	pthread_mutex_unlock(&tally->lock);
}

static int tally_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct tally *tally = (struct tally *)transport;

	tally_count(tally, command);
	return transport_exec(tally->inner, command, reply, err);
}

static void tally_close(struct transport *transport)
{
	struct tally *tally = (struct tally *)transport;

	transport_close(tally->inner);
	EVP_MD_CTX_free(tally->digest);
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
		add_row(row, room, &n, opcode, 0, tally->plain[opcode]);
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
