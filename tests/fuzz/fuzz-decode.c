/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to the commands of our own library: the first two bytes say which, what follows is what
 * the drive sends, and its sense data. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vendor/vendor.h"

#define SENSE 40

static void put_value(void *context, const struct value *value)
{
	*(size_t *)context += value->text ? strlen(value->text) : value->row;
}

static const struct library *library(void)
{
	static struct library *all;

	if (!all)
		all = library_read("proto/vendor", NULL, NULL, NULL, NULL);
	if (!all || !library_definition(all, 0))
		abort();
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t which, n = 0, sum = 0, sense = size < SENSE + 2 ? 0 : SENSE;
	const struct definition *definition;
	struct ata_registers registers;

	if (size < 2)
		return 0;
	while (library_definition(library(), n))
		n++;
	which = (size_t)(data[0] | data[1] << 8) % n;
	definition = library_definition(library(), which);
	registers = ata_registers_parse(data + 2, sense);
	for (size_t i = 0; i < definition->n_steps; i++) {
		const struct step *step = &definition->step[i];
		size_t len = size - 2 - sense;
		/* Where it can be seen that more is read. */
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, data + 2 + sense, len);
		if (step->shared)
			layout_decode(step->shared, exact, len, &registers, put_value, &sum);
		layout_decode(&step->own, exact, len, &registers, put_value, &sum);
		free(exact);
	}
	return 0;
}
