/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transport that misbehaves around another, always the same way for one seed: what a host must
 * live with, without the drive having anything to do with it.  It never says GOOD of data that is
 * not, and never goes wrong twice in a row, so that whoever tries again gets through.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "transport/transport.h"

#define ONE_IN 12

enum fault_way {
	LOSE_ANSWER, /* the command was carried out, its answer is lost */
	LOSE_COMMAND,
	BREAK,
	ABORT, /* a victim of another's reset */
	SHORT, /* GOOD, half of the data */
	ATTENTION,
	ABORTED_COMMAND,
	BUSY,
	NO_SENSE, /* CHECK CONDITION that says nothing */
	WAYS
};

struct fault_transport {
	struct transport transport;
	struct transport *inner;
	pthread_mutex_t lock;
	uint64_t state;
	bool just_did;
	uint32_t resets;
};

/* splitmix64 */
static uint64_t next_random(struct fault_transport *fault)
{
	uint64_t z = fault->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool is_read(uint8_t opcode)
{
	return opcode == SCSI_READ_6 || opcode == SCSI_READ_10 || opcode == SCSI_READ_12 ||
	       opcode == SCSI_READ_16;
}

/* Commands that ask what a drive is go wrong in ways that pass by themselves only: or it would not
 * be opened at all. */
static enum fault_way milder(enum fault_way way)
{
	return way == BREAK || way == ATTENTION ? way : way % 2 ? BUSY : ABORT;
}

/* The way of this command, or WAYS: it is left alone. */
static enum fault_way choose(struct fault_transport *fault, uint8_t opcode)
{
	enum fault_way way = WAYS;

	pthread_mutex_lock(&fault->lock);
	if (fault->just_did)
		fault->just_did = false;
	else if (next_random(fault) % ONE_IN == 0)
		way = (enum fault_way)(next_random(fault) % WAYS);
	if (way != WAYS && !is_read(opcode))
		way = milder(way);
	fault->just_did |= way != WAYS;
	if (way == LOSE_ANSWER || way == LOSE_COMMAND || way == BREAK || way == ABORT)
		fault->resets++;
	pthread_mutex_unlock(&fault->lock);
	return way;
}

static int no_answer(struct reply *reply, enum outcome outcome, struct err *err)
{
	reply->outcome = outcome;
	reply->moved = 0;
	reply->sense_len = 0;
	return err_set(err, ERR_OTHER, "made up by --fault: %s", outcome_name(outcome));
}

static int status(struct reply *reply, uint8_t code, uint8_t key, uint8_t asc)
{
	memset(reply->sense, 0, sizeof(reply->sense));
	reply->outcome = OUTCOME_DONE;
	reply->status = code;
	reply->moved = 0;
	reply->sense_len = key ? SENSE_FIXED_MIN : 0;
	if (key) {
		reply->sense[SENSE_CODE] = SENSE_CODE_FIXED;
		reply->sense[SENSE_FIXED_KEY] = key;
		reply->sense[SENSE_FIXED_LENGTH] = SENSE_FIXED_MIN - SENSE_FIXED_LENGTH - 1;
		reply->sense[SENSE_FIXED_ASC] = asc;
	}
	return 0;
}

/* Data that came with an answer that is no longer GOOD is none. */
static void fault_spoil(const struct command *command)
{
	if (command->direction == TRANSFER_IN)
		memset(command->data, 0xfa, command->data_len);
}

static int go_wrong(struct fault_transport *fault, enum fault_way way,
	const struct command *command, struct reply *reply, struct err *err)
{
	int r;

	switch (way) {
	case LOSE_ANSWER:
		transport_exec(fault->inner, command, reply, NULL);
		fault_spoil(command);
		return no_answer(reply, OUTCOME_TIMED_OUT, err);
	case LOSE_COMMAND:
		return no_answer(reply, OUTCOME_TIMED_OUT, err);
	case BREAK:
		fault_spoil(command);
		return no_answer(reply, OUTCOME_BROKEN, err);
	case ABORT:
		return no_answer(reply, OUTCOME_ABORTED, err);
	case ATTENTION:
		return status(reply, SCSI_STATUS_CHECK_CONDITION, SCSI_KEY_UNIT_ATTENTION, 0x29);
	case ABORTED_COMMAND:
		fault_spoil(command);
		return status(reply, SCSI_STATUS_CHECK_CONDITION, SCSI_KEY_ABORTED_COMMAND, 0x00);
	case BUSY:
		return status(reply, SCSI_STATUS_BUSY, 0, 0);
	case NO_SENSE:
		return status(reply, SCSI_STATUS_CHECK_CONDITION, 0, 0);
	default:
		r = transport_exec(fault->inner, command, reply, err);
		if (r == 0 && reply->status == SCSI_STATUS_GOOD)
			reply->moved /= 2;
		return r;
	}
}

static int fault_exec(struct transport *transport, const struct command *command,
	struct reply *reply, struct err *err)
{
	struct fault_transport *fault = (struct fault_transport *)transport;
	enum fault_way way = choose(fault, command->cdb[0]);
	int r = way == WAYS ? transport_exec(fault->inner, command, reply, err)
			    : go_wrong(fault, way, command, reply, err);

	reply->reset_epoch += fault->resets;
	return r;
}

static void fault_close(struct transport *transport)
{
	struct fault_transport *fault = (struct fault_transport *)transport;

	transport_close(fault->inner);
	pthread_mutex_destroy(&fault->lock);
	free(fault);
}

static const struct transport_ops transport_fault = {
	.name = "fault",
	.exec = fault_exec,
	.close = fault_close,
};

struct transport *transport_fault_new(struct transport *inner, uint64_t seed, struct err *err)
{
	struct fault_transport *fault = calloc(1, sizeof(*fault));

	if (!fault) {
		err_memory(err, "opening the drive");
		return NULL;
	}
	pthread_mutex_init(&fault->lock, NULL);
	fault->transport = *inner;
	fault->transport.ops = &transport_fault;
	fault->inner = inner;
	fault->state = seed;
	return &fault->transport;
}
