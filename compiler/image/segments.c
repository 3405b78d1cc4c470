/* SPDX-License-Identifier: MIT */
#include "segments.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/limits.h"

/* The reader has checked that the provenance is JSON, not what it says: nothing is trusted here. */

#define KEY "\n\"segments\":"

/* The value behind the key, NULL if there is none. The caller puts it. */
static json_object *parse(const struct gpc_image *image)
{
	size_t size;
	const char *text = gpc_image_provenance(image, &size);
	const char *at = text ? memmem(text, size, KEY, strlen(KEY)) : NULL;
	json_tokener *tokener;
	json_object *value;

	if (!at)
		return NULL;
	at += strlen(KEY);
	size -= (size_t)(at - text);
	tokener = json_tokener_new_ex(8);
	if (!tokener)
		gpc_arena_exhausted();
	value = json_tokener_parse_ex(tokener, at, size > INT32_MAX ? INT32_MAX : (int)size);
	json_tokener_free(tokener);
	return value;
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	return length && length <= GPC_MAX_NAME_BYTES &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		       length;
}

static bool read_set(struct gpc_arena *arena, json_object *list, struct gpc_set *ret)
{
	size_t count;
	struct gpc_prefix *prefixes;

	if (!json_object_is_type(list, json_type_array))
		return false;
	count = json_object_array_length(list);
	if (!count || count > GPC_MAX_SEGMENT_PREFIXES)
		return false;
	prefixes = GPC_NEW_ARRAY(arena, struct gpc_prefix, count);
	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_string) ||
		    gpc_prefix_parse(json_object_get_string(item),
				     (size_t)json_object_get_string_len(item), &prefixes[i]))
			return false;
	}
	*ret = gpc_set_of_prefixes(arena, prefixes, count);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct gpc_image_segment *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct gpc_image_segment *gpc_image_segments(const struct gpc_image *image, struct gpc_arena *arena,
					     size_t *ret_count)
{
	json_object *object = parse(image);
	bool good = json_object_is_type(object, json_type_object);
	size_t most = good ? (size_t)json_object_object_length(object) : 0;
	struct gpc_image_segment *list = GPC_NEW_ARRAY(arena, struct gpc_image_segment, most);

	*ret_count = 0;
	if (good) {
		json_object_object_foreach(object, name, value) {
			struct gpc_image_segment *segment = &list[*ret_count];

			if (!is_name(name) || !read_set(arena, value, &segment->set))
				continue;
			segment->name = gpc_arena_strdup(arena, name);
			++*ret_count;
		}
	}
	json_object_put(object);
	if (*ret_count)
		qsort(list, *ret_count, sizeof(*list), by_name);
	return list;
}
