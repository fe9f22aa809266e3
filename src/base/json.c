/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON built and read: see json.h.  It is written in json_write.c. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void json_drop(struct json_object **value)
{
	json_object_put(*value);
	*value = NULL;
}

/* As json_add, but NULL is JSON's null. */
static void json_add_any(struct json_object **object, const char *key, struct json_object *value)
{
	if (*object && json_object_object_add(*object, key, value) == 0)
		return;
	json_object_put(value);
	json_drop(object);
}

void json_add(struct json_object **object, const char *key, struct json_object *value)
{
	if (value)
		json_add_any(object, key, value);
	else
		json_drop(object);
}

void json_add_null(struct json_object **object, const char *key)
{
	json_add_any(object, key, NULL);
}

void json_add_text(struct json_object **object, const char *key, const char *text)
{
	if (text)
		json_add(object, key, json_object_new_string(text));
	else
		json_add_null(object, key);
}

void json_add_text_len(struct json_object **object, const char *key, const char *text, size_t len)
{
	json_add(object, key, len < INT32_MAX ? json_object_new_string_len(text, (int)len) : NULL);
}

void json_add_number(struct json_object **object, const char *key, uint64_t number)
{
	json_add(object, key, json_object_new_uint64(number));
}

void json_add_flag(struct json_object **object, const char *key, bool flag)
{
	json_add(object, key, json_object_new_boolean(flag));
}

void json_add_bytes(struct json_object **object, const char *key, const uint8_t *bytes, size_t len)
{
	cleanup_free char *hex = malloc(2 * len + 1);

	if (hex)
		json_add_text(object, key, text_hex(bytes, len, hex));
	else
		json_drop(object);
}

void json_add_ms(struct json_object **object, const char *key, uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)ns / 1e6);
	json_add(object, key, json_object_new_double_s((double)ns / 1e6, text));
}

void json_append(struct json_object **array, struct json_object *value)
{
	if (*array && value && json_object_array_add(*array, value) == 0)
		return;
	json_object_put(value);
	json_drop(array);
}

void json_append_text(struct json_object **array, const char *text)
{
	json_append(array, json_object_new_string(text));
}

/* json-c, however strict, reads NaN and Infinity, and JSON has neither. */
static bool json_has_odd_numbers(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_double:
		return !isfinite(json_object_get_double(value));
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			if (json_has_odd_numbers(json_object_array_get_idx(value, i)))
				return true;
		}
		return false;
	case json_type_object: {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (json_has_odd_numbers(member))
				return true;
		}
		return false;
	}
	default:
		return false;
	}
}

struct json_object *json_read(const char *text)
{
	size_t len = strlen(text);
	struct json_tokener *tokener = len < INT32_MAX ? json_tokener_new() : NULL;
	struct json_object *value;
	bool whole;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With its NUL: only then a number at the end is known to be whole. */
	value = json_tokener_parse_ex(tokener, text, (int)len + 1);
	whole = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	if (whole && !json_has_odd_numbers(value))
		return value;
	json_object_put(value);
	return NULL;
}

const char *json_text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}
