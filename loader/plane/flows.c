/* SPDX-License-Identifier: MIT */
/* The flow tables as they are, entry by entry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../clock.h"
#include "flow_table.h"
#include "gpc/lookup/flow.h"
#include "kernel.h"
#include "plane.h"
#include "recheck.h"
#include "survey.h"

#define BATCH 512u /* sets that are read between two looks at the clock */

struct known {
	uint64_t id;
	uint32_t index;
};

struct walk {
	const struct gpc_plane *plane;
	const struct gpc_image *next; /* or NULL: nothing is asked again */
	bool audit;
	struct known *known; /* endpoints by id */
	uint32_t known_count;
	struct gpc_flows flows; /* what was found so far */
};

/* ---- endpoints by id ---- */

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int begin_walk(struct walk *walk, const struct gpc_image *image)
{
	uint32_t count, i;
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	walk->known = calloc(count + 1ul, sizeof(*walk->known));
	walk->flows.endpoint = calloc(count + 1ul, sizeof(*walk->flows.endpoint));
	if (!walk->known || !walk->flows.endpoint)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		walk->known[i] = (struct known){endpoints[i].id, i};
	walk->known_count = count;
	qsort(walk->known, count, sizeof(*walk->known), compare_known);
	return 0;
}

static void release_walk(struct walk *walk)
{
	free(walk->known);
	gpc_flows_release(&walk->flows);
}

static void count_endpoint(struct walk *walk, uint64_t id)
{
	const struct known key = {.id = id};
	const struct known *found =
		bsearch(&key, walk->known, walk->known_count, sizeof(*walk->known), compare_known);

	if (found)
		walk->flows.endpoint[found->index]++;
}

/* ---- the walk ---- */

/* One that changes meanwhile is left out. */
static void judge_flow(struct walk *walk, enum gpc_family family, const void *key,
		       const struct gpc_flow *flow, uint64_t mark)
{
	size_t size = (size_t)((const unsigned char *)flow - (const unsigned char *)key);
	struct gpc_flow entry = *flow;
	__u64 words[GPC_FLOW_WORDS6] = {0};
	enum gpc_recheck said;

	memcpy(words, key, size);
	if (entry.mark != mark || __atomic_load_n(&flow->mark, __ATOMIC_ACQUIRE) != mark ||
	    memcmp(words, key, size))
		return;
	said = gpc_recheck(walk->next, walk->audit, family, words, &entry);
	walk->flows.asked += said != GPC_RECHECK_NOT_ASKED;
	walk->flows.revoked += said == GPC_RECHECK_REVOKED;
}

static void count_flow(struct walk *walk, enum gpc_family family, const void *key,
		       const struct gpc_flow *flow, uint32_t now)
{
	struct gpc_flow_fill *fill = &walk->flows.family[family];
	const struct gpc_flow seen = {.endpoint = __atomic_load_n(&flow->endpoint, __ATOMIC_RELAXED),
				      .mark = __atomic_load_n(&flow->mark, __ATOMIC_RELAXED)};
	uint8_t state = seen.state & GPC_FLOW_STATE_MASK;

	fill->entries++;
	if (state >= GPC_FLOW_TWIN ||
	    gpc_flow_expired(walk->plane, seen.state, (int32_t)(now - seen.last_seen)))
		return;
	fill->active[state]++;
	if (seen.endpoint)
		count_endpoint(walk, seen.endpoint);
	if (walk->next && !(seen.state & GPC_FLOW_REVOKED))
		judge_flow(walk, family, key, flow, seen.mark);
}

static void walk_table(struct walk *walk, const struct gpc_flow_table *table, uint64_t end,
		       enum gpc_family family)
{
	uint64_t now = gpc_clock_coarse();

	for (uint32_t set = 0; set < table->sets; set++) {
		if (set % BATCH == 0)
			now = gpc_clock_coarse();
		if (now >= end)
			return;
		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++) {
			const void *key = gpc_flow_table_key(table, set, way);
			const struct gpc_flow *flow = gpc_flow_table_value(table, set, way);

			if (key && flow)
				count_flow(walk, family, key, flow,
					   (uint32_t)(now >> GPC_FLOW_SECOND_SHIFT));
		}
	}
	walk->flows.family[family].complete = true;
}

static int walk_both(struct walk *walk, const struct gpc_instance *instance, uint64_t budget)
{
	static const enum gpc_map_id maps[2][2] = {{GPC_MAP_HEADS4, GPC_MAP_FLOWS4},
						   {GPC_MAP_HEADS6, GPC_MAP_FLOWS6}};
	uint64_t start = gpc_clock_coarse();

	for (int family = GPC_V4; family <= GPC_V6; family++) {
		GPC_CLEANUP(gpc_flow_table_unmap) struct gpc_flow_table table = {0};
		int heads = instance->map[maps[family][0]], flows = instance->map[maps[family][1]];
		int r = -EINVAL;

		walk->flows.family[family].capacity = instance->entries[maps[family][1]];
		if (heads >= 0)
			r = gpc_flow_table_map(heads, flows, (enum gpc_family)family, false, &table);
		if (!r)
			walk_table(walk, &table,
				   start + budget * (unsigned int)(family + 1) / 2,
				   (enum gpc_family)family);
		else if (r != -EINVAL) /* another gpc's table is not looked at */
			return r;
	}
	return 0;
}

int gpc_plane_flows_under(const char *bpffs, const struct gpc_plane_status *status,
			  const struct gpc_image *next, bool audit, unsigned int budget_ms,
			  struct gpc_flows *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	GPC_CLEANUP(release_walk)
	struct walk walk = {.plane = status->image.plane, .next = next, .audit = audit};
	int r;

	if (begin_walk(&walk, &status->image))
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the flow tables");
	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the plane was detached meanwhile");
	r = walk_both(&walk, &survey.instances[0], budget_ms * 1000000ull);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot read the flow tables");
	*ret = walk.flows;
	walk.flows = (struct gpc_flows){0};
	return 0;
}

int gpc_plane_flows(const char *bpffs, const struct gpc_plane_status *status,
		    unsigned int budget_ms, struct gpc_flows *ret, struct gpc_failure *failure)
{
	return gpc_plane_flows_under(bpffs, status, NULL, false, budget_ms, ret, failure);
}

void gpc_flows_release(struct gpc_flows *flows)
{
	free(flows->endpoint);
	*flows = (struct gpc_flows){0};
}
