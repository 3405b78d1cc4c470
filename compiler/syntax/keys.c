/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

#define FEW 12u /* up to here comparing all with all is quicker than sorting */

static bool same_key(const struct gpc_pair *a, const struct gpc_pair *b)
{
	return a->key_size == b->key_size && memcmp(a->key, b->key, a->key_size) == 0;
}

/* Equal keys stay in the order in which they were written. */
static int compare(const void *left, const void *right)
{
	const struct gpc_pair *a = *(const struct gpc_pair *const *)left;
	const struct gpc_pair *b = *(const struct gpc_pair *const *)right;
	int order;

	if (a->key_size != b->key_size)
		return a->key_size < b->key_size ? -1 : 1;
	order = memcmp(a->key, b->key, a->key_size);
	return order ? order : (a > b) - (a < b);
}

static bool has_duplicate_among_few(const struct gpc_pair *pairs, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (same_key(&pairs[i], &pairs[j]))
				return true;
	return false;
}

/* first[i]: the pair that pair i repeats, NULL if none. */
static const struct gpc_pair **find_first(struct gpc_arena *scratch, struct gpc_pair *pairs,
					  size_t count)
{
	struct gpc_pair **sorted = GPC_NEW_ARRAY(scratch, struct gpc_pair *, count);
	const struct gpc_pair **first = GPC_NEW_ARRAY(scratch, const struct gpc_pair *, count);
	const struct gpc_pair *run;

	for (size_t i = 0; i < count; i++)
		sorted[i] = &pairs[i];
	qsort(sorted, count, sizeof(*sorted), compare);
	run = sorted[0];
	for (size_t i = 1; i < count; i++) {
		if (same_key(run, sorted[i]))
			first[sorted[i] - pairs] = run;
		else
			run = sorted[i];
	}
	return first;
}

size_t gpc_keys_unite(struct gpc_arena *scratch, struct gpc_pair *pairs, size_t count,
		      gpc_duplicate_key *duplicate, void *context)
{
	const struct gpc_pair **first;
	size_t kept = 0;

	if (count < 2 || (count <= FEW && !has_duplicate_among_few(pairs, count)))
		return count;
	first = find_first(scratch, pairs, count);
	for (size_t i = 0; i < count; i++)
		if (first[i])
			duplicate(context, first[i], &pairs[i]);
	for (size_t i = 0; i < count; i++)
		if (!first[i])
			pairs[kept++] = pairs[i];
	return kept;
}
