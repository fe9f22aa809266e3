/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a ddrescue mapfile: see mapfile.h.  Comments begin with '#'.  The first other line is
 * where ddrescue was ("POSITION STATUS [PASS]"); each one behind it is an area, "POSITION SIZE
 * STATUS" in bytes, in ascending order (ddrescue's manual, "Mapfile structure").
 */
#include "sim/mapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct mapfile {
	const char *path;
	size_t line;
	uint64_t size_bytes, block_bytes; /* of the drive */
	uint64_t end;			  /* of the areas so far */
	bool began;			  /* the line of ddrescue's own position has been */
};

static int mapfile_wrong(const struct mapfile *map, struct err *err, const char *what)
{
	return err_set(err, ERR_USAGE, "%.200s, line %zu: %s", map->path, map->line, what);
}

/* The next word of *REST; NULL when there is none. */
static char *next_word(char **rest)
{
	char *word;

	do {
		word = strsep(rest, " \t\r\n");
	} while (word && !*word);
	return word;
}

static bool is_one_of(const char *word, const char *letters)
{
	return word && word[0] && !word[1] && strchr(letters, word[0]);
}

/* ddrescue's own position: only looked at to be sure that this is a mapfile. */
static int mapfile_take_position(struct mapfile *map, char *position, char *rest, struct err *err)
{
	const char *status = next_word(&rest);
	uint64_t number;

	map->began = true;
	if (text_number(position, &number) && is_one_of(status, "?*/-FG+"))
		return 0;
	return mapfile_wrong(map, err,
		"it is no ddrescue mapfile: a position in bytes and a status are missing");
}

static int mapfile_take_bad(
	struct mapfile *map, uint64_t first, uint64_t end, struct faults *faults, struct err *err)
{
	if (end > map->size_bytes)
		return err_set(err, ERR_USAGE,
			"%.200s, line %zu: a bad area ends at byte %" PRIu64
			", the drive has %" PRIu64 " bytes",
			map->path, map->line, end, map->size_bytes);
	return faults_add_defect(
		faults, first / map->block_bytes, (end - 1) / map->block_bytes, err);
}

static int mapfile_take_area(
	struct mapfile *map, char *position, char *rest, struct faults *faults, struct err *err)
{
	const char *size = next_word(&rest), *status = next_word(&rest);
	uint64_t first, len, end;

	if (!status || next_word(&rest))
		return mapfile_wrong(map, err, "an area is a position, a size and a status");
	if (!text_number(position, &first) || !text_number(size, &len) ||
		!mem_add_u64(first, len, &end))
		return mapfile_wrong(map, err, "its position or its size is no number of bytes");
	if (!is_one_of(status, "?*/-+"))
		return mapfile_wrong(map, err, "its status is none of ? * / - +");
	if (first < map->end)
		return mapfile_wrong(map, err, "the area begins before the one above it ends");
	map->end = end;
	return len > 0 && is_one_of(status, "*/-") ? mapfile_take_bad(map, first, end, faults, err)
						   : 0;
}

static int mapfile_take_line(
	struct mapfile *map, char *line, struct faults *faults, struct err *err)
{
	char *rest = line, *first = next_word(&rest);

	map->line++;
	if (!first || first[0] == '#')
		return 0;
	return map->began ? mapfile_take_area(map, first, rest, faults, err)
			  : mapfile_take_position(map, first, rest, err);
}

int mapfile_read(const char *path, uint64_t size_bytes, uint64_t block_bytes, struct faults *faults,
	struct err *err)
{
	struct mapfile map = {.path = path, .size_bytes = size_bytes, .block_bytes = block_bytes};
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t room = 0;

	if (!file)
		return err_sys(err, errno, "cannot read the mapfile %.200s", path);
	while (getline(&line, &room, file) >= 0) {
		if (mapfile_take_line(&map, line, faults, err) != 0)
			return -1;
	}
	if (ferror(file))
		return err_sys(err, errno, "cannot read the mapfile %.200s", path);
	if (map.began)
		return 0;
	return err_set(err, ERR_USAGE, "%.200s is no ddrescue mapfile: it has no areas", path);
}
