/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "../../compiler/analyze/loads.h"
#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "flow_fill.h"
#include "output.h"

/* ---- flows ---- */

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Endpoints that keep their flows, by id; malloc'ed. */
static uint64_t *kept_endpoints(const struct gpc_image *image, size_t *ret_count)
{
	uint32_t count;
	const struct gpc_endpoint *list = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	uint64_t *ids = calloc(count + 1ul, sizeof(*ids));

	if (!ids)
		abort();
	*ret_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (list[i].state != GPC_STATE_MAINT)
			ids[(*ret_count)++] = list[i].id;
	qsort(ids, *ret_count, sizeof(*ids), compare_ids);
	return ids;
}

static int count_flows(const struct gpc_plane_status *plane, const struct gpc_image *image,
		       struct gpc_plan_host *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_flows_release) struct gpc_flows flows = {0};
	size_t kept;
	GPC_AUTO_FREE uint64_t *ids = kept_endpoints(image, &kept);

	if (gpc_plane_flows_under(gpc_bpffs(), plane, image, ret->stance[1] == GPC_STANCE_AUDIT,
				  GPC_FLOWS_MS / 2, &flows, failure))
		return -1;
	ret->has_flows = true;
	ret->flows_complete = flows.family[GPC_V4].complete && flows.family[GPC_V6].complete;
	for (int family = GPC_V4; family <= GPC_V6; family++)
		ret->flows += gpc_flow_fill_active(&flows.family[family]);
	for (uint32_t i = 0; i < gpc_image_count(&plane->image, GPC_SEC_ENDPOINT); i++) {
		const struct gpc_endpoint *endpoint =
			gpc_image_record(&plane->image, GPC_SEC_ENDPOINT, i);

		if (!bsearch(&endpoint->id, ids, kept, sizeof(*ids), compare_ids))
			ret->moved += flows.endpoint[i];
	}
	ret->asked = flows.asked;
	ret->revoked = flows.revoked;
	return 0;
}

/* ---- in all ---- */

static void measure(const struct gpc_image *image, int i, struct gpc_plan_host *ret)
{
	ret->memory[i] = image->size - image->head->provenance_size;
	ret->size_class[i] = image->log2;
	ret->loads[i] = gpc_worst_loads(image);
}

int gpc_plan_look(const struct gpc_plane_status *plane, const struct gpc_plan_basis *basis,
		  const struct gpc_image *image, struct gpc_plan_host *ret,
		  struct gpc_failure *failure)
{
	struct gpc_plan_host host = {
		.running = basis->running,
		.generation = basis->generation,
		.stance = {(enum gpc_stance)basis->stance[0], (enum gpc_stance)basis->stance[1]},
	};

	measure(image, 1, &host);
	if (host.running) {
		host.flows_resized = plane->image.plane->flows != image->plane->flows;
		measure(&plane->image, 0, &host);
		if (count_flows(plane, image, &host, failure))
			return -1;
	}
	host.guarded = host.stance[1] != GPC_STANCE_NONE;
	if (host.guarded && gpc_plane_guard(image, !host.running, &host.guard, failure))
		return -1;
	*ret = host;
	return 0;
}

void gpc_plan_host_release(struct gpc_plan_host *host)
{
	gpc_guard_report_release(&host->guard);
}

/* docs/PERFORMANCE.md, "The estimate of gpc plan": base, and tenths of a nanosecond per load. */
#define BASE_NS 19u
#define HOT_TENTHS 23u
#define COLD_TENTHS 212u

void gpc_plan_estimate(uint32_t loads, unsigned int *ret_hot, unsigned int *ret_cold)
{
	*ret_hot = BASE_NS + loads * HOT_TENTHS / 10;
	*ret_cold = BASE_NS + loads * COLD_TENTHS / 10;
}

/* ---- text ---- */

static void put_flows(const struct gpc_plan_host *host, struct gpc_grid *grid)
{
	const char *least = host->flows_complete ? "" : "at least ";

	if (!host->has_flows)
		return;
	gpc_grid_add(grid, GPC_DIM, "flows");
	gpc_grid_add(grid, host->revoked ? GPC_RED : host->moved ? GPC_YELLOW : GPC_PLAIN,
		     "%s%lu live: %lu pick another endpoint, %lu are asked again, %lu of these are "
		     "revoked",
		     least, host->flows, host->moved, host->asked, host->revoked);
}

static void put_session(const struct gpc_plan_host *host, struct gpc_grid *grid)
{
	const char *when = host->stance[1] == GPC_STANCE_AUDIT ? " once enforced" : "";

	if (!host->guarded)
		return;
	gpc_grid_add(grid, GPC_DIM, "sessions");
	if (host->guard.count)
		gpc_grid_add(grid, GPC_RED, "%zu of %zu sessions of root would be cut%s: %s%s",
			     host->guard.count, host->guard.sessions, when,
			     host->guard.findings[0].ssh ? "this SSH session " : "",
			     host->guard.findings[0].session);
	else
		gpc_grid_add(grid, GPC_PLAIN, "%s; %zu of root stay",
			     host->guard.ssh_found ? "this SSH session stays"
						   : "no SSH session that this runs in",
			     host->guard.sessions);
}

static void put_costs(const struct gpc_plan_host *host, struct gpc_grid *grid)
{
	char before[32], after[32], whole[32];
	unsigned int hot, cold;

	gpc_plan_estimate(host->loads[1], &hot, &cold);
	gpc_text_bytes(host->memory[0], before);
	gpc_text_bytes(host->memory[1], after);
	gpc_text_bytes(1ull << host->size_class[1], whole);
	gpc_grid_add(grid, GPC_DIM, "memory");
	gpc_grid_add(grid, GPC_PLAIN, "%s%s%s, in the kernel %s%s", after,
		     host->running ? ", was " : "", host->running ? before : "", whole,
		     host->running && host->size_class[0] < host->size_class[1]
			     ? " (more than now: the programs are replaced)"
			     : "");
	gpc_grid_add(grid, GPC_DIM, "lookups");
	if (host->running)
		gpc_grid_add(grid, GPC_PLAIN,
			     "at most %u loads one after the other, was %u; estimate %u ns in "
			     "cache, %u ns from memory",
			     host->loads[1], host->loads[0], hot, cold);
	else
		gpc_grid_add(grid, GPC_PLAIN,
			     "at most %u loads one after the other; estimate %u ns in cache, %u ns "
			     "from memory",
			     host->loads[1], hot, cold);
}

void gpc_plan_host_text(const struct gpc_plan_host *host, FILE *out)
{
	struct gpc_grid grid = {.alignment = "ll"};

	put_flows(host, &grid);
	if (host->stance[0] != GPC_STANCE_NONE || host->stance[1] != GPC_STANCE_NONE) {
		gpc_grid_add(&grid, GPC_DIM, "policies");
		gpc_grid_add(&grid, host->stance[0] != host->stance[1] ? GPC_YELLOW : GPC_PLAIN,
			     "%s%s%s",
			     host->running ? gpc_stance_name(host->stance[0]) : "",
			     host->running ? " -> " : "", gpc_stance_name(host->stance[1]));
	}
	put_session(host, &grid);
	put_costs(host, &grid);
	fputs("host\n", out);
	gpc_grid_print(&grid, out, 2);
	if (host->flows_resized)
		fprintf(out, "%swarning%s: `flows` is another: apply refuses that (4) until gpc detach\n",
			gpc_paint(out, GPC_YELLOW), gpc_paint(out, GPC_PLAIN));
}

void gpc_plan_host_json(const struct gpc_plan_host *host)
{
	struct json_object *object = gpc_json("host");
	unsigned int hot, cold;

	gpc_plan_estimate(host->loads[1], &hot, &cold);
	gpc_json_bool(object, "running", host->running);
	if (host->running)
		gpc_json_number(object, "generation", host->generation);
	gpc_json_text(object, "policy_mode_before", gpc_stance_name(host->stance[0]));
	gpc_json_text(object, "policy_mode_after", gpc_stance_name(host->stance[1]));
	if (host->has_flows) {
		gpc_json_bool(object, "flows_complete", host->flows_complete);
		gpc_json_number(object, "flows", (int64_t)host->flows);
		gpc_json_number(object, "flows_moved", (int64_t)host->moved);
		gpc_json_number(object, "flows_asked_again", (int64_t)host->asked);
		gpc_json_number(object, "flows_revoked", (int64_t)host->revoked);
	}
	if (host->guarded) {
		gpc_json_number(object, "sessions", (int64_t)host->guard.sessions);
		gpc_json_number(object, "sessions_cut", (int64_t)host->guard.count);
		gpc_json_bool(object, "ssh_session_found", host->guard.ssh_found);
	}
	gpc_json_number(object, "memory", (int64_t)host->memory[1]);
	gpc_json_number(object, "memory_before", (int64_t)host->memory[0]);
	gpc_json_number(object, "size_class", 1ll << host->size_class[1]);
	gpc_json_number(object, "loads", host->loads[1]);
	gpc_json_number(object, "loads_before", host->loads[0]);
	gpc_json_number(object, "estimate_hot_ns", hot);
	gpc_json_number(object, "estimate_cold_ns", cold);
	gpc_json_bool(object, "flows_resized", host->flows_resized);
	gpc_json_print(object);
}
