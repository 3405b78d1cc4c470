/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void gpc_names_add(struct gpc_arena *arena, struct gpc_names *names, const char *name)
{
	size_t number = names->entries.n;

	*GPC_PUSH(arena, &names->entries) = (struct gpc_name_entry){.name = name, .number = number};
}

static int compare(const void *left, const void *right)
{
	const struct gpc_name_entry *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : (a->number > b->number) - (a->number < b->number);
}

void gpc_names_sort(struct gpc_names *names)
{
	if (names->entries.n)
		qsort(names->entries.items, names->entries.n, sizeof(*names->entries.items),
		      compare);
}

/* The first position whose name is not below `name`. */
static size_t lower_bound(const struct gpc_names *names, const char *name)
{
	size_t low = 0, high = names->entries.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names->entries.items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t gpc_names_find(const struct gpc_names *names, const char *name)
{
	size_t at = lower_bound(names, name);

	if (at == names->entries.n || strcmp(names->entries.items[at].name, name))
		return SIZE_MAX;
	return names->entries.items[at].number;
}

bool gpc_names_repeat(const struct gpc_names *names, size_t position, size_t *ret_first,
		      size_t *ret_again)
{
	const struct gpc_name_entry *entry = &names->entries.items[position];

	if (position == 0 || strcmp(entry[-1].name, entry->name))
		return false;
	*ret_first = gpc_names_find(names, entry->name);
	*ret_again = entry->number;
	return true;
}
