/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the drive that is asked for, how a session ends, and who is told: see source.h. */
#include "capture/source.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#define SENTENCE 800

int source_end(struct source *source, enum capture_end ended)
{
	source->ended = ended;
	return -1;
}

const char *source_advice(const struct source *source)
{
	return source->sink->in_order ? "" : "; running the same command again goes on from here";
}

bool source_next(
	const struct source *source, uint64_t lba, unsigned int mask, struct block_range *range)
{
	if (!blockmap_next(source->sink->map, mem_max_u64(lba, source->begin), mask, range) ||
		range->lba >= source->end)
		return false;
	range->n = mem_min_u64(range->n, source->end - range->lba);
	return true;
}

bool source_prev(
	const struct source *source, uint64_t lba, unsigned int mask, struct block_range *range)
{
	uint64_t end;

	if (!blockmap_prev(source->sink->map, mem_min_u64(lba, source->end), mask, range))
		return false;
	end = range->lba + range->n;
	if (end <= source->begin)
		return false;
	range->lba = mem_max_u64(range->lba, source->begin);
	range->n = end - range->lba;
	return true;
}

uint64_t source_count(const struct source *source, unsigned int mask)
{
	struct block_range range;
	uint64_t n = 0;

	for (uint64_t lba = source->begin; source_next(source, lba, mask, &range);
		lba = range.lba + range.n)
		n += range.n;
	return n;
}

void source_tell(const struct source *source, const struct capture_notice *notice)
{
	for (unsigned int i = 0; i < source->n_observers; i++)
		source->observer[i].notice(source->observer[i].context, notice);
}

void source_say(const struct source *source, enum capture_notice_kind kind, uint64_t lba,
	const char *format, ...)
{
	char text[SENTENCE];
	struct capture_notice notice = {.kind = kind, .lba = lba, .text = text};
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	source_tell(source, &notice);
}
