/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <string.h>

#define SHORTEST_HEAD 4u

bool gpc_diags_full(const struct gpc_diags *diags)
{
	return diags->records.n >= GPC_MAX_DIAGS;
}

const char *gpc_suggest(const char *word, const char *const *candidates, size_t count)
{
	const char *near = gpc_did_you_mean(word, candidates, count);
	size_t len = strlen(word), longest = SHORTEST_HEAD - 1;

	if (near)
		return near;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		size_t shared = len < other ? len : other;

		if (shared > longest && !strncmp(word, candidates[i], shared)) {
			longest = shared;
			near = candidates[i];
		}
	}
	return near;
}
