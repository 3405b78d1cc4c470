/* SPDX-License-Identifier: MIT */
/* Maps in user space: what the programs rely on of those in the kernel. */
#include <string.h>

#include <linux/bpf.h>

#include "gpc/image.h"
#include "loader/sim/map.h"
#include "loader/sim/shim/bpf/bpf_helpers.h"
#include "tests/unit/unit.h"

static const void *handle(enum gpc_sim_map_id id)
{
	return gpc_sim_maps[id].handle;
}

static void shapes_are_those_of_the_programs(void)
{
	CU_ASSERT_EQUAL(gpc_sim_maps[GPC_SIM_CTL].value, sizeof(uint64_t));
	CU_ASSERT_EQUAL(gpc_sim_maps[GPC_SIM_FLOWS6].key, sizeof(uint32_t));
	CU_ASSERT_EQUAL(gpc_sim_maps[GPC_SIM_FLOWS6].value, sizeof(struct gpc_flow_element6));
	CU_ASSERT_EQUAL(gpc_sim_maps[GPC_SIM_CLIENTS].key, sizeof(struct gpc_client_key));
	CU_ASSERT_EQUAL(gpc_sim_maps[GPC_SIM_CLIENTS].type, BPF_MAP_TYPE_LRU_HASH);
	CU_ASSERT_EQUAL(gpc_sim_maps[GPC_SIM_RULES].type, BPF_MAP_TYPE_PERCPU_ARRAY);
}

static void arrays_end_where_they_end(void)
{
	uint32_t index = 2;
	uint64_t *value;

	gpc_sim_map_make(GPC_SIM_RATE, 3);
	value = gpc_sim_lookup(handle(GPC_SIM_RATE), &index);
	CU_ASSERT_PTR_NOT_NULL_FATAL(value);
	CU_ASSERT_EQUAL(*value, 0);
	*value = 7;
	CU_ASSERT_EQUAL(((uint64_t *)gpc_sim_map_values(GPC_SIM_RATE))[2], 7);
	gpc_sim_map_clear(GPC_SIM_RATE);
	CU_ASSERT_EQUAL(*value, 0);
	index = 3;
	CU_ASSERT_PTR_NULL(gpc_sim_lookup(handle(GPC_SIM_RATE), &index));
	index = GPC_NONE;
	CU_ASSERT_PTR_NULL(gpc_sim_lookup(handle(GPC_SIM_RATE), &index));
}

/* More clients than there are chains; an update makes a new element, the old one stays readable. */
static void clients_are_found_and_forgotten(void)
{
	enum { CLIENTS = 10000 };
	struct gpc_client_key key = {.listener = 6};
	struct gpc_client client = {0}, *first, *found;
	const void *map = handle(GPC_SIM_CLIENTS);

	for (uint32_t i = 0; i < CLIENTS; i++) {
		key.source[0] = i;
		client.endpoint = i;
		CU_ASSERT_EQUAL(gpc_sim_update(map, &key, &client, BPF_ANY), 0);
	}
	for (uint32_t i = 0; i < CLIENTS; i++) {
		key.source[0] = i;
		found = gpc_sim_lookup(map, &key);
		CU_ASSERT(found && found->endpoint == i);
	}
	first = gpc_sim_lookup(map, &key);
	client.endpoint = 1;
	CU_ASSERT_EQUAL(gpc_sim_update(map, &key, &client, BPF_ANY), 0);
	found = gpc_sim_lookup(map, &key);
	CU_ASSERT(found != first && found->endpoint == 1 && first->endpoint == CLIENTS - 1);
	CU_ASSERT_EQUAL(gpc_sim_delete(map, &key), 0);
	CU_ASSERT(gpc_sim_delete(map, &key) < 0);
	CU_ASSERT_PTR_NULL(gpc_sim_lookup(map, &key));
	CU_ASSERT_EQUAL(found->endpoint, 1);
	gpc_sim_map_clear(GPC_SIM_CLIENTS);
	key.source[0] = 0;
	CU_ASSERT_PTR_NULL(gpc_sim_lookup(map, &key));
}

static void images_lie_in_slots(void)
{
	uint32_t slot = 3, zero = 0;
	const void *inner;

	CU_ASSERT_PTR_NULL(gpc_sim_lookup(handle(GPC_SIM_IMAGES), &slot));
	gpc_sim_map_image(3, "image");
	inner = gpc_sim_lookup(handle(GPC_SIM_IMAGES), &slot);
	CU_ASSERT_PTR_NOT_NULL_FATAL(inner);
	CU_ASSERT_STRING_EQUAL((char *)gpc_sim_lookup(inner, &zero), "image");
	slot = GPC_IMAGE_SLOTS;
	CU_ASSERT_PTR_NULL(gpc_sim_lookup(handle(GPC_SIM_IMAGES), &slot));
}

static void a_full_ring_says_so(void)
{
	size_t count, taken = 0;
	struct gpc_event *event;

	gpc_sim_map_clear(GPC_SIM_EVENTS);
	CU_ASSERT_PTR_NULL(gpc_sim_reserve(handle(GPC_SIM_EVENTS), 1));
	while ((event = gpc_sim_reserve(handle(GPC_SIM_EVENTS), sizeof(*event))))
		event->rule = ++taken;
	CU_ASSERT(taken > 1000);
	CU_ASSERT_EQUAL(gpc_sim_map_events(&count)[taken - 1].rule, taken);
	CU_ASSERT_EQUAL(count, taken);
	gpc_sim_map_clear(GPC_SIM_EVENTS);
	gpc_sim_map_events(&count);
	CU_ASSERT_EQUAL(count, 0);
	gpc_sim_map_free();
}

GPC_UNIT_MAIN("sim/map", {"shapes_are_those_of_the_programs", shapes_are_those_of_the_programs},
	      {"arrays_end_where_they_end", arrays_end_where_they_end},
	      {"clients_are_found_and_forgotten", clients_are_found_and_forgotten},
	      {"images_lie_in_slots", images_lie_in_slots}, {"a_full_ring_says_so", a_full_ring_says_so})
