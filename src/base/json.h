/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON that is always valid, and that survives the end of memory.
 *
 * Objects are json-c's.  A value that there was no memory for is NULL, and NULL stays NULL: adding
 * to it does nothing, and adding it to an object or array frees that and makes it NULL as well.  So
 * a document is built without a check at each step, and whoever writes it out sees at the end
 * whether all of it is there.  (json-c itself takes NULL for JSON's null, and fails an assertion
 * when something is added to it.)  Keys are ours; texts may be from outside, whatever their bytes.
 */
#ifndef UMS_BASE_JSON_H
#define UMS_BASE_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- building; each takes the address of an object or array that the caller owns --- */

/* Adds VALUE, which becomes *OBJECT's; NULL: there was no memory for it. */
void json_add(struct json_object **object, const char *key, struct json_object *value);

/* A TEXT of NULL is JSON's null. */
void json_add_text(struct json_object **object, const char *key, const char *text);
void json_add_text_len(struct json_object **object, const char *key, const char *text, size_t len);
void json_add_number(struct json_object **object, const char *key, uint64_t number);
void json_add_flag(struct json_object **object, const char *key, bool flag);
void json_add_null(struct json_object **object, const char *key);

/* BYTES as hexadecimal digits. */
void json_add_bytes(struct json_object **object, const char *key, const uint8_t *bytes, size_t len);

/* NS as milliseconds with three digits behind the point. */
void json_add_ms(struct json_object **object, const char *key, uint64_t ns);

/* Appends VALUE, which becomes *ARRAY's. */
void json_append(struct json_object **array, struct json_object *value);
void json_append_text(struct json_object **array, const char *text);

/* --- writing --- */

/*
 * Writes VALUE and no newline behind it; PRETTY: a line for each member.  The output is UTF-8, and
 * any JSON parser reads it, whatever bytes the texts are made of:
 *
 *	- what is not to be shown as it is (utf8_is_harmless()) is \uXXXX;
 *	- a byte that is no UTF-8 is U+FFFD and its two hexadecimal digits; a U+FFFD that was there
 *is three such bytes (ef bf bd), so that every text can be had back;
 *	- numbers that JSON has not (NaN, infinite) are null.
 *
 * 0; -1 when VALUE is NULL (no memory) or OUT takes no more.  Something may be written then.
 */
int json_write(FILE *out, struct json_object *value, bool pretty);

/* The same on one line, as a text of the caller's to free(); NULL when memory is out. */
char *json_line(struct json_object *value);

/* --- reading --- */

/*
 * The JSON value that TEXT is, all of it, in UTF-8; the caller's to put.  NULL when it is none, or
 * memory is out.  json-c's strict mode lets a few things pass that JSON has not ('...' for "...",
 * control bytes in texts, odd forms of numbers): what json_write() makes of them is right again.
 */
struct json_object *json_read(const char *text);

/* The text that KEY has in OBJECT; "" when there is none, or it is no text, or OBJECT is no object.
 * It stays OBJECT's. */
const char *json_text_of(struct json_object *object, const char *key);

#endif
