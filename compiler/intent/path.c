/* SPDX-License-Identifier: MIT */
#include "path.h"

#include <string.h>

#define LONGEST 4095u

/* Appends the components of `text` to `out` (of `size` bytes, holding *len), separated by `/`. */
static enum gpc_path_error append_components(char *out, size_t *len, const char *text,
					     size_t text_len)
{
	const char *end = text + text_len;

	while (text < end) {
		const char *slash = memchr(text, '/', (size_t)(end - text));
		size_t part = (size_t)((slash ? slash : end) - text);

		if (part == 2 && !memcmp(text, "..", 2))
			return GPC_PATH_ESCAPES;
		if (part && !(part == 1 && *text == '.')) {
			if (*len)
				out[(*len)++] = '/';
			memcpy(out + *len, text, part);
			*len += part;
		}
		text += part + 1;
	}
	return GPC_PATH_OK;
}

enum gpc_path_error gpc_path_resolve(struct gpc_arena *arena, const char *file,
				     const char *relative, const char **ret_path)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	size_t folder = slash ? (size_t)(slash - file) : 0;
	size_t relative_len = strnlen(relative, LONGEST + 1);
	enum gpc_path_error error;
	size_t len = 0;
	char *path;

	if (relative[0] == '/')
		return GPC_PATH_ABSOLUTE;
	if (relative_len > LONGEST || folder + 1 + relative_len > LONGEST)
		return GPC_PATH_INVALID;
	path = gpc_arena_alloc(arena, folder + 1 + relative_len + 1);
	error = append_components(path, &len, file ? file : "", folder);
	if (!error)
		error = append_components(path, &len, relative, relative_len);
	if (error)
		return error;
	if (!len)
		return GPC_PATH_INVALID;
	*ret_path = path;
	return GPC_PATH_OK;
}

bool gpc_path_is_pattern(const char *path)
{
	return strpbrk(path, "*?") != NULL;
}

bool gpc_path_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *resume = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++resume;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}
