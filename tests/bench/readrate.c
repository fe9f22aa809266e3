/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a capture reads, with nothing kept of it: readrate ROUTE DEVICE prints MiB per second.
 * The whole way of a capture but for the image: device, route, guard, passes, reading ahead, block
 * map.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "capture/capture.h"

#define SLOT_BYTES (1u << 20)

struct null_sink {
	struct capture_sink sink;
	struct blockmap *map;
	uint8_t *room;
};

static void *null_reserve(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	(void)lba, (void)n, (void)err;
	return ((struct null_sink *)sink)->room;
}

static int null_commit(struct capture_sink *sink, uint64_t lba, uint32_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	(void)err;
	return blockmap_set(((struct null_sink *)sink)->map, lba, n, state, why);
}

static int null_mark(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	(void)err;
	return blockmap_set(((struct null_sink *)sink)->map, lba, n, state, why);
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
	struct capture_sink *sink, uint32_t pass, uint64_t position, struct err *err)
{
	(void)sink, (void)pass, (void)position, (void)err;
	return 0;
}

static int null_read_back(
	struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err)
{
	(void)sink, (void)lba, (void)n, (void)data;
	return err_set(err, ERR_OTHER, "nothing is kept");
}

static const struct capture_sink_ops null_ops = {
	.reserve = null_reserve,
	.commit = null_commit,
	.mark = null_mark,
	.journal = null_journal,
	.blob = null_blob,
	.checkpoint = null_checkpoint,
	.read_back = null_read_back,
};

int main(int argc, char **argv)
{
	static const struct capture_options options;
	struct device_options how = {.detach = true, .live = true};
	struct null_sink null = {.sink.ops = &null_ops};
	struct device *device;
	enum capture_end end;
	struct err err = {0};
	uint64_t began, ns;

	if (argc != 3 || !route_parse(argv[1], &how.route)) {
		fprintf(stderr, "usage: readrate ROUTE DEVICE\n");
		return 1;
	}
	device = device_open(argv[2], &how, &err);
	if (!device) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	null.map = blockmap_new(device->capacity.n_blocks);
	null.room = mem_page_alloc(SLOT_BYTES);
	null.sink.map = null.map;
	null.sink.block_bytes = device->capacity.block_bytes;
	null.sink.slot_blocks = SLOT_BYTES / device->capacity.block_bytes;
	began = clock_now_ns();
	end = capture_run(device, &null.sink, &options, NULL, &err);
	ns = clock_now_ns() - began;
	printf("%.1f\n", (double)device->size_bytes / (1 << 20) / ((double)ns / 1e9));
	device_close(device);
	blockmap_free(null.map);
	free(null.room);
	return end == CAPTURE_COMPLETE ? 0 : 3;
}
