/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON objects where memory may be out: see object.h. */
#include "cli/object.h"

#include "cli/cli.h"

static void object_give_up(struct json_object **object, struct json_object *value)
{
	json_object_put(value);
	json_object_put(*object);
	*object = NULL;
}

void object_add(struct json_object **object, const char *key, struct json_object *value)
{
	if (!*object || !value || json_object_object_add(*object, key, value) != 0)
		object_give_up(object, value);
}

void object_append(struct json_object **array, struct json_object *value)
{
	if (!*array || !value || json_object_array_add(*array, value) != 0)
		object_give_up(array, value);
}

int object_print(struct json_object *object, bool pretty)
{
	return object ? cli_print_json(stdout, object, pretty) : -1;
}
