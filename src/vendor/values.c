/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that a user gives to a command's arguments: checked before anything is sent. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "vendor/vendor.h"

static int take_number(const struct argument *argument, const char *text,
	struct argument_value *value, struct err *err)
{
	if (!text_number(text, &value->number) || value->number < argument->min ||
		value->number > argument->max)
		return err_set(err, ERR_USAGE,
			"%s is a number from %" PRIu64 " to %" PRIu64 ", not \"%.40s\"",
			argument->name, argument->min, argument->max, text);
	return 0;
}

static int values_take_choice(const struct argument *argument, const char *text,
	struct argument_value *value, struct err *err)
{
	char words[300] = "";
	size_t used = 0;

	for (size_t i = 0; i < argument->n_choices; i++) {
		if (strcmp(argument->choice[i].word, text) == 0) {
			value->number = argument->choice[i].number;
			return 0;
		}
		if (used < sizeof(words))
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
				i ? ", " : "", argument->choice[i].word);
	}
	return err_set(
		err, ERR_USAGE, "%s is one of %s, not \"%.40s\"", argument->name, words, text);
}

/* --- bytes --- */

static int check_length(
	const struct argument *argument, size_t len, const char *what, struct err *err)
{
	if (len >= argument->min && len <= argument->max)
		return 0;
	return err_set(err, ERR_USAGE,
		"%s is %" PRIu64 " to %" PRIu64 " bytes, and %.200s has %s%zu", argument->name,
		argument->min, argument->max, what, len > argument->max ? "more: " : "", len);
}

static int take_file(const struct argument *argument, const char *path,
	struct argument_value *value, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "%s: cannot open %s", argument->name, path);
	value->bytes = malloc(argument->max + 1);
	if (!value->bytes)
		return err_memory(err, "for an argument");
	/* A byte more than there may be shows that there is more. */
	n = file_read_at(fd, value->bytes, argument->max + 1, 0);
	if (n < 0)
		return err_sys(err, errno, "%s: cannot read %s", argument->name, path);
	value->len = (size_t)n;
	return check_length(argument, value->len, path, err);
}

static int take_hex(const struct argument *argument, const char *text, struct argument_value *value,
	struct err *err)
{
	size_t digits = strlen(text);

	if (check_length(argument, digits / 2, "what was given", err) != 0)
		return -1;
	value->len = digits / 2;
	value->bytes = malloc(digits / 2 + 1);
	if (!value->bytes)
		return err_memory(err, "for an argument");
	if (text_unhex(text, digits, value->bytes))
		return 0;
	return err_set(
		err, ERR_USAGE, "%s wants two hexadecimal digits a byte, or @FILE", argument->name);
}

static int take_value(const struct argument *argument, const char *text,
	struct argument_value *value, struct err *err)
{
	value->given = true;
	if (argument->type == ARGUMENT_NUMBER)
		return take_number(argument, text, value, err);
	if (argument->type == ARGUMENT_CHOICE)
		return values_take_choice(argument, text, value, err);
	return text[0] == '@' ? take_file(argument, text + 1, value, err)
			      : take_hex(argument, text, value, err);
}

/* --- all of them --- */

static int take(const struct definition *definition, const char *text,
	struct argument_value *values, struct err *err)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;

	if (!equals)
		return err_set(err, ERR_USAGE, "an argument is NAME=VALUE, not \"%.40s\"", text);
	for (size_t i = 0; i < definition->n_arguments; i++) {
		const struct argument *argument = &definition->argument[i];

		if (strlen(argument->name) != len || strncmp(argument->name, text, len) != 0)
			continue;
		if (values[i].given)
			return err_set(err, ERR_USAGE, "%s is given twice", argument->name);
		return take_value(argument, equals + 1, &values[i], err);
	}
	return err_set(
		err, ERR_USAGE, "it has no argument \"%.*s\"", len < 40 ? (int)len : 40, text);
}

static int complete(
	const struct definition *definition, struct argument_value *values, struct err *err)
{
	for (size_t i = 0; i < definition->n_arguments; i++) {
		const struct argument *argument = &definition->argument[i];

		if (values[i].given)
			continue;
		if (!argument->optional)
			return err_set(err, ERR_USAGE, "it needs %s=%s%s%s", argument->name,
				argument->type == ARGUMENT_BYTES ? "BYTES" : "VALUE",
				argument->about[0] ? ": " : "", argument->about);
		values[i].number = argument->standard;
	}
	return 0;
}

struct argument_value *arguments_read(
	const struct definition *definition, char *const *text, size_t n, struct err *err)
{
	struct argument_value *values = calloc(definition->n_arguments + 1, sizeof(*values));

	if (!values) {
		err_memory(err, "for arguments");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (take(definition, text[i], values, err) == 0)
			continue;
		arguments_free(definition, values);
		return NULL;
	}
	if (complete(definition, values, err) == 0)
		return values;
	arguments_free(definition, values);
	return NULL;
}

void arguments_free(const struct definition *definition, struct argument_value *values)
{
	for (size_t i = 0; values && i < definition->n_arguments; i++)
		free(values[i].bytes);
	free(values);
}
