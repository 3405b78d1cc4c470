/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <json-c/json.h>
#include <string.h>

#include "../base/utf8.h"

/* json-c copies bytes that are not UTF-8 as they are, so they are replaced by U+FFFD before. */
static json_object *text_or_null(struct gpc_arena *arena, const char *text)
{
	size_t len = text ? strlen(text) : 0, used = 0;
	char *clean = gpc_arena_calloc(arena, len + 1, 3);
	json_object *string;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len;) {
		uint32_t code_point;
		size_t bytes = gpc_utf8_decode(text + i, len - i, &code_point);

		memcpy(clean + used, bytes ? text + i : "\xef\xbf\xbd", bytes ? bytes : 3);
		used += bytes ? bytes : 3;
		i += bytes ? bytes : 1;
	}
	string = json_object_new_string(clean);
	if (!string)
		gpc_arena_exhausted();
	return string;
}

static void add(json_object *object, const char *key, json_object *value)
{
	if (json_object_object_add(object, key, value) != 0)
		gpc_arena_exhausted();
}

static void add_number(json_object *object, const char *key, uint64_t number)
{
	json_object *value = json_object_new_uint64(number);

	if (!value)
		gpc_arena_exhausted();
	add(object, key, value);
}

static json_object *new_object(void)
{
	json_object *object = json_object_new_object();

	if (!object)
		gpc_arena_exhausted();
	return object;
}

static json_object *place_object(const struct gpc_diags *diags, struct gpc_place place,
				 const char *label)
{
	struct gpc_line_column start = gpc_place_position(diags, place);
	struct gpc_line_column end = gpc_place_end_position(diags, place);
	json_object *object = new_object();

	add(object, "path", text_or_null(diags->arena, gpc_diags_path(diags, place.source)));
	add_number(object, "line", start.line);
	add_number(object, "column", start.column);
	add_number(object, "end_line", end.line);
	add_number(object, "end_column", end.column);
	add(object, "label", text_or_null(diags->arena, label));
	return object;
}

static json_object *record_object(const struct gpc_diags *diags, const struct gpc_diag *diag)
{
	json_object *object = new_object();
	json_object *places = json_object_new_array();

	if (!places)
		gpc_arena_exhausted();
	for (unsigned int i = 0; i < diag->place_count; i++)
		if (json_object_array_add(places, place_object(diags, diag->places[i].place,
							       diag->places[i].label)) != 0)
			gpc_arena_exhausted();
	add(object, "type", text_or_null(diags->arena, "diagnostic"));
	add(object, "code", text_or_null(diags->arena, gpc_code_text(diag->code)));
	add(object, "severity", text_or_null(diags->arena, gpc_severity_text(diag->severity)));
	add(object, "message", text_or_null(diags->arena, diag->message));
	add(object, "places", places);
	add(object, "hint", text_or_null(diags->arena, diag->hint));
	return object;
}

static void put_object(json_object *object, FILE *out)
{
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		gpc_arena_exhausted();
	fprintf(out, "%s\n", text);
	json_object_put(object);
}

void gpc_diags_write_json(const struct gpc_diags *diags, const struct gpc_diag *const *records,
			  size_t count, FILE *out)
{
	json_object *rest;

	for (size_t i = 0; i < count; i++)
		put_object(record_object(diags, records[i]), out);
	if (!gpc_diags_lost(diags))
		return;
	rest = new_object();
	add(rest, "type", text_or_null(diags->arena, "not-shown"));
	add_number(rest, "count", gpc_diags_lost(diags));
	put_object(rest, out);
}
