/* SPDX-License-Identifier: MIT */
/* The flow tables as they are, entry by entry. The programs' LRU does not notice this reading. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "gpc/lookup/flow.h"
#include "kernel.h"
#include "plane.h"
#include "survey.h"

#define BATCH 4096u /* entries that are read together; larger than any bucket of the kernel's */

struct known {
	uint64_t id;
	uint32_t index;
};

struct batch {
	char keys[BATCH][sizeof(struct gpc_flow_key6)]; /* room for those of either family */
	struct gpc_flow flows[BATCH];
};

struct walk {
	const struct gpc_plane *plane;
	struct known *known; /* endpoints by id */
	uint32_t known_count;
	struct batch *batch;
	struct gpc_flows flows; /* what was found so far */
};

static uint64_t coarse_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * GPC_SECOND + (uint64_t)now.tv_nsec;
}

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
	walk->batch = calloc(1, sizeof(*walk->batch));
	if (!walk->known || !walk->flows.endpoint || !walk->batch)
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
	free(walk->batch);
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

static void count_flow(struct walk *walk, struct gpc_flow_fill *fill, const struct gpc_flow *flow,
		       uint32_t now)
{
	uint8_t state = flow->state & GPC_FLOW_STATE_MASK;

	fill->entries++;
	if (state >= GPC_FLOW_TWIN ||
	    gpc_flow_expired(walk->plane, flow->state, (int32_t)(now - flow->last_seen)))
		return;
	fill->active[state]++;
	if (flow->endpoint)
		count_endpoint(walk, flow->endpoint);
}

static int walk_table(struct walk *walk, int fd, uint64_t end, struct gpc_flow_fill *fill)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t at, count, i;
	int error = 0, begun = 0;

	while (!error) {
		uint64_t now = coarse_ns();

		if (now >= end)
			return 0;
		count = BATCH;
		if (bpf_map_lookup_batch(fd, begun ? &at : NULL, &at, walk->batch->keys,
					 walk->batch->flows, &count, &options))
			error = errno;
		if (error && error != ENOENT)
			return -error;
		for (i = 0; i < count; i++)
			count_flow(walk, fill, &walk->batch->flows[i],
				   (uint32_t)(now >> GPC_FLOW_SECOND_SHIFT));
		begun = 1;
	}
	fill->complete = true;
	return 0;
}

static int walk_both(struct walk *walk, const struct gpc_instance *instance, uint64_t budget)
{
	static const enum gpc_map_id maps[2] = {GPC_MAP_FLOWS4, GPC_MAP_FLOWS6};
	uint64_t start = coarse_ns();
	int r = 0;

	for (int family = GPC_V4; family <= GPC_V6 && !r; family++) {
		struct gpc_flow_fill *fill = &walk->flows.family[family];
		enum gpc_map_id id = maps[family];
		uint64_t share = budget * (unsigned int)(family + 1) / 2;

		fill->capacity = instance->entries[id];
		if (instance->value_size[id] == sizeof(struct gpc_flow))
			r = walk_table(walk, instance->map[id], start + share, fill);
	}
	return r;
}

int gpc_plane_flows(const char *bpffs, const struct gpc_plane_status *status,
		    unsigned int budget_ms, struct gpc_flows *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	GPC_CLEANUP(release_walk) struct walk walk = {.plane = status->image.plane};
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

void gpc_flows_release(struct gpc_flows *flows)
{
	free(flows->endpoint);
	*flows = (struct gpc_flows){0};
}
