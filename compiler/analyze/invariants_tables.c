/* SPDX-License-Identifier: MIT */
/* Invariants about tables: what moved against the parent, and limits. */
#include <string.h>

#include "../lower/parent.h"
#include "invariants_parts.h"
#include "loads.h"
#include "maglev.h"

#define HUNDREDTHS 10000u

/* ---- remap ---- */

static uint64_t holder(const struct gpc_pool_view *pool, uint64_t slot)
{
	uint32_t index = pool->size ? pool->slots[slot] : GPC_SLOT_NOBODY;

	return index == GPC_SLOT_NOBODY ? 0 : pool->endpoints[index].id;
}

/*
 * The part of the hash space that has another endpoint, in hundredths of a percent, rounded up. Slot s of n holds
 * the hashes from s/n up to (s + 1)/n, so tables of two sizes are cut at the bounds of both: the space has
 * n * m parts, fewer than 2^43, times 10,000 fewer than 2^56.
 */
static uint64_t share_moved(const struct gpc_pool_view *before, const struct gpc_pool_view *after)
{
	uint64_t n = before->size ? before->size : 1, m = after->size ? after->size : 1;
	uint64_t at = 0, moved = 0;

	for (uint64_t i = 0, k = 0; i < n && k < m;) {
		uint64_t end_i = (i + 1) * m, end_k = (k + 1) * n;
		uint64_t end = end_i < end_k ? end_i : end_k;

		if (holder(before, i) != holder(after, k))
			moved += end - at;
		at = end;
		i += end_i == end;
		k += end_k == end;
	}
	return (moved * HUNDREDTHS + n * m - 1) / (n * m);
}

/* Of all tables of the backend the one that moved most. False: the parent has none to compare with. */
static bool most_moved(struct gpc_prover *prover, uint32_t backend, uint64_t *ret)
{
	uint32_t count;
	const struct gpc_table *tables = gpc_image_section(prover->image, GPC_SEC_TABLE, &count);
	bool found = false;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = tables[i].backend == backend
					 ? gpc_pool_counterpart(prover->image, i, prover->parent)
					 : GPC_NONE;
		struct gpc_pool_view before, after;
		uint64_t moved;

		if (other == GPC_NONE)
			continue;
		before = gpc_pool_view(prover->arena, prover->parent, other);
		after = gpc_pool_view(prover->arena, prover->image, i);
		moved = share_moved(&before, &after);
		*ret = !found || moved > *ret ? moved : *ret;
		found = true;
	}
	return found;
}

void gpc_prove_remap(struct gpc_prover *prover, const struct gpc_invariant *invariant,
		     struct gpc_proof *ret)
{
	ret->standing = GPC_STANDING_NOT_JUDGED;
	if (!prover->parent)
		ret->why = "there is no parent image to compare with";
	else if (!most_moved(prover, invariant->backend, &ret->value[0]))
		ret->why = "the parent image has no table of the backend";
	else
		ret->standing = ret->value[0] > invariant->max ? GPC_STANDING_VIOLATED
							       : GPC_STANDING_PASSED;
}

/* ---- limits ---- */

/* The provenance, and its padding, are left out: a comment must not break a limit. */
static uint64_t memory_of(const struct gpc_image *image)
{
	const struct gpc_image_head *head = image->head;

	return (uint64_t)head->decision_offset + head->decision_size + head->link_size;
}

void gpc_prove_limits(struct gpc_prover *prover, const struct gpc_invariant *invariant,
		      struct gpc_proof *ret)
{
	ret->value[0] = memory_of(prover->image);
	ret->value[1] = gpc_worst_loads(prover->image);
	ret->standing = (invariant->memory && ret->value[0] > invariant->memory) ||
					(invariant->max_lookups &&
					 ret->value[1] > invariant->max_lookups)
				? GPC_STANDING_VIOLATED
				: GPC_STANDING_PASSED;
}
