/* SPDX-License-Identifier: BSD-2-Clause */
/* Definition files: whatever is in them, they are refused or what they define can be rendered with
 * any argument and decodes any answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vendor/vendor.h"

static void put_value(void *context, const struct value *value)
{
	*(size_t *)context += value->text ? strlen(value->text) : value->row;
}

static void put_step(void *context, const struct definition *definition, const struct step *step,
	const struct command *command, const struct reply *reply, uint64_t ns)
{
	static uint8_t answer[4096];
	struct ata_registers registers = {0};
	size_t len = command->data_len < sizeof(answer) ? command->data_len : sizeof(answer);

	(void)definition, (void)reply, (void)ns;
	if (command->cdb_len == 0 || command->cdb_len > TRANSPORT_CDB_MAX)
		abort();
	if (command->direction != TRANSFER_IN)
		return;
	for (size_t i = 0; i < sizeof(answer); i++)
		answer[i] = (uint8_t)(i * 37);
	/* Where it can be seen that more is read. */
	uint8_t *exact = malloc(len + 1);

	memcpy(exact, answer, len);
	if (step->shared)
		layout_decode(step->shared, exact, len, &registers, put_value, context);
	layout_decode(&step->own, exact, len, &registers, put_value, context);
	layout_decode(&step->own, exact, len / 2, &registers, put_value, context);
	free(exact);
}

/* The largest of everything. */
static struct argument_value *largest(const struct definition *definition)
{
	struct argument_value *values = calloc(definition->n_arguments + 1, sizeof(*values));

	for (size_t i = 0; i < definition->n_arguments; i++) {
		const struct argument *argument = &definition->argument[i];

		values[i].number = argument->max;
		if (argument->type != ARGUMENT_BYTES)
			continue;
		values[i].len = (size_t)argument->max;
		values[i].bytes = calloc(1, values[i].len + 1);
	}
	return values;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("definition", MFD_CLOEXEC);
	size_t sum = 0;
	struct run_options options = {.step = put_step, .context = &sum};
	struct library *library;
	char path[40];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	library = library_read("", path, NULL, NULL, NULL);
	for (size_t i = 0; library && library_definition(library, i); i++) {
		const struct definition *definition = library_definition(library, i);
		struct argument_value *values;

		if (definition->refused)
			continue;
		values = largest(definition);
		vendor_dry_run(definition, values, &options, NULL);
		arguments_free(definition, values);
	}
	library_free(library);
	close(fd);
	return 0;
}
