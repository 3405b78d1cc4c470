/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "image_file.h"

const void *gpc_image_section(const struct gpc_image *image, enum gpc_section_id id,
			      uint32_t *ret_count)
{
	*ret_count = image->plane->section[id].count;
	return image->bytes + image->plane->section[id].offset;
}

const char *gpc_image_name(const struct gpc_image *image, uint32_t name_offset)
{
	return image->bytes + image->plane->section[GPC_SEC_NAMES].offset + name_offset;
}

uint32_t gpc_image_interface(const struct gpc_image *image, const char *name)
{
	uint32_t count, best = GPC_NONE;
	const struct gpc_interface *item = gpc_image_section(image, GPC_SEC_INTERFACE, &count);
	size_t best_head = 0;

	for (uint32_t i = 0; i < count; i++) {
		const char *text = gpc_image_name(image, item[i].name);
		size_t head = strlen(text) - (item[i].pattern && *text);

		if (!item[i].pattern && !strcmp(text, name))
			return i;
		if (item[i].pattern && !strncmp(text, name, head) &&
		    (best == GPC_NONE || head > best_head)) {
			best = i;
			best_head = head;
		}
	}
	return best;
}

/* Pools stand in the order of their listeners; `pass` has none. */
uint32_t gpc_image_pool_listener(const struct gpc_image *image, uint32_t pool)
{
	uint32_t count, found = GPC_NONE;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	for (uint32_t i = 0; i < count; i++)
		if (listeners[i].pools && listeners[i].first_pool <= pool)
			found = i;
	return found;
}

const char *gpc_image_provenance(const struct gpc_image *image, size_t *ret_size)
{
	*ret_size = image->head->provenance_size;
	return *ret_size ? image->bytes + image->head->provenance_offset : NULL;
}

/* The reader has checked that the provenance is JSON, not what it says: what follows trusts nothing. */

/* The JSON value that starts at `text`; NULL if there is none. The caller puts it. */
static json_object *parse(const char *text, size_t size)
{
	json_tokener *tokener = json_tokener_new_ex(8);
	json_object *value;

	if (!tokener)
		gpc_arena_exhausted();
	value = json_tokener_parse_ex(tokener, text, size > INT32_MAX ? INT32_MAX : (int)size);
	json_tokener_free(tokener);
	return value;
}

/* What stands behind the first `key`, up to *ret_end; NULL if it is not there. */
static const char *find(const struct gpc_image *image, const char *key, const char **ret_end)
{
	size_t size;
	const char *text = gpc_image_provenance(image, &size), *found = NULL;

	if (text)
		found = memmem(text, size, key, strlen(key));
	if (!found)
		return NULL;
	*ret_end = text + size;
	return found + strlen(key);
}

/* The value of the line `"ID":VALUE`: the lines are ordered by id, so it is found by halving. */
static json_object *object_of(const struct gpc_image *image, uint64_t id)
{
	const char *end, *low = find(image, "\n\"objects\":{\n", &end), *high = end;
	char key[32];

	snprintf(key, sizeof(key), "\"%016" PRIx64 "\":", id);
	while (low && low < high) {
		const char *line = low + (high - low) / 2, *next;
		int order;

		while (line > low && line[-1] != '\n')
			line--;
		next = memchr(line, '\n', (size_t)(high - line));
		next = next ? next + 1 : high;
		if ((size_t)(next - line) < strlen(key))
			return NULL;
		order = memcmp(line, key, strlen(key));
		if (!order)
			return parse(line + strlen(key), (size_t)(next - line) - strlen(key));
		if (order < 0)
			low = next;
		else
			high = line;
	}
	return NULL;
}

static bool number_at(json_object *list, size_t i, uint32_t *ret)
{
	json_object *item = json_object_array_get_idx(list, i);
	int64_t number = json_object_get_int64(item);

	if (!json_object_is_type(item, json_type_int) || number < 0 || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static const char *source_path(const struct gpc_image *image, struct gpc_arena *arena,
			       uint32_t source)
{
	const char *end, *text = find(image, "\n\"sources\":", &end), *path = NULL;
	json_object *sources = text ? parse(text, (size_t)(end - text)) : NULL;

	if (json_object_is_type(sources, json_type_array)) {
		json_object *item = json_object_array_get_idx(sources, source);

		if (json_object_is_type(item, json_type_string))
			path = gpc_arena_strdup(arena, json_object_get_string(item));
	}
	json_object_put(sources);
	return path;
}

bool gpc_image_place(const struct gpc_image *image, struct gpc_arena *arena, uint64_t id,
		     const char **ret_path, uint32_t *ret_line, uint32_t *ret_column)
{
	json_object *object, *at = NULL;
	uint32_t source, line, column;
	const char *path = NULL;

	object = object_of(image, id);
	if (json_object_is_type(object, json_type_array))
		at = object;
	else if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, "at", &at);
	if (json_object_is_type(at, json_type_array) && json_object_array_length(at) == 3 &&
	    number_at(at, 0, &source) && number_at(at, 1, &line) && number_at(at, 2, &column))
		path = source_path(image, arena, source);
	json_object_put(object);
	if (!path)
		return false;
	*ret_path = path;
	*ret_line = line;
	*ret_column = column;
	return true;
}
