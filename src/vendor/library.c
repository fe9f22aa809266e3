/* SPDX-License-Identifier: BSD-2-Clause */
/* All definition files together: found, read, and what they have of each other. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "vendor/reading.h"

#define FAMILIES_MAX 1000

struct library {
	struct arena arena;
	const char *path;
	struct family **family;
	bool *family_is_bad;
	size_t n_families;
	struct definition **definition; /* by name */
	size_t n;
	vendor_complaint *complain;
	void *context;
};

/* --- reading --- */

static bool is_there_already(const struct library *library, const char *file)
{
	struct stat a, b;

	if (stat(file, &a) != 0)
		return false;
	for (size_t i = 0; i < library->n_families; i++) {
		if (stat(library->family[i]->file, &b) == 0 && a.st_dev == b.st_dev &&
			a.st_ino == b.st_ino)
			return true;
	}
	return false;
}

static int add_file(struct library *library, const char *file, struct err *err)
{
	size_t n_mistakes = 0;
	struct family *family, **place;
	bool *bad;

	if (is_there_already(library, file) || library->n_families == FAMILIES_MAX)
		return 0;
	family = family_read(
		&library->arena, file, library->complain, library->context, &n_mistakes, err);
	if (!family)
		return -1;
	place = arena_push(&library->arena, &library->family, library->n_families, sizeof(*place));
	bad = arena_push(
		&library->arena, &library->family_is_bad, library->n_families, sizeof(*bad));
	if (!place || !bad)
		return err_memory(err, "for definitions");
	*place = family;
	*bad = n_mistakes > 0;
	library->n_families++;
	return 0;
}

static int is_definition(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* A file that cannot be read is a mistake like others. */
static void add_folder(struct library *library, const char *folder)
{
	struct dirent **entry = NULL;
	char path[PATH_MAX + 256];
	struct err err;
	int n = folder[0] ? scandir(folder, &entry, is_definition, alphasort) : 0;

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
		if (add_file(library, path, &err) < 0 && library->complain)
			library->complain(library->context, path, 0, err.text);
		free(entry[i]);
	}
	free(entry);
}

static void add_path(struct library *library, const char *path)
{
	cleanup_free char *copy = strdup(path);
	char *rest = copy;

	while (rest)
		add_folder(library, strsep(&rest, ":"));
}

/* --- what files have of each other --- */

/* A place to complain from that belongs to FAMILY. */
static struct reading complaints_of(struct library *library, struct family *family)
{
	return (struct reading){.arena = &library->arena,
		.family = family,
		.complain = library->complain,
		.context = library->context};
}

static const struct layout *find_layout(
	const struct library *library, const char *name, size_t *count)
{
	const struct layout *found = NULL;

	*count = 0;
	for (size_t i = 0; i < library->n_families; i++) {
		const struct family *family = library->family[i];

		for (size_t j = 0; j < family->n_layouts; j++) {
			if (strcmp(family->layout[j].name, name) != 0)
				continue;
			found = &family->layout[j];
			(*count)++;
		}
	}
	return found;
}

static void link_step(struct library *library, struct reading *reading, struct step *step)
{
	size_t count;

	if (!step->layout_name)
		return;
	step->shared = find_layout(library, step->layout_name, &count);
	if (!step->shared)
		mistake(reading, step->layout_line, "there is no layout %s", step->layout_name);
	else if (step->in.n > 0)
		layout_check(reading, step, step->shared, step->layout_line);
}

static void link_layouts(struct library *library, size_t i)
{
	struct family *family = library->family[i];
	struct reading reading = complaints_of(library, family);
	size_t count;

	for (size_t j = 0; j < family->n_layouts; j++) {
		find_layout(library, family->layout[j].name, &count);
		if (count > 1)
			mistake(&reading, family->layout[j].line,
				"the layout %s is there %zu times, in this file or others",
				family->layout[j].name, count);
	}
	for (size_t j = 0; j < family->n; j++) {
		struct definition *definition = &family->definition[j];

		for (size_t k = 0; k < definition->n_steps; k++)
			link_step(library, &reading, &definition->step[k]);
		for (size_t k = 0; k < definition->n_finally; k++)
			link_step(library, &reading, &definition->finally[k]);
	}
	library->family_is_bad[i] |= reading.n_mistakes > 0;
}

static int by_name(const void *a, const void *b)
{
	const struct definition *x = *(struct definition *const *)a,
				*y = *(struct definition *const *)b;
	int r = strcmp(x->family->name, y->family->name);

	return r ? r : strcmp(x->name, y->name);
}

static int sort_definitions(struct library *library, struct err *err)
{
	for (size_t i = 0; i < library->n_families; i++) {
		struct family *family = library->family[i];

		for (size_t j = 0; j < family->n && family->name; j++) {
			struct definition **place = arena_push(
				&library->arena, &library->definition, library->n, sizeof(*place));

			if (!place)
				return err_memory(err, "for definitions");
			*place = &family->definition[j];
			(*place)->refused = library->family_is_bad[i];
			library->n++;
		}
	}
	if (library->n > 0)
		qsort(library->definition, library->n, sizeof(*library->definition), by_name);
	return 0;
}

/* Two files that define one name; in one file it was found before. */
static void find_rivals(struct library *library)
{
	for (size_t i = 1; i < library->n; i++) {
		struct definition *one = library->definition[i - 1], *two = library->definition[i];
		struct definition *pair[2] = {one, two};

		if (by_name(&one, &two) != 0 || one->family == two->family)
			continue;
		for (int k = 0; k < 2; k++) {
			struct reading reading =
				complaints_of(library, (struct family *)(uintptr_t)pair[k]->family);

			mistake(&reading, pair[k]->line,
				"%s defines %s.%s as well: neither is used", pair[!k]->family->file,
				one->family->name, one->name);
			pair[k]->refused = true;
		}
	}
}

struct library *library_read(const char *path, const char *file, vendor_complaint *complain,
	void *context, struct err *err)
{
	struct library *library = calloc(1, sizeof(*library));

	if (!library) {
		err_memory(err, "for definitions");
		return NULL;
	}
	library->complain = complain;
	library->context = context;
	library->path = arena_text(&library->arena, path, strlen(path));
	if (!library->path) {
		err_memory(err, "for definitions");
		library_free(library);
		return NULL;
	}
	if (file && add_file(library, file, err) < 0) {
		library_free(library);
		return NULL;
	}
	add_path(library, path);
	for (size_t i = 0; i < library->n_families; i++)
		link_layouts(library, i);
	if (sort_definitions(library, err) < 0) {
		library_free(library);
		return NULL;
	}
	find_rivals(library);
	return library;
}

void library_free(struct library *library)
{
	if (!library)
		return;
	arena_free(&library->arena);
	free(library);
}

/* --- finding --- */

const struct definition *library_definition(const struct library *library, size_t i)
{
	return i < library->n ? library->definition[i] : NULL;
}

const struct definition *library_find(
	const struct library *library, const char *name, struct err *err)
{
	for (size_t i = 0; i < library->n; i++) {
		const struct definition *definition = library->definition[i];
		char known[2 * VENDOR_NAME_MAX + 1];
		cleanup_free char *quoted = NULL;

		if (strcmp(definition_name(definition, known, sizeof(known)), name) != 0)
			continue;
		if (!definition->refused)
			return definition;
		quoted = text_shell_file(definition->family->file);
		err_set(err, ERR_USAGE, "%s is not used: umsctl vendor check %s says why", name,
			quoted ? quoted : "FILE");
		return NULL;
	}
	if (library->n == 0)
		err_set(err, ERR_USAGE,
			"there are no definitions in %.600s (UMSCTL_VENDOR_PATH names other "
			"folders)",
			library->path);
	else
		err_set(err, ERR_USAGE, "there is no vendor command %s (umsctl vendor list)", name);
	return NULL;
}
