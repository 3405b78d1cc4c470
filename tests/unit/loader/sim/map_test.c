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

/* The one that all tests but the last share. */
static void use_memory(void)
{
	static struct gpc_sim_memory *memory;

	if (!memory)
		memory = gpc_sim_memory_new();
	gpc_sim_memory_use(memory);
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

	use_memory();
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

	use_memory();
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

	use_memory();
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

	use_memory();
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
}

static void a_full_hash_gives_up_an_old_entry(void)
{
	uint32_t room = GPC_SIM_ENTRIES, left = 0;
	const void *map = handle(GPC_SIM_CLIENTS);
	struct gpc_client_key key = {.listener = 7};
	struct gpc_client client = {0};

	use_memory();
	for (uint32_t i = 0; i < room + 100; i++) {
		key.source[0] = i;
		CU_ASSERT_EQUAL(gpc_sim_update(map, &key, &client, BPF_ANY), 0);
		CU_ASSERT_PTR_NOT_NULL(gpc_sim_lookup(map, &key));
		gpc_sim_memory_settle();
	}
	for (uint32_t i = 0; i < room + 100; i++) {
		key.source[0] = i;
		left += gpc_sim_lookup(map, &key) != NULL;
	}
	CU_ASSERT_EQUAL(left, room);
	gpc_sim_map_clear(GPC_SIM_CLIENTS);
}

static void two_memories_know_nothing_of_each_other(void)
{
	uint32_t index = 1;
	const void *map = handle(GPC_SIM_RULES);
	struct gpc_sim_memory *first, *second;
	const struct gpc_sim_slot *touched;
	size_t count;

	first = gpc_sim_memory_new();
	gpc_sim_map_make(GPC_SIM_RULES, 2);
	((struct gpc_rule_counter *)gpc_sim_lookup(map, &index))->packets = 5;
	second = gpc_sim_memory_new();
	gpc_sim_map_make(GPC_SIM_RULES, 2);
	gpc_sim_memory_touched(&count);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_EQUAL(((struct gpc_rule_counter *)gpc_sim_lookup(map, &index))->packets, 0);
	gpc_sim_memory_use(first);
	CU_ASSERT_EQUAL(((struct gpc_rule_counter *)gpc_sim_lookup(map, &index))->packets, 5);
	touched = gpc_sim_memory_touched(&count);
	CU_ASSERT_FATAL(count == 1);
	CU_ASSERT(touched->map == GPC_SIM_RULES && touched->index == 1);
	gpc_sim_memory_free(first);
	gpc_sim_memory_free(second);
}

GPC_UNIT_MAIN("sim/map",
	      {"shapes_are_those_of_the_programs", shapes_are_those_of_the_programs},
	      {"arrays_end_where_they_end", arrays_end_where_they_end},
	      {"clients_are_found_and_forgotten", clients_are_found_and_forgotten},
	      {"images_lie_in_slots", images_lie_in_slots},
	      {"a_full_ring_says_so", a_full_ring_says_so},
	      {"a_full_hash_gives_up_an_old_entry", a_full_hash_gives_up_an_old_entry},
	      {"two_memories_know_nothing_of_each_other", two_memories_know_nothing_of_each_other})
