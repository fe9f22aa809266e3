/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON objects, built where memory may be out.  One for which memory did not suffice becomes
 * NULL, and so does what it is put into, so that only the end must be looked at, and an object with
 * something left out is never printed.
 */
#ifndef UMS_CLI_OBJECT_H
#define UMS_CLI_OBJECT_H

#include <json-c/json.h>
#include <stdbool.h>

/* Puts VALUE under KEY into *OBJECT, which owns it from then on.  When either is NULL, or memory is
 * out, *OBJECT and VALUE are freed and *OBJECT is NULL. */
void object_add(struct json_object **object, const char *key, struct json_object *value);

/* The same at the end of *ARRAY. */
void object_append(struct json_object **array, struct json_object *value);

/* Prints OBJECT to standard output, in lines fit to read (PRETTY) or on one, and frees it.  -1 when
 * it is NULL, or memory is out: then nothing was printed. */
int object_print(struct json_object *object, bool pretty);

#endif
