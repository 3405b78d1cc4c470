/* SPDX-License-Identifier: MIT */
#include "rulebook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "describe.h"

const char *gpc_rule_owner(const struct gpc_image *image, const struct gpc_rule *rule)
{
	const struct gpc_policy *policy;

	if (rule->flags & GPC_RULE_PROTECT)
		return "protect";
	if (rule->flags & GPC_RULE_BUILTIN || rule->policy == GPC_NONE)
		return "builtin";
	policy = gpc_image_record(image, GPC_SEC_POLICY, rule->policy);
	return gpc_image_name(image, policy->name);
}

char *gpc_rule_place(const struct gpc_image *image, const struct gpc_rule *rule,
		     char out[GPC_RULE_PLACE])
{
	GPC_CLEANUP(gpc_arena_release) struct gpc_arena arena = {0};
	const struct gpc_policy *policy =
		rule->policy == GPC_NONE ? NULL
					 : gpc_image_record(image, GPC_SEC_POLICY, rule->policy);
	const char *path;
	uint32_t line, column;

	*out = '\0';
	if (gpc_image_place(image, &arena, rule->id, &path, &line, &column) ||
	    (policy && gpc_image_place(image, &arena, policy->id, &path, &line, &column)))
		snprintf(out, GPC_RULE_PLACE, "%s:%u:%u", path, line, column);
	return out;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct gpc_rulebook_entry *)a)->rule->id;
	uint64_t y = ((const struct gpc_rulebook_entry *)b)->rule->id;

	return (x > y) - (x < y);
}

void gpc_rulebook_init(struct gpc_rulebook *book, struct gpc_image *image)
{
	*book = (struct gpc_rulebook){.image = *image,
				      .count = gpc_image_count(image, GPC_SEC_RULE)};
	*image = (struct gpc_image){0};
	book->entries = calloc(book->count + 1ul, sizeof(*book->entries));
	if (!book->entries)
		abort();
	for (uint32_t i = 0; i < book->count; i++)
		book->entries[i].rule = gpc_image_record(&book->image, GPC_SEC_RULE, i);
	qsort(book->entries, book->count, sizeof(*book->entries), by_id);
}

void gpc_rulebook_release(struct gpc_rulebook *book)
{
	for (uint32_t i = 0; i < book->count; i++)
		free(book->entries[i].place);
	free(book->entries);
	if (book->image.bytes)
		gpc_image_release(&book->image);
	*book = (struct gpc_rulebook){0};
}

const struct gpc_rulebook_entry *gpc_rulebook_find(struct gpc_rulebook *book, uint64_t id)
{
	const struct gpc_rule key = {.id = id};
	const struct gpc_rulebook_entry wanted = {.rule = &key};
	struct gpc_rulebook_entry *entry =
		bsearch(&wanted, book->entries, book->count, sizeof(wanted), by_id);
	char place[GPC_RULE_PLACE];

	if (entry && !entry->place) {
		entry->place = strdup(gpc_rule_place(&book->image, entry->rule, place));
		if (!entry->place)
			abort();
	}
	return entry;
}
