/* SPDX-License-Identifier: MIT */
#include "intent/load.h"

#include <netinet/in.h>

#include "base/memfiles.h"
#include "tests/unit/unit.h"

#define HEAD "apiVersion: gpc/v1\nkind: Plane\n"
#define NAMED HEAD "metadata: {name: plane}\n"
#define OVERLAY "apiVersion: gpc/v1\nkind: Overlay\n"

static struct gpc_arena arena;
static struct gpc_diags diags;
static struct gpc_memfiles files;
static struct gpc_intent intent;

static void begin(void)
{
	gpc_arena_release(&arena);
	gpc_diags_init(&diags, &arena, false);
	gpc_memfiles_init(&files, &arena);
	intent = (struct gpc_intent){0};
}

static void add(const char *path, const char *text)
{
	gpc_memfiles_add(&files, path, text, strlen(text));
}

static bool load_as(const char *environment, const char *const *paths, size_t count)
{
	struct gpc_provider provider = gpc_memfiles_provider(&files);
	struct gpc_inputs inputs = {.paths = paths, .count = count, .environment = environment};

	return gpc_intent_load(&diags, &provider, &inputs, &intent);
}

static bool load_one(const char *text)
{
	const char *path = "gpc.yaml";

	begin();
	add(path, text);
	return load_as(NULL, &path, 1);
}

static void a_whole_plane_is_bound(void)
{
	const struct gpc_backend_intent *backend;
	const struct gpc_listener_intent *listener;

	CU_ASSERT_TRUE_FATAL(load_one(
		NAMED
		"defaults: {on-fail: drop, flows: 64Ki, flow-inserts: 600/m,\n"
		"  hash-seed: 000102030405060708090a0b0c0d0eFF}\n"
		"interfaces: [{name: \"lan*\", mode: any, hooks: [xdp, tc-egress], role: decap}]\n"
		"backends:\n"
		"  - name: web\n"
		"    table-size: 1021\n"
		"    next-hop: 10.0.0.254\n"
		"    health: {tcp: {port: 80}}\n"
		"    endpoints: [{name: a, address: [10.0.0.1, \"2001:db8::1\"], weight: 7, state: "
		"drain}]\n"
		"listeners: [{name: http, address: 192.0.2.1, protocol: UDP, port: 53, forward: "
		"dsr,\n"
		"  backend: web, interfaces: [\"lan*\"]}]\n"));
	CU_ASSERT_STRING_EQUAL(intent.name.text, "plane");
	CU_ASSERT_EQUAL(intent.defaults.on_fail_drop.value, 1);
	CU_ASSERT_FALSE(intent.defaults.malformed_drop.set);
	CU_ASSERT_EQUAL(intent.defaults.flows.value, 65536);
	CU_ASSERT_EQUAL(intent.defaults.flow_inserts.value, 10);
	CU_ASSERT_EQUAL(intent.defaults.hash_seed.bytes[15], 0xff);
	CU_ASSERT_EQUAL_FATAL(intent.interfaces.n, 1);
	CU_ASSERT_EQUAL(intent.interfaces.items[0].mode.value, GPC_MODE_ANY);
	CU_ASSERT_EQUAL(intent.interfaces.items[0].role.value, GPC_ROLE_DECAP);
	CU_ASSERT_EQUAL(intent.interfaces.items[0].hooks.value, GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS);
	CU_ASSERT_EQUAL_FATAL(intent.backends.n, 1);
	backend = &intent.backends.items[0];
	CU_ASSERT_EQUAL(backend->table_size.value, 1021);
	CU_ASSERT_EQUAL(backend->next_hop.value, GPC_NEXT_HOP_ADDRESS);
	CU_ASSERT_TRUE(backend->next_hop_address.prefix.v4);
	CU_ASSERT_TRUE(backend->has_health);
	CU_ASSERT_EQUAL_FATAL(backend->endpoints.n, 1);
	CU_ASSERT_EQUAL(backend->endpoints.items[0].addresses.n, 2);
	CU_ASSERT_EQUAL(backend->endpoints.items[0].weight.value, 7);
	CU_ASSERT_EQUAL(backend->endpoints.items[0].state.value, GPC_STATE_DRAIN);
	CU_ASSERT_EQUAL_FATAL(intent.listeners.n, 1);
	listener = &intent.listeners.items[0];
	CU_ASSERT_EQUAL(listener->protocol.value, IPPROTO_UDP);
	CU_ASSERT(listener->port.first == 53 && listener->port.last == 53);
	CU_ASSERT_EQUAL(listener->forward.value, GPC_FORWARD_DSR);
	CU_ASSERT_STRING_EQUAL(listener->backend.text, "web");
	CU_ASSERT_EQUAL_FATAL(listener->interfaces.n, 1);
	CU_ASSERT_STRING_EQUAL(listener->interfaces.items[0].text, "lan*");
	CU_ASSERT_EQUAL(gpc_place_position(&diags, listener->port.at).line, 13);
}

static void keys_that_are_not_written_have_no_place(void)
{
	CU_ASSERT_TRUE_FATAL(load_one(
		NAMED "backends: [{name: b, endpoints: [{name: e, address: 10.0.0.1}]}]\n"));
	CU_ASSERT_FALSE(intent.backends.items[0].table_size.set);
	CU_ASSERT_FALSE(intent.backends.items[0].endpoints.items[0].weight.set);
	CU_ASSERT_FALSE(intent.defaults.flows.set);
	CU_ASSERT_FALSE(intent.backends.items[0].has_health);
}

static void the_order_of_inputs_changes_nothing(void)
{
	static const char *const orders[2][2] = {{"a.yaml", "b.yaml"}, {"b.yaml", "a.yaml"}};

	for (size_t i = 0; i < 2; i++) {
		begin();
		add("a.yaml",
		    NAMED "backends: [{name: a, endpoints: [{name: e, address: 10.0.0.1}]}]\n");
		add("b.yaml",
		    HEAD "backends: [{name: b, endpoints: [{name: e, address: 10.0.0.1}]}]\n");
		CU_ASSERT_TRUE_FATAL(load_as(NULL, orders[i], 2));
		CU_ASSERT_EQUAL_FATAL(intent.backends.n, 2);
		CU_ASSERT_STRING_EQUAL(intent.backends.items[0].name.text, "a");
		CU_ASSERT_STRING_EQUAL(intent.backends.items[1].name.text, "b");
	}
}

static void values_are_inserted_and_typed_afterwards(void)
{
	CU_ASSERT_TRUE_FATAL(load_one(NAMED "values: {net: 10.0.0, w: 10, all: \"lan*\"}\n"
					    "interfaces: [{name: \"lan*\"}]\n"
					    "backends: [{name: b, endpoints: [{name: e, address: "
					    "\"${net}.${w}\", weight: \"${w}0\",\n"
					    "  labels: {a: \"$x\"}}]}]\n"
					    "listeners: [{name: l, address: 192.0.2.1, protocol: "
					    "TCP, port: 80, backend: b,\n"
					    "  interfaces: [\"${all}\"]}]\n") == false);
	/* `$x` is not a label's value, and that is the only fault. */
	CU_ASSERT_EQUAL(diags.errors, 1);
	CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0125);
	CU_ASSERT_EQUAL(intent.backends.items[0].endpoints.items[0].weight.value, 100);
	CU_ASSERT_EQUAL(
		intent.backends.items[0].endpoints.items[0].addresses.items[0].prefix.ip.bytes[15],
		10);
	CU_ASSERT_STRING_EQUAL(intent.listeners.items[0].interfaces.items[0].text, "lan*");
}

static void an_escaped_dollar_is_not_expanded_again(void)
{
	CU_ASSERT_FALSE(load_one(NAMED "values: {w: \"${x}\"}\n"
				       "backends: [{name: b, endpoints: [{name: e, address: "
				       "\"$${w}\", weight: \"${w}\"}]}]\n"));
	CU_ASSERT_EQUAL_FATAL(diags.errors, 2);
	CU_ASSERT_STRING_EQUAL(
		diags.records.items[0].message,
		"not an address: `${w}` for `address` in backends[0].endpoints[0] (e)");
	CU_ASSERT_STRING_EQUAL(diags.records.items[1].message,
			       "not a number: `${x}` for `weight` in backends[0].endpoints[0] (e)");
}

static void an_overlay_merges_by_name_and_keeps_places(void)
{
	const char *path = "gpc.yaml";
	const struct gpc_endpoint_intent *endpoint;

	begin();
	add(path, NAMED "values: {w: 1}\n"
			"interfaces: [{name: wan0}, {name: wan1}]\n"
			"backends: [{name: b, table-size: 1021, endpoints: [{name: x, address: "
			"10.0.0.1, weight: \"${w}\"},\n"
			"  {name: y, address: 10.0.0.2}]}]\n");
	add("overlays/prod.yaml",
	    OVERLAY "values: {w: 9}\n"
		    "interfaces: [{name: wan1, $delete: true}, {name: wan2, mode: any}]\n"
		    "backends: [{name: b, endpoints: [{name: y, weight: 3}, {name: z, address: "
		    "10.0.0.3}]}]\n");
	CU_ASSERT_TRUE_FATAL(load_as("prod", &path, 1));
	CU_ASSERT_EQUAL_FATAL(intent.interfaces.n, 2);
	CU_ASSERT_STRING_EQUAL(intent.interfaces.items[1].name.text, "wan2");
	CU_ASSERT_EQUAL(intent.backends.items[0].table_size.value, 1021);
	CU_ASSERT_EQUAL_FATAL(intent.backends.items[0].endpoints.n, 3);
	endpoint = intent.backends.items[0].endpoints.items;
	CU_ASSERT_EQUAL(endpoint[0].weight.value, 9);
	CU_ASSERT_EQUAL(endpoint[1].weight.value, 3);
	CU_ASSERT_EQUAL(endpoint[1].addresses.n, 1);
	CU_ASSERT_STRING_EQUAL(diags.sources.items[endpoint[1].weight.at.source].path,
			       "overlays/prod.yaml");
	CU_ASSERT_STRING_EQUAL(diags.sources.items[endpoint[1].addresses.items[0].at.source].path,
			       "gpc.yaml");
	CU_ASSERT_STRING_EQUAL(endpoint[2].name.text, "z");
}

static void an_overlay_replaces_other_lists_whole(void)
{
	const char *path = "gpc.yaml";

	begin();
	add(path, NAMED
	    "defaults: {on-fail: drop, malformed: pass}\n"
	    "interfaces: [{name: wan0, mode: any, hooks: [xdp, tc-ingress]}, {name: wan1}]\n"
	    "backends: [{name: b, endpoints: [{name: e, address: [10.0.0.1, \"2001:db8::1\"]}]}]\n"
	    "listeners: [{name: l, address: [192.0.2.1, 192.0.2.2], protocol: TCP, port: 80, "
	    "backend: b,\n"
	    "  interfaces: [wan0, wan1]}]\n");
	add("overlays/prod.yaml",
	    OVERLAY "defaults: {on-fail: pass}\n"
		    "interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]\n"
		    "backends: [{name: b, endpoints: [{name: e, address: 10.0.0.9}]}]\n"
		    "listeners: [{name: l, address: [192.0.2.3], interfaces: [wan1]}]\n");
	CU_ASSERT_TRUE_FATAL(load_as("prod", &path, 1));
	CU_ASSERT_EQUAL(intent.defaults.on_fail_drop.value, 0);
	CU_ASSERT_TRUE(intent.defaults.malformed_drop.set);
	CU_ASSERT_EQUAL(intent.interfaces.items[0].hooks.value, GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS);
	CU_ASSERT_EQUAL(intent.interfaces.items[0].mode.value, GPC_MODE_ANY);
	CU_ASSERT_EQUAL(intent.backends.items[0].endpoints.items[0].addresses.n, 1);
	CU_ASSERT_EQUAL_FATAL(intent.listeners.items[0].addresses.n, 1);
	CU_ASSERT_EQUAL(intent.listeners.items[0].addresses.items[0].prefix.ip.bytes[15], 3);
	CU_ASSERT_EQUAL_FATAL(intent.listeners.items[0].interfaces.n, 1);
	CU_ASSERT_STRING_EQUAL(intent.listeners.items[0].interfaces.items[0].text, "wan1");
}

static void an_overlay_of_several_documents_is_joined_first(void)
{
	const char *path = "gpc.yaml";

	begin();
	add(path, NAMED "backends: [{name: b, endpoints: [{name: e, address: 10.0.0.1}]}]\n");
	add("overlays/prod.yaml",
	    OVERLAY "backends: [{name: c, endpoints: [{name: e, address: 10.0.0.2}]}]\n"
		    "---\n" OVERLAY "backends: [{name: b, table-size: 1021}]\n");
	CU_ASSERT_TRUE_FATAL(load_as("prod", &path, 1));
	CU_ASSERT_EQUAL_FATAL(intent.backends.n, 2);
	CU_ASSERT_EQUAL(intent.backends.items[0].table_size.value, 1021);
	CU_ASSERT_STRING_EQUAL(intent.backends.items[1].name.text, "c");
}

static void without_its_environment_an_overlay_is_not_read(void)
{
	const char *path = "gpc.yaml";

	begin();
	add(path, NAMED);
	add("overlays/prod.yaml", "not: an overlay\n");
	CU_ASSERT_TRUE(load_as(NULL, &path, 1));
	CU_ASSERT_EQUAL(diags.sources.n, 1);
}

static void json_is_accepted(void)
{
	CU_ASSERT_TRUE_FATAL(
		load_one("{\"apiVersion\": \"gpc/v1\", \"kind\": \"Plane\",\n"
			 " \"metadata\": {\"name\": \"plane\"},\n"
			 " \"defaults\": {\"flows\": 4096},\n"
			 " \"interfaces\": [{\"name\": \"wan0\", \"mode\": \"any\"}]}\n"));
	CU_ASSERT_STRING_EQUAL(intent.name.text, "plane");
	CU_ASSERT_EQUAL(intent.defaults.flows.value, 4096);
	CU_ASSERT_EQUAL(intent.interfaces.items[0].mode.value, GPC_MODE_ANY);
}

static void every_text_that_was_read_is_a_source(void)
{
	const char *path = "gpc.yaml";

	begin();
	add(path, NAMED "include: [parts/*.yaml, ./parts/../no.yaml]\n");
	add("parts/a.yaml", HEAD);
	CU_ASSERT_FALSE(load_as(NULL, &path, 1));
	CU_ASSERT_EQUAL_FATAL(diags.errors, 1);
	CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0047);
	CU_ASSERT_EQUAL(diags.sources.n, 2);
}

static void a_file_reached_twice_is_read_once(void)
{
	const char *path = "gpc.yaml";

	begin();
	add(path, NAMED "include: [parts/b.yaml, ./parts//b.yaml, parts/*.yaml]\n");
	add("parts/b.yaml",
	    HEAD "include: [b.yaml]\n"
		 "backends: [{name: b, endpoints: [{name: e, address: 10.0.0.1}]}]\n");
	CU_ASSERT_TRUE(load_as(NULL, &path, 1));
	CU_ASSERT_EQUAL(diags.sources.n, 2);
	CU_ASSERT_EQUAL(intent.backends.n, 1);
}

GPC_UNIT_MAIN("intent/load", {"a_whole_plane_is_bound", a_whole_plane_is_bound},
	      {"keys_that_are_not_written_have_no_place", keys_that_are_not_written_have_no_place},
	      {"the_order_of_inputs_changes_nothing", the_order_of_inputs_changes_nothing},
	      {"values_are_inserted_and_typed_afterwards",
	       values_are_inserted_and_typed_afterwards},
	      {"an_escaped_dollar_is_not_expanded_again", an_escaped_dollar_is_not_expanded_again},
	      {"an_overlay_merges_by_name_and_keeps_places",
	       an_overlay_merges_by_name_and_keeps_places},
	      {"an_overlay_replaces_other_lists_whole", an_overlay_replaces_other_lists_whole},
	      {"an_overlay_of_several_documents_is_joined_first",
	       an_overlay_of_several_documents_is_joined_first},
	      {"without_its_environment_an_overlay_is_not_read",
	       without_its_environment_an_overlay_is_not_read},
	      {"json_is_accepted", json_is_accepted},
	      {"every_text_that_was_read_is_a_source", every_text_that_was_read_is_a_source},
	      {"a_file_reached_twice_is_read_once", a_file_reached_twice_is_read_once})
