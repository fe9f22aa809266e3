/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a capture reads, without what it does with the sectors: the passes over a drive as in
 * umsctl capture, into a sink that keeps nothing.
 *
 *     readrate [-r ROUTE] [-d] [-t BYTES] [-q DEPTH] DEVICE
 *
 * -d detaches the kernel's driver; -t and -q lower the size of a READ and how many may be under way
 * (0: no reading ahead) below what the route offers.  Prints one line of key=value.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "capture/capture.h"
#include "device/device.h"

#define SLOT_BYTES (1u << 20) /* of an image's runs */
#define MOST_OPEN  8
#define MOST_ROWS  64

struct null_sink {
	struct capture_sink sink;
	struct blockmap *map;
	uint8_t *slots; /* the room of those that are open, one behind the other */
};

struct options {
	struct device_options device;
	uint64_t transfer_bytes, depth; /* UINT64_MAX: what the route offers */
	const char *name;
};

static void *null_reserve(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	(void)n, (void)err;
	return ((struct null_sink *)sink)->slots +
	       lba % ((uint64_t)sink->slot_blocks * MOST_OPEN) * sink->block_bytes;
}

static int set(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	if (blockmap_set(((struct null_sink *)sink)->map, lba, n, state, why) < 0)
		return err_memory(err, "for the block map");
	return 0;
}

static int null_commit(struct capture_sink *sink, uint64_t lba, uint32_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	return set(sink, lba, n, state, why, err);
}

static int null_journal(struct capture_sink *sink, const char *json, struct err *err)
{
	(void)sink, (void)json, (void)err;
	return 0;
}

static int null_blob(
	struct capture_sink *sink, const char *name, const void *bytes, size_t len, struct err *err)
{
	(void)sink, (void)name, (void)bytes, (void)len, (void)err;
	return 0;
}

static int null_checkpoint(
	struct capture_sink *sink, uint32_t pass, uint64_t position, bool all, struct err *err)
{
	(void)sink, (void)pass, (void)position, (void)all, (void)err;
	return 0;
}

static int null_release(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	(void)sink, (void)lba, (void)n, (void)err;
	return 0;
}

static bool null_under_way(struct capture_sink *sink)
{
	(void)sink;
	return false;
}

static int null_read_back(
	struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err)
{
	(void)sink, (void)lba, (void)n, (void)data;
	return err_set(err, ERR_OTHER, "nothing is kept that could be read back");
}

static const struct capture_sink_ops null_sink_ops = {
	.reserve = null_reserve,
	.commit = null_commit,
	.release = null_release,
	.mark = set,
	.journal = null_journal,
	.blob = null_blob,
	.checkpoint = null_checkpoint,
	.under_way = null_under_way,
	.read_back = null_read_back,
};

static int parse(int argc, char **argv, struct options *options)
{
	int c;

	while ((c = getopt(argc, argv, "r:dt:q:")) != -1) {
		bool good = c == 'd';

		options->device.detach |= good;
		if (c == 'r')
			good = route_parse(optarg, &options->device.route);
		else if (c == 't')
			good = text_number(optarg, &options->transfer_bytes);
		else if (c == 'q')
			good = text_number(optarg, &options->depth);
		if (!good)
			return -1;
	}
	options->name = argv[optind];
	return optind + 1 == argc ? 0 : -1;
}

/* Only ever below what the route can do. */
static void limit(struct transport *transport, const struct options *options)
{
	transport->max_transfer_bytes =
		mem_min_u64(transport->max_transfer_bytes, options->transfer_bytes);
	transport->depth = (unsigned int)mem_min_u64(transport->depth, options->depth);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The READs among what has passed, and the rest. */
static void count(const struct device *device, uint64_t *reads, uint64_t *others)
{
	struct tally_row row[MOST_ROWS];
	uint8_t sha256[32];
	size_t n = device->tally ? transport_tally_read(device->tally, row, MOST_ROWS, sha256) : 0;

	*reads = *others = 0;
	for (size_t i = 0; i < n; i++) {
		bool read = row[i].opcode == SCSI_READ_10 || row[i].opcode == SCSI_READ_16;

		*(read ? reads : others) += row[i].commands;
	}
}

static int measure(struct device *device, struct null_sink *sink, struct err *err)
{
	struct capture_result result;
	const struct capture_options options = {.n_blocks = 0};
	uint64_t began = clock_now_ns(), reads, others, bytes;
	struct rusage before, after;
	enum capture_end end;
	double took;

	getrusage(RUSAGE_SELF, &before);
	end = capture_run(device, &sink->sink, &options, NULL, &result, err);
	took = (double)(clock_now_ns() - began) / 1e9;
	getrusage(RUSAGE_SELF, &after);
	/* A rate of reads that failed would be of something else. */
	if (end == CAPTURE_UNREADABLE)
		return err_set(err, ERR_OTHER, "not all of %s could be read", device->name);
	if (end != CAPTURE_COMPLETE)
		return -1;
	bytes = blockmap_count(sink->map, BLOCK_HAVE) * device->capacity.block_bytes;
	count(device, &reads, &others);
	printf("route=%s bytes=%" PRIu64 " seconds=%.3f mib_s=%.1f reads=%" PRIu64
	       " others=%" PRIu64 " transfer=%zu depth=%u user=%.3f system=%.3f\n",
		route_name(device->route), bytes, took, (double)bytes / took / (1 << 20), reads,
		others, device->transport->max_transfer_bytes, device->transport->depth,
		seconds(after.ru_utime) - seconds(before.ru_utime),
		seconds(after.ru_stime) - seconds(before.ru_stime));
	return 0;
}

static int run(struct device *device, struct err *err)
{
	uint32_t block_bytes = device->capacity.block_bytes;
	struct null_sink sink = {
		.sink = {.ops = &null_sink_ops,
			.block_bytes = block_bytes,
			.slot_blocks = SLOT_BYTES / block_bytes,
			.most_open = MOST_OPEN},
		.map = blockmap_new(device->capacity.n_blocks),
		.slots = mem_page_alloc(MOST_OPEN * SLOT_BYTES),
	};
	int r = -1;

	sink.sink.map = sink.map;
	if (sink.map && sink.slots)
		r = measure(device, &sink, err);
	else
		err_memory(err, "for the sink");
	blockmap_free(sink.map);
	free(sink.slots);
	return r;
}

int main(int argc, char **argv)
{
	struct options options = {.transfer_bytes = UINT64_MAX, .depth = UINT64_MAX};
	struct device *device;
	struct err err;
	int r = -1;

	if (parse(argc, argv, &options) < 0) {
		fprintf(stderr, "usage: readrate [-r ROUTE] [-d] [-t BYTES] [-q DEPTH] DEVICE\n");
		return 1;
	}
	device = device_open(options.name, &options.device, &err);
	if (device) {
		limit(device->transport, &options);
		r = run(device, &err);
	}
	if (r < 0)
		fprintf(stderr, "readrate: %s\n", err.text);
	device_close(device);
	return r < 0;
}
