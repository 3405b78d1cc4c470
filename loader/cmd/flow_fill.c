/* SPDX-License-Identifier: MIT */
#include "flow_fill.h"

#include "output.h"

static const char *const states[] = {
	[GPC_FLOW_SYN] = "syn",		[GPC_FLOW_ESTABLISHED] = "established",
	[GPC_FLOW_CLOSING] = "closing", [GPC_FLOW_CLOSED] = "closed",
	[GPC_FLOW_UDP_NEW] = "udp-new", [GPC_FLOW_UDP] = "udp",
	[GPC_FLOW_ICMP] = "icmp",	[GPC_FLOW_OTHER] = "other",
};
_Static_assert(sizeof(states) / sizeof(states[0]) == GPC_FLOW_TWIN, "one name a state");

const char *gpc_family_name(enum gpc_family family)
{
	return family == GPC_V4 ? "v4" : "v6";
}

const char *gpc_flow_state_name(enum gpc_flow_state state)
{
	return states[state];
}

uint64_t gpc_flow_fill_active(const struct gpc_flow_fill *fill)
{
	uint64_t sum = 0;

	for (int state = 0; state < GPC_FLOW_TWIN; state++)
		sum += fill->active[state];
	return sum;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

void gpc_flows_text(const struct gpc_flows *flows)
{
	struct gpc_grid grid = {.alignment = "lrrrr"};
	static const char *const names[] = {"flows", "active", "entries", "room", "used"};

	for (int i = 0; i < 5; i++)
		gpc_grid_add(&grid, GPC_DIM, "%s", names[i]);
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		const struct gpc_flow_fill *fill = &flows->family[family];
		const char *least = fill->complete ? "" : ">= ";

		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_family_name(family));
		gpc_grid_add(&grid, GPC_PLAIN, "%s%llu", least,
			     (unsigned long long)gpc_flow_fill_active(fill));
		gpc_grid_add(&grid, GPC_PLAIN, "%s%llu", least, (unsigned long long)fill->entries);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", fill->capacity);
		gpc_grid_add(&grid, GPC_PLAIN, "%s%.1f %%", least,
			     percent(fill->entries, fill->capacity));
	}
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

void gpc_flows_json(const struct gpc_flows *flows)
{
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		const struct gpc_flow_fill *fill = &flows->family[family];
		struct json_object *object = gpc_json("flows");

		gpc_json_text(object, "family", gpc_family_name(family));
		gpc_json_bool(object, "complete", fill->complete);
		gpc_json_number(object, "capacity", fill->capacity);
		gpc_json_number(object, "entries", (int64_t)fill->entries);
		gpc_json_number(object, "active", (int64_t)gpc_flow_fill_active(fill));
		for (int state = 0; state < GPC_FLOW_TWIN; state++)
			gpc_json_number(object, states[state], (int64_t)fill->active[state]);
		gpc_json_print(object);
	}
}
