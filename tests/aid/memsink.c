/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture sink in memory: see memsink.h. */
#include "tests/aid/memsink.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SCRATCH_FILL 0xa5

static void breach(struct memsink *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void breach(struct memsink *m, const char *format, ...)
{
	va_list ap;

	if (m->broken[0])
		return;
	va_start(ap, format);
	vsnprintf(m->broken, sizeof(m->broken), format, ap);
	va_end(ap);
}

static struct memsink *memsink_of(struct capture_sink *sink)
{
	return (struct memsink *)sink;
}

/* Places of one slot count once. */
static unsigned int open_slots(const struct memsink *m, uint64_t with_lba)
{
	unsigned int n = 1;

	for (size_t i = 0; i < m->n_places; i++) {
		uint64_t slot = m->place[i].lba / m->sink.slot_blocks;
		bool seen = slot == with_lba / m->sink.slot_blocks;

		for (size_t j = 0; j < i; j++)
			seen = seen || m->place[j].lba / m->sink.slot_blocks == slot;
		n += !seen;
	}
	return n;
}

static void check_reserve(struct memsink *m, uint64_t lba, uint32_t n)
{
	uint64_t end = lba + n;

	if (n == 0 || end > blockmap_blocks(m->map))
		breach(m, "reserved %u sectors at %lu", n, (unsigned long)lba);
	else if (lba / m->sink.slot_blocks != (end - 1) / m->sink.slot_blocks)
		breach(m, "reserved across slots: %u at %lu", n, (unsigned long)lba);
	if (m->sink.in_order && lba < m->order_end)
		breach(m, "out of order: %lu behind %lu", (unsigned long)lba,
			(unsigned long)m->order_end);
	if (open_slots(m, lba) > m->sink.most_open)
		breach(m, "reserved in more than %u slots", m->sink.most_open);
	for (size_t i = 0; i < m->n_places; i++) {
		if (lba < m->place[i].end && m->place[i].lba < end)
			breach(m, "reserved %lu twice", (unsigned long)lba);
	}
}

static void *mem_reserve(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	struct memsink *m = memsink_of(sink);
	struct memsink_place *place = &m->place[m->n_places];

	check_reserve(m, lba, n);
	if (m->full_after > 0 && m->reserves >= m->full_after) {
		err_set(err, ERR_NO_SPACE, "the disk is full");
		return NULL;
	}
	if (m->n_places == MEMSINK_MOST_PLACES) {
		breach(m, "more than %d places", MEMSINK_MOST_PLACES);
		err_set(err, ERR_OTHER, "too many places");
		return NULL;
	}
	m->reserves++;
	m->n_places++;
	*place = (struct memsink_place){.lba = lba, .end = lba + n, .committed_end = lba};
	place->scratch = malloc((size_t)n * sink->block_bytes);
	memset(place->scratch, SCRATCH_FILL, (size_t)n * sink->block_bytes);
	return place->scratch;
}

/* The reserved place that LBA lies in; NULL when there is none. */
static struct memsink_place *place_of(struct memsink *m, uint64_t lba)
{
	for (size_t i = 0; i < m->n_places; i++) {
		if (lba >= m->place[i].lba && lba < m->place[i].end)
			return &m->place[i];
	}
	return NULL;
}

static int mem_release(struct capture_sink *sink, uint64_t lba, uint32_t n, struct err *err)
{
	struct memsink *m = memsink_of(sink);
	struct memsink_place *place = place_of(m, lba);

	(void)err;
	if (!place || place->lba != lba || place->end != lba + n) {
		breach(m, "released %u at %lu, not reserved", n, (unsigned long)lba);
		return 0;
	}
	free(place->scratch);
	*place = m->place[--m->n_places];
	return 0;
}

static int mem_commit(struct capture_sink *sink, uint64_t lba, uint32_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	struct memsink *m = memsink_of(sink);
	struct memsink_place *place = place_of(m, lba);
	size_t size = sink->block_bytes;
	struct block_range have;

	(void)err;
	if (!place || n == 0 || lba < place->committed_end || lba + n > place->end) {
		breach(m, "committed %u at %lu, not reserved", n, (unsigned long)lba);
		return 0;
	}
	if (!(BLOCK_MASK(state) & BLOCK_HAVE))
		breach(m, "committed as %s", block_state_name(state));
	if (blockmap_next(m->map, lba, BLOCK_HAVE, &have) && have.lba < lba + n)
		breach(m, "committed %lu twice", (unsigned long)have.lba);
	if (sink->in_order && lba < m->order_end)
		breach(m, "committed out of order: %lu", (unsigned long)lba);
	memcpy(m->bytes + lba * size, place->scratch + (lba - place->lba) * size, n * size);
	place->committed_end = lba + n;
	m->order_end = mem_max_u64(m->order_end, lba + n);
	return blockmap_set(m->map, lba, n, state, why);
}

static int mem_mark(struct capture_sink *sink, uint64_t lba, uint64_t n, enum block_state state,
	const struct block_reason *why, struct err *err)
{
	struct memsink *m = memsink_of(sink);
	struct block_range have;

	(void)err;
	if (BLOCK_MASK(state) & BLOCK_HAVE)
		breach(m, "marked as %s", block_state_name(state));
	if (n == 0 || lba + n > blockmap_blocks(m->map))
		breach(m, "marked %lu at %lu", (unsigned long)n, (unsigned long)lba);
	if (blockmap_next(m->map, lba, BLOCK_HAVE, &have) && have.lba < lba + n)
		breach(m, "marked %lu, which is good", (unsigned long)have.lba);
	return blockmap_set(m->map, lba, n, state, why);
}

static int mem_journal(struct capture_sink *sink, const char *json, struct err *err)
{
	struct memsink *m = memsink_of(sink);

	(void)err;
	if (json[0] != '{' || json[strlen(json) - 1] != '}' || strchr(json, '\n'))
		breach(m, "a journal line that is no JSON object");
	if (mem_grow(&m->line, m->n_lines, &m->line_room, sizeof(*m->line)) < 0)
		return -1;
	m->line[m->n_lines++] = strdup(json);
	return 0;
}

static int mem_blob(
	struct capture_sink *sink, const char *name, const void *bytes, size_t len, struct err *err)
{
	struct memsink *m = memsink_of(sink);

	(void)err;
	if (!bytes || len == 0)
		breach(m, "blob %s is empty", name);
	m->blobs++;
	snprintf(m->last_blob, sizeof(m->last_blob), "%s", name);
	return 0;
}

static int mem_checkpoint(
	struct capture_sink *sink, uint32_t pass, uint64_t position, bool all, struct err *err)
{
	struct memsink *m = memsink_of(sink);

	(void)err, (void)all;
	if (position > blockmap_blocks(m->map))
		breach(m, "checkpoint behind the end");
	m->checkpoints++;
	m->last_pass = pass;
	return 0;
}

/* They end at once. */
static bool mem_under_way(struct capture_sink *sink)
{
	(void)sink;
	return false;
}

static int mem_read_back(
	struct capture_sink *sink, uint64_t lba, uint32_t n, void *data, struct err *err)
{
	struct memsink *m = memsink_of(sink);
	struct block_range missing;

	if (sink->in_order)
		return err_set(err, ERR_OTHER, "a pipe cannot be read back");
	if (blockmap_next(m->map, lba, BLOCK_MISSING, &missing) && missing.lba < lba + n)
		breach(m, "read back %lu, which is missing", (unsigned long)missing.lba);
	memcpy(data, m->bytes + lba * sink->block_bytes, (size_t)n * sink->block_bytes);
	return 0;
}

size_t memsink_lines_with(const struct memsink *m, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_lines; i++)
		n += strstr(m->line[i], text) != NULL;
	return n;
}

void memsink_free(struct memsink *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		free(m->line[i]);
	free(m->line);
	free(m->bytes);
	for (size_t i = 0; i < m->n_places; i++)
		free(m->place[i].scratch);
	blockmap_free(m->map);
	free(m);
}

static const struct capture_sink_ops memsink_ops = {
	.reserve = mem_reserve,
	.commit = mem_commit,
	.release = mem_release,
	.mark = mem_mark,
	.journal = mem_journal,
	.blob = mem_blob,
	.checkpoint = mem_checkpoint,
	.under_way = mem_under_way,
	.read_back = mem_read_back,
};

struct memsink *memsink_new(
	uint64_t n_blocks, uint32_t block_bytes, uint32_t slot_blocks, bool in_order)
{
	struct memsink *m = calloc(1, sizeof(*m));

	m->map = blockmap_new(n_blocks);
	m->bytes = calloc(n_blocks, block_bytes);
	m->sink = (struct capture_sink){
		.ops = &memsink_ops,
		.map = m->map,
		.block_bytes = block_bytes,
		.slot_blocks = slot_blocks,
		.most_open = 4,
		.in_order = in_order,
	};
	return m;
}
